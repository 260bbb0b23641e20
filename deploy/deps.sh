#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# deps.sh [PACKAGE...]: the packages Sonde is built with, and those named, through apt.
#
# Debian 12 or later, Ubuntu 24.04 or later. Installs only what is missing, in one apt-get call; with
# nothing missing it needs no root and no network. Services that come along are neither started
# nor enabled. A|B means: either will do, the first that can be had is installed.
set -euo pipefail

BUILD=(gcc make libc6-dev pkg-config clang llvm 'bpftool|linux-tools-generic' libbpf-dev libelf-dev zlib1g-dev
	libmicrohttpd-dev 'libcurl4-gnutls-dev|libcurl4-openssl-dev|libcurl4-nss-dev' libjansson-dev
	libyaml-dev libxxhash-dev)
LIBBPF=1.1			# lowest that has what user/source calls
POLICY=/usr/sbin/policy-rc.d	# asked by maintainer scripts before they start a service

die() { echo "sonde: make deps: $*" >&2; exit 1; }

declare -A have
read_installed() {
	local name status

	have=()
	while read -r name status; do
		[[ $status != installed ]] || have[$name]=1
	done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n')
}

# Is one of A|B installed?
present() {
	local name

	for name in ${1//|/ }; do
		[[ -z ${have[$name]-} ]] || return 0
	done
	return 1
}

# Prints the first of A|B that apt can install.
installable() {
	local name

	for name in ${1//|/ }; do
		if [[ $(apt-cache policy "$name" 2>/dev/null) == *'  Candidate: '[^\(]* ]]; then
			echo "$name"
			return 0
		fi
	done
	return 1
}

apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1
}

# No service may start while packages are set up: $POLICY says no, unless somebody has it already.
hold_services() {
	[[ ! -e $POLICY ]] || return 0
	own_policy=1
	printf '#!/bin/sh\nexit 101\n' >"$POLICY"
	chmod 755 "$POLICY"
}

release() {
	[[ -z $own_policy ]] || rm -f "$POLICY"
	rm -f "$log"
}

# Finds a name for each missing package and installs all of them; sets names, nowhere.
install_missing() {
	local spec name

	names=() nowhere=()
	for spec in "${missing[@]}"; do
		if name=$(installable "$spec"); then names+=("$name"); else nowhere+=("$spec"); fi
	done
	((${#nowhere[@]} == 0)) || return 1
	echo "installing ${names[*]}"
	apt_get install -y --no-install-recommends "${names[@]}"
}

# A package that was just installed must not bring its service up at the next boot either.
leave_off() {
	local name unit

	[[ -d /run/systemd/system ]] || return 0
	for name; do
		for unit in $(dpkg -L "$name" | sed -n 's|.*/systemd/system/\([^/]*\.service\)$|\1|p'); do
			[[ $unit == *@* ]] || systemctl disable --quiet "$unit" 2>/dev/null || true
		done
	done
}

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
	die "no apt here: only Debian and Ubuntu are covered: install by hand: ${BUILD[*]} $*"

read_installed
missing=()
for spec in "${BUILD[@]}" "$@"; do
	present "$spec" || missing+=("$spec")
done

if ((${#missing[@]})); then
	((EUID == 0)) || die "not root, and missing: ${missing[*]}: run it with sudo"
	own_policy='' log=$(mktemp)
	trap release EXIT
	hold_services
	# the second try is for a machine without package lists, or with old ones
	install_missing || { apt_get update && install_missing; } || {
		tail -20 "$log" >&2
		((${#nowhere[@]} == 0)) || die "no such package: ${nowhere[*]}: Debian 12 or Ubuntu 24.04 (with universe) is needed"
		die "apt-get failed: see above: repair the network or apt, then run it again"
	}
	leave_off "${names[@]}"
fi

pkg-config --atleast-version=$LIBBPF libbpf ||
	die "libbpf $(pkg-config --modversion libbpf) is too old: $LIBBPF is needed: use Debian 12 or Ubuntu 24.04"

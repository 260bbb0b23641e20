# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# To be sourced. What looks to the agent like a Kubernetes pod, without Kubernetes: a process with its
# own network, pid, mount, IPC and host name, in a cgroup named as kubelet names them.
#
# The namespaces have no name anywhere: they end with the last process in them. Nothing is added to
# the host's network. What has to be undone is the cgroups; pod_remove_cgroups does.

POD_CID=			# container id, 64 hex digits
POD_PID=			# on the host: the parent of the pod's process 1; in its network namespace
PEER_PID=			# keeps the network namespace of the pod's clients
POD_CGROUPS=()			# the container's directories, one a hierarchy
POD_ADDRESS=192.0.2.1		# TEST-NET-1 (RFC 5737), inside the two namespaces only
PEER_ADDRESS=192.0.2.2

random_hex() { od -An -N "$(($1 / 2))" -tx1 /dev/urandom | tr -d ' \n'; }

# Tries a command every 50 ms, for at most $1 seconds.
wait_until() {
	local tries=$(($1 * 20))

	shift
	while ! "$@"; do
		((tries-- > 0)) || return 1
		sleep .05
	done
}

# exec of a command in a session of its own, with signals as they are by default; gets signal $1 when
# this shell dies.
own_session() { exec setsid env --default-signal setpriv --pdeathsig "$@" </dev/null 3>&-; }

# One directory for each cgroup hierarchy: v2 alone, or v1 controllers, or both. Not cpuset of v1,
# which takes no process before its CPUs are set.
cgroup_hierarchies() {
	local dir type options seen=' ' device

	while read -r _ dir type options _; do
		[[ $type == cgroup || $type == cgroup2 ]] && [[ ,$options, != *,cpuset,* ]] || continue
		device=$(stat -c %d "$dir")
		[[ $seen != *" $device "* ]] || continue
		seen+="$device "
		echo "$dir"
	done </proc/self/mounts
}

# Makes the container's cgroup of pod $1 in every hierarchy. A kubelet would remove pods it does not
# know: beside one, ours stand under sonde-demo/.
pod_make_cgroups() {
	local uid=$1 hierarchy above=kubepods dir

	for hierarchy in $(cgroup_hierarchies); do
		[[ ! -e $hierarchy/kubepods && ! -e $hierarchy/kubepods.slice ]] || above=sonde-demo/kubepods
	done
	for hierarchy in $(cgroup_hierarchies); do
		dir=$hierarchy/$above/burstable/pod$uid/$POD_CID
		POD_CGROUPS+=("$dir")
		mkdir -p "$dir" 2>/dev/null || return 1
	done
	((${#POD_CGROUPS[@]}))
}

# Each container's directory and those above it that are empty now, up to the hierarchy's own.
pod_remove_cgroups() {
	local dir

	for dir in "${POD_CGROUPS[@]}"; do
		while [[ $dir == */kubepods* || $dir == */sonde-demo ]]; do
			rmdir "$dir" 2>/dev/null || [[ ! -e $dir ]] || break
			dir=${dir%/*}
		done
	done
	for dir in "${POD_CGROUPS[@]}"; do
		[[ ! -e ${dir%/*} ]] || return 1
	done
}

has_own_network() { [[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]; }

# Starts the pod: pod_start HOSTNAME LOGFILE COMMAND...
pod_start() {
	local name=$1 log=$2

	shift 2
	# shellcheck disable=SC2016
	own_session KILL unshare --net --pid --fork --kill-child --mount-proc --uts --ipc -- bash -c '
		cgroups=$1 name=$2; shift 2
		for dir in $cgroups; do echo 0 >"$dir/cgroup.procs" || exit; done
		echo "$name" >/proc/sys/kernel/hostname
		ip link set lo up
		exec env -i PATH=/usr/bin:/bin HOSTNAME="$name" KUBERNETES_SERVICE_HOST=10.96.0.1 KUBERNETES_SERVICE_PORT=443 "$@"
	' pod "${POD_CGROUPS[*]}" "$name" "$@" >"$log" 2>&1 &
	POD_PID=$!
	wait_until 5 has_own_network $POD_PID
}

# Joins the pod with a second namespace, from which clients reach it.
pod_connect() {
	own_session KILL unshare --net sleep infinity &
	PEER_PID=$!
	wait_until 5 has_own_network $PEER_PID || return 1
	nsenter --net="/proc/$POD_PID/ns/net" ip link add eth0 type veth peer name eth0 netns $PEER_PID &&
		in_network $POD_PID "$POD_ADDRESS" &&
		in_network $PEER_PID "$PEER_ADDRESS"
}

in_network() {
	nsenter --net="/proc/$1/ns/net" ip address add "$2/24" dev eth0 &&
		nsenter --net="/proc/$1/ns/net" ip link set eth0 up &&
		nsenter --net="/proc/$1/ns/net" ip link set lo up
}

# Ends all processes of the pod and its peer, and its cgroups. Fails if one of these is left.
pod_stop() {
	local pid

	# the container's own first, so that their parent reaps them
	for pid in $(cat "${POD_CGROUPS[0]}/cgroup.procs"); do kill -KILL "$pid"; done
	wait_until 2 pod_empty && wait_until 2 gone "$POD_PID"
	for pid in $POD_PID $PEER_PID; do
		kill -KILL "$pid"
		wait "$pid"
	done
	wait_until 5 pod_remove_cgroups
}
gone() { ! kill -0 "$1"; }
pod_empty() { [[ -z $(cat "${POD_CGROUPS[0]}/cgroup.procs") ]]; }

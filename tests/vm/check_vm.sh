#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_vm.sh [--write] KERNEL...: tests/bpf and the agent on stock kernels, one virtual machine after the
# other; prints a table, --write puts it into docs/kernel-support.md. Ends like tests/run.sh.
#
# VMTEST is the program that boots one: `VMTEST -t SECONDS KERNEL -- COMMAND...` runs the command in this
# directory on that kernel, passes its output through and exits as it does; 125: the machine did not
# come up (tried once more). BUILD (build): where the programs are. LIMIT (900): seconds a machine may
# take. HARDENED (6.12): the kernel that is run with kptr_restrict=2 and perf_event_paranoid=3.
set -u
cd "$(dirname "$0")/../.." || exit 1
vmtest=${VMTEST:-../shared/kernels/vmtest.sh}
doc=docs/kernel-support.md
write=''; [[ ${1:-} != --write ]] || { write=1; shift; }
logs=$(mktemp -d); trap 'rm -rf "$logs"' EXIT
passed=0 failed=0 rows=''
choices=(sock-length fentry kprobe syscall)

if [[ ! -x $vmtest ]]; then
	echo "skipped: make check-vm: no program that boots a virtual machine: set VMTEST (see tests/vm/check_vm.sh)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi

expected() {	# KERNEL: the choices that must work there
	case $1 in
	5.*) ;;
	6.[0-2]) echo fentry kprobe syscall ;;
	*) echo "${choices[@]}" ;;
	esac
}

boot() {	# KERNEL LOG
	local hardened='' try rc
	[[ $1 != "${HARDENED:-6.12}" ]] || hardened=HARDENED=1
	for try in 1 2; do
		"$vmtest" -t "${LIMIT:-900}" "$1" -- env $hardened BUILD="${BUILD:-build}" tests/vm/guest.sh $(expected "$1") >"$2" 2>"$2.err"; rc=$?
		((rc == 125)) || break
	done
	return $rc
}

cell() {	# what one choice came to, from the log of a kernel
	sed -nE "s/^choice $1: (refused: [a-z]+: )?/\1/p" "$2" | sed -E 's/^refused: [a-z]+: ([^:]*):.*/no: \1/' | tail -1
}

row() {	# KERNEL LOG: one line of the table
	local release auto choice hooks
	release=$(sed -n 's/^kernel //p' "$2")
	auto=$(sed -n 's/^agent auto: //p' "$2" | sed 's/^ok //')
	hooks=$(sed -nE 's/^agent ([a-z-]+): ok .*/\1/p' "$2" | grep -v auto | paste -sd' ')
	printf '| %s%s' "${release:-$1}" "$(grep -q ^hardened "$2" && echo ', hardened')"
	for choice in "${choices[@]}"; do printf ' | %s' "$(cell "$choice" "$2" | grep . || echo -)"; done
	printf ' | %s | %s |\n' "${auto:-did not run}" "${hooks:--}"
}

for kernel; do
	log=$logs/$kernel
	boot "$kernel" "$log"; rc=$?
	p=$(grep -c '^\[       OK \]' "$log") f=$(grep -E '^\[  FAILED  \] [A-Za-z_0-9]+$' "$log" | sort -u | wc -l)
	((rc == 0 || f > 0)) || f=1
	((rc == 0)) || { echo "--- $kernel: exit $rc"; cat "$log" "$log.err"; }
	echo "$kernel: $p passed, $f failed"
	passed=$((passed + p)) failed=$((failed + f))
	rows+=$(row "$kernel" "$log")$'\n'
done

table="| kernel | sock-length | fentry | kprobe | syscall | the agent takes | counts exactly with |
|---|---|---|---|---|---|---|
$rows"
echo; echo "$table"
if [[ $write ]]; then
	awk -v table="$table" '/<!-- \/check-vm -->/ { off = 0 } !off { print } /<!-- check-vm -->/ { printf "%s", table; off = 1 }' \
		"$doc" >"$logs/doc" && cat "$logs/doc" >"$doc"
fi
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))

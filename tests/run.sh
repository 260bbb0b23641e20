#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh KIND PROGRAM...: runs test programs and ends with `N passed, N failed, N skipped`.
#
#   unit  cmocka programs: every [ OK ], [ FAILED ] and [ SKIPPED ] line is one test
#   fuzz  libFuzzer programs: one test each, $FUZZ_SECONDS long, seeds from tests/fuzz/corpus/NAME,
#         $JOBS of them at a time
#
# Exit: 0 when nothing failed. Output of a failing program is shown whole.
set -u
here=$(cd "$(dirname "$0")" && pwd)
kind=$1; shift
passed=0 failed=0 skipped=0
logs=$(mktemp -d); trap 'rm -rf "$logs"' EXIT

run_fuzz() {
	local name=$1 program=$2 work rc a
	local corpus=$here/fuzz/corpus/${name%_fuzz}
	work=$logs/$name.d; mkdir -p "$work/found"
	"$program" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 \
		-artifact_prefix="$work/" "$work/found" $([[ -d $corpus ]] && echo "$corpus") >"$logs/$name" 2>&1; rc=$?
	for a in "$work"/{crash,leak,timeout,oom}-*; do
		[[ ! -f $a ]] || echo "input: $(base64 -w0 "$a")" >>"$logs/$name"
	done
	echo $rc >"$logs/$name.rc"
}

# cmocka lists what failed or was skipped a second time at its end
count() { grep -E "$1" "$log" | sort -u | wc -l; }

if [[ $kind == fuzz ]]; then
	for program; do
		while (($(jobs -rp | wc -l) >= ${JOBS:-1})); do wait -n; done
		run_fuzz "$(basename "$program")" "$program" &
	done
	wait
fi

for program; do
	name=$(basename "$program") log=$logs/$(basename "$program")
	case $kind in
	unit)
		timeout -k 5 300 "$program" >"$log" 2>&1; rc=$?
		p=$(count '^\[       OK \]') f=$(count '^\[  FAILED  \] [A-Za-z_0-9]+$') s=$(count '^\[  SKIPPED \] [A-Za-z_0-9]+$')
		((rc == 0 || f > 0)) || f=1 	# died without a report
		said="$p passed$( ((s == 0)) || echo ", $s skipped")" ;;
	fuzz)
		rc=$(<"$log.rc") p=$((rc == 0)) f=$((rc != 0)) s=0
		said=$(grep -E '^Done [0-9]+ runs' "$log" | tail -1) ;;
	esac
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if ((rc != 0)); then echo "--- $name: exit $rc"; cat "$log"; else echo "$name: $said"; fi
	grep -hE '^skipped: ' "$log" || true
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))

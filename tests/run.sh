#!/usr/bin/env bash
# run.sh KIND PROGRAM...: runs test programs one by one and ends with `N passed, N failed, N skipped`.
#
#   unit  cmocka programs: every [ OK ], [ FAILED ] and [ SKIPPED ] line is one test
#   fuzz  libFuzzer programs: one test each, $FUZZ_SECONDS long, corpus from tests/fuzz/corpus/NAME
#
# Exit: 0 when nothing failed. Output of a failing program is shown whole.
set -u
kind=$1; shift
passed=0 failed=0 skipped=0
log=$(mktemp); trap 'rm -f "$log"' EXIT

count() { grep -c "$1" "$log" || true; }

for program; do
	name=$(basename "$program")
	case $kind in
	unit)
		"$program" >"$log" 2>&1; rc=$?
		p=$(count '^\[       OK \]') f=$(count '^\[  FAILED  \] [a-z_0-9]*$') s=$(count '^\[  SKIPPED \] [a-z_0-9]*$')
		((rc == 0 || f > 0)) || f=1 	# died without a report
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s)) ;;
	fuzz)
		corpus=$(dirname "$0")/fuzz/corpus/${name%_fuzz} work=$(mktemp -d)
		mkdir -p "$work/found"
		"$program" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 \
			-artifact_prefix="$work/" "$work/found" $([[ -d $corpus ]] && echo "$corpus") >"$log" 2>&1; rc=$?
		if ((rc == 0)); then passed=$((passed + 1)); else
			failed=$((failed + 1)); f=1
			for a in "$work"/{crash,leak,timeout,oom}-*; do [[ -f $a ]] && echo "input: $(base64 -w0 "$a")" >>"$log"; done
		fi
		tail -1 "$log" | sed "s/^/$name: /"; rm -rf "$work" ;;
	esac
	if ((rc != 0)); then echo "--- $name: exit $rc"; cat "$log"; elif [[ $kind == unit ]]; then echo "$name: $p passed"; fi
	grep -hE '^\[  SKIPPED \]|^skipped: ' "$log" || true
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))

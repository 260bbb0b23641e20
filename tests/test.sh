#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh: every part of the tests, one after the other, each even when one before it failed.
# Ends with the sum of their results, `N passed, N failed, N skipped`; exit 0 when nothing failed.
set -u
cd "$(dirname "$0")/.." || exit 1
parts=(${PARTS:-lint check check-root check-integration fuzz})
log=$(mktemp); trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0

[[ $EUID == 0 ]] || { echo "sonde: make test: not root: run it with sudo" >&2; exit 1; }
make -j"$(nproc)" --no-print-directory build || exit 1

for part in "${parts[@]}"; do
	start=$SECONDS
	echo "=== make $part"
	make --no-print-directory "$part" 2>&1 | tee "$log"
	rc=${PIPESTATUS[0]}
	read -r p f s < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$log" | tail -1) ||
		{ p=0 f=0 s=0; }
	# a part without such a line is one test; one that failed without saying so has failed
	((p + f + s > 0)) || p=$((rc == 0)) f=$((rc != 0))
	((rc == 0 || f > 0)) || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	echo "=== make $part: $p passed, $f failed, $s skipped in $((SECONDS - start)) s"
done
# what root built belongs to the checkout's owner again
chown -R --reference=Makefile build
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))

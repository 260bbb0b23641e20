#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# guest.sh CHOICE...: what check_vm.sh runs inside the machine, in the checkout, as root. The choices are
# those of the socket source that must work on this kernel; none: the agent must refuse to start.
#
# Beside the tests' own lines, one for each finding:
#   kernel RELEASE
#   choice NAME: ok|failed|refused: WHY	by tests/bpf/socket_test.c
#   agent HOOK: ok TAKEN|failed: WHAT|refused: SENTENCE
set -u
export SONDE_EXPECT="$*"
build=${BUILD:-build}
sonde=$build/sonde
work=$(mktemp -d)
server='' agent='' failed=0
trap 'kill $server $agent 2>/dev/null; rm -rf "$work"' EXIT

# within SECONDS COMMAND...: waits until the command is true
within() {
	local deadline=$((SECONDS + $1)); shift
	until "$@"; do ((SECONDS < deadline)) && sleep 0.2 || return 1; done
}

ok() { echo "[       OK ] agent_${1//-/_}"; echo "agent $1: $2"; }
no() { echo "[  FAILED  ] agent_${1//-/_}"; echo "agent $1: failed: $2"; failed=1; }

harden() {
	echo 2 >/proc/sys/kernel/kptr_restrict
	echo 3 >/proc/sys/kernel/perf_event_paranoid
	echo "hardened: kptr_restrict $(</proc/sys/kernel/kptr_restrict), perf_event_paranoid $(</proc/sys/kernel/perf_event_paranoid)"
}

# A kernel below the floor: one sentence, exit 77.
expect_refusal() {
	local rc
	timeout 60 $sonde agent --listen 127.0.0.1:9464 >"$work/out" 2>&1; rc=$?
	if ((rc != 77)); then no auto "exit $rc, not 77: $(tail -1 "$work/out")"
	elif [[ $(wc -l <"$work/out") != 1 ]]; then no auto "not one sentence"
	elif ! grep -q '^sonde: kernel .*: too old: ' "$work/out"; then no auto "not why: $(<"$work/out")"
	else ok auto "refused: $(<"$work/out")"
	fi
}

# --- the agent, a server, a client ---------------------------------------------------------------
answers() { curl -sf -o /dev/null "http://127.0.0.1:$1"; }

counts() {	# PORT: how many GET 200, GET 404, POST 501 were counted
	curl -sf "http://127.0.0.1:$1/metrics" | awk '
		/^http_server_request_duration_seconds_count\{/ {
			match($0, /request_method="[A-Z]+"/); method = substr($0, RSTART + 16, RLENGTH - 17)
			match($0, /status_code="[0-9]+"/); n[method " " substr($0, RSTART + 13, RLENGTH - 14)] += $NF
		}
		END { for (key in n) print key ": " n[key] }' | sort | paste -sd,
}
want='GET 200: 20,GET 404: 5,POST 501: 3'
counted() { [[ $(counts "$1") == "$want" ]]; }

request() {	# PORT: what `want` says; the first ten by one client process
	local url=http://127.0.0.1:$1/ i
	curl -s $(for i in {1..10}; do echo "$url"; done) >/dev/null
	for i in {1..10}; do curl -s -o /dev/null "$url"; done
	for i in {1..5}; do curl -s -o /dev/null "${url}missing"; done
	for i in {1..3}; do curl -s -o /dev/null -d x=1 "$url"; done
}

start_server() {	# PORT
	mkdir -p "$work/www"; echo hello >"$work/www/index.html"
	python3 -m http.server --bind 127.0.0.1 --directory "$work/www" "$1" >/dev/null 2>&1 & server=$!
	within 60 answers "$1"
}

end_server() { kill $server; wait $server 2>/dev/null; server=''; }

try_agent() {	# HOOK
	local port=$((20000 + RANDOM % 5000)) metrics=$((26000 + RANDOM % 5000)) rc why=''
	start_server $port || { no "$1" "the server did not start"; return; }
	$sonde agent --pid $server --socket-hook "$1" --listen 127.0.0.1:$metrics >"$work/log" 2>&1 & agent=$!
	if within 120 answers $metrics/readyz; then
		request $port
		within 60 counted $metrics || why="counted $(counts $metrics), not $want"
	else
		why="not ready: $(tail -1 "$work/log")"
	fi
	kill -TERM $agent; wait $agent; rc=$?; agent=''
	((rc == 0)) || why=${why:-exit $rc at SIGTERM}
	end_server
	if [[ $why ]]; then cat "$work/log"; no "$1" "$why"
	else ok "$1" "ok $(sed -n 's/^sonde: source socket: choice \([a-z-]*\)$/\1/p' "$work/log")"
	fi
}

echo "kernel $(uname -r)"
[[ ! ${HARDENED:-} ]] || harden
if (($# == 0)); then
	expect_refusal
else
	$build/bpf-tests/process_test 2>&1 || failed=1
	$build/bpf-tests/socket_test 2>&1 || failed=1
	for hook in auto "$@"; do try_agent "$hook"; done
fi
exit $failed

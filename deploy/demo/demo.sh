#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh [SECONDS]: Sonde at work on an unmodified server (`make run`).
#
# Starts hello in a pod (pod.sh), the agent watching that pod, and a bounded load; shows `sonde top`
# until SECONDS are over, or Ctrl-C, or SIGTERM; then compares what the load generator made with what
# the agent counted, and takes everything down. Exit 0 only if both counts are equal, the agent
# ended with 0, and nothing is left behind.
# From the environment: BUILD (build), RATE (200 requests/s), PORT (9464, or the next free one).
set -u
here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(realpath -m "${BUILD:-$here/../../build}")
RATE=${RATE:-200}
PORT=${PORT:-9464}
duration=${1:-0}		# s; 0: until a signal
. "$here/pod.sh"

agent=0 load=0 top=0		# pids; 0: not running
status=0

exec 3>&2			# stderr, whatever take_down does to 2
say() { echo "sonde: make run: $*" >&3; }
fail() { say "$@"; exit 1; }
last_words() { tail -20 "$1" >&3; }
running() { (($1)) && kill -0 "$1" 2>/dev/null; }
get() { curl -sf --max-time 2 "http://127.0.0.1:$PORT$1"; }

# A signal came (see the end of this file), or its taker was killed.
stopping() { [[ -e $work/stop ]] || ! kill -0 $$ 2>/dev/null; }

# Waits at most 10 s for a command; $1: what did not happen, $2: the log that may tell why.
expect() {
	local complaint=$1 log=$2

	shift 2
	wait_until 10 "$@" || { last_words "$log"; fail "$complaint: its last words are above"; }
	! stopping || exit 0
}

# SIGTERM until the process is gone: before its program runs, the signal is ignored. Returns its exit code.
end() {
	wait_until 15 refuses_term "$1" || { kill -KILL "$1"; say "process $1 did not end on SIGTERM: killed"; }
	wait "$1"
}
refuses_term() { ! kill "$1" 2>/dev/null; }

check_machine() {
	local tool

	((EUID == 0)) || fail "not root: namespaces, cgroups and BPF need it: run it with sudo"
	[[ $duration =~ ^[0-9]+$ ]] || fail "SECONDS=$duration: not a whole number: use make run SECONDS=20"
	for tool in ip nsenter unshare setpriv curl; do
		command -v $tool >/dev/null || fail "no $tool: needed for the demo's pod: run make deps"
	done
	for tool in sonde demo/hello demo/load; do
		[[ -x $BUILD/$tool ]] || fail "no $BUILD/$tool: not built: use make run"
	done
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }

pick_port() {
	local wanted=$PORT

	while port_taken; do
		((++PORT < wanted + 100)) || fail "no free port from $wanted on: give one with PORT="
	done
	((PORT == wanted)) || echo "port $wanted is taken: using $PORT"
}

start_pod() {
	POD_CID=$(random_hex 64)
	pod_make_cgroups "$(cat /proc/sys/kernel/random/uuid)" ||
		fail "cannot make a cgroup under ${POD_CGROUPS[-1]:-/sys/fs/cgroup}: not mounted, or read-only: not in an unprivileged container"
	pod_start hello-7d4b9c8f6d-x2x4q "$work/hello.log" "$BUILD/demo/hello" :8080 ||
		fail "cannot make the pod's namespaces: $(cat "$work/hello.log")"
	expect "hello did not start" "$work/hello.log" hello_listens
	pod_connect || fail "cannot join the pod's network with veth: is the kernel module veth there?"
}

hello_listens() { grep -q '^listening' "$work/hello.log"; }

start_agent() {
	own_session TERM "$BUILD/sonde" agent --listen "127.0.0.1:$PORT" --container "${POD_CID:0:12}*" >"$work/agent.log" 2>&1 &
	agent=$!
	expect "the agent did not get ready" "$work/agent.log" ready_or_gone
	running $agent || { last_words "$work/agent.log"; fail "the agent did not start: see above"; }
}
ready_or_gone() { get /readyz >/dev/null || ! running $agent; }

start_load() {
	own_session TERM nsenter --net="/proc/$PEER_PID/ns/net" \
		"$BUILD/demo/load" -seconds "$duration" -rate "$RATE" "http://$POD_ADDRESS:8080" \
		>"$work/load.json" 2>"$work/load.log" &
	load=$!
	expect "the load generator did not start" "$work/load.log" grep -q '^running' "$work/load.log"
}

show_top() { exec "$BUILD/sonde" top --url "http://127.0.0.1:$PORT" "$@"; }

# A live table; a block every 2 s where there is no terminal.
watch_it() {
	if [[ -t 1 ]]; then show_top <&0 & else show_top --interval 2s & fi
	top=$!
	while ! stopping && running $load && running $agent; do
		sleep .2
	done
	stop_top
	running $agent || { last_words "$work/agent.log"; fail "the agent ended by itself: its last words are above"; }
}

stop_top() {
	((top == 0)) || end $top
	top=0
}

stop_load() {
	((load == 0)) || end $load
	load=0
}

# Requests the agent counted on the server side, all series together.
counted() { get /metrics | awk '/^http_server_request_duration_seconds_count[{ ]/ { n += $NF } END { printf "%d\n", n }'; }
made() { sed -n 's/.*"requests":\([0-9]*\).*/\1/p' "$work/load.json"; }
counts_equal() { [[ $(counted) == "$(made)" ]]; }

compare() {
	local equal="NOT equal"

	stop_load
	[[ -n $(made) ]] || { last_words "$work/load.log"; fail "the load generator left no count: see above"; }
	grep -q '"failed":0,' "$work/load.json" || { last_words "$work/load.json"; status=1; }
	if wait_until 10 counts_equal; then equal=equal; else status=1 && last_words "$work/agent.log"; fi
	(show_top --once)
	echo "the load generator made $(made) requests, sonde counted $(counted): $equal"
}

stop_agent() {
	local result

	((agent)) || return 0
	end $agent
	result=$?
	agent=0
	((result == 0)) || { last_words "$work/agent.log"; say "the agent ended with $result"; status=1; }
}

# What of ours, or of the kernel file systems an agent may mount, is mounted.
mounts() { awk '$3 == "tracefs" || $3 == "bpf" || /sonde-demo/ { print $2, $3 }' /proc/self/mounts; }
pins() { ls -d /sys/fs/bpf/sonde* 2>/dev/null; }

# Nothing may be left: processes, cgroups (pod_stop says), mounts, pins, network, files.
check_clean() {
	local left pid

	left=$({
		for pid in $started; do running "$pid" && echo "process $pid"; done
		diff <(echo "$mounts_before") <(mounts) | sed -n 's/^> /mount /p'
		diff <(echo "$pins_before") <(pins) | sed -n 's/^> /pin /p'
		ls -d "$work" 2>/dev/null
	})
	[[ -z $left ]] || { say "left behind: $left"; status=1; }
}

take_down() {
	((status |= $?))
	started="$top $load $agent ${POD_PID:-0} ${PEER_PID:-0}"
	stop_top
	stop_load
	stop_agent
	exec 2>/dev/null		# bash would tell of every process that is killed
	pod_stop || { say "left behind: ${POD_CGROUPS[*]}"; status=1; }
	rm -rf "$work"
	check_clean
	exit "$status"
}

demo() {
	trap '' INT TERM HUP
	trap take_down EXIT
	mounts_before=$(mounts) pins_before=$(pins)
	check_machine
	pick_port
	start_pod
	start_agent
	start_load
	echo "hello: an unmodified Go server in container ${POD_CID:0:12}; $RATE requests/s on it"
	echo "metrics: http://127.0.0.1:$PORT/metrics"
	watch_it
	compare
}

# bash can lose a signal that comes while it reads a $( ). So the demo ignores signals; this process
# takes them, does nothing else, and tells by a file.
work=$(mktemp -d "${TMPDIR:-/tmp}/sonde-demo.XXXXXX") || exit 1
trap '[[ ! -d $work ]] || : >"$work/stop"' INT TERM HUP
demo <&0 &
while :; do
	wait $!
	status=$?
	((status > 128)) && kill -0 $! 2>/dev/null || exit "$status"
done

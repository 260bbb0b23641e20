#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_k8s.sh: the agent as deploy/kubernetes/sonde.yaml on a real Kubernetes (`make check-k8s`).
#
# Two unmodified hello pods behind a Service; another pod sends them a known number of requests
# through it. The agent must have counted exactly these, each under the container id that the API
# server reports, and nothing may be left on the machine.
#
# The cluster comes from $SONDE_K8S/cluster.sh, which knows `up`, `down`, `kubectl ...` and `image
# NAME:TAG ENTRYPOINT FILE[=DEST]...`; without it everything is skipped. A cluster that is up already
# is used and left up. From the environment: BUILD (build), REQUESTS (2000).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
SONDE_K8S=${SONDE_K8S:-$top/../shared/backends/k8s}
BUILD=${BUILD:-$top/build}
REQUESTS=${REQUESTS:-2000}
ROUTE=/				# the counted one; readiness probes ask for /ready
passed=0 failed=0 skipped=0
work=
own_cluster=

cluster() { "$SONDE_K8S/cluster.sh" "$@" 3>&-; }
kubectl() { cluster kubectl "$@"; }

pass() { echo "ok: $*"; ((++passed)); }
fail() { echo "FAILED: $*"; ((++failed)); }
check() { local what=$1; shift; if "$@"; then pass "$what"; else fail "$what"; fi; }

finish() {
	[[ -z $work ]] || rm -rf "$work"
	echo "$passed passed, $failed failed, $skipped skipped"
	exit $((failed > 0))
}
skip() { echo "skipped: $*"; skipped=1; finish; }
give_up() { fail "$*"; exit; }
interrupted() { exec >&3; give_up "not interrupted"; }	# whatever stdout is at that moment

# Tries a command every 250 ms, for at most $1 seconds.
wait_until() {
	local tries=$(($1 * 4))

	shift
	while ! "$@"; do
		((tries-- > 0)) || return 1
		sleep .25
	done
}

# --- what the machine has, to see what was left ------------------------------------------------
remains() {
	local pid exe

	ls -d /run/netns/* 2>/dev/null
	find /sys/fs/cgroup -type d -name 'kubepods*' 2>/dev/null
	awk '{ print "mount", $2 }' /proc/self/mounts
	for pid in /proc/[0-9]*; do
		exe=$(readlink "$pid/exe") || continue
		case ${exe##*/} in etcd | kubeall | containerd* | runc | pause) echo "process ${pid#/proc/} $exe" ;; esac
	done
}

# The cgroups kubelet made stay when it ends, empty.
remove_cgroups() {
	find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -delete 2>/dev/null
	[[ -z $(find /sys/fs/cgroup -type d -name 'kubepods*' 2>/dev/null) ]]
}

nothing_left() {
	remains >"$work/after"
	diff "$work/before" "$work/after" | grep '^>' >"$work/left"
	[[ ! -s $work/left ]]
}

take_down() {
	trap '' INT TERM HUP
	if ((failed)); then diagnose; fi
	kubectl delete namespace sonde sonde-check --wait --timeout=60s >/dev/null 2>&1
	if [[ -n $own_cluster ]]; then
		cluster down >"$work/down.log" 2>&1
		wait_until 10 remove_cgroups
		wait_until 10 nothing_left
		check "nothing is left: network namespaces, cgroups, mounts, processes" nothing_left
		cat "$work/left"
	fi
	finish
}

# What a person needs to see when something failed.
diagnose() {
	echo "--- pods"; kubectl get pods -A -o wide
	echo "--- agent"; kubectl -n sonde logs daemonset/sonde --tail=30
	kubectl -n sonde describe pods | tail -15
	echo "--- metrics of the check"; grep -E '^(http_|target_info)' "$work/metrics" 2>/dev/null | grep -v _bucket | head -40
}

# --- images ------------------------------------------------------------------------------------
# The program and every shared library of it, at their own paths.
with_libraries() {
	local library

	echo "$1=$2"
	for library in $(ldd "$1" | grep -o '/[^ ]*'); do echo "$(realpath "$library")=$library"; done
}

make_images() {
	# shellcheck disable=SC2046
	cluster image localhost/sonde:dev /usr/bin/sonde $(with_libraries "$BUILD/sonde" /usr/bin/sonde) &&
		cluster image localhost/sonde-hello:dev /hello "$BUILD/demo/hello=/hello" &&
		cluster image localhost/sonde-load:dev /load "$BUILD/demo/load=/load"
}

# --- what runs in the cluster ------------------------------------------------------------------
deploy_hello() {
	kubectl apply -f - <<-'Y' >/dev/null && kubectl -n sonde-check rollout status deployment/hello --timeout=60s
	apiVersion: v1
	kind: Namespace
	metadata: {name: sonde-check}
	---
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: hello, namespace: sonde-check}
	spec:
	  replicas: 2
	  selector: {matchLabels: {app: hello}}
	  template:
	    metadata: {labels: {app: hello}}
	    spec:
	      terminationGracePeriodSeconds: 1
	      containers:
	      - name: hello
	        image: localhost/sonde-hello:dev
	        imagePullPolicy: Never
	        ports: [{containerPort: 8080}]
	        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
	---
	apiVersion: v1
	kind: Service
	metadata: {name: hello, namespace: sonde-check}
	spec: {selector: {app: hello}, ports: [{port: 80, targetPort: 8080}]}
	Y
}

# The manifest as it is delivered, with the image just made.
deploy_agent() {
	sed 's|^\( *\)image: sonde:.*|\1image: localhost/sonde:dev\n\1imagePullPolicy: Never|' "$top/deploy/kubernetes/sonde.yaml" |
		kubectl apply -f - >/dev/null && kubectl -n sonde rollout status daemonset/sonde --timeout=60s
}

run_client() {
	local address

	address=$(kubectl -n sonde-check get service hello -o 'jsonpath={.spec.clusterIP}')
	kubectl apply -f - <<-Y >/dev/null && kubectl -n sonde-check wait --for=jsonpath='{.status.phase}'=Succeeded pod/client --timeout=120s
	apiVersion: v1
	kind: Pod
	metadata: {name: client, namespace: sonde-check}
	spec:
	  restartPolicy: Never
	  containers:
	  - name: load
	    image: localhost/sonde-load:dev
	    imagePullPolicy: Never
	    args: ["-requests", "$REQUESTS", "-rate", "400", "-path", "$ROUTE", "http://$address:80"]
	Y
}

container_ids() {	# LABEL OR POD...
	kubectl -n sonde-check get pods "$@" -o 'jsonpath={range ..status.containerStatuses[*]}{.containerID}{"\n"}{end}' |
		sed 's|^containerd://||'
}

metrics() {
	local pod

	pod=$(kubectl -n sonde get pods -l app.kubernetes.io/name=sonde -o 'jsonpath={.items[0].metadata.name}') &&
		kubectl get --raw "/api/v1/namespaces/sonde/pods/$pod:9464/proxy/metrics"
}

# Sum of histogram counts of $1 (server or client) for the route under one container id; all for "".
# From the latest scrape.
counted() {
	awk -v name="^http_$1_request_duration_seconds_count[{]" -v id="${2:+container_id=\"$2\"}" -v route="http_route=\"$ROUTE\"" '
		$0 ~ name && index($0, id) && (name ~ /client/ || index($0, route)) { n += $NF }
		END { printf "%d\n", n }' "$work/metrics"
}

counts() {
	local id n

	metrics >"$work/metrics"
	server=0 per_id=()
	for id in $ids; do
		n=$(counted server "$id")
		per_id+=("$n")
		((server += n))
	done
}
counts_equal() { counts; ((server == made)); }

# --- main --------------------------------------------------------------------------------------
exec 3>&1
trap interrupted INT TERM HUP
[[ -x $SONDE_K8S/cluster.sh ]] || skip "no Kubernetes here: SONDE_K8S=$SONDE_K8S has no cluster.sh"
((EUID == 0)) || skip "not root: the cluster needs namespaces and cgroups: run it with sudo"
for program in sonde demo/hello demo/load; do
	[[ -x $BUILD/$program ]] || { fail "no $BUILD/$program: run it by make check-k8s"; finish; }
done

work=$(mktemp -d)
remains >"$work/before"
[[ -e /run/netns/kube ]] || own_cluster=1
trap take_down EXIT

make_images >"$work/images.log" 2>&1 || { cat "$work/images.log"; give_up "images of the agent, hello and the client are made"; }
[[ -z $own_cluster ]] || cluster up >"$work/up.log" 2>&1
kubectl get nodes | grep -q ' Ready' || { tail -5 "$work/up.log"; give_up "a Kubernetes node is ready"; }
deploy_hello || give_up "two hello pods are ready"
deploy_agent || give_up "the agent's DaemonSet is ready: a source is attached"
pass "the agent's DaemonSet is ready: a source is attached"
run_client || give_up "the client pod ends well"

ids=$(container_ids -l app=hello)
made=$(kubectl -n sonde-check logs client | sed -n 's/.*"requests":\([0-9]*\).*/\1/p')
check "the client made $REQUESTS requests: $made" test "$made" = "$REQUESTS"
check "two container ids are reported by the API server" test "$(wc -w <<<"$ids")" = 2
wait_until 15 counts_equal
check "the agent counted as many on the server side: ${per_id[*]}" counts_equal
check "each hello pod has its own count" test "${per_id[0]:-0}" -gt 0 -a "${per_id[1]:-0}" -gt 0
check "none was counted elsewhere" test "$(counted server '')" = "$made"
check "the agent counted as many on the client side, under the client's container id" \
	test "$(counted client "$(container_ids client)")" = "$made"

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container ids out of cgroup paths. A path is taken apart at `/`, and at `:` too (containerd
 * names a cgroup SLICE:cri-containerd:ID when kubelet uses systemd and it does not); then each
 * piece is looked at from the root to the leaf, and the last container met is the innermost:
 *
 *   kubelet, cgroupfs	/kubepods/burstable/pod<uid>/<id>
 *   kubelet, systemd	/kubepods.slice/kubepods-burstable.slice/
 *				kubepods-burstable-pod<u_i_d>.slice/cri-containerd-<id>.scope
 *   Docker		/docker/<id>   /system.slice/docker-<id>.scope
 *   Podman		/machine.slice/libpod-<id>.scope/container   /libpod_parent/libpod-<id>
 *   CRI-O		.../crio-<id>.scope   .../crio-<id>
 *   Amazon ECS		/ecs/<task>/<id>
 *
 * conmon, the monitor of CRI-O and Podman, sits in a cgroup with its container's id but outside of
 * the container.
 */
#include "discover/container.h"

#include <errno.h>

struct walk {
	struct container found;
	char pod_uid[CONTAINER_POD_LEN + 1];	/* the last met; counts for containers below it */
	struct bytes before;	/* the piece before this one */
	unsigned depth;		/* containers met */
	bool ecs;		/* below /ecs */
};

static const struct {
	struct bytes prefix;	/* of the id, without its dash */
	enum container_runtime runtime;
} prefixes[] = {
	{ BYTES("cri-containerd"), RUNTIME_CONTAINERD },
	{ BYTES("containerd"), RUNTIME_CONTAINERD },
	{ BYTES("nerdctl"), RUNTIME_CONTAINERD },
	{ BYTES("crio"), RUNTIME_CRIO },
	{ BYTES("docker"), RUNTIME_DOCKER },
	{ BYTES("libpod"), RUNTIME_PODMAN },
	{ BYTES("libpod-payload"), RUNTIME_PODMAN },	/* --cgroups=split */
};

/* Runtimes write digits in lower case; anything else is somebody else's name. */
static bool is_hex(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

static bool is_id(struct bytes b)
{
	return b.len == CONTAINER_ID_LEN && is_hex(b);
}

/* The runtime that marks its ids with `prefix`; -ENOENT for unknown ones. */
static int runtime_of_prefix(struct bytes prefix, enum container_runtime *ret_runtime)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (bytes_equal(prefix, prefixes[i].prefix)) {
			*ret_runtime = prefixes[i].runtime;
			return 0;
		}
	}
	return -ENOENT;
}

static void enter_container(struct walk *walk, struct bytes id, enum container_runtime runtime)
{
	memcpy(walk->found.id, id.at, CONTAINER_ID_LEN);
	memcpy(walk->found.pod_uid, walk->pod_uid, sizeof(walk->pod_uid));
	walk->found.runtime = runtime;
	walk->depth++;
}

/* A bare id: what it is, the piece before it says. */
static void visit_id(struct walk *walk, struct bytes id)
{
	enum container_runtime runtime = RUNTIME_UNKNOWN;

	if (bytes_equal(walk->before, BYTES("libpod_parent")))
		return;				/* a Podman pod; its containers are below */
	if (walk->ecs)
		runtime = RUNTIME_ECS;
	else
		runtime_of_prefix(walk->before, &runtime);
	enter_container(walk, id, runtime);
}

/* PREFIX-ID or PREFIX-ID.scope. The prefixes of monitors are not in the table. */
static void visit_prefixed(struct walk *walk, struct bytes piece)
{
	enum container_runtime runtime;
	struct bytes id, prefix;

	if (bytes_end_with(piece, BYTES(".scope")))
		piece.len -= sizeof(".scope") - 1;
	if (piece.len < CONTAINER_ID_LEN + 2)
		return;
	prefix = bytes_first(piece, piece.len - CONTAINER_ID_LEN - 1);
	id = bytes_skip(piece, prefix.len + 1);
	if (piece.at[prefix.len] != '-' || !is_id(id))
		return;
	if (!runtime_of_prefix(prefix, &runtime))
		enter_container(walk, id, runtime);
}

/* `uid` with dashes (or systemd's underscores in their place), or 32 digits. False: neither. */
static bool copy_pod_uid(struct bytes uid, char to[CONTAINER_POD_LEN + 1])
{
	char text[CONTAINER_POD_LEN + 1] = "";

	if (uid.len != CONTAINER_POD_LEN && uid.len != 32)
		return false;
	for (size_t i = 0; i < uid.len; i++) {
		bool dash = uid.len == CONTAINER_POD_LEN &&
			    (i == 8 || i == 13 || i == 18 || i == 23);

		if (dash ? uid.at[i] != '-' && uid.at[i] != '_' : !is_hex(bytes_of(uid.at + i, 1)))
			return false;
		text[i] = dash ? '-' : (char)uid.at[i];
	}
	memcpy(to, text, sizeof(text));
	return true;
}

/* The last `-pod` of a slice's name: what comes before it is the class, `kubepods-burstable`. */
static struct bytes uid_of_slice(struct bytes slice)
{
	struct bytes rest = slice, uid = { 0 };
	ssize_t at;

	while ((at = bytes_find(rest, BYTES("-pod"))) >= 0) {
		rest = bytes_skip(rest, (size_t)at + 4);
		uid = rest;
	}
	return uid;
}

static bool visit_pod(struct walk *walk, struct bytes piece)
{
	if (bytes_start_with(piece, BYTES("pod")))
		return copy_pod_uid(bytes_skip(piece, 3), walk->pod_uid);
	if (!bytes_end_with(piece, BYTES(".slice")))
		return false;
	piece.len -= sizeof(".slice") - 1;
	return copy_pod_uid(uid_of_slice(piece), walk->pod_uid);
}

static void visit(struct walk *walk, struct bytes piece)
{
	if (bytes_equal(piece, BYTES("ecs")))
		walk->ecs = true;
	else if (is_id(piece))
		visit_id(walk, piece);
	else if (!visit_pod(walk, piece))
		visit_prefixed(walk, piece);
	walk->before = piece;
}

static struct walk walk_path(struct bytes path)
{
	struct walk walk = { 0 };
	size_t start = 0;

	for (size_t i = 0; i <= path.len; i++) {
		if (i < path.len && path.at[i] != '/' && path.at[i] != ':')
			continue;
		if (i > start)
			visit(&walk, bytes_of(path.at + start, i - start));
		start = i + 1;
	}
	return walk;
}

int container_of_cgroup_path(struct bytes path, struct container *ret)
{
	struct walk walk = walk_path(path);

	if (!walk.depth)
		return -ENOENT;
	*ret = walk.found;
	return 0;
}

/* What follows `ID:CONTROLLERS:` of a line (proc_pid_cgroup(5)); no bytes when malformed. */
static struct bytes path_of_line(struct bytes line)
{
	for (int colons = 0; colons < 2; colons++) {
		ssize_t at = bytes_index(line, ':');

		if (at < 0)
			return (struct bytes){ 0 };
		line = bytes_skip(line, (size_t)at + 1);
	}
	return line;
}

static bool is_better(const struct walk *walk, const struct walk *best)
{
	if (walk->depth != best->depth)
		return walk->depth > best->depth;
	return walk->depth && walk->found.pod_uid[0] && !best->found.pod_uid[0];
}

int container_of_proc_cgroup(struct bytes text, struct container *ret)
{
	struct walk best = { 0 };

	while (text.len) {
		ssize_t end = bytes_index(text, '\n');
		struct bytes line = end < 0 ? text : bytes_first(text, (size_t)end);
		struct walk walk = walk_path(path_of_line(line));

		if (is_better(&walk, &best))
			best = walk;
		text = bytes_skip(text, line.len + 1);
	}
	if (!best.depth)
		return -ENOENT;
	*ret = best.found;
	return 0;
}

int container_of_names(const char names[PROCESS_PARENTS][PROCESS_CGROUP_LEN],
		       struct container *ret)
{
	char path[PROCESS_PARENTS * (PROCESS_CGROUP_LEN + 1)];
	size_t len = 0;

	for (int i = PROCESS_PARENTS - 1; i >= 0; i--) {
		size_t name_len = strnlen(names[i], PROCESS_CGROUP_LEN);

		path[len++] = '/';
		memcpy(path + len, names[i], name_len);
		len += name_len;
	}
	return container_of_cgroup_path(bytes_of(path, len), ret);
}

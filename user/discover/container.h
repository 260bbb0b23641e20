/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which container is a process in? From the names of its cgroups alone: pure, no I/O, input may
 * be hostile (a container with a cgroup tree of its own chooses names).
 */
#ifndef SONDE_DISCOVER_CONTAINER_H
#define SONDE_DISCOVER_CONTAINER_H

#include "base/bytes.h"
#include "event/process.h"

#define CONTAINER_ID_LEN 64	/* hexadecimal digits, lower case */
#define CONTAINER_POD_LEN 36	/* RFC 9562 text form; static pods: 32 digits, without dashes */

enum container_runtime {
	RUNTIME_UNKNOWN,	/* kubelet's cgroupfs driver does not tell */
	RUNTIME_CONTAINERD,
	RUNTIME_CRIO,
	RUNTIME_DOCKER,
	RUNTIME_PODMAN,
	RUNTIME_ECS,
};

struct container {
	char id[CONTAINER_ID_LEN + 1];
	char pod_uid[CONTAINER_POD_LEN + 1];	/* empty: not in a Kubernetes pod */
	enum container_runtime runtime;
};

/*
 * The innermost container of a path, as /proc/PID/cgroup shows it after the second colon. Returns
 * 0, or -ENOENT: not in a container (or in the monitor process of one), *ret untouched.
 */
int container_of_cgroup_path(struct bytes path, struct container *ret);

/*
 * The whole text of /proc/PID/cgroup: v1, v2 or both (a hybrid host's `0::/` says nothing while
 * its v1 lines do): the line with the deepest nesting wins, then one that tells the pod, then the
 * first.
 */
int container_of_proc_cgroup(struct bytes text, struct container *ret);

/*
 * The same from a kernel event, for a process that was gone before /proc could be read. A name as
 * long as the event's field was cut: containerd's `SLICE:cri-containerd:ID` form (cgroup v1 only)
 * is too long for it and yields -ENOENT.
 */
int container_of_names(const char names[PROCESS_PARENTS][PROCESS_CGROUP_LEN],
		       struct container *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Is a process to be watched? The configuration's decision about one process. Pure. */
#ifndef SONDE_DISCOVER_SELECT_H
#define SONDE_DISCOVER_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

struct select_subject {
	uint32_t tgid;
	bool of_listed_pid;		/* one of its ancestors is in the list of pids */
	const char *exe;		/* path; empty: unknown, base_name decides */
	const char *base_name;		/* of the executable; of a process that is gone: its comm */
	const char *container_id;	/* empty: none is known */
	bool in_container;		/* by its cgroup or its pid namespace */
	bool kernel_thread;
};

struct select_verdict {
	bool selected;
	uint16_t flags;			/* enum target_flag: TARGET_BY_PORT or 0 */
};

/*
 * Never: a kernel thread, the agent (`self_tgid`), another `sonde`, an excluded executable. Else,
 * with a list of executables, pids, containers or ports given: what is in one of them; with only
 * ports left to match, every process, its connections by port. With no list: by `select`, where
 * AUTO is containers only when the agent itself is in one, else everything.
 */
struct select_verdict select_process(const struct config *config,
				     const struct select_subject *subject, uint32_t self_tgid,
				     bool self_in_container);

/* Is it in the list of pids? */
bool select_pid(const struct config *config, uint32_t tgid);

/* Can only processes in containers be selected? Then others need not be watched meanwhile. */
bool select_containers_only(const struct config *config, bool self_in_container);

#endif

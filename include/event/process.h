/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Source `process`: which processes come and go, and which of them are watched.
 * Out of bpf/process.bpf.c through the control ring; read by user/source/process.c.
 */
#ifndef SONDE_EVENT_PROCESS_H
#define SONDE_EVENT_PROCESS_H

#include "event/event.h"

#define PROCESS_COMM_LEN 16
#define PROCESS_CGROUP_LEN 128	/* NAME_MAX of a cgroup is 255; container runtimes use at most 90 */
#define PROCESS_PARENTS 3	/* cgroup names from the leaf up: container, pod, class */

/* EVENT_EXEC, EVENT_FORK (of the new process; threads make none), EVENT_EXIT (of the last thread) */
struct process_event {
	struct event event;	/* tgid: the process; tid: its leader */
	__u64 start_ns;		/* CLOCK_BOOTTIME; with tgid the identity of a process */
	__u32 parent_tgid;
	__u32 pid_ns_level;	/* 0: the initial pid namespace; above: surely a container */
	__s32 exit_code;	/* EVENT_EXIT: as wait(2) gives it */
	__u32 watched;		/* 1: in `targets` when this was written */
	char comm[PROCESS_COMM_LEN];	/* NUL-terminated */
	/* NUL-terminated names of the cgroup and its parents, leaf first; empty: none or root */
	char cgroup[PROCESS_PARENTS][PROCESS_CGROUP_LEN];
};
_Static_assert(sizeof(struct process_event) == 24 + 8 + 16 + 16 + 3 * 128, "no padding");

/* Value of map `targets`, key __u32 tgid: the process is watched. Absent: it is not. */
struct target_entry {
	__u16 flags;		/* enum target_flag */
	__u16 copy_bytes;	/* head bytes of a response to copy, <= SOCKET_RESPONSE_MAX */
};

enum target_flag {
	TARGET_PROVISIONAL = 1,	/* entered by exec or fork, user space has not judged it yet */
	TARGET_BY_PORT = 2,	/* only connections whose server port is in map `ports` */
};

/* Read-only settings of bpf/process.bpf.c, set before load. */
struct process_settings {
	__u32 self_tgid;	/* never watched */
	__u32 watch_new;	/* 1: every new process is watched until user space has judged it */
	__u32 containers_only;	/* 1: provisional only where pid_ns_level > 0 or the cgroup is deep */
	__u32 new_flags;	/* enum target_flag of a provisional entry */
};

#endif

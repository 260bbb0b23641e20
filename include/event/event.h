/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The boundary between kernel and user space: the first bytes of everything in a ring. One
 * struct a kind, never a union of all.
 *
 * Both sides include this; fixed-width kernel types, no padding, host byte order unless said.
 */
#ifndef SONDE_EVENT_EVENT_H
#define SONDE_EVENT_EVENT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum event_kind {
	EVENT_NONE,
	EVENT_EXEC,		/* struct process_event, control ring */
	EVENT_FORK,		/* struct process_event, control ring */
	EVENT_EXIT,		/* struct process_event, control ring */
	EVENT_SOCKET,		/* struct socket_event, data ring */
};

struct event {
	__u16 kind;		/* enum event_kind */
	__u16 cpu;		/* where it was written */
	__u32 size;		/* bytes in use, this header included; <= what the ring holds */
	__u64 time_ns;		/* CLOCK_MONOTONIC, when it was written */
	__u32 tgid, tid;	/* initial pid namespace; 0 where no task is involved */
};
_Static_assert(sizeof(struct event) == 24, "no padding across the boundary");

/*
 * What the kernel side could not deliver, by reason: one slot of the per-CPU array `drops`
 * each. A count is events (records), not bytes.
 */
enum drop {
	DROP_RING_DATA,		/* the data ring was full */
	DROP_RING_CONTROL,	/* the control ring was full */
	DROP_CONN_FULL,		/* no memory or table space for a connection's state */
	DROP_TARGET_FULL,	/* table of watched processes full: a process went unwatched */
	DROP_FAULT,		/* the payload could not be read from user memory: bytes unseen */
	DROP_MAX,
};

#endif

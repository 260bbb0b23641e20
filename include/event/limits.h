/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sizes of what both sides share; those marked * are set from the configuration before load. */
#ifndef SONDE_EVENT_LIMITS_H
#define SONDE_EVENT_LIMITS_H

#define CONTROL_RING_BYTES (128 * 1024)
#define DATA_RING_BYTES (2 * 1024 * 1024)	/* * */
#define TARGETS_MAX 16384			/* * processes watched at a time */
#define CONNS_MAX 65536				/* * connections with state, hash-keyed choices only */
#define UNIX_CONNS_MAX 1024			/* Unix sockets with state, the same choices; oldest forgotten */
#define PORTS_MAX 64				/* ports that select */
#define IGNORED_MAX 4096			/* connections user space gave up, oldest forgotten */
#define CALLS_MAX 16384				/* threads inside a socket call, choice kprobe */
#define MMSG_MAX 256				/* threads inside sendmmsg, oldest forgotten */
#define SENDMMSG_SEEN 8				/* messages of one sendmmsg, choice syscall */
#define SENDMMSG_COUNTED 64			/* ... whose length is known */
#define RESPONSE_COPY_BYTES 1024		/* head bytes copied of a response, unless set otherwise */

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * State of one connection and the record being gathered for it. Lives in socket storage, or, for
 * program types that have none, in a hash by the socket's address.
 *
 * Two CPUs may meet here (one thread reads while another writes): `busy` is taken with an
 * exchange and hardly waited for; who finds it taken still writes a record of its own at once.
 */
#ifndef SONDE_BPF_CONN_H
#define SONDE_BPF_CONN_H

#include "lib/kernel.bpf.h"

#include "event/socket.h"

/* A held request, its tail and a response's head, twice over: see payload_copy(). */
#define CONN_PAYLOAD (SOCKET_HELD_MAX + 2 * SOCKET_RESPONSE_MAX + 2 * SOCKET_TAIL_MAX)

#define CONN_WAITS 64		/* looks at a connection another CPU is at */
#define CONN_SPINS 16		/* looks at a connection another CPU is filling in */

struct conn {
	u32 busy;		/* 1: a CPU is at it */
	u32 tgid;		/* of the last call */
	u32 pos[2];		/* bytes so far by enum socket_dir; where TCP does not count them */
	u32 answered;		/* request position the last response was read up to */
	u32 turn_copied;	/* head bytes copied since the direction last changed */
	u32 used;		/* payload bytes gathered */
	u8 last_dir;
	u8 tcp;			/* positions are TCP's, and the end will be told */
	u8 has_answered;
	u8 joined;		/* bytes had passed before */
	u8 ignored;		/* user space gave up on it */
	u8 reported;		/* its end has been written */
	u8 ending;		/* TCP has ended it, the process has still to read */
	struct socket_event record;
	u8 payload[CONN_PAYLOAD];	/* directly behind the record */
};
_Static_assert(__builtin_offsetof(struct conn, payload) ==
		       __builtin_offsetof(struct conn, record) + sizeof(struct socket_event),
	       "the payload continues the record");

static __always_inline bool conn_take(struct conn *conn)
{
	return !__sync_lock_test_and_set(&conn->busy, 1);
}

/*
 * As conn_take(), but gives the CPU that is there the time it usually needs: about a microsecond. A
 * record written past it would come before the one that is being filled.
 */
__noinline int conn_take_soon(struct conn *conn)
{
	if (!conn)
		return 0;
	for (int i = 0; i < CONN_WAITS; i++) {
		if (!*(volatile u32 *)&conn->busy && conn_take(conn))
			return 1;
	}
	return 0;
}

static __always_inline void conn_give(struct conn *conn)
{
	__sync_lock_test_and_set(&conn->busy, 0);
}

static __always_inline void conn_read_endpoints(struct socket_event *record, const void *socket)
{
	const struct sock_common *sk = socket;

	record->family = BPF_CORE_READ(sk, skc_family);
	record->netns = BPF_CORE_READ(sk, skc_net.net, ns.inum);
	if (record->family == AF_UNIX)
		return;
	record->local_port = BPF_CORE_READ(sk, skc_num);
	record->remote_port = bpf_ntohs(BPF_CORE_READ(sk, skc_dport));
	if (record->family == AF_INET6) {
		BPF_CORE_READ_INTO(&record->local_addr, sk, skc_v6_rcv_saddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&record->remote_addr, sk, skc_v6_daddr.in6_u.u6_addr8);
	} else {
		BPF_CORE_READ_INTO((u32 *)record->local_addr, sk, skc_rcv_saddr);
		BPF_CORE_READ_INTO((u32 *)record->remote_addr, sk, skc_daddr);
	}
}

#endif

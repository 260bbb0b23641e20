/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a socket to its connection: found, or begun where a message begins. Included by socket.bpf.c
 * behind its maps, which it uses.
 */
#ifndef SONDE_BPF_FIND_H
#define SONDE_BPF_FIND_H

#include "lib/emit.bpf.h"

/* Where the state of connections is kept: a constant of each program. */
enum keep { KEEP_STORAGE, KEEP_HASH };

static __always_inline struct conn *hash_find(void *map, u64 key, bool create)
{
	struct conn *conn = bpf_map_lookup_elem(map, &key), *zero;
	u32 none = 0;

	if (conn || !create)
		return conn;
	zero = bpf_map_lookup_elem(&conn_zero, &none);
	if (!zero)
		return NULL;
	bpf_map_update_elem(map, &key, zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, &key);
}

static __always_inline struct conn *conn_find(void *sk, const enum keep keep, bool create)
{
	const struct sock *sock = sk;

	if (keep == KEEP_STORAGE)
		return bpf_sk_storage_get(&storage, sk, 0, create ? BPF_SK_STORAGE_GET_F_CREATE : 0);
	/* nobody tells the end of a Unix socket, and its address is soon another's: inodes are not */
	if (BPF_CORE_READ(sock, __sk_common.skc_family) == AF_UNIX)
		return hash_find(&unix_conns, BPF_CORE_READ(sock, sk_socket, file, f_inode, i_ino), create);
	return hash_find(&conns, (u64)sk, create);
}

/* The peer's FIN has a number of its own, which the read that reaches it counts as received. */
static __always_inline u32 without_fin(u32 received, u32 expected, unsigned long flags)
{
	return received == expected && (flags >> SOCK_DONE & 1) ? received - 1 : received;
}

/* Positions reached in both directions, the call's own bytes included. */
static __always_inline void read_positions(void *sk, const enum keep keep, struct conn *conn,
					   struct moved *moved)
{
	u32 received, sent;

	if (!conn->tcp) {
		u32 *pos = &conn->pos[moved->dir & 1];

		moved->seq = __sync_fetch_and_add(pos, moved->length);
		moved->ack = conn->pos[!(moved->dir & 1)];
		return;
	}
	if (keep == KEEP_STORAGE) {
		struct tcp_sock *tcp = (void *)bpf_skc_to_tcp_sock(sk);

		if (!tcp)
			return;
		received = without_fin(tcp->copied_seq, tcp->rcv_nxt,
				       ((struct sock_common *)tcp)->skc_flags);
		sent = tcp->write_seq;
	} else {
		struct tcp_sock *tcp = sk;

		received = without_fin(BPF_CORE_READ(tcp, copied_seq), BPF_CORE_READ(tcp, rcv_nxt),
				       BPF_CORE_READ((struct sock_common *)sk, skc_flags));
		sent = BPF_CORE_READ(tcp, write_seq);
	}
	if (moved->dir == SOCKET_RX) {
		moved->seq = received - moved->length;
		moved->ack = sent;
	} else {
		moved->seq = sent - moved->length;
		moved->ack = received;
	}
}

static __always_inline bool is_stream(const struct sock *sk, bool *ret_tcp)
{
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	*ret_tcp = family == AF_INET || family == AF_INET6;
	if (*ret_tcp)
		return BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
	return family == AF_UNIX && BPF_CORE_READ(sk, sk_type) == SOCK_STREAM;
}

static __always_inline enum magic peek(const struct moved *moved)
{
	u32 head = 0, n;

	if (!moved->payload.readable)
		return MAGIC_NONE;
	n = copy_magic(&moved->payload, moved->length, &head);
	if (n == MAGIC_BYTES)
		return magic_of(head);
	return n ? magic_of_piece(head & 0xff) : MAGIC_NONE;
}

static __always_inline bool port_selected(const struct sock *sk, bool server)
{
	u16 port = server ? BPF_CORE_READ(sk, __sk_common.skc_num) :
			    bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));

	return bpf_map_lookup_elem(&ports, &port);
}

/*
 * Takes a connection that has just been made, to fill it in. False: another CPU was first, and is
 * done (the id is there) or, after a short wait, is not: the call is lost and counted.
 */
static __always_inline bool conn_take_new(struct conn *conn)
{
	for (int i = 0; i < CONN_SPINS; i++) {
		if (*(volatile u64 *)&conn->record.conn)
			return false;
		if (conn_take(conn)) {
			if (!conn->record.conn)
				return true;
			conn_give(conn);
			return false;
		}
	}
	count_in(&drops, DROP_CONN_FULL);
	return false;
}

/* Had bytes come in before this call? More than it moved: the agent is younger than the connection. */
static __always_inline bool was_used(const void *sk, const struct moved *moved)
{
	const struct tcp_sock *tcp = sk;
	u64 received = BPF_CORE_READ(tcp, bytes_received);

	return received > (moved->dir == SOCKET_RX ? moved->length : 0);
}

/* The state of a connection on which a message begins with this call; else NULL, and no state. */
static __always_inline struct conn *conn_begin(void *socket, const enum keep keep,
					       const struct target_entry *target,
					       const struct moved *moved)
{
	struct sock *sk = socket;
	enum magic magic;
	u32 request_dir;
	struct conn *conn;
	bool tcp;

	if (!is_stream(sk, &tcp))
		return NULL;
	magic = peek(moved);
	if (magic == MAGIC_NONE)
		return NULL;
	request_dir = magic == MAGIC_REQUEST ? moved->dir : !moved->dir;
	if ((target->flags & TARGET_BY_PORT) && !port_selected(sk, request_dir == SOCKET_RX))
		return NULL;

	conn = conn_find(socket, keep, true);
	if (!conn) {
		count_in(&drops, DROP_CONN_FULL);
		return NULL;
	}
	if (!conn_take_new(conn))
		return conn->record.conn ? conn : NULL;
	conn->tcp = tcp;
	conn->joined = tcp && was_used(sk, moved);
	conn->last_dir = 2;		/* neither: the first call begins a turn */
	conn->record.request_dir = request_dir;
	conn_read_endpoints(&conn->record, sk);
	conn->record.conn = (u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
	conn_give(conn);
	if (tcp)
		count_in(&socket_stats, SOCKET_STAT_CONNS);
	return conn;
}

#endif

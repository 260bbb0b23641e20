/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The body that every attach choice shares: one call moved bytes; find its connection, decide
 * what to copy, hold it or let it go. Included by socket.bpf.c behind its maps, which it uses.
 */
#ifndef SONDE_BPF_GATHER_H
#define SONDE_BPF_GATHER_H

#include "lib/emit.bpf.h"
#include "lib/find.bpf.h"

/* How many bytes from the start of this call are worth copying. */
static __always_inline u32 bytes_wanted(struct conn *conn, const struct target_entry *target,
					const struct moved *moved, bool response)
{
	u32 budget = response ? target->copy_bytes : SOCKET_BIG_MAX;

	if (moved->dir != conn->last_dir) {
		conn->turn_copied = 0;
		conn->last_dir = moved->dir;
	}
	if (!moved->payload.readable)
		return 0;
	if (conn->turn_copied && conn->turn_copied + moved->length > budget && peek(moved) != MAGIC_NONE)
		conn->turn_copied = 0;	/* a pipelined message begins with this call */
	if (conn->turn_copied >= budget)
		return 0;
	budget -= conn->turn_copied;
	return moved->length < budget ? moved->length : budget;
}

/* Another call of a body that is not copied: one chunk for all of them. */
static __always_inline bool merge(struct conn *conn, const struct moved *moved)
{
	u32 last = conn->record.chunks - 1;
	struct chunk *chunk;

	if (last >= SOCKET_CHUNKS)
		return false;
	chunk = &conn->record.chunk[last];
	if (chunk->dir != moved->dir || chunk->seq + chunk->len != moved->seq ||
	    chunk->len > 1u << 30 || chunk->flags != moved->flags)
		return false;
	chunk->len += moved->length;
	if (chunk->calls < 0xffff)
		chunk->calls++;
	return true;
}

/* Adds the call to the record, its head (and tail) behind what is there. The connection is taken. */
static __always_inline void append(struct conn *conn, const struct moved *moved, u32 want,
				   bool response)
{
	u32 used = conn->used, slot = conn->record.chunks, head = 0, tail = 0;

	OPAQUE(used);
	if (slot >= SOCKET_CHUNKS || used > SOCKET_HELD_MAX)
		return;			/* flushed before, by the caller */
	if (want)
		head = copy_small(&moved->payload, (void *)(conn->payload + used), want);
	if (head < want)
		count_in(&drops, DROP_FAULT);
	used += head;
	OPAQUE(used);
	if (response && moved->payload.readable && moved->length > head &&
	    used <= SOCKET_HELD_MAX + SOCKET_RESPONSE_MAX)
		tail = copy_tail(&moved->payload, (void *)(conn->payload + used), moved->length,
				 moved->length - head);
	fill_chunk(&conn->record.chunk[slot], moved, head, tail);
	conn->record.chunks = slot + 1;
	conn->used = used + tail;
	conn->turn_copied += head;
}

/*
 * Nobody tells the end of a Unix socket: nothing is held on one. And a sender's hook runs after its
 * bytes left: another thread may have read the response, and reported it, before we get here.
 */
static __always_inline bool must_not_wait(const struct conn *conn, const struct moved *moved)
{
	return !conn->tcp || (conn->has_answered && (s32)(conn->answered - moved->seq) > 0);
}

/* A request is held for its response, a response goes out at once. The connection is taken. */
static __always_inline void gather(struct conn *conn, const struct target_entry *target,
				   const struct moved *moved)
{
	bool response = moved->dir != conn->record.request_dir;
	u32 want = bytes_wanted(conn, target, moved, response);

	if (!response && !want && merge(conn, moved))
		return;
	if (conn->record.chunks >= SOCKET_CHUNKS || (!response && conn->used + want > SOCKET_HELD_MAX))
		flush(conn, 0, moved->time_ns);
	if (!response && want > SOCKET_HELD_MAX) {
		conn->turn_copied += write_single(conn, moved, want);
		return;
	}
	append(conn, moved, want, response);
	if (response) {
		conn->answered = moved->ack;
		conn->has_answered = 1;
	}
	if (response || must_not_wait(conn, moved))
		flush(conn, 0, moved->time_ns);
}

/* The peer sends no more: what was waiting for it can go. */
static __always_inline void end_of_stream(struct conn *conn, struct moved *moved)
{
	if (conn->tcp && conn->record.request_dir == SOCKET_RX)
		return;			/* a server's end is told by its own close */
	if (conn->record.chunks >= SOCKET_CHUNKS)
		flush(conn, 0, moved->time_ns);
	moved->flags = CHUNK_END;
	append(conn, moved, 0, false);
	flush(conn, 0, moved->time_ns);
}

/* Has the process bytes to read (a FIN counts one) and still a descriptor to read them by? */
static __always_inline bool has_unread(const void *sk)
{
	const struct tcp_sock *tcp = sk;
	const struct sock *sock = sk;

	return (s32)(BPF_CORE_READ(tcp, rcv_nxt) - BPF_CORE_READ(tcp, copied_seq)) > 1 &&
	       BPF_CORE_READ(sock, sk_socket);
}

static __always_inline void forget(const void *sk, const enum keep keep)
{
	u64 key = (u64)sk;

	if (keep == KEEP_HASH)
		bpf_map_delete_elem(&conns, &key);
}

/*
 * A call of the current task returned `length`. `flags`: MSG_* the hook knows of; `entry`: which
 * message of a sendmmsg, -1 to find out; `later`: bytes that have moved since.
 */
static __always_inline int on_moved_part(void *sk, const enum keep keep, u32 dir, int length,
					 u32 flags, s32 entry, u32 later)
{
	struct moved moved = { .dir = dir, .length = length };
	struct target_entry *target;
	struct conn *conn;
	u32 tgid;

	if (length < 0 || (length == 0 && dir == SOCKET_TX))
		return 0;
	tgid = bpf_get_current_pid_tgid() >> 32;
	target = bpf_map_lookup_elem(&targets, &tgid);
	if (!target || !sk)
		return 0;

	conn = conn_find(sk, keep, false);
	if (conn && conn->ignored)
		return 0;
	if (conn && !conn->record.conn)
		conn = NULL;		/* another CPU is about to fill it in */
	/* a peer that sends no more; else the call had asked for no bytes */
	if (!length && (!conn || !(BPF_CORE_READ((struct sock *)sk, sk_shutdown) & RCV_SHUTDOWN)))
		return 0;
	payload_find(&moved.payload, dir, length, entry);
	flags |= moved.payload.flags;
	if (dir == SOCKET_RX && (flags & (MSG_PEEK | MSG_ERRQUEUE)))
		return 0;
	if (dir == SOCKET_RX && (flags & MSG_TRUNC))
		moved.payload.readable = false;	/* thrown away, not copied */
	if (!conn)
		conn = conn_begin(sk, keep, target, &moved);
	if (!conn)
		return 0;

	moved.time_ns = bpf_ktime_get_ns();
	read_positions(sk, keep, conn, &moved);
	if (conn->tcp)
		moved.seq -= later;
	if (!moved.payload.readable && length) {
		moved.flags = CHUNK_UNREADABLE;
		count_in(&socket_stats, SOCKET_STAT_UNREADABLE);
	}
	conn->tgid = tgid;
	if (!conn_take(conn) && !conn_take_soon(conn)) {
		count_in(&socket_stats, SOCKET_STAT_CONTENDED);
		if (length)
			write_single(conn, &moved,
				     length < SOCKET_RESPONSE_MAX ? length : SOCKET_RESPONSE_MAX);
		return 0;
	}
	if (length)
		gather(conn, target, &moved);
	else
		end_of_stream(conn, &moved);
	if (conn->ending && !has_unread(sk)) {
		conn->ignored = 1;
		flush(conn, SOCKET_CLOSED, moved.time_ns);
		forget(sk, keep);
	}
	conn_give(conn);
	return 0;
}

static __always_inline int on_moved(void *sk, const enum keep keep, u32 dir, int length, u32 flags,
				    s32 entry)
{
	return on_moved_part(sk, keep, dir, length, flags, entry, 0);
}

/* The connection ends, or a server has sent its last byte: what is gathered goes out, marked. */
static __always_inline int on_state(void *sk, const enum keep keep, int state)
{
	struct conn *conn;
	bool taken;
	u32 flags;

	if (state == TCP_ESTABLISHED)
		forget(sk, keep);	/* of another socket at this address whose end was missed */
	if (state == TCP_CLOSE)
		flags = SOCKET_CLOSED;
	else if (state == TCP_FIN_WAIT1 || state == TCP_LAST_ACK)
		flags = SOCKET_TX_CLOSED;
	else
		return 0;
	conn = conn_find(sk, keep, false);
	if (!conn)
		return 0;
	if (flags == SOCKET_CLOSED)
		count_in(&socket_stats, SOCKET_STAT_CONNS_GONE);

	/* a client reads on after it has shut its side down: its end is TCP_CLOSE, or, if the whole
	 * answer came before it looked, the read that reaches the answer's end */
	if (flags == SOCKET_CLOSED && conn->record.request_dir == SOCKET_TX && has_unread(sk)) {
		conn->ending = 1;
		flags = 0;
	}
	if (!conn->reported && !conn->ignored &&
	    (flags != SOCKET_TX_CLOSED || conn->record.request_dir == SOCKET_RX)) {
		conn->reported = flags != 0;
		taken = conn_take_soon(conn);	/* whoever is at it now has lost its socket anyway */
		flush(conn, flags, bpf_ktime_get_ns());
		if (taken)
			conn_give(conn);
	}
	if (flags == SOCKET_CLOSED)
		forget(sk, keep);
	return 0;
}

#endif

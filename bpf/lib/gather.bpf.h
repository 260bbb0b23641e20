/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The body that every attach choice shares: one call moved bytes; find its connection, decide
 * what to copy, hold it or let it go. Included by socket.bpf.c behind its maps, which it uses.
 */
#ifndef SONDE_BPF_GATHER_H
#define SONDE_BPF_GATHER_H

/* Where the state of connections is kept: a constant of each program. */
enum keep { KEEP_STORAGE, KEEP_HASH };

/* One call that moved bytes. */
struct moved {
	struct payload payload;
	u64 time_ns;		/* read once a call: a clock costs as much as a look-up */
	u32 dir, length, seq, ack;
	u32 flags;		/* enum chunk_flag */
};

static __always_inline void count_in(void *counters, u32 slot)
{
	u64 *n = bpf_map_lookup_elem(counters, &slot);

	if (n)
		*n += 1;
}

/* --- the way out ------------------------------------------------------------------------- */

/* Wakes the reader when this record brings the ring past the mark, and only then. */
static __always_inline u64 wake_flags(u32 size)
{
	u64 waiting = bpf_ringbuf_query(&data, BPF_RB_AVAIL_DATA);

	if (waiting < settings.wake_bytes && waiting + size >= settings.wake_bytes)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

static __always_inline void fill_header(struct socket_event *record, struct conn *conn, u32 size,
					u32 flags, u64 time_ns)
{
	record->event.kind = EVENT_SOCKET;
	record->event.cpu = bpf_get_smp_processor_id();
	record->event.size = size;
	record->event.time_ns = time_ns;
	record->event.tgid = conn->tgid;
	record->event.tid = (u32)bpf_get_current_pid_tgid();
	record->serial = __sync_fetch_and_add(&conn->record.serial, 1);
	record->flags = flags;
}

/* User space may have given the connection up; looked for once in 16 records. */
static __always_inline void look_ignored(struct conn *conn, u32 serial)
{
	u64 id = conn->record.conn;

	if ((serial & 15) == 15 && bpf_map_lookup_elem(&ignored, &id))
		conn->ignored = 1;
}

/* Writes what was gathered. The connection is taken. */
__noinline int flush(struct conn *conn, u32 flags, u64 time_ns)
{
	u32 used, size, serial;

	if (!conn)
		return 0;
	used = conn->used;
	if (used > CONN_PAYLOAD)
		used = CONN_PAYLOAD;
	size = sizeof(struct socket_event) + used;
	serial = conn->record.serial;
	fill_header(&conn->record, conn, size, flags, time_ns);
	conn->record.serial = serial;
	if (bpf_ringbuf_output(&data, &conn->record, size, wake_flags(size)))
		count_in(&drops, DROP_RING_DATA);
	else
		count_in(&socket_stats, SOCKET_STAT_RECORDS);
	conn->record.serial = serial + 1;
	conn->record.chunks = 0;
	conn->used = 0;
	look_ignored(conn, serial);
	return 0;
}

static __always_inline void fill_chunk(struct chunk *chunk, const struct moved *moved, u32 head,
				       u32 tail)
{
	chunk->time_ns = moved->time_ns;
	chunk->seq = moved->seq;
	chunk->ack = moved->ack;
	chunk->len = moved->length;
	chunk->head = head;
	chunk->tail = tail;
	chunk->dir = moved->dir;
	chunk->flags = moved->flags;
	chunk->calls = 1;
	chunk->spare = 0;
}

/*
 * One call as a record of its own, without the gathered one: a head too large to hold, or another
 * CPU is at the connection. `record` is NULL when the ring had no room. Returns the bytes copied.
 */
static __always_inline u32 finish_single(struct socket_event *record, struct conn *conn,
					 const struct moved *moved, u32 head)
{
	u32 size = sizeof(*record) + head;

	__builtin_memcpy(record, &conn->record, __builtin_offsetof(struct socket_event, chunk));
	record->chunks = 1;
	fill_chunk(&record->chunk[0], moved, head, 0);
	fill_header(record, conn, size, SOCKET_BIG, moved->time_ns);
	bpf_ringbuf_submit(record, wake_flags(size));
	count_in(&socket_stats, SOCKET_STAT_RECORDS);
	return head;
}

static __always_inline void refuse_single(struct conn *conn)
{
	__sync_fetch_and_add(&conn->record.serial, 1);
	count_in(&drops, DROP_RING_DATA);
}

__noinline int write_small(struct conn *conn, const struct moved *moved, u32 want)
{
	struct socket_event *record;
	u32 head = 0;

	if (!conn || !moved)
		return 0;
	record = bpf_ringbuf_reserve(&data, sizeof(*record) + sizeof(struct small_room), 0);
	if (!record) {
		refuse_single(conn);
		return 0;
	}
	if (moved->payload.readable)
		head = copy_small(&moved->payload, (void *)(record + 1), want);
	return finish_single(record, conn, moved, head);
}

__noinline int write_big(struct conn *conn, const struct moved *moved, u32 want)
{
	struct socket_event *record;
	u32 head = 0;

	if (!conn || !moved)
		return 0;
	record = bpf_ringbuf_reserve(&data, sizeof(*record) + sizeof(struct big_room), 0);
	if (!record) {
		refuse_single(conn);
		return 0;
	}
	if (moved->payload.readable)
		head = copy_big(&moved->payload, (void *)(record + 1), want);
	return finish_single(record, conn, moved, head);
}

/* --- connections --------------------------------------------------------------------------- */

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
		received = tcp->copied_seq;
		sent = tcp->write_seq;
	} else {
		struct tcp_sock *tcp = sk;

		received = BPF_CORE_READ(tcp, copied_seq);
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
	if (conn->record.conn || !conn_take(conn))
		return conn;		/* another CPU was first */
	conn->tcp = tcp;
	conn->last_dir = 2;		/* neither: the first call begins a turn */
	conn->record.request_dir = request_dir;
	conn_read_endpoints(&conn->record, sk);
	conn->record.conn = (u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1;
	conn_give(conn);
	if (tcp)
		count_in(&socket_stats, SOCKET_STAT_CONNS);
	return conn;
}

/* --- gathering ------------------------------------------------------------------------------- */

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
	if (response && moved->payload.readable && moved->length >= head + SOCKET_TAIL_MAX &&
	    used <= SOCKET_HELD_MAX + SOCKET_RESPONSE_MAX)
		tail = copy_tail(&moved->payload, (void *)(conn->payload + used), moved->length);
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
		conn->turn_copied += want <= SOCKET_RESPONSE_MAX ? write_small(conn, moved, want) :
								   write_big(conn, moved, want);
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
	if (!conn && !length)
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
	if (!conn_take(conn)) {
		count_in(&socket_stats, SOCKET_STAT_CONTENDED);
		if (length)
			write_small(conn, &moved,
				    length < SOCKET_RESPONSE_MAX ? length : SOCKET_RESPONSE_MAX);
		return 0;
	}
	if (length)
		gather(conn, target, &moved);
	else
		end_of_stream(conn, &moved);
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

	if (state == TCP_CLOSE)
		flags = SOCKET_CLOSED;
	else if (state == TCP_FIN_WAIT1 || state == TCP_LAST_ACK)
		flags = SOCKET_TX_CLOSED;
	else
		return 0;
	conn = conn_find(sk, keep, false);
	if (!conn)
		return 0;

	/* a client reads on after it has shut its side down: its end is TCP_CLOSE */
	if (!conn->reported && !conn->ignored &&
	    (flags == SOCKET_CLOSED || conn->record.request_dir == SOCKET_RX)) {
		conn->reported = 1;
		taken = conn_take(conn);	/* whoever is at it now has lost its socket anyway */
		flush(conn, flags, bpf_ktime_get_ns());
		if (taken)
			conn_give(conn);
	}
	if (state == TCP_CLOSE) {
		count_in(&socket_stats, SOCKET_STAT_CONNS_GONE);
		if (keep == KEEP_HASH) {
			u64 key = (u64)sk;

			bpf_map_delete_elem(&conns, &key);
		}
	}
	return 0;
}

#endif

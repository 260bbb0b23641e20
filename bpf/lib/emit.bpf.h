/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only way out: records into the data ring, and the counters of what could not go. Included
 * by socket.bpf.c behind its maps, which it uses.
 */
#ifndef SONDE_BPF_EMIT_H
#define SONDE_BPF_EMIT_H

#include "lib/count.bpf.h"

/* One call that moved bytes. */
struct moved {
	struct payload payload;
	u64 time_ns;		/* read once a call: a clock costs as much as a look-up */
	u32 dir, length, seq, ack;
	u32 flags;		/* enum chunk_flag */
};

/*
 * Wakes the reader when this record brings the ring past the mark, and only then. A multiple of the
 * mark (a power of two) is one, too: two CPUs may pass one together, each for itself below it.
 */
static __always_inline u64 wake_flags(u32 size)
{
	u64 waiting = bpf_ringbuf_query(&data, BPF_RB_AVAIL_DATA);

	if ((waiting ^ (waiting + size)) >= settings.wake_bytes)
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
	record->flags = flags | (conn->joined ? SOCKET_JOINED : 0);
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
 * CPU is at the connection. Returns the bytes copied.
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

static __always_inline int refuse_single(struct conn *conn)
{
	__sync_fetch_and_add(&conn->record.serial, 1);
	count_in(&drops, DROP_RING_DATA);
	return 0;
}

/*
 * What is reserved is what the ring is charged, used or not: a size for each kind of head. The bytes of
 * an iovec call need twice their number (see vector_copy()).
 */
#define WRITER(name, room, copy) \
	__noinline int name(struct conn *conn, const struct moved *moved, u32 want) \
	{ \
		struct socket_event *record; \
		u32 head = 0; \
\
		if (!conn || !moved) \
			return 0; \
		record = bpf_ringbuf_reserve(&data, sizeof(*record) + (room), 0); \
		if (!record) \
			return refuse_single(conn); \
		if (moved->payload.readable) \
			head = copy; \
		return finish_single(record, conn, moved, head); \
	}

#define FLAT(max) flat_copy(&moved->payload, (u8 *)(record + 1), want, max)

WRITER(write_flat_1k, 1024, FLAT(1024))
WRITER(write_flat_2k, 2048, FLAT(2048))
WRITER(write_flat_8k, SOCKET_BIG_MAX, FLAT(SOCKET_BIG_MAX))
WRITER(write_vector_1k, sizeof(struct small_room),
       vector_copied(vector_copy_small(&moved->payload, (void *)(record + 1), want),
		     SOCKET_RESPONSE_MAX))
WRITER(write_vector_8k, sizeof(struct big_room),
       vector_copied(vector_copy_big(&moved->payload, (void *)(record + 1), want), SOCKET_BIG_MAX))

/* Writes one call at once, `want` <= SOCKET_BIG_MAX bytes of it. Returns the bytes copied. */
static __always_inline u32 write_single(struct conn *conn, const struct moved *moved, u32 want)
{
	if (moved->payload.iovecs)
		return want <= SOCKET_RESPONSE_MAX ? write_vector_1k(conn, moved, want) :
						     write_vector_8k(conn, moved, want);
	if (want <= 1024)
		return write_flat_1k(conn, moved, want);
	return want <= 2048 ? write_flat_2k(conn, moved, want) : write_flat_8k(conn, moved, want);
}

#endif

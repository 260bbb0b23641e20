/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the pipeline: builds records of the data ring the way bpf/lib/gather.bpf.h does, with
 * positions, serials and times kept like the kernel's. A record lies in memory of exactly its size, so
 * that AddressSanitizer sees a byte read too many.
 */
#ifndef TESTS_UNIT_PIPELINE_RECORD_H
#define TESTS_UNIT_PIPELINE_RECORD_H

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "event/socket.h"

#define WIRE_PAYLOAD_MAX (SOCKET_CHUNKS * 65535)

/* One connection as one process sees it, and the record being built. */
struct wire {
	struct socket_event event;	/* chunks and payload so far are of the record being built */
	uint8_t payload[WIRE_PAYLOAD_MAX];
	size_t used;
	uint32_t pos[2];		/* of the next byte, by enum socket_dir */
	uint64_t now_ns;		/* goes on by 1 ms a chunk */
};

/* `request_dir`: SOCKET_RX for a server. */
static inline void wire_init(struct wire *wire, uint64_t conn, enum socket_dir request_dir)
{
	memset(&wire->event, 0, sizeof(wire->event));
	wire->event.event.kind = EVENT_SOCKET;
	wire->event.event.tgid = 1000;
	wire->event.event.tid = 1001;
	wire->event.conn = conn;
	wire->event.family = AF_INET;
	wire->event.request_dir = request_dir;
	wire->event.local_port = request_dir == SOCKET_RX ? 8080 : 40000;
	wire->event.remote_port = request_dir == SOCKET_RX ? 40000 : 8080;
	memcpy(wire->event.local_addr, "\x0a\x00\x00\x01", 4);
	memcpy(wire->event.remote_addr, "\x0a\x00\x00\x02", 4);
	wire->used = 0;
	wire->pos[SOCKET_RX] = 1000;
	wire->pos[SOCKET_TX] = 500000;
	wire->now_ns = 1000 * NSEC_PER_SEC;
}

static inline enum socket_dir wire_request(const struct wire *wire)
{
	return wire->event.request_dir;
}

static inline enum socket_dir wire_response(const struct wire *wire)
{
	return !wire->event.request_dir;
}

/* The chunk that was added last. */
static inline struct chunk *wire_last(struct wire *wire)
{
	return &wire->event.chunk[wire->event.chunks - 1];
}

/* A call that moved `len` bytes, of which `head` were copied from its start, `tail` from its end. */
static inline struct chunk *wire_call(struct wire *wire, enum socket_dir dir, struct bytes head,
				      size_t len, struct bytes tail)
{
	struct chunk *chunk = &wire->event.chunk[wire->event.chunks++];

	wire->now_ns += NSEC_PER_MSEC;
	*chunk = (struct chunk){ .time_ns = wire->now_ns, .seq = wire->pos[dir],
				 .ack = wire->pos[!dir], .len = len, .head = head.len,
				 .tail = tail.len, .dir = dir, .calls = 1 };
	if (head.len)
		memcpy(wire->payload + wire->used, head.at, head.len);
	wire->used += head.len;
	if (tail.len)
		memcpy(wire->payload + wire->used, tail.at, tail.len);
	wire->used += tail.len;
	wire->pos[dir] += len;
	return chunk;
}

/* A call copied whole. */
static inline struct chunk *wire_seen(struct wire *wire, enum socket_dir dir, const char *text)
{
	return wire_call(wire, dir, bytes_of_text(text), strlen(text), (struct bytes){});
}

/* A call of which nothing was copied. */
static inline struct chunk *wire_unseen(struct wire *wire, enum socket_dir dir, size_t len)
{
	return wire_call(wire, dir, (struct bytes){}, len, (struct bytes){});
}

/* A call of which the kernel copied the first `max` bytes and the usual tail. */
static inline struct chunk *wire_cut(struct wire *wire, enum socket_dir dir, struct bytes text,
				     size_t max)
{
	struct bytes tail = {};

	if (text.len >= max + SOCKET_TAIL_MAX)
		tail = bytes_skip(text, text.len - SOCKET_TAIL_MAX);
	return wire_call(wire, dir, bytes_first(text, max), text.len, tail);
}

/* The peer closed this direction. */
static inline void wire_end(struct wire *wire, enum socket_dir dir)
{
	wire_unseen(wire, dir, 0)->flags = CHUNK_END;
}

/* What was built as a record, and a new one begun; free(). */
static inline struct socket_event *wire_take(struct wire *wire, unsigned flags)
{
	struct socket_event *event = malloc(sizeof(*event) + wire->used);

	wire->event.event.size = sizeof(*event) + wire->used;
	wire->event.event.time_ns = wire->now_ns;
	wire->event.flags = flags;
	*event = wire->event;
	memcpy(event + 1, wire->payload, wire->used);
	wire->event.serial++;
	wire->event.chunks = 0;
	wire->used = 0;
	return event;
}

/* The record gets lost: its bytes passed, nobody hears of it. */
static inline void wire_lose(struct wire *wire)
{
	free(wire_take(wire, 0));
}

static inline struct bytes record_payload(const struct socket_event *event)
{
	return bytes_of(event + 1, event->event.size - sizeof(*event));
}

#endif

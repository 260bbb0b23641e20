/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One direction of a connection as a sequence of messages, from bytes of which only some were
 * seen. Knows framing, not meaning: it says where heads are and where messages end.
 *
 * Fed in pieces; each is either seen bytes or a number of unseen ones.
 */
#ifndef SONDE_PIPELINE_STREAM_H
#define SONDE_PIPELINE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "protocol/protocol.h"

#define HEAD_BUFFER_MAX 8192	/* bytes of a head that came in pieces; a longer one is cut */

/*
 * Buffers for heads that are not complete yet; a fixed number for all streams. When all are in use, the
 * oldest is taken from its owner: peers that never finish a head do not take them from others.
 */
struct head_buffer {
	struct head_buffer *older, *newer;	/* among those in use */
	struct head_buffer *next;		/* among the free ones */
	struct stream *owner;
	uint32_t len;
	uint8_t at[HEAD_BUFFER_MAX];
};

struct head_pool {
	struct head_buffer *all, *free, *oldest, *newest;
	uint32_t max, touched;
};

int head_pool_init(struct head_pool *pool, uint32_t max);
void head_pool_done(struct head_pool *pool);

enum stream_state {
	STREAM_AT_HEAD,		/* between messages, or inside a head (partial) */
	STREAM_IN_LENGTH,	/* in a body of known length */
	STREAM_IN_CHUNKED,
	STREAM_IN_REST,		/* in a body that ends with the direction, or when the other side speaks */
	STREAM_ENDING,		/* the message has ended; said with the next step */
	STREAM_LOST,		/* out of step: goes on at a call that begins like a head */
	STREAM_BEHIND_CUT,	/* as many bytes as the body of a cut head has went by: as LOST, but
				 * the next head is the next message's */
	STREAM_DEAD,		/* no more messages of this protocol: upgraded or given up */
};

struct stream {
	enum stream_state state;
	bool request;			/* carries requests */
	bool placed;			/* `next_seq` is known */
	bool resynced;			/* came out of STREAM_LOST with the present message */
	bool cut;			/* the present head was cut: where its body begins is not known */
	bool spoke;			/* at least one head was read */
	uint32_t next_seq;		/* position of the next byte */
	uint64_t left;			/* STREAM_IN_LENGTH: body bytes to come */
	uint64_t body_bytes;		/* of the present message so far */
	uint64_t head_ns, last_ns;	/* first byte of the present head; last call seen */
	uint32_t last_ack;		/* position in the other direction at that call */
	uint32_t head_seq, head_ack;	/* positions at that first byte */
	struct chunked chunked;
	struct head_buffer *partial;	/* what is there of an incomplete head */
	bool partial_used;		/* the last message points into it: free it with the next step */
};

struct piece {
	struct bytes seen;
	uint64_t unseen;	/* when seen is empty */
	bool starts_call;	/* seen begins where a call of the process began */
	bool ends_call;		/* seen ends where it ended */
	uint64_t time_ns;
	uint32_t seq, ack;	/* position of the first byte; of the other direction */
};

enum step {
	STEP_MORE,		/* the piece is used up */
	STEP_HEAD,		/* *ret_message is a head; valid until the next step of any stream */
	STEP_END,		/* the message has ended */
	STEP_BAD,		/* these bytes are not the protocol's; now STREAM_LOST */
};

/*
 * Takes the next step through `piece`, moving its start. `request`: what the present response
 * answers; NULL when unknown, and for request streams.
 */
enum step stream_step(struct stream *stream, struct head_pool *pool, const struct protocol *protocol,
		      struct piece *piece, const struct message *request,
		      struct message *ret_message);

/*
 * The head read so far will not go on (the other side has answered it): takes it as cut. Returns
 * STEP_HEAD, or STEP_MORE when there is none, or too little of one; then the stream is lost.
 */
enum step stream_cut(struct stream *stream, struct head_pool *pool, const struct protocol *protocol,
		     const struct message *request, struct message *ret_message);

/* Forgets the present message, gives buffers back. */
void stream_reset(struct stream *stream, struct head_pool *pool, enum stream_state state);

/* The present message can only end by something outside the stream. */
static inline bool stream_open_ended(const struct stream *stream)
{
	return stream->state == STREAM_IN_REST ||
	       (stream->state == STREAM_IN_CHUNKED && stream->chunked.lost);
}

#endif

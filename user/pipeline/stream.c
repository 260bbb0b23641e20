// SPDX-License-Identifier: Apache-2.0
/* Steps through one direction of a connection: heads, bodies, what was not seen. */
#include "pipeline/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "model/self.h"

int head_pool_init(struct head_pool *pool, uint32_t max)
{
	void *at = mmap(NULL, (size_t)max * sizeof(struct head_buffer), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	*pool = (struct head_pool){ .all = at, .max = max };
	return 0;
}

void head_pool_done(struct head_pool *pool)
{
	if (pool->all)
		munmap(pool->all, (size_t)pool->max * sizeof(struct head_buffer));
	*pool = (struct head_pool){};
}

static void release_partial(struct stream *stream, struct head_pool *pool)
{
	struct head_buffer *buffer = stream->partial;

	stream->partial = NULL;
	stream->partial_used = false;
	if (!buffer)
		return;
	*(buffer->older ? &buffer->older->newer : &pool->oldest) = buffer->newer;
	*(buffer->newer ? &buffer->newer->older : &pool->newest) = buffer->older;
	buffer->next = pool->free;
	pool->free = buffer;
}

/* The head that is being collected for the longest time is given up. */
static void take_oldest(struct head_pool *pool)
{
	struct stream *owner = pool->oldest->owner;
	bool used = owner->partial_used;

	self_add(SELF_HEAD_BUFFERS_REFUSED, 1);
	release_partial(owner, pool);
	if (!used)
		stream_reset(owner, pool, STREAM_LOST);
}

static struct head_buffer *head_buffer_new(struct head_pool *pool, struct stream *owner)
{
	struct head_buffer *buffer;

	if (!pool->free && pool->touched == pool->max)
		take_oldest(pool);
	buffer = pool->free;
	if (buffer)
		pool->free = buffer->next;
	else
		buffer = &pool->all[pool->touched++];
	buffer->len = 0;
	buffer->owner = owner;
	buffer->newer = NULL;
	buffer->older = pool->newest;
	*(pool->newest ? &pool->newest->newer : &pool->oldest) = buffer;
	pool->newest = buffer;
	return buffer;
}

void stream_reset(struct stream *stream, struct head_pool *pool, enum stream_state state)
{
	release_partial(stream, pool);
	stream->state = state;
	stream->resynced = false;
	stream->left = 0;
	stream->body_bytes = 0;
}

static ssize_t parse(const struct stream *stream, const struct protocol *protocol, struct bytes in,
		     bool last, const struct message *request, struct message *ret_message)
{
	if (stream->request)
		return protocol->parse_request(in, last, ret_message);
	return protocol->parse_response(in, last, request, ret_message);
}

/* The state behind a head. */
static void enter_body(struct stream *stream, const struct message *message)
{
	stream->spoke = true;
	stream->cut = message->cut;
	stream->body_bytes = 0;
	stream->left = 0;
	self_add(SELF_HEADS_CUT, message->cut);
	switch (message->framing) {
	case FRAMING_NONE:
		stream->state = STREAM_ENDING;
		break;
	case FRAMING_LENGTH:
		stream->left = message->body_bytes;
		stream->state = message->body_bytes ? STREAM_IN_LENGTH : STREAM_ENDING;
		break;
	case FRAMING_CHUNKED:
		stream->chunked = (struct chunked){ .lost = message->cut };
		stream->state = STREAM_IN_CHUNKED;
		break;
	case FRAMING_CLOSE:
	case FRAMING_UNKNOWN:
		stream->state = STREAM_IN_REST;
		break;
	case FRAMING_UPGRADE:
		stream->state = STREAM_DEAD;
		break;
	}
}

static enum step lose(struct stream *stream, struct head_pool *pool)
{
	stream_reset(stream, pool, STREAM_LOST);
	return STEP_BAD;
}

enum step stream_cut(struct stream *stream, struct head_pool *pool, const struct protocol *protocol,
		     const struct message *request, struct message *ret_message)
{
	if (stream->state != STREAM_AT_HEAD || !stream->partial || stream->partial_used)
		return STEP_MORE;
	if (parse(stream, protocol, bytes_of(stream->partial->at, stream->partial->len), true, request,
		  ret_message) <= 0) {
		stream_reset(stream, pool, STREAM_LOST);	/* which proves nothing about the protocol */
		return STEP_MORE;
	}
	stream->partial_used = true;
	enter_body(stream, ret_message);
	return STEP_HEAD;
}

static void advance(struct piece *piece, size_t n)
{
	piece->seen = bytes_skip(piece->seen, n);
	piece->seq += n;
	piece->starts_call = piece->starts_call && !n;
}

static void use_up(struct piece *piece)
{
	piece->seq += piece->seen.len + piece->unseen;
	piece->seen.len = 0;
	piece->unseen = 0;
}

/* Keeps seen bytes of an incomplete head, as far as there is room. Returns what is there by now. */
static struct bytes keep_partial(struct stream *stream, struct head_pool *pool, struct bytes in)
{
	struct head_buffer *partial = stream->partial;

	if (!partial)
		partial = stream->partial = head_buffer_new(pool, stream);
	in = bytes_first(in, HEAD_BUFFER_MAX - partial->len);
	memcpy(partial->at + partial->len, in.at, in.len);
	partial->len += in.len;
	return bytes_of(partial->at, partial->len);
}

static void note_head_start(struct stream *stream, const struct piece *piece)
{
	stream->head_ns = piece->time_ns;
	stream->head_seq = piece->seq;
	stream->head_ack = piece->ack;
}

/* Empty lines may stand before a head (RFC 9112, 2.2), minutes before: they do not begin it. */
static bool only_line_ends(const struct head_buffer *partial)
{
	for (uint32_t i = 0; i < partial->len; i++)
		if (partial->at[i] != '\r' && partial->at[i] != '\n')
			return false;
	return true;
}

/* Seen bytes where a head should be, with earlier bytes of it kept. */
static enum step continue_head(struct stream *stream, struct head_pool *pool,
			       const struct protocol *protocol, struct piece *piece,
			       const struct message *request, struct message *ret_message)
{
	uint32_t before = stream->partial->len;
	bool begins = only_line_ends(stream->partial);
	struct bytes in = keep_partial(stream, pool, piece->seen);
	bool full = in.len == HEAD_BUFFER_MAX;
	ssize_t r = parse(stream, protocol, in, full, request, ret_message);

	if (begins)
		note_head_start(stream, piece);
	if (r == -EAGAIN) {
		use_up(piece);
		return STEP_MORE;
	}
	if (r <= 0 || r < (ssize_t)before) {
		use_up(piece);
		return lose(stream, pool);
	}
	advance(piece, r - before);
	stream->partial_used = true;
	enter_body(stream, ret_message);
	return STEP_HEAD;
}

static enum step begin_head(struct stream *stream, struct head_pool *pool,
			    const struct protocol *protocol, struct piece *piece,
			    const struct message *request, struct message *ret_message)
{
	ssize_t r = parse(stream, protocol, piece->seen, false, request, ret_message);

	note_head_start(stream, piece);
	if (r > 0) {
		advance(piece, r);
		enter_body(stream, ret_message);
		return STEP_HEAD;
	}
	if (r == -EAGAIN) {
		if (keep_partial(stream, pool, piece->seen).len < piece->seen.len)
			stream_reset(stream, pool, STREAM_LOST);	/* too long, no fault */
		use_up(piece);
		return STEP_MORE;
	}
	use_up(piece);
	return lose(stream, pool);
}

static enum step end_message(struct stream *stream)
{
	stream->state = STREAM_AT_HEAD;
	return STEP_END;
}

static enum step step_length(struct stream *stream, struct piece *piece)
{
	uint64_t here = piece->seen.len ? piece->seen.len : piece->unseen;
	uint64_t n = MIN(stream->left, here);

	stream->left -= n;
	stream->body_bytes += n;
	if (piece->seen.len) {
		advance(piece, n);
	} else {
		piece->unseen -= n;
		piece->seq += n;
	}
	if (stream->left)
		return STEP_MORE;
	stream->state = stream->cut ? STREAM_BEHIND_CUT : STREAM_AT_HEAD;
	return STEP_END;
}

/* Does this piece look like the start of a message? */
static enum verdict sniff(const struct stream *stream, const struct protocol *protocol,
			  const struct piece *piece)
{
	if (!piece->starts_call || !piece->seen.len)
		return VERDICT_NO;
	return stream->request ? protocol->sniff_request(piece->seen) :
				 protocol->sniff_response(piece->seen);
}

static enum step step_chunked(struct stream *stream, struct head_pool *pool,
			      const struct protocol *protocol, struct piece *piece)
{
	bool end = false;
	ssize_t r;

	if (!piece->seen.len) {
		chunked_skip(&stream->chunked, piece->unseen);
		use_up(piece);
	} else if (stream->chunked.lost) {
		if (sniff(stream, protocol, piece) == VERDICT_YES)
			return end_message(stream);	/* its end was not seen */
		end = piece->ends_call && chunked_ends_with_last(piece->seen);
		use_up(piece);
	} else {
		r = chunked_feed(&stream->chunked, piece->seen, &end);
		if (r < 0) {
			use_up(piece);
			return lose(stream, pool);
		}
		advance(piece, r);
	}
	stream->body_bytes = stream->chunked.body_bytes;
	return end ? end_message(stream) : STEP_MORE;
}

static enum step step_lost(struct stream *stream, const struct protocol *protocol,
			   struct piece *piece)
{
	bool lost = stream->state == STREAM_LOST;

	if (sniff(stream, protocol, piece) == VERDICT_NO) {
		use_up(piece);
		return STEP_MORE;
	}
	self_add(SELF_RESYNCS, lost);
	stream->state = STREAM_AT_HEAD;
	stream->resynced = lost;
	return STEP_MORE;
}

/* A body of unknown end; behind a cut head that end may be where a call begins like the next head. */
static enum step step_rest(struct stream *stream, const struct protocol *protocol,
			   struct piece *piece)
{
	if (stream->cut && sniff(stream, protocol, piece) == VERDICT_YES)
		return end_message(stream);
	if (!stream->cut)		/* else part of it is head: a size nobody knows is no size */
		stream->body_bytes += piece->seen.len + piece->unseen;
	use_up(piece);
	return STEP_MORE;
}

static enum step step_head(struct stream *stream, struct head_pool *pool,
			   const struct protocol *protocol, struct piece *piece,
			   const struct message *request, struct message *ret_message)
{
	enum step step;

	if (piece->seen.len)
		return stream->partial ? continue_head(stream, pool, protocol, piece, request,
						       ret_message) :
					 begin_head(stream, pool, protocol, piece, request,
						    ret_message);
	/* unseen bytes: either the rest of a head, or whole messages nobody will ever know of */
	step = stream_cut(stream, pool, protocol, request, ret_message);
	if (step == STEP_MORE) {
		stream_reset(stream, pool, STREAM_LOST);
		use_up(piece);
	}
	return step;
}

enum step stream_step(struct stream *stream, struct head_pool *pool, const struct protocol *protocol,
		      struct piece *piece, const struct message *request,
		      struct message *ret_message)
{
	enum step step = STEP_MORE;

	if (stream->partial_used)
		release_partial(stream, pool);
	if (stream->state == STREAM_ENDING)
		return end_message(stream);

	while (step == STEP_MORE && (piece->seen.len || piece->unseen)) {
		switch (stream->state) {
		case STREAM_AT_HEAD:
			step = step_head(stream, pool, protocol, piece, request, ret_message);
			break;
		case STREAM_IN_LENGTH:
			step = step_length(stream, piece);
			break;
		case STREAM_IN_CHUNKED:
			step = step_chunked(stream, pool, protocol, piece);
			break;
		case STREAM_IN_REST:
			step = step_rest(stream, protocol, piece);
			break;
		case STREAM_LOST:
		case STREAM_BEHIND_CUT:
			step = step_lost(stream, protocol, piece);
			break;
		case STREAM_ENDING:
			return end_message(stream);
		case STREAM_DEAD:
			use_up(piece);
			break;
		}
	}
	return step;
}

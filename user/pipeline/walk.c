// SPDX-License-Identifier: Apache-2.0
/* Follows both streams of a connection, chunk by chunk; what they say goes to match.c. */
#include "pipeline/walk.h"

#include "model/self.h"
#include "pipeline/match.h"

/* A request head that never came to its end, answered all the same (say with 431, or 408). */
static void cut_request(struct conns *conns, struct conn *conn)
{
	struct message message;

	if (conn->oldest)
		return;
	if (stream_cut(&conn->request, &conns->heads, conn->protocol, NULL, &message) != STEP_HEAD)
		return;
	match_request_head(conns, conn, &message);
	match_request_end(conn);
	/* the rest of it may still come: the next request is where a call begins like one */
	stream_reset(&conn->request, &conns->heads, STREAM_BEHIND_CUT);
}

/* An open-ended message of the side that was speaking has ended with its last call. */
static void end_open_ended(struct conns *conns, struct conn *conn, struct stream *silent)
{
	if (!stream_open_ended(silent))
		return;
	if (silent->request)
		match_request_end(conn);
	else
		match_response_end(conns, conn, silent->last_ns);
	stream_reset(silent, &conns->heads, STREAM_AT_HEAD);
}

/* Bytes move in the direction of `speaking`; more of a request's body is no new request. */
static void other_side_speaks(struct conns *conns, struct conn *conn, const struct stream *speaking)
{
	if (!speaking->request) {
		end_open_ended(conns, conn, &conn->request);
		cut_request(conns, conn);
	} else if (speaking->state != STREAM_IN_LENGTH && speaking->state != STREAM_IN_CHUNKED) {
		end_open_ended(conns, conn, &conn->response);
		match_unseen(conns, conn);
	}
}

static void on_head(struct conns *conns, struct conn *conn, struct stream *stream,
		    const struct message *message, uint64_t time_ns)
{
	if (stream->request)
		match_request_head(conns, conn, message);
	else
		match_response_head(conns, conn, message);
	if (!stream->request && message->framing == FRAMING_UPGRADE)
		match_upgrade(conns, conn, time_ns);
}

static void walk_piece(struct conns *conns, struct conn *conn, struct stream *stream,
		       struct piece piece)
{
	struct message message;
	enum step step;

	do {
		const struct exchange *to = stream->request || conn->given_up ? NULL : conn->oldest;

		step = stream_step(stream, &conns->heads, conn->protocol, &piece,
				   to ? &to->request : NULL, &message);
		if (step == STEP_HEAD)
			on_head(conns, conn, stream, &message, piece.time_ns);
		else if (step == STEP_END && stream->request)
			match_request_end(conn);
		else if (step == STEP_END)
			match_response_end(conns, conn, piece.time_ns);
		else if (step == STEP_BAD)
			match_bad(conns, conn);
	} while (step != STEP_MORE);
}

/* Where the first byte seen of a direction should be: what lies before it was lost. */
static void place(struct stream *stream, uint32_t seq)
{
	if (stream->placed)
		return;
	stream->next_seq = seq;
	stream->placed = true;
}

/* Bytes between what was seen last and this chunk: of a call no hook saw, or of a lost record. */
static void walk_gap(struct conns *conns, struct conn *conn, struct stream *stream,
		     const struct chunk *chunk)
{
	uint32_t gap = chunk->seq - stream->next_seq;

	if (!stream->placed || (int32_t)gap <= 0)
		return;
	self_add(SELF_UNSEEN_BYTES, gap);
	walk_piece(conns, conn, stream, (struct piece){
		.unseen = gap, .time_ns = chunk->time_ns, .seq = stream->next_seq, .ack = chunk->ack });
}

static void on_end_of_direction(struct conns *conns, struct conn *conn, const struct stream *stream,
				uint64_t time_ns)
{
	if (stream->request)
		return;			/* the answer may still come */
	other_side_speaks(conns, conn, stream);
	end_open_ended(conns, conn, &conn->response);
	match_finish(conns, conn, true, time_ns);
}

void walk_chunk(struct conns *conns, struct conn *conn, const struct chunk *chunk,
		 struct bytes head, struct bytes tail)
{
	bool request = chunk->dir == conn->request_dir;
	struct stream *stream = request ? &conn->request : &conn->response;
	struct stream *other = request ? &conn->response : &conn->request;
	struct piece piece = { .time_ns = chunk->time_ns, .seq = chunk->seq, .ack = chunk->ack };

	if (stream->state == STREAM_DEAD)
		return;
	if (chunk->flags & CHUNK_END) {
		on_end_of_direction(conns, conn, stream, chunk->time_ns);
		return;
	}
	place(other, chunk->ack);
	walk_gap(conns, conn, stream, chunk);
	other_side_speaks(conns, conn, stream);

	piece.seen = head;
	piece.starts_call = true;
	piece.ends_call = head.len == chunk->len;
	walk_piece(conns, conn, stream, piece);

	piece.seq = chunk->seq + head.len;
	piece.starts_call = false;
	piece.seen = (struct bytes){};
	piece.unseen = chunk->len - head.len - tail.len;
	walk_piece(conns, conn, stream, piece);

	piece.seq = chunk->seq + chunk->len - tail.len;
	piece.unseen = 0;
	piece.seen = tail;
	piece.ends_call = true;
	walk_piece(conns, conn, stream, piece);

	stream->next_seq = chunk->seq + chunk->len;
	stream->placed = true;
	stream->last_ns = chunk->time_ns;
	stream->last_ack = chunk->ack;
}

void walk_quiet(struct conns *conns, struct conn *conn)
{
	match_finish_answered(conns, conn, conn->response.last_ns);
	stream_reset(&conn->response, &conns->heads, STREAM_AT_HEAD);
}

void walk_close(struct conns *conns, struct conn *conn, bool closed, uint64_t now_ns)
{
	if (conn->answering && stream_open_ended(&conn->response))
		walk_quiet(conns, conn);
	cut_request(conns, conn);
	if (conn->early.held)
		self_add(SELF_UNMATCHED_RESPONSES, 1);
	match_finish(conns, conn, closed, now_ns);
}

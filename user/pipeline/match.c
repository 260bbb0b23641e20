// SPDX-License-Identifier: Apache-2.0
/* Pairs what both streams of a connection say; walk.c follows them. */
#include "pipeline/match.h"

#include "base/cleanup.h"
#include "model/self.h"

#define GIVE_UP_TRIES 8		/* exchanges looked at for one that can be had */

/* Positions are 32 bits and wrap: `a` lies before `b`. */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* Takes the oldest open request off the connection and hands it on. */
static void finish_oldest(struct conns *conns, struct conn *conn, enum outcome outcome,
			  uint64_t end_ns)
{
	struct exchange *exchange = conn->oldest;

	conn->oldest = exchange->next;
	if (!conn->oldest)
		conn->newest = NULL;
	conn->open--;
	if (conn->reading == exchange) {
		exchange->request_bytes = conn->request.body_bytes;
		conn->reading = NULL;
	}
	if (conn->answering == exchange)
		conn->answering = NULL;
	exchange->next = NULL;
	exchange->conn = NULL;
	exchange->outcome = outcome;
	exchange->end_ns = end_ns > exchange->start_ns ? end_ns : exchange->start_ns;
	exchange->tgid = conn->tgid;
	exchange->tid = conn->tid;
	conns->finished(conns->context, exchange);
}

void match_finish_answered(struct conns *conns, struct conn *conn, uint64_t end_ns)
{
	conn->answering->response_bytes = conn->response.body_bytes;
	finish_oldest(conns, conn, OUTCOME_ANSWERED, end_ns);
}

/* The connection speaks another protocol from here on, or never spoke ours. */
static void give_up(struct conns *conns, struct conn *conn)
{
	stream_reset(&conn->request, &conns->heads, STREAM_DEAD);
	stream_reset(&conn->response, &conns->heads, STREAM_DEAD);
	conns->ignore(conns->context, conn->id);
}

/* What was taken for the body of a response is none: by now it is known to answer HEAD. */
static void end_bodiless(struct conns *conns, struct conn *conn)
{
	if (conn->response.state != STREAM_LOST)
		stream_reset(&conn->response, &conns->heads, STREAM_AT_HEAD);
	conn->answering->response_bytes = 0;
	finish_oldest(conns, conn, OUTCOME_ANSWERED, conn->response.last_ns);
}

/* A response came before its request's record: it is its answer if the request had been sent by then. */
static void try_early(struct conns *conns, struct conn *conn)
{
	struct exchange *exchange = conn->newest;

	if (!conn->early.held || conn->oldest != exchange)
		return;
	conn->early.held = false;
	if (!before(exchange->seq, conn->early.ack)) {
		self_add(SELF_UNMATCHED_RESPONSES, 1);
		return;
	}
	exchange->code = conn->early.code;
	conn->answering = exchange;
	if (!conn->early.done && exchange->request.bodiless) {
		end_bodiless(conns, conn);
		return;
	}
	if (!conn->early.done)
		return;
	exchange->response_bytes = conn->early.body_bytes;
	finish_oldest(conns, conn, OUTCOME_ANSWERED, conn->early.end_ns);
}

/*
 * When all are in use, some open request gives way, the likelier the more its connection holds: a peer
 * that leaves thousands open must not make others go uncounted. NULL: all wait for their process.
 */
static struct exchange *need_exchange(struct conns *conns, uint64_t now_ns)
{
	struct exchange *exchange = exchange_new(&conns->exchanges);

	for (unsigned i = 0; !exchange && i < GIVE_UP_TRIES; i++) {
		struct conn *conn = exchange_any(&conns->exchanges)->conn;

		if (!conn)
			continue;
		self_add(SELF_PENDING_REFUSED, 1);
		conn->given_up += conn->answering != conn->oldest;
		finish_oldest(conns, conn, OUTCOME_UNSEEN, now_ns);
		exchange = exchange_new(&conns->exchanges);
	}
	self_add(SELF_PENDING_REFUSED, !exchange);
	return exchange;
}

void match_request_head(struct conns *conns, struct conn *conn, const struct message *message)
{
	struct exchange *exchange;

	if (conn->open == CONN_OPEN_MAX)	/* for all we know, what answers them is out of sight */
		finish_oldest(conns, conn, OUTCOME_UNSEEN, conn->request.head_ns);
	exchange = need_exchange(conns, conn->request.head_ns);
	conn->reading = NULL;
	if (!exchange)
		return;
	exchange->conn = conn;
	exchange->protocol = conn->protocol;
	exchange->endpoints = conn->endpoints;
	exchange->role = conn->request_dir == SOCKET_RX ? ROLE_SERVER : ROLE_CLIENT;
	exchange->start_ns = conn->request.head_ns;
	exchange->seq = conn->request.head_seq;
	exchange->ack = conn->request.head_ack;
	exchange_set_request(exchange, message);
	if (conn->newest)
		conn->newest->next = exchange;
	else
		conn->oldest = exchange;
	conn->newest = exchange;
	conn->open++;
	conn->reading = exchange;
	try_early(conns, conn);
	if (conn->response.state == STREAM_DEAD)	/* its answer switched protocols */
		give_up(conns, conn);
}

void match_request_end(struct conn *conn)
{
	if (conn->reading)
		conn->reading->request_bytes = conn->request.body_bytes;
	conn->reading = NULL;
}

/* The open request that a response read up to position `ack` answers, or NULL. */
static struct exchange *answered_by(struct conns *conns, struct conn *conn, uint32_t ack)
{
	if (!conn->oldest || !before(conn->oldest->seq, ack))
		return NULL;
	/* responses went by unseen: this one is to the last request it can be an answer to */
	while (conn->response.resynced && conn->oldest->next && before(conn->oldest->next->seq, ack))
		finish_oldest(conns, conn, OUTCOME_UNSEEN, conn->response.head_ns);
	return conn->oldest;
}

/* Is it to a request that made room for another? */
static bool answers_given_up(struct conn *conn)
{
	if (conn->response.resynced)
		conn->given_up = 0;	/* went by unseen, for all we know */
	if (!conn->given_up)
		return false;
	conn->given_up--;
	self_add(SELF_UNMATCHED_RESPONSES, 1);
	return true;
}

void match_response_head(struct conns *conns, struct conn *conn, const struct message *message)
{
	struct exchange *exchange;

	conn->interim = message->interim;
	if (message->interim)
		return;
	if (conn->answering)	/* the end of the response before was not seen */
		finish_oldest(conns, conn, OUTCOME_UNSEEN, conn->response.last_ns);
	if (answers_given_up(conn))
		return;
	exchange = answered_by(conns, conn, conn->response.head_ack);
	conn->response.resynced = false;
	conn->answering = exchange;
	if (exchange) {
		exchange->code = message->code;
		return;
	}
	if (conn->early.held)
		self_add(SELF_UNMATCHED_RESPONSES, 1);
	conn->early = (struct early_response){
		.held = true, .ack = conn->response.head_ack, .code = message->code,
	};
}

void match_response_end(struct conns *conns, struct conn *conn, uint64_t end_ns)
{
	if (conn->interim)
		return;
	if (conn->answering) {
		match_finish_answered(conns, conn, end_ns);
	} else if (conn->early.held && !conn->early.done) {
		conn->early.done = true;
		conn->early.end_ns = end_ns;
		conn->early.body_bytes = conn->response.body_bytes;
	}
}

void match_upgrade(struct conns *conns, struct conn *conn, uint64_t end_ns)
{
	match_response_end(conns, conn, end_ns);
	self_add(SELF_UPGRADED, 1);
	if (conn->early.held)		/* its request is still to come */
		stream_reset(&conn->response, &conns->heads, STREAM_DEAD);
	else
		give_up(conns, conn);
}

/* A next request, no pipeline: what passed since the one before was its response, readable or not. */
void match_unseen(struct conns *conns, struct conn *conn)
{
	const struct stream *response = &conn->response;

	if (response->state == STREAM_LOST && conn->open == 1 &&
	    before(conn->oldest->seq, response->last_ack))
		finish_oldest(conns, conn, OUTCOME_UNSEEN, response->last_ns);
}

void match_bad(struct conns *conns, struct conn *conn)
{
	if (conn->request.spoke || conn->response.spoke || conn->joined)
		return;			/* is ours, or may be: it will be found again */
	self_add(SELF_NOT_HTTP, 1);
	give_up(conns, conn);
}

/* Nothing more can answer the open requests. */
void match_finish(struct conns *conns, struct conn *conn, bool closed, uint64_t now_ns)
{
	bool unseen = !closed || conn->response.state == STREAM_LOST;

	while (conn->oldest)
		finish_oldest(conns, conn, unseen ? OUTCOME_UNSEEN : conn->answering ?
			      OUTCOME_INCOMPLETE : OUTCOME_UNANSWERED, now_ns);
}

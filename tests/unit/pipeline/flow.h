/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of connections and matching: records in, finished exchanges remembered. Every test
 * checks at its end that all exchanges came back and that no memory was allocated on the way.
 */
#ifndef TESTS_UNIT_PIPELINE_FLOW_H
#define TESTS_UNIT_PIPELINE_FLOW_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/cleanup.h"
#include "model/self.h"
#include "pipeline/conn.h"
#include "unit/pipeline/mallocs.h"
#include "unit/pipeline/record.h"

#define DONE_MAX 256

struct done {
	enum outcome outcome;
	enum role role;
	int64_t code;
	uint64_t request_bytes, response_bytes, start_ns, end_ns;
	uint32_t tgid, seq;
	char method[16], target[64];
	bool cut;
};

struct flow {
	struct conns conns;
	struct wire wire;
	struct done done[DONE_MAX];
	unsigned count;			/* exchanges finished */
	unsigned ignored;		/* connections given up */
};

static inline void flow_finished(void *context, struct exchange *exchange)
{
	struct flow *flow = context;
	struct done *done = &flow->done[flow->count++ % DONE_MAX];

	*done = (struct done){
		.outcome = exchange->outcome, .role = exchange->role, .code = exchange->code,
		.request_bytes = exchange->request_bytes,
		.response_bytes = exchange->response_bytes, .start_ns = exchange->start_ns,
		.end_ns = exchange->end_ns, .tgid = exchange->tgid, .seq = exchange->seq,
		.cut = exchange->request.cut,
	};
	snprintf(done->method, sizeof(done->method), "%.*s", BYTES_ARG(exchange->request.operation));
	snprintf(done->target, sizeof(done->target), "%.*s", BYTES_ARG(exchange->request.target));
	exchange_free(&flow->conns.exchanges, exchange);
}

static inline void flow_ignore(void *context, uint64_t id)
{
	struct flow *flow = context;

	flow->ignored++;
}

static inline void flow_init_sized(struct flow *flow, uint32_t conns_max, uint32_t exchanges_max,
				   uint32_t heads_max)
{
	memset(self_values, 0, sizeof(self_values));
	assert_int_equal(conns_init(&flow->conns, conns_max, exchanges_max, heads_max), 0);
	flow->conns.finished = flow_finished;
	flow->conns.ignore = flow_ignore;
	flow->conns.context = flow;
	flow->count = flow->ignored = 0;
	wire_init(&flow->wire, 1, SOCKET_RX);
}

static inline void flow_init(struct flow *flow)
{
	flow_init_sized(flow, 64, 256, 16);
}

/* A few head buffers may be in use as long as their connections live. */
static inline unsigned heads_used(const struct head_pool *pool)
{
	unsigned used = pool->touched;

	for (const struct head_buffer *free = pool->free; free; free = free->next)
		used--;
	return used;
}

static inline void flow_done(struct flow *flow)
{
	mallocs_count(true);
	conns_finish_all(&flow->conns);
	mallocs_count(false);
	assert_int_equal(flow->conns.exchanges.used, 0);
	assert_int_equal(flow->conns.table.used, 0);
	assert_int_equal(heads_used(&flow->conns.heads), 0);
	assert_int_equal(mallocs_counted(), 0);
	conns_done(&flow->conns);
}

/* Sends what was built on `wire`, with the record's flags. */
static inline void flow_send_of(struct flow *flow, struct wire *wire, unsigned flags)
{
	struct socket_event *event = wire_take(wire, flags);

	mallocs_count(true);
	conns_record(&flow->conns, event, record_payload(event));
	mallocs_count(false);
	free(event);
}

static inline void flow_send(struct flow *flow)
{
	flow_send_of(flow, &flow->wire, 0);
}

static inline void flow_close(struct flow *flow)
{
	flow_send_of(flow, &flow->wire, SOCKET_CLOSED);
}

/* One call, one record. */
static inline void flow_request(struct flow *flow, const char *text)
{
	wire_seen(&flow->wire, wire_request(&flow->wire), text);
	flow_send(flow);
}

static inline void flow_response(struct flow *flow, const char *text)
{
	wire_seen(&flow->wire, wire_response(&flow->wire), text);
	flow_send(flow);
}

static inline void flow_request_unseen(struct flow *flow, size_t len)
{
	wire_unseen(&flow->wire, wire_request(&flow->wire), len);
	flow_send(flow);
}

static inline void flow_response_unseen(struct flow *flow, size_t len)
{
	wire_unseen(&flow->wire, wire_response(&flow->wire), len);
	flow_send(flow);
}

/* Exchange number `i` as it finished. */
static inline void is_done(const struct flow *flow, unsigned i, const char *target,
			   enum outcome outcome, int64_t code)
{
	assert_true(i < flow->count);
	assert_string_equal(flow->done[i].target, target);
	assert_int_equal(flow->done[i].outcome, outcome);
	assert_int_equal(flow->done[i].code, code);
}

static inline void is_answered(const struct flow *flow, unsigned i, const char *target, int64_t code)
{
	is_done(flow, i, target, OUTCOME_ANSWERED, code);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define OK_5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

#endif

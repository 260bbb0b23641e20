/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: records in, finished exchanges out. Matches responses to requests in order (HTTP/1
 * answers in order), proven by stream positions: a response answers a request that began before the
 * position its sender had read to. What cannot be matched is counted, never guessed.
 *
 * State can be built anew from any record, so forgetting a connection costs at most what was
 * in flight on it.
 */
#ifndef SONDE_PIPELINE_CONN_H
#define SONDE_PIPELINE_CONN_H

#include <stdint.h>

#include "base/table.h"
#include "event/socket.h"
#include "pipeline/exchange.h"
#include "pipeline/stream.h"

#define CONN_OPEN_MAX 1024	/* requests open on one connection; beyond it the oldest is given up */

/* What a response turned out to be before its request was seen (its sender's hook came late). */
struct early_response {
	bool held, done;
	uint32_t ack;
	int64_t code;
	uint64_t end_ns, body_bytes;
};

struct conn {
	uint64_t id;			/* the table's key */
	uint32_t newer, older;		/* in order of use: table index + 1, 0 = none */
	uint64_t used_ns;
	struct endpoints endpoints;
	uint32_t tgid, tid;		/* of the last call */
	uint8_t request_dir;		/* enum socket_dir */
	bool joined;			/* its first records were not seen: it may begin in mid-message */
	bool interim;			/* the present response is one (1xx) */
	uint16_t open;			/* requests from `oldest` to `newest` */
	uint32_t given_up;		/* requests before `oldest` whose responses are still to come */
	const struct protocol *protocol;
	struct stream request, response;
	struct exchange *oldest, *newest;	/* requests without a finished response */
	struct exchange *reading;	/* its request body is coming in; NULL: none */
	struct exchange *answering;	/* its response is coming in: `oldest`, or NULL */
	struct early_response early;
};

struct conns {
	struct table table;		/* of struct conn */
	struct exchange_pool exchanges;
	struct head_pool heads;
	uint32_t newest, oldest;	/* table index + 1 */

	/* The exchange is handed over; give it back with exchange_free(). */
	void (*finished)(void *context, struct exchange *exchange);
	/* This connection is of no further interest: stop copying it. */
	void (*ignore)(void *context, uint64_t id);
	void *context;
};

/* Returns 0 or -errno. The callbacks are set by the caller afterwards. */
int conns_init(struct conns *conns, uint32_t connections_max, uint32_t exchanges_max,
	       uint32_t heads_max);
void conns_done(struct conns *conns);

/* One record, validated (source/socket.h). */
void conns_record(struct conns *conns, const struct socket_event *event, struct bytes payload);

/*
 * Nobody tells the end of a Unix socket: a response that ends with it counts as ended, at its last
 * call, on those that were not used since `before_ns`.
 */
void conns_quiet(struct conns *conns, uint64_t before_ns);

#define CONN_OPEN_IDLE_NS (3600ull * 1000000000)	/* the record that told its end may have been lost */

/*
 * Forgets connections that were not used since `before_ns`; those with an open request, which may be a
 * long poll, CONN_OPEN_IDLE_NS later, unless they are Unix sockets, whose end nobody tells.
 */
void conns_expire(struct conns *conns, uint64_t before_ns);

/* The end: whatever is open is finished as it stands. */
void conns_finish_all(struct conns *conns);

#endif

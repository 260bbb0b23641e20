/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request and what became of it: the one thing aggregation and tracing see. Taken from a fixed
 * pool at the request's head, given back when it has been counted. It owns all its texts, so it may
 * outlive the record, the connection and the process.
 */
#ifndef SONDE_PIPELINE_EXCHANGE_H
#define SONDE_PIPELINE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/span.h"
#include "protocol/protocol.h"

#define EXCHANGE_TEXT_MAX 1200	/* bytes of all texts kept of one request; what is longer is cut */

enum outcome {
	OUTCOME_ANSWERED,
	OUTCOME_UNANSWERED,	/* the connection ended first */
	OUTCOME_INCOMPLETE,	/* ... in the middle of the response */
	OUTCOME_UNSEEN,		/* answered, for all we know, but the response was not seen */
};

/* Both ends of the connection it came over, from this process's view; network order addresses. */
struct endpoints {
	uint8_t family;			/* AF_* */
	uint16_t local_port, remote_port;
	uint32_t netns;			/* inode */
	uint8_t local_addr[16], remote_addr[16];
};

struct conn;

struct exchange {
	struct exchange *next;
	struct conn *conn;		/* on which it is open; NULL: it no longer is */
	const struct protocol *protocol;
	struct endpoints endpoints;
	enum role role;
	enum outcome outcome;
	uint32_t tgid, tid;		/* of the call that brought (the end of) the response */
	uint64_t start_ns, end_ns;	/* CLOCK_MONOTONIC: first byte of the request, last of the response */
	uint32_t seq, ack;		/* positions at its first byte: the key both ends share */
	int64_t code;			/* 0: none was seen */
	uint64_t request_bytes, response_bytes;	/* bodies */
	struct message request;		/* its bytes point into `text` */
	uint64_t waiting_since_ns;	/* for its process to be known; 0: not waiting */
	uint16_t text_used;
	char text[EXCHANGE_TEXT_MAX];
};

/* Fixed number of exchanges; memory costs once touched. */
struct exchange_pool {
	struct exchange *all, *free;
	uint32_t max, used, touched;
	uint32_t hand;			/* of exchange_any() */
};

int exchange_pool_init(struct exchange_pool *pool, uint32_t max);
void exchange_pool_done(struct exchange_pool *pool);

/* NULL when all are in use. Everything but `text` is zeroed. */
struct exchange *exchange_new(struct exchange_pool *pool);
void exchange_free(struct exchange_pool *pool, struct exchange *exchange);

/* When all are in use: one of them, the next time another. Who holds many is met often. */
struct exchange *exchange_any(struct exchange_pool *pool);

/* Remembers a request's head: the texts are copied, cut where there is no room. */
void exchange_set_request(struct exchange *exchange, const struct message *request);

#endif

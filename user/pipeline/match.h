/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and responses of one connection, matched. See conn.h for the rule. */
#ifndef SONDE_PIPELINE_MATCH_H
#define SONDE_PIPELINE_MATCH_H

#include "pipeline/conn.h"

/* A request begins; `message` is its head. */
void match_request_head(struct conns *conns, struct conn *conn, const struct message *message);

/* The body of the request that is coming in has ended. */
void match_request_end(struct conn *conn);

/* A response begins: to which request follows from the positions. */
void match_response_head(struct conns *conns, struct conn *conn, const struct message *message);

/* The response that is coming in has ended, with a call at `end_ns`. */
void match_response_end(struct conns *conns, struct conn *conn, uint64_t end_ns);

/* The response switches to another protocol: nothing more is read here. */
void match_upgrade(struct conns *conns, struct conn *conn, uint64_t end_ns);

/* Bytes that are none of the protocol's: the connection is given up unless it was known to be. */
void match_bad(struct conns *conns, struct conn *conn);

/* A next request comes while the response to the one before could not be read: it is over. */
void match_unseen(struct conns *conns, struct conn *conn);

/* The request being answered has been answered. */
void match_finish_answered(struct conns *conns, struct conn *conn, uint64_t end_ns);

/* Nothing more can answer the open requests. `closed`: since the connection has ended. */
void match_finish(struct conns *conns, struct conn *conn, bool closed, uint64_t now_ns);

#endif

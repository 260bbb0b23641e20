/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server in a loop: GET and HEAD, whole replies from memory, gzip where the client
 * takes it. At most 64 connections, 16 from one address, 10 s of silence each.
 */
#ifndef SONDE_EXPORT_HTTP_SERVER_H
#define SONDE_EXPORT_HTTP_SERVER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"

/* Borrowed until the handler returns. */
struct http_request {
	struct bytes path;		/* without query */
	struct bytes accept;		/* header field; empty: none */
};

/* Set by the handler; starts as 200, text/plain, empty. */
struct http_reply {
	unsigned status;
	const char *type;		/* Content-Type, static */
	struct buf body;		/* at most HTTP_BODY_MAX */
};

#define HTTP_BODY_MAX (64u << 20)	/* bytes */
#define HTTP_TYPE_TEXT "text/plain; charset=utf-8"

typedef void (*http_handler)(void *context, const struct http_request *request,
			     struct http_reply *reply);

struct http_server;

/*
 * Listens on `listen`: ADDR:PORT, [ADDR]:PORT, or :PORT for all addresses; port 0: any free one.
 * Returns 0 or -errno, logged: -EADDRINUSE when the port is taken.
 */
int http_server_open(struct loop *loop, const char *listen, http_handler handler, void *context,
		     struct http_server **ret_server);

/* The port it listens on. */
uint16_t http_server_port(const struct http_server *server);

/* Closes all connections; NULL is allowed. */
void http_server_close(struct http_server *server);

#endif

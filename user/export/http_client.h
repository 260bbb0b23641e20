/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP POST without waiting: libcurl's multi interface in a loop. Connections are kept alive;
 * nothing blocks the loop (names are resolved by libcurl's own thread).
 */
#ifndef SONDE_EXPORT_HTTP_CLIENT_H
#define SONDE_EXPORT_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/loop.h"
#include "config/config.h"

struct http_client;
struct http_call;

/* What came of a POST. Borrowed until the callback returns. */
struct http_result {
	long status;			/* 0: no answer */
	const char *error;		/* why there is no answer */
	uint64_t retry_after_ns;	/* what the receiver asks for; 0: nothing */
	struct bytes body;		/* at most the first 64 KiB */
};

/* Called once a POST, from the loop. It may send the same call again. */
typedef void (*http_done)(void *context, const struct http_result *result);

struct http_call_options {
	const char *url;
	const char *content_type;
	const struct config_list *headers;	/* key=value */
	uint64_t timeout_ns;
	const char *certificate;		/* PEM file of authorities; NULL: the system's */
	bool gzip;				/* bodies are compressed */
	http_done done;
	void *context;
};

/* Both return 0 or a negative errno. */
int http_client_open(struct loop *loop, struct http_client **ret_client);
int http_call_new(struct http_client *client, const struct http_call_options *options,
		  struct http_call **ret_call);

/*
 * `body` is borrowed until `done` is called. One at a time. Returns 0 or -errno: `done` is not
 * called.
 */
int http_call_send(struct http_call *call, struct bytes body);

/* Breaks off what is under way: `done` is not called. NULL is allowed. */
void http_call_free(struct http_call *call);

/* After all its calls are freed; NULL is allowed. */
void http_client_close(struct http_client *client);

#endif

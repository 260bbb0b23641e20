/* SPDX-License-Identifier: Apache-2.0 */
/* Series, stores and batches to export, and a plain HTTP client: for the tests of this folder. */
#ifndef TESTS_UNIT_EXPORT_FIXTURE_H
#define TESTS_UNIT_EXPORT_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/loop.h"
#include "export/store.h"
#include "model/batch.h"
#include "model/self.h"

#define CONTAINER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static inline struct resource *make_resource(const char *service, const char *container)
{
	struct resource from = {
		.service_name = bytes_of_text(service), .container_id = bytes_of_text(container),
		.executable = BYTES("hello"),
	};

	return resource_new(&from);
}

/* GET `route` answered with `code`; no requests yet. Free with free(). */
static inline struct series *make_series(uint32_t id, const struct resource *resource,
					 const char *route, int64_t code)
{
	struct series *series = calloc(1, sizeof(*series));

	series->id = id;
	series->semconv = &http_semconv;
	series->resource = resource;
	series->role = ROLE_SERVER;
	series->start_ns = 1700000000 * NSEC_PER_SEC;
	series->operation = BYTES("GET");
	snprintf(series->text, sizeof(series->text), "%s", route);
	series->route = bytes_of_text(series->text);
	series->code = code;
	series->server_port = 8080;
	if (code >= 500)
		series->error_type = BYTES("500");
	exponential_init(&series->duration);
	return series;
}

static inline void add_request(struct series *series, uint64_t ns, uint64_t request_bytes,
			       uint64_t response_bytes)
{
	histogram_add(&series->histogram[SERIES_DURATION], &duration_bounds, 1e9, ns);
	histogram_add(&series->histogram[SERIES_REQUEST_SIZE], &size_bounds, 1, request_bytes);
	histogram_add(&series->histogram[SERIES_RESPONSE_SIZE], &size_bounds, 1, response_bytes);
	exponential_add(&series->duration, ns);
}

/* A copy of `series` in the batch. */
static inline struct series *put_series(struct batch *batch, const struct series *series)
{
	struct series *copy = arena_alloc(&batch->arena, sizeof(*copy));

	assert_non_null(copy);
	if (!batch->series)
		batch->series = copy;
	series_copy(copy, series);
	batch->series_count++;
	return copy;
}

static inline void put_in_store(struct metric_store *store, const struct series *series)
{
	struct batch *batch = batch_new(1, 1 << 16);

	put_series(batch, series);
	store_update(store, batch);
	batch_free(batch);
}

static inline struct span make_span(const struct resource *resource, uint64_t seed)
{
	struct span span = {
		.semconv = &http_semconv,
		.resource = resource,
		.sampled = true,
		.start_ns = 1000000 + seed,
		.end_ns = 3500000 + seed,
		.role = ROLE_SERVER,
		.code = 200,
		.request_bytes = 0,
		.response_bytes = 13,
		.tgid = 7,
		.tid = 8,
		.server_port = 8080,
		.client_port = 40000,
		.operation = BYTES("GET"),
		.target = BYTES("/users/42"),
		.query = BYTES("page=2"),
		.route = BYTES("/users/{id}"),
		.scheme = BYTES("http"),
		.version = BYTES("1.1"),
		.client_address = BYTES("10.0.0.7"),
		.server_address = BYTES("hello"),
		.user_agent = BYTES("curl/8"),
	};

	memcpy(span.context.span_id, &seed, sizeof(seed));
	memset(span.context.trace_id, 0xab, sizeof(span.context.trace_id));
	return span;
}

/* The buffer as a string, NUL added. */
static inline const char *text_of(struct buf *buf)
{
	assert_int_equal(buf_add_byte(buf, 0), 0);
	buf->len--;
	return (const char *)buf->at;
}

static inline void assert_contains(struct buf *buf, const char *part)
{
	if (!strstr(text_of(buf), part))
		fail_msg("no `%s` in:\n%s", part, text_of(buf));
}

static inline void assert_lacks(struct buf *buf, const char *part)
{
	if (strstr(text_of(buf), part))
		fail_msg("`%s` is in:\n%s", part, text_of(buf));
}

static inline int connect_to(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Turns the loop once; fails the test when nothing happens for 10 s. */
static inline void turn(struct loop *loop)
{
	assert_true(loop_once(loop, 10000) > 0);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation as seen at one end, ready to export: an OpenTelemetry span. Which field
 * becomes which attribute is the protocol's table (model/semconv.h), so exporters know no
 * protocol. Texts live in the batch that carries the span.
 */
#ifndef SONDE_MODEL_SPAN_H
#define SONDE_MODEL_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum role { ROLE_SERVER, ROLE_CLIENT };

enum span_status { SPAN_UNSET, SPAN_ERROR };

struct semconv;
struct resource;

struct trace_context {
	uint8_t trace_id[16], span_id[8], parent_span_id[8];	/* all zero: none */
};

struct span {
	const struct semconv *semconv;
	const struct resource *resource;
	struct trace_context context;
	uint64_t start_ns, end_ns;	/* CLOCK_MONOTONIC; the batch has the offset to UTC */
	enum role role;
	enum span_status status;
	bool sampled;			/* false: only for --print, not to be exported */
	int64_t code;			/* status of the protocol (HTTP 200); 0: none was seen */
	uint64_t request_bytes, response_bytes;	/* of the bodies */
	uint32_t tgid, tid;		/* of the thread that finished the exchange */
	uint16_t server_port, client_port;	/* 0: unknown, or a Unix socket */
	struct bytes operation;		/* HTTP: the method */
	struct bytes target;		/* HTTP: the path */
	struct bytes query;		/* HTTP: after `?`, redacted */
	struct bytes full;		/* HTTP client: the whole URL, redacted */
	struct bytes route;		/* low-cardinality form of target */
	struct bytes scheme;
	struct bytes version;		/* of the protocol: "1.1" */
	struct bytes client_address, server_address;
	struct bytes user_agent;
	struct bytes error_type;	/* "500", "connection_closed"; empty: no error */
};

#endif

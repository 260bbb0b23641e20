/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP in OpenTelemetry's words (semantic conventions 1.37, "HTTP spans" and "HTTP metrics"): how
 * the exporters name the fields of spans and series whose protocol is HTTP.
 */
#include "base/cleanup.h"
#include "model/semconv.h"
#include "model/series.h"
#include "model/span.h"

#define SPAN(name, type, field, help) \
	{ name, NULL, ATTRIBUTE_##type, offsetof(struct span, field), help }
#define METRIC(name, label, type, field, help) \
	{ name, label, ATTRIBUTE_##type, offsetof(struct series, field), help }

#define HELP_METHOD "Request method as sent, `_OTHER` when it is none of the registered ones."
#define HELP_STATUS "Response status code; absent when the connection ended before a response."
#define HELP_ERROR                                                                                 \
	"Status code of a failed request, or why there was no response; absent when it succeeded."
#define HELP_ROUTE "Low-cardinality form of the path: configured pattern, or the heuristic's."

static const struct attribute server_span[] = {
	SPAN("http.request.method", TEXT, operation, HELP_METHOD),
	SPAN("http.response.status_code", I64, code, HELP_STATUS),
	SPAN("http.route", TEXT, route, HELP_ROUTE),
	SPAN("url.path", TEXT, target, "Path of the request target, without query."),
	SPAN("url.query", TEXT, query, "Query of the request target, secret values hidden."),
	SPAN("url.scheme", TEXT, scheme, "http or https."),
	SPAN("client.address", TEXT, client_address,
	     "Address of the client, from the forwarding header if there is one."),
	SPAN("server.address", TEXT, server_address, "Host the request was for."),
	SPAN("server.port", U16, server_port, "Port the request was for."),
	SPAN("network.protocol.version", TEXT, version, "Version of HTTP: 1.0, 1.1."),
	SPAN("user_agent.original", TEXT, user_agent, "User-Agent header of the request."),
	SPAN("http.request.body.size", U64, request_bytes, "Size of the request body, bytes."),
	SPAN("http.response.body.size", U64, response_bytes, "Size of the response body, bytes."),
	SPAN("error.type", TEXT, error_type, HELP_ERROR),
	SPAN("thread.id", U32, tid, "Thread of the observed process that finished the request."),
	SPAN("process.pid", U32, tgid, "Observed process, in the agent's pid namespace."),
	{ NULL },
};

static const struct attribute client_span[] = {
	SPAN("http.request.method", TEXT, operation, HELP_METHOD),
	SPAN("http.response.status_code", I64, code, HELP_STATUS),
	SPAN("url.full", TEXT, full, "Absolute URL of the request, secret values hidden."),
	SPAN("server.address", TEXT, server_address, "Host the request was for."),
	SPAN("server.port", U16, server_port, "Port the request was for."),
	SPAN("network.protocol.version", TEXT, version, "Version of HTTP: 1.0, 1.1."),
	SPAN("user_agent.original", TEXT, user_agent, "User-Agent header of the request."),
	SPAN("http.request.body.size", U64, request_bytes, "Size of the request body, bytes."),
	SPAN("http.response.body.size", U64, response_bytes, "Size of the response body, bytes."),
	SPAN("error.type", TEXT, error_type, HELP_ERROR),
	SPAN("thread.id", U32, tid, "Thread of the observed process that finished the request."),
	SPAN("process.pid", U32, tgid, "Observed process, in the agent's pid namespace."),
	{ NULL },
};

static const struct attribute server_metric[] = {
	METRIC("http.request.method", "http_request_method", TEXT, operation, HELP_METHOD),
	METRIC("http.response.status_code", "http_response_status_code", I64, code, HELP_STATUS),
	METRIC("http.route", "http_route", TEXT, route, HELP_ROUTE),
	METRIC("server.port", "server_port", U16, server_port, "Port the server listens on."),
	METRIC("error.type", "error_type", TEXT, error_type, HELP_ERROR),
	{ NULL },
};

static const struct attribute client_metric[] = {
	METRIC("http.request.method", "http_request_method", TEXT, operation, HELP_METHOD),
	METRIC("http.response.status_code", "http_response_status_code", I64, code, HELP_STATUS),
	METRIC("server.address", "server_address", TEXT, server_address,
	       "Host the request was for."),
	METRIC("server.port", "server_port", U16, server_port, "Port the request was for."),
	METRIC("error.type", "error_type", TEXT, error_type, HELP_ERROR),
	{ NULL },
};

static const struct instrument server_instrument[SERIES_HISTOGRAMS] = {
	[SERIES_DURATION] = {
		"http.server.request.duration",
		"http_server_request_duration_seconds",
		"s",
		"Duration of HTTP server requests, from the first byte of the request to "
		"the last byte of the response, in seconds.",
		&duration_bounds,
	},
	[SERIES_REQUEST_SIZE] = {
		"http.server.request.body.size",
		"http_server_request_body_size_bytes",
		"By",
		"Size of HTTP server request bodies, in bytes.",
		&size_bounds,
	},
	[SERIES_RESPONSE_SIZE] = {
		"http.server.response.body.size",
		"http_server_response_body_size_bytes",
		"By",
		"Size of HTTP server response bodies, in bytes.",
		&size_bounds,
	},
};

static const struct instrument client_instrument[SERIES_HISTOGRAMS] = {
	[SERIES_DURATION] = {
		"http.client.request.duration",
		"http_client_request_duration_seconds",
		"s",
		"Duration of HTTP client requests, from the first byte of the request to "
		"the last byte of the response, in seconds.",
		&duration_bounds,
	},
	[SERIES_REQUEST_SIZE] = {
		"http.client.request.body.size",
		"http_client_request_body_size_bytes",
		"By",
		"Size of HTTP client request bodies, in bytes.",
		&size_bounds,
	},
	[SERIES_RESPONSE_SIZE] = {
		"http.client.response.body.size",
		"http_client_response_body_size_bytes",
		"By",
		"Size of HTTP client response bodies, in bytes.",
		&size_bounds,
	},
};

/* The registered methods (RFC 9110, 9.3; RFC 5789); others would let a peer make series at will. */
static struct bytes http_bound_operation(struct bytes method)
{
	static const struct bytes known[] = {
		BYTES("GET"), BYTES("POST"), BYTES("PUT"), BYTES("HEAD"), BYTES("DELETE"),
		BYTES("OPTIONS"), BYTES("PATCH"), BYTES("CONNECT"), BYTES("TRACE"),
	};

	for (unsigned i = 0; i < ARRAY_LEN(known); i++)
		if (bytes_equal(known[i], method))
			return known[i];
	return BYTES("_OTHER");
}

/* 4xx is the client's mistake: an error of the client's span, not of the server's. */
static bool http_failed(unsigned role, int64_t code)
{
	return code >= (role == ROLE_SERVER ? 500 : 400);
}

const struct semconv http_semconv = {
	.scope = "http",
	.span = { [ROLE_SERVER] = server_span, [ROLE_CLIENT] = client_span },
	.metric = { [ROLE_SERVER] = server_metric, [ROLE_CLIENT] = client_metric },
	.instrument = { [ROLE_SERVER] = server_instrument, [ROLE_CLIENT] = client_instrument },
	.bound_operation = http_bound_operation,
	.failed = http_failed,
};

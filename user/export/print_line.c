/* SPDX-License-Identifier: Apache-2.0 */
/* Spans as lines of text or JSON; written out by print.c. */
#include "export/print_line.h"

#include <time.h>

#include "base/clock.h"
#include "model/resource.h"

/* RFC 3339, UTC, milliseconds. */
static void add_time(struct buf *out, uint64_t unix_ns)
{
	time_t seconds = unix_ns / NSEC_PER_SEC;
	char text[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(out, "%s.%03uZ", text, (unsigned)(unix_ns % NSEC_PER_SEC / NSEC_PER_MSEC));
}

/* What a peer sent must neither start a line of its own nor steer a terminal. */
static void add_plain(struct buf *out, struct bytes text)
{
	size_t start = out->len;

	if (buf_add_bytes(out, text) < 0)
		return;
	for (size_t i = start; i < out->len; i++) {
		if (out->at[i] < 0x20 || out->at[i] == 0x7f)
			out->at[i] = '?';
	}
}

static void add_field(struct buf *out, const char *name, struct bytes value)
{
	if (!value.len)
		return;
	buf_printf(out, " %s=", name);
	add_plain(out, value);
}

static const char *role_of(const struct span *span)
{
	return span->role == ROLE_SERVER ? "server" : "client";
}

static struct bytes service_of(const struct span *span)
{
	return span->resource ? span->resource->service_name : BYTES("-");
}

void print_add_text(struct buf *out, const struct span *span, int64_t realtime_offset_ns)
{
	bool client = span->role == ROLE_CLIENT;

	add_time(out, span->start_ns + realtime_offset_ns);
	buf_add_byte(out, ' ');
	add_plain(out, service_of(span));
	buf_printf(out, " %s ", role_of(span));
	add_plain(out, span->operation);
	buf_add_byte(out, ' ');
	add_plain(out, client && span->full.len ? span->full : span->target);
	if (span->code)
		buf_printf(out, " %lld", (long long)span->code);
	else
		buf_add_text(out, " -");
	buf_printf(out, " %.3fms in=%lluB out=%lluB", (double)(span->end_ns - span->start_ns) / 1e6,
		   (unsigned long long)span->request_bytes,
		   (unsigned long long)span->response_bytes);
	add_field(out, "route", span->route);
	if (client)
		add_field(out, "server", span->server_address);
	else
		add_field(out, "client", span->client_address);
	add_field(out, "error", span->error_type);
	buf_add_byte(out, '\n');
}

static void add_json_text(struct buf *out, const char *key, struct bytes value)
{
	if (!value.len)
		return;
	buf_printf(out, ",\"%s\":\"", key);
	buf_add_json(out, value);
	buf_add_byte(out, '"');
}

static void add_json_id(struct buf *out, const char *key, const uint8_t *id, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= id[i];
	if (!any)
		return;
	buf_printf(out, ",\"%s\":\"", key);
	for (size_t i = 0; i < len; i++)
		buf_printf(out, "%02x", id[i]);
	buf_add_byte(out, '"');
}

static void add_json_number(struct buf *out, const char *key, uint64_t value)
{
	if (value)
		buf_printf(out, ",\"%s\":%llu", key, (unsigned long long)value);
}

void print_add_json(struct buf *out, const struct span *span, int64_t realtime_offset_ns)
{
	buf_add_text(out, "{\"time\":\"");
	add_time(out, span->start_ns + realtime_offset_ns);
	buf_printf(out, "\",\"role\":\"%s\"", role_of(span));
	add_json_text(out, "service", service_of(span));
	if (span->resource)
		add_json_text(out, "container", span->resource->container_id);
	add_json_text(out, "method", span->operation);
	add_json_text(out, "path", span->target);
	add_json_text(out, "query", span->query);
	add_json_text(out, "url", span->full);
	add_json_text(out, "route", span->route);
	add_json_number(out, "status", (uint64_t)span->code);
	add_json_text(out, "error", span->error_type);
	buf_printf(out, ",\"duration_seconds\":%.9f",
		   (double)(span->end_ns - span->start_ns) / 1e9);
	buf_printf(out, ",\"request_bytes\":%llu,\"response_bytes\":%llu",
		   (unsigned long long)span->request_bytes,
		   (unsigned long long)span->response_bytes);
	add_json_text(out, "client", span->client_address);
	add_json_text(out, "server", span->server_address);
	add_json_number(out, "server_port", span->server_port);
	add_json_text(out, "user_agent", span->user_agent);
	add_json_number(out, "pid", span->tgid);
	add_json_id(out, "trace_id", span->context.trace_id, sizeof(span->context.trace_id));
	add_json_id(out, "span_id", span->context.span_id, sizeof(span->context.span_id));
	add_json_id(out, "parent_span_id", span->context.parent_span_id,
		    sizeof(span->context.parent_span_id));
	buf_add_text(out, "}\n");
}

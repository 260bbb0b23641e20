/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans of a batch -> ExportTraceServiceRequest payloads, grouped by resource; the queue of otlp.c
 * takes them. With every request of a busy machine coming through, a span must cost little: see
 * otlp_span.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "export/otlp_encode.h"
#include "export/otlp_span.h"
#include "export/pb.h"

enum { RESOURCE_SPANS = 1, SCOPE_SPANS = 2, SPANS = 2 };

#define SLOTS (2 * OTLP_SPANS_MAX)	/* of the map from resource to group; a power of two */

#define CACHE_LINE 64

/* Spans of one resource in the chunk at hand, as a list of indices that ends with -1. */
struct group {
	const struct resource *resource;
	int32_t first, last;
};

struct otlp_spans {
	size_t payload_bytes;
	otlp_sink sink;
	void *context;
	struct span_tables tables;
	struct buf body;
	uint32_t in_body;			/* spans */
	size_t resource_mark, scope_mark;	/* open messages */
	struct group group[OTLP_SPANS_MAX];
	uint32_t groups;
	int32_t next[OTLP_SPANS_MAX];		/* by span of the chunk */
	uint16_t slot[SLOTS];			/* group + 1; 0: free */
};

int otlp_spans_new(size_t payload_bytes, otlp_sink sink, void *context,
		   struct otlp_spans **ret_spans)
{
	struct otlp_spans *spans = calloc(1, sizeof(*spans));

	if (!spans)
		return -ENOMEM;
	spans->payload_bytes = payload_bytes;
	spans->sink = sink;
	spans->context = context;
	span_tables_init(&spans->tables);
	/* room for what the last span, and the resource it opens, may add */
	buf_init(&spans->body, 2 * payload_bytes + 4 * SPAN_BYTES_MAX);
	*ret_spans = spans;
	return 0;
}

void otlp_spans_free(struct otlp_spans *spans)
{
	if (!spans)
		return;
	buf_done(&spans->body);
	free(spans);
}

/* The group of `resource`, made if it is the first span of it in this chunk. */
static struct group *group_of(struct otlp_spans *spans, const struct resource *resource)
{
	uint32_t i = ((uintptr_t)resource >> 4) * 0x9e3779b1u;	/* Fibonacci hashing; 2^32 / phi */

	for (i = i >> 7 & (SLOTS - 1);; i = (i + 1) & (SLOTS - 1)) {
		if (!spans->slot[i])
			break;
		if (spans->group[spans->slot[i] - 1].resource == resource)
			return &spans->group[spans->slot[i] - 1];
	}
	spans->group[spans->groups] = (struct group){ resource, -1, -1 };
	spans->slot[i] = ++spans->groups;
	return &spans->group[spans->groups - 1];
}

static void group_chunk(struct otlp_spans *spans, const struct span *span, uint32_t count)
{
	struct group *group = NULL;

	memset(spans->slot, 0, sizeof(spans->slot));
	spans->groups = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!span[i].sampled)		/* made for --print alone */
			continue;
		if (!group || group->resource != span[i].resource)
			group = group_of(spans, span[i].resource);
		spans->next[i] = -1;
		if (group->last < 0)
			group->first = i;
		else
			spans->next[group->last] = i;
		group->last = i;
	}
}

static void open_resource(struct otlp_spans *spans, const struct resource *resource)
{
	spans->resource_mark = pb_open(&spans->body, RESOURCE_SPANS);
	otlp_add_resource(&spans->body, resource);
	spans->scope_mark = pb_open(&spans->body, SCOPE_SPANS);
	otlp_add_scope(&spans->body);
}

static void close_resource(struct otlp_spans *spans)
{
	pb_close(&spans->body, spans->scope_mark);
	pb_close(&spans->body, spans->resource_mark);
}

/* Hands the payload on; a failed one (no memory) as an empty one, for the sink to count. */
static void emit(struct otlp_spans *spans)
{
	struct buf body = spans->body;

	if (!spans->in_body)
		return;
	if (body.failed)
		buf_reset(&body);
	buf_init(&spans->body, body.max);
	spans->sink(spans->context, body, spans->in_body);
	spans->in_body = 0;
}

/* A span is 7 lines of memory that another CPU wrote: fetched while the one before is encoded. */
static void prefetch(const struct span *span)
{
	for (size_t i = 0; i < sizeof(*span); i += CACHE_LINE)
		__builtin_prefetch((const char *)span + i);
}

static void encode_group(struct otlp_spans *spans, const struct span *span,
			 const struct group *group, int64_t offset_ns)
{
	open_resource(spans, group->resource);
	for (int32_t i = group->first; i >= 0; i = spans->next[i]) {
		if (spans->next[i] >= 0)
			prefetch(&span[spans->next[i]]);
		if (spans->body.len >= spans->payload_bytes || spans->in_body == OTLP_SPANS_MAX) {
			close_resource(spans);
			emit(spans);
			open_resource(spans, group->resource);
		}
		span_encode(&spans->tables, &spans->body, SPANS, &span[i], offset_ns);
		spans->in_body++;
	}
	close_resource(spans);
}

void otlp_spans_encode(struct otlp_spans *spans, const struct batch *batch)
{
	for (uint32_t start = 0; start < batch->spans; start += OTLP_SPANS_MAX) {
		uint32_t count = MIN(batch->spans - start, (uint32_t)OTLP_SPANS_MAX);

		group_chunk(spans, batch->span + start, count);
		for (uint32_t i = 0; i < spans->groups; i++)
			encode_group(spans, batch->span + start, &spans->group[i],
				     batch->realtime_offset_ns);
	}
	emit(spans);
}

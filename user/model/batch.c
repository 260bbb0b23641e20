/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches: a few of them circulate between the pipeline and the export thread. All their
 * memory is reserved at the start and costs only what was touched; what a burst touched is
 * given back when the batches after it need less.
 */
#include "model/batch.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

#define KEEP_BYTES (256u << 10)		/* of the arena, whatever the use */

static int reserve(struct batch *batch, uint32_t spans_max, size_t bytes)
{
	size_t resources = BATCH_RESOURCES_MAX * sizeof(batch->resource[0]);
	size_t spans = (size_t)spans_max * sizeof(batch->span[0]);
	int r;

	r = arena_init(&batch->reserved, resources + spans);
	if (r < 0)
		return r;
	r = arena_init(&batch->arena, bytes);
	if (r < 0)
		return r;
	batch->resource = arena_alloc(&batch->reserved, resources);
	batch->span = arena_alloc(&batch->reserved, spans);
	batch->spans_max = spans_max;
	return 0;
}

struct batch *batch_new(uint32_t spans_max, size_t bytes)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (batch && reserve(batch, spans_max, bytes) < 0) {
		batch_free(batch);
		return NULL;
	}
	return batch;
}

/* Gives back the pages of spans beyond twice as many as there were this time. */
static void trim_spans(struct batch *batch)
{
	size_t page = sysconf(_SC_PAGESIZE), keep = 2 * (size_t)batch->spans * sizeof(struct span);
	uintptr_t start = (uintptr_t)batch->span + keep;
	uintptr_t end = (uintptr_t)(batch->span + MIN(batch->spans_touched, batch->spans_max));

	start = (start + page - 1) & ~(page - 1);
	end = (end + page - 1) & ~(page - 1);
	if (start >= end)
		return;
	madvise((void *)start, end - start, MADV_DONTNEED);
	batch->spans_touched = 2 * batch->spans;
}

void batch_reset(struct batch *batch)
{
	for (uint32_t i = 0; i < batch->resources; i++)
		resource_unref(batch->resource[i]);
	batch->resources = 0;

	batch->spans_touched = MAX(batch->spans_touched, batch->spans);
	trim_spans(batch);
	batch->spans = 0;

	batch->series = NULL;
	batch->series_count = 0;
	arena_reset(&batch->arena, MAX(2 * batch->arena.used, (size_t)KEEP_BYTES));
}

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	for (uint32_t i = 0; i < batch->resources; i++)
		resource_unref(batch->resource[i]);
	arena_done(&batch->reserved);
	arena_done(&batch->arena);
	free(batch);
}

bool batch_use_resource(struct batch *batch, struct resource *resource)
{
	if (resource->batch_mark == batch->serial)
		return true;
	if (batch->resources == BATCH_RESOURCES_MAX)
		return false;
	resource->batch_mark = batch->serial;
	batch->resource[batch->resources++] = resource_ref(resource);
	return true;
}

struct series *batch_add_series(struct batch *batch)
{
	struct series *series = arena_alloc(&batch->arena, sizeof(*series));

	if (!series)
		return NULL;
	if (!batch->series)
		batch->series = series;
	batch->series_count++;
	return series;
}

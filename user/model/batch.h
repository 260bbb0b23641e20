/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pipeline hands to the exporters at each seal: the spans finished since the last,
 * and a copy of every series that changed. A batch owns all it points to and is recycled whole.
 * Batches are the only thing that crosses from the pipeline to the export thread.
 */
#ifndef SONDE_MODEL_BATCH_H
#define SONDE_MODEL_BATCH_H

#include <stdint.h>

#include "base/arena.h"
#include "model/resource.h"
#include "model/series.h"
#include "model/span.h"

#define BATCH_RESOURCES_MAX 4096

struct batch {
	struct batch *next;		/* of a list, by whoever holds it */
	uint64_t serial;
	uint64_t sealed_ns;		/* CLOCK_MONOTONIC */
	int64_t realtime_offset_ns;	/* add to CLOCK_MONOTONIC for UTC */
	struct span *span;		/* spans_max of them, texts in `arena` */
	uint32_t spans, spans_max;
	struct series *series;		/* in `arena` */
	uint32_t series_count;
	struct resource **resource;	/* one reference held on each resource used here */
	uint32_t resources;
	struct arena arena;
	struct arena reserved;		/* private: what `span` and `resource` are in */
	uint32_t spans_touched;		/* private: spans whose pages may be in memory */
};

/* Returns a batch with no content, or NULL: no memory. `bytes` bounds its texts and series. */
struct batch *batch_new(uint32_t spans_max, size_t bytes);

/* Drops the content and its references, keeps the memory for the next use. */
void batch_reset(struct batch *batch);
void batch_free(struct batch *batch);

/*
 * Takes a reference on `resource` unless this batch holds one already. By the one thread that fills
 * batches. False: the batch names BATCH_RESOURCES_MAX already.
 */
bool batch_use_resource(struct batch *batch, struct resource *resource);

/*
 * Room for one more series, behind the ones before it: nothing else may be added between. NULL:
 * full.
 */
struct series *batch_add_series(struct batch *batch);

#endif

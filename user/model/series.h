/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One time series group: the operations of one resource that share all metric attributes,
 * with their three histograms (duration, request size, response size). Cumulative since `start_ns`.
 * The pipeline owns the original; batches carry copies of those that changed.
 */
#ifndef SONDE_MODEL_SERIES_H
#define SONDE_MODEL_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/histogram.h"
#include "model/semconv.h"
#include "model/span.h"

#define SERIES_TEXT_MAX 320	/* bytes of all attribute texts of one series */

/* A traced request that fell into a bucket (OpenMetrics 1.0, exemplars). */
struct exemplar {
	uint64_t value;		/* ns; time_ns 0: there is none */
	uint64_t time_ns;	/* CLOCK_REALTIME */
	uint8_t trace_id[16], span_id[8];
};

struct series {
	uint32_t id;		/* slot, 0 .. series.max - 1 */
	uint32_t generation;	/* of the slot: an id is reused after its series expired */
	const struct semconv *semconv;
	const struct resource *resource;
	enum role role;
	bool overflow;		/* the series that takes what the cap turned away */
	bool expired;		/* in a batch: forget this series */
	uint64_t start_ns, changed_ns;	/* CLOCK_REALTIME, CLOCK_MONOTONIC */

	/*
	 * Attributes; bytes point into `text`, or to static storage. Fix up after copying:
	 * series_copy()
	 */
	struct bytes operation, route, server_address, error_type;
	int64_t code;		/* 0: none */
	uint16_t server_port;	/* 0: none */

	struct histogram histogram[SERIES_HISTOGRAMS];
	struct exponential duration;	/* ns */
	struct exemplar exemplar[HISTOGRAM_BOUNDS_MAX + 1];	/* of the duration's buckets */
	char text[SERIES_TEXT_MAX];
};

/* Copies `from`, its texts pointing into the copy. */
void series_copy(struct series *to, const struct series *from);

/* Adds the numbers of `from` to `into`; attributes stay. Of two exemplars the newer is kept. */
void series_merge(struct series *into, const struct series *from);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two histograms of the same values side by side: explicit buckets for Prometheus dashboards as
 * they are, and base-2 exponential buckets for quantiles (OpenTelemetry exponential histogram,
 * Prometheus native histogram).
 *
 * Exponential: for durations, added in nanoseconds, with buckets in seconds, so that they can be
 * exported as they are: bucket i counts values in (base^i, base^(i+1)] s, base = 2^(2^-scale).
 * Starts at EXPONENTIAL_SCALE (4.4 % wide) and halves its scale whenever the values span more than
 * EXPONENTIAL_BUCKETS buckets.
 */
#ifndef SONDE_MODEL_HISTOGRAM_H
#define SONDE_MODEL_HISTOGRAM_H

#include <stdint.h>

#include "model/semconv.h"

#define EXPONENTIAL_SCALE 4
#define EXPONENTIAL_BUCKETS 160	/* the OpenTelemetry default */

struct exponential {
	int32_t scale;		/* <= EXPONENTIAL_SCALE */
	int32_t offset;		/* index of count[0] */
	uint32_t used;		/* buckets from offset on */
	uint64_t zero;		/* values of 0 */
	uint64_t count[EXPONENTIAL_BUCKETS];	/* 0 from `used` on */
};

/* Explicit. Values are unsigned integers: nanoseconds for durations, bytes for sizes. */
struct histogram {
	uint64_t count, sum;
	uint64_t bucket[HISTOGRAM_BOUNDS_MAX + 1];	/* not cumulative */
};

/*
 * `unit` is how many integer steps one unit of the bounds has: 1e9 for seconds in nanoseconds,
 * 1 for bytes. A value equal to a bound counts below it (le). Returns the bucket's index.
 */
unsigned histogram_add(struct histogram *histogram, const struct bounds *bounds, double unit,
		       uint64_t value);

void exponential_init(struct exponential *exponential);
void exponential_add(struct exponential *exponential, uint64_t ns);

/* Lower and upper bound of bucket `index` at `scale`, in seconds. */
double exponential_lower(int32_t scale, int32_t index);
double exponential_upper(int32_t scale, int32_t index);

/* Adds all of `from` to `into`, at the coarser of both scales. */
void exponential_merge(struct exponential *into, const struct exponential *from);

/* Takes away `earlier`, a former state of the same histogram; the rest is what came since. */
void exponential_subtract(struct exponential *from, const struct exponential *earlier);

/* Seconds below which a share q (0..1) of all lies, geometric within its bucket; 0 when empty. */
double exponential_quantile(const struct exponential *exponential, double q);

#endif

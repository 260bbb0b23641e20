/* SPDX-License-Identifier: Apache-2.0 */
/* What all protocols' conventions share: the bucket bounds and the list of conventions. */
#include "model/semconv.h"

#include "base/cleanup.h"

/* Seconds. */
static const double duration_at[] = {
	0, .005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10,
};

/* Bytes. */
static const double size_at[] = { 0, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192 };

_Static_assert(ARRAY_LEN(duration_at) <= HISTOGRAM_BOUNDS_MAX, "fits struct histogram");
_Static_assert(ARRAY_LEN(size_at) <= HISTOGRAM_BOUNDS_MAX, "fits struct histogram");

const struct bounds duration_bounds = { duration_at, ARRAY_LEN(duration_at) };
const struct bounds size_bounds = { size_at, ARRAY_LEN(size_at) };

const struct semconv *const semconvs[] = {
	&http_semconv,
	NULL,
};

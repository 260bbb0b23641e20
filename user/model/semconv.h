/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenTelemetry semantic conventions as tables: what a protocol's operations are called on the
 * outside. A row names an attribute and the field of struct span (for spans) or struct
 * series (for metrics) that holds it. Source of names: OpenTelemetry semantic conventions 1.37.
 */
#ifndef SONDE_MODEL_SEMCONV_H
#define SONDE_MODEL_SEMCONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum attribute_type {
	ATTRIBUTE_TEXT,		/* struct bytes; left out when empty */
	ATTRIBUTE_U16,		/* left out when 0 */
	ATTRIBUTE_U32,		/* left out when 0 */
	ATTRIBUTE_U64,
	ATTRIBUTE_I64,		/* left out when 0 */
};

struct attribute {
	const char *name;	/* OpenTelemetry: http.request.method */
	const char *label;	/* Prometheus: http_request_method; NULL in span tables */
	enum attribute_type type;
	size_t offset;		/* in struct span or struct series */
	const char *help;	/* meaning, units; for docs/metrics.md */
};

/* Explicit-bucket bounds of a histogram, ascending. */
struct bounds {
	const double *at;
	unsigned count;		/* buckets are count + 1: the last is +Inf */
};

#define HISTOGRAM_BOUNDS_MAX 15

struct instrument {
	const char *name;	/* http.server.request.duration */
	const char *prometheus;	/* http_server_request_duration_seconds */
	const char *unit;	/* UCUM: s, By */
	const char *help;
	const struct bounds *bounds;
};

/* The histograms every operation fills, index of struct series.histogram. */
enum series_histogram {
	SERIES_DURATION,
	SERIES_REQUEST_SIZE,
	SERIES_RESPONSE_SIZE,
	SERIES_HISTOGRAMS
};

/* One protocol's conventions; tables of attributes end with a row whose name is NULL. */
struct semconv {
	const char *scope;	/* "http": for docs */
	const struct attribute *span[2];	/* by enum role */
	const struct attribute *metric[2];	/* by enum role */
	const struct instrument *instrument[2];	/* by enum role: SERIES_HISTOGRAMS rows */

	/*
	 * The operation as a metric attribute: itself when it is a registered one, else a
	 * catch-all.
	 */
	struct bytes (*bound_operation)(struct bytes operation);
	/* Is a request with this response code an error, for this role (enum role)? */
	bool (*failed)(unsigned role, int64_t code);
};

extern const struct bounds duration_bounds, size_bounds;
extern const struct semconv http_semconv;

/* Every protocol's conventions, NULL at the end: walked by the generator of docs/metrics.md. */
extern const struct semconv *const semconvs[];

#endif

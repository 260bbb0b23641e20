/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches and the store as OTLP protobuf (opentelemetry-proto 1.x: ExportTraceServiceRequest,
 * ExportMetricsServiceRequest). No I/O.
 */
#ifndef SONDE_EXPORT_OTLP_ENCODE_H
#define SONDE_EXPORT_OTLP_ENCODE_H

#include "base/buf.h"
#include "config/config.h"
#include "export/store.h"
#include "model/batch.h"

/* Field numbers both signals share. */
enum { KEY_VALUE_KEY = 1, KEY_VALUE_VALUE = 2 };
enum { ANY_STRING = 1, ANY_INT = 3 };

/* KeyValue as field `field`. Nothing is added for an empty value. */
void otlp_add_text(struct buf *out, unsigned field, struct bytes name, struct bytes value);
void otlp_add_int(struct buf *out, unsigned field, struct bytes name, int64_t value);

/* Resource as field 1; NULL: Sonde's own, for sonde_* and the overflow series. */
void otlp_add_resource(struct buf *out, const struct resource *resource);

/* InstrumentationScope as field 1. */
void otlp_add_scope(struct buf *out);

#define OTLP_SPANS_MAX 8192		/* of one payload */
#define OTLP_TEXT_MAX 16384u		/* bytes of one attribute's value; the rest is cut off */

/* Takes a payload over: `body` has one whole request with `spans` spans; call buf_done() on it. */
typedef void (*otlp_sink)(void *context, struct buf body, uint32_t spans);

struct otlp_spans;

/*
 * Payloads get at most `payload_bytes` (and one span) long. Returns 0 or -ENOMEM.
 */
int otlp_spans_new(size_t payload_bytes, otlp_sink sink, void *context,
		   struct otlp_spans **ret_spans);
void otlp_spans_free(struct otlp_spans *spans);

/* All spans of a batch, grouped by resource, in as many payloads as it takes. */
void otlp_spans_encode(struct otlp_spans *spans, const struct batch *batch);

struct otlp_metrics {
	const struct metric_store *store;
	enum config_histogram histogram;	/* of durations; sizes are explicit */
	uint64_t start_ns, now_ns; /* CLOCK_REALTIME; start: of the agent, for sonde_* */
};

/*
 * The whole store and sonde_*, cumulative. *ret_points: data points. Returns 0, -ENOSPC or -ENOMEM.
 */
int otlp_metrics_encode(struct buf *out, const struct otlp_metrics *metrics, uint64_t *ret_points);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The push side: spans of every batch, and every metric interval the whole store, over OTLP/HTTP.
 * Decides when; otlp_spans.c and otlp_metrics.c encode, otlp_lane.c queues and sends.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "export/exporter.h"
#include "export/otlp_encode.h"
#include "export/otlp_lane.h"
#include "model/self.h"

#define PAYLOAD_MAX (1u << 20)		/* of spans: bytes before compression */
#define METRICS_MAX (64u << 20)		/* of metrics: bytes */
#define COMPLAIN_SECONDS 60

struct otlp {
	const struct exporter_context *context;
	struct http_client *client;
	struct otlp_lane *traces, *metrics;	/* NULL: no endpoint for it */
	struct otlp_spans *spans;
	int timer_fd;				/* of the metrics */
	uint64_t start_ns;			/* CLOCK_REALTIME */
	uint64_t complained_ns;
};

static void on_spans(void *context, struct buf body, uint32_t count)
{
	struct otlp *otlp = context;

	otlp_lane_put(otlp->traces, body, count);
}

static void push_metrics(struct otlp *otlp)
{
	struct otlp_metrics metrics = {
		.store = otlp->context->store, .histogram = otlp->context->config->histogram,
		.start_ns = otlp->start_ns, .now_ns = clock_realtime_ns(),
	};
	struct buf body;
	uint64_t points = 0;
	int r;

	buf_init(&body, METRICS_MAX);
	r = otlp_metrics_encode(&body, &metrics, &points);
	if (r < 0) {
		buf_done(&body);
		self_add(SELF_EXPORT_OTLP_METRICS_FAILED, 1);
		if (log_every(&otlp->complained_ns, COMPLAIN_SECONDS))
			log_error(r,
				  "otlp: metrics do not fit 64 MiB: %m: lower metrics.series_max");
		return;
	}
	otlp_lane_put(otlp->metrics, body, points);
}

static void on_metric_interval(void *context, int fd)
{
	push_metrics(context);
}

static int open_lane(struct otlp *otlp, enum config_signal signal, struct otlp_lane **ret_lane)
{
	const struct config *config = otlp->context->config;
	struct config_otlp settings;
	struct otlp_lane_options options = {
		.signal = signal, .otlp = &settings,
		.queue_bytes = signal == SIGNAL_TRACES ? config->otlp_queue_bytes : METRICS_MAX,
	};

	if (config_otlp_of(config, signal, &settings) < 0)
		return 0;
	return otlp_lane_open(otlp->context->loop, otlp->client, &options, ret_lane);
}

static int start_traces(struct otlp *otlp)
{
	uint64_t queue_bytes = otlp->context->config->otlp_queue_bytes;

	if (!otlp->traces)
		return 0;
	self_set(SELF_EXPORT_QUEUE_MAX_BYTES, queue_bytes);
	return otlp_spans_new(MIN(queue_bytes / 8, (uint64_t)PAYLOAD_MAX), on_spans, otlp,
			      &otlp->spans);
}

static int start_metrics(struct otlp *otlp)
{
	if (!otlp->metrics)
		return 0;
	otlp->timer_fd = loop_add_timer(otlp->context->loop,
					otlp->context->config->metric_interval_ns,
					on_metric_interval, otlp);
	return MIN(otlp->timer_fd, 0);
}

static void otlp_free(struct otlp *otlp)
{
	loop_remove(otlp->context->loop, otlp->timer_fd);
	otlp_lane_close(otlp->traces);
	otlp_lane_close(otlp->metrics);
	http_client_close(otlp->client);
	otlp_spans_free(otlp->spans);
	free(otlp);
}

static int otlp_start(struct otlp *otlp)
{
	int r = http_client_open(otlp->context->loop, &otlp->client);

	if (!r)
		r = open_lane(otlp, SIGNAL_TRACES, &otlp->traces);
	if (!r)
		r = open_lane(otlp, SIGNAL_METRICS, &otlp->metrics);
	if (!r)
		r = start_traces(otlp);
	if (!r)
		r = start_metrics(otlp);
	return r;
}

static int otlp_open(const struct exporter_context *context, void **ret_state)
{
	struct config_otlp settings;
	struct otlp *otlp;
	int r;

	if (config_otlp_of(context->config, SIGNAL_TRACES, &settings) < 0 &&
	    config_otlp_of(context->config, SIGNAL_METRICS, &settings) < 0)
		return -ENOTSUP;
	otlp = calloc(1, sizeof(*otlp));
	if (!otlp)
		return log_error(-ENOMEM, "otlp: %m: free some memory");
	otlp->context = context;
	otlp->timer_fd = -1;
	otlp->start_ns = clock_realtime_ns();
	r = otlp_start(otlp);
	if (r < 0) {
		otlp_free(otlp);
		return log_error(r, "otlp: cannot start: %m: free memory or descriptors");
	}
	*ret_state = otlp;
	return 0;
}

static void otlp_export(void *state, const struct batch *batch)
{
	struct otlp *otlp = state;

	if (otlp->traces)
		otlp_spans_encode(otlp->spans, batch);
}

static bool is_done(const struct otlp *otlp)
{
	return (!otlp->traces || otlp_lane_is_done(otlp->traces)) &&
	       (!otlp->metrics || otlp_lane_is_done(otlp->metrics));
}

static void otlp_close(void *state, uint64_t deadline_ns)
{
	struct otlp *otlp = state;
	uint64_t now = clock_monotonic_ns();

	if (now < deadline_ns && otlp->metrics)
		push_metrics(otlp);
	if (otlp->traces)
		otlp_lane_hurry(otlp->traces);
	if (otlp->metrics)
		otlp_lane_hurry(otlp->metrics);
	while (now < deadline_ns && !is_done(otlp)) {
		int wait_ms = 1 + (int)((deadline_ns - now) / NSEC_PER_MSEC);

		if (loop_once(otlp->context->loop, wait_ms) < 0)
			break;
		now = clock_monotonic_ns();
	}
	otlp_free(otlp);
}

const struct exporter otlp_exporter = {
	.name = "otlp",
	.open = otlp_open,
	.export = otlp_export,
	.close = otlp_close,
};

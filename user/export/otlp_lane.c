/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests from the encoders (otlp.c) -> http_client.c, until the receiver has taken or refused
 * them.
 */
#include "export/otlp_lane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/gzip.h"
#include "export/otlp_queue.h"
#include "export/otlp_report.h"
#include "export/otlp_response.h"
#include "model/self.h"

#define CALLS 2				/* connections */
#define FIRST_PAUSE_NS NSEC_PER_SEC
#define LONGEST_PAUSE_NS (30 * NSEC_PER_SEC)
#define HURRIED_PAUSE_NS (250 * NSEC_PER_MSEC)
#define HURRIED_FAILURES 3

/* One connection and what it carries. */
struct carrier {
	struct otlp_lane *lane;
	struct http_call *call;
	struct payload *payload;	/* NULL: idle */
};

struct otlp_lane {
	struct loop *loop;
	enum config_signal signal;
	bool gzip;
	struct otlp_queue queue;
	struct carrier carrier[CALLS];
	uint64_t first_pause_ns, longest_pause_ns, pause_ns;
	int pause_fd;			/* the loop's; -1: not pausing */
	bool hurry;
	unsigned hurried_failures;
	uint64_t seed;			/* of the jitter */
	struct otlp_report report;
};

static void count_result(const struct otlp_lane *lane, enum self_id of_metrics)
{
	int to_spans = SELF_EXPORT_OTLP_SPANS_OK - SELF_EXPORT_OTLP_METRICS_OK;

	self_add(lane->signal == SIGNAL_TRACES ? of_metrics + to_spans : of_metrics, 1);
}

static void count_dropped(struct otlp_lane *lane, enum self_id reason, uint64_t items)
{
	if (lane->signal != SIGNAL_TRACES)
		return;			/* metrics are cumulative: the next push has all */
	self_add(reason, items);
	lane->report.dropped += items;
}

static void show_queue(const struct otlp_lane *lane)
{
	if (lane->signal == SIGNAL_TRACES)
		self_set(SELF_EXPORT_QUEUE_BYTES, lane->queue.bytes);
}

static void drop(struct otlp_lane *lane, struct payload *payload, enum self_id reason)
{
	count_dropped(lane, reason, payload->items);
	otlp_queue_free(&lane->queue, payload);
	show_queue(lane);
}

static void kick(struct otlp_lane *lane);

static void on_pause_over(void *context, int fd)
{
	struct otlp_lane *lane = context;

	lane->pause_fd = -1;
	kick(lane);
}

/* Between 80 and 120 % of `ns`, so that many agents do not come back in step. */
static uint64_t jitter(struct otlp_lane *lane, uint64_t ns)
{
	lane->seed = lane->seed * 6364136223846793005ull + 1442695040888963407ull; /* Knuth, MMIX */
	return ns / 5 * 4 + (lane->seed >> 33) % (ns / 5 * 2 + 1);
}

static void pause_sending(struct otlp_lane *lane, uint64_t at_least_ns)
{
	uint64_t ns = MAX(jitter(lane, lane->pause_ns), at_least_ns);

	lane->pause_ns = MIN(2 * lane->pause_ns, lane->longest_pause_ns);
	if (lane->hurry) {
		lane->hurried_failures++;
		ns = HURRIED_PAUSE_NS;
	}
	if (lane->pause_fd < 0)
		lane->pause_fd = loop_add_timeout(lane->loop, ns, on_pause_over, lane);
}

static bool is_worth_retrying(long status)
{
	return !status || status == 429 || (status >= 502 && status <= 504);
}

static void succeed(struct otlp_lane *lane, struct payload *payload, struct bytes body)
{
	struct otlp_response response = { 0 };

	otlp_response_parse(body, &response);	/* what is no such answer has no complaint either */
	if (response.rejected) {
		response.rejected = MIN(response.rejected, payload->items);
		count_result(lane, SELF_EXPORT_OTLP_METRICS_PARTIAL);
		count_dropped(lane, SELF_SPANS_DROPPED_REJECTED, response.rejected);
		otlp_report_partial(&lane->report, response.rejected, response.message);
	} else {
		count_result(lane, SELF_EXPORT_OTLP_METRICS_OK);
	}
	otlp_queue_free(&lane->queue, payload);
	lane->pause_ns = lane->first_pause_ns;
	otlp_report_up(&lane->report);
}

static void retry(struct otlp_lane *lane, struct payload *payload, const struct http_result *result)
{
	count_result(lane, SELF_EXPORT_OTLP_METRICS_RETRY);
	if (lane->signal == SIGNAL_METRICS && lane->queue.first)
		otlp_queue_free(&lane->queue, payload);		/* a newer one waits */
	else
		otlp_queue_put_back(&lane->queue, payload);
	otlp_report_down(&lane->report, result, lane->queue.max_bytes);
	pause_sending(lane, result->retry_after_ns);
}

static void fail(struct otlp_lane *lane, struct payload *payload, const struct http_result *result)
{
	count_result(lane, SELF_EXPORT_OTLP_METRICS_FAILED);
	otlp_report_refused(&lane->report, result, payload->items);
	drop(lane, payload, SELF_SPANS_DROPPED_REJECTED);
}

static void on_done(void *context, const struct http_result *result)
{
	struct carrier *carrier = context;
	struct otlp_lane *lane = carrier->lane;
	struct payload *payload = TAKE_PTR(carrier->payload);

	if (result->status >= 200 && result->status < 300)
		succeed(lane, payload, result->body);
	else if (is_worth_retrying(result->status))
		retry(lane, payload, result);
	else
		fail(lane, payload, result);
	show_queue(lane);
	kick(lane);
}

static void send_next(struct otlp_lane *lane, struct carrier *carrier)
{
	carrier->payload = otlp_queue_take(&lane->queue);
	if (!carrier->payload || !http_call_send(carrier->call, buf_bytes(&carrier->payload->body)))
		return;
	otlp_queue_put_back(&lane->queue, TAKE_PTR(carrier->payload));	/* no memory: later */
	pause_sending(lane, 0);
}

/* While the receiver is away one connection is enough to see it come back. */
static void kick(struct otlp_lane *lane)
{
	int calls = lane->report.down ? 1 : CALLS;

	for (int i = 0; i < calls && lane->pause_fd < 0 && !otlp_lane_is_done(lane); i++) {
		if (!lane->carrier[i].payload)
			send_next(lane, &lane->carrier[i]);
	}
}

/* Compressed, or no larger than it must be. */
static struct buf packed(const struct otlp_lane *lane, struct buf body)
{
	struct buf small;
	uint8_t *at;

	if (lane->gzip) {
		buf_init(&small, body.len + body.len / 8 + 4096);
		if (!gzip_add(&small, buf_bytes(&body))) {
			buf_done(&body);
			body = small;
		} else {
			buf_done(&small);
		}
	}
	at = realloc(body.at, MAX(body.len, 1u));
	if (at) {
		body.at = at;
		body.capacity = body.len;
	}
	return body;
}

void otlp_lane_put(struct otlp_lane *lane, struct buf body, uint32_t items)
{
	struct payload *payload, *oldest;

	payload = body.len ? otlp_queue_new(packed(lane, body), items) : NULL;
	if (!payload) {
		if (!body.len)
			buf_done(&body);
		count_dropped(lane, SELF_SPANS_DROPPED_QUEUE, items);
		return;
	}
	while (lane->signal == SIGNAL_METRICS && (oldest = otlp_queue_take(&lane->queue)))
		otlp_queue_free(&lane->queue, oldest);
	while (!otlp_queue_has_room(&lane->queue, payload) &&
	       (oldest = otlp_queue_take(&lane->queue))) {
		drop(lane, oldest, SELF_SPANS_DROPPED_QUEUE);
		otlp_report_full(&lane->report, lane->queue.max_bytes);
	}
	otlp_queue_add(&lane->queue, payload);
	if (lane->queue.bytes > lane->queue.max_bytes && lane->signal == SIGNAL_TRACES) {
		/* even alone too much next to those under way */
		drop(lane, otlp_queue_take(&lane->queue), SELF_SPANS_DROPPED_QUEUE);
		otlp_report_full(&lane->report, lane->queue.max_bytes);
	}
	show_queue(lane);
	kick(lane);
}

static int open_carriers(struct otlp_lane *lane, struct http_client *client,
			 const struct config_otlp *otlp)
{
	struct http_call_options options = {
		.url = lane->report.url, .content_type = "application/x-protobuf",
		.headers = otlp->headers, .timeout_ns = otlp->timeout_ns,
		.certificate = otlp->certificate, .gzip = lane->gzip, .done = on_done,
	};
	int r = 0;

	for (int i = 0; i < CALLS && !r; i++) {
		lane->carrier[i].lane = lane;
		options.context = &lane->carrier[i];
		r = http_call_new(client, &options, &lane->carrier[i].call);
	}
	return r;
}

int otlp_lane_open(struct loop *loop, struct http_client *client,
		   const struct otlp_lane_options *options, struct otlp_lane **ret_lane)
{
	struct otlp_lane *lane = calloc(1, sizeof(*lane));
	int r;

	if (!lane)
		return -ENOMEM;
	lane->loop = loop;
	lane->signal = options->signal;
	lane->gzip = options->otlp->compression == COMPRESSION_GZIP;
	lane->first_pause_ns = options->first_pause_ns ? options->first_pause_ns : FIRST_PAUSE_NS;
	lane->longest_pause_ns = options->longest_pause_ns ? options->longest_pause_ns :
							    LONGEST_PAUSE_NS;
	lane->pause_ns = lane->first_pause_ns;
	lane->pause_fd = -1;
	lane->seed = clock_realtime_ns() ^ (uintptr_t)lane;
	lane->queue.max_bytes = options->queue_bytes;
	r = otlp_report_init(&lane->report, options->signal, options->otlp);
	if (!r)
		r = open_carriers(lane, client, options->otlp);
	if (r < 0) {
		otlp_lane_close(lane);
		return r;
	}
	*ret_lane = lane;
	return 0;
}

void otlp_lane_hurry(struct otlp_lane *lane)
{
	lane->hurry = true;
	loop_remove(lane->loop, lane->pause_fd);
	lane->pause_fd = -1;
	kick(lane);
}

bool otlp_lane_is_done(const struct otlp_lane *lane)
{
	return !lane->queue.bytes || lane->hurried_failures >= HURRIED_FAILURES;
}

void otlp_lane_close(struct otlp_lane *lane)
{
	struct payload *payload;
	uint64_t before;

	if (!lane)
		return;
	before = lane->report.dropped;
	loop_remove(lane->loop, lane->pause_fd);
	for (int i = 0; i < CALLS; i++) {
		http_call_free(lane->carrier[i].call);
		if (lane->carrier[i].payload)
			drop(lane, lane->carrier[i].payload, SELF_SPANS_DROPPED_EXPIRED);
	}
	while ((payload = otlp_queue_take(&lane->queue)))
		drop(lane, payload, SELF_SPANS_DROPPED_EXPIRED);
	otlp_report_end(&lane->report, lane->report.dropped - before);
	otlp_report_done(&lane->report);
	free(lane);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one signal to its OTLP/HTTP endpoint: a bounded queue of encoded requests, two
 * connections, retries with growing pauses (OpenTelemetry protocol, "OTLP/HTTP Response";
 * Retry-After is honoured, up to 5 min). Nothing is lost that the queue can hold; what it cannot is
 * dropped, oldest first, and counted.
 */
#ifndef SONDE_EXPORT_OTLP_LANE_H
#define SONDE_EXPORT_OTLP_LANE_H

#include "base/buf.h"
#include "base/loop.h"
#include "config/config.h"
#include "export/http_client.h"

struct otlp_lane;

struct otlp_lane_options {
	enum config_signal signal;
	const struct config_otlp *otlp;		/* copied where needed */
	uint64_t queue_bytes;			/* encoded requests, those under way included */
	uint64_t first_pause_ns, longest_pause_ns;	/* between retries; 0: 1 s, 30 s */
};

/* Returns 0 or a negative errno. */
int otlp_lane_open(struct loop *loop, struct http_client *client,
		   const struct otlp_lane_options *options, struct otlp_lane **ret_lane);

/*
 * Takes over `body`, an encoded request with `items` spans or data points. Metrics are cumulative:
 * newer ones replace what still waits. An empty body was too large for memory: counted as dropped.
 */
void otlp_lane_put(struct otlp_lane *lane, struct buf body, uint32_t items);

/* From now on pauses are short and few: for the end. */
void otlp_lane_hurry(struct otlp_lane *lane);

/* Is there nothing left to send, or (in a hurry) no hope? */
bool otlp_lane_is_done(const struct otlp_lane *lane);

/* Counts what is left as dropped. NULL is allowed. */
void otlp_lane_close(struct otlp_lane *lane);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline: ring -> connection -> exchange -> route, trace, aggregate -> batch. One thread
 * owns all of it; what comes in are records and news of processes, what goes out are batches.
 */
#ifndef SONDE_PIPELINE_PIPELINE_H
#define SONDE_PIPELINE_PIPELINE_H

#include <stdint.h>

#include "base/queue.h"
#include "config/config.h"
#include "event/socket.h"
#include "base/bytes.h"

struct pipeline;

struct pipeline_io {
	struct queue *news;		/* of struct target_news, from the discover thread */
	struct queue *full, *empty;	/* of struct batch, to and from the export thread */
	void (*ignore)(void *context, uint64_t conn);	/* connection of no further interest */
	void *context;
};

/* Returns 0 or -errno. `config` and the queues outlive it. */
int pipeline_new(const struct config *config, const struct pipeline_io *io,
		 struct pipeline **ret_pipeline);

/* One validated record of the data ring. */
void pipeline_record(struct pipeline *pipeline, const struct socket_event *event,
		     struct bytes payload);

/* Takes in what the discover thread had to say. */
void pipeline_news(struct pipeline *pipeline);

/* A few times a second: hands out the spans there are and the series that changed. */
void pipeline_seal(struct pipeline *pipeline);

/* Once a second: gives up on what waited too long, forgets what is gone. */
void pipeline_tick(struct pipeline *pipeline);

/* Finishes what is open, as it stands, and hands out all there is; waits at most until `deadline_ns`
 * (CLOCK_MONOTONIC) for a free batch. */
void pipeline_drain(struct pipeline *pipeline, uint64_t deadline_ns);

void pipeline_free(struct pipeline *pipeline);

#endif

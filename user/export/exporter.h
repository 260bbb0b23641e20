/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way out. The export thread opens each exporter that the configuration asks for, gives
 * every batch to all of them in turn, and closes them at the end. An exporter knows batches
 * and the metric store, never the pipeline.
 */
#ifndef SONDE_EXPORT_EXPORTER_H
#define SONDE_EXPORT_EXPORTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "model/batch.h"

struct loop;
struct metric_store;

/* What exporters share: all of it belongs to the export thread. */
struct exporter_context {
	const struct config *config;
	struct loop *loop;		/* the export thread's */
	struct metric_store *store;	/* the newest copy of every live series */
	const _Atomic bool *ready;	/* what /readyz answers; written by any thread */
};

struct exporter {
	const char *name;	/* in logs, `sonde doctor` and docs */

	/*
	 * Returns 0 with *ret_state set, -ENOTSUP when the configuration does not ask for this
	 * exporter, or another negative errno, having logged cause and cure.
	 */
	int (*open)(const struct exporter_context *context, void **ret_state);

	/* The batch is borrowed until return; the store already has its series. Never blocks. */
	void (*export)(void *state, const struct batch *batch);

	/* Sends what is queued, until `deadline_ns` (CLOCK_MONOTONIC), then frees the state. */
	void (*close)(void *state, uint64_t deadline_ns);
};

extern const struct exporter prometheus_exporter, otlp_exporter, print_exporter;

/* The one list; NULL at the end. */
extern const struct exporter *const exporters[];

#endif

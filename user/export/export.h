/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The export thread: takes batches from the pipeline's queue, feeds the store and the
 * exporters, hands the empty batches back.
 */
#ifndef SONDE_EXPORT_EXPORT_H
#define SONDE_EXPORT_EXPORT_H

#include <stdbool.h>

#include "base/queue.h"
#include "config/config.h"

struct export;

/*
 * Opens the exporters and starts the thread. `full` brings batches, `empty` takes them back;
 * both outlive the thread. Returns 0, or -errno when a configured exporter can't be opened
 * (logged).
 */
int export_start(const struct config *config, struct queue *full, struct queue *empty,
		 struct export **ret_export);

/* /readyz answers 200 from now on (true) or 503. Any thread. */
void export_set_ready(struct export *export, bool ready);

/*
 * Takes what is left in the queue, flushes the exporters until `deadline_ns` (CLOCK_MONOTONIC),
 * ends.
 */
void export_stop(struct export *export, uint64_t deadline_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Source `process`: exec, fork and exit, and the kernel's table of watched processes. */
#ifndef SONDE_SOURCE_PROCESS_H
#define SONDE_SOURCE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "event/process.h"

struct process_source;

/* The event is borrowed until return. Called on the thread that consumes. */
typedef void (*process_callback)(void *context, const struct process_event *event);

/* Descriptor that becomes readable with events; for a loop. */
int process_source_fd(const void *state);
void process_source_consume(void *state, process_callback call, void *context);

/* The kernel's table of watched processes. Any thread. Return 0 or -errno (-E2BIG: full). */
int process_source_watch(void *state, uint32_t tgid, const struct target_entry *entry);
int process_source_unwatch(void *state, uint32_t tgid);
int process_source_targets_fd(const void *state);

/* Adds this source's cost and what it could not deliver to the sums. */
struct program_stats;
void process_source_read(void *state, struct program_stats *stats, uint64_t *map_bytes,
			 uint64_t drops[DROP_MAX]);

#endif

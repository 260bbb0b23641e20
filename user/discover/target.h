/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process, as the rest of the agent knows it. Made by the discover thread, immutable once
 * published to the pipeline, which owns and frees it. Identity is tgid and start time, since pids
 * are reused.
 */
#ifndef SONDE_DISCOVER_TARGET_H
#define SONDE_DISCOVER_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "model/resource.h"

struct target {
	uint32_t tgid;
	uint64_t start_ns;		/* CLOCK_BOOTTIME */
	bool selected;			/* false: judged, not watched; its exchanges are dropped */
	bool by_port;			/* selected, but only its connections on selected ports */
	struct resource *resource;	/* one reference; NULL when not selected */
	uint64_t gone_ns;		/* pipeline's: when it exited, CLOCK_MONOTONIC; 0: alive */
};

/* What the discover thread tells the pipeline; queue items, freed by the taker. */
struct target_news {
	enum { TARGET_ARRIVED, TARGET_GONE } what;
	uint32_t tgid;			/* TARGET_GONE */
	uint64_t start_ns;		/* TARGET_GONE */
	struct target *target;		/* TARGET_ARRIVED: replaces one of the same tgid */
};

void target_free(struct target *target);

#endif

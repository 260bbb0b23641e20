/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, all in nanoseconds. */
#include "base/clock.h"

#include <time.h>

#define OFFSET_READS 8

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);		/* cannot fail: the identifiers below always exist */
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_realtime_offset_ns(void)
{
	uint64_t tightest = UINT64_MAX;
	int64_t offset = 0;

	for (int i = 0; i < OFFSET_READS; i++) {
		uint64_t before = clock_monotonic_ns();
		uint64_t realtime = clock_realtime_ns();
		uint64_t width = clock_monotonic_ns() - before;

		if (width >= tightest)
			continue;
		tightest = width;
		offset = (int64_t)(realtime - (before + width / 2));
	}
	return offset;
}

uint64_t clock_cpu_ns(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

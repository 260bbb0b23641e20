/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, all in nanoseconds. */
#ifndef SONDE_BASE_CLOCK_H
#define SONDE_BASE_CLOCK_H

#include <stdint.h>

#define NSEC_PER_USEC 1000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_SEC 1000000000ull

/* CLOCK_MONOTONIC: what bpf_ktime_get_ns() counts. */
uint64_t clock_monotonic_ns(void);

/* CLOCK_REALTIME: since 1970-01-01 UTC. */
uint64_t clock_realtime_ns(void);

/*
 * Add to a CLOCK_MONOTONIC time to get the time of day. Taken as the middle of the tightest of
 * several reads; take anew now and then, since the time of day may be set.
 */
int64_t clock_realtime_offset_ns(void);

/* CPU time (user and system) of this process. */
uint64_t clock_cpu_ns(void);

#endif

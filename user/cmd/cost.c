// SPDX-License-Identifier: Apache-2.0
/* CPU, memory and BPF figures of the agent itself. */
#include "cmd/cost.h"

#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/self.h"
#include "source/process.h"
#include "source/socket.h"
#include "source/source.h"

/* Second number of /proc/self/statm, in pages (proc(5)). */
static uint64_t resident_bytes(void)
{
	_cleanup_(fclosep) FILE *statm = fopen("/proc/self/statm", "re");
	unsigned long size, resident;

	if (!statm || fscanf(statm, "%lu %lu", &size, &resident) != 2)
		return 0;
	return (uint64_t)resident * sysconf(_SC_PAGESIZE);
}

void cost_read(void *process_state, void *socket_state)
{
	struct program_stats stats = {};
	uint64_t drops[DROP_MAX] = {}, map_bytes = 0;

	if (process_state)
		process_source_read(process_state, &stats, &map_bytes, drops);
	if (socket_state)
		socket_source_read(socket_state, &stats, &map_bytes, drops);
	self_set(SELF_DROP_RING_DATA, drops[DROP_RING_DATA]);
	self_set(SELF_DROP_RING_CONTROL, drops[DROP_RING_CONTROL]);
	self_set(SELF_DROP_CONN_FULL, drops[DROP_CONN_FULL]);
	self_set(SELF_DROP_TARGET_FULL, drops[DROP_TARGET_FULL]);
	self_set(SELF_DROP_MISSED, stats.missed);
	self_set(SELF_FAULTS, drops[DROP_FAULT]);
	self_set(SELF_BPF_RUN_NS, stats.run_ns);
	self_set(SELF_BPF_RUNS, stats.runs);
	self_set(SELF_BPF_MAP_BYTES, map_bytes);
	self_set(SELF_CPU_NS, clock_cpu_ns());
	self_set(SELF_RSS_BYTES, resident_bytes());
}

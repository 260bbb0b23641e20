/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters: per-CPU arrays of u64, one slot for each thing that is counted. */
#ifndef SONDE_BPF_COUNT_H
#define SONDE_BPF_COUNT_H

#include "lib/kernel.bpf.h"

#include <bpf/bpf_helpers.h>

static __always_inline void count_in(void *counters, u32 slot)
{
	u64 *n = bpf_map_lookup_elem(counters, &slot);

	if (n)
		*n += 1;
}

#endif

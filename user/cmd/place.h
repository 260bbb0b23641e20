/* SPDX-License-Identifier: Apache-2.0 */
/* The place Sonde runs in: what /proc, /sys and the system calls say of it. */
#ifndef SONDE_CMD_PLACE_H
#define SONDE_CMD_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#define SETTING_UNKNOWN INT32_MIN	/* the file is not there, or cannot be read */

enum place_cgroup { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };

struct place {
	char release[65], machine[65];	/* as uname(2) */
	bool has_btf;
	uint64_t capabilities;		/* effective; bit = number of linux/capability.h */
	uint64_t memlock_bytes;		/* UINT64_MAX: no limit */
	char lockdown[32];		/* "none", "integrity", "confidentiality"; "": not known */
	int32_t unprivileged_bpf_disabled, kptr_restrict, perf_event_paranoid, bpf_stats_enabled;
	bool has_tracefs, has_bpffs;
	enum place_cgroup cgroup;
	bool initial_pid_ns, initial_user_ns;
	bool seccomp;			/* a filter is on this process */
	char container[80];		/* what is known of the one the agent is in; "": in none */
};

/* Reads all of it; what cannot be read stays unknown, which is not an error. */
void place_read(struct place *ret_place);

#endif

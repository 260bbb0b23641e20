/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One probe family: its attach choices (best first), each really tried until one works. A
 * source that cannot start is a finding: logged, counted, shown by `sonde doctor`; the agent goes on
 * without it as long as one source works.
 */
#ifndef SONDE_SOURCE_SOURCE_H
#define SONDE_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

struct bpf_map;
struct bpf_object;

#define CHOICES_MAX 4

/* One way to attach; texts are for a person. */
struct choice {
	const char *name;	/* value of the option that forces it: "sock-length" */
	const char *needs;	/* kernel features */
	const char *cost;	/* what it costs and whom */
	const char *blind;	/* what it cannot see */
};

struct choice_result {
	int error;		/* 0: works; -ECANCELED: not tried; else the kernel's -errno */
	char why[240];		/* the reason and what to do about it; empty when it works */
};

struct source {
	const char *name, *purpose;
	const struct choice *choices;	/* best first; ends with a NULL name */

	/*
	 * Loads and attaches choice number `choice` and nothing else; nothing stays after a failure.
	 * Returns 0 with *ret_state set, or -errno with `why` filled in.
	 */
	int (*open)(const struct config *config, unsigned choice, void **ret_state,
		    struct choice_result *result);
	void (*close)(void *state);
};

extern const struct source process_source, socket_source;

/* The one list; NULL at the end. */
extern const struct source *const sources[];

/*
 * Tries the choices of `source` in order (only `forced`, when >= 0) until one works. Returns its
 * number, or the -errno of the last; `results` has CHOICES_MAX places.
 */
int source_open(const struct source *source, const struct config *config, int forced,
		void **ret_state, struct choice_result *results);

/* Which choice the configuration forces on this source; -1: none. */
int source_forced(const struct source *source, const struct config *config);

/* libbpf's own messages go to the log at level debug instead of standard error. Call once, first. */
void source_quiet_libbpf(void);

/* --- for the sources themselves ------------------------------------------------------------ */

/* Programs and maps of an object that one choice uses, NULL-terminated; the rest stays unloaded. */
void object_keep(struct bpf_object *object, const char *const *programs, const char *const *maps);

/* Leaves out those of the programs (of sections KIND/FUNCTION) whose function this kernel has not. */
void object_drop_missing(struct bpf_object *object, const char *const *programs);

/* Explains a failed load or attach of BPF in a person's words. `doing` is "load" or "attach". */
void choice_explain(struct choice_result *result, int error, const char *doing);

/* Sum over all CPUs of slot `slot` of a per-CPU array of __u64. */
uint64_t percpu_sum(const struct bpf_map *map, uint32_t slot);

/* Kernel memory of all maps of an object, as the kernel counts it (fdinfo memlock). Bytes. */
uint64_t object_map_bytes(const struct bpf_object *object);

/* Runs, nanoseconds (when kernel.bpf_stats_enabled) and misses of an object's programs, added up. */
struct program_stats {
	uint64_t runs, run_ns, missed;
};
void object_add_stats(const struct bpf_object *object, struct program_stats *stats);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The discover thread: control ring -> /proc, ELF, cgroup -> selected or not, service name ->
 * BPF map `targets` (through struct discover_io) and news to the pipeline (a queue of struct
 * target_news). It is a thread of its own because disks and /proc may make it wait.
 *
 * Order of use: discover_open(), discover_contained() to load the kernel side with, attach that,
 * discover_add_fd() for the control ring, discover_scan(), discover_start(), ...,
 * discover_stop(). Processes that come during the scan are in the ring by then, so none is
 * missed; what scan and ring both tell is told once.
 */
#ifndef SONDE_DISCOVER_DISCOVER_H
#define SONDE_DISCOVER_DISCOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/queue.h"
#include "config/config.h"
#include "discover/target.h"
#include "event/process.h"

struct discover;

/*
 * Where decisions go: the BPF map. Called on the discover thread (and by discover_scan() on its
 * caller's). Return 0 or -errno: a process whose entry cannot be set counts as refused.
 */
struct discover_io {
	int (*set_target)(void *context, uint32_t tgid, const struct target_entry *entry);
	int (*clear_target)(void *context, uint32_t tgid);	/* -ENOENT is no error */
	void *context;
	uint16_t copy_bytes;	/* for target_entry; 0: SOCKET_RESPONSE_MAX */
	const char *proc_root;	/* NULL: /proc; tests have a tree of their own */
};

/*
 * Makes everything, starts nothing. `config` and `news` must outlive it, `io` is copied. News
 * that finds the queue full is kept and put again; it is never lost. Returns 0 or -errno, logged.
 */
int discover_open(const struct config *config, const struct discover_io *io, struct queue *news,
		  struct discover **ret);

/* Does the agent itself run in a container? Then SELECT_AUTO means containers, else everything. */
bool discover_contained(const struct discover *discover);

/* Before discover_start(): `call` runs on the discover thread whenever `fd` is readable. */
int discover_add_fd(struct discover *discover, int fd, loop_callback call, void *context);

/*
 * Judges every process there is: at the start (before discover_start()); afterwards the thread does
 * it itself once a minute, to find what a full ring has lost. Returns 0 or -errno.
 */
int discover_scan(struct discover *discover);

int discover_start(struct discover *discover);

/*
 * One event of the control ring: call on the discover thread only, with an event whose kind is one
 * of struct process_event and whose size is right. Counts SELF_EVENTS_{EXEC,FORK,EXIT} itself.
 * Waits when too much news is waiting for the pipeline, so the ring bounds what piles up.
 */
void discover_event(struct discover *discover, const struct process_event *event);

/* Ends the thread (if started), frees everything, leaves the BPF map as it is. NULL is allowed. */
void discover_stop(struct discover *discover);

#endif

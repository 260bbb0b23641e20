/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of kernel programs share: a rig (the two sources, really attached by one
 * choice), a forked child that causes the events, and what came out of the rings.
 *
 * Nothing here sleeps: the rings are polled until what is expected has come or a deadline passes.
 */
#ifndef SONDE_TESTS_BPF_HARNESS_H
#define SONDE_TESTS_BPF_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "config/config.h"
#include "event/process.h"
#include "event/socket.h"
#include "source/source.h"

#define RECORDS_MAX 16384
#define PROCESS_EVENTS_MAX 4096
#define PATIENCE_NS (30 * 1000000000ull) /* emulated machines are slow; reached by failures only */

struct record {
	struct socket_event event;
	uint8_t *payload;
};

struct rig {
	struct config config;
	void *process, *socket;
	unsigned choice;
	struct record record[RECORDS_MAX];
	unsigned records;
	struct process_event process_event[PROCESS_EVENTS_MAX];
	unsigned process_events;
};

/*
 * Attaches both sources as `config` says, `choice` of the socket source and no other. Its default
 * here watches no process by itself: a test says who. `configure` may change that; NULL: nothing.
 * Returns 0 or the kernel's -errno with the reason.
 */
int rig_open(unsigned choice, void (*configure)(struct config *), struct rig **ret_rig,
	     struct choice_result *result);
/* Only the process source. */
int rig_open_process(void (*configure)(struct config *), struct rig **ret_rig,
		     struct choice_result *result);
void rig_close(struct rig *rig);

/* Forgets what was read; what still waits in the rings too. */
void rig_clear(struct rig *rig);
void rig_read(struct rig *rig);

/* Reads until `enough` says so; false: the deadline came first. */
bool rig_wait(struct rig *rig, bool (*enough)(const struct rig *rig, const void *arg),
	      const void *arg);
/* Reads until this many ends of connections have been told, and fails when there are more. */
void rig_wait_ends(struct rig *rig, unsigned ends);

void rig_watch(struct rig *rig, pid_t tgid, unsigned flags);
uint64_t rig_drops(struct rig *rig, enum drop reason);
/* Calls the kernel did not run a program for, since it was running on that CPU already. */
uint64_t rig_missed(struct rig *rig);

/* --- the child -------------------------------------------------------------------------------- */

struct child {
	pid_t pid;
	int to, from;		/* pipes, of the side that holds this */
};

/*
 * Since 7.0 a program can be preempted, and until it goes on the kernel does not run it for others
 * on that CPU: it counts such calls as missed. Tests of anything else are of processes that do not
 * preempt each other (SCHED_FIFO): this process and its children, unless a test wants them wild.
 */
void stay_calm(void);
extern bool children_are_wild;

/* Forks; the child waits for child_go() and then runs `body` and exits 0. */
void child_start(struct child *ret_child, void (*body)(struct child *child, const void *arg),
		 const void *arg);
void child_go(struct child *child);
/* Waits until the child is at its next child_step(). */
void child_reached(struct child *child);
/* Waits for its end, which must be exit(0). */
void child_end(struct child *child);

/* In the child: tells the parent and waits for its child_go(). */
void child_step(struct child *child);
/* In the child: ends it with a message; cmocka's own assertions belong to the parent. */
#define must(condition) ((condition) ? (void)0 : child_fail(__FILE__, __LINE__, #condition))
void child_fail(const char *file, int line, const char *condition) __attribute__((noreturn));

/* start, watch, go, end: for bodies without steps. Returns the pid it had. */
pid_t child_run(struct rig *rig, void (*body)(struct child *child, const void *arg),
		const void *arg);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One epoll loop a thread. Everything that can wake a thread is a descriptor in its loop:
 * rings, queues, timers (timerfd), signals (signalfd).
 */
#ifndef SONDE_BASE_LOOP_H
#define SONDE_BASE_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define LOOP_SOURCES_MAX 32

/*
 * `fd` is the descriptor that became ready, or for signals the signal's number. A timer or signal
 * has been read already. A callback may add sources and remove any, its own as well: a removed
 * source is not called again, not even for what the same round found ready.
 */
typedef void (*loop_callback)(void *context, int fd);

enum loop_kind {
	LOOP_PLAIN,		/* the caller's descriptor; all others are closed with the source */
	LOOP_TIMER,
	LOOP_TIMEOUT,
	LOOP_SIGNALS,
};

struct loop_source {
	int fd;			/* -1: free slot */
	uint32_t generation;	/* of the slot: how often it was freed */
	enum loop_kind kind;
	loop_callback call;
	void *context;
};

struct loop {
	int epoll_fd;
	bool stopped;
	struct loop_source sources[LOOP_SOURCES_MAX];
};

/* All return 0 (or a descriptor) or -errno; -ENOSPC beyond LOOP_SOURCES_MAX. */
int loop_init(struct loop *loop);

/* Calls whenever `fd` is readable, hung up or broken. Remove it before closing it. */
int loop_add(struct loop *loop, int fd, loop_callback call, void *context);

/*
 * Calls every `interval_ns` (not 0), once for all ticks missed meanwhile; returns the timer's
 * descriptor, for loop_remove().
 */
int loop_add_timer(struct loop *loop, uint64_t interval_ns, loop_callback call, void *context);

/*
 * Calls once, after `delay_ns`; it is removed before the call, so the callback must forget the
 * descriptor, which may soon be another's. Returns the descriptor, for loop_remove().
 */
int loop_add_timeout(struct loop *loop, uint64_t delay_ns, loop_callback call, void *context);

/*
 * Blocks `signals` in this thread (start threads after this) and calls on each one's arrival.
 * Returns a descriptor for loop_remove(), which leaves them blocked.
 */
int loop_add_signals(struct loop *loop, const sigset_t *signals, loop_callback call, void *context);

void loop_remove(struct loop *loop, int fd);

/* Runs callbacks until the round in which loop_stop() is called ends. Returns 0 or -errno. */
int loop_run(struct loop *loop);

/* One round: waits at most `timeout_ms` (-1: without end). Returns callbacks called, or -errno. */
int loop_once(struct loop *loop, int timeout_ms);

/* From a callback of the same loop. */
void loop_stop(struct loop *loop);

void loop_done(struct loop *loop);

#endif

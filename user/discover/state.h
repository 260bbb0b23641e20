/* SPDX-License-Identifier: Apache-2.0 */
/* What the discover thread holds: for discover.c (the thread) and events.c (what it does). */
#ifndef SONDE_DISCOVER_STATE_H
#define SONDE_DISCOVER_STATE_H

#include <pthread.h>

#include "discover/discover.h"
#include "discover/judge.h"
#include "discover/known.h"
#include "discover/news.h"

struct discover {
	struct discover_io io;
	struct known_table known;
	struct news news;
	bool scanned;			/* the first scan is done */
	uint64_t lost;			/* events the full ring had lost by the last look */
	bool flush_armed;		/* a timeout will put the news that waits */
	uint64_t failed_logged_ns;
	struct loop loop;
	int stop_fd;			/* eventfd: readable when the thread is to end */
	bool started;
	pthread_t thread;
	struct judge judge;
};

/* Sees to it that news which waits is put again soon. */
void discover_arm_flush(struct discover *discover);

#endif

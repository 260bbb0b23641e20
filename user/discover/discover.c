/* SPDX-License-Identifier: Apache-2.0 */
/* The discover thread: its making, its loop, its end. What it does is in events.c. */
#include "discover/discover.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "discover/state.h"
#include "model/self.h"

#define FLUSH_NS (2 * NSEC_PER_MSEC)	/* until news that found the queue full is put again */
#define SCAN_NS (60 * NSEC_PER_SEC)	/* between scans for what was missed in whatever way */
#define LOSS_NS (2 * NSEC_PER_SEC)	/* between looks whether the ring was full */

static void stop_thread(void *context, int fd)
{
	loop_stop(&((struct discover *)context)->loop);
}

static void scan_again(void *context, int fd)
{
	discover_scan(context);
}

/* What the ring has lost may be a server that nobody watches: that is not left for a minute. */
static void look_for_loss(void *context, int fd)
{
	struct discover *discover = context;
	uint64_t lost = self_get(SELF_DROP_RING_CONTROL);

	if (lost == discover->lost)
		return;
	discover->lost = lost;
	discover_scan(discover);
}

static void flush(void *context, int fd)
{
	struct discover *discover = context;

	discover->flush_armed = false;
	news_flush(&discover->news);
	discover_arm_flush(discover);
}

void discover_arm_flush(struct discover *discover)
{
	if (!discover->news.waiting || discover->flush_armed)
		return;
	discover->flush_armed = loop_add_timeout(&discover->loop, FLUSH_NS, flush, discover) >= 0;
}

static int open_loop(struct discover *discover)
{
	int r = loop_init(&discover->loop);

	if (r < 0)
		return r;
	discover->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (discover->stop_fd < 0)
		return -errno;
	r = loop_add(&discover->loop, discover->stop_fd, stop_thread, discover);
	if (r < 0)
		return r;
	r = loop_add_timer(&discover->loop, SCAN_NS, scan_again, discover);
	if (r >= 0)
		r = loop_add_timer(&discover->loop, LOSS_NS, look_for_loss, discover);
	return r < 0 ? r : 0;
}

static int open_parts(struct discover *discover, const struct config *config)
{
	int r = open_loop(discover);

	if (!r)
		r = known_init(&discover->known, config->targets_max, &discover->io,
			       &discover->news);
	if (r < 0)
		return log_error(r, "discover: cannot start: %m: raise the limits on open files "
				 "and memory");
	return judge_open(&discover->judge, config,
			  discover->io.proc_root ? discover->io.proc_root : "/proc");
}

int discover_open(const struct config *config, const struct discover_io *io, struct queue *news,
		  struct discover **ret)
{
	struct discover *discover = calloc(1, sizeof(*discover));
	int r;

	if (!discover)
		return log_error(-ENOMEM, "discover: cannot start: %m: give it more memory");
	discover->io = *io;
	discover->stop_fd = -1;
	discover->loop.epoll_fd = -1;
	for (int i = 0; i < LOOP_SOURCES_MAX; i++)
		discover->loop.sources[i].fd = -1;
	discover->judge.root_fd = -1;
	discover->judge.process.dir_fd = -1;
	news_init(&discover->news, news);
	r = open_parts(discover, config);
	if (r < 0) {
		discover_stop(discover);
		return r;
	}
	*ret = discover;
	return 0;
}

bool discover_contained(const struct discover *discover)
{
	return discover->judge.self_in_container;
}

int discover_add_fd(struct discover *discover, int fd, loop_callback call, void *context)
{
	return loop_add(&discover->loop, fd, call, context);
}

static void *run(void *context)
{
	struct discover *discover = context;
	int r;

	r = loop_run(&discover->loop);
	if (r < 0)
		log_error(r, "discover: new processes will be missed: the thread ended: %m: "
			  "restart the agent");
	return NULL;
}

/* Signals are main's: the thread starts with all of them blocked. */
int discover_start(struct discover *discover)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&discover->thread, NULL, run, discover);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		return log_error(r, "discover: no thread: %m: raise the limit on processes");
	pthread_setname_np(discover->thread, "sonde-discover");
	discover->started = true;
	return 0;
}

void discover_stop(struct discover *discover)
{
	if (!discover)
		return;
	if (discover->started) {
		eventfd_write(discover->stop_fd, 1);
		pthread_join(discover->thread, NULL);
	}
	loop_done(&discover->loop);
	if (discover->stop_fd >= 0)
		close(discover->stop_fd);
	known_done(&discover->known);
	news_done(&discover->news);
	judge_close(&discover->judge);
	free(discover);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One epoll loop a thread. An event names its source by slot and generation: the generation
 * changes when a slot is freed, so an event that was fetched before its source was removed
 * finds nobody, even when the slot or the descriptor has been given out again since.
 */
#include "base/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

int loop_init(struct loop *loop)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -errno;
	*loop = (struct loop){ .epoll_fd = fd };
	for (int i = 0; i < LOOP_SOURCES_MAX; i++)
		loop->sources[i].fd = -1;
	return 0;
}

static struct loop_source *find_source(struct loop *loop, int fd)
{
	for (int i = 0; i < LOOP_SOURCES_MAX; i++) {
		if (loop->sources[i].fd == fd)
			return &loop->sources[i];
	}
	return NULL;
}

static int add_source(struct loop *loop, struct loop_source new)
{
	struct loop_source *source = find_source(loop, -1);
	struct epoll_event event = { .events = EPOLLIN };

	if (new.fd < 0)
		return -EBADF;
	if (!source)
		return -ENOSPC;
	new.generation = source->generation;
	event.data.u64 = (uint64_t)new.generation << 32 | (uint32_t)(source - loop->sources);
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, new.fd, &event) < 0)
		return -errno;
	*source = new;
	return 0;
}

/* As add_source(), for a descriptor of our own. Returns it, or closes it and returns -errno. */
static int add_owned(struct loop *loop, struct loop_source new)
{
	int r = add_source(loop, new);

	if (r < 0) {
		close(new.fd);
		return r;
	}
	return new.fd;
}

int loop_add(struct loop *loop, int fd, loop_callback call, void *context)
{
	return add_source(loop, (struct loop_source){
		.fd = fd, .kind = LOOP_PLAIN, .call = call, .context = context,
	});
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC };
}

/* Returns a timer's descriptor or -errno. `interval_ns` 0: fires once. */
static int open_timer(uint64_t first_ns, uint64_t interval_ns)
{
	struct itimerspec when = {
		.it_value = timespec_of(first_ns), .it_interval = timespec_of(interval_ns),
	};
	int fd, r;

	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &when, NULL) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

int loop_add_timer(struct loop *loop, uint64_t interval_ns, loop_callback call, void *context)
{
	int fd;

	if (!interval_ns)
		return -EINVAL;
	fd = open_timer(interval_ns, interval_ns);
	if (fd < 0)
		return fd;
	return add_owned(loop, (struct loop_source){
		.fd = fd, .kind = LOOP_TIMER, .call = call, .context = context,
	});
}

int loop_add_timeout(struct loop *loop, uint64_t delay_ns, loop_callback call, void *context)
{
	int fd = open_timer(delay_ns ? delay_ns : 1, 0);	/* 0 would disarm the timer */

	if (fd < 0)
		return fd;
	return add_owned(loop, (struct loop_source){
		.fd = fd, .kind = LOOP_TIMEOUT, .call = call, .context = context,
	});
}

int loop_add_signals(struct loop *loop, const sigset_t *signals, loop_callback call, void *context)
{
	int fd, r;

	fd = signalfd(-1, signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	fd = add_owned(loop, (struct loop_source){
		.fd = fd, .kind = LOOP_SIGNALS, .call = call, .context = context,
	});
	if (fd < 0)
		return fd;
	r = pthread_sigmask(SIG_BLOCK, signals, NULL);
	if (r > 0) {
		loop_remove(loop, fd);
		return -r;
	}
	return fd;
}

static void remove_source(struct loop *loop, struct loop_source *source)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->kind != LOOP_PLAIN)
		close(source->fd);
	source->fd = -1;
	source->generation++;
}

void loop_remove(struct loop *loop, int fd)
{
	struct loop_source *source = fd < 0 ? NULL : find_source(loop, fd);

	if (source)
		remove_source(loop, source);
}

/*
 * Reads what a timer or a signal has to say; *ret_fd is what the callback gets. False when
 * there is nothing after all: another thread took the signal.
 */
static bool read_source(const struct loop_source *source, int *ret_fd)
{
	struct signalfd_siginfo info;
	uint64_t expirations;

	*ret_fd = source->fd;
	switch (source->kind) {
	case LOOP_TIMER:
	case LOOP_TIMEOUT:
		return read(source->fd, &expirations, sizeof(expirations)) == sizeof(expirations);
	case LOOP_SIGNALS:
		if (read(source->fd, &info, sizeof(info)) != sizeof(info))
			return false;
		*ret_fd = (int)info.ssi_signo;
		return true;
	default:
		return true;
	}
}

/* Returns the number of callbacks called: 1, or 0 when the source is gone. */
static int dispatch(struct loop *loop, uint64_t name)
{
	struct loop_source *slot = &loop->sources[(uint32_t)name];
	struct loop_source source = *slot;	/* the callback may free the slot */
	int fd;

	if (source.fd < 0 || source.generation != name >> 32 || !read_source(&source, &fd))
		return 0;
	if (source.kind == LOOP_TIMEOUT)
		remove_source(loop, slot);
	source.call(source.context, fd);
	return 1;
}

int loop_once(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[LOOP_SOURCES_MAX];	/* room for all: none waits */
	int ready, called = 0;

	ready = epoll_wait(loop->epoll_fd, events, LOOP_SOURCES_MAX, timeout_ms);
	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < ready; i++)
		called += dispatch(loop, events[i].data.u64);
	return called;
}

int loop_run(struct loop *loop)
{
	int r = 0;

	while (!loop->stopped && r >= 0)
		r = loop_once(loop, -1);
	loop->stopped = false;		/* may be run again, to drain */
	return r < 0 ? r : 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

void loop_done(struct loop *loop)
{
	for (int i = 0; i < LOOP_SOURCES_MAX; i++) {
		if (loop->sources[i].fd >= 0)
			remove_source(loop, &loop->sources[i]);
	}
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Loops: who is called, how often, and that nobody is called once removed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

#define WAIT_MS 60000		/* far beyond any wait that is not a failure */

/* What a callback saw, and what it shall do. */
struct seen {
	struct loop loop;
	int calls, last_fd;
	int remove[4];		/* descriptors to remove when called, 0 ends the list */
};

static void record(void *context, int fd)
{
	struct seen *seen = context;

	seen->calls++;
	seen->last_fd = fd;
	for (int i = 0; i < 4 && seen->remove[i]; i++)
		loop_remove(&seen->loop, seen->remove[i]);
}

static void record_and_stop(void *context, int fd)
{
	record(context, fd);
	loop_stop(&((struct seen *)context)->loop);
}

static struct seen *start(void)
{
	static struct seen seen;

	seen = (struct seen){ 0 };
	assert_int_equal(loop_init(&seen.loop), 0);
	return &seen;
}

/* A descriptor that is readable until it is closed. */
static int readable(void)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd > 0);
	return fd;
}

static void calls_with_the_descriptor_that_became_ready(void **state)
{
	struct seen *seen = start();
	int quiet = eventfd(0, EFD_CLOEXEC), ready = readable();

	assert_int_equal(loop_add(&seen->loop, quiet, record, seen), 0);
	assert_int_equal(loop_once(&seen->loop, 0), 0);
	assert_int_equal(loop_add(&seen->loop, ready, record, seen), 0);
	assert_int_equal(loop_once(&seen->loop, WAIT_MS), 1);
	assert_int_equal(seen->last_fd, ready);
	assert_int_equal(loop_once(&seen->loop, WAIT_MS), 1);	/* still readable: again */
	loop_remove(&seen->loop, ready);
	assert_int_equal(loop_once(&seen->loop, 0), 0);
	loop_done(&seen->loop);
	close(quiet);
	assert_int_equal(close(ready), 0);			/* it stayed ours */
}

static void refuses_what_it_cannot_watch(void **state)
{
	struct seen *seen = start();
	int fd = readable();

	assert_int_equal(loop_add(&seen->loop, -1, record, seen), -EBADF);
	assert_int_equal(loop_add(&seen->loop, 999, record, seen), -EBADF);
	assert_int_equal(loop_add(&seen->loop, fd, record, seen), 0);
	assert_int_equal(loop_add(&seen->loop, fd, record, seen), -EEXIST);
	assert_int_equal(loop_add_timer(&seen->loop, 0, record, seen), -EINVAL);
	loop_remove(&seen->loop, 999);
	loop_remove(&seen->loop, -1);
	assert_int_equal(loop_once(&seen->loop, WAIT_MS), 1);
	loop_done(&seen->loop);
	close(fd);
}

static void refuses_more_sources_than_it_has_room_for(void **state)
{
	int timer = -1, lowest = readable(), after;
	struct seen *seen;

	close(lowest);
	seen = start();
	for (int i = 0; i < LOOP_SOURCES_MAX; i++) {
		timer = loop_add_timer(&seen->loop, NSEC_PER_SEC * 1000, record, seen);
		assert_true(timer > 0);
	}
	assert_int_equal(loop_add_timer(&seen->loop, 1, record, seen), -ENOSPC);
	assert_int_equal(loop_add_timeout(&seen->loop, 1, record, seen), -ENOSPC);
	loop_remove(&seen->loop, timer);
	assert_true(loop_add_timeout(&seen->loop, 1, record, seen) > 0);
	loop_done(&seen->loop);

	after = readable();
	assert_int_equal(after, lowest);		/* all descriptors were closed */
	close(after);
}

static void a_removed_source_is_not_called_even_in_the_same_round(void **state)
{
	struct seen *seen = start();
	int one = readable(), two = readable(), three = readable();

	loop_add(&seen->loop, one, record, seen);
	loop_add(&seen->loop, two, record, seen);
	loop_add(&seen->loop, three, record, seen);
	seen->remove[0] = one;
	seen->remove[1] = two;
	seen->remove[2] = three;
	assert_int_equal(loop_once(&seen->loop, WAIT_MS), 1);	/* whoever came first ended all */
	assert_int_equal(loop_once(&seen->loop, 0), 0);
	assert_int_equal(seen->calls, 1);
	loop_done(&seen->loop);
	close(one);
	close(two);
	close(three);
}

struct swap {
	struct loop loop;
	int fds[2], calls, late_calls;
};

static void record_late(void *context, int fd)
{
	((struct swap *)context)->late_calls++;
}

/* Removes the other source and puts a new one under the same descriptor into the same slot. */
static void replace_the_other(void *context, int fd)
{
	struct swap *swap = context;
	int other = swap->fds[fd == swap->fds[0]];

	if (swap->calls++)
		return;
	loop_remove(&swap->loop, other);
	loop_add(&swap->loop, other, record_late, swap);
}

static void a_source_added_in_a_round_waits_for_the_next(void **state)
{
	struct swap swap = { .fds = { readable(), readable() } };

	assert_int_equal(loop_init(&swap.loop), 0);
	loop_add(&swap.loop, swap.fds[0], replace_the_other, &swap);
	loop_add(&swap.loop, swap.fds[1], replace_the_other, &swap);
	assert_int_equal(loop_once(&swap.loop, WAIT_MS), 1);
	assert_int_equal(swap.calls, 1);
	assert_int_equal(swap.late_calls, 0);
	assert_int_equal(loop_once(&swap.loop, WAIT_MS), 2);
	assert_int_equal(swap.late_calls, 1);
	loop_done(&swap.loop);
	close(swap.fds[0]);
	close(swap.fds[1]);
}

static void a_timer_calls_again_and_again(void **state)
{
	struct seen *seen = start();
	uint64_t begin = clock_monotonic_ns();
	int timer = loop_add_timer(&seen->loop, 2 * NSEC_PER_MSEC, record, seen);

	assert_true(timer > 0);
	while (seen->calls < 3)
		assert_true(loop_once(&seen->loop, WAIT_MS) >= 0);
	assert_true(clock_monotonic_ns() - begin >= 6 * NSEC_PER_MSEC);
	assert_int_equal(seen->last_fd, timer);

	loop_remove(&seen->loop, timer);
	assert_int_equal(fcntl(timer, F_GETFD), -1);		/* closed with its source */
	loop_done(&seen->loop);
}

static void missed_ticks_are_one_call(void **state)
{
	struct seen *seen = start();
	uint64_t begin = clock_monotonic_ns();

	assert_true(loop_add_timer(&seen->loop, NSEC_PER_SEC / 100, record, seen) > 0);
	while (clock_monotonic_ns() - begin < NSEC_PER_SEC / 20)
		;
	assert_int_equal(loop_once(&seen->loop, WAIT_MS), 1);
	assert_int_equal(seen->calls, 1);
	loop_done(&seen->loop);
}

static void a_timeout_calls_once_and_is_gone_before_the_call(void **state)
{
	struct seen *seen = start();
	int fd = loop_add_timeout(&seen->loop, 0, record, seen);

	assert_true(fd > 0);
	assert_int_equal(loop_once(&seen->loop, WAIT_MS), 1);
	assert_int_equal(seen->last_fd, fd);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(loop_once(&seen->loop, 0), 0);
	loop_done(&seen->loop);
}

static void add_next_timeout(void *context, int fd)
{
	struct seen *seen = context;

	if (++seen->calls < 100)
		assert_true(loop_add_timeout(&seen->loop, 1, add_next_timeout, seen) > 0);
	else
		loop_stop(&seen->loop);
}

static void a_timeout_may_set_the_next_one(void **state)
{
	struct seen *seen = start();

	assert_true(loop_add_timeout(&seen->loop, 1, add_next_timeout, seen) > 0);
	assert_int_equal(loop_run(&seen->loop), 0);
	assert_int_equal(seen->calls, 100);
	loop_done(&seen->loop);
}

static void a_signal_calls_with_its_number(void **state)
{
	struct seen *seen = start();
	sigset_t signals, before;
	int fd;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	fd = loop_add_signals(&seen->loop, &signals, record, seen);
	assert_true(fd > 0);

	raise(SIGTERM);
	assert_int_equal(loop_once(&seen->loop, WAIT_MS), 1);
	assert_int_equal(seen->last_fd, SIGTERM);
	raise(SIGUSR1);
	raise(SIGTERM);
	while (seen->calls < 3)
		assert_true(loop_once(&seen->loop, WAIT_MS) >= 0);
	assert_int_equal(loop_once(&seen->loop, 0), 0);

	loop_remove(&seen->loop, fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	loop_done(&seen->loop);
}

static void runs_until_stopped_and_may_run_again(void **state)
{
	struct seen *seen = start();
	int fd = readable();

	assert_int_equal(loop_add(&seen->loop, fd, record_and_stop, seen), 0);
	assert_int_equal(loop_run(&seen->loop), 0);
	assert_int_equal(seen->calls, 1);
	assert_int_equal(loop_run(&seen->loop), 0);
	assert_int_equal(seen->calls, 2);
	loop_done(&seen->loop);
	close(fd);
}

static void loops_nest(void **state)
{
	struct seen *seen = start();
	struct loop inner;
	int fd = readable();

	assert_int_equal(loop_init(&inner), 0);
	assert_int_equal(loop_add(&inner, fd, record, seen), 0);
	assert_int_equal(loop_add(&seen->loop, inner.epoll_fd, record, seen), 0);
	assert_int_equal(loop_once(&seen->loop, WAIT_MS), 1);
	assert_int_equal(seen->last_fd, inner.epoll_fd);
	loop_done(&seen->loop);
	loop_done(&inner);
	close(fd);
}

static void says_when_it_cannot_wait(void **state)
{
	struct loop loop = { .epoll_fd = -1 };

	assert_int_equal(loop_once(&loop, 0), -EBADF);
	assert_int_equal(loop_run(&loop), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_with_the_descriptor_that_became_ready),
		cmocka_unit_test(refuses_what_it_cannot_watch),
		cmocka_unit_test(refuses_more_sources_than_it_has_room_for),
		cmocka_unit_test(a_removed_source_is_not_called_even_in_the_same_round),
		cmocka_unit_test(a_source_added_in_a_round_waits_for_the_next),
		cmocka_unit_test(a_timer_calls_again_and_again),
		cmocka_unit_test(missed_ticks_are_one_call),
		cmocka_unit_test(a_timeout_calls_once_and_is_gone_before_the_call),
		cmocka_unit_test(a_timeout_may_set_the_next_one),
		cmocka_unit_test(a_signal_calls_with_its_number),
		cmocka_unit_test(runs_until_stopped_and_may_run_again),
		cmocka_unit_test(loops_nest),
		cmocka_unit_test(says_when_it_cannot_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

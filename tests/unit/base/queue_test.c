/* SPDX-License-Identifier: Apache-2.0 */
/* Queues: bounded, in order, readable after a put; also between two running threads. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/queue.h"

static void *item(uintptr_t n)
{
	return (void *)n;
}

static int is_readable(const struct queue *queue, int timeout_ms)
{
	struct pollfd pollfd = { .fd = queue->fd, .events = POLLIN };

	return poll(&pollfd, 1, timeout_ms);
}

static void gives_back_in_order_what_was_put(void **state)
{
	struct queue queue;

	assert_int_equal(queue_init(&queue, 4), 0);
	assert_null(queue_take(&queue));
	for (uintptr_t n = 1; n < 1000; n += 2) {
		assert_int_equal(queue_put(&queue, item(n)), 0);
		assert_int_equal(queue_put(&queue, item(n + 1)), 0);
		assert_int_equal(queue_len(&queue), 2);
		assert_ptr_equal(queue_take(&queue), item(n));
		assert_ptr_equal(queue_take(&queue), item(n + 1));
		assert_null(queue_take(&queue));
	}
	queue_done(&queue);
}

static void refuses_when_full_and_takes_again_after_a_take(void **state)
{
	struct queue queue;

	assert_int_equal(queue_init(&queue, 3), 0);
	for (uintptr_t n = 1; n <= 4; n++)
		assert_int_equal(queue_put(&queue, item(n)), 0);
	assert_int_equal(queue_put(&queue, item(5)), -ENOSPC);
	assert_int_equal(queue_len(&queue), 4);
	assert_ptr_equal(queue_take(&queue), item(1));
	assert_int_equal(queue_put(&queue, item(5)), 0);
	for (uintptr_t n = 2; n <= 5; n++)
		assert_ptr_equal(queue_take(&queue), item(n));
	queue_done(&queue);
}

static void works_with_room_for_one(void **state)
{
	struct queue queue;

	assert_int_equal(queue_init(&queue, 0), -EINVAL);
	assert_int_equal(queue_init(&queue, UINT32_MAX), -EINVAL);
	assert_int_equal(queue_init(&queue, 1), 0);
	assert_int_equal(queue_put(&queue, item(1)), 0);
	assert_int_equal(queue_put(&queue, item(2)), -ENOSPC);
	assert_ptr_equal(queue_take(&queue), item(1));
	queue_done(&queue);
	queue_done(&queue);
}

static void counts_on_past_the_end_of_its_indices(void **state)
{
	struct queue queue;

	assert_int_equal(queue_init(&queue, 4), 0);
	atomic_store(&queue.head, UINT32_MAX - 1);
	atomic_store(&queue.tail, UINT32_MAX - 1);
	for (uintptr_t n = 1; n <= 4; n++)
		assert_int_equal(queue_put(&queue, item(n)), 0);
	assert_int_equal(queue_put(&queue, item(5)), -ENOSPC);
	assert_int_equal(queue_len(&queue), 4);
	for (uintptr_t n = 1; n <= 4; n++)
		assert_ptr_equal(queue_take(&queue), item(n));
	assert_null(queue_take(&queue));
	queue_done(&queue);
}

static void is_readable_after_a_put_until_acknowledged(void **state)
{
	struct queue queue;

	assert_int_equal(queue_init(&queue, 4), 0);
	assert_int_equal(is_readable(&queue, 0), 0);
	queue_acknowledge(&queue);
	queue_put(&queue, item(1));
	queue_put(&queue, item(2));
	assert_int_equal(is_readable(&queue, 0), 1);
	queue_acknowledge(&queue);
	assert_int_equal(is_readable(&queue, 0), 0);
	queue_put(&queue, item(3));
	assert_int_equal(is_readable(&queue, 0), 1);
	assert_true(fcntl(queue.fd, F_GETFD) & FD_CLOEXEC);
	queue_done(&queue);
}

#define MANY 200000ul

static void *put_many(void *argument)
{
	struct queue *queue = argument;

	for (uintptr_t n = 1; n <= MANY;) {
		uintptr_t *sent = malloc(sizeof(*sent));

		*sent = n++;
		while (queue_put(queue, sent) < 0)
			sched_yield();
	}
	return NULL;
}

static void loses_and_reorders_nothing_between_two_threads(void **state)
{
	struct queue queue;
	pthread_t putter;
	uintptr_t expected = 1, *got;

	assert_int_equal(queue_init(&queue, 64), 0);
	assert_int_equal(pthread_create(&putter, NULL, put_many, &queue), 0);
	while (expected <= MANY) {
		/* a lost wake-up ends here */
		assert_int_equal(is_readable(&queue, 60 * 1000), 1);
		queue_acknowledge(&queue);
		while ((got = queue_take(&queue))) {
			assert_int_equal(*got, expected++);
			free(got);
		}
	}
	assert_int_equal(pthread_join(putter, NULL), 0);
	assert_int_equal(queue_len(&queue), 0);
	queue_done(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_in_order_what_was_put),
		cmocka_unit_test(refuses_when_full_and_takes_again_after_a_take),
		cmocka_unit_test(works_with_room_for_one),
		cmocka_unit_test(counts_on_past_the_end_of_its_indices),
		cmocka_unit_test(is_readable_after_a_put_until_acknowledged),
		cmocka_unit_test(loses_and_reorders_nothing_between_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks: nanoseconds, in agreement with the kernel's other ways to ask. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

static void monotonic_time_is_the_kernels_and_never_goes_back(void **state)
{
	uint64_t last = clock_monotonic_ns();
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	assert_true(clock_monotonic_ns() >= t.tv_sec * NSEC_PER_SEC + t.tv_nsec);
	assert_true(last <= t.tv_sec * NSEC_PER_SEC + t.tv_nsec);
	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_monotonic_ns();

		assert_true(now >= last);
		last = now;
	}
}

static void real_time_is_the_time_of_day(void **state)
{
	int64_t seconds = clock_realtime_ns() / NSEC_PER_SEC;

	assert_true(llabs(seconds - (int64_t)time(NULL)) <= 2);
}

static void the_offset_turns_monotonic_into_real_time(void **state)
{
	int64_t offset = clock_realtime_offset_ns();
	int64_t error = (int64_t)(clock_monotonic_ns() + offset - clock_realtime_ns());

	assert_true(llabs(error) < (int64_t)NSEC_PER_SEC);	/* a busy host may pause us */
}

static void cpu_time_grows_with_work(void **state)
{
	uint64_t start = clock_cpu_ns();

	while (clock_cpu_ns() - start < NSEC_PER_MSEC)
		;
	assert_true(clock_cpu_ns() > start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(monotonic_time_is_the_kernels_and_never_goes_back),
		cmocka_unit_test(real_time_is_the_time_of_day),
		cmocka_unit_test(the_offset_turns_monotonic_into_real_time),
		cmocka_unit_test(cpu_time_grows_with_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "model/batch.h"

#define PAGE 4096

/* Pages of `len` bytes from `at` that are in memory. */
static size_t resident(const void *at, size_t len)
{
	uintptr_t start = (uintptr_t)at & ~(uintptr_t)(PAGE - 1);
	size_t pages = ((uintptr_t)at + len - start) / PAGE, count = 0;
	unsigned char *map = calloc(1, pages);

	assert_int_equal(mincore((void *)start, pages * PAGE, map), 0);
	for (size_t i = 0; i < pages; i++)
		count += map[i] & 1;
	free(map);
	return count;
}

static void an_unused_batch_costs_no_memory(void **state)
{
	struct batch *batch = batch_new(1 << 16, 64 << 20);

	assert_non_null(batch);
	assert_int_equal(batch->spans_max, 1 << 16);
	assert_true(resident(batch->span, (size_t)batch->spans_max * sizeof(struct span)) <= 1);
	assert_int_equal(resident(batch->arena.at, batch->arena.size), 0);
	batch_free(batch);
}

static void reset_drops_the_content_and_its_references(void **state)
{
	struct resource from = { .service_name = BYTES("s") }, *resource = resource_new(&from);
	struct batch *batch = batch_new(16, 4096);

	batch->resource[batch->resources++] = resource_ref(resource);
	batch->span[batch->spans++].target = arena_copy(&batch->arena, BYTES("/x"));
	batch->series = arena_alloc(&batch->arena, 64);
	batch->series_count = 1;
	assert_int_equal(resource->references, 2);
	batch_reset(batch);
	assert_int_equal(resource->references, 1);
	assert_int_equal(batch->resources + batch->spans + batch->series_count, 0);
	assert_null(batch->series);
	assert_int_equal(batch->arena.used, 0);

	batch->resource[batch->resources++] = resource_ref(resource);
	batch_free(batch);
	assert_int_equal(resource->references, 1);
	resource_unref(resource);
}

static void what_a_burst_touched_is_given_back(void **state)
{
	struct batch *batch = batch_new(1 << 16, 16 << 20);
	size_t span_bytes = (size_t)batch->spans_max * sizeof(struct span);

	for (; batch->spans < batch->spans_max; batch->spans++)
		batch->span[batch->spans].tid = 1;
	memset(arena_alloc(&batch->arena, 16 << 20), 1, 16 << 20);
	batch_reset(batch);
	assert_true(resident(batch->span, span_bytes) >= span_bytes / PAGE);

	batch->spans = 100;
	batch_reset(batch);
	assert_true(resident(batch->span, span_bytes) <= 200 * sizeof(struct span) / PAGE + 2);
	assert_true(resident(batch->arena.at, batch->arena.size) <= 64 + 1);
	batch_free(batch);
}

static void spans_stay_in_memory_while_they_are_used(void **state)
{
	struct batch *batch = batch_new(1 << 12, 4096);
	size_t bytes = 4096 * sizeof(struct span);

	for (int round = 0; round < 3; round++) {
		for (batch->spans = 0; batch->spans < 4096; batch->spans++)
			batch->span[batch->spans].tid = 1;
		batch_reset(batch);
		assert_true(resident(batch->span, bytes) >= bytes / PAGE);
	}
	batch_free(batch);
}

static void freeing_nothing_is_allowed(void **state)
{
	batch_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unused_batch_costs_no_memory),
		cmocka_unit_test(reset_drops_the_content_and_its_references),
		cmocka_unit_test(what_a_burst_touched_is_given_back),
		cmocka_unit_test(spans_stay_in_memory_while_they_are_used),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: aligned, bounded, and no memory for pages that were not touched or not kept. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"

#define PAGES 64

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Of the first PAGES pages, how many have memory. */
static int resident_pages(const struct arena *arena)
{
	unsigned char resident[PAGES];
	int count = 0;

	assert_int_equal(mincore(arena->at, PAGES * page_size(), resident), 0);
	for (int i = 0; i < PAGES; i++)
		count += resident[i] & 1;
	return count;
}

static void hands_out_aligned_pieces_until_full(void **state)
{
	struct arena arena;
	uint8_t *one, *two;

	assert_int_equal(arena_init(&arena, 24), 0);
	one = arena_alloc(&arena, 1);
	two = arena_alloc(&arena, 16);
	assert_non_null(one);
	assert_ptr_equal(two, one + 8);
	assert_int_equal((uintptr_t)two % 8, 0);
	assert_null(arena_alloc(&arena, 1));
	assert_non_null(arena_alloc(&arena, 0));
	arena_done(&arena);
}

static void absurd_lengths_are_refused_and_not_wrapped(void **state)
{
	struct arena arena;

	assert_int_equal(arena_init(&arena, 0), -EINVAL);
	assert_int_equal(arena_init(&arena, SIZE_MAX), -ENOMEM);
	assert_int_equal(arena_init(&arena, (size_t)1 << 62), -ENOMEM);
	assert_int_equal(arena_init(&arena, 1000), 0);
	assert_non_null(arena_alloc(&arena, 8));
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 7));
	assert_int_equal(arena.used, 8);
	arena_done(&arena);
}

static void copies_bytes_or_gives_none(void **state)
{
	struct arena arena;
	struct bytes copy, original = BYTES("hello");

	assert_int_equal(arena_init(&arena, 8), 0);
	copy = arena_copy(&arena, original);
	assert_true(bytes_equal(copy, original));
	assert_ptr_not_equal(copy.at, original.at);
	assert_int_equal(arena_copy(&arena, original).len, 0);
	assert_int_equal(arena_copy(&arena, (struct bytes){ 0 }).len, 0);
	arena_done(&arena);
}

static void a_large_reservation_costs_only_what_is_touched(void **state)
{
	struct arena arena;

	assert_int_equal(arena_init(&arena, (size_t)16 << 30), 0);
	assert_int_equal(resident_pages(&arena), 0);
	memset(arena_alloc(&arena, 100), 1, 100);
	assert_int_equal(resident_pages(&arena), 1);
	arena_done(&arena);
}

static void a_reset_gives_back_the_pages_above_keep(void **state)
{
	struct arena arena;
	size_t len = PAGES * page_size();
	uint8_t *at;

	assert_int_equal(arena_init(&arena, len), 0);
	memset(arena_alloc(&arena, len), 0xaa, len);
	assert_int_equal(resident_pages(&arena), PAGES);

	arena_reset(&arena, 3 * page_size() + 1);
	assert_int_equal(resident_pages(&arena), 4);
	at = arena_alloc(&arena, len);
	assert_ptr_equal(at, arena.at);
	assert_int_equal(at[0], 0xaa);
	assert_int_equal(at[len - 1], 0);

	arena_reset(&arena, len);
	assert_int_equal(arena.used, 0);
	arena_reset(&arena, 0);
	assert_int_equal(resident_pages(&arena), 0);
	arena_done(&arena);
}

static void may_be_done_twice(void **state)
{
	struct arena arena;

	assert_int_equal(arena_init(&arena, 100), 0);
	arena_done(&arena);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_aligned_pieces_until_full),
		cmocka_unit_test(absurd_lengths_are_refused_and_not_wrapped),
		cmocka_unit_test(copies_bytes_or_gives_none),
		cmocka_unit_test(a_large_reservation_costs_only_what_is_touched),
		cmocka_unit_test(a_reset_gives_back_the_pages_above_keep),
		cmocka_unit_test(may_be_done_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Hash tables: checked against a plain array, through churn that fills every slot many times. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/table.h"

struct thing {
	uint64_t key;
	uint64_t value;
};

static void init_things(struct table *table, uint32_t capacity)
{
	assert_int_equal(table_init(table, capacity, sizeof(struct thing), sizeof(uint64_t)), 0);
}

static struct thing *add(struct table *table, uint64_t key)
{
	struct thing *thing = table_add(table, &key);

	if (thing)
		thing->value = ~key;
	return thing;
}

static struct thing *find(const struct table *table, uint64_t key)
{
	return table_find(table, &key);
}

/* A multiplicative generator (Knuth's MMIX): the same walk in every run. */
static uint64_t next_random(uint64_t *random)
{
	*random = *random * 6364136223846793005ull + 1442695040888963407ull;
	return *random >> 33;
}

static void refuses_impossible_shapes(void **state)
{
	struct table table;

	assert_int_equal(table_init(&table, 0, 16, 8), -EINVAL);
	assert_int_equal(table_init(&table, (1u << 30) + 1, 16, 8), -EINVAL);
	assert_int_equal(table_init(&table, 10, 16, 0), -EINVAL);
	assert_int_equal(table_init(&table, 10, 16, 17), -EINVAL);
	assert_int_equal(table_init(&table, 1u << 30, UINT32_MAX, 8), -ENOMEM);
}

static void finds_what_was_added_and_nothing_else(void **state)
{
	struct table table;

	init_things(&table, 100);
	assert_null(find(&table, 1));
	for (uint64_t key = 0; key < 100; key++)
		assert_non_null(add(&table, key));
	for (uint64_t key = 0; key < 100; key++) {
		assert_int_equal(find(&table, key)->key, key);
		assert_true(find(&table, key)->value == ~key);
	}
	assert_null(find(&table, 100));
	assert_int_equal(table.used, 100);
	table_done(&table);
}

static void counts_what_it_refuses_when_full(void **state)
{
	struct table table;

	init_things(&table, 3);
	for (uint64_t key = 0; key < 5; key++)
		add(&table, key);
	assert_int_equal(table.used, 3);
	assert_int_equal(table.refused, 2);
	assert_null(find(&table, 3));

	table_remove(&table, find(&table, 1));
	assert_non_null(add(&table, 3));
	assert_null(add(&table, 4));
	assert_int_equal(table.refused, 3);
	table_done(&table);
}

static void a_new_entry_is_zeroed_also_where_another_was(void **state)
{
	struct table table;
	uint64_t key = 7, other = 8;
	struct thing *thing;

	init_things(&table, 1);
	thing = table_add(&table, &key);
	assert_int_equal(thing->value, 0);
	thing->value = 99;
	table_remove(&table, thing);
	thing = table_add(&table, &other);
	assert_int_equal(thing->key, 8);
	assert_int_equal(thing->value, 0);
	table_done(&table);
}

static void removing_twice_does_nothing(void **state)
{
	struct table table;
	struct thing *thing;

	init_things(&table, 4);
	thing = add(&table, 1);
	add(&table, 2);
	table_remove(&table, thing);
	table_remove(&table, thing);
	assert_int_equal(table.used, 1);
	assert_non_null(add(&table, 3));
	assert_non_null(add(&table, 4));
	assert_non_null(add(&table, 5));
	assert_null(add(&table, 6));
	table_done(&table);
}

static void keys_of_every_size_are_compared_whole(void **state)
{
	uint8_t key[64] = { 0 };
	struct table table;

	for (uint32_t size = 1; size <= sizeof(key); size++) {
		assert_int_equal(table_init(&table, 100, 72, size), 0);
		for (uint32_t i = 0; i < size; i++) {
			key[i] = 0xff;
			assert_non_null(table_add(&table, key));
			key[i] = 0;
		}
		assert_null(table_find(&table, key));
		for (uint32_t i = 0; i < size; i++) {
			key[i] = 0xff;
			assert_memory_equal(table_find(&table, key), key, size);
			key[i] = 0;
		}
		table_done(&table);
	}
}

static void entries_never_move_and_keep_their_index(void **state)
{
	struct thing *things[500];
	struct table table;

	init_things(&table, 500);
	for (uint64_t key = 0; key < 500; key++) {
		things[key] = add(&table, key);
		assert_int_equal(table_index(&table, things[key]), key);
	}
	for (uint64_t key = 0; key < 500; key += 2)
		table_remove(&table, things[key]);
	for (uint64_t key = 1; key < 500; key += 2) {
		assert_ptr_equal(find(&table, key), things[key]);
		assert_int_equal(table_index(&table, things[key]), key);
	}
	table_done(&table);
}

static void walks_every_entry_once_also_while_removing(void **state)
{
	struct table table;
	bool seen[1000] = { 0 };
	uint32_t cursor = 0, count = 0;
	struct thing *thing;

	init_things(&table, 2000);
	assert_null(table_next(&table, &cursor));
	for (uint64_t key = 0; key < 1000; key++)
		add(&table, key);
	cursor = 0;
	while ((thing = table_next(&table, &cursor))) {
		assert_false(seen[thing->key]);
		seen[thing->key] = true;
		count++;
		if (thing->key % 3)
			table_remove(&table, thing);
	}
	assert_int_equal(count, 1000);

	for (cursor = 0, count = 0; (thing = table_next(&table, &cursor)); count++)
		assert_int_equal(thing->key % 3, 0);
	assert_int_equal(count, 334);
	assert_int_equal(table.used, 334);
	table_done(&table);
}

static void agrees_with_a_plain_array_through_churn(void **state)
{
	enum { KEYS = 2000, CAPACITY = 700 };
	static struct thing *model[KEYS];
	struct table table;
	uint64_t random = 1;
	uint32_t used = 0;

	memset(model, 0, sizeof(model));
	init_things(&table, CAPACITY);
	for (int i = 0; i < 500000; i++) {
		uint64_t key = next_random(&random) % KEYS;

		assert_ptr_equal(find(&table, key), model[key]);
		if (model[key]) {
			assert_true(model[key]->key == key && model[key]->value == ~key);
			table_remove(&table, model[key]);
			model[key] = NULL;
			used--;
		} else {
			model[key] = add(&table, key);
			assert_int_equal(!model[key], used == CAPACITY);
			used += !!model[key];
		}
		assert_int_equal(table.used, used);
	}
	for (uint64_t key = 0; key < KEYS; key++)
		assert_ptr_equal(find(&table, key), model[key]);
	assert_true(table.refused > 0);
	table_done(&table);
}

static uint32_t taken_slots(const struct table *table)
{
	uint32_t taken = 0;

	for (uint32_t at = 0; at <= table->mask; at++)
		taken += !!table->slots[at].entry;
	return taken;
}

/* The longest run of taken slots is what the slowest look-up may have to pass. */
static uint32_t longest_run(const struct table *table)
{
	uint32_t run = 0, longest = 0;

	for (uint32_t at = 0; at < 2 * (table->mask + 1); at++) {
		run = table->slots[at & table->mask].entry ? run + 1 : 0;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static void millions_of_removals_leave_no_trace(void **state)
{
	enum { CAPACITY = 1024 };
	struct table table;

	init_things(&table, CAPACITY);
	for (uint64_t key = 0; key < CAPACITY; key++)
		add(&table, key);
	for (uint64_t key = CAPACITY; key < 3000000; key++) {
		table_remove(&table, find(&table, key - CAPACITY));
		add(&table, key);
	}
	assert_int_equal(table.used, CAPACITY);
	assert_int_equal(taken_slots(&table), CAPACITY);
	assert_true(longest_run(&table) < 200);	/* about 40 in a table half full of random keys */
	table_done(&table);
}

static void untouched_capacity_costs_no_memory(void **state)
{
	enum { PAGES = 1000 };
	unsigned char resident[PAGES];
	size_t len = (size_t)PAGES * sysconf(_SC_PAGESIZE);
	struct table table;
	int count = 0;

	assert_int_equal(table_init(&table, 1 << 20, 4096, 8), 0);
	for (uint64_t key = 0; key < 10; key++)
		assert_non_null(table_add(&table, &key));
	assert_int_equal(mincore(table.entries, len, resident), 0);
	for (int i = 0; i < PAGES; i++)
		count += resident[i] & 1;
	assert_true(count <= 10);
	table_done(&table);
}

static void every_table_has_a_seed_of_its_own(void **state)
{
	struct table one, two;

	init_things(&one, 1);
	init_things(&two, 1);
	assert_true(one.seed != two.seed);
	assert_true(hash_bytes("abc", 3, one.seed) != hash_bytes("abc", 3, two.seed));
	assert_true(hash_bytes("abc", 3, 5) == hash_bytes("abc", 3, 5));
	assert_true(hash_bytes("abc", 3, 5) != hash_bytes("abd", 3, 5));
	table_done(&one);
	table_done(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_impossible_shapes),
		cmocka_unit_test(finds_what_was_added_and_nothing_else),
		cmocka_unit_test(counts_what_it_refuses_when_full),
		cmocka_unit_test(a_new_entry_is_zeroed_also_where_another_was),
		cmocka_unit_test(removing_twice_does_nothing),
		cmocka_unit_test(keys_of_every_size_are_compared_whole),
		cmocka_unit_test(entries_never_move_and_keep_their_index),
		cmocka_unit_test(walks_every_entry_once_also_while_removing),
		cmocka_unit_test(agrees_with_a_plain_array_through_churn),
		cmocka_unit_test(millions_of_removals_leave_no_trace),
		cmocka_unit_test(untouched_capacity_costs_no_memory),
		cmocka_unit_test(every_table_has_a_seed_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

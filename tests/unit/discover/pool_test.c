/* SPDX-License-Identifier: Apache-2.0 */
/* Equal resources are one, and live only as long as somebody holds them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "discover/pool.h"

static struct resource *take(struct resource_pool *pool, const char *name)
{
	struct resource view = { .service_name = bytes_of_text(name) };

	return resource_pool_take(pool, &view);
}

static void equal_resources_are_one(void **state)
{
	struct resource_pool pool;
	struct resource *a, *b, *other;

	assert_int_equal(resource_pool_init(&pool, 8), 0);
	a = take(&pool, "shop");
	b = take(&pool, "shop");
	other = take(&pool, "cart");
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, other);
	assert_int_equal(a->references, 3);	/* the pool's is one */
	resource_unref(a);
	resource_unref(b);
	resource_unref(other);
	resource_pool_done(&pool);
}

static void what_nobody_holds_is_given_up(void **state)
{
	struct resource_pool pool;
	struct resource *held;
	char name[32];

	assert_int_equal(resource_pool_init(&pool, 1024), 0);
	held = take(&pool, "held");
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "brief-%d", i);
		resource_unref(take(&pool, name));
		assert_in_range(pool.table.used, 1, 129);
	}
	resource_pool_sweep(&pool);
	assert_int_equal(pool.table.used, 1);
	assert_int_equal(held->references, 2);
	resource_unref(held);
	resource_pool_done(&pool);
}

static void a_full_pool_still_gives_resources(void **state)
{
	struct resource_pool pool;
	struct resource *taken[8];
	char name[32];

	assert_int_equal(resource_pool_init(&pool, 4), 0);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "s-%d", i);
		taken[i] = take(&pool, name);
		assert_non_null(taken[i]);
		assert_int_equal(taken[i]->references, i < 4 ? 2 : 1);
	}
	for (int i = 0; i < 8; i++)
		resource_unref(taken[i]);
	resource_pool_done(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_resources_are_one),
		cmocka_unit_test(what_nobody_holds_is_given_up),
		cmocka_unit_test(a_full_pool_still_gives_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

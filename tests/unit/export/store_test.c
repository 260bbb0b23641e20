/* SPDX-License-Identifier: Apache-2.0 */
/* The metric store, and the sorted view of it in which nothing appears twice. */
#include "unit/export/fixture.h"

#include "export/view.h"

static void keeps_the_newest_copy_of_each_series(void **state)
{
	struct resource *resource = make_resource("hello", "");
	struct series *series = make_series(3, resource, "/a", 200);
	struct metric_store store;

	assert_int_equal(store_init(&store, 8), 0);
	put_in_store(&store, series);
	add_request(series, 1000, 0, 0);
	put_in_store(&store, series);
	assert_int_equal(store.count, 1);
	assert_int_equal(store.high, 4);
	assert_int_equal(store.series[3]->histogram[SERIES_DURATION].count, 1);
	assert_true(bytes_equal(store.series[3]->route, BYTES("/a")));
	assert_ptr_equal(store.series[3]->route.at, store.series[3]->text);
	assert_int_equal(resource->references, 2);
	store_done(&store);
	assert_int_equal(resource->references, 1);
	free(series);
	resource_unref(resource);
}

static void forgets_what_expired_and_lets_another_have_its_id(void **state)
{
	struct resource *one = make_resource("one", ""), *two = make_resource("two", "");
	struct series *series = make_series(0, one, "/a", 200);
	struct metric_store store;

	store_init(&store, 8);
	put_in_store(&store, series);
	series->expired = true;
	put_in_store(&store, series);
	assert_int_equal(store.count, 0);
	assert_int_equal(store.high, 0);
	assert_int_equal(one->references, 1);
	put_in_store(&store, series);		/* twice does no harm */

	series->expired = false;
	put_in_store(&store, series);
	series->resource = two;			/* reused without a word in between */
	series->generation++;
	put_in_store(&store, series);
	assert_int_equal(store.count, 1);
	assert_int_equal(one->references, 1);
	assert_int_equal(two->references, 2);
	store_done(&store);
	free(series);
	resource_unref(one);
	resource_unref(two);
}

static void an_id_beyond_the_maximum_is_ignored(void **state)
{
	struct series *series = make_series(8, NULL, "/a", 200);
	struct metric_store store;

	store_init(&store, 8);
	put_in_store(&store, series);
	assert_int_equal(store.count, 0);
	store_done(&store);
	free(series);
}

static void view_is_sorted_by_service_route_and_code(void **state)
{
	struct resource *a = make_resource("a", ""), *b = make_resource("b", "");
	struct series *series[] = {
		make_series(0, b, "/x", 200), make_series(1, a, "/y", 200),
		make_series(2, a, "/x", 500), make_series(3, a, "/x", 200),
	};
	static const uint32_t expected[] = { 3, 2, 1, 0 };
	struct metric_store store;
	struct view view;

	store_init(&store, 8);
	for (size_t i = 0; i < ARRAY_LEN(series); i++)
		put_in_store(&store, series[i]);
	assert_int_equal(view_open(&view, &store, VIEW_ROUTES), 0);
	assert_int_equal(view.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(view.at[i]->id, expected[i]);
	view_close(&view);
	store_done(&store);
	for (size_t i = 0; i < ARRAY_LEN(series); i++)
		free(series[i]);
	resource_unref(a);
	resource_unref(b);
}

/* Two executables of one container: other resources, the same labels. */
static void view_adds_up_what_looks_alike_outside(void **state)
{
	struct resource from = { .service_name = BYTES("s"), .executable = BYTES("one") };
	struct resource *one = resource_new(&from), *two;
	struct series *series[3];
	struct metric_store store;
	struct view view;

	from.executable = BYTES("two");
	two = resource_new(&from);
	store_init(&store, 8);
	for (uint32_t i = 0; i < 3; i++) {
		series[i] = make_series(i, i == 2 ? two : one, "/x", 200);
		series[i]->start_ns -= i;
		add_request(series[i], 1000 << i, 0, 0);
		series[i]->exemplar[1] = (struct exemplar){ .value = i, .time_ns = 10 + i };
		put_in_store(&store, series[i]);
	}
	assert_int_equal(view_open(&view, &store, VIEW_LABELS), 0);
	assert_int_equal(view.count, 1);
	assert_int_equal(view.at[0]->histogram[SERIES_DURATION].count, 3);
	assert_int_equal(view.at[0]->histogram[SERIES_DURATION].sum, 7000);
	assert_int_equal(view.at[0]->exemplar[1].value, 2);
	assert_int_equal(view.at[0]->start_ns, series[2]->start_ns);
	view_close(&view);
	assert_int_equal(store.series[0]->histogram[SERIES_DURATION].count, 1);

	assert_int_equal(view_open(&view, &store, VIEW_RESOURCE), 0);
	assert_int_equal(view.count, 2);
	view_close(&view);
	store_done(&store);
	for (int i = 0; i < 3; i++)
		free(series[i]);
	resource_unref(one);
	resource_unref(two);
}

static void view_of_an_empty_store_is_empty(void **state)
{
	struct metric_store store;
	struct view view;

	store_init(&store, 8);
	assert_int_equal(view_open(&view, &store, VIEW_LABELS), 0);
	assert_int_equal(view.count, 0);
	view_close(&view);
	store_done(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_newest_copy_of_each_series),
		cmocka_unit_test(forgets_what_expired_and_lets_another_have_its_id),
		cmocka_unit_test(an_id_beyond_the_maximum_is_ignored),
		cmocka_unit_test(view_is_sorted_by_service_route_and_code),
		cmocka_unit_test(view_adds_up_what_looks_alike_outside),
		cmocka_unit_test(view_of_an_empty_store_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

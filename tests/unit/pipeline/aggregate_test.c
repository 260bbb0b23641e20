/* SPDX-License-Identifier: Apache-2.0 */
/* Series: totals stay exact through the cap, expiry and batches that are too small. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/self.h"
#include "pipeline/aggregate.h"
#include "unit/pipeline/mallocs.h"

#define EXPIRE_NS (300 * NSEC_PER_SEC)
#define NOW_NS (10000 * NSEC_PER_SEC)

struct fixture {
	struct aggregate aggregate;
	struct resource *resource;
	struct batch *batch;
	uint64_t serial;
	/* what an exporter would have: by id, the last copy seen */
	struct series *store;
	uint32_t capacity;
	uint64_t gone;			/* requests in series that expired */
};

static void begin_sized(struct fixture *fixture, uint32_t series_max, size_t batch_bytes)
{
	struct config config = { .series_max = series_max, .series_expire_ns = EXPIRE_NS };

	memset(self_values, 0, sizeof(self_values));
	*fixture = (struct fixture){ .capacity = series_max };
	assert_int_equal(aggregate_init(&fixture->aggregate, &config), 0);
	fixture->resource = resource_new(&(struct resource){ .service_name = BYTES("shop") });
	fixture->batch = batch_new(1, batch_bytes);
	fixture->store = calloc(series_max, sizeof(*fixture->store));
	assert_non_null(fixture->resource);
	assert_non_null(fixture->batch);
}

static void begin(struct fixture *fixture, uint32_t series_max)
{
	begin_sized(fixture, series_max, 1 << 20);
}

static void end(struct fixture *fixture)
{
	assert_int_equal(mallocs_counted(), 0);
	aggregate_done(&fixture->aggregate);
	batch_free(fixture->batch);
	assert_int_equal(atomic_load(&fixture->resource->references), 1);
	resource_unref(fixture->resource);
	free(fixture->store);
}

static struct sample sample_of(struct fixture *fixture, const char *route)
{
	return (struct sample){
		.semconv = &http_semconv, .resource = fixture->resource, .role = ROLE_SERVER,
		.operation = BYTES("GET"), .route = bytes_of_text(route), .code = 200,
		.server_port = 80, .duration_ns = 20 * NSEC_PER_MSEC, .request_bytes = 3,
		.response_bytes = 100,
	};
}

static void add(struct fixture *fixture, const struct sample *sample, uint64_t now_ns)
{
	mallocs_count(true);
	aggregate_add(&fixture->aggregate, sample, now_ns);
	mallocs_count(false);
}

static void add_route(struct fixture *fixture, const char *route, uint64_t now_ns)
{
	struct sample sample = sample_of(fixture, route);

	add(fixture, &sample, now_ns);
}

static void store(struct fixture *fixture, const struct series *series)
{
	struct series *mine = &fixture->store[series->id];

	assert_true(series->id < fixture->capacity);
	assert_true(series->generation >= mine->generation);
	if (series->expired) {
		fixture->gone += series->histogram[SERIES_DURATION].count;
		mine->histogram[SERIES_DURATION].count = 0;
		mine->expired = true;
	} else {
		series_copy(mine, series);
	}
}

/* One batch filled, taken in and emptied. Returns how many series it carried. */
static uint32_t seal(struct fixture *fixture, uint64_t now_ns)
{
	struct batch *batch = fixture->batch;
	uint32_t n;

	batch->serial = ++fixture->serial;
	mallocs_count(true);
	aggregate_expire(&fixture->aggregate, now_ns);
	n = aggregate_seal(&fixture->aggregate, batch);
	mallocs_count(false);
	assert_int_equal(n, batch->series_count);
	for (uint32_t i = 0; i < n; i++)
		store(fixture, &batch->series[i]);
	batch_reset(batch);
	return n;
}

/* Requests the exporter knows of. */
static uint64_t total(const struct fixture *fixture)
{
	uint64_t sum = fixture->gone;

	for (uint32_t i = 0; i < fixture->capacity; i++)
		sum += fixture->store[i].histogram[SERIES_DURATION].count;
	return sum;
}

static const struct series *stored(const struct fixture *fixture, const char *route)
{
	const struct series *found = NULL;

	for (uint32_t i = 0; i < fixture->capacity; i++) {
		const struct series *series = &fixture->store[i];

		if (series->semconv && !series->expired &&
		    bytes_equal(series->route, bytes_of_text(route))) {
			assert_null(found);
			found = series;
		}
	}
	assert_non_null(found);
	return found;
}

static void requests_with_the_same_attributes_are_one_series(void **state)
{
	struct fixture fixture;
	const struct series *series;

	begin(&fixture, 100);
	for (int i = 0; i < 5; i++)
		add_route(&fixture, "/a", NOW_NS);
	add_route(&fixture, "/b", NOW_NS);
	assert_int_equal(seal(&fixture, NOW_NS), 2);
	assert_int_equal(seal(&fixture, NOW_NS), 0);
	add_route(&fixture, "/a", NOW_NS);
	assert_int_equal(seal(&fixture, NOW_NS), 1);

	series = stored(&fixture, "/a");
	assert_int_equal(series->histogram[SERIES_DURATION].count, 6);
	assert_true(series->histogram[SERIES_DURATION].sum == 6 * 20 * NSEC_PER_MSEC);
	assert_int_equal(series->histogram[SERIES_REQUEST_SIZE].sum, 18);
	assert_int_equal(series->histogram[SERIES_RESPONSE_SIZE].sum, 600);
	assert_int_equal(series->code, 200);
	assert_int_equal(series->server_port, 80);
	assert_true(bytes_equal(series->operation, BYTES("GET")));
	assert_ptr_equal(series->resource, fixture.resource);
	assert_int_equal(self_get(SELF_SERIES), 2);
	end(&fixture);
}

static void every_attribute_makes_a_series(void **state)
{
	struct resource *other = resource_new(&(struct resource){ .service_name = BYTES("other") });
	struct fixture fixture;
	struct sample sample;

	begin(&fixture, 100);
#define WITH(field, value) (sample = sample_of(&fixture, "/a"), sample.field = value, \
			    add(&fixture, &sample, NOW_NS))
	add_route(&fixture, "/a", NOW_NS);
	WITH(role, ROLE_CLIENT);
	WITH(operation, BYTES("PUT"));
	WITH(route, BYTES("/b"));
	WITH(route, BYTES(""));
	WITH(server_address, BYTES("db"));
	WITH(error_type, BYTES("500"));
	WITH(code, 500);
	WITH(server_port, 81);
	WITH(resource, other);
#undef WITH
	assert_int_equal(seal(&fixture, NOW_NS), 10);
	assert_int_equal(total(&fixture), 10);
	end(&fixture);
	resource_unref(other);
}

static void exemplars_stay_with_their_bucket(void **state)
{
	struct exemplar exemplar = { .value = 20 * NSEC_PER_MSEC, .time_ns = 7, .trace_id = "abc" };
	struct fixture fixture;
	struct sample sample;
	unsigned found = 0;

	begin(&fixture, 100);
	sample = sample_of(&fixture, "/a");
	sample.exemplar = &exemplar;
	add(&fixture, &sample, NOW_NS);
	exemplar.time_ns = 8;
	add(&fixture, &sample, NOW_NS);
	sample.exemplar = NULL;
	add(&fixture, &sample, NOW_NS);
	seal(&fixture, NOW_NS);
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++) {
		const struct exemplar *kept = &stored(&fixture, "/a")->exemplar[i];

		if (!kept->time_ns)
			continue;
		found++;
		assert_int_equal(kept->time_ns, 8);
		assert_true(stored(&fixture, "/a")->histogram[SERIES_DURATION].bucket[i] == 3);
	}
	assert_int_equal(found, 1);
	end(&fixture);
}

static void beyond_the_cap_requests_count_in_the_overflow_series_of_their_role(void **state)
{
	uint64_t overflowed[2] = {};
	struct fixture fixture;
	char route[16];

	begin(&fixture, 16);
	for (unsigned i = 0; i < 300; i++) {
		struct sample sample;

		snprintf(route, sizeof(route), "/%u", i % 100);
		sample = sample_of(&fixture, route);
		sample.role = i % 2;
		add(&fixture, &sample, NOW_NS);
	}
	assert_int_equal(seal(&fixture, NOW_NS), 14);
	assert_int_equal(total(&fixture), 300);
	assert_int_equal(self_get(SELF_SERIES), 14);

	for (unsigned i = 0; i < 16; i++) {
		const struct series *series = &fixture.store[i];

		if (!series->overflow)
			continue;
		overflowed[series->role] += series->histogram[SERIES_DURATION].count;
		assert_int_equal(series->route.len + series->operation.len + series->code, 0);
		assert_ptr_not_equal(series->resource, fixture.resource);
		assert_true(bytes_equal(series->resource->service_name, BYTES("unknown_service")));
	}
	/* 12 of 100 routes found room, each of one role, three requests each */
	assert_int_equal(overflowed[0] + overflowed[1], 300 - 12 * 3);
	assert_true(overflowed[0] && overflowed[1]);
	assert_int_equal(self_get(SELF_SERIES_OVERFLOWED), 300 - 12 * 3);
	end(&fixture);
}

static void a_service_that_makes_series_without_end_leaves_room_for_others(void **state)
{
	struct resource *other = resource_new(&(struct resource){ .service_name = BYTES("quiet") });
	struct fixture fixture;
	struct sample sample;
	char route[16];

	begin(&fixture, 100);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(route, sizeof(route), "/%u", i);
		add_route(&fixture, route, NOW_NS);
	}
	sample = sample_of(&fixture, "/mine");
	sample.resource = other;
	add(&fixture, &sample, NOW_NS);
	seal(&fixture, NOW_NS);
	assert_ptr_equal(stored(&fixture, "/mine")->resource, other);
	assert_int_equal(self_get(SELF_SERIES_OVERFLOWED), 1000 - 75);
	end(&fixture);
	resource_unref(other);
}

static void what_is_not_used_is_told_once_more_and_forgotten(void **state)
{
	struct fixture fixture;

	begin(&fixture, 16);
	add_route(&fixture, "/old", NOW_NS);
	add_route(&fixture, "/used", NOW_NS);
	seal(&fixture, NOW_NS);
	add_route(&fixture, "/used", NOW_NS + EXPIRE_NS);
	seal(&fixture, NOW_NS + EXPIRE_NS);
	assert_int_equal(self_get(SELF_SERIES_EXPIRED), 0);

	assert_int_equal(seal(&fixture, NOW_NS + EXPIRE_NS + 1), 1);
	assert_int_equal(fixture.gone, 1);
	assert_int_equal(self_get(SELF_SERIES_EXPIRED), 1);
	assert_int_equal(self_get(SELF_SERIES), 1);
	assert_int_equal(seal(&fixture, NOW_NS + EXPIRE_NS + 2), 0);

	/* its place is taken by another generation, which begins at nothing */
	add_route(&fixture, "/old", NOW_NS + EXPIRE_NS + 3);
	seal(&fixture, NOW_NS + EXPIRE_NS + 3);
	assert_int_equal(stored(&fixture, "/old")->generation, 2);
	assert_int_equal(stored(&fixture, "/old")->histogram[SERIES_DURATION].count, 1);
	assert_int_equal(total(&fixture), 4);
	end(&fixture);
}

static void a_request_between_expiry_and_its_telling_keeps_the_series(void **state)
{
	struct fixture fixture;
	uint64_t late = NOW_NS + EXPIRE_NS + 1;

	/* room for one copy: one of the two has to wait, marked */
	begin_sized(&fixture, 16, sizeof(struct series) + 64);
	add_route(&fixture, "/a", NOW_NS);
	add_route(&fixture, "/b", NOW_NS);
	assert_int_equal(seal(&fixture, NOW_NS), 1);
	assert_int_equal(seal(&fixture, NOW_NS), 1);

	assert_int_equal(seal(&fixture, late), 1);
	assert_int_equal(fixture.gone, 1);
	add_route(&fixture, "/a", late);
	add_route(&fixture, "/b", late);
	while (seal(&fixture, late))
		;
	assert_int_equal(total(&fixture), 4);
	assert_int_equal(fixture.gone, 1);
	/* one was forgotten and began anew, the other went on */
	assert_int_equal(stored(&fixture, "/a")->histogram[SERIES_DURATION].count +
			 stored(&fixture, "/b")->histogram[SERIES_DURATION].count, 3);
	assert_int_equal(stored(&fixture, "/a")->generation + stored(&fixture, "/b")->generation, 3);
	end(&fixture);
}

static void what_does_not_fit_a_batch_comes_with_the_next(void **state)
{
	struct fixture fixture;
	char route[16];
	unsigned seals = 0;

	begin_sized(&fixture, 100, 7 * sizeof(struct series) + 64);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(route, sizeof(route), "/%u", i);
		add_route(&fixture, route, NOW_NS);
	}
	while (total(&fixture) < 50) {
		assert_int_equal(seal(&fixture, NOW_NS), seals < 7 ? 7 : 1);
		add_route(&fixture, "/0", NOW_NS);	/* goes on meanwhile */
		assert_true(++seals <= 50);
		if (seals == 8)
			break;
	}
	assert_int_equal(fixture.aggregate.dirty_count, 1);
	assert_int_equal(seal(&fixture, NOW_NS), 1);
	assert_int_equal(total(&fixture), 58);
	assert_int_equal(seal(&fixture, NOW_NS), 0);
	end(&fixture);
}

static void long_texts_are_cut_but_stay_series_of_their_own(void **state)
{
	struct fixture fixture;
	char route[2][2 * SERIES_TEXT_MAX + 1];

	begin(&fixture, 16);
	for (int i = 0; i < 2; i++) {
		memset(route[i], 'r', sizeof(route[i]));
		route[i][sizeof(route[i]) - 2] = 'a' + i;
		route[i][sizeof(route[i]) - 1] = '\0';
		add_route(&fixture, route[i], NOW_NS);
	}
	assert_int_equal(seal(&fixture, NOW_NS), 2);
	assert_in_range(fixture.store[0].route.len, 200, SERIES_TEXT_MAX);
	end(&fixture);
}

static void series_end_with_the_aggregate_and_not_before(void **state)
{
	struct fixture fixture;

	begin(&fixture, 16);
	add_route(&fixture, "/a", NOW_NS);
	assert_int_equal(atomic_load(&fixture.resource->references), 2);
	seal(&fixture, NOW_NS);
	seal(&fixture, NOW_NS + EXPIRE_NS + 1);
	assert_int_equal(atomic_load(&fixture.resource->references), 1);
	add_route(&fixture, "/a", NOW_NS);
	end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_with_the_same_attributes_are_one_series),
		cmocka_unit_test(every_attribute_makes_a_series),
		cmocka_unit_test(exemplars_stay_with_their_bucket),
		cmocka_unit_test(beyond_the_cap_requests_count_in_the_overflow_series_of_their_role),
		cmocka_unit_test(a_service_that_makes_series_without_end_leaves_room_for_others),
		cmocka_unit_test(what_is_not_used_is_told_once_more_and_forgotten),
		cmocka_unit_test(a_request_between_expiry_and_its_telling_keeps_the_series),
		cmocka_unit_test(what_does_not_fit_a_batch_comes_with_the_next),
		cmocka_unit_test(long_texts_are_cut_but_stay_series_of_their_own),
		cmocka_unit_test(series_end_with_the_aggregate_and_not_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

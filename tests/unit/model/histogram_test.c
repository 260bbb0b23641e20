/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exponential index against its definition in long double, and histograms against plain sums.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/histogram.h"

/* Full 64 bits from random(), which gives 31. */
static uint64_t random_u64(void)
{
	return (uint64_t)random() << 62 ^ (uint64_t)random() << 31 ^ (uint64_t)random();
}

/* Index the histogram gives a value that comes alone, at the starting scale. */
static int32_t index_alone(uint64_t value)
{
	struct exponential histogram;

	exponential_init(&histogram);
	exponential_add(&histogram, value);
	assert_int_equal(histogram.used, 1);
	assert_int_equal(histogram.count[0], 1);
	assert_int_equal(histogram.scale, EXPONENTIAL_SCALE);
	return histogram.offset;
}

static uint64_t sum_of(const struct exponential *histogram)
{
	uint64_t sum = histogram->zero;

	for (uint32_t i = 0; i < histogram->used; i++)
		sum += histogram->count[i];
	return sum;
}

static void index_is_exact_on_both_sides_of_every_boundary(void **state)
{
	/* from where bounds are steps apart, to where the error of powl() reaches a whole step */
	for (int index = -320; index < 16 * 28; index++) {
		uint64_t below = floorl(1e9L * powl(2, index / 16.0L));

		assert_int_equal(index_alone(below), index - 1);
		assert_int_equal(index_alone(below + 1), index);
	}
}

static void a_second_and_its_powers_of_two_are_the_top_of_their_bucket(void **state)
{
	assert_int_equal(index_alone(1000000000), -1);
	assert_int_equal(index_alone(1000000001), 0);
	for (int exponent = -9; exponent < 34; exponent++) {
		uint64_t value =
			exponent < 0 ? 1000000000ull >> -exponent : 1000000000ull << exponent;

		assert_int_equal(index_alone(value), exponent * 16 - 1);
		assert_int_equal(index_alone(value + 1), exponent * 16);
	}
}

static void index_agrees_with_the_logarithm(void **state)
{
	for (int i = 0; i < 200000; i++) {
		uint64_t value = random_u64() >> (i % 64);

		if (value)
			assert_int_equal(index_alone(value), ceill(log2l(value / 1e9L) * 16) - 1);
	}
	assert_int_equal(index_alone(1), -479);
	assert_int_equal(index_alone(UINT64_MAX), 545);
}

static void all_values_at_once_fit_and_none_is_lost(void **state)
{
	struct exponential histogram;
	uint64_t added = 0;

	exponential_init(&histogram);
	for (int i = 0; i < 100000; i++, added++)
		exponential_add(&histogram, random_u64() >> (i % 65 == 64 ? 63 : i % 65));
	exponential_add(&histogram, 1);
	exponential_add(&histogram, UINT64_MAX);
	assert_int_equal(sum_of(&histogram), added + 2);
	assert_true(histogram.used <= EXPONENTIAL_BUCKETS);
	assert_int_equal(histogram.scale, 1);
}

/* Adds the same values to an array indexed at scale 4 and looks them up folded to `scale`. */
static void every_bucket_holds_what_its_bounds_say_after_downscaling(void **state)
{
	static uint64_t at_full_scale[1200];	/* from index -600 on */
	struct exponential histogram;

	exponential_init(&histogram);
	for (int i = 0; i < 20000; i++) {
		uint64_t value = 1000 + random_u64() % (1ull << (10 + i / 800));

		exponential_add(&histogram, value);
		at_full_scale[index_alone(value) + 600]++;
	}
	assert_true(histogram.scale < EXPONENTIAL_SCALE);
	for (uint32_t i = 0; i < histogram.used; i++) {
		int width = 1 << (EXPONENTIAL_SCALE - histogram.scale);
		int first = (histogram.offset + (int32_t)i) * width;
		uint64_t expected = 0;

		for (int j = first; j < first + width; j++)
			expected += at_full_scale[j + 600];
		assert_int_equal(histogram.count[i], expected);
	}
}

static void smaller_values_later_move_the_buckets_up(void **state)
{
	struct exponential histogram;

	exponential_init(&histogram);
	exponential_add(&histogram, 1000000);
	exponential_add(&histogram, 500000);
	exponential_add(&histogram, 250000);
	assert_int_equal(histogram.used, 33);
	assert_int_equal(histogram.count[0], 1);
	assert_int_equal(histogram.count[16], 1);
	assert_int_equal(histogram.count[32], 1);
	assert_int_equal(sum_of(&histogram), 3);
}

static void merging_equals_adding_to_one(void **state)
{
	struct exponential one, left, right;

	for (int round = 0; round < 50; round++) {
		exponential_init(&one);
		exponential_init(&left);
		exponential_init(&right);
		for (int i = 0; i < 300; i++) {
			uint64_t value = random_u64() >> (random() % 64);

			exponential_add(&one, value);
			exponential_add(i % 3 ? &left : &right, value);
		}
		exponential_merge(&left, &right);
		assert_int_equal(left.scale, one.scale);
		assert_int_equal(left.offset, one.offset);
		assert_int_equal(left.used, one.used);
		assert_int_equal(left.zero, one.zero);
		assert_memory_equal(left.count, one.count, sizeof(one.count));
	}
}

static void merging_into_or_from_an_empty_one_changes_nothing_else(void **state)
{
	struct exponential empty, full, copy;

	exponential_init(&empty);
	exponential_init(&full);
	for (uint64_t value = 1; value < 100000; value += 77)
		exponential_add(&full, value);
	copy = full;
	exponential_merge(&full, &empty);
	assert_memory_equal(&full, &copy, sizeof(copy));
	exponential_merge(&empty, &full);
	assert_memory_equal(&empty, &full, sizeof(full));
}

static void subtracting_an_earlier_state_leaves_what_came_since(void **state)
{
	struct exponential histogram, earlier, since;

	exponential_init(&histogram);
	exponential_init(&since);
	for (int i = 0; i < 1000; i++)
		exponential_add(&histogram, 1000 + i);
	exponential_add(&histogram, 0);
	earlier = histogram;
	for (int i = 0; i < 1000; i++) {
		uint64_t value = random_u64() >> (random() % 60);

		exponential_add(&histogram, value);
		exponential_add(&since, value);
	}
	assert_true(histogram.scale < earlier.scale);
	exponential_subtract(&histogram, &earlier);
	assert_int_equal(sum_of(&histogram), 1000);
	assert_int_equal(histogram.zero, since.zero);
	assert_true(fabs(exponential_quantile(&histogram, .5) / exponential_quantile(&since, .5) -
			 1) < .5);
}

static void a_finer_histogram_is_not_an_earlier_state(void **state)
{
	struct exponential histogram, other;

	exponential_init(&histogram);
	exponential_init(&other);
	exponential_add(&histogram, 5);
	exponential_add(&other, 1);
	exponential_add(&other, UINT64_MAX);
	exponential_subtract(&histogram, &other);
	assert_int_equal(sum_of(&histogram), 1);
}

static void quantiles_are_within_a_bucket_of_the_truth(void **state)
{
	struct exponential histogram;
	static const double q[] = { .01, .1, .5, .9, .95, .99, 1 };

	exponential_init(&histogram);
	for (uint64_t value = 1; value <= 100000; value++)
		exponential_add(&histogram, 1000000 + value * 1000);
	for (size_t i = 0; i < ARRAY_LEN(q); i++) {
		double truth = (1000000 + q[i] * 100000 * 1000) / 1e9;

		assert_true(fabs(exponential_quantile(&histogram, q[i]) / truth - 1) < .045);
	}
}

static void quantiles_of_nothing_and_of_zeros_are_zero(void **state)
{
	struct exponential histogram;

	exponential_init(&histogram);
	assert_true(exponential_quantile(&histogram, .5) == 0);
	for (int i = 0; i < 9; i++)
		exponential_add(&histogram, 0);
	exponential_add(&histogram, 1000);
	assert_true(exponential_quantile(&histogram, .9) == 0);
	assert_true(exponential_quantile(&histogram, .95) > 900e-9);
}

static void bounds_of_neighbouring_buckets_meet(void **state)
{
	assert_true(exponential_lower(0, 3) == 8);
	assert_true(exponential_upper(0, 3) == 16);
	assert_true(exponential_upper(4, 15) == 2);
	for (int32_t i = -20; i < 1023; i++)
		assert_true(exponential_upper(4, i) == exponential_lower(4, i + 1));
}

static void a_value_on_a_bound_counts_below_it(void **state)
{
	struct histogram histogram = { 0 };

	for (unsigned i = 0; i < duration_bounds.count; i++) {
		uint64_t bound = llround(duration_bounds.at[i] * 1e9);

		assert_int_equal(histogram_add(&histogram, &duration_bounds, 1e9, bound), i);
		assert_int_equal(histogram_add(&histogram, &duration_bounds, 1e9, bound + 1),
				 i + 1);
	}
	assert_int_equal(histogram.count, 2 * duration_bounds.count);
	assert_int_equal(histogram.bucket[duration_bounds.count], 1);
}

static void sizes_and_sums_are_in_bytes(void **state)
{
	struct histogram histogram = { 0 };

	assert_int_equal(histogram_add(&histogram, &size_bounds, 1, 0), 0);
	assert_int_equal(histogram_add(&histogram, &size_bounds, 1, 32), 1);
	assert_int_equal(histogram_add(&histogram, &size_bounds, 1, 33), 2);
	assert_int_equal(histogram_add(&histogram, &size_bounds, 1, 1 << 20), size_bounds.count);
	assert_int_equal(histogram.sum, 65 + (1 << 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_is_exact_on_both_sides_of_every_boundary),
		cmocka_unit_test(a_second_and_its_powers_of_two_are_the_top_of_their_bucket),
		cmocka_unit_test(index_agrees_with_the_logarithm),
		cmocka_unit_test(all_values_at_once_fit_and_none_is_lost),
		cmocka_unit_test(every_bucket_holds_what_its_bounds_say_after_downscaling),
		cmocka_unit_test(smaller_values_later_move_the_buckets_up),
		cmocka_unit_test(merging_equals_adding_to_one),
		cmocka_unit_test(merging_into_or_from_an_empty_one_changes_nothing_else),
		cmocka_unit_test(subtracting_an_earlier_state_leaves_what_came_since),
		cmocka_unit_test(a_finer_histogram_is_not_an_earlier_state),
		cmocka_unit_test(quantiles_are_within_a_bucket_of_the_truth),
		cmocka_unit_test(quantiles_of_nothing_and_of_zeros_are_zero),
		cmocka_unit_test(bounds_of_neighbouring_buckets_meet),
		cmocka_unit_test(a_value_on_a_bound_counts_below_it),
		cmocka_unit_test(sizes_and_sums_are_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

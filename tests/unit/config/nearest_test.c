/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest valid name to a mistyped one: user/config/nearest.c. */
#include "unit/config/said.h"

#include "config/config.h"

static const char *const names[] = { "executables", "ports", "pids", "containers", "listen", NULL };

static void a_missing_an_extra_and_a_wrong_letter_are_near(void **state)
{
	assert_string_equal(nearest_name("executabls", names), "executables");
	assert_string_equal(nearest_name("portss", names), "ports");
	assert_string_equal(nearest_name("lisden", names), "listen");
}

static void two_swapped_letters_are_one_mistake(void **state)
{
	assert_string_equal(nearest_name("prots", names), "ports");
}

static void letter_case_is_no_mistake(void **state)
{
	assert_string_equal(nearest_name("PORTS", names), "ports");
}

static void more_than_a_third_wrong_is_not_near(void **state)
{
	assert_null(nearest_name("parks", names));
	assert_null(nearest_name("xy", names));
	assert_null(nearest_name("", names));
	assert_null(nearest_name("something-else", names));
}

static void the_nearest_of_several_wins(void **state)
{
	const char *const close[] = { "otlp.traces", "otlp.trace", NULL };

	assert_string_equal(nearest_name("otlp.trac", close), "otlp.trace");
}

static void names_of_any_length_are_safe(void **state)
{
	char name[5000];
	const char *const long_candidate[] = { name, NULL };

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_null(nearest_name(name, names));
	assert_null(nearest_name("aaa", long_candidate));
	name[80] = '\0';
	assert_ptr_equal(nearest_name(name, long_candidate), name);
}

static void no_candidates_means_none(void **state)
{
	const char *const none[] = { NULL };

	assert_null(nearest_name("ports", none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_an_extra_and_a_wrong_letter_are_near),
		cmocka_unit_test(two_swapped_letters_are_one_mistake),
		cmocka_unit_test(letter_case_is_no_mistake),
		cmocka_unit_test(more_than_a_third_wrong_is_not_near),
		cmocka_unit_test(the_nearest_of_several_wins),
		cmocka_unit_test(names_of_any_length_are_safe),
		cmocka_unit_test(no_candidates_means_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Globs over executables and container ids: user/config/glob.c. */
#include "unit/config/said.h"

#include "config/config.h"

static void plain_text_matches_only_itself(void **state)
{
	assert_true(glob_match("nginx", "nginx"));
	assert_false(glob_match("nginx", "nginx2"));
	assert_false(glob_match("nginx", "ngin"));
	assert_false(glob_match("nginx", ""));
	assert_true(glob_match("", ""));
	assert_false(glob_match("", "a"));
}

static void a_star_matches_any_run_slashes_included(void **state)
{
	assert_true(glob_match("*", ""));
	assert_true(glob_match("*", "/usr/bin/x"));
	assert_true(glob_match("*/hello-server", "/opt/app/hello-server"));
	assert_false(glob_match("*/hello-server", "hello-server"));
	assert_true(glob_match("python*", "python3.11"));
	assert_true(glob_match("/usr/*/py*n", "/usr/local/bin/python"));
	assert_true(glob_match("a**b", "ab"));
	assert_false(glob_match("a*b", "abc"));
}

static void a_star_goes_back_as_often_as_needed(void **state)
{
	assert_true(glob_match("*ab*abc", "abababc"));
	assert_true(glob_match("*aab", "aaaaab"));
	assert_false(glob_match("*aab", "aaaaaa"));
}

static void a_question_mark_matches_one_byte(void **state)
{
	assert_true(glob_match("?", "x"));
	assert_false(glob_match("?", ""));
	assert_false(glob_match("?", "xy"));
	assert_true(glob_match("py?hon", "python"));
}

static void a_class_matches_one_of_its_bytes(void **state)
{
	assert_true(glob_match("[abc]", "b"));
	assert_false(glob_match("[abc]", "d"));
	assert_true(glob_match("[0-9a-f]*", "f00"));
	assert_false(glob_match("[0-9a-f]*", "g00"));
	assert_true(glob_match("[!a-c]", "d"));
	assert_true(glob_match("[^a-c]", "d"));
	assert_false(glob_match("[!a-c]", "b"));
	assert_false(glob_match("[a]", ""));
}

static void a_class_may_hold_bracket_and_dash_themselves(void **state)
{
	assert_true(glob_match("[]]", "]"));
	assert_true(glob_match("[a-]", "-"));
	assert_true(glob_match("[-a]", "-"));
	assert_false(glob_match("[a-]", "b"));
}

static void a_class_that_never_closes_is_a_bracket(void **state)
{
	assert_true(glob_match("[abc", "[abc"));
	assert_false(glob_match("[abc", "a"));
	assert_true(glob_match("[", "["));
	assert_true(glob_match("[!", "[!"));
	assert_true(glob_match("a[", "a["));
}

static void a_backslash_takes_the_next_byte_as_it_is(void **state)
{
	assert_true(glob_match("\\*", "*"));
	assert_false(glob_match("\\*", "a"));
	assert_true(glob_match("\\[a]", "[a]"));
	assert_true(glob_match("a\\", "a\\"));
}

/* With recursion, or a way back per star, this would not end within the life of the machine. */
static void many_stars_end_soon(void **state)
{
	char text[4097], pattern[2 * 64 + 2] = "";

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 64; i++)
		strcat(pattern, "*a");
	strcat(pattern, "b");
	assert_false(glob_match(pattern, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_matches_only_itself),
		cmocka_unit_test(a_star_matches_any_run_slashes_included),
		cmocka_unit_test(a_star_goes_back_as_often_as_needed),
		cmocka_unit_test(a_question_mark_matches_one_byte),
		cmocka_unit_test(a_class_matches_one_of_its_bytes),
		cmocka_unit_test(a_class_may_hold_bracket_and_dash_themselves),
		cmocka_unit_test(a_class_that_never_closes_is_a_bracket),
		cmocka_unit_test(a_backslash_takes_the_next_byte_as_it_is),
		cmocka_unit_test(many_stars_end_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

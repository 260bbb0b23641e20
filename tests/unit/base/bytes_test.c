/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes: the edges of every search, and numbers up to the last that fits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"

static const struct bytes nothing;

static void takes_and_skips_no_more_than_there_is(void **state)
{
	struct bytes b = BYTES("abc");

	assert_true(bytes_equal(bytes_skip(b, 1), BYTES("bc")));
	assert_int_equal(bytes_skip(b, 4).len, 0);
	assert_int_equal(bytes_skip(nothing, 1).len, 0);
	assert_true(bytes_equal(bytes_first(b, 2), BYTES("ab")));
	assert_true(bytes_equal(bytes_first(b, 9), b));
	assert_int_equal(bytes_of_text(NULL).len, 0);
}

static void compares_also_when_empty(void **state)
{
	assert_true(bytes_equal(nothing, BYTES("")));
	assert_true(bytes_equal_nocase(nothing, BYTES("")));
	assert_true(bytes_start_with(nothing, nothing));
	assert_true(bytes_end_with(BYTES("a"), nothing));
	assert_false(bytes_start_with(nothing, BYTES("a")));
	assert_false(bytes_equal(BYTES("a"), BYTES("ab")));
	assert_true(bytes_start_with(BYTES("GET /"), BYTES("GET ")));
	assert_true(bytes_end_with(BYTES("libssl.so"), BYTES(".so")));
	assert_false(bytes_end_with(BYTES("so"), BYTES(".so")));
}

static void ignores_case_of_ascii_letters_only(void **state)
{
	assert_true(bytes_equal_nocase(BYTES("Content-Length"), BYTES("cONTENT-lENGTH")));
	assert_false(bytes_equal_nocase(BYTES("@"), BYTES("`")));
	assert_false(bytes_equal_nocase(BYTES("["), BYTES("{")));
	assert_false(bytes_equal_nocase(BYTES("\xc4"), BYTES("\xe4")));
	assert_false(bytes_equal_nocase(BYTES("a"), BYTES("ab")));
}

static void finds_the_first_byte(void **state)
{
	assert_int_equal(bytes_index(BYTES("a:b:c"), ':'), 1);
	assert_int_equal(bytes_index(BYTES("abc"), ':'), -1);
	assert_int_equal(bytes_index(BYTES("a\0b"), 'b'), 2);
	assert_int_equal(bytes_index(nothing, 0), -1);
}

static void finds_the_first_needle_and_not_past_the_end(void **state)
{
	struct bytes text = BYTES("a\r\n\r\nb\r\n\r\n");

	assert_int_equal(bytes_find(text, BYTES("\r\n\r\n")), 1);
	assert_int_equal(bytes_find(bytes_first(text, 4), BYTES("\r\n\r\n")), -1);
	assert_int_equal(bytes_find(text, BYTES("")), 0);
	assert_int_equal(bytes_find(nothing, BYTES("")), 0);
	assert_int_equal(bytes_find(nothing, BYTES("x")), -1);
	assert_int_equal(bytes_find(BYTES("aab"), BYTES("ab")), 1);
}

static void trims_spaces_and_tabs_at_both_ends(void **state)
{
	assert_true(bytes_equal(bytes_trim(BYTES(" \ta b\t ")), BYTES("a b")));
	assert_true(bytes_equal(bytes_trim(BYTES("a\r\n")), BYTES("a\r\n")));
	assert_int_equal(bytes_trim(BYTES(" \t ")).len, 0);
	assert_int_equal(bytes_trim(nothing).len, 0);
}

static void reads_numbers_up_to_the_last_that_fits(void **state)
{
	uint64_t value = 7;

	assert_int_equal(bytes_to_u64(BYTES("0"), &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(bytes_to_u64(BYTES("18446744073709551615"), &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(bytes_to_u64(BYTES("000000000000000000000000000042"), &value), 0);
	assert_int_equal(value, 42);
}

static void refuses_what_is_no_number_and_leaves_the_value_alone(void **state)
{
	uint64_t value = 7;

	assert_int_equal(bytes_to_u64(nothing, &value), -EINVAL);
	assert_int_equal(bytes_to_u64(BYTES(" 1"), &value), -EINVAL);
	assert_int_equal(bytes_to_u64(BYTES("-1"), &value), -EINVAL);
	assert_int_equal(bytes_to_u64(BYTES("1\0"), &value), -EINVAL);
	assert_int_equal(bytes_to_u64(BYTES("99999999999999999999x"), &value), -EINVAL);
	assert_int_equal(bytes_to_u64(BYTES("18446744073709551616"), &value), -ERANGE);
	assert_int_equal(bytes_to_u64(BYTES("99999999999999999999"), &value), -ERANGE);
	assert_int_equal(bytes_to_u64(BYTES("184467440737095516150"), &value), -ERANGE);
	assert_int_equal(value, 7);
}

static void knows_utf8_from_other_bytes_wherever_they_stand(void **state)
{
	static const char text[] = "plain text \xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9d and more";
	uint8_t broken[sizeof(text)];

	assert_true(bytes_are_utf8(nothing));
	assert_true(bytes_are_utf8(bytes_of(text, sizeof(text) - 1)));
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		memcpy(broken, text, sizeof(text));
		broken[i] = 0xff;
		assert_false(bytes_are_utf8(bytes_of(broken, sizeof(text) - 1)));
	}
	assert_false(bytes_are_utf8(BYTES("\xed\xa0\x80")));	/* a surrogate */
	assert_false(bytes_are_utf8(BYTES("12345678\xe2\x82")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_and_skips_no_more_than_there_is),
		cmocka_unit_test(compares_also_when_empty),
		cmocka_unit_test(ignores_case_of_ascii_letters_only),
		cmocka_unit_test(finds_the_first_byte),
		cmocka_unit_test(finds_the_first_needle_and_not_past_the_end),
		cmocka_unit_test(trims_spaces_and_tabs_at_both_ends),
		cmocka_unit_test(reads_numbers_up_to_the_last_that_fits),
		cmocka_unit_test(refuses_what_is_no_number_and_leaves_the_value_alone),
		cmocka_unit_test(knows_utf8_from_other_bytes_wherever_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Growable buffers: the maximum holds, a refusal adds nothing, JSON comes out well-formed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"

#define REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD */

static void takes_no_memory_before_the_first_addition(void **state)
{
	struct buf buf;

	buf_init(&buf, 100);
	assert_int_equal(buf_add(&buf, NULL, 0), 0);
	assert_int_equal(buf_add_text(&buf, ""), 0);
	assert_int_equal(buf_printf(&buf, "%s", ""), 0);
	assert_null(buf.at);
	assert_int_equal(buf_bytes(&buf).len, 0);
	buf_done(&buf);
}

static void grows_until_its_maximum(void **state)
{
	struct buf buf;

	buf_init(&buf, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_add_byte(&buf, (uint8_t)i), 0);
	assert_int_equal(buf_add_byte(&buf, 'x'), -ENOSPC);
	assert_int_equal(buf.len, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf.at[i], (uint8_t)i);
	buf_done(&buf);
}

static void a_refused_addition_adds_nothing_and_marks_the_buffer(void **state)
{
	struct buf buf;

	buf_init(&buf, 5);
	assert_int_equal(buf_add_text(&buf, "abc"), 0);
	assert_false(buf.failed);
	assert_int_equal(buf_add_text(&buf, "def"), -ENOSPC);
	assert_true(buf.failed);
	assert_int_equal(buf_add_text(&buf, "de"), 0);
	assert_true(buf.failed);
	assert_true(bytes_equal(buf_bytes(&buf), BYTES("abcde")));

	buf_reset(&buf);
	assert_false(buf.failed);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf_add_bytes(&buf, BYTES("12345")), 0);
	buf_done(&buf);
}

static void absurd_lengths_are_refused_and_not_wrapped(void **state)
{
	struct buf buf;

	buf_init(&buf, SIZE_MAX);
	assert_int_equal(buf_add_byte(&buf, 'a'), 0);
	assert_int_equal(buf_reserve(&buf, SIZE_MAX), -ENOSPC);
	assert_int_equal(buf_reserve(&buf, SIZE_MAX - 1), -ENOSPC);
	assert_true(bytes_equal(buf_bytes(&buf), BYTES("a")));
	buf_done(&buf);
}

static void reserving_makes_room_without_adding(void **state)
{
	struct buf buf;

	buf_init(&buf, 1 << 20);
	assert_int_equal(buf_reserve(&buf, 5000), 0);
	assert_true(buf.capacity >= 5000);
	assert_int_equal(buf.len, 0);
	memset(buf.at, 0, 5000);
	buf_done(&buf);
}

static void prints_exactly_up_to_the_maximum(void **state)
{
	struct buf buf;

	buf_init(&buf, 8);
	assert_int_equal(buf_printf(&buf, "%s", "123456789"), -ENOSPC);
	assert_int_equal(buf.len, 0);
	buf_reset(&buf);
	assert_int_equal(buf_printf(&buf, "%d", 12345678), 0);
	assert_true(bytes_equal(buf_bytes(&buf), BYTES("12345678")));
	assert_int_equal(buf_printf(&buf, "%d", 9), -ENOSPC);
	assert_int_equal(buf.len, 8);
	buf_done(&buf);
}

static void prints_long_texts_piece_by_piece(void **state)
{
	struct buf buf;

	buf_init(&buf, 100000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_printf(&buf, "%05d", i), 0);
	assert_int_equal(buf.len, 50000);
	assert_memory_equal(buf.at + 49990, "0999809999", 10);
	buf_done(&buf);
}

static void assert_json(struct bytes text, struct bytes expected)
{
	struct buf buf;

	buf_init(&buf, 1000);
	assert_int_equal(buf_add_json(&buf, text), 0);
	assert_int_equal(buf.len, expected.len);
	assert_true(bytes_equal(buf_bytes(&buf), expected));
	buf_done(&buf);
}

static void json_escapes_quotes_and_controls(void **state)
{
	assert_json(BYTES(""), BYTES(""));
	assert_json(BYTES("plain /text\x7f"), BYTES("plain /text\x7f"));
	assert_json(BYTES("a\"b\\c"), BYTES("a\\\"b\\\\c"));
	assert_json(BYTES("\b\f\n\r\t"), BYTES("\\b\\f\\n\\r\\t"));
	assert_json(BYTES("\0\x1f"), BYTES("\\u0000\\u001f"));
}

static void json_passes_well_formed_utf8(void **state)
{
	assert_json(BYTES("\xc2\x80\xdf\xbf"), BYTES("\xc2\x80\xdf\xbf"));
	assert_json(BYTES("\xe0\xa0\x80\xed\x9f\xbf"), BYTES("\xe0\xa0\x80\xed\x9f\xbf"));
	assert_json(BYTES("\xee\x80\x80\xef\xbf\xbf"), BYTES("\xee\x80\x80\xef\xbf\xbf"));
	assert_json(BYTES("\xf0\x90\x80\x80"), BYTES("\xf0\x90\x80\x80"));
	assert_json(BYTES("\xf4\x8f\xbf\xbf"), BYTES("\xf4\x8f\xbf\xbf"));
}

static void json_replaces_each_byte_that_is_not_utf8(void **state)
{
	assert_json(BYTES("a\x80z"), BYTES("a" REPLACEMENT "z"));
	assert_json(BYTES("\xff\xc3"), BYTES(REPLACEMENT REPLACEMENT));
	assert_json(BYTES("\xc3\"x"), BYTES(REPLACEMENT "\\\"x"));
	assert_json(BYTES("\xe2\x82" "A"), BYTES(REPLACEMENT REPLACEMENT "A"));
	assert_json(BYTES("\xe2\x82"), BYTES(REPLACEMENT REPLACEMENT));
	/* overlong forms, a surrogate, beyond U+10FFFF */
	assert_json(BYTES("\xc0\xaf"), BYTES(REPLACEMENT REPLACEMENT));
	assert_json(BYTES("\xe0\x9f\xbf"), BYTES(REPLACEMENT REPLACEMENT REPLACEMENT));
	assert_json(BYTES("\xed\xa0\x80"), BYTES(REPLACEMENT REPLACEMENT REPLACEMENT));
	assert_json(BYTES("\xf4\x90\x80\x80"),
		    BYTES(REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT));
}

static void json_reads_no_byte_past_a_cut(void **state)
{
	static const char text[] = "\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa9";
	struct buf buf;

	buf_init(&buf, 1000);
	for (size_t len = 0; len < sizeof(text); len++) {
		uint8_t *cut = malloc(len ? len : 1);	/* to its end, for AddressSanitizer */

		memcpy(cut, text, len);
		assert_int_equal(buf_add_json(&buf, bytes_of(cut, len)), 0);
		free(cut);
	}
	buf_done(&buf);
}

static void json_that_does_not_fit_adds_nothing(void **state)
{
	struct buf buf;

	for (size_t max = 1; max < 9; max++) {
		buf_init(&buf, max);
		assert_int_equal(buf_add_byte(&buf, '"'), 0);
		assert_int_equal(buf_add_json(&buf, BYTES("ab\ncd\1")), -ENOSPC);
		assert_int_equal(buf.len, 1);
		assert_true(buf.failed);
		buf_done(&buf);
	}
}

static void may_be_used_again_after_done(void **state)
{
	struct buf buf;

	buf_init(&buf, 3);
	buf_add_text(&buf, "abcd");
	buf_add_text(&buf, "abc");
	buf_done(&buf);
	assert_false(buf.failed);
	assert_int_equal(buf_add_text(&buf, "xyz"), 0);
	assert_int_equal(buf_add_byte(&buf, '!'), -ENOSPC);
	buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_no_memory_before_the_first_addition),
		cmocka_unit_test(grows_until_its_maximum),
		cmocka_unit_test(a_refused_addition_adds_nothing_and_marks_the_buffer),
		cmocka_unit_test(absurd_lengths_are_refused_and_not_wrapped),
		cmocka_unit_test(reserving_makes_room_without_adding),
		cmocka_unit_test(prints_exactly_up_to_the_maximum),
		cmocka_unit_test(prints_long_texts_piece_by_piece),
		cmocka_unit_test(json_escapes_quotes_and_controls),
		cmocka_unit_test(json_passes_well_formed_utf8),
		cmocka_unit_test(json_replaces_each_byte_that_is_not_utf8),
		cmocka_unit_test(json_reads_no_byte_past_a_cut),
		cmocka_unit_test(json_that_does_not_fit_adds_nothing),
		cmocka_unit_test(may_be_used_again_after_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The chunked coding, seen whole, in pieces, and with bytes that nobody saw. */
#include "unit/protocol/fixture.h"

#include <errno.h>

#include "base/cleanup.h"
#include "protocol/protocol.h"

/* `consumed` -EBADMSG: refused; `body_bytes` when it ended. */
struct coding {
	struct bytes in;
	ssize_t consumed;
	bool ends;
	uint64_t body_bytes;
};

static const struct coding codings[] = {
	{ BYTES("0\r\n\r\n"), 5, true, 0 },
	{ BYTES("5\r\nhello\r\n0\r\n\r\n"), 15, true, 5 },
	{ BYTES("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nHTTP/1.1"), 26, true, 11 },
	{ BYTES("a\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"), 20, true, 10 },	/* data like the end */
	{ BYTES("A;x=y;z=\"q\"\r\n0123456789\r\n0 ; last\r\n\r\n"), 37, true, 10 },
	{ BYTES("5\nhello\n0\n\n"), 11, true, 5 },
	{ BYTES("5 \r\nhello\r\n000\r\nX-Sum: 1\r\nY:\r\n\r\nrest"), 32, true, 5 },
	{ BYTES("0000000000000001\r\nx\r\n0\r\n\r\n"), 26, true, 1 },
	{ BYTES("ffffffffffffffff\r\nxyz"), 21, false, 3 },
	{ BYTES("00000000000000001\r\nx\r\n0\r\n\r\n"), -EBADMSG },	/* 17 digits */
	{ BYTES("1\r\nx\r\nffffffffffffffff\r\nxyz"), 27, false, 4 },
	{ BYTES("\r\n0\r\n\r\n"), -EBADMSG },
	{ BYTES(";x\r\n"), -EBADMSG },
	{ BYTES(" 5\r\n"), -EBADMSG },
	{ BYTES("-1\r\n"), -EBADMSG },
	{ BYTES("0x5\r\nhello\r\n"), -EBADMSG },
	{ BYTES("5g\r\nhello\r\n"), -EBADMSG },
	{ BYTES("5\rhello"), -EBADMSG },
	{ BYTES("5\r\r\nhello"), -EBADMSG },
	{ BYTES("5\r\nhello!\r\n"), -EBADMSG },
	{ BYTES("5\r\nhello\rx"), -EBADMSG },
	{ BYTES("5\r\nhello\r\r\n"), -EBADMSG },
	{ BYTES("0\r\n\r\r\n"), -EBADMSG },
	{ BYTES("<html>"), -EBADMSG },
};

static void is_result(const struct coding *coding, ssize_t r, const struct chunked *chunked,
		      bool end)
{
	if (r != coding->consumed)
		fail_msg("%zd for %.*s", r, BYTES_ARG(coding->in));
	if (r < 0)
		return;
	assert_int_equal(end, coding->ends);
	assert_int_equal(chunked->body_bytes, coding->body_bytes);
	assert_false(chunked->lost);
}

static void ends_where_the_coding_says(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(codings); i++) {
		struct chunked chunked = { 0 };
		bool end = false;
		ssize_t r = chunked_feed(&chunked, codings[i].in, &end);

		is_result(&codings[i], r, &chunked, end);
	}
}

/* Both parts in memory of their own. */
static ssize_t feed_in_two(struct chunked *chunked, struct bytes in, size_t at, bool *end)
{
	struct bytes first = cut_at(in, at), second = cut_at(bytes_skip(in, at), in.len - at);
	ssize_t r = chunked_feed(chunked, first, end), more;

	if (r >= 0 && !*end) {
		assert_int_equal(r, at);
		more = chunked_feed(chunked, second, end);
		r = more < 0 ? more : r + more;
	}
	free((void *)first.at);
	free((void *)second.at);
	return r;
}

static void says_the_same_in_two_pieces_at_every_cut(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(codings); i++) {
		for (size_t at = 0; at <= codings[i].in.len; at++) {
			struct chunked chunked = { 0 };
			bool end = false;
			ssize_t r = feed_in_two(&chunked, codings[i].in, at, &end);

			is_result(&codings[i], r, &chunked, end);
		}
	}
}

static void says_the_same_byte_by_byte(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(codings); i++) {
		struct chunked chunked = { 0 };
		bool end = false;
		ssize_t r = 0, at = 0;

		while (at < (ssize_t)codings[i].in.len && !end && r >= 0) {
			r = chunked_feed(&chunked, bytes_of(codings[i].in.at + at, 1), &end);
			at += r;
		}
		is_result(&codings[i], r < 0 ? r : at, &chunked, end);
	}
}

static void refuses_without_touching_its_outputs(void **state)
{
	struct chunked chunked = { 0 };
	bool end = true;

	assert_int_equal(chunked_feed(&chunked, BYTES("5\r\nhello!"), &end), -EBADMSG);
	assert_true(end);
	assert_int_equal(chunked.body_bytes, 0);
	assert_int_equal(chunked_feed(&chunked, BYTES("0\r\n\r\n"), &end), 5);
}

static void refuses_a_body_longer_than_can_be_counted(void **state)
{
	struct chunked chunked = { 0 };
	bool end;

	assert_int_equal(chunked_feed(&chunked, BYTES("ffffffffffffffff\r\n"), &end), 18);
	chunked_skip(&chunked, UINT64_MAX);
	assert_false(chunked.lost);
	assert_true(chunked.body_bytes == UINT64_MAX);
	assert_int_equal(chunked_feed(&chunked, BYTES("\r\n1\r\nx"), &end), -EBADMSG);
}

static void stays_at_the_end(void **state)
{
	struct chunked chunked = { 0 };
	bool end = false;

	chunked_feed(&chunked, BYTES("0\r\n\r\n"), &end);
	chunked_skip(&chunked, 100);
	assert_false(chunked.lost);
	assert_int_equal(chunked_feed(&chunked, BYTES("GET"), &end), 0);
	assert_true(end);
}

static void counts_data_that_passed_unseen(void **state)
{
	struct chunked chunked = { 0 };
	bool end;

	chunked_feed(&chunked, BYTES("7d0\r\nhead"), &end);
	chunked_skip(&chunked, 0);
	chunked_skip(&chunked, 1990);
	assert_int_equal(chunked.left, 6);
	assert_int_equal(chunked_feed(&chunked, BYTES("foot..\r\n0\r\n\r\n"), &end), 13);
	assert_true(end && !chunked.lost);
	assert_int_equal(chunked.body_bytes, 2000);
}

static void takes_the_unseen_end_of_a_chunk_for_its_line_end(void **state)
{
	/* unseen: none, one or both of the bytes between two chunks */
	static const struct bytes seen[] = {
		BYTES("\r\n0\r\n\r\n"), BYTES("\n0\r\n\r\n"), BYTES("0\r\n\r\n"),
	};

	for (size_t n = 0; n < 3; n++) {
		struct chunked chunked = { 0 };
		bool end;

		chunked_feed(&chunked, BYTES("0000000000000005\r\nhe"), &end);
		chunked_skip(&chunked, 3 + n);
		assert_false(chunked.lost);
		assert_int_equal(chunked_feed(&chunked, seen[n], &end), seen[n].len);
		assert_true(end);
		assert_int_equal(chunked.body_bytes, 5);
	}
}

static void is_lost_when_a_size_passed_unseen(void **state)
{
	static const struct { struct bytes seen; uint64_t unseen, body_bytes; } table[] = {
		{ BYTES("5\r\nhe"), 6, 5 }, { BYTES(""), 1, 0 }, { BYTES("5"), 1, 0 },
		{ BYTES("5\r"), 1, 0 }, { BYTES("5;x"), 1, 0 }, { BYTES("5\r\nhello"), 3, 5 },
		{ BYTES("5\r\nhello\r"), 2, 5 }, { BYTES("0\r\n"), 1, 0 },
		{ BYTES("0\r\nX"), 1, 0 }, { BYTES("5\r\n"), UINT64_MAX, 5 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct chunked chunked = { 0 };
		bool end = true;

		chunked_feed(&chunked, table[i].seen, &end);
		chunked_skip(&chunked, table[i].unseen);
		assert_true(chunked.lost);
		assert_int_equal(chunked.body_bytes, table[i].body_bytes);
		assert_int_equal(chunked_feed(&chunked, BYTES("0\r\n\r\n!"), &end), 6);
		assert_false(end);
	}
}

static void knows_the_last_chunk_at_the_end_of_a_call(void **state)
{
	static const struct { struct bytes tail; bool last; } table[] = {
		{ BYTES("0\r\n\r\n"), true }, { BYTES("\r\n0\r\n\r\n"), true },
		{ BYTES("x\r\n0\r\n\r\n"), true }, { BYTES("\n0\r\n\r\n"), true },
		{ BYTES("x0\r\n\r\n"), false }, { BYTES("\r\n10\r\n\r\n"), false },
		{ BYTES("\r\n0\r\n\r\nx"), false }, { BYTES("\r\n\r\n"), false },
		{ BYTES("\r\n0\r\n"), false }, { BYTES(""), false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(chunked_ends_with_last(table[i].tail), table[i].last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_where_the_coding_says),
		cmocka_unit_test(says_the_same_in_two_pieces_at_every_cut),
		cmocka_unit_test(says_the_same_byte_by_byte),
		cmocka_unit_test(refuses_without_touching_its_outputs),
		cmocka_unit_test(refuses_a_body_longer_than_can_be_counted),
		cmocka_unit_test(stays_at_the_end),
		cmocka_unit_test(counts_data_that_passed_unseen),
		cmocka_unit_test(takes_the_unseen_end_of_a_chunk_for_its_line_end),
		cmocka_unit_test(is_lost_when_a_size_passed_unseen),
		cmocka_unit_test(knows_the_last_chunk_at_the_end_of_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

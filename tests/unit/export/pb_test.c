/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protobuf writer against bytes from the format's documentation, and the readers against every
 * cut.
 */
#include "unit/export/fixture.h"

#include "export/otlp_response.h"
#include "export/pb.h"

static void is(const struct buf *buf, struct bytes expected)
{
	assert_int_equal(buf->len, expected.len);
	assert_memory_equal(buf->at, expected.at, expected.len);
}

static void numbers_are_as_the_documentation_has_them(void **state)
{
	struct buf buf;

	buf_init(&buf, 4096);
	pb_add_varint(&buf, 1, 150);
	is(&buf, BYTES("\x08\x96\x01"));
	buf_reset(&buf);
	pb_add_varint(&buf, 16, UINT64_MAX);
	is(&buf, BYTES("\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
	buf_reset(&buf);
	pb_add_sint(&buf, 2, -2);
	is(&buf, BYTES("\x10\x03"));
	buf_reset(&buf);
	pb_add_sint(&buf, 2, INT64_MIN);
	is(&buf, BYTES("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
	buf_reset(&buf);
	pb_add_fixed64(&buf, 3, 0x0102030405060708);
	is(&buf, BYTES("\x19\x08\x07\x06\x05\x04\x03\x02\x01"));
	buf_reset(&buf);
	pb_add_double(&buf, 4, 1.5);
	is(&buf, BYTES("\x21\0\0\0\0\0\0\xf8\x3f"));
	buf_done(&buf);
}

static void texts_are_made_utf8(void **state)
{
	struct buf buf;

	buf_init(&buf, 4096);
	pb_add_text(&buf, 2, BYTES("testing"));
	is(&buf, BYTES("\x12\x07testing"));
	buf_reset(&buf);
	pb_add_text(&buf, 2, BYTES("a\xffz"));
	is(&buf, BYTES("\x12\x85\x80\x80\0a\xef\xbf\xbdz"));
	buf_done(&buf);
}

static void nested_messages_get_their_length_afterwards(void **state)
{
	struct pb_field field;
	size_t outer, inner;
	struct bytes in;
	struct buf buf;

	buf_init(&buf, 1 << 20);
	outer = pb_open(&buf, 3);
	inner = pb_open(&buf, 1);
	for (int i = 0; i < 300; i++)
		pb_add_varint(&buf, 1, 150);
	pb_close(&buf, inner);
	pb_add_varint(&buf, 2, 7);
	pb_close(&buf, outer);
	assert_false(buf.failed);

	in = buf_bytes(&buf);
	assert_int_equal(pb_next(&in, &field), 1);
	assert_int_equal(field.number, 3);
	assert_int_equal(in.len, 0);
	in = field.bytes;
	assert_int_equal(pb_next(&in, &field), 1);
	assert_int_equal(field.bytes.len, 900);
	assert_int_equal(pb_next(&in, &field), 1);
	assert_int_equal(field.value, 7);
	assert_int_equal(pb_next(&in, &field), 0);
	buf_done(&buf);
}

static void a_full_buffer_fails_without_writing_elsewhere(void **state)
{
	for (size_t max = 0; max < 40; max++) {
		struct buf buf;
		size_t mark;

		buf_init(&buf, max);
		mark = pb_open(&buf, 1);
		pb_add_text(&buf, 2, BYTES("twenty bytes of text"));
		pb_add_fixed64(&buf, 3, 1);
		pb_close(&buf, mark);
		assert_int_equal(buf.failed, max < 5 + 22 + 9);
		buf_done(&buf);
	}
}

static void the_size_of_a_varint_is_what_is_written(void **state)
{
	uint8_t bytes[PB_VARINT_MAX];

	for (int bit = 0; bit < 64; bit++) {
		uint64_t value = 1ull << bit;

		assert_int_equal(pb_put_varint(bytes, value) - bytes, pb_varint_size(value));
		assert_int_equal(pb_put_varint(bytes, value - 1) - bytes,
				 pb_varint_size(value - 1));
	}
}

static void the_reader_skips_no_bytes_and_takes_no_garbage(void **state)
{
	static const struct bytes wrong[] = {
		BYTES("\x08"),
		BYTES("\x08\x80"),
		BYTES("\x00\x01"),
		BYTES("\x0b"),
		BYTES("\x0e\x01"),
		BYTES("\x12\x05"
		      "abcd"),
		BYTES("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
		BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
		BYTES("\x09"
		      "1234567"),
		BYTES("\x0d"
		      "123"),
		BYTES("\x80\x80\x80\x80\x80\x01\x01"),
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct pb_field field = { .number = 99 };
		struct bytes in = wrong[i];

		assert_int_equal(pb_next(&in, &field), -EBADMSG);
		assert_int_equal(field.number, 99);
		assert_ptr_equal(in.at, wrong[i].at);
	}
}

/* partial_success { rejected_spans: 3, error_message: "too old" }, after an unknown field. */
#define PARTIAL "\x7a\x01x\x0a\x0b\x08\x03\x12\x07too old"

static void partial_success_is_read(void **state)
{
	struct otlp_response response;

	assert_int_equal(otlp_response_parse(BYTES(PARTIAL), &response), 0);
	assert_int_equal(response.rejected, 3);
	assert_true(bytes_equal(response.message, BYTES("too old")));
	assert_int_equal(otlp_response_parse(BYTES(""), &response), 0);
	assert_int_equal(response.rejected, 0);
	assert_int_equal(otlp_response_parse(BYTES("\x0a\0"), &response), 0);
	assert_int_equal(response.rejected, 0);
	/* a negative number of spans */
	assert_int_equal(
		otlp_response_parse(BYTES("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
				    &response),
		0);
	assert_int_equal(response.rejected, 0);
}

static void partial_success_is_refused_at_every_cut_within_a_field(void **state)
{
	struct bytes whole = BYTES(PARTIAL);

	for (size_t len = 0; len < whole.len; len++) {
		struct otlp_response response = { .rejected = 99 };
		uint8_t *exact = malloc(len + !len);
		bool between = len == 0 || len == 3;

		memcpy(exact, whole.at, len);
		assert_int_equal(otlp_response_parse(bytes_of(exact, len), &response),
				 between ? 0 : -EBADMSG);
		assert_int_equal(response.rejected, between ? 0 : 99);
		free(exact);
	}
}

static void the_message_of_an_error_is_read(void **state)
{
	assert_true(bytes_equal(otlp_error_message(BYTES("\x08\x03\x12\x03""bad")), BYTES("bad")));
	assert_int_equal(otlp_error_message(BYTES("<html>no</html>")).len, 0);
	assert_int_equal(otlp_error_message(BYTES("\x12\x02\xff\xfe")).len, 0);
	assert_int_equal(otlp_error_message(BYTES("")).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_as_the_documentation_has_them),
		cmocka_unit_test(texts_are_made_utf8),
		cmocka_unit_test(nested_messages_get_their_length_afterwards),
		cmocka_unit_test(a_full_buffer_fails_without_writing_elsewhere),
		cmocka_unit_test(the_size_of_a_varint_is_what_is_written),
		cmocka_unit_test(the_reader_skips_no_bytes_and_takes_no_garbage),
		cmocka_unit_test(partial_success_is_read),
		cmocka_unit_test(partial_success_is_refused_at_every_cut_within_a_field),
		cmocka_unit_test(the_message_of_an_error_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A protobuf reader of the tests' own, so that writer and reader cannot share a mistake. */
#ifndef TESTS_UNIT_EXPORT_DECODE_H
#define TESTS_UNIT_EXPORT_DECODE_H

#include "unit/export/fixture.h"

static inline uint64_t decode_varint(struct bytes *in)
{
	uint64_t value = 0;
	int shift = 0;
	uint8_t byte;

	do {
		assert_true(in->len > 0 && shift < 70);
		byte = in->at[0];
		*in = bytes_skip(*in, 1);
		value |= (uint64_t)(byte & 127) << shift;
		shift += 7;
	} while (byte & 128);
	return value;
}

/*
 * The n-th field `number` of a message; numbers in *ret_number, messages and texts as bytes.
 * Returns false when there are not so many. Fails the test on anything that is not well formed.
 */
static inline bool decode_nth(struct bytes in, unsigned number, unsigned n, struct bytes *ret_bytes,
			      uint64_t *ret_number)
{
	while (in.len) {
		uint64_t tag = decode_varint(&in), value = 0;
		struct bytes bytes = { 0 };
		size_t fixed = (tag & 7) == 1 ? 8 : (tag & 7) == 5 ? 4 : 0;

		if ((tag & 7) == 0)
			value = decode_varint(&in);
		else if ((tag & 7) == 2)
			fixed = decode_varint(&in);
		else
			assert_true(fixed > 0);
		assert_true(in.len >= fixed);
		bytes = bytes_first(in, fixed);
		if ((tag & 7) != 2)
			memcpy(&value, in.at, MIN(fixed, (size_t)8));	/* little-endian hosts */
		if ((tag & 7) == 0)
			bytes.len = 0;
		in = bytes_skip(in, fixed);
		if (tag >> 3 != number || n--)
			continue;
		*ret_bytes = bytes;
		*ret_number = value;
		return true;
	}
	return false;
}

static inline unsigned decode_count(struct bytes in, unsigned number)
{
	struct bytes bytes;
	uint64_t value;
	unsigned n = 0;

	while (decode_nth(in, number, n, &bytes, &value))
		n++;
	return n;
}

static inline struct bytes decode_bytes(struct bytes in, unsigned number, unsigned n)
{
	struct bytes bytes;
	uint64_t value;

	if (!decode_nth(in, number, n, &bytes, &value))
		fail_msg("field %u has no number %u", number, n);
	return bytes;
}

static inline uint64_t decode_number(struct bytes in, unsigned number)
{
	struct bytes bytes;
	uint64_t value;

	if (!decode_nth(in, number, 0, &bytes, &value))
		fail_msg("no field %u", number);
	return value;
}

static inline double decode_double(struct bytes in, unsigned number)
{
	uint64_t bits = decode_number(in, number);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The AnyValue of an attribute among the repeated KeyValue `number`; false: there is none. */
static inline bool decode_attribute(struct bytes in, unsigned number, const char *key,
				    struct bytes *ret_any)
{
	unsigned count = decode_count(in, number);
	bool found = false;

	for (unsigned i = 0; i < count; i++) {
		struct bytes pair = decode_bytes(in, number, i);

		if (!bytes_equal(decode_bytes(pair, 1, 0), bytes_of_text(key)))
			continue;
		assert_false(found);
		*ret_any = decode_bytes(pair, 2, 0);
		found = true;
	}
	return found;
}

static inline void assert_text(struct bytes in, unsigned number, const char *key,
			       const char *expected)
{
	struct bytes any;

	if (!decode_attribute(in, number, key, &any))
		fail_msg("no attribute %s", key);
	assert_int_equal(decode_bytes(any, 1, 0).len, strlen(expected));
	assert_memory_equal(decode_bytes(any, 1, 0).at, expected, strlen(expected));
}

static inline void assert_number(struct bytes in, unsigned number, const char *key,
				 int64_t expected)
{
	struct bytes any;

	if (!decode_attribute(in, number, key, &any))
		fail_msg("no attribute %s", key);
	assert_int_equal(decode_number(any, 3), expected);
}

static inline void assert_no_attribute(struct bytes in, unsigned number, const char *key)
{
	struct bytes any;

	assert_false(decode_attribute(in, number, key, &any));
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of protocols: files of tests/fixtures, taken off the wire between real programs; and
 * cuts that end where their memory ends, so that AddressSanitizer sees a byte read too many.
 */
#ifndef TESTS_UNIT_PROTOCOL_FIXTURE_H
#define TESTS_UNIT_PROTOCOL_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

#define FIXTURE_MAX 4096

/* tests/fixtures/`name`, from the top of the tree, where tests are started; free(at). */
static inline struct bytes fixture_read(const char *name)
{
	uint8_t *at = malloc(FIXTURE_MAX);
	char path[256];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "tests/fixtures/%s", name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s: cannot be read: start tests from the top of the tree", path);
	len = fread(at, 1, FIXTURE_MAX, file);
	fclose(file);
	assert_in_range(len, 1, FIXTURE_MAX - 1);
	return bytes_of(at, len);
}

/* The first `len` bytes in memory of their own; free(at). */
static inline struct bytes cut_at(struct bytes whole, size_t len)
{
	uint8_t *at = malloc(len);

	if (len)
		memcpy(at, whole.at, len);
	return bytes_of(at, len);
}

static inline void is_text(struct bytes bytes, const char *text)
{
	if (!bytes_equal(bytes, bytes_of_text(text)))
		fail_msg("\"%.*s\" is not \"%s\"", BYTES_ARG(bytes), text ? text : "");
}

/* Offset and length, so that parts of two copies compare. */
static inline void is_same_part(struct bytes a, const uint8_t *a_base, struct bytes b,
				const uint8_t *b_base)
{
	assert_int_equal(a.len, b.len);
	if (a.len)
		assert_int_equal(a.at - a_base, b.at - b_base);
}

#endif

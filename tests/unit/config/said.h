/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed to a stream, kept as text for a test to look at. */
#ifndef SONDE_TESTS_UNIT_CONFIG_SAID_H
#define SONDE_TESTS_UNIT_CONFIG_SAID_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct said {
	char *text;
	size_t len;
	FILE *stream;
};

static inline void said_begin(struct said *said)
{
	said->stream = open_memstream(&said->text, &said->len);
	assert_non_null(said->stream);
}

static inline void said_end(struct said *said)
{
	fclose(said->stream);
	free(said->text);
}

/* Fails, showing what was said, when `part` is not in it. */
static inline void said_has(struct said *said, const char *part)
{
	fflush(said->stream);
	if (!strstr(said->text, part))
		fail_msg("\"%s\" is not in: %s", part, said->text);
}

static inline void said_nothing(struct said *said)
{
	fflush(said->stream);
	assert_string_equal(said->text, "");
}

#endif

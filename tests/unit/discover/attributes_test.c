/* SPDX-License-Identifier: Apache-2.0 */
/* OTEL_RESOURCE_ATTRIBUTES: pairs decoded, bad ones skipped, nothing beyond the storage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "discover/attributes.h"

/* All pairs as `name|value;`, from memory of their own, so that ASan sees a byte too far. */
static const char *pairs_of(struct bytes text, size_t room)
{
	static char said[8192];
	struct buf storage;
	struct attribute_pair pair;
	uint8_t *copy = malloc(text.len ? text.len : 1);
	struct bytes rest = { copy, text.len };
	size_t len = 0;

	memcpy(copy, text.at, text.len);
	buf_init(&storage, room);
	assert_int_equal(buf_reserve(&storage, room), 0);
	said[0] = '\0';
	while (attributes_next(&rest, &storage, &pair))
		len += (size_t)snprintf(said + len, sizeof(said) - len, "%.*s|%.*s;",
					BYTES_ARG(pair.name), BYTES_ARG(pair.value));
	assert_false(storage.failed);
	buf_done(&storage);
	free(copy);
	return said;
}

static void good_pairs_are_decoded(void **state)
{
	static const struct {
		const char *text, *pairs;
	} cases[] = {
		{ "", "" },
		{ "a=b", "a|b;" },
		{ "a=b,c=d", "a|b;c|d;" },
		{ " a = b ,\tc=d ", "a|b;c|d;" },
		{ "service.name=my%20shop", "service.name|my shop;" },
		{ "k%2Cey=v%3Dal%2cue", "k,ey|v=al,ue;" },
		{ "a=b=c", "a|b=c;" },
		{ "a=", "a|;" },
		{ "city=Z%C3%BCrich,ort=Z\xc3\xbcrich", "city|Z\xc3\xbcrich;ort|Z\xc3\xbcrich;" },
		{ "a=%25", "a|%;" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(pairs_of(bytes_of_text(cases[i].text), 4096), cases[i].pairs);
}

static void malformed_pairs_are_skipped_and_the_rest_kept(void **state)
{
	static const char *const bad[] = {
		"novalue", "=v", "", " ", "%20%ZZ=v", "a=%", "a=%2", "a=%2x", "a=%0A", "a=%00",
		"a=%ff", "a=%C3", "a=\x7f", "%FF=v", "a=%ED%A0%80", "a=%C0%80", "a=%F4%90%80%80",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[128];

		snprintf(text, sizeof(text), "x=1,%s,y=2", bad[i]);
		assert_string_equal(pairs_of(bytes_of_text(text), 4096), "x|1;y|2;");
	}
}

static void every_cut_is_read_within_its_bounds(void **state)
{
	struct bytes whole = BYTES("service.name=a%20b,service.namespace=%C3%A4,x=%,y=z");

	for (size_t len = 0; len <= whole.len; len++) {
		const char *said = pairs_of(bytes_first(whole, len), 4096);

		if (len == whole.len)
			assert_string_equal(said, "service.name|a b;"
						  "service.namespace|\xc3\xa4;y|z;");
	}
}

static void names_and_values_too_long_are_skipped(void **state)
{
	char text[ATTRIBUTE_NAME_MAX + ATTRIBUTE_VALUE_MAX + 16];

	memset(text, 'n', sizeof(text));
	text[ATTRIBUTE_NAME_MAX] = '=';
	assert_int_not_equal(strlen(pairs_of(bytes_of(text, ATTRIBUTE_NAME_MAX + 1 +
						      ATTRIBUTE_VALUE_MAX), 4096)), 0);
	assert_string_equal(pairs_of(bytes_of(text, ATTRIBUTE_NAME_MAX + 2 +
					      ATTRIBUTE_VALUE_MAX), 4096), "");
	text[ATTRIBUTE_NAME_MAX] = 'n';
	text[ATTRIBUTE_NAME_MAX + 1] = '=';
	assert_string_equal(pairs_of(bytes_of(text, ATTRIBUTE_NAME_MAX + 3), 4096), "");
}

static void what_finds_no_room_is_skipped_and_room_is_given_back(void **state)
{
	assert_string_equal(pairs_of(BYTES("long=0123456789,a=b,c=d"), 4), "a|b;c|d;");
}

static void unclean_text_is_blunted_without_cutting_a_character(void **state)
{
	static const struct {
		const char *text, *clean;
		size_t max;
	} cases[] = {
		{ "plain", "plain", 255 },
		{ "a\nb\x7f", "a?b?", 255 },
		{ "\xff\xfe", "??", 255 },
		{ "Z\xc3\xbcrich", "Z\xc3\xbcrich", 255 },
		{ "Z\xc3\xbcrich", "Z", 2 },
		{ "Z\xc3", "Z?", 255 },
		{ "", "", 255 },
		{ "abc", "ab", 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf storage;

		buf_init(&storage, 256);
		assert_int_equal(buf_reserve(&storage, 256), 0);
		assert_true(bytes_equal(text_clean(bytes_of_text(cases[i].text), cases[i].max,
						   &storage), bytes_of_text(cases[i].clean)));
		buf_done(&storage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_pairs_are_decoded),
		cmocka_unit_test(malformed_pairs_are_skipped_and_the_rest_kept),
		cmocka_unit_test(every_cut_is_read_within_its_bounds),
		cmocka_unit_test(names_and_values_too_long_are_skipped),
		cmocka_unit_test(what_finds_no_room_is_skipped_and_room_is_given_back),
		cmocka_unit_test(unclean_text_is_blunted_without_cutting_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

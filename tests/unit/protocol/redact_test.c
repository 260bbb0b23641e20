/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in queries: hidden however they are written, and nothing else changed. */
#include "unit/protocol/fixture.h"

#include <errno.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "protocol/redact.h"

static const struct bytes keys[] = { BYTES("sig"), BYTES("password"), BYTES("X-Amz-Signature") };

static void becomes(const char *query, const char *expected)
{
	uint8_t to[256];
	size_t len = query_redact(bytes_of_text(query), keys, ARRAY_LEN(keys), to, sizeof(to));

	is_text(bytes_of(to, len), expected);
}

static void leaves_a_harmless_query_as_it_is(void **state)
{
	static const char *const table[] = {
		"", "a", "a=b", "a=b&c=d&", "&&;=;&=", "a=%zz&b=%", "signature=x", "q=sig=1&sign=2",
		"sig", "passwor=x", "passwordd=x",
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		becomes(table[i], table[i]);
}

static void hides_the_values_of_named_keys_however_written(void **state)
{
	becomes("sig=abc", "sig=REDACTED");
	becomes("a=b&SIG=abc&c=d", "a=b&SIG=REDACTED&c=d");
	becomes("sig=", "sig=REDACTED");
	becomes("sig=a=b", "sig=REDACTED");
	becomes("x-amz-signature=a&password=b", "x-amz-signature=REDACTED&password=REDACTED");
	becomes("pass%77ord=b", "pass%77ord=REDACTED");
	becomes("%70%61%73%73%57%4F%72%64=b", "%70%61%73%73%57%4F%72%64=REDACTED");
	becomes("+sig=b", "+sig=REDACTED");
	becomes("user[password]=b", "user[password]=REDACTED");
	becomes("user%5Bpassword%5d=b", "user%5Bpassword%5d=REDACTED");
	becomes("password[]=b&openid.sig=c", "password[]=REDACTED&openid.sig=REDACTED");
	becomes("a=1;sig=b", "a=1;sig=REDACTED");
}

static void hides_to_the_end_of_the_parameter_in_doubt(void **state)
{
	becomes("sig=b;c=d&e=f", "sig=REDACTED&e=f");
	becomes("a=b#sig=secret", "a=b");
	becomes("0123456789012345678901234567890123456789012345678901234567890123456789[sig]=b",
		"0123456789012345678901234567890123456789012345678901234567890123456789[sig]=REDACTED");
}

static void writes_no_more_than_there_is_room_for(void **state)
{
	struct bytes query = BYTES("a=b&sig=secret&c=d"), whole = BYTES("a=b&sig=REDACTED&c=d");

	for (size_t size = 0; size <= whole.len; size++) {
		uint8_t *to = malloc(size);
		size_t len = query_redact(query, keys, ARRAY_LEN(keys), to, size);

		assert_int_equal(len, size);
		assert_true(bytes_equal(bytes_of(to, len), bytes_first(whole, size)));
		free(to);
	}
}

static void splits_a_list_of_keys(void **state)
{
	struct bytes ret[QUERY_KEYS_MAX];
	char many[2 * QUERY_KEYS_MAX + 3] = "";
	char long_key[] = "a,0123456789012345678901234567890123456789012345678901234567890123x";

	assert_int_equal(query_keys_split(BYTES(""), ret), 0);
	assert_int_equal(query_keys_split(BYTES(" , ,"), ret), 0);
	assert_int_equal(query_keys_split(BYTES("a, b c ,,d"), ret), 3);
	is_text(ret[1], "b c");
	is_text(ret[2], "d");
	assert_int_equal(query_keys_split(bytes_of_text(long_key), ret), -EINVAL);
	is_text(ret[0], "a");

	for (int i = 0; i < QUERY_KEYS_MAX; i++)
		strcat(many, "k,");
	assert_int_equal(query_keys_split(bytes_of_text(many), ret), QUERY_KEYS_MAX);
	strcat(many, "k");
	assert_int_equal(query_keys_split(bytes_of_text(many), ret), -E2BIG);
}

static void hides_what_opentelemetry_names_by_default(void **state)
{
	static const char *const table[] = {
		"AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature", "password", "token",
		"access_token", "api_key", "client_secret",
	};
	struct bytes defaults[QUERY_KEYS_MAX];
	struct config config;
	uint8_t to[64];
	char query[64], expected[64];
	int count;

	config_init(&config);
	count = query_keys_split(bytes_of_text(config.redact), defaults);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		snprintf(query, sizeof(query), "%s=x", table[i]);
		snprintf(expected, sizeof(expected), "%s=REDACTED", table[i]);
		is_text(bytes_of(to, query_redact(bytes_of_text(query), defaults, count, to,
						  sizeof(to))), expected);
	}
	config_done(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_a_harmless_query_as_it_is),
		cmocka_unit_test(hides_the_values_of_named_keys_however_written),
		cmocka_unit_test(hides_to_the_end_of_the_parameter_in_doubt),
		cmocka_unit_test(writes_no_more_than_there_is_room_for),
		cmocka_unit_test(splits_a_list_of_keys),
		cmocka_unit_test(hides_what_opentelemetry_names_by_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

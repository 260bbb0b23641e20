/* SPDX-License-Identifier: Apache-2.0 */
/* Texts to typed values within bounds: user/config/{value,number,wrong}.c. */
#include "unit/config/said.h"

#include <errno.h>

#include "base/clock.h"
#include "config/config.h"
#include "config/options.h"
#include "config/value.h"
#include "pipeline/route_pattern.h"

struct fixture {
	struct config config;
	struct said said;
	struct origin origin;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	config_init(&fixture->config);
	said_begin(&fixture->said);
	fixture->origin = (struct origin){ .name = "here", .errors = fixture->said.stream };
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	said_end(&fixture->said);
	config_done(&fixture->config);
	free(fixture);
	return 0;
}

static int set(struct fixture *fixture, const char *key, const char *text)
{
	return value_set(&fixture->config, option_by_key(key), text, &fixture->origin);
}

static void sizes_have_units_of_1024(void **state)
{
	uint64_t bytes;

	assert_int_equal(value_to_bytes("65536", &bytes), 0);
	assert_int_equal(bytes, 65536);
	assert_int_equal(value_to_bytes("512K", &bytes), 0);
	assert_int_equal(bytes, 512 << 10);
	assert_int_equal(value_to_bytes("2MiB", &bytes), 0);
	assert_int_equal(bytes, 2 << 20);
	assert_int_equal(value_to_bytes("3G", &bytes), 0);
	assert_int_equal(bytes, 3ull << 30);
}

static void what_is_no_size_is_refused(void **state)
{
	const char *wrong[] = {"", "K", "-1", "+1", "1.5M", "2 M", "2m", "2MB", "0x10", " 1", "1 "};
	uint64_t bytes = 7;

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(value_to_bytes(wrong[i], &bytes), -EINVAL);
	assert_int_equal(value_to_bytes("18446744073709551616", &bytes), -ERANGE);
	assert_int_equal(value_to_bytes("17179869184G", &bytes), -ERANGE);
	assert_int_equal(bytes, 7);
}

static void durations_need_a_unit(void **state)
{
	uint64_t ns = 7;

	assert_int_equal(value_to_duration("10", &ns), -EINVAL);
	assert_int_equal(value_to_duration("10d", &ns), -EINVAL);
	assert_int_equal(value_to_duration("s", &ns), -EINVAL);
	assert_int_equal(ns, 7);
	assert_int_equal(value_to_duration("250ms", &ns), 0);
	assert_int_equal(ns, 250 * NSEC_PER_MSEC);
	assert_int_equal(value_to_duration("10s", &ns), 0);
	assert_int_equal(ns, 10 * NSEC_PER_SEC);
	assert_int_equal(value_to_duration("5m", &ns), 0);
	assert_int_equal(ns, 300 * NSEC_PER_SEC);
	assert_int_equal(value_to_duration("1h", &ns), 0);
	assert_int_equal(ns, 3600 * NSEC_PER_SEC);
}

static void ratios_are_plain_decimals(void **state)
{
	const char *wrong[] = {"", "nan", "inf", "0x1", " 1", "1 ", ".", "e", "1e", "0.5.5", "1,0"};
	double ratio = 7;

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(value_to_ratio(wrong[i], &ratio), -EINVAL);
	assert_true(ratio == 7);
	assert_int_equal(value_to_ratio("0.25", &ratio), 0);
	assert_true(ratio == 0.25);
	assert_int_equal(value_to_ratio("1e-3", &ratio), 0);
	assert_true(ratio == 1e-3);
}

static void numbers_print_in_their_largest_unit(void **state)
{
	char text[24];

	value_print_number(OPTION_DURATION, 300 * NSEC_PER_SEC, text, sizeof(text));
	assert_string_equal(text, "5m");
	value_print_number(OPTION_DURATION, 1500 * NSEC_PER_MSEC, text, sizeof(text));
	assert_string_equal(text, "1500ms");
	value_print_number(OPTION_BYTES, 2 << 20, text, sizeof(text));
	assert_string_equal(text, "2M");
	value_print_number(OPTION_BYTES, 1000, text, sizeof(text));
	assert_string_equal(text, "1000");
	value_print_number(OPTION_U32, 0, text, sizeof(text));
	assert_string_equal(text, "0");
}

/* Every numeric row: its bounds are allowed, one beyond each is not and leaves the field alone. */
static void every_bound_holds_on_both_sides(void **state)
{
	struct fixture *fixture = *state;

	for OPTION_EACH(option) {
		uint64_t unit = option->type == OPTION_DURATION ? NSEC_PER_MSEC : 1;
		const char *suffix = option->type == OPTION_DURATION ? "ms" : "";
		char text[40];

		if (option->type < OPTION_U32 || option->type > OPTION_DURATION)
			continue;
		snprintf(text, sizeof(text), "%lu%s", option->min / unit, suffix);
		assert_int_equal(set(fixture, option->key, text), 0);
		snprintf(text, sizeof(text), "%lu%s", option->max / unit, suffix);
		assert_int_equal(set(fixture, option->key, text), 0);
		snprintf(text, sizeof(text), "%lu%s", option->max / unit + 1, suffix);
		assert_int_equal(set(fixture, option->key, text), -EINVAL);
		snprintf(text, sizeof(text), "%lu%s", option->min / unit - 1, suffix);
		assert_int_equal(set(fixture, option->key, text), -EINVAL);
		said_has(&fixture->said, "is out of bounds: allowed is ");
		assert_int_equal(config_check(&fixture->config, fixture->said.stream), 0);
	}
}

static void the_ring_is_a_power_of_two(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(set(fixture, "sources.ring_bytes", "3M"), -EINVAL);
	said_has(&fixture->said, "\"3M\" is not a power of two: allowed is 256K..256M, a power of "
				 "two");
	assert_int_equal(fixture->config.ring_bytes, 2 << 20);
	assert_int_equal(set(fixture, "sources.ring_bytes", "4M"), 0);
	assert_int_equal(fixture->config.ring_bytes, 4 << 20);
}

static void enums_ignore_case_and_name_the_nearest(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(set(fixture, "log_level", "DEBUG"), 0);
	assert_int_equal(fixture->config.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(set(fixture, "log_level", "infos"), -EINVAL);
	said_has(&fixture->said, "sonde: here: \"infos\" is not a value of this option: "
				 "did you mean info?\n");
	assert_int_equal(set(fixture, "print", "xml"), -EINVAL);
	said_has(&fixture->said, "\"xml\" is not a value of this option: allowed is "
				 "none|text|json");
	assert_int_equal(fixture->config.log_level, LOG_LEVEL_DEBUG);
}

static void every_enum_value_sets_its_own_number(void **state)
{
	struct fixture *fixture = *state;

	for OPTION_EACH(option) {
		for (unsigned i = 0; option->type == OPTION_ENUM && option->values[i]; i++) {
			assert_int_equal(set(fixture, option->key, option->values[i]), 0);
			assert_int_equal(*(unsigned *)((char *)&fixture->config + option->offset),
					 i);
		}
	}
}

static void grpc_is_refused_with_the_cure(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(set(fixture, "otlp.protocol", "grpc"), -EINVAL);
	said_has(&fixture->said, "\"grpc\"");
	said_has(&fixture->said, "only http/protobuf is supported");
	said_has(&fixture->said, "4318");
}

static void booleans_are_true_or_false(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(set(fixture, "routes.heuristic", "false"), 0);
	assert_false(fixture->config.route_heuristic);
	assert_int_equal(set(fixture, "routes.heuristic", "yes"), -EINVAL);
	assert_int_equal(set(fixture, "routes.heuristic", "1"), -EINVAL);
	assert_int_equal(set(fixture, "routes.heuristic", "True"), 0);
	assert_true(fixture->config.route_heuristic);
}

static void lists_end_at_their_maximum(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < CONFIG_LIST_MAX; i++) {
		assert_int_equal(set(fixture, "select.executables", "x"), 0);
		assert_int_equal(set(fixture, "select.ports", "80"), 0);
	}
	assert_int_equal(set(fixture, "select.executables", "x"), -EINVAL);
	assert_int_equal(set(fixture, "select.ports", "80"), -EINVAL);
	said_has(&fixture->said, "more than 64 values");
	assert_int_equal(fixture->config.executables.count, CONFIG_LIST_MAX);
	assert_int_equal(fixture->config.ports.count, CONFIG_LIST_MAX);
}

static void ports_and_pids_have_bounds_too(void **state)
{
	struct fixture *fixture = *state;
	const char *wrong[] = { "0", "65536", "http", "", "-1", "99999999999999999999" };

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(set(fixture, "select.ports", wrong[i]), -EINVAL);
	assert_int_equal(fixture->config.ports.count, 0);
	assert_int_equal(set(fixture, "select.pids", "4194305"), -EINVAL);
	assert_int_equal(set(fixture, "select.pids", "4194304"), 0);
}

static void texts_have_a_maximum_and_no_control_characters(void **state)
{
	struct fixture *fixture = *state;
	char text[VALUE_MAX + 2];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(set(fixture, "resource.service_name", text), -EINVAL);
	text[VALUE_MAX] = '\0';
	assert_int_equal(set(fixture, "resource.service_name", text), 0);
	assert_int_equal(set(fixture, "otlp.headers", "a=b\r\nevil: 1"), -EINVAL);
	said_has(&fixture->said, "has a control character in it");
	fflush(fixture->said.stream);
	assert_null(strchr(fixture->said.text, '\r'));
}

static void header_names_are_tokens(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(set(fixture, "otlp.headers", "x-a=b=c"), 0);
	assert_string_equal(fixture->config.otlp_headers.item[0], "x-a=b=c");
	assert_int_equal(set(fixture, "otlp.headers", "x a=b"), -EINVAL);
	assert_int_equal(set(fixture, "otlp.headers", "=b"), -EINVAL);
	assert_int_equal(set(fixture, "otlp.headers", "novalue"), -EINVAL);
	assert_int_equal(set(fixture, "resource.attributes", "my key=b"), 0);
	assert_int_equal(set(fixture, "resource.attributes", "my key"), -EINVAL);
}

static void listen_takes_an_address_and_a_port(void **state)
{
	struct fixture *fixture = *state;
	const char *good[] = {"",
			      ":9464",
			      "127.0.0.1:1",
			      "[::]:9464",
			      "[::1]:65535",
			      "localhost:80",
			      "my-node.example:80",
			      "0.0.0.0:80"};
	const char *wrong[] = {"9464",     ":",      ":0",      ":65536",    "http://a:80",
			       "a b:80",   "::1:80", "[::1]",   "[]:80",     "[127.0.0.1]:80",
			       "1.2.3:80", ":9464x", "[::1:80", "127.0.0.1:"};

	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(set(fixture, "metrics.listen", good[i]), 0);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(set(fixture, "metrics.listen", wrong[i]), -EINVAL);
	assert_string_equal(fixture->config.listen, "0.0.0.0:80");
	said_has(&fixture->said, "write it as in :9464");
}

static void urls_name_a_scheme_and_a_host(void **state)
{
	struct fixture *fixture = *state;
	const char *good[] = { "http://a", "https://collector:4318/x", "HTTP://[::1]:4318" };
	const char *wrong[] = {"",          "localhost:4318", "grpc://a",      "http://",
			       "http:///x", "http://a b",     "https://:4318", "http:/a"};

	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(set(fixture, "otlp.endpoint", good[i]), 0);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(set(fixture, "otlp.endpoint", wrong[i]), -EINVAL);
	assert_string_equal(fixture->config.otlp_endpoint, "HTTP://[::1]:4318");
	said_has(&fixture->said, "write it as in http://localhost:4318");
}

/* The pipeline, which matches them, has the last word on what a pattern is. */
static void a_route_is_refused_exactly_where_the_pipeline_would(void **state)
{
	struct fixture *fixture = *state;
	const char *patterns[] = {
		"",           "/",        "users",    "/users/{id}",
		"/users/:id", "/a/*",     "/a/**",    "/a/**/",
		"/a/**/b",    "/**//c",   "/a{b",     "/a}b",
		"/{a}{b}",    "/{a}.{b}", "/{a}.png", "/a*b",
		"/a*b*",      "/***",     "/x**",     "/:",
		"/::",        "/:a*",     "/a:b",     "/a:{b}",
		"/{a}:b",     "//a//{",   "/{}",      "/{a",
		"/{a/b}",     "/*{",      "/*}",      "/jobs/{id}:cancel",
	};
	unsigned refused = 0;

	for (unsigned i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		int r = set(fixture, "routes.patterns", patterns[i]);

		if (r != pattern_check(bytes_of_text(patterns[i])))
			fail_msg("%s: %d", patterns[i], r);
		refused += r < 0;
	}
	assert_true(refused > 8 && refused < 20);
	said_has(&fixture->said, "\"/a/**/b\" has something behind **: write it as in /users/{id}");
}

static void redacted_keys_are_no_more_than_can_be_compared(void **state)
{
	struct fixture *fixture = *state;
	char key[66], keys[65 * 2 + 1] = "";

	memset(key, 'k', 65);
	key[65] = '\0';
	assert_int_equal(set(fixture, "spans.redact", key), -EINVAL);
	said_has(&fixture->said, "has a key of more than 64 bytes");
	key[64] = '\0';
	assert_int_equal(set(fixture, "spans.redact", key), 0);
	for (int i = 0; i < 65; i++)
		strcat(keys, i ? ",a" : "a");
	assert_int_equal(set(fixture, "spans.redact", keys), -EINVAL);
	said_has(&fixture->said, "has more than 64 keys");
	assert_int_equal(set(fixture, "spans.redact", keys + 2), 0);
	assert_int_equal(set(fixture, "spans.redact", ""), 0);
}

static void messages_cannot_steer_a_terminal(void **state)
{
	struct fixture *fixture = *state;

	fixture->origin.name = "\033[2Jname\n";
	assert_int_equal(set(fixture, "print", "\033]0;evil\a"), -EINVAL);
	fflush(fixture->said.stream);
	assert_null(strpbrk(fixture->said.text, "\033\a"));
	assert_ptr_equal(strchr(fixture->said.text, '\n'),
			 fixture->said.text + fixture->said.len - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sizes_have_units_of_1024),
		TEST(what_is_no_size_is_refused),
		TEST(durations_need_a_unit),
		TEST(ratios_are_plain_decimals),
		TEST(numbers_print_in_their_largest_unit),
		TEST(every_bound_holds_on_both_sides),
		TEST(the_ring_is_a_power_of_two),
		TEST(enums_ignore_case_and_name_the_nearest),
		TEST(every_enum_value_sets_its_own_number),
		TEST(grpc_is_refused_with_the_cure),
		TEST(booleans_are_true_or_false),
		TEST(lists_end_at_their_maximum),
		TEST(ports_and_pids_have_bounds_too),
		TEST(texts_have_a_maximum_and_no_control_characters),
		TEST(header_names_are_tokens),
		TEST(listen_takes_an_address_and_a_port),
		TEST(urls_name_a_scheme_and_a_host),
		TEST(a_route_is_refused_exactly_where_the_pipeline_would),
		TEST(redacted_keys_are_no_more_than_can_be_compared),
		TEST(messages_cannot_steer_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

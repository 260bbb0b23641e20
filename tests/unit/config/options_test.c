/* SPDX-License-Identifier: Apache-2.0 */
/* The option table itself, and look-ups over it: user/config/{options,lookup,config}.c. */
#include "unit/config/said.h"

#include "base/clock.h"
#include "config/config.h"
#include "config/options.h"
#include "config/value.h"

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static void no_name_is_used_twice(void **state)
{
	for OPTION_EACH(a) {
		for OPTION_EACH(b) {
			if (a == b)
				continue;
			assert_false(same(a->key, b->key));
			assert_false(same(a->flag, b->flag));
			assert_false(same(a->variable, b->variable));
			assert_false(a->short_flag && a->short_flag == b->short_flag);
		}
	}
}

static void no_two_rows_share_a_field(void **state)
{
	for OPTION_EACH(a) {
		for OPTION_EACH(b)
			assert_false(a != b && a->key && b->key && a->offset == b->offset);
	}
}

static void names_have_their_forms(void **state)
{
	for OPTION_EACH(option) {
		if (option->flag) {
			assert_memory_equal(option->flag, "--", 2);
			assert_int_equal(
				strspn(option->flag, "abcdefghijklmnopqrstuvwxyz0123456789-"),
				strlen(option->flag));
		}
		if (option->key)
			assert_int_equal(
				strspn(option->key, "abcdefghijklmnopqrstuvwxyz0123456789_."),
				strlen(option->key));
		if (option->variable)
			assert_memory_equal(option->variable, "OTEL_", 5);
	}
}

/* A key that is also a section could be neither read nor documented. */
static void no_key_is_a_section(void **state)
{
	for OPTION_EACH(option) {
		if (option->key)
			assert_null(option_section(option->key));
	}
}

/* Nearest-name look-ups and the reader's path give up on longer ones. */
static void names_are_short_enough(void **state)
{
	for OPTION_EACH(option) {
		assert_true(!option->key || strlen(option->key) < 64);
		assert_true(!option->flag || strlen(option->flag) < 64);
	}
}

static void sections_stand_together(void **state)
{
	const struct config_option *last = NULL;

	for OPTION_EACH(option) {
		size_t len = option->key ? strcspn(option->key, ".") : 0;
		bool same_section =
			last && option->key && !strncmp(last->key, option->key, len + 1);

		for OPTION_EACH(earlier) {
			if (earlier >= option || same_section || !option->key || !earlier->key)
				continue;
			assert_false(option->key[len] &&
				     !strncmp(earlier->key, option->key, len + 1));
		}
		if (option->key)
			last = option;
	}
}

static void presets_and_examples_are_valid(void **state)
{
	for OPTION_EACH(option) {
		const char *texts[] = { option->preset, option->example };
		struct config config = { 0 };
		struct origin origin = { .name = option->key, .errors = stderr };

		for (unsigned i = 0; option->key && i < 2; i++) {
			if (texts[i])
				assert_int_equal(value_set(&config, option, texts[i], &origin), 0);
		}
		/* one of them is there, for the example file; both would be one too many */
		if (option->key)
			assert_true(!option->preset != !option->example);
		config_done(&config);
	}
}

static void every_numeric_row_has_bounds(void **state)
{
	for OPTION_EACH(option) {
		if (option->type == OPTION_NUMBERS ||
		    (option->type >= OPTION_U32 && option->type <= OPTION_DURATION))
			assert_true(option->min < option->max);
	}
}

static void defaults_are_those_that_are_promised(void **state)
{
	struct config config;

	config_init(&config);
	assert_int_equal(config.select, SELECT_AUTO);
	assert_int_equal(config.socket_hook, HOOK_AUTO);
	assert_int_equal(config.ring_bytes, 2 << 20);
	assert_int_equal(config.targets_max, 16384);
	assert_int_equal(config.connections_max, 16384);
	assert_null(config.service_name);
	assert_true(config.route_heuristic);
	assert_int_equal(config.routes_max, 200);
	assert_int_equal(config.series_max, 5000);
	assert_int_equal(config.series_expire_ns, 300 * NSEC_PER_SEC);
	assert_string_equal(config.listen, ":9464");
	assert_int_equal(config.metric_interval_ns, 60 * NSEC_PER_SEC);
	assert_int_equal(config.histogram, HISTOGRAM_EXPLICIT);
	assert_int_equal(config.sampler, SAMPLER_PARENTBASED_ALWAYS_ON);
	assert_true(config.sampler_ratio == 1);
	assert_non_null(strstr(config.redact, "X-Goog-Signature"));
	assert_null(config.otlp_endpoint);
	assert_int_equal(config.otlp_timeout_ns, 10 * NSEC_PER_SEC);
	assert_int_equal(config.otlp_compression, COMPRESSION_NONE);
	assert_int_equal(config.otlp_queue_bytes, 8 << 20);
	assert_int_equal(config.otlp_traces_compression, COMPRESSION_INHERIT);
	assert_int_equal(config.print, PRINT_NONE);
	assert_int_equal(config.log_level, LOG_LEVEL_INFO);
	config_done(&config);
}

static void enum_names_stand_in_the_order_of_their_enums(void **state)
{
	const struct config_option *sampler = option_by_key("spans.sampler");
	const struct config_option *hook = option_by_key("sources.socket_hook");

	assert_string_equal(option_by_key("select.mode")->values[SELECT_ALL], "all");
	assert_string_equal(option_by_key("print")->values[PRINT_JSON], "json");
	assert_string_equal(hook->values[HOOK_SOCK_LENGTH], "sock-length");
	assert_string_equal(hook->values[HOOK_SYSCALL], "syscall");
	assert_string_equal(sampler->values[SAMPLER_TRACEIDRATIO], "traceidratio");
	assert_string_equal(sampler->values[SAMPLER_PARENTBASED_TRACEIDRATIO],
			    "parentbased_traceidratio");
	assert_string_equal(option_by_key("log_level")->values[LOG_LEVEL_WARN], "warn");
	assert_string_equal(option_by_key("metrics.histogram")->values[HISTOGRAM_EXPONENTIAL],
			    "base2_exponential_bucket_histogram");
	assert_string_equal(option_by_key("otlp.compression")->values[COMPRESSION_GZIP], "gzip");
	assert_string_equal(option_by_key("otlp.traces.compression")->values[COMPRESSION_INHERIT],
			    "inherit");
}

static void the_promised_flags_are_there(void **state)
{
	const char *flags[] = { "--exe", "--port", "--pid", "--container", "--listen", "--otlp",
				"--print", "--socket-hook", "--log-level", "--select" };

	for (unsigned i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		assert_non_null(option_by_flag(flags[i], strlen(flags[i])));
	assert_int_equal(option_by_flag("--config", 8)->short_flag, 'c');
	assert_null(option_by_flag("--ex", 4));
	assert_null(option_by_flag("--exes", 6));
}

static void a_wrong_name_has_a_nearest(void **state)
{
	assert_string_equal(option_nearest_flag("--exec"), "--exe");
	assert_string_equal(option_nearest_flag("--socket-hok"), "--socket-hook");
	assert_null(option_nearest_flag("--nothing-like-it"));
	assert_string_equal(option_nearest_key("otlp.endpont"), "otlp.endpoint");
	assert_string_equal(option_nearest_key("select.executable"), "select.executables");
	/* in the wrong section */
	assert_string_equal(option_nearest_key("listen"), "metrics.listen");
	assert_string_equal(option_nearest_key("spans.endpoint"), "otlp.endpoint");
	assert_null(option_nearest_key("colour"));
}

static void a_section_is_known_by_its_first_row(void **state)
{
	assert_string_equal(option_section("otlp")->key, "otlp.endpoint");
	assert_string_equal(option_section("otlp.traces")->key, "otlp.traces.endpoint");
	assert_null(option_section("otl"));
	assert_null(option_section("otlp."));
	assert_null(option_section("otlp.endpoint"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_name_is_used_twice),
		cmocka_unit_test(no_two_rows_share_a_field),
		cmocka_unit_test(names_have_their_forms),
		cmocka_unit_test(no_key_is_a_section),
		cmocka_unit_test(names_are_short_enough),
		cmocka_unit_test(sections_stand_together),
		cmocka_unit_test(presets_and_examples_are_valid),
		cmocka_unit_test(every_numeric_row_has_bounds),
		cmocka_unit_test(defaults_are_those_that_are_promised),
		cmocka_unit_test(enum_names_stand_in_the_order_of_their_enums),
		cmocka_unit_test(the_promised_flags_are_there),
		cmocka_unit_test(a_wrong_name_has_a_nearest),
		cmocka_unit_test(a_section_is_known_by_its_first_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

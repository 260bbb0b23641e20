/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration as a whole: user/config/{check,config}.c. */
#include "unit/config/said.h"

#include <errno.h>

#include "base/clock.h"
#include "config/config.h"
#include "config/options.h"
#include "config/value.h"

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

static void a_check_finds_what_was_set_by_hand(void **state)
{
	struct fixture *fixture = *state;
	struct config *config = &fixture->config;

	assert_int_equal(config_check(config, fixture->said.stream), 0);
	said_nothing(&fixture->said);
	config->sampler_ratio = 0.0 / 0.0;
	assert_int_equal(config_check(config, fixture->said.stream), -EINVAL);
	said_has(&fixture->said, "sonde: spans.ratio: the value is out of bounds: allowed is 0..1");
	config->sampler_ratio = 1;
	config->ring_bytes = 3 << 20;
	assert_int_equal(config_check(config, fixture->said.stream), -EINVAL);
	said_has(&fixture->said, "sources.ring_bytes: is not a power of two");
	config->ring_bytes = 1 << 20;
	config->sampler = 17;
	assert_int_equal(config_check(config, fixture->said.stream), -EINVAL);
	said_has(&fixture->said, "spans.sampler: no such value");
	config->sampler = SAMPLER_ALWAYS_ON;
	config->otlp_endpoint = strdup("collector:4317");
	assert_int_equal(config_check(config, fixture->said.stream), -EINVAL);
	said_has(&fixture->said, "otlp.endpoint: does not start with http:// or https://");
}

static void an_agent_without_any_output_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(set(fixture, "metrics.listen", ""), 0);
	assert_int_equal(config_check(&fixture->config, fixture->said.stream), -EINVAL);
	said_has(&fixture->said, "sonde: no output: ");
	assert_int_equal(set(fixture, "print", "text"), 0);
	assert_int_equal(config_check(&fixture->config, fixture->said.stream), 0);
	assert_int_equal(set(fixture, "print", "none"), 0);
	assert_int_equal(set(fixture, "otlp.metrics.endpoint", "http://a/v1/metrics"), 0);
	assert_int_equal(config_check(&fixture->config, fixture->said.stream), 0);
}

static void a_signal_without_settings_of_its_own_takes_the_common_ones(void **state)
{
	struct fixture *fixture = *state;
	struct config_otlp otlp;

	assert_int_equal(config_otlp_of(&fixture->config, SIGNAL_TRACES, &otlp), -ENOENT);
	set(fixture, "otlp.endpoint", "http://base");
	set(fixture, "otlp.headers", "a=b");
	set(fixture, "otlp.timeout", "3s");
	set(fixture, "otlp.compression", "gzip");
	set(fixture, "otlp.certificate", "/ca");
	assert_int_equal(config_otlp_of(&fixture->config, SIGNAL_TRACES, &otlp), 0);
	assert_string_equal(otlp.endpoint, "http://base");
	assert_true(otlp.endpoint_is_base);
	assert_string_equal(otlp.headers->item[0], "a=b");
	assert_int_equal(otlp.timeout_ns, 3 * NSEC_PER_SEC);
	assert_int_equal(otlp.compression, COMPRESSION_GZIP);
	assert_string_equal(otlp.certificate, "/ca");
}

static void a_signal_with_settings_of_its_own_keeps_them(void **state)
{
	struct fixture *fixture = *state;
	struct config_otlp otlp;

	set(fixture, "otlp.endpoint", "http://base");
	set(fixture, "otlp.compression", "gzip");
	set(fixture, "otlp.headers", "a=b");
	set(fixture, "otlp.metrics.endpoint", "http://own/path");
	set(fixture, "otlp.metrics.headers", "c=d");
	set(fixture, "otlp.metrics.timeout", "4s");
	set(fixture, "otlp.metrics.compression", "none");
	set(fixture, "otlp.metrics.certificate", "/own");
	assert_int_equal(config_otlp_of(&fixture->config, SIGNAL_METRICS, &otlp), 0);
	assert_string_equal(otlp.endpoint, "http://own/path");
	assert_false(otlp.endpoint_is_base);
	assert_int_equal(otlp.headers->count, 1);
	assert_string_equal(otlp.headers->item[0], "c=d");
	assert_int_equal(otlp.timeout_ns, 4 * NSEC_PER_SEC);
	assert_int_equal(otlp.compression, COMPRESSION_NONE);
	assert_string_equal(otlp.certificate, "/own");
	assert_int_equal(config_otlp_of(&fixture->config, SIGNAL_TRACES, &otlp), 0);
	assert_string_equal(otlp.endpoint, "http://base");
	assert_int_equal(otlp.compression, COMPRESSION_GZIP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_check_finds_what_was_set_by_hand),
		TEST(an_agent_without_any_output_is_refused),
		TEST(a_signal_without_settings_of_its_own_takes_the_common_ones),
		TEST(a_signal_with_settings_of_its_own_keeps_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

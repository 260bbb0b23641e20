/* SPDX-License-Identifier: Apache-2.0 */
/* OTEL_* variables: user/config/environment.c. */
#include "unit/config/said.h"

#include <errno.h>

#include "base/clock.h"
#include "config/config.h"

struct fixture {
	struct config config;
	struct said said;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	clearenv();
	config_init(&fixture->config);
	said_begin(&fixture->said);
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

static int read_with(struct fixture *fixture, const char *variable, const char *value)
{
	clearenv();
	setenv(variable, value, 1);
	return config_from_environment(&fixture->config, fixture->said.stream);
}

static void accept(struct fixture *fixture, const char *variable, const char *value)
{
	int r = read_with(fixture, variable, value);

	said_nothing(&fixture->said);
	assert_int_equal(r, 0);
}

static void an_empty_environment_changes_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(config_from_environment(&fixture->config, fixture->said.stream), 0);
	assert_string_equal(fixture->config.listen, ":9464");
	said_nothing(&fixture->said);
}

static void an_empty_variable_is_not_set(void **state)
{
	struct fixture *fixture = *state;

	accept(fixture, "OTEL_EXPORTER_OTLP_ENDPOINT", "");
	assert_null(fixture->config.otlp_endpoint);
	accept(fixture, "OTEL_TRACES_SAMPLER", "");
	assert_int_equal(fixture->config.sampler, SAMPLER_PARENTBASED_ALWAYS_ON);
}

static void the_endpoints_are_taken(void **state)
{
	struct fixture *fixture = *state;

	accept(fixture, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318");
	accept(fixture, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/v1/traces");
	accept(fixture, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://c/m");
	assert_string_equal(fixture->config.otlp_endpoint, "http://a:4318");
	assert_string_equal(fixture->config.otlp_traces_endpoint, "http://b/v1/traces");
	assert_string_equal(fixture->config.otlp_metrics_endpoint, "https://c/m");
}

static void durations_are_in_milliseconds(void **state)
{
	struct fixture *fixture = *state;

	accept(fixture, "OTEL_EXPORTER_OTLP_TIMEOUT", "2500");
	accept(fixture, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "700");
	accept(fixture, "OTEL_METRIC_EXPORT_INTERVAL", "15000");
	assert_int_equal(fixture->config.otlp_timeout_ns, 2500 * NSEC_PER_MSEC);
	assert_int_equal(fixture->config.otlp_traces_timeout_ns, 700 * NSEC_PER_MSEC);
	assert_int_equal(fixture->config.metric_interval_ns, 15 * NSEC_PER_SEC);
	assert_int_equal(read_with(fixture, "OTEL_EXPORTER_OTLP_TIMEOUT", "10s"), -EINVAL);
	said_has(&fixture->said, "sonde: OTEL_EXPORTER_OTLP_TIMEOUT: \"10s\" is not a whole number "
				 "of milliseconds");
	assert_int_equal(read_with(fixture, "OTEL_EXPORTER_OTLP_TIMEOUT", "0"), -EINVAL);
	assert_int_equal(read_with(fixture, "OTEL_EXPORTER_OTLP_TIMEOUT", "18446744073709551615"),
			 -EINVAL);
	assert_int_equal(fixture->config.otlp_timeout_ns, 2500 * NSEC_PER_MSEC);
}

static void enums_ignore_case(void **state)
{
	struct fixture *fixture = *state;

	accept(fixture, "OTEL_TRACES_SAMPLER", "TraceIdRatio");
	accept(fixture, "OTEL_TRACES_SAMPLER_ARG", "0.25");
	accept(fixture, "OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP");
	accept(fixture, "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
	       "base2_exponential_bucket_histogram");
	assert_int_equal(fixture->config.sampler, SAMPLER_TRACEIDRATIO);
	assert_true(fixture->config.sampler_ratio == 0.25);
	assert_int_equal(fixture->config.otlp_compression, COMPRESSION_GZIP);
	assert_int_equal(fixture->config.histogram, HISTOGRAM_EXPONENTIAL);
}

static void wrong_values_are_refused_by_the_variable_s_name(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(read_with(fixture, "OTEL_TRACES_SAMPLER", "allways_on"), -EINVAL);
	said_has(&fixture->said, "sonde: OTEL_TRACES_SAMPLER: \"allways_on\" is not a value of "
				 "this option: did you mean always_on?");
	assert_int_equal(read_with(fixture, "OTEL_TRACES_SAMPLER_ARG", "1.5"), -EINVAL);
	said_has(&fixture->said, "OTEL_TRACES_SAMPLER_ARG: \"1.5\" is out of bounds: allowed is "
				 "0..1");
	assert_int_equal(read_with(fixture, "OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317"),
			 -EINVAL);
	said_has(&fixture->said, "does not start with http:// or https://");
}

static void grpc_is_refused_with_the_cure_for_either_signal(void **state)
{
	struct fixture *fixture = *state;

	accept(fixture, "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
	assert_int_equal(read_with(fixture, "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), -EINVAL);
	said_has(&fixture->said, "sonde: OTEL_EXPORTER_OTLP_PROTOCOL: \"grpc\"");
	said_has(&fixture->said, "set it to http/protobuf");
	assert_int_equal(read_with(fixture, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
			 -EINVAL);
	assert_int_equal(read_with(fixture, "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
			 -EINVAL);
	said_has(&fixture->said, "sonde: OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: \"grpc\"");
}

static void pairs_are_split_at_commas_and_decoded(void **state)
{
	struct fixture *fixture = *state;
	const struct config_list *headers = &fixture->config.otlp_headers;

	accept(fixture, "OTEL_EXPORTER_OTLP_HEADERS",
	       "api-key=secret , authorization=Bearer%20a%2Cb,,x-c = d=e ,");
	assert_int_equal(headers->count, 3);
	assert_string_equal(headers->item[0], "api-key=secret");
	assert_string_equal(headers->item[1], "authorization=Bearer a,b");
	assert_string_equal(headers->item[2], "x-c=d=e");
}

static void attributes_replace_nothing_but_their_own_layer(void **state)
{
	struct fixture *fixture = *state;

	accept(fixture, "OTEL_RESOURCE_ATTRIBUTES", "a=1,b=2");
	accept(fixture, "OTEL_RESOURCE_ATTRIBUTES", "c=%e2%82%ac");
	assert_int_equal(fixture->config.resource_attributes.count, 1);
	assert_string_equal(fixture->config.resource_attributes.item[0], "c=\xe2\x82\xac");
}

static void what_is_no_pair_is_refused(void **state)
{
	struct fixture *fixture = *state;
	const char *wrong[] = {"a",     "a=1,b", "=1",        "a=%",  "a=%4",
			       "a=%zz", "a=%00", "a=%0d%0ab", "a b=c"};

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(read_with(fixture, "OTEL_EXPORTER_OTLP_HEADERS", wrong[i]),
				 -EINVAL);
	said_has(&fixture->said, "sonde: OTEL_EXPORTER_OTLP_HEADERS: \"a\" is not key=value");
	said_has(&fixture->said, "%25");
}

static void pairs_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	static char text[6000] = "a=";

	memset(text + 2, 'b', sizeof(text) - 3);
	assert_int_equal(read_with(fixture, "OTEL_RESOURCE_ATTRIBUTES", text), -EINVAL);
	said_has(&fixture->said, "more than 4096 bytes");
	text[0] = '\0';
	for (int i = 0; i < 65; i++)
		strcat(text, "a=b,");
	assert_int_equal(read_with(fixture, "OTEL_RESOURCE_ATTRIBUTES", text), -EINVAL);
	assert_int_equal(fixture->config.resource_attributes.count, 64);
}

/* It names the agent itself, not what the agent watches. */
static void the_agent_s_own_service_name_is_not_that_of_the_watched(void **state)
{
	struct fixture *fixture = *state;

	accept(fixture, "OTEL_SERVICE_NAME", "sonde");
	assert_null(fixture->config.service_name);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_environment_changes_nothing),
		TEST(an_empty_variable_is_not_set),
		TEST(the_endpoints_are_taken),
		TEST(durations_are_in_milliseconds),
		TEST(enums_ignore_case),
		TEST(wrong_values_are_refused_by_the_variable_s_name),
		TEST(grpc_is_refused_with_the_cure_for_either_signal),
		TEST(pairs_are_split_at_commas_and_decoded),
		TEST(attributes_replace_nothing_but_their_own_layer),
		TEST(what_is_no_pair_is_refused),
		TEST(pairs_are_bounded),
		TEST(the_agent_s_own_service_name_is_not_that_of_the_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The exposition, byte by byte: text 0.0.4 and OpenMetrics 1.0. */
#include "unit/export/fixture.h"

#include "export/prometheus_label.h"
#include "export/prometheus_text.h"

#define LABELS                                                                                     \
	"service_name=\"hello\",container_id=\"" CONTAINER "\",http_request_method=\"GET\","       \
	"http_response_status_code=\"200\",http_route=\"/users/"                                   \
	"{id}\",server_port=\"8080\",error_type=\"\""

/* Fills the store with one series: requests of 4 ms, 5 ms and 20 s. */
static void fill(struct metric_store *store, struct resource **ret_resource)
{
	struct resource *resource = make_resource("hello", CONTAINER);
	struct series *series = make_series(0, resource, "/users/{id}", 200);

	add_request(series, 4000000, 0, 13);
	add_request(series, 5000000, 32, 13);
	add_request(series, 20000000001, 9000, 13);
	series->exemplar[1] = (struct exemplar){
		.value = 5000000, .time_ns = 1700000000123456789, .trace_id = { 0xab, 1 },
		.span_id = { 0xcd, 2 },
	};
	store_init(store, 4);
	put_in_store(store, series);
	free(series);
	*ret_resource = resource;
}

static void write_all(struct buf *out, enum metrics_format format)
{
	struct metric_store store;
	struct resource *resource;

	buf_init(out, 1 << 20);
	fill(&store, &resource);
	assert_int_equal(prometheus_write(out, &store, format), 0);
	store_done(&store);
	resource_unref(resource);
}

static void text_has_the_histogram_as_dashboards_expect_it(void **state)
{
	struct buf out;

	write_all(&out, METRICS_TEXT);
	assert_memory_equal(out.at, "# HELP http_server_request_duration_seconds ", 44);
	assert_contains(&out,
		"\n# TYPE http_server_request_duration_seconds histogram\n"
		"http_server_request_duration_seconds_bucket{" LABELS ",le=\"0\"} 0\n"
		"http_server_request_duration_seconds_bucket{" LABELS ",le=\"0.005\"} 2\n"
		"http_server_request_duration_seconds_bucket{" LABELS ",le=\"0.01\"} 2\n");
	assert_contains(&out,
		"_bucket{" LABELS ",le=\"10\"} 2\n"
		"http_server_request_duration_seconds_bucket{" LABELS ",le=\"+Inf\"} 3\n"
		"http_server_request_duration_seconds_sum{" LABELS "} 20.009000001\n"
		"http_server_request_duration_seconds_count{" LABELS "} 3\n");
	assert_contains(&out,
		"http_server_request_body_size_bytes_bucket{" LABELS ",le=\"32\"} 2\n");
	assert_contains(&out, "http_server_request_body_size_bytes_sum{" LABELS "} 9032\n");
	assert_contains(&out, "# TYPE http_server_response_body_size_bytes histogram\n");
	buf_done(&out);
}

static void text_has_neither_exemplars_nor_units_nor_an_end(void **state)
{
	struct buf out;

	write_all(&out, METRICS_TEXT);
	assert_lacks(&out, "trace_id");
	assert_lacks(&out, "# UNIT");
	assert_lacks(&out, "# EOF");
	buf_done(&out);
}

static void openmetrics_has_exemplars_units_and_an_end(void **state)
{
	struct buf out;

	write_all(&out, METRICS_OPENMETRICS);
	assert_contains(&out, "# UNIT http_server_request_duration_seconds seconds\n");
	assert_contains(&out, ",le=\"0.0\"} 0\n");
	assert_contains(&out, ",le=\"0.005\"} 2 # {trace_id=\"ab010000000000000000000000000000\","
			      "span_id=\"cd02000000000000\"} 0.005 1700000000.123\n");
	assert_contains(&out, ",le=\"10.0\"} 2\n");
	assert_true(bytes_end_with(buf_bytes(&out), BYTES("} 1\n# EOF\n")));
	buf_done(&out);
}

static void families_without_content_are_left_out(void **state)
{
	struct metric_store store;
	struct series *series = make_series(0, NULL, "/", 200);
	struct buf out;

	buf_init(&out, 1 << 20);
	store_init(&store, 4);
	put_in_store(&store, series);
	assert_int_equal(prometheus_write(&out, &store, METRICS_TEXT), 0);
	assert_lacks(&out, "http_server");
	assert_lacks(&out, "http_client");
	assert_lacks(&out, "target_info");
	store_done(&store);
	free(series);
	buf_done(&out);
}

static void self_metrics_have_help_and_type_once_a_name(void **state)
{
	struct buf out;

	self_set(SELF_CPU_NS, 1500000000);
	self_set(SELF_EVENTS_EXIT, 7);
	write_all(&out, METRICS_TEXT);
	assert_contains(&out, "# HELP sonde_events_total Events read");
	assert_contains(&out,
			"# TYPE sonde_events_total counter\nsonde_events_total{kind=\"exec\"} ");
	assert_contains(&out, "\nsonde_events_total{kind=\"exit\"} 7\n");
	assert_contains(&out, "# TYPE sonde_connections gauge\nsonde_connections 0\n");
	assert_contains(&out, "\nsonde_cpu_seconds_total 1.5\n");
	assert_contains(&out, "\nsonde_build_info{version=\"" SONDE_VERSION "\"} 1\n");
	buf_done(&out);

	write_all(&out, METRICS_OPENMETRICS);
	assert_contains(&out, "# TYPE sonde_events counter\nsonde_events_total{kind=\"exec\"} ");
	assert_contains(&out, "# TYPE sonde_build info\nsonde_build_info{");
	assert_contains(&out, "(otel_metric_overflow=\\\"true\\\")");
	buf_done(&out);
}

static void the_overflow_series_has_its_own_label(void **state)
{
	struct metric_store store;
	struct series *series = make_series(0, NULL, "/", 200);
	struct buf out;

	series->overflow = true;
	add_request(series, 1, 1, 1);
	buf_init(&out, 1 << 20);
	store_init(&store, 4);
	put_in_store(&store, series);
	assert_int_equal(prometheus_write(&out, &store, METRICS_TEXT), 0);
	assert_contains(&out, "_count{otel_metric_overflow=\"true\"} 1\n");
	store_done(&store);
	free(series);
	buf_done(&out);
}

static void label_values_are_escaped_and_made_utf8(void **state)
{
	struct buf out;

	buf_init(&out, 1024);
	prometheus_add_escaped(&out, BYTES("a\"b\\c\nd\xffz\xc3\xa4"), true);
	assert_string_equal(text_of(&out), "a\\\"b\\\\c\\nd\xef\xbf\xbdz\xc3\xa4");
	buf_reset(&out);
	prometheus_add_escaped(&out, BYTES("a\"b\\"), false);
	assert_string_equal(text_of(&out), "a\"b\\\\");
	buf_done(&out);
}

static void attributes_of_a_resource_become_labels_that_differ(void **state)
{
	struct resource from = {
		.service_name = BYTES("s"), .extras = 3,
		.extra = { { BYTES("a.b"), BYTES("1") }, { BYTES("a_b"), BYTES("2") },
			   { BYTES("9-x"), BYTES("3") } },
	};
	struct resource *resource = resource_new(&from);
	struct buf out;

	buf_init(&out, 1024);
	prometheus_add_resource(&out, resource);
	assert_string_equal(text_of(&out), "service_name=\"s\",_9_x=\"3\",a_b=\"1\"");
	buf_done(&out);
	resource_unref(resource);
}

static void target_info_is_one_line_a_service_and_container(void **state)
{
	struct resource *one = make_resource("hello", CONTAINER), *two = make_resource("other", "");
	struct series *series[] = {
		make_series(0, one, "/a", 200), make_series(1, one, "/b", 200),
		make_series(2, two, "/a", 200),
	};
	struct metric_store store;
	struct buf out;
	int lines = 0;

	buf_init(&out, 1 << 20);
	store_init(&store, 4);
	for (size_t i = 0; i < ARRAY_LEN(series); i++)
		put_in_store(&store, series[i]);
	assert_int_equal(prometheus_write(&out, &store, METRICS_TEXT), 0);
	for (const char *at = text_of(&out); (at = strstr(at, "\ntarget_info{")); at++)
		lines++;
	assert_int_equal(lines, 2);
	assert_contains(&out, "target_info{service_name=\"hello\",container_id=\"" CONTAINER
			      "\",process_executable_name=\"hello\"} 1\n");
	store_done(&store);
	for (size_t i = 0; i < ARRAY_LEN(series); i++)
		free(series[i]);
	resource_unref(one);
	resource_unref(two);
	buf_done(&out);
}

static void seconds_are_exact(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 1, "0.000000001" }, { 1000000000, "1" }, { 1500000000, "1.5" },
		{ UINT64_MAX, "18446744073.709551615" },
	};
	struct buf out;

	buf_init(&out, 64);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&out);
		prometheus_add_seconds(&out, cases[i].ns);
		assert_string_equal(text_of(&out), cases[i].text);
	}
	buf_done(&out);
}

static void more_than_the_maximum_is_an_error_not_half_a_text(void **state)
{
	struct metric_store store;
	struct resource *resource;
	struct buf out;

	fill(&store, &resource);
	buf_init(&out, 4096);
	assert_int_equal(prometheus_write(&out, &store, METRICS_TEXT), -ENOSPC);
	store_done(&store);
	resource_unref(resource);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_the_histogram_as_dashboards_expect_it),
		cmocka_unit_test(text_has_neither_exemplars_nor_units_nor_an_end),
		cmocka_unit_test(openmetrics_has_exemplars_units_and_an_end),
		cmocka_unit_test(families_without_content_are_left_out),
		cmocka_unit_test(self_metrics_have_help_and_type_once_a_name),
		cmocka_unit_test(the_overflow_series_has_its_own_label),
		cmocka_unit_test(label_values_are_escaped_and_made_utf8),
		cmocka_unit_test(attributes_of_a_resource_become_labels_that_differ),
		cmocka_unit_test(target_info_is_one_line_a_service_and_container),
		cmocka_unit_test(seconds_are_exact),
		cmocka_unit_test(more_than_the_maximum_is_an_error_not_half_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

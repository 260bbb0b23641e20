/* SPDX-License-Identifier: Apache-2.0 */
/* The store as ExportMetricsServiceRequest, read back by the tests' own decoder. */
#include "unit/export/decode.h"

#include "export/otlp_encode.h"

#define NOW (1700000100ull * 1000000000)

struct setup {
	struct metric_store store;
	struct resource *resource;
	struct buf out;
	uint64_t points;
	struct bytes scope;		/* ScopeMetrics of the one watched resource */
};

static void start(struct setup *setup, enum config_histogram histogram)
{
	struct series *series;

	memset(setup, 0, sizeof(*setup));
	setup->resource = make_resource("hello", CONTAINER);
	store_init(&setup->store, 8);
	for (uint32_t id = 0; id < 2; id++) {
		series = make_series(id, setup->resource, id ? "/b" : "/a", id ? 500 : 200);
		add_request(series, 4000000, 10, 13);
		add_request(series, 1500000000, 10, 13);
		series->exemplar[1] = (struct exemplar){
			.value = 4000000, .time_ns = NOW, .trace_id = { 1 }, .span_id = { 2 },
		};
		put_in_store(&setup->store, series);
		free(series);
	}
	buf_init(&setup->out, 1 << 20);
	assert_int_equal(otlp_metrics_encode(&setup->out, &(struct otlp_metrics){
		.store = &setup->store, .histogram = histogram, .start_ns = NOW - 1000,
		.now_ns = NOW }, &setup->points), 0);
	setup->scope = decode_bytes(decode_bytes(buf_bytes(&setup->out), 1, 0), 2, 0);
}

static void finish(struct setup *setup)
{
	buf_done(&setup->out);
	store_done(&setup->store);
	resource_unref(setup->resource);
}

static struct bytes metric_of(struct bytes scope, const char *name)
{
	for (unsigned i = 0; i < decode_count(scope, 2); i++) {
		struct bytes metric = decode_bytes(scope, 2, i);

		if (bytes_equal(decode_bytes(metric, 1, 0), bytes_of_text(name)))
			return metric;
	}
	fail_msg("no metric %s", name);
	return (struct bytes){ 0 };
}

static void explicit_histograms_have_buckets_bounds_and_exemplars(void **state)
{
	struct bytes metric, point, packed, exemplar;
	struct setup setup;
	uint64_t count;

	start(&setup, HISTOGRAM_EXPLICIT);
	metric = metric_of(setup.scope, "http.server.request.duration");
	assert_true(bytes_equal(decode_bytes(metric, 3, 0), BYTES("s")));
	metric = decode_bytes(metric, 9, 0);
	assert_int_equal(decode_number(metric, 2), 2);		/* cumulative */
	assert_int_equal(decode_count(metric, 1), 2);
	point = decode_bytes(metric, 1, 0);
	assert_int_equal(decode_number(point, 2), 1700000000 * NSEC_PER_SEC);
	assert_int_equal(decode_number(point, 3), NOW);
	assert_int_equal(decode_number(point, 4), 2);
	assert_true(decode_double(point, 5) == 1.504);
	packed = decode_bytes(point, 6, 0);
	assert_int_equal(packed.len, 16 * 8);
	memcpy(&count, packed.at + 8, 8);
	assert_int_equal(count, 1);
	memcpy(&count, packed.at + 11 * 8, 8);			/* (1, 2.5] */
	assert_int_equal(count, 1);
	assert_int_equal(decode_bytes(point, 7, 0).len, 15 * 8);
	exemplar = decode_bytes(point, 8, 0);
	assert_int_equal(decode_number(exemplar, 2), NOW);
	assert_true(decode_double(exemplar, 3) == .004);
	assert_int_equal(decode_bytes(exemplar, 4, 0).at[0], 2);
	assert_int_equal(decode_bytes(exemplar, 5, 0).len, 16);
	assert_text(point, 9, "http.route", "/a");
	assert_number(point, 9, "http.response.status_code", 200);
	assert_no_attribute(point, 9, "error.type");
	assert_text(decode_bytes(metric, 1, 1), 9, "error.type", "500");
	finish(&setup);
}

static void exponential_histograms_are_only_for_durations(void **state)
{
	struct bytes metric, point, buckets;
	struct setup setup;

	start(&setup, HISTOGRAM_EXPONENTIAL);
	metric = decode_bytes(metric_of(setup.scope, "http.server.request.duration"), 10, 0);
	assert_int_equal(decode_number(metric, 2), 2);
	point = decode_bytes(metric, 1, 0);
	assert_text(point, 1, "http.route", "/a");
	assert_int_equal(decode_number(point, 4), 2);
	assert_int_equal(decode_number(point, 6), 8);		/* scale 4, ZigZag */
	assert_int_equal(decode_number(point, 7), 0);
	buckets = decode_bytes(point, 8, 0);
	assert_int_equal(decode_number(buckets, 1), 2 * 128 - 1);	/* offset -128 */
	assert_int_equal(decode_bytes(buckets, 2, 0).len, 138);	/* to bucket 9, a byte each */
	assert_int_equal(decode_bytes(point, 11, 0).len > 0, 1);
	assert_int_equal(decode_count(metric_of(setup.scope, "http.server.request.body.size"), 9),
			 1);
	finish(&setup);
}

static void own_metrics_come_under_their_own_resource(void **state)
{
	struct bytes request, own, metric, scope;
	struct setup setup;

	self_set(SELF_EVENTS_FORK, 5);
	self_set(SELF_CPU_NS, 2500000000);
	start(&setup, HISTOGRAM_EXPLICIT);
	request = buf_bytes(&setup.out);
	assert_int_equal(decode_count(request, 1), 2);
	own = decode_bytes(request, 1, 1);
	assert_text(decode_bytes(own, 1, 0), 1, "service.name", "sonde");
	scope = decode_bytes(own, 2, 0);
	metric = decode_bytes(metric_of(scope, "sonde_events"), 7, 0);
	assert_int_equal(decode_number(metric, 2), 2);
	assert_int_equal(decode_number(metric, 3), 1);
	assert_int_equal(decode_number(decode_bytes(metric, 1, 1), 6), 5);
	assert_text(decode_bytes(metric, 1, 1), 7, "kind", "fork");
	metric = metric_of(scope, "sonde_cpu_seconds");
	assert_true(bytes_equal(decode_bytes(metric, 3, 0), BYTES("s")));
	assert_true(decode_double(decode_bytes(decode_bytes(metric, 7, 0), 1, 0), 4) == 2.5);
	metric = metric_of(scope, "sonde_export_requests");
	assert_text(decode_bytes(decode_bytes(metric, 7, 0), 1, 0), 7, "exporter", "otlp");
	assert_text(decode_bytes(decode_bytes(metric, 7, 0), 1, 0), 7, "signal", "metrics");
	assert_text(decode_bytes(decode_bytes(metric, 7, 0), 1, 0), 7, "result", "ok");
	assert_int_equal(decode_count(metric_of(scope, "sonde_connections"), 5), 1);
	assert_int_equal(setup.points, 6 + SELF_MAX);
	finish(&setup);
}

static void the_overflow_series_is_marked(void **state)
{
	struct series *series = make_series(0, NULL, "/", 200);
	struct metric_store store;
	struct bytes point, any;
	uint64_t points;
	struct buf out;

	series->overflow = true;
	add_request(series, 1, 1, 1);
	store_init(&store, 8);
	put_in_store(&store, series);
	buf_init(&out, 1 << 20);
	assert_int_equal(otlp_metrics_encode(&out,
					     &(struct otlp_metrics){ .store = &store, .now_ns = NOW },
					     &points),
			 0);
	point = decode_bytes(decode_bytes(buf_bytes(&out), 1, 0), 2, 0);
	point = decode_bytes(decode_bytes(decode_bytes(point, 2, 0), 9, 0), 1, 0);
	assert_true(decode_attribute(point, 9, "otel.metric.overflow", &any));
	assert_int_equal(decode_number(any, 2), 1);
	assert_int_equal(decode_count(point, 9), 1);
	buf_done(&out);
	store_done(&store);
	free(series);
}

static void what_does_not_fit_is_an_error(void **state)
{
	struct setup setup;
	struct buf small;
	uint64_t points = 99;

	start(&setup, HISTOGRAM_EXPLICIT);
	for (size_t max = 0; max < setup.out.len; max += 97) {
		buf_init(&small, max);
		assert_int_equal(otlp_metrics_encode(&small, &(struct otlp_metrics){
			.store = &setup.store, .now_ns = NOW }, &points), -ENOSPC);
		buf_done(&small);
	}
	assert_int_equal(points, 99);
	finish(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explicit_histograms_have_buckets_bounds_and_exemplars),
		cmocka_unit_test(exponential_histograms_are_only_for_durations),
		cmocka_unit_test(own_metrics_come_under_their_own_resource),
		cmocka_unit_test(the_overflow_series_is_marked),
		cmocka_unit_test(what_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

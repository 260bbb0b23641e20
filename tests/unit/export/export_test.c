/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole thread: batches in, a receiver that gets every span and the last metrics, batches back.
 */
#include "unit/export/decode.h"
#include "unit/export/receiver.h"

#include "base/queue.h"
#include "export/export.h"

struct setup {
	struct config config;
	struct queue full, empty;
	struct receiver receiver;
	char url[64];
	struct resource *resource;
};

static const struct answer willing[] = { { 200, "", { 0 } } };

static void start(struct setup *setup)
{
	memset(setup, 0, sizeof(*setup));
	receiver_start(&setup->receiver, 0, willing, 1);
	snprintf(setup->url, sizeof(setup->url), "http://127.0.0.1:%u/", setup->receiver.port);
	config_init(&setup->config);
	free(setup->config.listen);
	setup->config.listen = strdup("127.0.0.1:0");
	free(setup->config.otlp_endpoint);
	setup->config.otlp_endpoint = strdup(setup->url);
	queue_init(&setup->full, 4);
	queue_init(&setup->empty, 4);
	for (int i = 0; i < 3; i++)
		queue_put(&setup->empty, batch_new(1000, 1 << 20));
	setup->resource = make_resource("hello", CONTAINER);
}

static void finish(struct setup *setup)
{
	struct batch *batch;
	int back = 0;

	while ((batch = queue_take(&setup->empty))) {
		assert_int_equal(batch->spans + batch->series_count + batch->resources, 0);
		batch_free(batch);
		back++;
	}
	assert_int_equal(back, 3);
	queue_done(&setup->full);
	queue_done(&setup->empty);
	config_done(&setup->config);
	receiver_done(&setup->receiver);
	assert_int_equal(setup->resource->references, 1);
	resource_unref(setup->resource);
}

/* Waits for an empty batch. */
static struct batch *next_batch(struct setup *setup)
{
	struct pollfd returned = { .fd = setup->empty.fd, .events = POLLIN };
	struct batch *batch;

	while (!(batch = queue_take(&setup->empty))) {
		assert_int_equal(poll(&returned, 1, 10000), 1);
		queue_acknowledge(&setup->empty);
	}
	return batch;
}

static void put_batch(struct setup *setup, struct series *series, uint64_t first)
{
	struct batch *batch = next_batch(setup);

	batch->resource[batch->resources++] = resource_ref(setup->resource);
	for (uint64_t i = 0; i < 100; i++) {
		batch->span[batch->spans++] = make_span(setup->resource, first + i);
		add_request(series, 1000000, 1, 1);
	}
	put_series(batch, series);
	assert_int_equal(queue_put(&setup->full, batch), 0);
}

/*
 * Spans of a traces request, or 0 with *ret_count the count of the first duration point of a
 * metrics request.
 */
static unsigned look_into(struct buf *body, uint64_t *ret_count)
{
	struct bytes scope = decode_bytes(decode_bytes(buf_bytes(body), 1, 0), 2, 0);
	struct bytes first = decode_bytes(scope, 2, 0), any;

	if (decode_attribute(first, 9, "url.path", &any))
		return decode_count(scope, 2);
	*ret_count = decode_number(decode_bytes(decode_bytes(first, 9, 0), 1, 0), 4);
	return 0;
}

static void every_span_and_the_last_metrics_arrive_before_the_end(void **state)
{
	struct export *export = NULL;
	struct series *series;
	struct setup setup;
	uint64_t count = 0;
	unsigned spans = 0;

	start(&setup);
	series = make_series(0, setup.resource, "/a", 200);
	assert_int_equal(export_start(&setup.config, &setup.full, &setup.empty, &export), 0);
	export_set_ready(export, true);
	for (uint64_t i = 0; i < 20; i++)
		put_batch(&setup, series, i * 100);
	export_stop(export, clock_monotonic_ns() + 10 * NSEC_PER_SEC);
	receiver_stop(&setup.receiver);
	for (unsigned i = 0; i < setup.receiver.takens; i++)
		spans += look_into(&setup.receiver.taken[i], &count);
	assert_int_equal(spans, 2000);
	assert_int_equal(count, 2000);
	free(series);
	finish(&setup);
}

static void stopping_without_work_is_quick(void **state)
{
	uint64_t begin = clock_monotonic_ns();
	struct export *export = NULL;
	struct setup setup;

	start(&setup);
	assert_int_equal(export_start(&setup.config, &setup.full, &setup.empty, &export), 0);
	export_stop(export, clock_monotonic_ns() + 60 * NSEC_PER_SEC);
	assert_true(clock_monotonic_ns() - begin < 30 * NSEC_PER_SEC);
	receiver_stop(&setup.receiver);
	finish(&setup);
}

static void a_receiver_that_never_answers_does_not_outlast_the_deadline(void **state)
{
	static const struct answer silent[] = { { 0 } };
	struct export *export = NULL;
	struct series *series;
	struct setup setup;
	uint64_t begin;

	start(&setup);
	setup.receiver.script = silent;
	series = make_series(0, setup.resource, "/a", 200);
	assert_int_equal(export_start(&setup.config, &setup.full, &setup.empty, &export), 0);
	put_batch(&setup, series, 0);
	begin = clock_monotonic_ns();
	export_stop(export, begin + NSEC_PER_SEC / 2);
	assert_true(clock_monotonic_ns() - begin < 5 * NSEC_PER_SEC);
	receiver_stop(&setup.receiver);
	free(series);
	finish(&setup);
}

static void a_taken_port_is_an_error_and_frees_everything(void **state)
{
	struct export *export = NULL;
	struct setup setup;

	start(&setup);
	free(setup.config.listen);
	assert_true(asprintf(&setup.config.listen, "127.0.0.1:%u", setup.receiver.port) > 0);
	assert_int_equal(export_start(&setup.config, &setup.full, &setup.empty, &export),
			 -EADDRINUSE);
	assert_null(export);
	export_stop(NULL, 0);
	receiver_stop(&setup.receiver);
	finish(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_span_and_the_last_metrics_arrive_before_the_end),
		cmocka_unit_test(stopping_without_work_is_quick),
		cmocka_unit_test(a_receiver_that_never_answers_does_not_outlast_the_deadline),
		cmocka_unit_test(a_taken_port_is_an_error_and_frees_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

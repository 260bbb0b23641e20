/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline as a whole: records and news in, batches out, in whatever order they come. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "discover/target.h"
#include "model/batch.h"
#include "model/self.h"
#include "pipeline/pipeline.h"
#include "unit/pipeline/mallocs.h"
#include "unit/pipeline/record.h"

#define TGID 1000		/* of wire_init() */
#define BATCHES 4

/* The clocks stand still but for 1 ms a look, so that who waits for a deadline meets it. */
static uint64_t fake_ns;

int clock_gettime(clockid_t id, struct timespec *time)
{
	uint64_t now = fake_ns += NSEC_PER_MSEC;

	if (id == CLOCK_REALTIME)
		now += 1700000000 * NSEC_PER_SEC;
	*time = (struct timespec){ .tv_sec = now / NSEC_PER_SEC, .tv_nsec = now % NSEC_PER_SEC };
	return 0;
}

struct fixture {
	struct config config;
	struct queue news, full, empty;
	struct pipeline *pipeline;
	struct wire wire;
	unsigned ignored;
	/* what came out */
	unsigned batches, spans;
	uint64_t counted, expired;	/* requests in series; of those, in series that expired */
	struct {
		uint64_t count;
		char service[32];
	} series[64];
};

static void on_ignore(void *context, uint64_t conn)
{
	struct fixture *fixture = context;

	fixture->ignored++;
	assert_true(conn == fixture->wire.event.conn);
}

static void begin_with(struct fixture *fixture, unsigned batches, uint32_t spans_max, size_t bytes)
{
	struct pipeline_io io = { .news = &fixture->news, .full = &fixture->full,
				  .empty = &fixture->empty, .ignore = on_ignore,
				  .context = fixture };

	memset(self_values, 0, sizeof(self_values));
	memset(fixture, 0, offsetof(struct fixture, wire));
	fixture->ignored = fixture->batches = fixture->spans = 0;
	fixture->counted = fixture->expired = 0;
	memset(fixture->series, 0, sizeof(fixture->series));
	fake_ns = 5000 * NSEC_PER_SEC;
	fixture->config = (struct config){
		.series_max = 64, .series_expire_ns = 300 * NSEC_PER_SEC, .targets_max = 2,
		.connections_max = 64, .otlp_endpoint = (char *)"http://c:4318",
		.route_heuristic = true, .routes_max = 50,
	};
	assert_int_equal(queue_init(&fixture->news, 64), 0);
	assert_int_equal(queue_init(&fixture->full, BATCHES), 0);
	assert_int_equal(queue_init(&fixture->empty, BATCHES), 0);
	for (unsigned i = 0; i < batches; i++)
		assert_int_equal(queue_put(&fixture->empty, batch_new(spans_max, bytes)), 0);
	assert_int_equal(pipeline_new(&fixture->config, &io, &fixture->pipeline), 0);
	wire_init(&fixture->wire, 1, SOCKET_RX);
}

static void begin(struct fixture *fixture)
{
	begin_with(fixture, BATCHES, 64, 4 << 20);
}

static void take_in(struct fixture *fixture, const struct batch *batch)
{
	fixture->batches++;
	fixture->spans += batch->spans;
	for (uint32_t i = 0; i < batch->spans; i++)
		assert_non_null(batch->span[i].resource);
	for (uint32_t i = 0; i < batch->series_count; i++) {
		const struct series *series = &batch->series[i];
		uint64_t now = series->histogram[SERIES_DURATION].count;

		assert_in_range(series->id, 0, ARRAY_LEN(fixture->series) - 1);
		if (series->expired) {
			fixture->expired += now;
			fixture->series[series->id].count = 0;
			continue;
		}
		fixture->counted += now - fixture->series[series->id].count;
		fixture->series[series->id].count = now;
		snprintf(fixture->series[series->id].service, 32, "%.*s",
			 BYTES_ARG(series->resource->service_name));
	}
}

/* Takes one full batch, reads it and gives it back; false: there is none. */
static bool export(struct fixture *fixture)
{
	struct batch *batch = queue_take(&fixture->full);

	if (!batch)
		return false;
	take_in(fixture, batch);
	batch_reset(batch);
	assert_int_equal(queue_put(&fixture->empty, batch), 0);
	return true;
}

static void end(struct fixture *fixture)
{
	struct batch *batch;

	while (export(fixture))
		;
	assert_int_equal(mallocs_counted(), 0);
	pipeline_free(fixture->pipeline);
	while ((batch = queue_take(&fixture->empty)))
		batch_free(batch);
	queue_done(&fixture->news);
	queue_done(&fixture->full);
	queue_done(&fixture->empty);
}

static void record(struct fixture *fixture, unsigned flags)
{
	struct socket_event *event = wire_take(&fixture->wire, flags);

	fake_ns += NSEC_PER_MSEC;
	mallocs_count(true);
	pipeline_record(fixture->pipeline, event, record_payload(event));
	mallocs_count(false);
	free(event);
}

static void tick(struct fixture *fixture)
{
	mallocs_count(true);
	pipeline_tick(fixture->pipeline);
	pipeline_seal(fixture->pipeline);
	mallocs_count(false);
}

static void request(struct fixture *fixture, const char *path)
{
	char text[128];

	fixture->wire.now_ns = fake_ns;
	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
	wire_seen(&fixture->wire, SOCKET_RX, text);
	wire_seen(&fixture->wire, SOCKET_TX, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	record(fixture, 0);
}

static void send_news(struct fixture *fixture, struct target_news news)
{
	struct target_news *own = malloc(sizeof(*own));

	*own = news;
	assert_int_equal(queue_put(&fixture->news, own), 0);
	pipeline_news(fixture->pipeline);
}

/* `service` NULL: not selected. */
static void arrives(struct fixture *fixture, uint32_t tgid, uint64_t start_ns, const char *service)
{
	struct target *target = calloc(1, sizeof(*target));

	*target = (struct target){ .tgid = tgid, .start_ns = start_ns, .selected = service };
	if (service)
		target->resource = resource_new(&(struct resource){
			.service_name = bytes_of_text(service) });
	send_news(fixture, (struct target_news){ .what = TARGET_ARRIVED, .target = target });
}

static void goes(struct fixture *fixture, uint32_t tgid, uint64_t start_ns)
{
	send_news(fixture, (struct target_news){ .what = TARGET_GONE, .tgid = tgid,
						 .start_ns = start_ns });
}

/* Requests counted for a service. */
static uint64_t counted_of(const struct fixture *fixture, const char *service)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < ARRAY_LEN(fixture->series); i++)
		if (!strcmp(fixture->series[i].service, service))
			sum += fixture->series[i].count;
	return sum;
}

static void a_request_of_a_known_process_is_counted_and_traced(void **state)
{
	static struct fixture fixture;
	struct batch *batch;

	begin(&fixture);
	arrives(&fixture, TGID, 1, "shop");
	request(&fixture, "/");
	tick(&fixture);
	batch = queue_take(&fixture.full);
	assert_non_null(batch);
	assert_int_equal(batch->serial, 1);
	assert_int_equal(batch->spans, 1);
	assert_int_equal(batch->series_count, 1);
	assert_in_range(batch->realtime_offset_ns / NSEC_PER_SEC, 1699999999, 1700000001);
	assert_in_range(batch->sealed_ns, fake_ns - NSEC_PER_SEC, fake_ns);
	assert_ptr_equal(batch->span[0].resource, batch->series[0].resource);
	queue_put(&fixture.full, batch);
	export(&fixture);
	assert_int_equal(counted_of(&fixture, "shop"), 1);

	tick(&fixture);
	assert_false(export(&fixture));		/* nothing new: no batch */
	end(&fixture);
}

static void a_request_waits_for_news_of_its_process(void **state)
{
	static struct fixture fixture;

	begin(&fixture);
	pipeline_news(fixture.pipeline);
	for (int i = 0; i < 3; i++)
		request(&fixture, "/");
	tick(&fixture);
	assert_false(export(&fixture));
	arrives(&fixture, TGID + 1, 1, "other");
	tick(&fixture);
	assert_false(export(&fixture));

	arrives(&fixture, TGID, 1, "shop");
	request(&fixture, "/");
	tick(&fixture);
	assert_true(export(&fixture));
	assert_int_equal(counted_of(&fixture, "shop"), 4);
	assert_int_equal(fixture.spans, 4);
	assert_int_equal(self_get(SELF_TARGETS_UNKNOWN), 0);
	end(&fixture);
}

static void after_two_seconds_without_news_it_counts_as_unknown(void **state)
{
	static struct fixture fixture;

	begin(&fixture);
	pipeline_news(fixture.pipeline);
	request(&fixture, "/early");
	fake_ns += 1500 * NSEC_PER_MSEC;
	tick(&fixture);
	request(&fixture, "/late");
	assert_false(export(&fixture));

	fake_ns += 600 * NSEC_PER_MSEC;
	tick(&fixture);
	assert_true(export(&fixture));
	assert_int_equal(self_get(SELF_TARGETS_UNKNOWN), 1);
	assert_int_equal(counted_of(&fixture, "unknown_service"), 1);
	arrives(&fixture, TGID, 1, "shop");
	tick(&fixture);
	export(&fixture);
	assert_int_equal(counted_of(&fixture, "shop"), 1);
	assert_int_equal(self_get(SELF_TARGETS_UNKNOWN), 1);
	end(&fixture);
}

static void a_process_that_is_not_selected_is_counted_nowhere_else(void **state)
{
	static struct fixture fixture;

	begin(&fixture);
	request(&fixture, "/");
	arrives(&fixture, TGID, 1, NULL);
	request(&fixture, "/");
	tick(&fixture);
	assert_false(export(&fixture));
	assert_int_equal(self_get(SELF_UNSELECTED), 2);
	assert_int_equal(self_get(SELF_EXCHANGES_SERVER), 0);
	end(&fixture);
}

static void a_gone_process_is_known_for_the_time_its_records_need(void **state)
{
	static struct fixture fixture;

	begin(&fixture);
	arrives(&fixture, TGID, 7, "shop");
	goes(&fixture, TGID, 7);
	fake_ns += 9 * NSEC_PER_SEC;
	tick(&fixture);
	request(&fixture, "/");
	tick(&fixture);
	export(&fixture);
	assert_int_equal(counted_of(&fixture, "shop"), 1);

	fake_ns += 2 * NSEC_PER_SEC;
	tick(&fixture);
	request(&fixture, "/");
	fake_ns += 3 * NSEC_PER_SEC;
	tick(&fixture);
	export(&fixture);
	assert_int_equal(counted_of(&fixture, "shop"), 1);
	assert_int_equal(counted_of(&fixture, "unknown_service"), 1);
	end(&fixture);
}

static void a_reused_pid_is_another_process(void **state)
{
	static struct fixture fixture;

	begin(&fixture);
	arrives(&fixture, TGID, 7, "first");
	request(&fixture, "/");
	arrives(&fixture, TGID, 8, "second");
	goes(&fixture, TGID, 7);		/* late news of the first */
	fake_ns += 20 * NSEC_PER_SEC;
	tick(&fixture);
	request(&fixture, "/");
	tick(&fixture);
	while (export(&fixture))
		;
	assert_int_equal(counted_of(&fixture, "first"), 1);
	assert_int_equal(counted_of(&fixture, "second"), 1);
	end(&fixture);
}

static void processes_beyond_the_table_are_refused_and_counted(void **state)
{
	static struct fixture fixture;

	begin(&fixture);		/* room for 2 * 2 */
	for (uint32_t i = 0; i < 6; i++)
		arrives(&fixture, TGID + i, 1, "shop");
	assert_int_equal(self_get(SELF_PROCESSES_REFUSED), 2);
	request(&fixture, "/");
	tick(&fixture);
	export(&fixture);
	assert_int_equal(counted_of(&fixture, "shop"), 1);
	end(&fixture);
}

static void a_batch_full_of_spans_goes_out_at_once(void **state)
{
	static struct fixture fixture;

	begin_with(&fixture, BATCHES, 4, 1 << 20);
	arrives(&fixture, TGID, 1, "shop");
	for (int i = 0; i < 9; i++)
		request(&fixture, "/");
	assert_int_equal(queue_len(&fixture.full), 2);
	tick(&fixture);
	while (export(&fixture))
		;
	assert_int_equal(fixture.spans, 9);
	assert_int_equal(counted_of(&fixture, "shop"), 9);
	assert_int_equal(self_get(SELF_SPANS_DROPPED), 0);
	end(&fixture);
}

static void with_all_batches_away_spans_are_dropped_but_metrics_are_exact_afterwards(void **state)
{
	static struct fixture fixture;

	begin_with(&fixture, 2, 4, 1 << 20);
	arrives(&fixture, TGID, 1, "shop");
	for (int i = 0; i < 50; i++)
		request(&fixture, "/");
	assert_int_equal(queue_len(&fixture.full), 2);
	for (int i = 0; i < 5; i++)
		tick(&fixture);
	assert_int_equal(self_get(SELF_SEALS_DELAYED), 5);
	assert_int_equal(self_get(SELF_SPANS_DROPPED), 42);

	while (export(&fixture))
		;
	assert_int_equal(fixture.counted, 0);
	tick(&fixture);
	assert_true(export(&fixture));
	assert_int_equal(counted_of(&fixture, "shop"), 50);
	assert_int_equal(fixture.spans, 8);
	assert_int_equal(fixture.spans + self_get(SELF_SPANS_DROPPED), 50);
	end(&fixture);
}

static void idle_series_and_connections_are_forgotten_by_ticks(void **state)
{
	static struct fixture fixture;

	begin(&fixture);
	arrives(&fixture, TGID, 1, "shop");
	request(&fixture, "/");
	tick(&fixture);
	export(&fixture);
	assert_int_equal(self_get(SELF_CONNECTIONS), 1);
	fake_ns += 301 * NSEC_PER_SEC;
	tick(&fixture);
	export(&fixture);
	assert_int_equal(self_get(SELF_CONNECTIONS), 0);
	assert_int_equal(self_get(SELF_SERIES), 0);
	assert_int_equal(fixture.expired, 1);
	end(&fixture);
}

static void what_is_given_up_is_told(void **state)
{
	static struct fixture fixture;

	begin(&fixture);
	wire_seen(&fixture.wire, SOCKET_RX, "GET key\r\n");
	record(&fixture, 0);
	assert_int_equal(fixture.ignored, 1);
	end(&fixture);
}

static void a_drain_hands_out_all_there_is(void **state)
{
	static struct fixture fixture;
	char path[16];

	/* three series fit a batch */
	begin_with(&fixture, BATCHES, 64, 3 * sizeof(struct series) + 12000);
	arrives(&fixture, TGID, 1, "shop");
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/%c", 'a' + i);
		request(&fixture, path);
	}
	wire_seen(&fixture.wire, SOCKET_RX, "GET /open HTTP/1.1\r\n\r\n");
	record(&fixture, 0);
	fixture.wire.event.event.tgid = 4711;	/* nobody knows it yet, nor ever will */
	wire_init(&fixture.wire, 2, SOCKET_RX);
	fixture.wire.event.event.tgid = 4711;
	request(&fixture, "/stranger");

	pipeline_drain(fixture.pipeline, fake_ns + 10 * NSEC_PER_SEC);
	while (export(&fixture))
		;
	assert_int_equal(fixture.counted, 10);
	assert_int_equal(counted_of(&fixture, "shop"), 9);
	assert_int_equal(counted_of(&fixture, "unknown_service"), 1);
	assert_int_equal(self_get(SELF_UNANSWERED), 0);	/* the agent ends, not the connection */
	assert_int_equal(self_get(SELF_TARGETS_UNKNOWN), 1);
	assert_int_equal(fixture.spans, 10);
	end(&fixture);
}

static void a_drain_without_batches_ends_with_its_deadline(void **state)
{
	static struct fixture fixture;
	uint64_t deadline;

	begin_with(&fixture, 0, 64, 1 << 20);
	arrives(&fixture, TGID, 1, "shop");
	request(&fixture, "/");
	deadline = fake_ns + 5 * NSEC_PER_MSEC;
	pipeline_drain(fixture.pipeline, deadline);
	assert_in_range(fake_ns, deadline, deadline + 50 * NSEC_PER_MSEC);
	assert_int_equal(self_get(SELF_SPANS_DROPPED), 1);
	end(&fixture);
}

static void settings_that_cannot_be_met_are_refused_and_nothing_stays(void **state)
{
	struct config config = { .series_max = 64, .targets_max = 2, .connections_max = 0 };
	struct pipeline_io io = {};
	struct pipeline *pipeline = NULL;

	assert_int_equal(pipeline_new(&config, &io, &pipeline), -EINVAL);
	config.connections_max = 64;
	config.series_max = 0;
	assert_int_equal(pipeline_new(&config, &io, &pipeline), -EINVAL);
	assert_null(pipeline);
	pipeline_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_a_known_process_is_counted_and_traced),
		cmocka_unit_test(a_request_waits_for_news_of_its_process),
		cmocka_unit_test(after_two_seconds_without_news_it_counts_as_unknown),
		cmocka_unit_test(a_process_that_is_not_selected_is_counted_nowhere_else),
		cmocka_unit_test(a_gone_process_is_known_for_the_time_its_records_need),
		cmocka_unit_test(a_reused_pid_is_another_process),
		cmocka_unit_test(processes_beyond_the_table_are_refused_and_counted),
		cmocka_unit_test(a_batch_full_of_spans_goes_out_at_once),
		cmocka_unit_test(with_all_batches_away_spans_are_dropped_but_metrics_are_exact_afterwards),
		cmocka_unit_test(idle_series_and_connections_are_forgotten_by_ticks),
		cmocka_unit_test(what_is_given_up_is_told),
		cmocka_unit_test(a_drain_hands_out_all_there_is),
		cmocka_unit_test(a_drain_without_batches_ends_with_its_deadline),
		cmocka_unit_test(settings_that_cannot_be_met_are_refused_and_nothing_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

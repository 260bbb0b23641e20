/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending against receivers that take, refuse, hesitate, vanish and come back: nothing is lost that
 * fits the queue.
 */
#include "unit/export/receiver.h"

#include <zlib.h>

#include "export/http_client.h"
#include "export/otlp_lane.h"

#define OK { 200, "", { 0 } }

struct setup {
	struct loop loop;
	struct http_client *client;
	struct otlp_lane *lane;
	struct receiver receiver;
	char url[64];
	struct config_list headers;
	struct config_otlp otlp;
	uint64_t before[SELF_MAX];
};

/* Pauses are short, so that the tests are; the queue holds `queue_bytes`. */
static void open_lane(struct setup *setup, enum config_signal signal, uint64_t queue_bytes)
{
	struct otlp_lane_options options = {
		.signal = signal, .otlp = &setup->otlp, .queue_bytes = queue_bytes,
		.first_pause_ns = 5 * NSEC_PER_MSEC, .longest_pause_ns = 20 * NSEC_PER_MSEC,
	};

	for (int id = 0; id < SELF_MAX; id++)
		setup->before[id] = self_get(id);
	assert_int_equal(loop_init(&setup->loop), 0);
	assert_int_equal(http_client_open(&setup->loop, &setup->client), 0);
	assert_int_equal(otlp_lane_open(&setup->loop, setup->client, &options, &setup->lane), 0);
}

static void point_at(struct setup *setup, uint16_t port)
{
	snprintf(setup->url, sizeof(setup->url), "http://127.0.0.1:%u", port);
	setup->otlp.endpoint = setup->url;
	setup->otlp.endpoint_is_base = true;
	setup->otlp.headers = &setup->headers;
	if (!setup->otlp.timeout_ns)
		setup->otlp.timeout_ns = 5 * NSEC_PER_SEC;
}

static void start(struct setup *setup, const struct answer *script, unsigned steps)
{
	receiver_start(&setup->receiver, 0, script, steps);
	point_at(setup, setup->receiver.port);
	open_lane(setup, SIGNAL_TRACES, 1 << 20);
}

static void finish(struct setup *setup)
{
	otlp_lane_close(setup->lane);
	http_client_close(setup->client);
	loop_done(&setup->loop);
}

/* Waits for all to be sent; stops the receiver. */
static void settle(struct setup *setup)
{
	while (!otlp_lane_is_done(setup->lane))
		turn(&setup->loop);
	finish(setup);
	receiver_stop(&setup->receiver);
}

static void put(struct setup *setup, unsigned number)
{
	struct buf body;

	buf_init(&body, 1000);
	buf_printf(&body, "payload %04u", number);
	while (body.len < 100)
		buf_add_byte(&body, '.');
	otlp_lane_put(setup->lane, body, 10);
}

static uint64_t since(const struct setup *setup, enum self_id id)
{
	return self_get(id) - setup->before[id];
}

/* Payloads first .. last were taken, each once, in any order. */
static void took_each_once(const struct setup *setup, unsigned first, unsigned last)
{
	assert_int_equal(setup->receiver.takens, last - first + 1);
	for (unsigned number = first; number <= last; number++) {
		unsigned times = 0;
		char text[32];

		snprintf(text, sizeof(text), "payload %04u", number);
		for (unsigned i = 0; i < setup->receiver.takens; i++)
			times += !memcmp(setup->receiver.taken[i].at, text, strlen(text));
		assert_int_equal(times, 1);
	}
}

static void a_willing_receiver_gets_everything_once(void **state)
{
	static const struct answer script[] = { OK };
	struct setup setup = { 0 };

	start(&setup, script, 1);
	for (unsigned i = 0; i < 50; i++)
		put(&setup, i);
	settle(&setup);
	took_each_once(&setup, 0, 49);
	assert_int_equal(since(&setup, SELF_EXPORT_OTLP_SPANS_OK), 50);
	assert_int_equal(self_get(SELF_EXPORT_QUEUE_BYTES), 0);
	assert_contains(&setup.receiver.head, "POST /v1/traces HTTP/1.1\r\n");
	assert_contains(&setup.receiver.head, "Content-Type: application/x-protobuf\r\n");
	assert_lacks(&setup.receiver.head, "Expect:");
	receiver_done(&setup.receiver);
}

static void a_refused_payload_is_dropped_and_the_next_ones_go_on(void **state)
{
	static const struct answer script[] = {
		{ 400, "", BYTES("\x12\x07no good") }, OK,
	};
	struct setup setup = { 0 };

	start(&setup, script, 2);
	for (unsigned i = 0; i < 5; i++)
		put(&setup, i);
	settle(&setup);
	assert_int_equal(setup.receiver.takens, 4);
	assert_int_equal(setup.receiver.requests, 5);
	assert_int_equal(since(&setup, SELF_EXPORT_OTLP_SPANS_FAILED), 1);
	assert_int_equal(since(&setup, SELF_SPANS_DROPPED_REJECTED), 10);
	receiver_done(&setup.receiver);
}

static void what_is_worth_retrying_is_retried_and_nothing_lost(void **state)
{
	static const struct answer script[] = {
		{ 503, "", { 0 } }, { 429, "", { 0 } }, { 502, "", { 0 } }, { 504, "", { 0 } }, OK,
	};
	struct setup setup = { 0 };

	start(&setup, script, 5);
	for (unsigned i = 0; i < 20; i++)
		put(&setup, i);
	settle(&setup);
	took_each_once(&setup, 0, 19);
	assert_int_equal(since(&setup, SELF_EXPORT_OTLP_SPANS_RETRY), 4);
	assert_int_equal(since(&setup, SELF_SPANS_DROPPED_QUEUE), 0);
	receiver_done(&setup.receiver);
}

static void retry_after_is_waited_for(void **state)
{
	static const struct answer script[] = { { 429, "Retry-After: 1\r\n", { 0 } }, OK };
	struct setup setup = { 0 };

	start(&setup, script, 2);
	put(&setup, 0);
	settle(&setup);
	took_each_once(&setup, 0, 0);
	assert_true(setup.receiver.asked_ns[1] - setup.receiver.asked_ns[0] >= 990 * NSEC_PER_MSEC);
	receiver_done(&setup.receiver);
}

static void a_slow_receiver_hits_the_timeout_and_gets_it_again(void **state)
{
	static const struct answer script[] = { { 0 }, OK };
	struct setup setup = { .otlp = { .timeout_ns = 50 * NSEC_PER_MSEC } };

	start(&setup, script, 2);
	put(&setup, 0);
	settle(&setup);
	took_each_once(&setup, 0, 0);
	assert_int_equal(since(&setup, SELF_EXPORT_OTLP_SPANS_RETRY), 1);
	receiver_done(&setup.receiver);
}

/* A port that was free a moment ago. */
static uint16_t closed_port(void)
{
	struct receiver receiver;

	receiver_listen(&receiver, 0);
	close(receiver.listen_fd);
	return receiver.port;
}

static void spans_wait_for_a_receiver_that_comes_later(void **state)
{
	static const struct answer script[] = { OK };
	struct setup setup = { 0 };
	uint16_t port = closed_port();

	point_at(&setup, port);
	open_lane(&setup, SIGNAL_TRACES, 1 << 20);
	for (unsigned i = 0; i < 20; i++)
		put(&setup, i);
	while (since(&setup, SELF_EXPORT_OTLP_SPANS_RETRY) < 3)
		turn(&setup.loop);
	receiver_start(&setup.receiver, port, script, 1);
	settle(&setup);
	took_each_once(&setup, 0, 19);
	receiver_done(&setup.receiver);
}

static void a_full_queue_drops_the_oldest_and_counts_them(void **state)
{
	static const struct answer script[] = { OK };
	struct setup setup = { 0 };
	uint16_t port = closed_port();

	point_at(&setup, port);
	open_lane(&setup, SIGNAL_TRACES, 1000);
	put(&setup, 0);
	while (since(&setup, SELF_EXPORT_OTLP_SPANS_RETRY) < 1)
		turn(&setup.loop);
	for (unsigned i = 1; i < 25; i++) {
		put(&setup, i);
		assert_true(self_get(SELF_EXPORT_QUEUE_BYTES) <= 1000);
	}
	assert_int_equal(self_get(SELF_EXPORT_QUEUE_BYTES), 1000);
	assert_int_equal(since(&setup, SELF_SPANS_DROPPED_QUEUE), 150);
	receiver_start(&setup.receiver, port, script, 1);
	settle(&setup);
	took_each_once(&setup, 15, 24);
	receiver_done(&setup.receiver);
}

static void partial_success_is_counted(void **state)
{
	static const struct answer script[] = {
		{ 200, "", BYTES("\x0a\x0b\x08\x03\x12\x07too old") }, OK,
	};
	struct setup setup = { 0 };

	start(&setup, script, 2);
	put(&setup, 0);
	put(&setup, 1);
	settle(&setup);
	assert_int_equal(since(&setup, SELF_EXPORT_OTLP_SPANS_PARTIAL), 1);
	assert_int_equal(since(&setup, SELF_EXPORT_OTLP_SPANS_OK), 1);
	assert_int_equal(since(&setup, SELF_SPANS_DROPPED_REJECTED), 3);
	receiver_done(&setup.receiver);
}

static void newer_metrics_replace_those_that_wait(void **state)
{
	static const struct answer script[] = { OK };
	struct setup setup = { 0 };
	uint16_t port = closed_port();

	point_at(&setup, port);
	open_lane(&setup, SIGNAL_METRICS, 1 << 20);
	for (unsigned i = 0; i < 9; i++)
		put(&setup, i);
	while (since(&setup, SELF_EXPORT_OTLP_METRICS_RETRY) < 2)
		turn(&setup.loop);
	receiver_start(&setup.receiver, port, script, 1);
	settle(&setup);
	took_each_once(&setup, 8, 8);
	assert_contains(&setup.receiver.head, "POST /v1/metrics HTTP/1.1\r\n");
	assert_int_equal(since(&setup, SELF_SPANS_DROPPED_QUEUE), 0);
	receiver_done(&setup.receiver);
}

static void bodies_are_compressed_and_headers_sent_as_configured(void **state)
{
	static const struct answer script[] = { OK };
	struct setup setup = {
		.headers = { .item = { (char *)"authorization=Bearer a=b", (char *)"x-empty=" },
			     .count = 2 },
		.otlp = { .compression = COMPRESSION_GZIP },
	};
	uint8_t text[1000];
	z_stream stream = { .next_out = text, .avail_out = sizeof(text) };

	start(&setup, script, 1);
	put(&setup, 3);
	settle(&setup);
	assert_contains(&setup.receiver.head, "authorization: Bearer a=b\r\n");
	assert_contains(&setup.receiver.head, "Content-Encoding: gzip\r\n");
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	stream.next_in = setup.receiver.taken[0].at;
	stream.avail_in = setup.receiver.taken[0].len;
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, 100);
	assert_memory_equal(text, "payload 0003", 12);
	inflateEnd(&stream);
	receiver_done(&setup.receiver);
}

static void in_a_hurry_it_gives_up_soon_and_counts_what_is_left(void **state)
{
	struct setup setup = { 0 };

	point_at(&setup, closed_port());
	open_lane(&setup, SIGNAL_TRACES, 1 << 20);
	for (unsigned i = 0; i < 5; i++)
		put(&setup, i);
	otlp_lane_hurry(setup.lane);
	while (!otlp_lane_is_done(setup.lane))
		turn(&setup.loop);
	assert_int_equal(since(&setup, SELF_SPANS_DROPPED_EXPIRED), 0);
	finish(&setup);
	assert_int_equal(since(&setup, SELF_SPANS_DROPPED_EXPIRED), 50);
}

static void closing_in_the_middle_of_a_request_loses_no_memory(void **state)
{
	static const struct answer script[] = { { 0 } };
	struct setup setup = { 0 };

	start(&setup, script, 1);
	for (unsigned i = 0; i < 5; i++)
		put(&setup, i);
	for (unsigned asked = 0; asked < 2;) {
		loop_once(&setup.loop, 10);
		pthread_mutex_lock(&setup.receiver.lock);
		asked = setup.receiver.requests;
		pthread_mutex_unlock(&setup.receiver.lock);
	}
	finish(&setup);
	assert_int_equal(since(&setup, SELF_SPANS_DROPPED_EXPIRED), 50);
	receiver_stop(&setup.receiver);
	receiver_done(&setup.receiver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_willing_receiver_gets_everything_once),
		cmocka_unit_test(a_refused_payload_is_dropped_and_the_next_ones_go_on),
		cmocka_unit_test(what_is_worth_retrying_is_retried_and_nothing_lost),
		cmocka_unit_test(retry_after_is_waited_for),
		cmocka_unit_test(a_slow_receiver_hits_the_timeout_and_gets_it_again),
		cmocka_unit_test(spans_wait_for_a_receiver_that_comes_later),
		cmocka_unit_test(a_full_queue_drops_the_oldest_and_counts_them),
		cmocka_unit_test(partial_success_is_counted),
		cmocka_unit_test(newer_metrics_replace_those_that_wait),
		cmocka_unit_test(bodies_are_compressed_and_headers_sent_as_configured),
		cmocka_unit_test(in_a_hurry_it_gives_up_soon_and_counts_what_is_left),
		cmocka_unit_test(closing_in_the_middle_of_a_request_loses_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

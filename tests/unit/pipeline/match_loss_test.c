/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and responses of which some were not seen: joined midway, overtaken, lost, unreadable.
 * Nothing counts twice, nothing is matched wrongly, and the connection is followed again.
 */
#include "unit/pipeline/flow.h"

/* The next pair is matched as if nothing had happened. */
static void goes_on(struct flow *flow)
{
	unsigned before = flow->count;

	flow_request(flow, GET("/after"));
	flow_response(flow, "HTTP/1.1 299 X\r\nContent-Length: 1\r\n\r\n.");
	assert_int_equal(flow->count, before + 1);
	is_answered(flow, before, "/after", 299);
	assert_int_equal(flow->done[before].response_bytes, 1);
	assert_int_equal(flow->ignored, 0);
}

static void a_connection_joined_at_a_response_is_followed_from_the_next_request(void **state)
{
	struct flow flow;

	flow_init(&flow);
	wire_seen(&flow.wire, SOCKET_RX, GET("/not-seen"));
	flow.wire.event.chunks = 0;
	flow.wire.used = 0;
	flow_response(&flow, OK_5);
	assert_int_equal(flow.count, 0);
	goes_on(&flow);
	flow_close(&flow);
	assert_int_equal(flow.count, 1);
	assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), 1);
	flow_done(&flow);
}

/* Serial numbers tell that records came before: what these bytes are nobody can say. */
static void a_connection_joined_inside_a_body_is_not_given_up(void **state)
{
	struct flow flow;

	flow_init(&flow);
	wire_seen(&flow.wire, SOCKET_RX, "POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\n");
	wire_lose(&flow.wire);
	flow_request(&flow, "a body.");
	flow_response(&flow, OK_5);
	assert_int_equal(flow.count, 0);
	goes_on(&flow);
	flow_close(&flow);
	assert_int_equal(self_get(SELF_NOT_HTTP), 0);
	assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), 1);
	flow_done(&flow);
}

/* The reader's hook was faster than the sender's: the response's record comes first. */
static struct socket_event *late_request(struct flow *flow, const char *text)
{
	wire_init(&flow->wire, 1, SOCKET_TX);
	wire_seen(&flow->wire, SOCKET_TX, text);
	return wire_take(&flow->wire, 0);
}

static void comes_now(struct flow *flow, struct socket_event *event)
{
	conns_record(&flow->conns, event, record_payload(event));
	free(event);
}

static void a_response_that_overtook_its_request_is_its_answer(void **state)
{
	struct socket_event *late;
	struct flow flow;

	flow_init(&flow);
	late = late_request(&flow, GET("/late"));
	flow_response(&flow, OK_5);
	assert_int_equal(flow.count, 0);
	comes_now(&flow, late);
	is_answered(&flow, 0, "/late", 200);
	assert_int_equal(flow.done[0].response_bytes, 5);
	assert_int_equal(flow.done[0].end_ns - flow.done[0].start_ns, NSEC_PER_MSEC);
	goes_on(&flow);
	assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), 0);
	flow_done(&flow);
}

static void a_request_may_come_late_in_the_middle_of_its_response(void **state)
{
	struct socket_event *late;
	struct flow flow;

	flow_init(&flow);
	late = late_request(&flow, GET("/late"));
	flow_response(&flow, "HTTP/1.1 201 X\r\nContent-Length: 10\r\n\r\nhello");
	comes_now(&flow, late);
	assert_int_equal(flow.count, 0);
	flow_response(&flow, "world");
	is_answered(&flow, 0, "/late", 201);
	assert_int_equal(flow.done[0].response_bytes, 10);
	goes_on(&flow);
	flow_done(&flow);
}

static void the_length_in_an_answer_to_a_late_head_request_is_no_body(void **state)
{
	struct socket_event *late;
	struct flow flow;

	flow_init(&flow);
	late = late_request(&flow, "HEAD /late HTTP/1.1\r\nHost: h\r\n\r\n");
	flow_response(&flow, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
	comes_now(&flow, late);
	is_answered(&flow, 0, "/late", 200);
	assert_int_equal(flow.done[0].response_bytes, 0);
	goes_on(&flow);
	flow_done(&flow);
}

static void an_upgrade_that_overtook_its_request_is_one_exchange(void **state)
{
	struct socket_event *late;
	struct flow flow;

	flow_init(&flow);
	late = late_request(&flow, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
	flow_response(&flow, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01x");
	comes_now(&flow, late);
	assert_int_equal(flow.count, 1);
	is_answered(&flow, 0, "/ws", 101);
	assert_int_equal(flow.ignored, 1);
	flow_request(&flow, "\x81\x01y");
	flow_request(&flow, GET("/no"));
	flow_close(&flow);
	assert_int_equal(flow.count, 1);
	flow_done(&flow);
}

static void a_response_sent_before_the_request_began_is_not_its_answer(void **state)
{
	struct flow flow;

	flow_init(&flow);
	wire_seen(&flow.wire, SOCKET_RX, GET("/lost"));
	wire_lose(&flow.wire);
	flow_response(&flow, "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
	goes_on(&flow);
	assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), 1);
	flow_done(&flow);
}

/* Two threads: the next request was read, and told of, before the answer to a lost one was. */
static void a_late_response_is_not_the_answer_to_a_request_behind_its_place(void **state)
{
	struct socket_event *late;
	struct flow flow;

	flow_init(&flow);
	wire_seen(&flow.wire, SOCKET_RX, GET("/lost"));
	wire_lose(&flow.wire);
	wire_seen(&flow.wire, SOCKET_TX, "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
	late = wire_take(&flow.wire, 0);
	flow_request(&flow, GET("/next"));
	comes_now(&flow, late);
	assert_int_equal(flow.count, 0);
	flow_response(&flow, OK_EMPTY);
	is_answered(&flow, 0, "/next", 200);
	assert_int_equal(flow.count, 1);
	flow_close(&flow);
	assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), 1);
	flow_done(&flow);
}

/* One before the request's first byte, and one after: positions decide. */
static void positions_decide_to_the_byte_and_across_their_wrap(void **state)
{
	static const uint32_t starts[] = { 100, UINT32_MAX, UINT32_MAX - 10, 0x7fffffff, 0x80000000 };
	struct flow flow;

	for (unsigned i = 0; i < ARRAY_LEN(starts); i++) {
		for (int belongs = 0; belongs < 2; belongs++) {
			flow_init(&flow);
			flow.wire.pos[SOCKET_RX] = starts[i];
			wire_seen(&flow.wire, SOCKET_TX, OK_5)->ack = starts[i] + belongs;
			flow_send(&flow);
			flow_request(&flow, GET("/it"));
			assert_int_equal(flow.count, belongs);
			assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), !belongs);
			flow_done(&flow);
		}
	}
}

static void positions_wrap_inside_heads_bodies_and_gaps(void **state)
{
	struct flow flow;

	for (uint32_t back = 0; back < 120; back++) {
		flow_init(&flow);
		flow.wire.pos[SOCKET_RX] = flow.wire.pos[SOCKET_TX] = -back;
		flow_request(&flow, "POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\n");
		wire_unseen(&flow.wire, SOCKET_RX, 50);
		wire_lose(&flow.wire);
		flow_response(&flow, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
		wire_unseen(&flow.wire, SOCKET_TX, 50);
		wire_lose(&flow.wire);
		flow_request(&flow, GET("/2"));
		flow_response(&flow, OK_EMPTY);
		assert_int_equal(flow.count, 2);
		is_answered(&flow, 0, "/", 200);
		is_answered(&flow, 1, "/2", 200);
		assert_int_equal(self_get(SELF_UNSEEN_BYTES), 100);
		assert_int_equal(self_get(SELF_RESYNCS), 0);
		flow_done(&flow);
	}
}

static void a_lost_pair_is_not_counted_and_does_no_harm(void **state)
{
	struct flow flow;

	flow_init(&flow);
	goes_on(&flow);
	wire_seen(&flow.wire, SOCKET_RX, GET("/lost"));
	wire_seen(&flow.wire, SOCKET_TX, OK_5);
	wire_lose(&flow.wire);
	goes_on(&flow);
	goes_on(&flow);
	assert_int_equal(flow.count, 3);
	assert_int_equal(self_get(SELF_RESYNCS), 2);
	flow_close(&flow);
	assert_int_equal(flow.count, 3);
	assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), 0);
	flow_done(&flow);
}

static void a_request_whose_response_was_lost_is_unseen(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/1"));
	wire_seen(&flow.wire, SOCKET_TX, OK_5);
	wire_lose(&flow.wire);
	flow_request(&flow, GET("/2"));
	flow_response(&flow, "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(flow.count, 2);
	is_done(&flow, 0, "/1", OUTCOME_UNSEEN, 0);
	is_answered(&flow, 1, "/2", 404);
	goes_on(&flow);
	flow_done(&flow);
}

static void pipelined_requests_whose_responses_were_lost_are_unseen(void **state)
{
	struct flow flow;

	flow_init(&flow);
	goes_on(&flow);
	flow_request(&flow, GET("/1") GET("/2") GET("/3"));
	wire_seen(&flow.wire, SOCKET_TX, OK_5 OK_5);
	wire_lose(&flow.wire);
	flow_response(&flow, "HTTP/1.1 203 X\r\nContent-Length: 0\r\n\r\n");
	is_done(&flow, 1, "/1", OUTCOME_UNSEEN, 0);
	is_done(&flow, 2, "/2", OUTCOME_UNSEEN, 0);
	is_answered(&flow, 3, "/3", 203);
	goes_on(&flow);
	flow_done(&flow);
}

/* Its own head was seen: another's code must not take its place. */
static void a_response_of_which_the_end_was_lost_keeps_its_code(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/1"));
	flow_response(&flow, CHUNKED "zz\r\n");		/* nonsense: out of step */
	wire_seen(&flow.wire, SOCKET_RX, GET("/lost"));
	wire_lose(&flow.wire);
	flow_response(&flow, "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
	is_done(&flow, 0, "/1", OUTCOME_UNSEEN, 200);
	goes_on(&flow);
	assert_int_equal(flow.count, 2);
	flow_done(&flow);
}

static void an_interim_response_does_not_finish_what_was_lost_before(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/1") GET("/2"));
	flow_response(&flow, CHUNKED "zz\r\n");
	flow_response(&flow, "HTTP/1.1 103 Early Hints\r\n\r\n");
	assert_int_equal(flow.count, 0);
	flow_response(&flow, "HTTP/1.1 204 No Content\r\n\r\n");
	is_done(&flow, 0, "/1", OUTCOME_UNSEEN, 200);
	is_answered(&flow, 1, "/2", 204);
	flow_done(&flow);
}

static void a_gap_inside_a_body_of_known_length_does_no_harm(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n");
	wire_unseen(&flow.wire, SOCKET_RX, 1000);
	wire_lose(&flow.wire);
	flow_request_unseen(&flow, 2000);
	flow_response(&flow, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
	wire_unseen(&flow.wire, SOCKET_TX, 4000);
	wire_lose(&flow.wire);
	flow_response_unseen(&flow, 1000);
	is_answered(&flow, 0, "/", 200);
	assert_int_equal(flow.done[0].request_bytes, 3000);
	assert_int_equal(flow.done[0].response_bytes, 5000);
	goes_on(&flow);
	assert_int_equal(self_get(SELF_RESYNCS), 0);
	assert_int_equal(self_get(SELF_UNSEEN_BYTES), 5000);
	flow_done(&flow);
}

static void the_lost_end_of_a_body_is_noticed_with_the_next_chunk(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/1"));
	flow_response(&flow, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
	wire_unseen(&flow.wire, SOCKET_TX, 5000);
	wire_lose(&flow.wire);
	flow_request(&flow, GET("/2"));
	flow_response(&flow, "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n");
	is_answered(&flow, 0, "/1", 200);
	is_answered(&flow, 1, "/2", 404);
	assert_int_equal(flow.done[0].response_bytes, 5000);
	flow_done(&flow);
}

static void a_response_nobody_could_read_is_unseen_when_the_next_request_comes(void **state)
{
	uint64_t answered_ns;
	struct flow flow;

	flow_init(&flow);
	for (unsigned i = 0; i < 3; i++) {
		flow_request(&flow, GET("/uring"));
		wire_unseen(&flow.wire, SOCKET_TX, 700)->flags = CHUNK_UNREADABLE;
		flow_send(&flow);
		answered_ns = flow.wire.now_ns;
		flow.wire.now_ns += 10 * NSEC_PER_SEC;
		assert_int_equal(flow.count, i);
		flow_request(&flow, GET("/uring"));
		assert_int_equal(flow.count, i + 1);
		is_done(&flow, i, "/uring", OUTCOME_UNSEEN, 0);
		assert_true(flow.done[i].end_ns == answered_ns);
		wire_unseen(&flow.wire, SOCKET_TX, 700);
		flow_close(&flow);
		is_done(&flow, ++i, "/uring", OUTCOME_UNSEEN, 0);
		wire_init(&flow.wire, 2 + i, SOCKET_RX);
	}
	flow_done(&flow);
}

static void requests_answered_out_of_sight_are_bounded_on_each_connection(void **state)
{
	struct flow flow;

	flow_init_sized(&flow, 4, 2 * CONN_OPEN_MAX, 4);
	for (unsigned i = 0; i < CONN_OPEN_MAX + 10; i++)
		flow_request(&flow, GET("/unseen"));
	assert_int_equal(flow.count, 10);
	assert_int_equal(flow.conns.exchanges.used, CONN_OPEN_MAX);
	is_done(&flow, 9, "/unseen", OUTCOME_UNSEEN, 0);
	flow_done(&flow);
}

static void a_head_cut_short_and_answered_is_a_request(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "GET /too-long HTTP/1.1\r\nCookie: a");
	flow_request(&flow, "aaaaaa");
	flow_response(&flow, "HTTP/1.1 431 X\r\nContent-Length: 0\r\n\r\n");
	is_answered(&flow, 0, "/too-long", 431);
	assert_true(flow.done[0].cut);
	flow_request(&flow, "aaaaaa\r\n\r\n");
	goes_on(&flow);
	assert_int_equal(flow.count, 2);
	flow_done(&flow);
}

static void heads_longer_than_what_is_copied_are_counted_one_by_one(void **state)
{
	static char request[9000], response[2000];
	struct flow flow;

	memset(request, 'a', sizeof(request) - 1);
	memcpy(request, BYTES("GET /long HTTP/1.1\r\nCookie: ").at, 28);
	memcpy(request + sizeof(request) - 5, "\r\n\r\n", 4);
	memset(response, 'b', sizeof(response) - 1);
	memcpy(response, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 40\r\nSet-Cookie: ").at, 49);

	flow_init(&flow);
	for (unsigned i = 0; i < 4; i++) {
		wire_call(&flow.wire, SOCKET_RX, bytes_of(request, SOCKET_BIG_MAX),
			  strlen(request), (struct bytes){});
		flow_send(&flow);
		wire_cut(&flow.wire, SOCKET_TX, bytes_of_text(response), SOCKET_RESPONSE_MAX);
		flow_send(&flow);
		assert_int_equal(flow.count, i + 1);
		is_answered(&flow, i, "/long", 200);
		assert_true(flow.done[i].cut);
		assert_int_equal(flow.done[i].response_bytes, 40);
	}
	assert_int_equal(self_get(SELF_HEADS_CUT), 8);
	goes_on(&flow);
	flow_done(&flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_joined_at_a_response_is_followed_from_the_next_request),
		cmocka_unit_test(a_connection_joined_inside_a_body_is_not_given_up),
		cmocka_unit_test(a_response_that_overtook_its_request_is_its_answer),
		cmocka_unit_test(a_request_may_come_late_in_the_middle_of_its_response),
		cmocka_unit_test(the_length_in_an_answer_to_a_late_head_request_is_no_body),
		cmocka_unit_test(an_upgrade_that_overtook_its_request_is_one_exchange),
		cmocka_unit_test(a_response_sent_before_the_request_began_is_not_its_answer),
		cmocka_unit_test(a_late_response_is_not_the_answer_to_a_request_behind_its_place),
		cmocka_unit_test(positions_decide_to_the_byte_and_across_their_wrap),
		cmocka_unit_test(positions_wrap_inside_heads_bodies_and_gaps),
		cmocka_unit_test(a_lost_pair_is_not_counted_and_does_no_harm),
		cmocka_unit_test(a_request_whose_response_was_lost_is_unseen),
		cmocka_unit_test(pipelined_requests_whose_responses_were_lost_are_unseen),
		cmocka_unit_test(a_response_of_which_the_end_was_lost_keeps_its_code),
		cmocka_unit_test(an_interim_response_does_not_finish_what_was_lost_before),
		cmocka_unit_test(a_gap_inside_a_body_of_known_length_does_no_harm),
		cmocka_unit_test(the_lost_end_of_a_body_is_noticed_with_the_next_chunk),
		cmocka_unit_test(a_response_nobody_could_read_is_unseen_when_the_next_request_comes),
		cmocka_unit_test(requests_answered_out_of_sight_are_bounded_on_each_connection),
		cmocka_unit_test(a_head_cut_short_and_answered_is_a_request),
		cmocka_unit_test(heads_longer_than_what_is_copied_are_counted_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

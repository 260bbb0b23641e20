/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and responses that are seen, matched: sequences, pipelines, bodies, ends, upgrades. */
#include "unit/pipeline/flow.h"

static void keep_alive_pairs_one_by_one(void **state)
{
	struct flow flow;

	flow_init(&flow);
	for (unsigned i = 0; i < 3; i++) {
		flow_request(&flow, i == 1 ? GET("/b") : GET("/a"));
		assert_int_equal(flow.count, i);
		flow_response(&flow, i == 1 ? "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno" : OK_5);
		assert_int_equal(flow.count, i + 1);
	}
	is_answered(&flow, 0, "/a", 200);
	is_answered(&flow, 1, "/b", 404);
	is_answered(&flow, 2, "/a", 200);
	assert_int_equal(flow.done[1].response_bytes, 2);
	assert_int_equal(flow.done[1].role, ROLE_SERVER);
	assert_int_equal(flow.done[1].end_ns - flow.done[1].start_ns, NSEC_PER_MSEC);
	assert_int_equal(flow.done[1].tgid, 1000);
	flow_close(&flow);
	assert_int_equal(flow.count, 3);
	flow_done(&flow);
}

static void request_and_response_in_one_record_are_one_exchange(void **state)
{
	struct flow flow;

	flow_init(&flow);
	wire_init(&flow.wire, 9, SOCKET_TX);
	for (int i = 0; i < 5; i++) {
		wire_seen(&flow.wire, SOCKET_TX, GET("/one"));
		wire_seen(&flow.wire, SOCKET_RX, OK_EMPTY);
		flow_send(&flow);
	}
	assert_int_equal(flow.count, 5);
	is_answered(&flow, 4, "/one", 200);
	assert_int_equal(flow.done[4].role, ROLE_CLIENT);
	flow_done(&flow);
}

/* `n` times the same text, `###` in it being the number. */
static char *repeat(const char *form, unsigned n)
{
	size_t len = strlen(form);
	char *text = malloc(n * len + 1), digits[16];

	text[n * len] = '\0';
	for (unsigned i = 0; i < n; i++) {
		char *mark = strstr(memcpy(text + i * len, form, len), "###");

		snprintf(digits, sizeof(digits), "%03u", i);
		memcpy(mark, digits, 3);
	}
	return text;
}

static void is_in_order(const struct flow *flow, unsigned n)
{
	char target[16];

	assert_int_equal(flow->count, n);
	for (unsigned i = 0; i < n; i++) {
		snprintf(target, sizeof(target), "/%03u", i);
		is_answered(flow, i, target, 200 + i % 50);
	}
}

#define PIPELINED "GET /### HTTP/1.1\r\nHost: h\r\n\r\n"

static void pipelined_requests_are_answered_one_by_one(void **state)
{
	static const unsigned sizes[] = { 3, 16, 100 };
	char response[64];
	struct flow flow;

	for (unsigned s = 0; s < ARRAY_LEN(sizes); s++) {
		char *requests = repeat(PIPELINED, sizes[s]);

		flow_init(&flow);
		flow_request(&flow, requests);
		for (unsigned i = 0; i < sizes[s]; i++) {
			assert_int_equal(flow.count, i);
			snprintf(response, sizeof(response),
				 "HTTP/1.1 %u X\r\nContent-Length: 1\r\n\r\nx", 200 + i % 50);
			if (200 + i % 50 == 204)
				strcpy(response, "HTTP/1.1 204 X\r\n\r\n");
			flow_response(&flow, response);
		}
		is_in_order(&flow, sizes[s]);
		flow_done(&flow);
		free(requests);
	}
}

static void pipelined_requests_are_answered_in_one_batch(void **state)
{
	static const unsigned sizes[] = { 3, 16, 100 };
	struct flow flow;

	for (unsigned s = 0; s < ARRAY_LEN(sizes); s++) {
		char *requests = repeat(PIPELINED, sizes[s]);
		char *responses = repeat("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n###", sizes[s]);

		flow_init(&flow);
		flow_request(&flow, requests);
		flow_response(&flow, responses);
		assert_int_equal(flow.count, sizes[s]);
		is_answered(&flow, 2, "/002", 200);
		is_answered(&flow, sizes[s] - 1, flow.done[sizes[s] - 1].target, 200);
		assert_int_equal(atoi(flow.done[sizes[s] - 1].target + 1), sizes[s] - 1);
		flow_done(&flow);
		free(requests);
		free(responses);
	}
}

static void the_next_request_may_come_while_the_first_is_being_answered(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/1"));
	flow_response(&flow, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
	flow_request(&flow, GET("/2"));
	assert_int_equal(flow.count, 0);
	flow_response(&flow, "....HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n");
	is_answered(&flow, 0, "/1", 200);
	is_answered(&flow, 1, "/2", 201);
	assert_int_equal(flow.done[0].response_bytes, 9);
	flow_done(&flow);
}

#define WHOLE "POST /cut HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
#define WHOLE_OK "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwxyz\r\n0\r\n\r\n"

static void send_in_two(struct flow *flow, enum socket_dir dir, struct bytes text, size_t cut)
{
	wire_call(&flow->wire, dir, bytes_first(text, cut), cut, (struct bytes){});
	flow_send(flow);
	wire_call(&flow->wire, dir, bytes_skip(text, cut), text.len - cut, (struct bytes){});
	flow_send(flow);
}

static void messages_may_be_cut_anywhere_across_records(void **state)
{
	struct flow flow;

	for (size_t cut = 1; cut < strlen(WHOLE); cut++) {
		flow_init(&flow);
		send_in_two(&flow, SOCKET_RX, BYTES(WHOLE), cut);
		send_in_two(&flow, SOCKET_TX, BYTES(WHOLE_OK), 1 + cut % (strlen(WHOLE_OK) - 1));
		send_in_two(&flow, SOCKET_RX, BYTES(WHOLE), cut);
		for (size_t at = 0; at < strlen(WHOLE_OK); at++) {
			wire_call(&flow.wire, SOCKET_TX, bytes_of(WHOLE_OK + at, 1), 1,
				  (struct bytes){});
			flow_send(&flow);
		}
		assert_int_equal(flow.count, 2);
		is_answered(&flow, 0, "/cut", 200);
		is_answered(&flow, 1, "/cut", 200);
		assert_int_equal(flow.done[1].request_bytes, 3);
		assert_int_equal(flow.done[1].response_bytes, 4);
		/* from the first byte of the first piece to the last byte of the last */
		assert_int_equal(flow.done[1].end_ns - flow.done[1].start_ns,
				 (1 + strlen(WHOLE_OK)) * NSEC_PER_MSEC);
		flow_done(&flow);
	}
}

static void request_bodies_are_counted_seen_or_not(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "POST /seen HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello");
	flow_response(&flow, OK_EMPTY);
	flow_request(&flow, "POST /unseen HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
	flow_request_unseen(&flow, 60000);
	flow_request_unseen(&flow, 40000);
	flow_response(&flow, OK_EMPTY);
	flow_request(&flow, "POST /chunked HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	flow_response(&flow, OK_EMPTY);
	flow_request(&flow, "POST /half HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n");
	flow_request_unseen(&flow, 0xffff + 2);
	flow_request_unseen(&flow, 5);
	flow_response(&flow, OK_EMPTY);
	flow_request(&flow, GET("/after"));
	flow_response(&flow, OK_EMPTY);

	assert_int_equal(flow.count, 5);
	assert_int_equal(flow.done[0].request_bytes, 5);
	assert_int_equal(flow.done[1].request_bytes, 100000);
	assert_int_equal(flow.done[2].request_bytes, 3);
	assert_int_equal(flow.done[3].request_bytes, 0xffff);
	is_answered(&flow, 4, "/after", 200);
	assert_int_equal(self_get(SELF_RESYNCS), 0);
	flow_done(&flow);
}

static void a_response_that_comes_before_the_request_has_ended_is_its_answer(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "POST /big HTTP/1.1\r\nContent-Length: 1000\r\n\r\n");
	flow_request_unseen(&flow, 300);
	flow_response(&flow, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
	is_answered(&flow, 0, "/big", 413);
	assert_int_equal(flow.done[0].request_bytes, 300);
	flow_request_unseen(&flow, 700);
	flow_request(&flow, GET("/next"));
	flow_response(&flow, OK_EMPTY);
	is_answered(&flow, 1, "/next", 200);
	assert_int_equal(flow.done[1].request_bytes, 0);
	flow_done(&flow);
}

/* The rest of an upload is no new request: it does not end what the server is still saying. */
static void a_request_body_goes_on_while_an_open_ended_response_does(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "POST /both HTTP/1.1\r\nContent-Length: 1000\r\n\r\n");
	flow_response(&flow, "HTTP/1.0 200 OK\r\n\r\nfirst");
	flow_request_unseen(&flow, 1000);
	assert_int_equal(flow.count, 0);
	flow_response(&flow, "second");
	flow_close(&flow);
	is_answered(&flow, 0, "/both", 200);
	assert_int_equal(flow.done[0].response_bytes, 11);
	assert_int_equal(flow.done[0].request_bytes, 1000);
	flow_done(&flow);
}

static void large_responses_are_skipped_and_their_tail_is_looked_at(void **state)
{
	static char chunked[5000];
	struct flow flow;

	memset(chunked, 'x', sizeof(chunked) - 1);
	memcpy(chunked, CHUNKED "fff\r\n", strlen(CHUNKED "fff\r\n"));
	memcpy(chunked + sizeof(chunked) - 1 - 7, "\r\n0\r\n\r\n", 7);

	flow_init(&flow);
	flow_request(&flow, GET("/length"));
	flow_response(&flow, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
	flow_response_unseen(&flow, 999999);
	assert_int_equal(flow.count, 0);
	flow_response_unseen(&flow, 1);
	assert_int_equal(flow.done[0].response_bytes, 1000000);
	flow_request(&flow, GET("/chunked"));
	wire_cut(&flow.wire, SOCKET_TX, bytes_of_text(chunked), SOCKET_RESPONSE_MAX);
	flow_send(&flow);
	is_answered(&flow, 0, "/length", 200);
	is_answered(&flow, 1, "/chunked", 200);
	flow_request(&flow, GET("/after"));
	flow_response(&flow, OK_EMPTY);
	is_answered(&flow, 2, "/after", 200);
	flow_done(&flow);
}

static void what_lies_between_head_and_tail_of_a_call_is_counted_to_the_byte(void **state)
{
	char body[151];
	char text[300];
	struct flow flow;

	memset(body, 'b', 150);
	body[150] = '\0';
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n%s", body);
	flow_init(&flow);
	flow_request(&flow, GET("/"));
	wire_cut(&flow.wire, SOCKET_TX, bytes_of_text(text), 60);
	flow_send(&flow);
	flow_response_unseen(&flow, 49);
	assert_int_equal(flow.count, 0);
	flow_response_unseen(&flow, 1);
	is_answered(&flow, 0, "/", 200);
	assert_int_equal(flow.done[0].response_bytes, 200);
	flow_request(&flow, GET("/2"));
	flow_response(&flow, OK_5);
	is_answered(&flow, 1, "/2", 200);
	assert_int_equal(self_get(SELF_RESYNCS), 0);
	flow_done(&flow);
}

static void a_chunked_response_may_end_with_a_call_of_its_own(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/stream"));
	flow_response(&flow, CHUNKED "8\r\n12345678\r\n");
	flow_response_unseen(&flow, 4000);
	flow_response_unseen(&flow, 4000);
	assert_int_equal(flow.count, 0);
	wire_call(&flow.wire, SOCKET_TX, (struct bytes){}, 5, BYTES("0\r\n\r\n"));
	flow_send(&flow);
	is_answered(&flow, 0, "/stream", 200);
	flow_done(&flow);
}

static void a_response_until_close_ends_with_the_connection(void **state)
{
	enum { TX_CLOSED, CLOSED, END } how;
	struct flow flow;

	for (how = TX_CLOSED; how <= END; how++) {
		flow_init(&flow);
		wire_init(&flow.wire, 5, how == END ? SOCKET_TX : SOCKET_RX);
		flow_request(&flow, GET("/old"));
		flow_response(&flow, "HTTP/1.0 200 OK\r\n\r\npart one,");
		flow_response(&flow, "part two");
		assert_int_equal(flow.count, 0);
		flow.wire.now_ns += 60 * NSEC_PER_SEC;
		if (how == END)
			wire_end(&flow.wire, SOCKET_RX);
		flow_send_of(&flow, &flow.wire, how == TX_CLOSED ? SOCKET_TX_CLOSED :
						how == CLOSED	 ? SOCKET_CLOSED : 0);
		assert_int_equal(flow.count, 1);
		is_answered(&flow, 0, "/old", 200);
		assert_int_equal(flow.done[0].response_bytes, 17);
		/* the last byte, not the close a minute later */
		assert_int_equal(flow.done[0].end_ns - flow.done[0].start_ns, 2 * NSEC_PER_MSEC);
		flow_close(&flow);
		assert_int_equal(flow.count, 1);
		flow_done(&flow);
	}
}

static void the_end_of_requests_does_not_end_a_response(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/old"));
	flow_response(&flow, "HTTP/1.0 200 OK\r\n\r\npart one,");
	wire_end(&flow.wire, SOCKET_RX);
	flow_send(&flow);
	flow_response(&flow, "part two");
	flow_close(&flow);
	is_answered(&flow, 0, "/old", 200);
	assert_int_equal(flow.done[0].response_bytes, 17);
	flow_done(&flow);
}

static void interim_responses_answer_nothing(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	flow_response(&flow, "HTTP/1.1 100 Continue\r\n\r\n");
	flow_request(&flow, "hi");
	flow_response(&flow, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
	assert_int_equal(flow.count, 0);
	flow_response(&flow, OK_5);
	assert_int_equal(flow.count, 1);
	is_answered(&flow, 0, "/", 200);
	assert_int_equal(flow.done[0].request_bytes, 2);
	assert_int_equal(flow.done[0].response_bytes, 5);
	assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), 0);
	flow_done(&flow);
}

static void responses_without_a_body_end_with_their_head(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "HEAD /head HTTP/1.1\r\nHost: h\r\n\r\n" GET("/204") GET("/304") GET("/200"));
	flow_response(&flow, "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
	is_answered(&flow, 0, "/head", 200);
	flow_response(&flow, "HTTP/1.1 204 No Content\r\n\r\n"
			     "HTTP/1.1 304 Not Modified\r\nContent-Length: 777\r\n\r\n" OK_5);
	is_answered(&flow, 1, "/204", 204);
	is_answered(&flow, 2, "/304", 304);
	is_answered(&flow, 3, "/200", 200);
	assert_int_equal(flow.done[0].response_bytes, 0);
	assert_int_equal(flow.done[2].response_bytes, 0);
	flow_done(&flow);
}

static void an_upgrade_is_one_exchange_and_the_last(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/before"));
	flow_response(&flow, OK_EMPTY);
	flow_request(&flow, "GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	flow_response(&flow, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello");
	assert_int_equal(flow.count, 2);
	is_answered(&flow, 1, "/ws", 101);
	assert_int_equal(flow.ignored, 1);
	assert_int_equal(self_get(SELF_UPGRADED), 1);

	flow_request(&flow, GET("/looks-like-one"));
	flow_response(&flow, OK_EMPTY);
	flow_close(&flow);
	assert_int_equal(flow.count, 2);
	assert_int_equal(flow.ignored, 1);
	flow_done(&flow);
}

static void a_tunnel_is_one_exchange_and_the_last(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n");
	flow_response(&flow, "HTTP/1.1 200 Connection established\r\n\r\n");
	is_answered(&flow, 0, "", 200);
	assert_string_equal(flow.done[0].method, "CONNECT");
	assert_int_equal(flow.ignored, 1);
	flow_request(&flow, GET("/inside"));
	flow_close(&flow);
	assert_int_equal(flow.count, 1);
	flow_done(&flow);
}

static void a_refused_tunnel_is_an_exchange_like_any_other(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n");
	flow_response(&flow, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno");
	flow_request(&flow, GET("/next"));
	flow_response(&flow, OK_EMPTY);
	assert_int_equal(flow.count, 2);
	assert_int_equal(flow.done[0].code, 407);
	assert_int_equal(flow.ignored, 0);
	flow_done(&flow);
}

static void what_is_not_http_is_given_up_at_once(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, "GET key\r\n");
	flow_request(&flow, "GET key2\r\n");
	flow_response(&flow, "$5\r\nhello\r\n");
	assert_int_equal(flow.ignored, 1);
	assert_int_equal(self_get(SELF_NOT_HTTP), 1);
	flow_close(&flow);
	assert_int_equal(flow.count, 0);
	flow_done(&flow);
}

static void a_body_by_sendfile_is_counted_by_its_length(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/file"));
	flow_response(&flow, "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n");
	wire_unseen(&flow.wire, SOCKET_TX, 70000)->flags = CHUNK_UNREADABLE;
	flow_send(&flow);
	is_answered(&flow, 0, "/file", 200);
	assert_int_equal(flow.done[0].response_bytes, 70000);
	flow_done(&flow);
}

static void a_connection_that_ends_leaves_its_requests_unanswered(void **state)
{
	static const unsigned open[] = { 0, 1, 3 };
	struct flow flow;

	for (unsigned s = 0; s < ARRAY_LEN(open); s++) {
		char *requests = repeat(PIPELINED, open[s]);

		flow_init(&flow);
		flow_request(&flow, GET("/fine"));
		flow_response(&flow, OK_EMPTY);
		if (open[s])
			flow_request(&flow, requests);
		flow.wire.now_ns += NSEC_PER_SEC;
		flow_close(&flow);
		assert_int_equal(flow.count, 1 + open[s]);
		for (unsigned i = 1; i < flow.count; i++) {
			assert_int_equal(flow.done[i].outcome, OUTCOME_UNANSWERED);
			assert_int_equal(flow.done[i].code, 0);
			assert_int_equal(flow.done[i].end_ns - flow.done[i].start_ns, NSEC_PER_SEC);
		}
		flow_done(&flow);
		free(requests);
	}
}

static void a_response_that_breaks_off_is_incomplete(void **state)
{
	struct flow flow;

	for (int end = 0; end < 2; end++) {
		flow_init(&flow);
		wire_init(&flow.wire, 3, SOCKET_TX);
		flow_request(&flow, GET("/1") GET("/2"));
		flow_response(&flow, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot all");
		if (end) {
			wire_end(&flow.wire, SOCKET_RX);
			flow_send(&flow);
		}
		flow_close(&flow);
		assert_int_equal(flow.count, 2);
		is_done(&flow, 0, "/1", OUTCOME_INCOMPLETE, 200);
		is_done(&flow, 1, "/2", OUTCOME_UNANSWERED, 0);
		flow_done(&flow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keep_alive_pairs_one_by_one),
		cmocka_unit_test(request_and_response_in_one_record_are_one_exchange),
		cmocka_unit_test(pipelined_requests_are_answered_one_by_one),
		cmocka_unit_test(pipelined_requests_are_answered_in_one_batch),
		cmocka_unit_test(the_next_request_may_come_while_the_first_is_being_answered),
		cmocka_unit_test(messages_may_be_cut_anywhere_across_records),
		cmocka_unit_test(request_bodies_are_counted_seen_or_not),
		cmocka_unit_test(a_response_that_comes_before_the_request_has_ended_is_its_answer),
		cmocka_unit_test(a_request_body_goes_on_while_an_open_ended_response_does),
		cmocka_unit_test(large_responses_are_skipped_and_their_tail_is_looked_at),
		cmocka_unit_test(what_lies_between_head_and_tail_of_a_call_is_counted_to_the_byte),
		cmocka_unit_test(a_chunked_response_may_end_with_a_call_of_its_own),
		cmocka_unit_test(a_response_until_close_ends_with_the_connection),
		cmocka_unit_test(the_end_of_requests_does_not_end_a_response),
		cmocka_unit_test(interim_responses_answer_nothing),
		cmocka_unit_test(responses_without_a_body_end_with_their_head),
		cmocka_unit_test(an_upgrade_is_one_exchange_and_the_last),
		cmocka_unit_test(a_tunnel_is_one_exchange_and_the_last),
		cmocka_unit_test(a_refused_tunnel_is_an_exchange_like_any_other),
		cmocka_unit_test(what_is_not_http_is_given_up_at_once),
		cmocka_unit_test(a_body_by_sendfile_is_counted_by_its_length),
		cmocka_unit_test(a_connection_that_ends_leaves_its_requests_unanswered),
		cmocka_unit_test(a_response_that_breaks_off_is_incomplete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

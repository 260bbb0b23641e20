/* SPDX-License-Identifier: Apache-2.0 */
/* The table of connections and the pools behind it: every bound holds, and every refusal counts. */
#include "unit/pipeline/flow.h"

/* Each connection on a wire of its own. */
static struct wire wires[8];

static void wires_init(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(wires); i++) {
		wire_init(&wires[i], 100 + i, SOCKET_RX);
		wires[i].now_ns += i;
	}
}

static void send_on(struct flow *flow, unsigned i, bool response, const char *text)
{
	wire_seen(&wires[i], response ? SOCKET_TX : SOCKET_RX, text);
	flow_send_of(flow, &wires[i], 0);
}

static void connections_do_not_mix(void **state)
{
	struct flow flow;

	flow_init(&flow);
	wires_init();
	send_on(&flow, 0, false, GET("/a"));
	send_on(&flow, 1, false, GET("/b"));
	send_on(&flow, 2, false, "GET /c HT");
	send_on(&flow, 1, true, "HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n");
	send_on(&flow, 2, false, "TP/1.1\r\n\r\n");
	send_on(&flow, 0, true, OK_5);
	send_on(&flow, 2, true, "HTTP/1.1 203 X\r\nContent-Length: 0\r\n\r\n");
	is_answered(&flow, 0, "/b", 201);
	is_answered(&flow, 1, "/a", 200);
	is_answered(&flow, 2, "/c", 203);
	assert_int_equal(self_get(SELF_CONNECTIONS), 3);
	flow_done(&flow);
	assert_int_equal(self_get(SELF_CONNECTIONS), 0);
}

static void a_closed_connection_is_forgotten(void **state)
{
	struct flow flow;

	flow_init(&flow);
	wires_init();
	for (unsigned i = 0; i < ARRAY_LEN(wires); i++) {
		send_on(&flow, i, false, GET("/"));
		wire_seen(&wires[i], SOCKET_TX, OK_5);
		flow_send_of(&flow, &wires[i], i % 2 ? SOCKET_CLOSED : SOCKET_TX_CLOSED);
		assert_int_equal(flow.conns.table.used, 0);
	}
	assert_int_equal(flow.count, ARRAY_LEN(wires));
	flow_done(&flow);
}

static void an_end_without_bytes_makes_no_connection(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_close(&flow);
	flow_send_of(&flow, &flow.wire, SOCKET_TX_CLOSED);
	assert_int_equal(flow.conns.table.used, 0);
	flow_done(&flow);
}

static void the_longest_unused_makes_way_and_its_requests_are_counted(void **state)
{
	struct flow flow;

	flow_init_sized(&flow, 4, 64, 4);
	wires_init();
	assert_int_equal(self_get(SELF_CONNECTIONS_MAX), 4);
	for (unsigned i = 0; i < 4; i++)
		send_on(&flow, i, false, GET("/open"));
	send_on(&flow, 0, true, OK_5);		/* 0 is used last now, 1 the longest unused */
	assert_int_equal(flow.count, 1);

	send_on(&flow, 4, false, GET("/five"));
	assert_int_equal(self_get(SELF_CONNECTIONS_EVICTED), 1);
	assert_int_equal(flow.conns.table.used, 4);
	assert_int_equal(flow.count, 2);
	is_done(&flow, 1, "/open", OUTCOME_UNSEEN, 0);

	/* what was forgotten is followed anew: its response has no request any more */
	send_on(&flow, 1, true, OK_5);
	send_on(&flow, 1, false, GET("/again"));
	send_on(&flow, 1, true, OK_5);
	is_answered(&flow, flow.count - 1, "/again", 200);
	assert_int_equal(self_get(SELF_CONNECTIONS_EVICTED), 2);
	flow_done(&flow);
	assert_int_equal(flow.count, 6);
}

static void the_order_of_use_survives_a_thousand_changes(void **state)
{
	struct flow flow;
	unsigned random = 7, used[8];

	flow_init_sized(&flow, 8, 64, 4);
	wires_init();
	for (unsigned i = 0; i < 1000; i++) {
		unsigned which = (random = random * 1103515245 + 12345) >> 16 & 7;
		struct conn *conn;

		send_on(&flow, which, false, GET("/"));
		wire_seen(&wires[which], SOCKET_TX, OK_5);
		flow_send_of(&flow, &wires[which], i % 5 ? 0 : SOCKET_CLOSED);
		used[which] = i;
		if (!flow.conns.oldest)
			continue;
		conn = (struct conn *)flow.conns.table.entries + flow.conns.oldest - 1;
		for (unsigned w = 0; w < 8; w++)
			if (table_find(&flow.conns.table, &wires[w].event.conn))
				assert_true(used[w] >= used[conn->id - 100]);
	}
	assert_int_equal(flow.count, 1000);
	flow_done(&flow);
}

static void idle_connections_expire_but_not_while_a_request_is_open(void **state)
{
	struct flow flow;

	flow_init(&flow);
	wires_init();
	send_on(&flow, 0, false, GET("/waits"));
	send_on(&flow, 1, false, GET("/done"));
	send_on(&flow, 1, true, OK_5);
	wires[2].now_ns += 10 * NSEC_PER_SEC;
	send_on(&flow, 2, false, GET("/fresh"));
	send_on(&flow, 2, true, OK_5);

	conns_expire(&flow.conns, wires[2].now_ns - NSEC_PER_SEC);
	assert_int_equal(flow.conns.table.used, 2);
	assert_int_equal(flow.count, 2);
	send_on(&flow, 0, true, OK_5);
	is_answered(&flow, 2, "/waits", 200);
	conns_expire(&flow.conns, UINT64_MAX);
	assert_int_equal(flow.conns.table.used, 0);
	assert_int_equal(flow.count, 3);
	flow_done(&flow);
}

/* Nobody tells the end of a Unix socket, and the record that told another's may be lost. */
static void open_requests_expire_where_no_end_will_come(void **state)
{
	struct flow flow;

	flow_init(&flow);
	wires_init();
	wires[0].event.family = AF_UNIX;
	send_on(&flow, 0, false, GET("/unix"));
	send_on(&flow, 0, true, "HTTP/1.0 200 OK\r\n\r\nuntil the end");
	send_on(&flow, 1, false, GET("/tcp"));

	conns_expire(&flow.conns, wires[1].now_ns + NSEC_PER_SEC);
	assert_int_equal(flow.count, 1);
	is_answered(&flow, 0, "/unix", 200);
	conns_expire(&flow.conns, wires[1].now_ns + CONN_OPEN_IDLE_NS + NSEC_PER_SEC);
	assert_int_equal(flow.count, 2);
	is_done(&flow, 1, "/tcp", OUTCOME_UNANSWERED, 0);
	flow_done(&flow);
}

static void without_a_free_exchange_an_open_request_gives_way_and_is_counted(void **state)
{
	struct flow flow;

	flow_init_sized(&flow, 8, 2, 4);
	wires_init();
	for (unsigned i = 0; i < 4; i++)
		send_on(&flow, i, false, "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi");
	assert_int_equal(self_get(SELF_PENDING_REFUSED), 2);
	is_done(&flow, 0, "/", OUTCOME_UNSEEN, 0);
	is_done(&flow, 1, "/", OUTCOME_UNSEEN, 0);
	for (unsigned i = 0; i < 4; i++)
		send_on(&flow, i, true, OK_5);
	assert_int_equal(flow.count, 4);
	is_answered(&flow, 2, "/", 200);
	is_answered(&flow, 3, "/", 200);
	assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), 2);

	/* those that gave way go on too, and nothing is matched with what it does not answer */
	for (unsigned i = 0; i < 4; i++) {
		send_on(&flow, i, false, GET("/next"));
		send_on(&flow, i, true, "HTTP/1.1 203 X\r\nContent-Length: 0\r\n\r\n");
		is_answered(&flow, 4 + i, "/next", 203);
	}
	assert_int_equal(flow.count, 8);
	assert_int_equal(self_get(SELF_UNMATCHED_RESPONSES), 2);
	flow_done(&flow);
}

static void the_next_request_of_a_pipeline_does_not_get_the_response_of_one_that_gave_way(void **state)
{
	struct flow flow;

	flow_init_sized(&flow, 8, 2, 4);
	wires_init();
	send_on(&flow, 0, false, GET("/1"));
	send_on(&flow, 0, false, GET("/2"));
	send_on(&flow, 1, false, GET("/other"));
	is_done(&flow, 0, "/1", OUTCOME_UNSEEN, 0);
	send_on(&flow, 0, true, "HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(flow.count, 1);
	send_on(&flow, 0, true, "HTTP/1.1 202 X\r\nContent-Length: 0\r\n\r\n");
	is_answered(&flow, 1, "/2", 202);
	flow_done(&flow);
}

static void without_a_free_head_buffer_the_oldest_head_in_pieces_gives_way_and_is_counted(void **state)
{
	struct flow flow;

	flow_init_sized(&flow, 8, 64, 1);
	wires_init();
	send_on(&flow, 0, false, "GET /gives-way HT");
	send_on(&flow, 1, false, "GET /has-it HT");
	assert_int_equal(self_get(SELF_HEAD_BUFFERS_REFUSED), 1);
	send_on(&flow, 1, false, "TP/1.1\r\n\r\n");
	send_on(&flow, 0, false, "TP/1.1\r\n\r\n");
	send_on(&flow, 1, true, OK_5);
	send_on(&flow, 0, true, OK_5);
	assert_int_equal(flow.count, 1);
	is_answered(&flow, 0, "/has-it", 200);
	assert_int_equal(flow.ignored, 0);

	send_on(&flow, 0, false, GET("/whole"));
	send_on(&flow, 0, true, OK_5);
	is_answered(&flow, 1, "/whole", 200);
	flow_done(&flow);
}

static void the_process_of_the_last_call_is_the_exchange_s(void **state)
{
	struct flow flow;

	flow_init(&flow);
	flow_request(&flow, GET("/accepted"));
	flow.wire.event.event.tgid = 2000;	/* a forked child answers */
	wire_seen(&flow.wire, SOCKET_TX, OK_5);
	flow_send(&flow);
	flow.wire.event.event.tgid = 0;		/* closed by no task */
	flow_request(&flow, GET("/2"));
	flow_close(&flow);
	assert_int_equal(flow.done[0].tgid, 2000);
	assert_int_equal(flow.done[1].tgid, 2000);
	flow_done(&flow);
}

static void a_million_capacity_of_connections_costs_nothing_until_used(void **state)
{
	struct flow flow;

	flow_init_sized(&flow, 1000000, 16384, 512);
	flow_request(&flow, GET("/"));
	flow_response(&flow, OK_5);
	assert_int_equal(flow.count, 1);
	assert_int_equal(flow.conns.exchanges.touched, 1);
	assert_int_equal(flow.conns.heads.touched, 0);
	flow_done(&flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_do_not_mix),
		cmocka_unit_test(a_closed_connection_is_forgotten),
		cmocka_unit_test(an_end_without_bytes_makes_no_connection),
		cmocka_unit_test(the_longest_unused_makes_way_and_its_requests_are_counted),
		cmocka_unit_test(the_order_of_use_survives_a_thousand_changes),
		cmocka_unit_test(idle_connections_expire_but_not_while_a_request_is_open),
		cmocka_unit_test(open_requests_expire_where_no_end_will_come),
		cmocka_unit_test(without_a_free_exchange_an_open_request_gives_way_and_is_counted),
		cmocka_unit_test(the_next_request_of_a_pipeline_does_not_get_the_response_of_one_that_gave_way),
		cmocka_unit_test(without_a_free_head_buffer_the_oldest_head_in_pieces_gives_way_and_is_counted),
		cmocka_unit_test(the_process_of_the_last_call_is_the_exchange_s),
		cmocka_unit_test(a_million_capacity_of_connections_costs_nothing_until_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

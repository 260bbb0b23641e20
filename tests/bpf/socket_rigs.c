// SPDX-License-Identifier: Apache-2.0
/* Cases that need another attachment than the common one: later, smaller, narrower, or a second. */
#include "socket_cases.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source/socket.h"
#include "view.h"

#define REQUEST "GET /rig HTTP/1.1\r\nHost: test.example\r\n\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"

static struct talk talk_of(unsigned count)
{
	return (struct talk){
		.request = { REQUEST, sizeof(REQUEST) - 1 },
		.response = { RESPONSE, 1000 },
		.count = count,
	};
}

/* --- attached late ---------------------------------------------------------------------------- */

static void talk_before_and_after(struct child *child, const void *arg)
{
	struct pair pair;

	pair_open(&pair, PAIR_V4);
	talk_on(&pair, arg);
	child_step(child);
	talk_on(&pair, arg);
	close(pair.client);
	close(pair.server);
}

static void older_connection(void **state)
{
	struct talk talk = talk_of(2);
	struct child child;
	struct rig *late;

	child_start(&child, talk_before_and_after, &talk);
	child_go(&child);
	child_reached(&child);
	late = another_rig(*state, NULL);
	rig_watch(late, child.pid, 0);
	child_go(&child);
	child_end(&child);
	rig_wait_ends(late, 2);
	talk_check(late, child.pid, &talk);
	rig_close(late);
}

/* Watched when half a request has passed: that one is lost, the next is whole. */
static void talk_from_the_middle(struct child *child, const void *arg)
{
	const struct talk *talk = arg;
	uint8_t *request = message_make(&talk->request), *response = message_make(&talk->response);
	const size_t half = sizeof("GET /rig HTTP/1.1\r\n") - 1;
	struct pair pair;

	pair_open(&pair, PAIR_V4);
	ways[WAY_READ].put(pair.client, request, half);
	ways[WAY_READ].get(pair.server, request, half);
	child_step(child);
	ways[WAY_READ].put(pair.client, request + half, talk->request.len - half);
	ways[WAY_READ].get(pair.server, request + half, talk->request.len - half);
	ways[WAY_READ].put(pair.server, response, talk->response.len);
	ways[WAY_READ].get(pair.client, response, talk->response.len);
	talk_on(&pair, talk);
	close(pair.client);
	close(pair.server);
}

static void middle_of_a_message(void **state)
{
	struct rig *rig = *state;
	struct talk talk = talk_of(1);
	struct side client, server;
	struct child child;

	child_start(&child, talk_from_the_middle, &talk);
	child_go(&child);
	child_reached(&child);
	rig_watch(rig, child.pid, 0);
	child_go(&child);
	child_end(&child);
	rig_wait_ends(rig, 2);
	client = side_of(rig, child.pid, SOCKET_TX, 0);
	server = side_of(rig, child.pid, SOCKET_RX, 0);
	side_check(&client, SOCKET_TX, &talk.request, 1, SOCKET_BIG_MAX);
	side_check(&server, SOCKET_RX, &talk.request, 1, SOCKET_BIG_MAX);
	side_check(&client, SOCKET_RX, &talk.response, 2, SOCKET_RESPONSE_MAX);
	side_check(&server, SOCKET_TX, &talk.response, 2, SOCKET_RESPONSE_MAX);
}

/* --- narrowed --------------------------------------------------------------------------------- */

static uint16_t selected_port;

static void select_port(struct config *config)
{
	config->ports.item[config->ports.count++] = selected_port;
}

static void talk_on_ports(struct child *child, const void *arg)
{
	struct pair pair;

	talk_run(child, arg);
	pair_open(&pair, PAIR_UNIX);
	talk_on(&pair, arg);
	pair_open_port(&pair, selected_port);
	talk_on(&pair, arg);
	close(pair.client);
	close(pair.server);
}

static void by_port(void **state)
{
	struct talk talk = talk_of(1);
	struct child child;
	struct rig *rig;

	close(pair_listen(PAIR_V4, 0, &selected_port));
	rig = another_rig(*state, select_port);
	child_start(&child, talk_on_ports, &talk);
	rig_watch(rig, child.pid, TARGET_BY_PORT);
	child_go(&child);
	child_end(&child);
	rig_wait_ends(rig, 2);
	talk_check(rig, child.pid, &talk);	/* one connection and no other */
	assert_int_equal(side_of(rig, child.pid, SOCKET_RX, 0).first->local_port, selected_port);
	assert_int_equal(side_of(rig, child.pid, SOCKET_TX, 0).first->remote_port, selected_port);
	rig_close(rig);
}

static bool both_sides_came(const struct rig *rig, const void *pid)
{
	struct side side;

	return side_find(rig, *(const pid_t *)pid, SOCKET_RX, 0, &side) &&
	       side_find(rig, *(const pid_t *)pid, SOCKET_TX, 0, &side);
}

/* The kernel looks for it once in 16 records of a connection. */
static void ignored_connection(void **state)
{
	struct rig *rig = *state;
	struct talk talk = talk_of(64);
	struct side client, server;
	struct child child;

	child_start(&child, talk_before_and_after, &talk);
	rig_watch(rig, child.pid, 0);
	child_go(&child);
	child_reached(&child);
	assert_true(rig_wait(rig, both_sides_came, &child.pid));
	client = side_of(rig, child.pid, SOCKET_TX, 0);
	server = side_of(rig, child.pid, SOCKET_RX, 0);
	socket_source_ignore(rig->socket, client.conn);
	socket_source_ignore(rig->socket, server.conn);
	rig_clear(rig);
	child_go(&child);
	child_end(&child);
	rig_read(rig);
	assert_in_range(rig->records, 0, 2 * 16);
}

/* --- too small -------------------------------------------------------------------------------- */

static void smallest_ring(struct config *config)
{
	config->ring_bytes = 4096;
}

static bool all_accounted_for(const struct rig *rig, const void *total)
{
	return rig->records + rig_drops((struct rig *)rig, DROP_RING_DATA) >=
	       *(const unsigned *)total;
}

/* Nobody reads while it fills: what did not fit was counted, to the record. */
static void full_ring(void **state)
{
	struct rig *rig = *state, *small = another_rig(rig, smallest_ring);
	struct talk talk = talk_of(200);
	unsigned total;

	child_run(rig, talk_run, &talk);
	rig_wait_ends(rig, 2);
	total = rig->records;
	assert_int_equal(rig_drops(rig, DROP_RING_DATA), 0);

	child_run(small, talk_run, &talk);
	rig_wait(small, all_accounted_for, &total);
	assert_int_not_equal(small->records, 0);
	assert_in_range(rig_drops(small, DROP_RING_DATA), 100, 10000);
	assert_int_equal(small->records + rig_drops(small, DROP_RING_DATA), total);
	rig_close(small);
}

static void side_by_side(void **state)
{
	struct rig *one = *state, *two = another_rig(one, NULL);
	struct talk talk = talk_of(20);
	struct child child;
	pid_t pid;

	child_start(&child, talk_run, &talk);
	rig_watch(one, child.pid, 0);
	rig_watch(two, child.pid, 0);
	child_go(&child);
	child_end(&child);
	rig_wait_ends(one, 2);
	rig_wait_ends(two, 2);
	talk_check(one, child.pid, &talk);
	talk_check(two, child.pid, &talk);
	rig_close(two);
	rig_clear(one);
	pid = child_run(one, talk_run, &talk);	/* one goes on without two */
	rig_wait_ends(one, 2);
	talk_check(one, pid, &talk);
}

static void detached(void **state)
{
	struct rig *rig = another_rig(*state, NULL);
	struct talk talk = talk_of(5);
	pid_t pid = child_run(rig, talk_run, &talk);

	socket_source_detach(rig->socket);
	child_run(rig, talk_run, &talk);
	rig_read(rig);
	assert_int_equal(records_of(rig, pid), rig->records);
	assert_int_not_equal(rig->records, 0);
	rig_close(rig);
}

const struct socket_case rig_cases[] = {
	{ "sees_a_connection_older_than_itself", older_connection },
	{ "begins_with_the_next_message_when_in_the_middle_of_one", middle_of_a_message },
	{ "sees_only_selected_ports", by_port },
	{ "stops_when_a_connection_is_given_up", ignored_connection },
	{ "counts_every_record_a_full_ring_refused", full_ring },
	{ "does_not_disturb_another_one", side_by_side },
	{ "keeps_what_was_seen_when_detached", detached },
	{},
};

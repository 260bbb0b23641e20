// SPDX-License-Identifier: Apache-2.0
/* Cases about bytes: whatever call moves them, both ends count and show them right. */
#include "socket_cases.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "view.h"

#define REQUEST "GET /users/7 HTTP/1.1\r\nHost: test.example\r\n\r\n"
#define POST "POST /users HTTP/1.1\r\nHost: test.example\r\nContent-Length: 9999\r\n\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"

static const struct talk plain = {
	.request = { REQUEST, sizeof(REQUEST) - 1 },
	.response = { RESPONSE, 100 },
	.count = 3,
};

static bool kind_works(enum pair_kind kind)
{
	int fd = kind == PAIR_V6 || kind == PAIR_MAPPED ? socket(AF_INET6, SOCK_STREAM, 0) : 0;

	if (fd > 0)
		close(fd);
	return fd >= 0;
}

static void expect_talk(struct rig *rig, const struct talk *talk)
{
	pid_t pid;

	rig_clear(rig);
	pid = child_run(rig, talk_run, talk);
	rig_wait_ends(rig, pair_is_tcp(talk->kind) ? 2 : 0);
	talk_check(rig, pid, talk);
}

static void expect_talk_of_all_kinds(struct rig *rig, struct talk talk)
{
	for (int kind = 0; kind < PAIR_KINDS; kind++) {
		talk.kind = kind;
		if (kind_works(kind))
			expect_talk(rig, &talk);
	}
}

static void way_is_seen(struct rig *rig, int way)
{
	struct talk talk = plain;

	talk.way = talk.response_way = way;
	expect_talk_of_all_kinds(rig, talk);
}

static void read_and_write(void **state)
{
	way_is_seen(*state, WAY_READ);
}

static void readv_and_writev(void **state)
{
	way_is_seen(*state, WAY_READV);
}

static void head_split_over_iovecs(void **state)
{
	way_is_seen(*state, WAY_READV_SPLIT);
}

static void recv_and_send(void **state)
{
	way_is_seen(*state, WAY_RECV);
}

static void recvmsg_and_sendmsg(void **state)
{
	way_is_seen(*state, WAY_RECVMSG);
}

static void sendmmsg_of_three(void **state)
{
	struct talk talk = plain;

	talk.way = talk.response_way = WAY_SENDMMSG;
	talk.request.len = 300;
	expect_talk_of_all_kinds(*state, talk);
}

static void peek_counts_once(void **state)
{
	way_is_seen(*state, WAY_PEEK);
}

static void byte_a_call(void **state)
{
	way_is_seen(*state, WAY_PIECES);
}

static void request_sizes(void **state)
{
	static const size_t sizes[] = { 300, 512, 513, 700, 2048, 3000, 8000, 8192, 20000 };
	struct talk talk = plain;

	talk.request.head = POST;
	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		talk.request.len = sizes[i];
		talk.kind = i % 2 ? PAIR_V4 : PAIR_UNIX;
		expect_talk(*state, &talk);
		talk.kind = i % 2 ? PAIR_UNIX_NAMED : PAIR_V6;
		if (kind_works(talk.kind))
			expect_talk(*state, &talk);
	}
}

static void response_sizes(void **state)
{
	static const size_t sizes[] = { 44, 100, 1023, 1024, 1040, 5000, 1 << 20 };
	struct talk talk = plain;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		talk.response.len = sizes[i];
		talk.count = sizes[i] > 10000 ? 1 : 3;
		talk.kind = PAIR_V4;
		expect_talk(*state, &talk);
		talk.kind = PAIR_UNIX;
		expect_talk(*state, &talk);
	}
}

/* The bytes cannot be had, their count and time can. */
static void sendfile_body(void **state)
{
	struct talk talk = plain;

	talk.response_way = WAY_SENDFILE;
	talk.response.len = 30000;
	expect_talk_of_all_kinds(*state, talk);
}

/* Each end has a thread that writes while another reads: CPUs meet on one connection. */
static void pipelined_threads(void **state)
{
	struct talk talk = plain;

	talk.at_once = true;
	talk.count = 300;
	expect_talk_of_all_kinds(*state, talk);
}

static uint64_t bytes_seen(const struct rig *rig, pid_t pid)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < 4; i++) {
		struct side side;

		if (side_find(rig, pid, i & 1 ? SOCKET_TX : SOCKET_RX, 0, &side))
			bytes += side_bytes(&side, i & 2 ? SOCKET_TX : SOCKET_RX);
	}
	return bytes;
}

/* Programs that are preempted are not run for others meanwhile: what is missing then is counted. */
static void preempted_programs(void **state)
{
	struct rig *rig = *state;
	struct talk talk = plain;
	uint64_t missed = rig_missed(rig), seen;
	pid_t pid;

	talk.at_once = true;
	talk.count = 300;
	children_are_wild = true;
	pid = child_run(rig, talk_run, &talk);
	children_are_wild = false;
	rig_read(rig);
	seen = bytes_seen(rig, pid);
	missed = rig_missed(rig) - missed;
	if (missed)
		printf("    %llu calls not seen\n", (unsigned long long)missed);
	else
		assert_int_equal(seen, 2 * talk.count * (talk.request.len + talk.response.len));
	assert_in_range(seen, talk.count * talk.response.len,
			2 * talk.count * (talk.request.len + talk.response.len));
}

static void both_ends_name_the_endpoints(void **state)
{
	struct rig *rig = *state;
	struct side client, server;
	pid_t pid;

	pid = child_run(rig, talk_run, &plain);
	rig_wait_ends(rig, 2);
	client = side_of(rig, pid, SOCKET_TX, 0);
	server = side_of(rig, pid, SOCKET_RX, 0);
	assert_int_equal(client.first->family, AF_INET);
	assert_int_equal(client.first->local_port, server.first->remote_port);
	assert_int_equal(client.first->remote_port, server.first->local_port);
	assert_memory_equal(client.first->local_addr, "\x7f\0\0\1", 4);
	assert_memory_equal(server.first->remote_addr, "\x7f\0\0\1", 4);
	assert_int_not_equal(client.conn, server.conn);
	assert_int_not_equal(client.first->netns, 0);
}

const struct socket_case transfer_cases[] = {
	{ "sees_read_and_write", read_and_write },
	{ "sees_readv_and_writev", readv_and_writev },
	{ "sees_a_head_split_over_iovecs", head_split_over_iovecs },
	{ "sees_recv_and_send", recv_and_send },
	{ "sees_recvmsg_and_sendmsg", recvmsg_and_sendmsg },
	{ "sees_each_message_of_a_sendmmsg", sendmmsg_of_three },
	{ "counts_peeked_bytes_once", peek_counts_once },
	{ "puts_single_bytes_together", byte_a_call },
	{ "copies_requests_of_any_size_up_to_its_limit", request_sizes },
	{ "counts_responses_of_any_size_to_the_byte", response_sizes },
	{ "counts_a_body_sent_by_sendfile", sendfile_body },
	{ "loses_nothing_when_threads_read_and_write_at_once", pipelined_threads },
	{ "loses_nothing_that_the_kernel_does_not_count", preempted_programs },
	{ "names_the_endpoints_alike_at_both_ends", both_ends_name_the_endpoints },
	{},
};

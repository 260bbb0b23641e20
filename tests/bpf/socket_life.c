// SPDX-License-Identifier: Apache-2.0
/* Cases about connections: how they end, who holds them, and which are none of ours. */
#include "socket_cases.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "view.h"

#define REQUEST "GET /life HTTP/1.1\r\nHost: test.example\r\n\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"

static const struct message request = { REQUEST, sizeof(REQUEST) - 1 };
static const struct message response = { RESPONSE, 100 };
static const struct talk once = {
	.request = { REQUEST, sizeof(REQUEST) - 1 }, .response = { RESPONSE, 100 }, .count = 1,
};

static void put(int fd, const struct message *message)
{
	uint8_t *at = message_make(message);

	ways[WAY_READ].put(fd, at, message->len);
	free(at);
}

static void get(int fd, const struct message *message)
{
	uint8_t *at = malloc(message->len);

	must(at);
	ways[WAY_READ].get(fd, at, message->len);
	free(at);
}

static void expect_end(int fd)
{
	char end;

	must(read(fd, &end, 1) == 0);
}

static unsigned count_chunks(const struct side *side, enum chunk_flag flag)
{
	unsigned count = 0;

	for (unsigned i = 0; i < side->rig->records; i++) {
		const struct socket_event *event = &side->rig->record[i].event;

		for (unsigned j = 0; event->conn == side->conn && j < event->chunks; j++)
			count += (event->chunk[j].flags & flag) != 0;
	}
	return count;
}

/* --- ends ------------------------------------------------------------------------------------- */

static void client_closes_first(void **state)
{
	struct rig *rig = *state;
	struct side client, server;
	pid_t pid = child_run(rig, talk_run, &once);

	rig_wait_ends(rig, 2);
	client = side_of(rig, pid, SOCKET_TX, 0);
	server = side_of(rig, pid, SOCKET_RX, 0);
	assert_int_equal(client.flags & (SOCKET_CLOSED | SOCKET_TX_CLOSED), SOCKET_CLOSED);
	assert_int_equal(server.flags & (SOCKET_CLOSED | SOCKET_TX_CLOSED), SOCKET_TX_CLOSED);
}

static void close_server_first(struct child *child, const void *arg)
{
	struct pair pair;

	pair_open(&pair, PAIR_V4);
	talk_on(&pair, arg);
	close(pair.server);
	expect_end(pair.client);
	close(pair.client);
}

static void server_closes_first(void **state)
{
	struct rig *rig = *state;
	struct side client, server;
	pid_t pid = child_run(rig, close_server_first, &once);

	rig_wait_ends(rig, 2);
	client = side_of(rig, pid, SOCKET_TX, 0);
	server = side_of(rig, pid, SOCKET_RX, 0);
	assert_int_equal(count_chunks(&client, CHUNK_END), 1);
	assert_true(client.flags & SOCKET_CLOSED);
	assert_true(server.flags & SOCKET_TX_CLOSED);
	talk_check(rig, pid, &once);
}

static void half_close(struct child *child, const void *arg)
{
	struct pair pair;

	pair_open(&pair, PAIR_V4);
	put(pair.client, &request);
	must(!shutdown(pair.client, SHUT_WR));
	get(pair.server, &request);
	expect_end(pair.server);
	put(pair.server, &response);
	if (!arg)
		close(pair.server);	/* to TCP all is over before the client looks */
	get(pair.client, &response);
	if (arg)
		close(pair.server);
	expect_end(pair.client);
	close(pair.client);
}

static void answer_after_half_close(void **state)
{
	struct rig *rig = *state;

	for (int late = 0; late < 2; late++) {
		pid_t pid;

		rig_clear(rig);
		pid = child_run(rig, half_close, late ? rig : NULL);
		rig_wait_ends(rig, 2);
		talk_check(rig, pid, &once);
	}
}

static void never_answer(struct child *child, const void *kind)
{
	struct pair pair;

	pair_open(&pair, *(const enum pair_kind *)kind);
	put(pair.client, &request);
	get(pair.server, &request);
	close(pair.client);
	close(pair.server);
}

static void request_without_answer(void **state)
{
	static const enum pair_kind kinds[] = { PAIR_V4, PAIR_UNIX };
	struct rig *rig = *state;

	for (unsigned i = 0; i < 2; i++) {
		pid_t pid = child_run(rig, never_answer, &kinds[i]);
		struct side client, server;

		rig_wait_ends(rig, 2);
		client = side_of(rig, pid, SOCKET_TX, 0);
		server = side_of(rig, pid, SOCKET_RX, 0);
		side_check(&client, SOCKET_TX, &request, 1, SOCKET_BIG_MAX);
		side_check(&server, SOCKET_RX, &request, 1, SOCKET_BIG_MAX);
		assert_int_equal(side_bytes(&client, SOCKET_RX) + side_bytes(&server, SOCKET_TX),
				 0);
	}
}

static void die_waiting(struct child *child, const void *arg)
{
	pid_t victim = fork();
	int status;

	must(victim >= 0);
	if (!victim) {
		struct pair pair;

		pair_open(&pair, PAIR_V4);
		put(pair.client, &request);
		get(pair.server, &request);
		raise(SIGKILL);
	}
	must(waitpid(victim, &status, 0) == victim);
	must(WIFSIGNALED(status));
}

/* The tgid of the first record of that direction: a process whose pid only the child knew. */
static pid_t someone(const struct rig *rig, enum socket_dir request_dir)
{
	for (unsigned i = 0; i < rig->records; i++)
		if (rig->record[i].event.request_dir == request_dir)
			return rig->record[i].event.event.tgid;
	fail_msg("no record");
	return 0;
}

static void request_of_a_killed_process(void **state)
{
	struct rig *rig = *state;
	struct side client, server;

	child_run(rig, die_waiting, NULL);
	rig_wait_ends(rig, 2);
	client = side_of(rig, someone(rig, SOCKET_TX), SOCKET_TX, 0);
	server = side_of(rig, someone(rig, SOCKET_RX), SOCKET_RX, 0);
	side_check(&client, SOCKET_TX, &request, 1, SOCKET_BIG_MAX);
	side_check(&server, SOCKET_RX, &request, 1, SOCKET_BIG_MAX);
}

/* --- holders ---------------------------------------------------------------------------------- */

static void accept_and_fork(struct child *child, const void *arg)
{
	struct pair pair;
	pid_t worker;
	int status;

	pair_open(&pair, PAIR_V4);
	worker = fork();
	must(worker >= 0);
	if (!worker) {
		close(pair.client);
		get(pair.server, &request);
		put(pair.server, &response);
		_exit(0);
	}
	close(pair.server);
	put(pair.client, &request);
	get(pair.client, &response);
	must(waitpid(worker, &status, 0) == worker);
	must(!status);
	close(pair.client);
}

static void forked_worker(void **state)
{
	struct rig *rig = *state;
	pid_t pid = child_run(rig, accept_and_fork, NULL), worker;
	struct side client, server;

	rig_wait_ends(rig, 2);
	worker = someone(rig, SOCKET_RX);
	assert_int_not_equal(worker, pid);
	client = side_of(rig, pid, SOCKET_TX, 0);
	server = side_of(rig, worker, SOCKET_RX, 0);
	side_check(&client, SOCKET_RX, &response, 1, SOCKET_RESPONSE_MAX);
	side_check(&server, SOCKET_RX, &request, 1, SOCKET_BIG_MAX);
	side_check(&server, SOCKET_TX, &response, 1, SOCKET_RESPONSE_MAX);
}

#define BLOCKED 64

static void *answer_two(void *fd)
{
	for (unsigned i = 0; i < 2; i++) {
		get(*(int *)fd, &request);
		put(*(int *)fd, &response);
	}
	expect_end(*(int *)fd);
	return NULL;
}

/* Do all threads but this one sleep? Then each is where it was sent: in read(). */
static bool all_others_sleep(void)
{
	_cleanup_(closedirp) DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned asleep = 0;

	must(tasks);
	while ((entry = readdir(tasks))) {
		_cleanup_(fclosep) FILE *file = NULL;
		char path[300], state = 0;

		snprintf(path, sizeof(path), "/proc/self/task/%s/stat", entry->d_name);
		file = fopen(path, "re");
		if (file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1)
			asleep += state == 'S';
	}
	return asleep == BLOCKED;
}

/* Many calls have begun long before one of them ends. */
static void block_and_answer(struct child *child, const void *arg)
{
	struct pair pairs[BLOCKED];
	pthread_t threads[BLOCKED];

	for (unsigned i = 0; i < BLOCKED; i++) {
		pair_open(&pairs[i], PAIR_V4);
		must(!pthread_create(&threads[i], NULL, answer_two, &pairs[i].server));
	}
	while (!all_others_sleep())
		sched_yield();
	for (unsigned i = 0; i < 2 * BLOCKED; i++) {
		put(pairs[i % BLOCKED].client, &request);
		get(pairs[i % BLOCKED].client, &response);
	}
	for (unsigned i = 0; i < BLOCKED; i++) {
		close(pairs[i].client);
		must(!pthread_join(threads[i], NULL));
		close(pairs[i].server);
	}
}

/* Bytes read at all ends of one kind, in messages of `len`. */
static uint64_t messages_read(const struct rig *rig, pid_t pid, enum socket_dir request_dir,
			      size_t len)
{
	uint64_t bytes = 0;
	struct side side;

	for (unsigned i = 0; side_find(rig, pid, request_dir, i, &side); i++)
		bytes += side_bytes(&side, SOCKET_RX);
	assert_int_equal(bytes % len, 0);
	return bytes / len;
}

/*
 * Return probes come to an end: choice kprobe loses calls here, and counts each, though the last of a
 * thread only when it makes another.
 */
static void many_blocked_threads(void **state)
{
	struct rig *rig = *state;
	uint64_t before = rig_missed(rig), missed, missing = 4 * BLOCKED;
	pid_t pid = child_run(rig, block_and_answer, NULL);

	rig_wait_ends(rig, 2 * BLOCKED);
	missed = rig_missed(rig) - before;
	missing -= messages_read(rig, pid, SOCKET_RX, request.len);
	missing -= messages_read(rig, pid, SOCKET_TX, response.len);
	if (missed)
		printf("    %llu calls not seen\n", (unsigned long long)missed);
	assert_in_range(missed, missing ? missing - 1 : 0, missing);
	assert_true(!missing || !strcmp(socket_source.choices[rig->choice].name, "kprobe"));
}

/* --- none of ours ----------------------------------------------------------------------------- */

static void unwatched_process(void **state)
{
	struct rig *rig = *state;
	struct child stranger;
	pid_t pid;

	child_start(&stranger, talk_run, &once);
	child_go(&stranger);
	child_end(&stranger);
	pid = child_run(rig, talk_run, &once);	/* whose records would come behind */
	rig_wait_ends(rig, 2);
	assert_int_equal(records_of(rig, stranger.pid), 0);
	assert_int_not_equal(records_of(rig, pid), 0);
}

static void serve_on(struct child *child, const void *port)
{
	uint16_t bound;
	int listener = pair_listen(PAIR_V4, *(const uint16_t *)port, &bound), fd;

	child_step(child);
	fd = accept(listener, NULL, NULL);
	must(fd >= 0);
	get(fd, &request);
	put(fd, &response);
	close(fd);
}

static void ask_on(struct child *child, const void *port)
{
	int fd = pair_connect(PAIR_V4, *(const uint16_t *)port);

	put(fd, &request);
	get(fd, &response);
	close(fd);
}

static void unwatched_peer(void **state)
{
	struct rig *rig = *state;
	struct child server, client;
	struct side side;
	uint16_t port;

	close(pair_listen(PAIR_V4, 0, &port));
	child_start(&server, serve_on, &port);
	child_start(&client, ask_on, &port);
	rig_watch(rig, server.pid, 0);
	child_go(&server);
	child_reached(&server);
	child_go(&server);
	child_go(&client);
	child_end(&client);
	child_end(&server);
	rig_wait_ends(rig, 1);
	side = side_of(rig, server.pid, SOCKET_RX, 0);
	side_check(&side, SOCKET_RX, &request, 1, SOCKET_BIG_MAX);
	side_check(&side, SOCKET_TX, &response, 1, SOCKET_RESPONSE_MAX);
	assert_int_equal(side.records, rig->records);
}

static void talk_nonsense(struct child *child, const void *arg)
{
	static const struct message hello = { "\x16\x03\x01\x02\x04", 300 },
				    reply = { "SSH-2.0-x\r\n", 40 };
	struct pair pair;

	for (int kind = 0; kind < PAIR_KINDS; kind += PAIR_UNIX) {
		pair_open(&pair, kind);
		put(pair.client, &hello);
		get(pair.server, &hello);
		put(pair.server, &reply);
		get(pair.client, &reply);
		close(pair.client);
		close(pair.server);
	}
}

static void bytes_of_no_known_head(void **state)
{
	struct rig *rig = *state;
	pid_t pid = child_run(rig, talk_nonsense, NULL);

	child_run(rig, talk_run, &once);
	rig_wait_ends(rig, 2);
	assert_int_equal(records_of(rig, pid), 0);
}

const struct socket_case life_cases[] = {
	{ "tells_the_end_when_the_client_closes_first", client_closes_first },
	{ "tells_the_end_when_the_server_closes_first", server_closes_first },
	{ "sees_an_answer_after_a_half_close", answer_after_half_close },
	{ "delivers_a_request_that_is_never_answered", request_without_answer },
	{ "delivers_the_request_of_a_killed_process", request_of_a_killed_process },
	{ "follows_a_connection_into_a_forked_worker", forked_worker },
	{ "sees_calls_of_many_threads_that_wait_at_once", many_blocked_threads },
	{ "is_silent_about_unwatched_processes", unwatched_process },
	{ "is_silent_about_an_unwatched_peer", unwatched_peer },
	{ "is_silent_about_bytes_of_no_known_head", bytes_of_no_known_head },
	{},
};

// SPDX-License-Identifier: Apache-2.0
/* Rigs and children; records go to struct rig, where view.c and the tests read them. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/process.h"
#include "source/socket.h"

#define TURN_MS 5		/* of one poll: few records wake nobody */

/* --- rigs ------------------------------------------------------------------------------------- */

static void show(const struct socket_event *event)
{
	static int wanted = -1;

	if (wanted < 0)
		wanted = getenv("SONDE_SHOW") != NULL;
	if (!wanted)
		return;
	printf("record: tgid %u conn %016llx serial %u flags %u %s %u-%u\n", event->event.tgid,
	       (unsigned long long)event->conn, event->serial, event->flags,
	       event->request_dir == SOCKET_RX ? "server" : "client", event->local_port,
	       event->remote_port);
	for (unsigned i = 0; i < event->chunks; i++) {
		const struct chunk *chunk = &event->chunk[i];

		printf("    %s seq %08x ack %08x len %u head %u tail %u flags %u calls %u\n",
		       chunk->dir == SOCKET_RX ? "rx" : "tx", chunk->seq, chunk->ack, chunk->len,
		       chunk->head, chunk->tail, chunk->flags, chunk->calls);
	}
}

static void on_record(void *context, const struct socket_event *event, struct bytes payload)
{
	struct rig *rig = context;
	struct record *record = &rig->record[rig->records];

	show(event);
	assert_true(rig->records < RECORDS_MAX);
	record->event = *event;
	record->payload = malloc(payload.len + 1);
	assert_non_null(record->payload);
	memcpy(record->payload, payload.at, payload.len);
	rig->records++;
}

static void on_process(void *context, const struct process_event *event)
{
	struct rig *rig = context;

	if (rig->process_events < PROCESS_EVENTS_MAX)
		rig->process_event[rig->process_events++] = *event;
}

void rig_read(struct rig *rig)
{
	process_source_consume(rig->process, on_process, rig);
	if (rig->socket)
		while (socket_source_consume(rig->socket, 1024, on_record, rig) == 1024)
			;
}

void rig_clear(struct rig *rig)
{
	rig_read(rig);
	while (rig->records)
		free(rig->record[--rig->records].payload);
	rig->process_events = 0;
}

bool rig_wait(struct rig *rig, bool (*enough)(const struct rig *rig, const void *arg),
	      const void *arg)
{
	uint64_t deadline = clock_monotonic_ns() + PATIENCE_NS;
	struct pollfd fds[2] = {
		{ .fd = process_source_fd(rig->process), .events = POLLIN },
		{ .fd = rig->socket ? socket_source_fd(rig->socket) : -1, .events = POLLIN },
	};

	do {
		rig_read(rig);
		if (enough(rig, arg))
			return true;
		poll(fds, 2, TURN_MS);
	} while (clock_monotonic_ns() < deadline);
	return false;
}

static unsigned count_ends(const struct rig *rig)
{
	unsigned ends = 0;

	for (unsigned i = 0; i < rig->records; i++)
		ends += (rig->record[i].event.flags & (SOCKET_CLOSED | SOCKET_TX_CLOSED)) != 0;
	return ends;
}

static bool ends_came(const struct rig *rig, const void *arg)
{
	return count_ends(rig) >= *(const unsigned *)arg;
}

void rig_wait_ends(struct rig *rig, unsigned ends)
{
	rig_wait(rig, ends_came, &ends);
	assert_int_equal(count_ends(rig), ends);
}

void rig_watch(struct rig *rig, pid_t tgid, unsigned flags)
{
	struct target_entry entry = { .flags = flags, .copy_bytes = SOCKET_RESPONSE_MAX };

	assert_int_equal(process_source_watch(rig->process, tgid, &entry), 0);
}

uint64_t rig_missed(struct rig *rig)
{
	struct program_stats stats = {};
	uint64_t drops[DROP_MAX], bytes = 0;

	socket_source_read(rig->socket, &stats, &bytes, drops);
	return stats.missed;
}

uint64_t rig_drops(struct rig *rig, enum drop reason)
{
	struct program_stats stats = {};
	uint64_t drops[DROP_MAX] = {}, bytes = 0;

	if (rig->socket)
		socket_source_read(rig->socket, &stats, &bytes, drops);
	return drops[reason];
}

int rig_open_process(void (*configure)(struct config *), struct rig **ret_rig,
		     struct choice_result *result)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	int r;

	assert_non_null(rig);
	config_init(&rig->config);
	rig->config.pids.item[rig->config.pids.count++] = 1; /* named pids: no other is watched */
	if (configure)
		configure(&rig->config);
	*result = (struct choice_result){};
	r = process_source.open(&rig->config, 0, &rig->process, result);
	if (r < 0)
		rig_close(rig);
	else
		*ret_rig = rig;
	return r;
}

int rig_open(unsigned choice, void (*configure)(struct config *), struct rig **ret_rig,
	     struct choice_result *result)
{
	struct rig *rig;
	int r = rig_open_process(configure, &rig, result);

	if (r < 0)
		return r;
	rig->choice = choice;
	socket_source_share(rig->process);
	r = socket_source.open(&rig->config, choice, &rig->socket, result);
	if (r < 0)
		rig_close(rig);
	else
		*ret_rig = rig;
	return r;
}

void rig_close(struct rig *rig)
{
	if (!rig)
		return;
	while (rig->records)
		free(rig->record[--rig->records].payload);
	socket_source.close(rig->socket);
	process_source.close(rig->process);
	config_done(&rig->config);
	free(rig);
}

/* --- children --------------------------------------------------------------------------------- */

void child_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "child: %s:%d: %s: %s\n", file, line, condition, strerror(errno));
	_exit(1);
}

static void wait_byte(int fd)
{
	char byte;

	must(read(fd, &byte, 1) == 1);
}

void child_step(struct child *child)
{
	must(write(child->to, "", 1) == 1);
	wait_byte(child->from);
}

bool children_are_wild;

void stay_calm(void)
{
	struct sched_param least = { .sched_priority = 1 };

	must(!sched_setscheduler(0, SCHED_FIFO, &least));
}

void child_start(struct child *ret_child, void (*body)(struct child *child, const void *arg),
		 const void *arg)
{
	int down[2], up[2];
	struct child child;

	assert_int_equal(pipe2(down, O_CLOEXEC), 0);
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	fflush(NULL);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		child = (struct child){ .pid = getpid(), .to = up[1], .from = down[0] };
		close(down[1]);
		close(up[0]);
		if (children_are_wild)
			must(!sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){}));
		alarm(2 * PATIENCE_NS / NSEC_PER_SEC);	/* a parent that failed never says go */
		wait_byte(child.from);
		body(&child, arg);
		_exit(0);
	}
	close(down[0]);
	close(up[1]);
	*ret_child = (struct child){ .pid = child.pid, .to = down[1], .from = up[0] };
}

void child_go(struct child *child)
{
	assert_int_equal(write(child->to, "", 1), 1);
}

void child_reached(struct child *child)
{
	struct pollfd fd = { .fd = child->from, .events = POLLIN };
	char byte;

	assert_int_equal(poll(&fd, 1, PATIENCE_NS / NSEC_PER_MSEC), 1);
	assert_int_equal(read(child->from, &byte, 1), 1);
}

void child_end(struct child *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	close(child->to);
	close(child->from);
	assert_int_equal(status, 0);
}

pid_t child_run(struct rig *rig, void (*body)(struct child *child, const void *arg),
		const void *arg)
{
	struct child child;

	child_start(&child, body, arg);
	rig_watch(rig, child.pid, 0);
	child_go(&child);
	child_end(&child);
	return child.pid;
}

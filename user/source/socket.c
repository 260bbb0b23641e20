// SPDX-License-Identifier: Apache-2.0
/*
 * Loads bpf/socket.bpf.c by one of its four choices; its records go to the pipeline thread.
 */
#include "source/socket.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "event/limits.h"
#include "event/process.h"
#include "model/self.h"
#include "socket.skel.h"
#include "source/process.h"
#include "source/socket_valid.h"
#include "source/source.h"
#include "source/tracepoint.h"

/* A socket's state costs its value and the allocator's rounding up to a page's fraction. */
#define CONN_BYTES 4096

struct socket_source {
	struct socket_bpf *skel;
	struct ring_buffer *ring;
	int read, max;			/* of the present consume */
	socket_callback call;
	void *context;
};

static void *shared_process;

static const struct choice socket_choices[] = {
	{ "sock-length", "tracepoints sock_send_length, sock_recv_length: kernel 6.3",
	  "about 0.5 us a request, paid by watched processes only",
	  "bytes of io_uring, sendfile and splice (counted and timed)" },
	{ "fentry", "fexit of tcp_sendmsg, tcp_recvmsg: kernel 5.17 with trampolines (arm64: 6.0)",
	  "about 0.5 us a request, paid by watched processes only",
	  "bytes of io_uring, sendfile and splice (counted and timed)" },
	{ "kprobe", "kprobes and kretprobes of the same: kernel 5.15",
	  "about 0.2 us more a call than fentry, others pay 0.1 us a call",
	  "as fentry; of threads that wait in a read all but 10, or twice the CPUs (counted)" },
	{ "syscall", "tracepoints syscalls:sys_exit_*: kernel 5.15",
	  "every thread on the node takes the slow system-call path: 10-15 % of a saturated server",
	  "io_uring and splice altogether" },
	{},
};

/* What each choice loads; `data` and the tables of targets and settings go with all of them. */
static const char *const length_programs[] = { "length_send", "length_recv", "state_storage", NULL };
static const char *const fentry_programs[] = {
	"fexit_tcp_send", "fexit_tcp_recv", "fexit_unix_send", "fexit_unix_recv", "fexit_tcp_page",
	"fexit_unix_page", "state_storage", NULL
};
static const char *const kprobe_programs[] = {
	"enter_tcp_send", "leave_tcp_send", "enter_tcp_recv", "leave_tcp_recv", "enter_unix_send",
	"leave_unix_send", "enter_unix_recv", "leave_unix_recv", "enter_tcp_page", "leave_tcp_page",
	"enter_unix_page", "leave_unix_page", "state_hash", NULL
};
static const char *const syscall_programs[] = {
	"exit_read", "exit_readv", "exit_recvfrom", "exit_recvmsg", "exit_write", "exit_writev",
	"exit_sendto", "exit_sendmsg", "exit_sendmmsg", "exit_sendfile64", "state_hash", NULL
};
/* Of functions that 6.5 did away with. */
static const char *const optional_programs[] = {
	"fexit_tcp_page", "fexit_unix_page", "enter_tcp_page", "leave_tcp_page", "enter_unix_page",
	"leave_unix_page", NULL
};
static const char *const storage_maps[] = {
	"data", "targets", "ports", "ignored", "storage", "mmsgs", "drops", "socket_stats", NULL
};
static const char *const hash_maps[] = {
	"data", "targets", "ports", "ignored", "conns", "unix_conns", "conn_zero", "calls", "mmsgs",
	"drops", "socket_stats", NULL
};

static const struct {
	const char *const *programs, *const *maps;
} choice_parts[] = {
	{ length_programs, storage_maps },
	{ fentry_programs, storage_maps },
	{ kprobe_programs, hash_maps },
	{ syscall_programs, hash_maps },
};
_Static_assert(ARRAY_LEN(choice_parts) == ARRAY_LEN(socket_choices) - 1, "a row for each choice");

void socket_source_share(void *process_state)
{
	shared_process = process_state;
}

static void socket_close(void *state)
{
	struct socket_source *source = state;

	if (!source)
		return;
	ring_buffer__free(source->ring);
	socket_bpf__destroy(source->skel);
	free(source);
}

static void socket_closep(struct socket_source **source)
{
	socket_close(*source);
}

static int deliver(void *context, void *data, size_t size)
{
	struct socket_source *source = context;
	const struct socket_event *event = data;

	if (socket_event_valid(event, size)) {
		self_add(SELF_EVENTS_SOCKET, 1);
		source->call(source->context, event,
			     bytes_of(event + 1, event->event.size - sizeof(*event)));
	} else {
		self_add(SELF_EVENTS_MALFORMED, 1);
	}
	/* libbpf has stored the position by now: nothing is read twice after -EAGAIN */
	return ++source->read >= source->max ? -EAGAIN : 0;
}

static int set_up(struct socket_source *source, const struct config *config, unsigned choice)
{
	struct socket_bpf *skel = source->skel;

	object_keep(skel->obj, choice_parts[choice].programs, choice_parts[choice].maps);
	object_drop_missing(skel->obj, optional_programs);
	skel->rodata->settings.wake_bytes = config->ring_bytes / 4;
	bpf_map__set_max_entries(skel->maps.data, config->ring_bytes);
	return bpf_map__reuse_fd(skel->maps.targets, process_source_targets_fd(shared_process));
}

static void fill_ports(struct socket_source *source, const struct config *config)
{
	for (unsigned i = 0; i < config->ports.count && i < PORTS_MAX; i++) {
		uint16_t port = config->ports.item[i];
		uint8_t one = 1;

		bpf_map_update_elem(bpf_map__fd(source->skel->maps.ports), &port, &one, BPF_ANY);
	}
}

static int load(struct socket_source *source, const struct config *config, unsigned choice,
		struct choice_result *result)
{
	int r;

	r = set_up(source, config, choice);
	if (r < 0)
		return r;
	r = socket_bpf__load(source->skel);
	if (r < 0) {
		choice_explain(result, r, "load");
		return r;
	}
	fill_ports(source, config);
	source->ring = ring_buffer__new(bpf_map__fd(source->skel->maps.data), deliver, source, NULL);
	if (!source->ring)
		return -errno;
	r = tracepoints_attach(source->skel->skeleton);
	if (r >= 0)
		r = socket_bpf__attach(source->skel);
	if (r < 0)
		choice_explain(result, r, "attach");
	return r;
}

static int socket_open(const struct config *config, unsigned choice, void **ret_state,
		       struct choice_result *result)
{
	_cleanup_(socket_closep) struct socket_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return -ENOMEM;
	source->skel = socket_bpf__open();
	if (!source->skel) {
		r = -errno;
		choice_explain(result, r, "open");
		return r;
	}
	r = load(source, config, choice, result);
	if (r < 0)
		return r;
	*ret_state = TAKE_PTR(source);
	return 0;
}

const struct source socket_source = {
	.name = "socket",
	.purpose = "requests and responses on TCP and Unix stream sockets",
	.choices = socket_choices,
	.open = socket_open,
	.close = socket_close,
};

int socket_source_fd(const void *state)
{
	const struct socket_source *source = state;

	return ring_buffer__epoll_fd(source->ring);
}

int socket_source_consume(void *state, int max, socket_callback call, void *context)
{
	struct socket_source *source = state;

	source->read = 0;
	source->max = max;
	source->call = call;
	source->context = context;
	ring_buffer__consume(source->ring);
	return source->read;
}

void socket_source_detach(void *state)
{
	struct socket_source *source = state;

	socket_bpf__detach(source->skel);
}

void socket_source_ignore(void *state, uint64_t conn)
{
	struct socket_source *source = state;
	uint8_t one = 1;

	bpf_map_update_elem(bpf_map__fd(source->skel->maps.ignored), &conn, &one, BPF_ANY);
}

void socket_source_read(void *state, struct program_stats *stats, uint64_t *map_bytes,
			uint64_t drops[DROP_MAX])
{
	struct socket_source *source = state;
	const struct bpf_map *numbers = source->skel->maps.socket_stats;
	uint64_t made = percpu_sum(numbers, SOCKET_STAT_CONNS);
	uint64_t gone = percpu_sum(numbers, SOCKET_STAT_CONNS_GONE);

	object_add_stats(source->skel->obj, stats);
	stats->missed += percpu_sum(numbers, SOCKET_STAT_RETURNS_LOST);
	*map_bytes += object_map_bytes(source->skel->obj);
	if (bpf_map__fd(source->skel->maps.storage) >= 0 && made > gone)
		*map_bytes += (made - gone) * CONN_BYTES;
	for (unsigned i = 0; i < DROP_MAX; i++)
		drops[i] += percpu_sum(source->skel->maps.drops, i);
	self_set(SELF_UNREADABLE, percpu_sum(numbers, SOCKET_STAT_UNREADABLE));
	self_set(SELF_CONTENDED, percpu_sum(numbers, SOCKET_STAT_CONTENDED));
}

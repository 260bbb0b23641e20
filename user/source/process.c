// SPDX-License-Identifier: Apache-2.0
/*
 * Loads bpf/process.bpf.c; its events go to the discover thread, its table `targets` is what the other
 * probes ask whether a process is watched.
 */
#include "source/process.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "event/limits.h"
#include "model/self.h"
#include "process.skel.h"
#include "source/source.h"

struct process_source {
	struct process_bpf *skel;
	struct ring_buffer *ring;
	process_callback call;
	void *context;
};

static const struct choice process_choices[] = {
	{ "tp_btf", "kernel 5.15 with BTF (/sys/kernel/btf/vmlinux)",
	  "nothing but at fork, exec and exit: about 2 us each", "" },
	{},
};

static void process_close(void *state)
{
	struct process_source *source = state;

	if (!source)
		return;
	ring_buffer__free(source->ring);
	process_bpf__destroy(source->skel);
	free(source);
}

static void process_closep(struct process_source **source)
{
	process_close(*source);
}

static int deliver(void *context, void *data, size_t size)
{
	struct process_source *source = context;
	const struct process_event *event = data;

	if (size < sizeof(*event) || event->event.size != sizeof(*event)) {
		self_add(SELF_EVENTS_MALFORMED_CONTROL, 1);
		return 0;
	}
	if (source->call)
		source->call(source->context, event);
	return 0;
}

/* A process of its own choosing is watched from its first instruction, unless pids are named. */
static void set_up(struct process_bpf *skel, const struct config *config)
{
	bool others = config->executables.count || config->containers.count || config->ports.count;

	skel->rodata->settings.self_tgid = getpid();
	skel->rodata->settings.watch_new = others || !config->pids.count;
	skel->rodata->settings.containers_only =
		config->select == SELECT_CONTAINERS && !config->executables.count &&
		!config->ports.count && !config->pids.count;
	skel->rodata->settings.new_flags =
		config->ports.count && !config->executables.count && !config->containers.count ?
			TARGET_BY_PORT : 0;
	bpf_map__set_max_entries(skel->maps.targets, config->targets_max);
}

static int process_open(const struct config *config, unsigned choice, void **ret_state,
			struct choice_result *result)
{
	_cleanup_(process_closep) struct process_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return -ENOMEM;
	source->skel = process_bpf__open();
	if (!source->skel) {
		r = -errno;
		choice_explain(result, r, "open");
		return r;
	}
	set_up(source->skel, config);

	r = process_bpf__load(source->skel);
	if (r < 0) {
		choice_explain(result, r, "load");
		return r;
	}
	source->ring = ring_buffer__new(bpf_map__fd(source->skel->maps.control), deliver, source, NULL);
	if (!source->ring)
		return -errno;
	r = process_bpf__attach(source->skel);
	if (r < 0) {
		choice_explain(result, r, "attach");
		return r;
	}
	*ret_state = TAKE_PTR(source);
	return 0;
}

const struct source process_source = {
	.name = "process",
	.purpose = "which processes come and go, and which are watched",
	.choices = process_choices,
	.open = process_open,
	.close = process_close,
};

int process_source_fd(const void *state)
{
	const struct process_source *source = state;

	return ring_buffer__epoll_fd(source->ring);
}

void process_source_consume(void *state, process_callback call, void *context)
{
	struct process_source *source = state;

	source->call = call;
	source->context = context;
	ring_buffer__consume(source->ring);
}

int process_source_targets_fd(const void *state)
{
	const struct process_source *source = state;

	return bpf_map__fd(source->skel->maps.targets);
}

int process_source_watch(void *state, uint32_t tgid, const struct target_entry *entry)
{
	return bpf_map_update_elem(process_source_targets_fd(state), &tgid, entry, BPF_ANY);
}

int process_source_unwatch(void *state, uint32_t tgid)
{
	return bpf_map_delete_elem(process_source_targets_fd(state), &tgid);
}

void process_source_read(void *state, struct program_stats *stats, uint64_t *map_bytes,
			 uint64_t drops[DROP_MAX])
{
	struct process_source *source = state;

	object_add_stats(source->skel->obj, stats);
	*map_bytes += object_map_bytes(source->skel->obj);
	for (unsigned i = 0; i < DROP_MAX; i++)
		drops[i] += percpu_sum(source->skel->maps.drops, i);
}

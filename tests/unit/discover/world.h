/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What surrounds the discover thread, made by tests: a /proc tree, a BPF map that is an array, and
 * the pipeline's end of the queue, which writes what it hears into a line of text.
 */
#ifndef SONDE_TESTS_WORLD_H
#define SONDE_TESTS_WORLD_H

#include "base/cleanup.h"
#include "discover/discover.h"
#include "discover/state.h"
#include "model/self.h"
#include "unit/discover/proc_tree.h"

#define WORLD_TGIDS 4096

struct world {
	struct proc_tree tree;
	struct config config;
	struct queue news;
	struct discover *discover;
	bool in_map[WORLD_TGIDS];
	struct target_entry map[WORLD_TGIDS];
	int map_error;			/* what set_target() answers */
	unsigned sets, clears;
	char heard[4096];		/* `+42 web;` arrived, `!42;` not selected, `-42@9;` gone */
	struct resource *resource[WORLD_TGIDS];	/* as last heard; one reference */
};

static inline int world_set(void *context, uint32_t tgid, const struct target_entry *entry)
{
	struct world *world = context;

	world->sets++;
	if (world->map_error)
		return world->map_error;
	world->in_map[tgid] = true;
	world->map[tgid] = *entry;
	return 0;
}

static inline int world_clear(void *context, uint32_t tgid)
{
	struct world *world = context;

	world->clears++;
	if (!world->in_map[tgid])
		return -ENOENT;
	world->in_map[tgid] = false;
	return 0;
}

static inline void world_make(struct world *world, uint32_t queue_capacity)
{
	memset(world, 0, sizeof(*world));
	tree_make(&world->tree);
	world->config.targets_max = 64;
	tree_must(!queue_init(&world->news, queue_capacity), "queue_init");
}

static inline void world_open(struct world *world)
{
	struct discover_io io = { .set_target = world_set, .clear_target = world_clear,
				  .context = world, .proc_root = world->tree.path };

	tree_must(!discover_open(&world->config, &io, &world->news, &world->discover),
		  "discover_open");
	strcpy(world->discover->judge.host.nodename, "node-1");
}

static inline void world_hear_one(struct world *world, struct target_news *item)
{
	size_t len = strlen(world->heard);
	char *end = world->heard + len;
	size_t room = sizeof(world->heard) - len;
	struct target *target = item->target;

	if (item->what == TARGET_GONE) {
		snprintf(end, room, "-%u@%llu;", item->tgid,
			 (unsigned long long)(item->start_ns / TREE_TICK_NS));
	} else if (!target->selected) {
		snprintf(end, room, "!%u;", target->tgid);
	} else {
		snprintf(end, room, "+%u %.*s;", target->tgid,
			 BYTES_ARG(target->resource->service_name));
		resource_unref(world->resource[target->tgid]);
		world->resource[target->tgid] = resource_ref(target->resource);
	}
	target_free(target);
	free(item);
}

/* Everything told since the last call. */
static inline const char *world_hear(struct world *world)
{
	struct target_news *item;

	world->heard[0] = '\0';
	queue_acknowledge(&world->news);
	while ((item = queue_take(&world->news)))
		world_hear_one(world, item);
	return world->heard;
}

static inline void world_destroy(struct world *world)
{
	discover_stop(world->discover);
	world_hear(world);
	for (uint32_t i = 0; i < WORLD_TGIDS; i++)
		resource_unref(world->resource[i]);
	queue_done(&world->news);
	tree_destroy(&world->tree);
}

static inline struct process_event world_event(enum event_kind kind, uint32_t tgid,
					       uint64_t start_ticks)
{
	struct process_event event = {
		.event = { .kind = (uint16_t)kind, .size = sizeof(event), .tgid = tgid,
			   .tid = tgid },
		/* the kernel's times are finer than those of /proc */
		.start_ns = start_ticks * TREE_TICK_NS + 12345,
		.parent_tgid = 1,
		.watched = 1,
	};

	return event;
}

static inline void world_exec(struct world *world, uint32_t tgid, uint64_t start_ticks)
{
	struct process_event event = world_event(EVENT_EXEC, tgid, start_ticks);

	discover_event(world->discover, &event);
}

static inline void world_fork(struct world *world, uint32_t parent, uint32_t tgid,
			      uint64_t start_ticks)
{
	struct process_event event = world_event(EVENT_FORK, tgid, start_ticks);

	event.parent_tgid = parent;
	discover_event(world->discover, &event);
}

static inline void world_exit(struct world *world, uint32_t tgid, uint64_t start_ticks)
{
	struct process_event event = world_event(EVENT_EXIT, tgid, start_ticks);

	discover_event(world->discover, &event);
}

/* An exec of a process that was gone when the event was read. */
static inline void world_exec_gone(struct world *world, uint32_t tgid, uint64_t start_ticks,
				   const char *comm, const char *cgroup)
{
	struct process_event event = world_event(EVENT_EXEC, tgid, start_ticks);

	strncpy(event.comm, comm, sizeof(event.comm) - 1);
	strncpy(event.cgroup[0], cgroup, sizeof(event.cgroup[0]) - 1);
	discover_event(world->discover, &event);
}

#endif

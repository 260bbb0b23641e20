/* SPDX-License-Identifier: Apache-2.0 */
/* Judged processes. From events.c; out to the BPF map (discover_io) and the pipeline (news). */
#include "discover/known.h"

#include <errno.h>

#include "base/log.h"
#include "event/socket.h"
#include "model/self.h"

int known_init(struct known_table *known, uint32_t max, const struct discover_io *io,
	       struct news *news)
{
	*known = (struct known_table){ .max = max, .io = io, .news = news };
	self_set(SELF_TARGETS_MAX, max);
	self_set(SELF_TARGETS, 0);
	return table_init(&known->table, 2 * max, sizeof(struct known), sizeof(uint32_t));
}

void known_done(struct known_table *known)
{
	struct known *process;
	uint32_t cursor = 0;

	if (!known->table.entries)
		return;
	while ((process = table_next(&known->table, &cursor)))
		resource_unref(process->resource);
	table_done(&known->table);
}

struct known *known_find(const struct known_table *known, uint32_t tgid)
{
	return table_find(&known->table, &tgid);
}

static void forget(struct known_table *known, struct known *process)
{
	known->selected -= process->selected;
	resource_unref(process->resource);
	table_remove(&known->table, process);
	self_set(SELF_TARGETS, known->selected);
}

/* -ENOSPC when there is no room for one more that is selected, or for one more that is not. */
static int check_room(const struct known_table *known, const struct known *before, bool selected)
{
	uint32_t used = selected ? known->selected : known->table.used - known->selected;

	if (before && before->selected == selected)
		used--;
	return used < known->max ? 0 : -ENOSPC;
}

static int watch(struct known_table *known, uint32_t tgid, uint16_t flags)
{
	struct target_entry entry = {
		.flags = flags,
		.copy_bytes = known->io->copy_bytes ? known->io->copy_bytes : SOCKET_RESPONSE_MAX,
	};

	return known->io->set_target(known->io->context, tgid, &entry);
}

static void unwatch(struct known_table *known, uint32_t tgid)
{
	known->io->clear_target(known->io->context, tgid);
}

void known_renew(struct known_table *known, const struct known *process)
{
	if (process->selected)
		watch(known, process->tgid, process->flags);
	else
		unwatch(known, process->tgid);
}

static void refuse(struct known_table *known, uint32_t tgid, int error, struct judgement *judgement)
{
	self_add(SELF_TARGETS_REFUSED, 1);
	if (log_every(&known->refused_logged_ns, 60))
		log_warn(error, "discover: process %u is not watched: %m (%u are watched): raise "
			 "sources.targets_max, or select fewer", tgid, known->selected);
	resource_unref(judgement->resource);
	judgement->resource = NULL;
	judgement->selected = false;
}

/* Enters it into the map and the count, or makes it one that is not selected. True: refused. */
static bool admit(struct known_table *known, uint32_t tgid, const struct known *before, bool alive,
		  struct judgement *judgement)
{
	int r;

	if (!judgement->selected)
		return false;
	r = check_room(known, before, true);
	if (!r && alive)
		r = watch(known, tgid, judgement->flags);
	if (r < 0)
		refuse(known, tgid, r, judgement);
	return r < 0;
}

static bool is_same(const struct known *before, const struct judgement *judgement)
{
	return before && before->told && before->selected == judgement->selected &&
	       before->resource == judgement->resource &&
	       process_same_start(before->start_ns, judgement->start_ns);
}

static void remember(struct known_table *known, uint32_t tgid, struct judgement judgement,
		     bool refused, bool told)
{
	struct known *process = NULL;

	if (!check_room(known, NULL, judgement.selected))
		process = table_add(&known->table, &tgid);
	if (!process) {
		resource_unref(judgement.resource);
		return;
	}
	process->flags = judgement.flags;
	process->selected = judgement.selected;
	process->refused = refused;
	process->told = told;
	process->source = judgement.source;
	process->start_ns = judgement.start_ns;
	process->container_hash = judgement.container_hash;
	process->resource = judgement.resource;
	known->selected += judgement.selected;
	self_set(SELF_TARGETS, known->selected);
}

void known_apply(struct known_table *known, uint32_t tgid, struct judgement judgement, bool watched,
		 bool alive)
{
	struct known *before = known_find(known, tgid);
	bool refused = admit(known, tgid, before, alive, &judgement);
	bool told = before && before->told;

	if (!judgement.selected && alive && (watched || (before && before->selected)))
		unwatch(known, tgid);
	if (is_same(before, &judgement)) {
		judgement.start_ns = before->start_ns;	/* what the pipeline will hear at its end */
	} else if (judgement.selected || watched || told) {
		told = !news_arrived(known->news, tgid, judgement.start_ns,
				     judgement.flags & TARGET_BY_PORT,
				     resource_ref(judgement.resource));
	}
	if (before)
		forget(known, before);
	remember(known, tgid, judgement, refused, told);
}

void known_exit(struct known_table *known, struct known *process, bool pid_is_free)
{
	if (pid_is_free)
		unwatch(known, process->tgid);
	if (process->told)
		news_gone(known->news, process->tgid, process->start_ns);
	forget(known, process);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to processes: events of the control ring and scans of /proc, judged and acted on.
 *
 * The ring is in order, but late: by the time an event is handled its process may have gone and
 * its pid may be another's. So every event is held against what /proc and the table know by pid
 * *and* start time: an older one changes nothing, one of a process that is gone is judged by
 * itself.
 */
#include <errno.h>
#include <poll.h>

#include "base/log.h"
#include "discover/state.h"
#include "model/self.h"

#define NEWS_WAITING_MAX 1024	/* beyond it events wait for the pipeline */

/* Is `event` about a process that had the pid before the one that is known? */
static bool is_stale(const struct known *known, const struct process_event *event)
{
	return known && event->start_ns < known->start_ns &&
	       !process_same_start(event->start_ns, known->start_ns);
}

static bool is_known(const struct known *known, const struct process_event *event)
{
	return known && process_same_start(event->start_ns, known->start_ns);
}

static void complain(struct discover *discover, uint32_t tgid, int error)
{
	if (log_every(&discover->failed_logged_ns, 60))
		log_warn(error, "discover: process %u is not watched: %m: give the agent more "
			 "memory", tgid);
}

static void judge_and_apply(struct discover *discover, const struct process_event *event)
{
	uint32_t tgid = event->event.tgid;
	struct known *known = known_find(&discover->known, tgid);
	bool before = is_known(known, event);
	struct judgement judgement;
	bool alive;
	int r;

	r = judge_process(&discover->judge, tgid, &judgement);
	alive = !r && process_same_start(judgement.start_ns, event->start_ns);
	if (r < 0 && r != -ESRCH) {		/* alive, but not to be looked at now: the next scan tries */
		complain(discover, tgid, r);
		return;
	}
	if (!r && !alive)
		resource_unref(judgement.resource);	/* of whoever has the pid now */
	if (!alive)
		r = judge_event(&discover->judge, event, before ? known->resource : NULL,
				before ? known->source : SERVICE_EXECUTABLE, &judgement);
	if (r < 0) {
		complain(discover, tgid, r);
		return;
	}
	judgement.start_ns = event->start_ns;	/* to the ns */
	known_apply(&discover->known, tgid, judgement, event->watched, alive);
}

static void handle_exec(struct discover *discover, const struct process_event *event)
{
	if (!is_stale(known_find(&discover->known, event->event.tgid), event))
		judge_and_apply(discover, event);
}

/*
 * A child has its parent's executable and environment. It may have been born into another container
 * (clone3 with CLONE_INTO_CGROUP); names that show none prove nothing: the path may be deeper.
 */
static bool inherits(const struct known *parent, const struct process_event *event)
{
	struct container container;

	if (!parent || parent->refused)
		return false;
	return container_of_names(event->cgroup, &container) < 0 ||
	       container_hash(bytes_of_text(container.id)) == parent->container_hash;
}

static void handle_fork(struct discover *discover, const struct process_event *event)
{
	struct known *known = known_find(&discover->known, event->event.tgid);
	struct known *parent = known_find(&discover->known, event->parent_tgid);

	if (is_stale(known, event))
		return;
	if (is_known(known, event)) {
		/* a scan was faster than the ring; the kernel may have entered it after the scan */
		known_renew(&discover->known, known);
		return;
	}
	if (!inherits(parent, event)) {
		judge_and_apply(discover, event);
		return;
	}
	known_apply(&discover->known, event->event.tgid, (struct judgement){
		.start_ns = event->start_ns,
		.selected = parent->selected,
		.flags = parent->flags,
		.source = parent->source,
		.container_hash = parent->container_hash,
		.resource = resource_ref(parent->resource),
	}, event->watched, true);
}

/* False when another process has the pid by now, whose entry in the map must stay. */
static bool pid_is_free(struct discover *discover, uint32_t tgid, uint64_t start_ns)
{
	struct process_stat stat;

	return process_read_stat(discover->judge.root_fd, tgid, &stat) < 0 ||
	       process_same_start(stat.start_ns, start_ns);
}

static void handle_exit(struct discover *discover, const struct process_event *event)
{
	struct known *known = known_find(&discover->known, event->event.tgid);
	bool is_free;

	if (is_stale(known, event))
		return;
	is_free = pid_is_free(discover, event->event.tgid, event->start_ns);
	if (!is_known(known, event) && event->watched)
		news_gone(&discover->news, event->event.tgid, event->start_ns);
	if (known)			/* or the one before, whose end was lost */
		known_exit(&discover->known, known, is_free);
}

/* The pipeline is behind: wait for it rather than pile up news. The ring holds the rest. */
static void wait_for_room(struct discover *discover)
{
	struct pollfd stop = { .fd = discover->stop_fd, .events = POLLIN };

	while (discover->news.waiting > NEWS_WAITING_MAX && !news_flush(&discover->news)) {
		if (poll(&stop, 1, 1) > 0)
			return;
	}
}

void discover_event(struct discover *discover, const struct process_event *event)
{
	switch (event->event.kind) {
	case EVENT_EXEC:
		self_add(SELF_EVENTS_EXEC, 1);
		handle_exec(discover, event);
		break;
	case EVENT_FORK:
		self_add(SELF_EVENTS_FORK, 1);
		handle_fork(discover, event);
		break;
	case EVENT_EXIT:
		self_add(SELF_EVENTS_EXIT, 1);
		handle_exit(discover, event);
		break;
	default:
		return;
	}
	wait_for_room(discover);
	discover_arm_flush(discover);
}

/* A process that a scan found: one the table has is as good as judged. */
static void scan_process(void *context, uint32_t tgid)
{
	struct discover *discover = context;
	struct judgement judgement;
	int r;

	if (known_find(&discover->known, tgid))
		return;
	r = judge_process(&discover->judge, tgid, &judgement);
	if (r == -ESRCH)
		return;
	if (r < 0) {
		complain(discover, tgid, r);
		return;
	}
	/* found after the first scan: its fork was lost, what the kernel did with it is unknown */
	known_apply(&discover->known, tgid, judgement, discover->scanned, true);
}

/* Processes whose exit was lost. */
static void drop_gone(struct discover *discover)
{
	struct process_stat stat;
	struct known *known;
	uint32_t cursor = 0;

	while ((known = table_next(&discover->known.table, &cursor))) {
		int r = process_read_stat(discover->judge.root_fd, known->tgid, &stat);
		bool reused = !r && !process_same_start(stat.start_ns, known->start_ns);

		if (r == -ESRCH || reused)
			known_exit(&discover->known, known, !reused);
	}
}

int discover_scan(struct discover *discover)
{
	int r;

	drop_gone(discover);
	r = process_list(discover->judge.root_fd, scan_process, discover);
	if (r < 0)
		return log_error(r, "discover: processes cannot be listed: %m: mount procfs, and "
				 "run as root");
	if (!discover->scanned)
		log_debug("discover: %u of %u processes are watched", discover->known.selected,
			  discover->known.table.used);
	discover->scanned = true;
	discover_arm_flush(discover);
	return 0;
}

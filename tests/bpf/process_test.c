// SPDX-License-Identifier: Apache-2.0
/* The process source: who comes, who goes, who is watched from the first instruction. */
#include "harness.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "source/process.h"

static struct rig *open_rig(void (*configure)(struct config *))
{
	struct choice_result result;
	struct rig *rig = NULL;

	if (rig_open_process(configure, &rig, &result) < 0)
		fail_msg("%s", result.why);
	return rig;
}

static void watch_all(struct config *config)
{
	config->pids.count = 0;
}

static void watch_containers(struct config *config)
{
	watch_all(config);
	config->select = SELECT_CONTAINERS;
}

static void watch_four(struct config *config)
{
	watch_all(config);
	config->targets_max = 4;
}

struct wanted {
	pid_t tgid;
	enum event_kind kind;
};

static const struct process_event *find(const struct rig *rig, const struct wanted *wanted)
{
	for (unsigned i = 0; i < rig->process_events; i++) {
		const struct process_event *event = &rig->process_event[i];

		if (event->event.tgid == (uint32_t)wanted->tgid &&
		    event->event.kind == wanted->kind)
			return event;
	}
	return NULL;
}

static bool has_come(const struct rig *rig, const void *wanted)
{
	return find(rig, wanted) != NULL;
}

static struct process_event wait_event(struct rig *rig, pid_t tgid, enum event_kind kind)
{
	struct wanted wanted = { tgid, kind };

	if (!rig_wait(rig, has_come, &wanted))
		fail_msg("no event of kind %d of process %d", kind, tgid);
	return *find(rig, &wanted);
}

static bool in_table(const struct rig *rig, pid_t tgid, struct target_entry *ret_entry)
{
	uint32_t key = tgid;

	return !bpf_map_lookup_elem(process_source_targets_fd(rig->process), &key, ret_entry);
}

/* Waits on its standard input, so that the process can be looked at. */
static void exec_cat(struct child *child, const void *arg)
{
	must(dup2(child->from, 0) == 0);
	execl("/bin/cat", "cat", (char *)NULL);
	must(!"exec");
}

static void end_cat(struct child *child)
{
	close(child->to);
	child->to = -1;
	child_end(child);
}

/* Field 22 of /proc/PID/stat, in ticks of 10 ms (proc(5); USER_HZ is 100 wherever Linux runs). */
static uint64_t start_ticks(pid_t pid)
{
	_cleanup_(fclosep) FILE *file = NULL;
	char path[64], text[1024], *at;
	unsigned long long ticks = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	at = strrchr(text, ')');
	assert_non_null(at);
	for (int field = 2; field < 22; field++)
		at = strchr(at + 1, ' ');
	assert_int_equal(sscanf(at, " %llu", &ticks), 1);
	return ticks;
}

/* --- exec ------------------------------------------------------------------------------------- */

static void exec_is_told(void **state)
{
	struct rig *rig = open_rig(watch_all);
	struct process_event event;
	struct target_entry entry;
	struct child child;

	child_start(&child, exec_cat, NULL);
	child_go(&child);
	event = wait_event(rig, child.pid, EVENT_EXEC);
	assert_string_equal(event.comm, "cat");
	assert_int_equal(event.parent_tgid, getpid());
	assert_int_equal(event.event.tid, child.pid);
	assert_int_equal(event.start_ns / 10000000, start_ticks(child.pid));
	assert_int_equal(event.watched, 1);
	assert_true(in_table(rig, child.pid, &entry));
	assert_true(entry.flags & TARGET_PROVISIONAL);
	assert_int_not_equal(entry.copy_bytes, 0);
	end_cat(&child);
	wait_event(rig, child.pid, EVENT_EXIT);
	assert_false(in_table(rig, child.pid, &entry));
	assert_false(in_table(rig, getpid(), &entry));
	rig_close(rig);
}

/* Named pids: nobody else is watched, and nobody else's coming and going is told. */
static void exec_of_others(void **state)
{
	struct rig *rig = open_rig(NULL);
	struct child other, named;
	struct target_entry entry;

	child_start(&other, exec_cat, NULL);
	child_go(&other);
	child_start(&named, exec_cat, NULL);
	rig_watch(rig, named.pid, 0);
	child_go(&named);
	wait_event(rig, named.pid, EVENT_EXEC);
	assert_false(in_table(rig, other.pid, &entry));
	assert_true(in_table(rig, named.pid, &entry));
	end_cat(&other);
	end_cat(&named);
	wait_event(rig, named.pid, EVENT_EXIT);
	for (unsigned i = 0; i < rig->process_events; i++)
		assert_int_equal(rig->process_event[i].event.tgid, named.pid);
	rig_close(rig);
}

static void exec_in_pid_namespace(struct child *child, const void *arg)
{
	pid_t inner;
	int status;

	must(!unshare(CLONE_NEWPID));
	inner = fork();
	must(inner >= 0);
	if (!inner)
		exec_cat(child, arg);
	must(waitpid(inner, &status, 0) == inner);
	must(!status);
}

static bool someone_is_in_a_container(const struct rig *rig, const void *parent)
{
	for (unsigned i = 0; i < rig->process_events; i++) {
		const struct process_event *event = &rig->process_event[i];

		if (event->event.kind == EVENT_EXEC &&
		    event->parent_tgid == *(const uint32_t *)parent)
			return event->watched && event->pid_ns_level > 0;
	}
	return false;
}

static void only_containers(void **state)
{
	struct rig *rig = open_rig(watch_containers);
	struct child outside, inside;

	child_start(&outside, exec_cat, NULL);
	child_go(&outside);
	if (wait_event(rig, outside.pid, EVENT_EXEC).pid_ns_level == 0)
		assert_int_equal(wait_event(rig, outside.pid, EVENT_EXEC).watched, 0);
	end_cat(&outside);

	child_start(&inside, exec_in_pid_namespace, NULL);
	child_go(&inside);
	assert_true(rig_wait(rig, someone_is_in_a_container, &inside.pid));
	end_cat(&inside);
	rig_close(rig);
}

/* --- cgroups ---------------------------------------------------------------------------------- */

/* A cgroup v2 of the test's own, two levels deep: outer/inner. */
struct group {
	char outer[PATH_MAX / 2], inner[PATH_MAX];
};

static bool group_make(struct group *group)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (unsigned i = 0; i < ARRAY_LEN(roots); i++) {
		snprintf(group->outer, sizeof(group->outer), "%s/cgroup.procs", roots[i]);
		if (access(group->outer, W_OK))
			continue;
		snprintf(group->outer, sizeof(group->outer), "%s/sonde-test-%d", roots[i],
			 getpid());
		snprintf(group->inner, sizeof(group->inner), "%s/inner", group->outer);
		return !mkdir(group->outer, 0755) && !mkdir(group->inner, 0755);
	}
	return false;
}

static void exec_in_group(struct child *child, const void *arg)
{
	const struct group *group = arg;
	char path[PATH_MAX + 32];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group->inner);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	must(fd >= 0);
	must(write(fd, "0", 1) == 1);
	exec_cat(child, NULL);
}

static void cgroup_names(void **state)
{
	struct rig *rig = open_rig(watch_all);
	struct process_event event;
	struct group group;
	struct child child;

	if (!group_make(&group)) {
		printf("skipped: no writable cgroup v2\n");
		rig_close(rig);
		skip();
	}
	child_start(&child, exec_in_group, &group);
	child_go(&child);
	event = wait_event(rig, child.pid, EVENT_EXEC);
	end_cat(&child);
	rmdir(group.inner);
	rmdir(group.outer);
	assert_string_equal(event.cgroup[0], "inner");
	assert_string_equal(event.cgroup[1], strrchr(group.outer, '/') + 1);
	rig_close(rig);
}

/* --- fork and exit ---------------------------------------------------------------------------- */

static void *do_nothing(void *arg)
{
	return NULL;
}

static void fork_and_thread(struct child *child, const void *arg)
{
	pthread_t thread;
	pid_t forked;
	int status;

	must(!pthread_create(&thread, NULL, do_nothing, NULL));
	must(!pthread_join(thread, NULL));
	forked = fork();
	must(forked >= 0);
	if (!forked) {
		child_step(child);
		_exit(3);
	}
	must(waitpid(forked, &status, 0) == forked);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static const struct process_event *fork_of(const struct rig *rig, pid_t parent, unsigned *ret_count)
{
	const struct process_event *found = NULL;

	*ret_count = 0;
	for (unsigned i = 0; i < rig->process_events; i++) {
		const struct process_event *event = &rig->process_event[i];

		if (event->event.kind != EVENT_FORK || event->parent_tgid != (uint32_t)parent)
			continue;
		found = event;
		++*ret_count;
	}
	return found;
}

static void fork_inherits(void **state)
{
	struct rig *rig = open_rig(NULL);
	const struct process_event *fork_event;
	struct target_entry entry;
	struct process_event end;
	struct child child;
	unsigned forks;
	pid_t forked;

	child_start(&child, fork_and_thread, NULL);
	rig_watch(rig, child.pid, TARGET_BY_PORT);
	child_go(&child);
	child_reached(&child);
	rig_read(rig);
	fork_event = fork_of(rig, child.pid, &forks);
	assert_int_equal(forks, 1);		/* the thread made none */
	forked = fork_event->event.tgid;
	assert_int_equal(fork_event->watched, 1);
	assert_int_equal(fork_event->start_ns / 10000000, start_ticks(forked));
	assert_true(in_table(rig, forked, &entry));
	assert_int_equal(entry.flags, TARGET_PROVISIONAL | TARGET_BY_PORT);
	assert_int_equal(entry.copy_bytes, SOCKET_RESPONSE_MAX);
	child_go(&child);
	child_end(&child);
	end = wait_event(rig, forked, EVENT_EXIT);
	assert_int_equal(end.exit_code, 3 << 8);
	assert_int_equal(end.watched, 1);
	assert_false(in_table(rig, forked, &entry));
	assert_int_equal(wait_event(rig, child.pid, EVENT_EXIT).exit_code, 0);
	rig_close(rig);
}

static void fork_of_others(void **state)
{
	struct rig *rig = open_rig(watch_all);
	struct child child;
	unsigned forks;

	child_start(&child, fork_and_thread, NULL);
	child_go(&child);
	child_reached(&child);
	child_go(&child);
	child_end(&child);
	wait_event(rig, child.pid, EVENT_EXIT);
	fork_of(rig, child.pid, &forks);
	assert_int_equal(forks, 0);
	rig_close(rig);
}

static pthread_t leader;

static void *outlive_leader(void *child)
{
	must(!pthread_join(leader, NULL));
	child_step(child);
	_exit(0);
}

static void leader_first(struct child *child, const void *arg)
{
	pthread_t thread;

	leader = pthread_self();
	must(!pthread_create(&thread, NULL, outlive_leader, child));
	pthread_exit(NULL);
}

/* The leader's own end is not the end of the process. */
static void exit_of_the_last_thread(void **state)
{
	struct rig *rig = open_rig(NULL);
	struct child child;
	struct wanted end;

	child_start(&child, leader_first, NULL);
	rig_watch(rig, child.pid, 0);
	child_go(&child);
	child_reached(&child);
	end = (struct wanted){ child.pid, EVENT_EXIT };
	rig_read(rig);
	assert_null(find(rig, &end));
	child_go(&child);
	child_end(&child);
	assert_int_equal(wait_event(rig, child.pid, EVENT_EXIT).watched, 1);
	rig_close(rig);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void full_table(void **state)
{
	struct rig *rig = open_rig(watch_four);
	struct program_stats stats = {};
	uint64_t drops[DROP_MAX] = {}, bytes = 0;
	struct child children[6];
	unsigned refused = 0;

	for (unsigned i = 0; i < ARRAY_LEN(children); i++) {
		child_start(&children[i], exec_cat, NULL);
		child_go(&children[i]);
		refused += !wait_event(rig, children[i].pid, EVENT_EXEC).watched;
	}
	process_source_read(rig->process, &stats, &bytes, drops);
	for (unsigned i = 0; i < ARRAY_LEN(children); i++)
		end_cat(&children[i]);
	assert_in_range(refused, 2, 6);
	assert_in_range(drops[DROP_TARGET_FULL], refused, 10000);
	rig_close(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exec_is_told),
		cmocka_unit_test(exec_of_others),
		cmocka_unit_test(only_containers),
		cmocka_unit_test(cgroup_names),
		cmocka_unit_test(fork_inherits),
		cmocka_unit_test(fork_of_others),
		cmocka_unit_test(exit_of_the_last_thread),
		cmocka_unit_test(full_table),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	source_quiet_libbpf();
	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}

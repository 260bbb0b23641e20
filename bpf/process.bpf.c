// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Processes that come and go, and the table of those that are watched.
 * Out: control ring, read by user/source/process.c on the discover thread; map `targets`, read by
 * every other probe, where user space adds and takes away processes as it judges them.
 *
 * A new process is watched from its first instruction where the settings allow it, until user
 * space has looked at it: a client that lives for a millisecond is not missed.
 */
#include "lib/compat.bpf.h"

#include <bpf/bpf_tracing.h>

#include "event/limits.h"
#include "event/process.h"
#include "lib/count.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct process_settings settings;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CONTROL_RING_BYTES);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TARGETS_MAX);	/* set from the configuration before load */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);			/* tgid */
	__type(value, struct target_entry);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DROP_MAX);
	__type(key, __u32);
	__type(value, __u64);
} drops SEC(".maps");

/* The memory controller's cgroup where cgroup v1 is in use, else the one of v2. */
static __always_inline struct kernfs_node *cgroup_node(struct task_struct *task)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup *group;
	int id;

	group = BPF_CORE_READ(set, dfl_cgrp);
	if (group && BPF_CORE_READ(group, level) > 0)
		return BPF_CORE_READ(group, kn);
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return NULL;
	id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	if (id < 0 || id >= 16)
		return NULL;
	group = BPF_CORE_READ(set, subsys[id], cgroup);
	return group ? BPF_CORE_READ(group, kn) : NULL;
}

static __always_inline void read_cgroup(struct task_struct *task, struct process_event *event)
{
	struct kernfs_node *node = cgroup_node(task);

#pragma unroll
	for (int i = 0; i < PROCESS_PARENTS; i++) {
		event->cgroup[i][0] = 0;
		if (!node)
			continue;
		bpf_probe_read_kernel_str(event->cgroup[i], PROCESS_CGROUP_LEN,
					  BPF_CORE_READ(node, name));
		node = kernfs_parent(node);
	}
}

/* A container runtime names the cgroup by the 64 digits of the container's id. */
static __always_inline bool in_container(const struct process_event *event)
{
	return event->pid_ns_level > 0 || event->cgroup[0][63];
}

static __always_inline struct process_event *event_new(u16 kind, struct task_struct *task)
{
	struct process_event *event = bpf_ringbuf_reserve(&control, sizeof(*event), 0);

	if (!event) {
		count_in(&drops, DROP_RING_CONTROL);
		return NULL;
	}
	event->event.kind = kind;
	event->event.cpu = bpf_get_smp_processor_id();
	event->event.size = sizeof(*event);
	event->event.time_ns = bpf_ktime_get_ns();
	event->event.tgid = BPF_CORE_READ(task, tgid);
	event->event.tid = event->event.tgid;
	event->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	event->parent_tgid = BPF_CORE_READ(task, real_parent, tgid);
	event->pid_ns_level = BPF_CORE_READ(task, thread_pid, level);
	event->exit_code = BPF_CORE_READ(task, exit_code);
	event->watched = 0;
	BPF_CORE_READ_STR_INTO(&event->comm, task, comm);
	__builtin_memset(event->cgroup, 0, sizeof(event->cgroup));
	return event;
}

static __always_inline void watch(struct process_event *event, const struct target_entry *as)
{
	u32 tgid = event->event.tgid;	/* before 6.3 no key may lie in ring buffer memory */

	if (tgid == settings.self_tgid)
		return;
	if (bpf_map_update_elem(&targets, &tgid, as, BPF_ANY))
		count_in(&drops, DROP_TARGET_FULL);
	else
		event->watched = 1;
}

/* Where only named pids are watched, nobody wants to hear of others. */
static __always_inline bool of_interest(u32 tgid)
{
	return settings.watch_new || bpf_map_lookup_elem(&targets, &tgid);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task)
{
	struct target_entry provisional = {
		.flags = TARGET_PROVISIONAL | settings.new_flags,
		.copy_bytes = RESPONSE_COPY_BYTES,
	};
	struct process_event *event;

	if (!of_interest(BPF_CORE_READ(task, tgid)))
		return 0;
	event = event_new(EVENT_EXEC, task);
	if (!event)
		return 0;
	read_cgroup(task, event);
	if (settings.watch_new && (!settings.containers_only || in_container(event)))
		watch(event, &provisional);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	u32 parent_tgid = BPF_CORE_READ(parent, tgid);
	struct target_entry *inherited, copy;
	struct process_event *event;

	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		return 0;			/* a thread */
	inherited = bpf_map_lookup_elem(&targets, &parent_tgid);
	if (!inherited)
		return 0;			/* exec will tell, if it ever does */

	event = event_new(EVENT_FORK, child);
	if (!event)
		return 0;
	event->parent_tgid = parent_tgid;	/* real_parent is not set yet */
	read_cgroup(child, event);
	copy = *inherited;
	copy.flags |= TARGET_PROVISIONAL;
	watch(event, &copy);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	u32 tgid = BPF_CORE_READ(task, tgid);
	struct process_event *event;
	bool watched;

	if (BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;			/* other threads live on */
	if (!of_interest(tgid))
		return 0;
	watched = bpf_map_delete_elem(&targets, &tgid) == 0;	/* also when the ring is full */
	event = event_new(EVENT_EXIT, task);
	if (!event)
		return 0;
	event->watched = watched;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

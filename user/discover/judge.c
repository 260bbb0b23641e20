/* SPDX-License-Identifier: Apache-2.0 */
/* Judging processes. From /proc or an event; to events.c, which acts on the judgement. */
#include "discover/judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "discover/attributes.h"
#include "discover/command.h"
#include "model/self.h"

#define ANCESTORS_MAX 32

#define EXECUTABLES_MAX 512	/* executables whose ELF file is remembered */
#define RESOURCES_SPARE 1024	/* resources alive beyond one a target: of those that exited */

/* Inodes of the initial namespaces: include/linux/proc_ns.h, the same on every kernel. */
#define INITIAL_CGROUP_NS 0xeffffffbull
#define INITIAL_PID_NS 0xeffffffcull

uint64_t container_hash(struct bytes id)
{
	return id.len ? hash_bytes(id.at, id.len, 0) | 1 : 0;
}

/*
 * A container with a cgroup namespace of its own (usual with cgroup v2) sees `0::/`. What tells
 * it from a system container (LXC), where everything there is to see is its own, is the host's
 * pid namespace.
 */
static bool agent_in_container(const struct judge *judge)
{
	_cleanup_(closep) int fd = openat(judge->root_fd, "self/cgroup", O_RDONLY | O_CLOEXEC);
	uint64_t cgroup_ns = namespace_inode(judge->root_fd, "self/ns/cgroup");
	char text[PROCESS_CGROUPS_MAX];
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text));
	struct container container;

	if (len > 0 && !container_of_proc_cgroup(bytes_of(text, (size_t)len), &container))
		return true;
	return cgroup_ns && cgroup_ns != INITIAL_CGROUP_NS && judge->self_pid_ns == INITIAL_PID_NS;
}

static int allocate(struct judge *judge)
{
	int r = elf_cache_init(&judge->executables, EXECUTABLES_MAX);

	if (r < 0)
		return r;
	r = resource_pool_init(&judge->resources, judge->config->targets_max + RESOURCES_SPARE);
	if (r < 0)
		return r;
	buf_init(&judge->storage, SERVICE_STORAGE_BYTES);
	return buf_reserve(&judge->storage, SERVICE_STORAGE_BYTES);
}

int judge_open(struct judge *judge, const struct config *config, const char *proc_root)
{
	int r;

	judge->config = config;
	judge->self_tgid = (uint32_t)getpid();
	judge->process.dir_fd = -1;
	judge->root_fd = open(proc_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (judge->root_fd < 0)
		return log_error(-errno, "discover: no process can be looked up: %s: %m: mount "
				 "procfs there", proc_root);
	r = allocate(judge);
	if (r < 0)
		return log_error(r, "discover: cannot start: %m: give it more memory");
	if (uname(&judge->host) < 0 || !text_is_clean(bytes_of_text(judge->host.nodename)))
		judge->host.nodename[0] = '\0';
	judge->self_pid_ns = namespace_inode(judge->root_fd, "self/ns/pid");
	judge->self_in_container = agent_in_container(judge);
	if (judge->self_pid_ns && judge->self_pid_ns != INITIAL_PID_NS)
		log_warn(0, "discover: processes will lack names: the agent has a pid namespace of "
			 "its own, the kernel's pids mean nothing there: run it with the host's "
			 "(hostPID: true, --pid=host)");
	return 0;
}

void judge_close(struct judge *judge)
{
	process_close(&judge->process);
	elf_cache_done(&judge->executables);
	resource_pool_done(&judge->resources);
	buf_done(&judge->storage);
	if (judge->root_fd >= 0)
		close(judge->root_fd);
	judge->root_fd = -1;
}

/* Makes the resource that judge->service describes. */
static int finish(struct judge *judge, struct judgement *ret)
{
	ret->resource = resource_pool_take(&judge->resources, &judge->service.view);
	return ret->resource ? 0 : -ENOMEM;
}

static void describe(struct judge *judge, const struct service_input *in, struct judgement *ret)
{
	service_describe(in, judge->config, &judge->storage, &judge->service);
	ret->source = judge->service.source;
	self_add(SELF_ATTRIBUTES_REFUSED, judge->service.refused);
}

/*
 * The workers of a listed process that it had forked before we came; of those that come later the
 * kernel side tells. Depth is bounded since /proc may change under the walk.
 */
static bool is_of_listed_pid(const struct judge *judge, const struct process_stat *stat)
{
	struct process_stat parent = *stat;

	for (unsigned depth = 0; judge->config->pids.count && depth < ANCESTORS_MAX; depth++) {
		if (parent.parent_tgid <= 1)
			return false;
		if (select_pid(judge->config, parent.parent_tgid))
			return true;
		if (process_read_stat(judge->root_fd, parent.parent_tgid, &parent) < 0)
			return false;
	}
	return false;
}

static struct select_verdict select_found(const struct judge *judge, const struct process *process)
{
	struct bytes base = process_base_name(process);
	struct select_subject subject = {
		.tgid = process->tgid,
		.of_listed_pid = is_of_listed_pid(judge, &process->stat),
		.exe = process->exe,
		.base_name = (const char *)base.at,	/* both it can be in end with a NUL */
		.container_id = process->container.id,
		.in_container = process->has_container || (process->pid_ns && judge->self_pid_ns &&
							   process->pid_ns != judge->self_pid_ns),
		.kernel_thread = process->stat.kernel_thread,
	};

	return select_process(judge->config, &subject, judge->self_tgid, judge->self_in_container);
}

static int describe_found(struct judge *judge, struct process *process, struct judgement *ret)
{
	const struct elf_info *elf = elf_cache_get(&judge->executables, process->dir_fd, "exe");
	struct service_input in = {
		.names = process->names,
		.container = process->has_container ? &process->container : NULL,
		.executable = process_base_name(process),
		.host_name = bytes_of_text(judge->host.nodename),
	};

	in.program = command_program(in.executable, process->cmdline);
	in.runtime = command_runtime(in.executable);
	if (elf && elf->go) {
		in.runtime = BYTES("go");
		in.runtime_version = bytes_of_text(elf->go_version);
	}
	buf_reset(&judge->storage);
	describe(judge, &in, ret);
	return finish(judge, ret);
}

int judge_process(struct judge *judge, uint32_t tgid, struct judgement *ret)
{
	struct process *process = &judge->process;
	struct judgement found = { 0 };
	struct select_verdict verdict;
	int r = process_read(judge->root_fd, tgid, process);

	if (r < 0)
		return r;
	found.start_ns = process->stat.start_ns;
	found.container_hash = container_hash(bytes_of_text(process->container.id));
	verdict = select_found(judge, process);
	found.selected = verdict.selected;
	found.flags = verdict.flags;
	if (process->stat.state == 'Z' || process->stat.state == 'X')
		r = -ESRCH;
	else if (found.selected)
		r = describe_found(judge, process, &found);
	process_close(process);
	if (!r)
		*ret = found;
	return r;
}

/* What is left of a process that is gone: its command name and cgroups, and what it was before. */
static void recall(const struct process_event *event, const struct resource *before,
		   struct container *ret)
{
	*ret = (struct container){ 0 };
	if (!container_of_names(event->cgroup, ret) || !before)
		return;
	if (before->container_id.len == CONTAINER_ID_LEN)
		memcpy(ret->id, before->container_id.at, CONTAINER_ID_LEN);
}

static int describe_gone(struct judge *judge, struct bytes comm, const struct container *container,
			 const struct resource *before, struct judgement *ret)
{
	struct service_input in = {
		.container = container->id[0] ? container : NULL,
		.executable = comm.len ? comm : BYTES("unknown"),
		.host_name = bytes_of_text(judge->host.nodename),
	};

	buf_reset(&judge->storage);
	if (before && ret->source != SERVICE_EXECUTABLE)
		service_inherit(before, in.executable, &judge->storage, &judge->service.view);
	else
		describe(judge, &in, ret);
	return finish(judge, ret);
}

int judge_event(struct judge *judge, const struct process_event *event,
		const struct resource *before, enum service_source source, struct judgement *ret)
{
	struct judgement found = { .start_ns = event->start_ns, .source = source };
	char comm[PROCESS_COMM_LEN + 1] = "";
	struct container container;
	struct select_subject subject = {
		.tgid = event->event.tgid,
		.exe = "",
		.base_name = comm,
		.container_id = container.id,
		/* forked by kthreadd; what it lets exec is a program (modprobe, a core handler) */
		.kernel_thread = event->parent_tgid == 2 && event->event.kind == EVENT_FORK,
	};
	struct select_verdict verdict;
	int r = 0;

	memcpy(comm, event->comm, PROCESS_COMM_LEN);
	recall(event, before, &container);
	subject.in_container = container.id[0] || event->pid_ns_level > 0;
	verdict = select_process(judge->config, &subject, judge->self_tgid,
				 judge->self_in_container);
	found.selected = verdict.selected;
	found.flags = verdict.flags;
	found.container_hash = container_hash(bytes_of_text(container.id));
	if (found.selected)
		r = describe_gone(judge, bytes_of_text(comm), &container, before, &found);
	if (!r)
		*ret = found;
	return r;
}

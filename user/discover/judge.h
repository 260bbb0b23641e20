/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a process to what is to be done with it: read, select, name. Holds what that takes (scratch
 * memory, the executables and resources met so far) and no state of any process.
 */
#ifndef SONDE_DISCOVER_JUDGE_H
#define SONDE_DISCOVER_JUDGE_H

#include <sys/utsname.h>

#include "base/buf.h"
#include "config/config.h"
#include "discover/elf.h"
#include "discover/pool.h"
#include "discover/process.h"
#include "discover/select.h"
#include "discover/service.h"
#include "event/process.h"

struct judge {
	const struct config *config;
	int root_fd;			/* /proc */
	uint32_t self_tgid;
	bool self_in_container;
	uint64_t self_pid_ns;		/* inode; 0: unknown */
	struct utsname host;
	struct elf_cache executables;
	struct resource_pool resources;
	struct buf storage;		/* of the service being described */
	struct process process;
	struct service service;		/* last, since a resource's text would follow it */
};

struct judgement {
	uint64_t start_ns;		/* CLOCK_BOOTTIME; from /proc cut to ticks */
	bool selected;
	uint16_t flags;			/* enum target_flag */
	enum service_source source;
	uint64_t container_hash;	/* 0: in none */
	struct resource *resource;	/* one reference, the caller's; NULL when not selected */
};

/* The hash of a container id, never 0 for one; 0 for no bytes. */
uint64_t container_hash(struct bytes id);

/* `proc_root` is "/proc" but in tests. Returns 0 or -errno, logged. */
int judge_open(struct judge *judge, const struct config *config, const char *proc_root);
void judge_close(struct judge *judge);

/* By /proc. Returns 0; -ESRCH: gone, or a zombie; other -errno. */
int judge_process(struct judge *judge, uint32_t tgid, struct judgement *ret);

/*
 * By the event alone, of a process that is gone. `before`: the resource it had until this exec,
 * or NULL, and where its name came from: a name out of the environment or the pod is kept.
 * Returns 0 or -ENOMEM.
 */
int judge_event(struct judge *judge, const struct process_event *event,
		const struct resource *before, enum service_source source, struct judgement *ret);

#endif

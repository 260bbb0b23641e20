/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process as /proc shows it. Everything is read through one descriptor of /proc/PID, so what
 * is read belongs to one process: once it is gone, reads fail, even if its pid is in use again.
 * The texts belong to the process itself and are hostile.
 */
#ifndef SONDE_DISCOVER_PROCESS_H
#define SONDE_DISCOVER_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "discover/container.h"

#define PROCESS_ENVIRON_MAX (128 * 1024)	/* bytes looked at; what comes later is not seen */
#define PROCESS_CMDLINE_MAX 4096
#define PROCESS_CGROUPS_MAX 8192

/* The variables that name a service; no bytes: not set. */
struct process_names {
	struct bytes service_name;		/* OTEL_SERVICE_NAME */
	struct bytes resource_attributes;	/* OTEL_RESOURCE_ATTRIBUTES, still encoded */
	struct bytes hostname;			/* HOSTNAME: in a pod, the pod's name */
};

/* What proc_pid_stat(5) tells. */
struct process_stat {
	uint64_t start_ns;	/* CLOCK_BOOTTIME, cut to clock ticks: see process_same_start() */
	uint32_t parent_tgid;
	char state;		/* Z and X: nothing of it is left but its name */
	bool kernel_thread;
	char comm[PROCESS_COMM_LEN];
};

/* About 140 KiB, of which only what a process fills is touched: keep one and reuse it. */
struct process {
	int dir_fd;		/* of /proc/PID; -1: closed */
	uint32_t tgid;
	struct process_stat stat;
	uint64_t pid_ns;	/* inode of its pid namespace; 0: could not be read */
	bool exe_deleted;	/* the file was removed or replaced since */
	bool has_container;
	char exe[PATH_MAX];	/* in the process's own mount namespace; empty: could not be read */
	struct container container;
	struct process_names names;	/* into `environ` */
	struct bytes cmdline;	/* arguments, each ended by a NUL; into `cmdline_text` */
	uint8_t environ[PROCESS_ENVIRON_MAX];
	uint8_t cmdline_text[PROCESS_CMDLINE_MAX];
};

/*
 * Fills `process` from <root>/<tgid>. What the kernel does not let us see is left empty. Returns
 * 0 with dir_fd open, or -errno: -ESRCH when it is gone.
 */
int process_read(int root_fd, uint32_t tgid, struct process *process);

/* Closes dir_fd. */
void process_close(struct process *process);

/* Only its stat. Returns 0 or -errno: -ESRCH when gone. */
int process_read_stat(int root_fd, uint32_t tgid, struct process_stat *ret);

/*
 * True when two start times of one pid mean the same process: the kernel's events have them in ns,
 * /proc in clock ticks (10 ms), rounded down. A pid is not reused within a tick.
 */
bool process_same_start(uint64_t a_ns, uint64_t b_ns);

/* Calls for every process there is, in the order of /proc. Returns 0 or -errno. */
int process_list(int root_fd, void (*call)(void *context, uint32_t tgid), void *context);

/* The number in a link like `pid:[4026531836]`; 0: it cannot be read. */
uint64_t namespace_inode(int dir_fd, const char *link);

/* The first occurrence of each name, as getenv(3) finds it; a last one without its NUL is cut. */
struct process_names environ_names(struct bytes environ);

/* The executable's last path component; comm where there is none or the file is a memfd. */
struct bytes process_base_name(const struct process *process);

/* As above for any path: what follows the last slash. */
struct bytes path_base(struct bytes path);

#endif

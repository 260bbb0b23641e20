/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID, read and taken apart (proc(5)). To discover.c, which judges what is found here. */
#include "discover/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define PF_KTHREAD 0x00200000	/* `flags` of proc_pid_stat(5); linux/sched.h */
#define STAT_MAX 1024		/* 52 numbers and a name of at most 64 bytes */

/* Fields of proc_pid_stat(5), counted from the state, the first after the name. */
enum stat_field { STAT_STATE = 0, STAT_PPID = 1, STAT_FLAGS = 6, STAT_STARTTIME = 19 };

static uint64_t tick_ns(void)
{
	static long per_second;		/* USER_HZ: 100 on every architecture but alpha */

	if (per_second <= 0)
		per_second = sysconf(_SC_CLK_TCK);
	return NSEC_PER_SEC / (per_second > 0 ? (uint64_t)per_second : 100);
}

bool process_same_start(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns / tick_ns() == b_ns / tick_ns();
}

/* Whole content up to `max` bytes. Returns its length or -errno. */
static ssize_t read_file(int dir_fd, const char *name, void *to, size_t max)
{
	_cleanup_(closep) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	while (len < max) {
		ssize_t n = read(fd, (uint8_t *)to + len, max - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int open_dir(int root_fd, uint32_t tgid)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%u", tgid);
	fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}

/* The field's number; 0 when there is none. */
static uint64_t stat_number(struct bytes fields, enum stat_field field)
{
	uint64_t value = 0;
	ssize_t space;

	for (int i = 0; i < (int)field; i++) {
		space = bytes_index(fields, ' ');
		if (space < 0)
			return 0;
		fields = bytes_skip(fields, (size_t)space + 1);
	}
	space = bytes_index(fields, ' ');
	if (space >= 0)
		fields = bytes_first(fields, (size_t)space);
	bytes_to_u64(fields, &value);
	return value;
}

/* `PID (NAME) STATE PPID ...`; the name may hold anything, parentheses and newlines too. */
static int parse_stat(struct bytes text, struct process_stat *ret)
{
	ssize_t open = bytes_index(text, '(');
	size_t close = text.len, name_len;
	struct bytes fields;

	while (close > 0 && text.at[close - 1] != ')')
		close--;
	if (open < 0 || close < (size_t)open + 2 || text.len < close + 2)
		return -EBADMSG;

	name_len = MIN(close - 1 - ((size_t)open + 1), sizeof(ret->comm) - 1);
	fields = bytes_skip(text, close + 1);
	*ret = (struct process_stat){
		.state = (char)fields.at[0],
		.parent_tgid = (uint32_t)stat_number(fields, STAT_PPID),
		.kernel_thread = stat_number(fields, STAT_FLAGS) & PF_KTHREAD,
		.start_ns = stat_number(fields, STAT_STARTTIME) * tick_ns(),
	};
	memcpy(ret->comm, text.at + open + 1, name_len);
	return 0;
}

/* `name` is relative to `dir_fd`. */
static int read_stat(int dir_fd, const char *name, struct process_stat *ret)
{
	char text[STAT_MAX];
	ssize_t len = read_file(dir_fd, name, text, sizeof(text));

	if (len < 0)
		return len == -ENOENT ? -ESRCH : (int)len;
	return parse_stat(bytes_of(text, (size_t)len), ret);
}

static void read_exe(struct process *process)
{
	static const char deleted[] = " (deleted)";	/* appended by the kernel: fs/d_path.c */
	ssize_t len = readlinkat(process->dir_fd, "exe", process->exe, sizeof(process->exe) - 1);
	struct bytes path;

	if (len < 0)
		len = 0;		/* a kernel thread, a zombie, or not ours to see */
	path = bytes_of(process->exe, (size_t)len);
	process->exe_deleted = bytes_end_with(path, BYTES(" (deleted)"));
	if (process->exe_deleted)
		len -= sizeof(deleted) - 1;
	process->exe[len] = '\0';
}

uint64_t namespace_inode(int dir_fd, const char *link)
{
	char text[64];
	ssize_t len = readlinkat(dir_fd, link, text, sizeof(text));
	struct bytes bytes = bytes_of(text, len > 0 ? (size_t)len : 0);
	ssize_t bracket = bytes_index(bytes, '[');
	uint64_t inode = 0;

	if (bracket < 0 || !bytes_end_with(bytes, BYTES("]")))
		return 0;
	bytes = bytes_skip(bytes, (size_t)bracket + 1);
	bytes_to_u64(bytes_first(bytes, bytes.len - 1), &inode);
	return inode;
}

static void read_container(struct process *process)
{
	char text[PROCESS_CGROUPS_MAX];
	ssize_t len = read_file(process->dir_fd, "cgroup", text, sizeof(text));

	process->has_container = len > 0 && !container_of_proc_cgroup(bytes_of(text, (size_t)len),
								       &process->container);
	if (!process->has_container)
		process->container = (struct container){ 0 };
}

static void read_texts(struct process *process)
{
	ssize_t len = read_file(process->dir_fd, "environ", process->environ,
				sizeof(process->environ));

	process->names = environ_names(bytes_of(process->environ, len > 0 ? (size_t)len : 0));
	len = read_file(process->dir_fd, "cmdline", process->cmdline_text,
			sizeof(process->cmdline_text));
	process->cmdline = bytes_of(process->cmdline_text, len > 0 ? (size_t)len : 0);
}

int process_read(int root_fd, uint32_t tgid, struct process *process)
{
	int r = open_dir(root_fd, tgid);

	process->tgid = tgid;
	process->dir_fd = MAX(r, -1);
	if (r < 0)
		return r;
	r = read_stat(process->dir_fd, "stat", &process->stat);
	if (r < 0) {
		process_close(process);
		return r;
	}
	read_exe(process);
	process->pid_ns = namespace_inode(process->dir_fd, "ns/pid");
	read_container(process);
	read_texts(process);
	return 0;
}

void process_close(struct process *process)
{
	if (process->dir_fd >= 0)
		close(process->dir_fd);
	process->dir_fd = -1;
}

int process_read_stat(int root_fd, uint32_t tgid, struct process_stat *ret)
{
	char name[32];

	snprintf(name, sizeof(name), "%u/stat", tgid);
	return read_stat(root_fd, name, ret);
}

/* The number a name consists of; 0: it is not a process's. */
static uint32_t tgid_of_name(const char *name)
{
	uint64_t tgid;

	if (bytes_to_u64(bytes_of_text(name), &tgid) < 0 || tgid > INT32_MAX)
		return 0;
	return (uint32_t)tgid;
}

int process_list(int root_fd, void (*call)(void *context, uint32_t tgid), void *context)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	_cleanup_(closep) int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	fd = -1;			/* the stream's now */
	while (errno = 0, entry = readdir(dir)) {
		uint32_t tgid = tgid_of_name(entry->d_name);

		if (tgid)
			call(context, tgid);
	}
	return -errno;
}

/* The value when `text` is NAME=VALUE. */
static bool take_value(struct bytes text, struct bytes name_and_equals, struct bytes *value)
{
	if (value->at || !bytes_start_with(text, name_and_equals))
		return false;
	*value = bytes_skip(text, name_and_equals.len);
	return true;
}

struct process_names environ_names(struct bytes environ)
{
	struct process_names names = { 0 };

	while (environ.len) {
		ssize_t end = bytes_index(environ, '\0');
		struct bytes text = end < 0 ? environ : bytes_first(environ, (size_t)end);

		if (!take_value(text, BYTES("OTEL_SERVICE_NAME="), &names.service_name) &&
		    !take_value(text, BYTES("OTEL_RESOURCE_ATTRIBUTES="),
				&names.resource_attributes))
			take_value(text, BYTES("HOSTNAME="), &names.hostname);
		environ = bytes_skip(environ, text.len + 1);
	}
	return names;
}

struct bytes path_base(struct bytes path)
{
	size_t start = path.len;

	while (start > 0 && path.at[start - 1] != '/')
		start--;
	return bytes_skip(path, start);
}

struct bytes process_base_name(const struct process *process)
{
	struct bytes base = path_base(bytes_of_text(process->exe));

	/* a file without a directory is called what its maker likes, often something random */
	if (!base.len || bytes_start_with(base, BYTES("memfd:")))
		return bytes_of_text(process->stat.comm);
	return base;
}

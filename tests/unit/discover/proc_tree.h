/* SPDX-License-Identifier: Apache-2.0 */
/* A /proc of our own making: a directory of processes that tests write, change and remove. */
#ifndef SONDE_TESTS_PROC_TREE_H
#define SONDE_TESTS_PROC_TREE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

#define TREE_INITIAL_PID_NS "pid:[4026531836]"
#define TREE_INITIAL_CGROUP_NS "cgroup:[4026531835]"
#define TREE_TICK_NS 10000000ull	/* USER_HZ is 100 */

struct proc_tree {
	char path[64];
	int fd;
};

/* What a process is made of; members left out are what a plain shell would have. */
struct proc_fixture {
	uint32_t tgid, parent;
	uint64_t start_ticks;
	const char *comm, *exe, *cgroup, *pid_ns;
	struct bytes environ, cmdline;
	unsigned flags;			/* of stat: 0x00200000 is PF_KTHREAD */
	char state;
};

static inline void tree_must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static inline void tree_write(int dir_fd, const char *name, struct bytes content)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	tree_must(fd >= 0, name);
	tree_must(write(fd, content.at ? (const void *)content.at : "", content.len) ==
		  (ssize_t)content.len, name);
	close(fd);
}

static inline void tree_link(int dir_fd, const char *name, const char *to)
{
	unlinkat(dir_fd, name, 0);
	tree_must(!symlinkat(to, dir_fd, name), name);
}

static inline int tree_dir(int dir_fd, const char *name)
{
	int fd;

	tree_must(!mkdirat(dir_fd, name, 0700) || errno == EEXIST, name);
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY);
	tree_must(fd >= 0, name);
	return fd;
}

static inline void tree_write_stat(int dir_fd, const struct proc_fixture *process)
{
	char text[256];
	int len = snprintf(text, sizeof(text),
			   "%u (%s) %c %u %u %u 0 -1 %u 1 2 3 4 5 6 7 8 20 0 1 0 %llu 1000 200 1\n",
			   process->tgid, process->comm ? process->comm : "sh",
			   process->state ? process->state : 'S', process->parent, process->tgid,
			   process->tgid, process->flags,
			   (unsigned long long)process->start_ticks);

	tree_write(dir_fd, "stat", bytes_of(text, (size_t)len));
}

static inline void tree_add(const struct proc_tree *tree, const struct proc_fixture *process)
{
	char name[16];
	int dir_fd, ns_fd;

	snprintf(name, sizeof(name), "%u", process->tgid);
	dir_fd = tree_dir(tree->fd, name);
	tree_write_stat(dir_fd, process);
	tree_write(dir_fd, "environ", process->environ);
	tree_write(dir_fd, "cmdline", process->cmdline);
	tree_write(dir_fd, "cgroup", bytes_of_text(process->cgroup ? process->cgroup : "0::/\n"));
	unlinkat(dir_fd, "exe", 0);
	if (!(process->flags & 0x00200000))
		tree_link(dir_fd, "exe", process->exe ? process->exe : "/no/such/bin/sh");
	ns_fd = tree_dir(dir_fd, "ns");
	tree_link(ns_fd, "pid", process->pid_ns ? process->pid_ns : TREE_INITIAL_PID_NS);
	close(ns_fd);
	close(dir_fd);
}

/* Removes all there is in a directory, two levels deep being as deep as a tree goes. */
static inline void tree_empty(int dir_fd)
{
	DIR *dir = fdopendir(dup(dir_fd));
	struct dirent *entry;

	tree_must(dir != NULL, "fdopendir");
	rewinddir(dir);
	while ((entry = readdir(dir))) {
		int fd;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (!unlinkat(dir_fd, entry->d_name, 0))
			continue;
		fd = openat(dir_fd, entry->d_name, O_RDONLY | O_DIRECTORY);
		tree_must(fd >= 0, entry->d_name);
		tree_empty(fd);
		close(fd);
		tree_must(!unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR), entry->d_name);
	}
	closedir(dir);
}

static inline void tree_remove(const struct proc_tree *tree, uint32_t tgid)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%u", tgid);
	fd = openat(tree->fd, name, O_RDONLY | O_DIRECTORY);
	tree_must(fd >= 0, name);
	tree_empty(fd);
	close(fd);
	tree_must(!unlinkat(tree->fd, name, AT_REMOVEDIR), name);
}

/* The agent itself: on the host, or as in a container with namespaces of its own. */
static inline void tree_set_self(const struct proc_tree *tree, const char *cgroup,
				 const char *cgroup_ns)
{
	int self_fd = tree_dir(tree->fd, "self"), ns_fd = tree_dir(self_fd, "ns");

	tree_write(self_fd, "cgroup", bytes_of_text(cgroup));
	tree_link(ns_fd, "cgroup", cgroup_ns);
	tree_link(ns_fd, "pid", TREE_INITIAL_PID_NS);
	close(ns_fd);
	close(self_fd);
}

static inline void tree_make(struct proc_tree *tree)
{
	strcpy(tree->path, "/tmp/sonde-proc-XXXXXX");
	tree_must(mkdtemp(tree->path) != NULL, "mkdtemp");
	tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY);
	tree_must(tree->fd >= 0, tree->path);
	tree_write(tree->fd, "uptime", BYTES("1 1\n"));
	tree_set_self(tree, "0::/\n", TREE_INITIAL_CGROUP_NS);
}

static inline void tree_destroy(struct proc_tree *tree)
{
	tree_empty(tree->fd);
	close(tree->fd);
	tree_must(!rmdir(tree->path), tree->path);
}

#endif

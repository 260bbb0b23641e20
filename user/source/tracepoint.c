// SPDX-License-Identifier: Apache-2.0
/*
 * libbpf looks for tracefs in two places and gives up. A container's /sys is often its own, without
 * either: then tracefs is opened without being mounted anywhere, and nothing is left behind.
 */
#include "source/tracepoint.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SECTION "tracepoint/"

/* A descriptor of tracefs' own root, or -errno. */
static int open_unmounted(void)
{
	_cleanup_(closep) int context = fsopen("tracefs", FSOPEN_CLOEXEC);
	int fd;

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int open_tracefs(void)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
		_cleanup_(closep) int fd = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && !faccessat(fd, "events", F_OK, 0))
			return TAKE_FD(fd);
	}
	return open_unmounted();
}

/* The number of an event, `name` as in the section: "syscalls/sys_exit_read". Or -errno. */
static int read_number(int tracefs, const char *name)
{
	_cleanup_(closep) int fd = -1;
	char path[128], text[16] = "";

	snprintf(path, sizeof(path), "events/%s/id", name);
	fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		return -EIO;
	return atoi(text);
}

static int attach(int tracefs, struct bpf_program *program, struct bpf_link **ret_link)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	int fd, r = read_number(tracefs, bpf_program__section_name(program) + strlen(SECTION));

	if (r < 0)
		return r;
	attr.config = r;
	/* any process; the processor is a formality: the program runs on all of them */
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_link = bpf_program__attach_perf_event(program, fd);
	if (*ret_link)
		return 0;
	r = -errno;
	close(fd);
	return r;
}

int tracepoints_attach(struct bpf_object_skeleton *skeleton)
{
	_cleanup_(closep) int tracefs = -1;

	for (int i = 0; i < skeleton->prog_cnt; i++) {
		struct bpf_program *program = *skeleton->progs[i].prog;
		int r;

		if (!bpf_program__autoload(program) ||
		    strncmp(bpf_program__section_name(program), SECTION, strlen(SECTION)))
			continue;
		if (tracefs < 0)
			tracefs = open_tracefs();
		if (tracefs < 0)
			return tracefs;
		bpf_program__set_autoattach(program, false);
		r = attach(tracefs, program, skeleton->progs[i].link);
		if (r < 0)
			return r;
	}
	return 0;
}

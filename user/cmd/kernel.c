/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: Linux 5.15 (bpf_task_pt_regs(), and task and socket storage in tracing programs) and
 * the kernel's own types (BTF). Below it no program of ours loads, with errors no one understands.
 */
#include "cmd/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FLOOR_MAJOR 5
#define FLOOR_MINOR 15

/* "5.10.0-26-amd64": what stands before the first dash is what people know. */
static int say_too_old(const char *release, char *ret_why, size_t size)
{
	int len = 0;

	while (release[len] && release[len] != '-' && len < 32)
		len++;
	snprintf(ret_why, size,
		 "kernel %.*s: too old: Sonde needs Linux %d.%d or later with BTF (" KERNEL_BTF_PATH
		 "); upgrade the node's kernel", len, release, FLOOR_MAJOR, FLOOR_MINOR);
	return -EOPNOTSUPP;
}

int kernel_judge(const char *release, bool has_btf, char *ret_why, size_t size)
{
	unsigned major, minor;

	/* a release that is not numbers is of no kernel known: let trying decide */
	if (sscanf(release, "%3u.%5u", &major, &minor) == 2 &&
	    (major < FLOOR_MAJOR || (major == FLOOR_MAJOR && minor < FLOOR_MINOR)))
		return say_too_old(release, ret_why, size);
	if (!has_btf) {
		snprintf(ret_why, size,
			 "kernel %.64s: no BTF (" KERNEL_BTF_PATH "): it was built without "
			 "CONFIG_DEBUG_INFO_BTF; boot a distribution's kernel, or mount /sys",
			 release);
		return -EOPNOTSUPP;
	}
	return 0;
}

int kernel_supported(char *ret_why, size_t size)
{
	struct utsname name;

	if (uname(&name) < 0)
		return 0;
	return kernel_judge(name.release, !access(KERNEL_BTF_PATH, R_OK), ret_why, size);
}

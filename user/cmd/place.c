/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what the system says of the place the agent runs in. Nothing here is fatal. */
#include "cmd/place.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "cmd/kernel.h"
#include "discover/container.h"

/* Inode numbers of the initial namespaces: fixed in the kernel's include/linux/proc_ns.h. */
#define INITIAL_PID_NS 0xEFFFFFFCu
#define INITIAL_USER_NS 0xEFFFFFFDu

#define FILE_BYTES 8192

/* The front of a small file, NUL-terminated; empty when it cannot be read. */
static size_t read_text(const char *path, char *ret_text, size_t size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, ret_text, size - 1);

	len = MAX(len, 0);
	ret_text[len] = '\0';
	return len;
}

static int32_t read_setting(const char *path)
{
	char text[32];
	int value;

	read_text(path, text, sizeof(text));
	return sscanf(text, "%11d", &value) == 1 ? value : SETTING_UNKNOWN;
}

/* Value of a line of /proc/self/status, by its name with the colon; NULL: there is none. */
static const char *status_value(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : NULL;
}

static void read_status(struct place *place)
{
	char status[FILE_BYTES];
	const char *value;
	unsigned long long capabilities;

	read_text("/proc/self/status", status, sizeof(status));
	value = status_value(status, "\nCapEff:");
	if (value && sscanf(value, "%16llx", &capabilities) == 1)
		place->capabilities = capabilities;
	value = status_value(status, "\nSeccomp:");
	place->seccomp = value && value[strspn(value, " \t")] == '2';
}

/* "none [integrity] confidentiality": the one in brackets is in force. */
static void read_lockdown(struct place *place)
{
	char text[64], *end, *start;

	read_text("/sys/kernel/security/lockdown", text, sizeof(text));
	start = strchr(text, '[');
	end = start ? strchr(start, ']') : NULL;
	if (end)
		snprintf(place->lockdown, sizeof(place->lockdown), "%.*s", (int)(end - start - 1),
			 start + 1);
}

static bool is_mounted(const char *path, long magic)
{
	struct statfs fs;

	return !statfs(path, &fs) && (unsigned long)fs.f_type == (unsigned long)magic;
}

static enum place_cgroup read_cgroup(void)
{
	if (is_mounted("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC))
		return CGROUP_V2;
	if (is_mounted("/sys/fs/cgroup/unified", CGROUP2_SUPER_MAGIC))
		return CGROUP_HYBRID;
	return access("/sys/fs/cgroup/memory", F_OK) ? CGROUP_NONE : CGROUP_V1;
}

static bool in_namespace(const char *path, uint32_t inode)
{
	struct stat stat_;

	return !stat(path, &stat_) && stat_.st_ino == inode;
}

/* Inside a cgroup namespace the names say nothing: then by the marks runtimes leave. */
static void read_container(struct place *place)
{
	struct container container;
	char text[FILE_BYTES];
	size_t len = read_text("/proc/self/cgroup", text, sizeof(text));

	if (!container_of_proc_cgroup(bytes_of(text, len), &container))
		snprintf(place->container, sizeof(place->container), "%s", container.id);
	else if (getenv("KUBERNETES_SERVICE_HOST"))
		snprintf(place->container, sizeof(place->container), "a Kubernetes pod");
	else if (!access("/.dockerenv", F_OK))
		snprintf(place->container, sizeof(place->container), "Docker");
	else if (!access("/run/.containerenv", F_OK))
		snprintf(place->container, sizeof(place->container), "Podman");
}

void place_read(struct place *ret_place)
{
	struct place place = { 0 };
	struct utsname name;
	struct rlimit limit;

	if (!uname(&name)) {
		snprintf(place.release, sizeof(place.release), "%s", name.release);
		snprintf(place.machine, sizeof(place.machine), "%s", name.machine);
	}
	place.has_btf = !access(KERNEL_BTF_PATH, R_OK);
	read_status(&place);
	place.memlock_bytes = getrlimit(RLIMIT_MEMLOCK, &limit) ? 0 : limit.rlim_cur;
	read_lockdown(&place);
	place.unprivileged_bpf_disabled =
		read_setting("/proc/sys/kernel/unprivileged_bpf_disabled");
	place.kptr_restrict = read_setting("/proc/sys/kernel/kptr_restrict");
	place.perf_event_paranoid = read_setting("/proc/sys/kernel/perf_event_paranoid");
	place.bpf_stats_enabled = read_setting("/proc/sys/kernel/bpf_stats_enabled");
	place.has_tracefs = is_mounted("/sys/kernel/tracing", TRACEFS_MAGIC) ||
			    is_mounted("/sys/kernel/debug/tracing", TRACEFS_MAGIC);
	place.has_bpffs = is_mounted("/sys/fs/bpf", BPF_FS_MAGIC);
	place.cgroup = read_cgroup();
	place.initial_pid_ns = in_namespace("/proc/self/ns/pid", INITIAL_PID_NS);
	place.initial_user_ns = in_namespace("/proc/self/ns/user", INITIAL_USER_NS);
	read_container(&place);
	*ret_place = place;
}

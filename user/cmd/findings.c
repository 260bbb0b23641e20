/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from the place for Sonde: one function a line of the report. Pure. */
#include "cmd/findings.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/kernel.h"

/* linux/capability.h of old distributions ends before these (5.8) */
#define CAP_BIT_PERFMON 38
#define CAP_BIT_BPF 39

#define SAY(field, ...) snprintf((field), sizeof(field), __VA_ARGS__)

const char *finding_state_name(enum finding_state state)
{
	static const char *const names[] = { "ok", "degraded", "refused" };

	return names[state];
}

static bool has(const struct place *place, unsigned capability)
{
	return place->capabilities >> capability & 1;
}

static void judge_kernel(const struct place *place, struct finding *finding)
{
	SAY(finding->value, "%s %s", place->release, place->machine);
	if (kernel_judge(place->release, true, finding->note, sizeof(finding->note)) < 0)
		finding->state = FINDING_REFUSED;
}

static void judge_btf(const struct place *place, struct finding *finding)
{
	SAY(finding->value, "%s", place->has_btf ? KERNEL_BTF_PATH : "missing");
	if (place->has_btf)
		return;
	finding->state = FINDING_REFUSED;
	SAY(finding->note, "the kernel was built without CONFIG_DEBUG_INFO_BTF, or /sys is not "
	    "mounted: boot a distribution's kernel");
}

static const struct {
	unsigned bit;
	const char *name;
} capabilities[] = {
	{ CAP_BIT_BPF, "BPF" },			/* maps and programs */
	{ CAP_BIT_PERFMON, "PERFMON" },		/* attaching, reading kernel memory */
	{ CAP_SYS_ADMIN, "SYS_ADMIN" },		/* instead of both */
	{ CAP_SYS_PTRACE, "SYS_PTRACE" },	/* /proc of other users' processes */
	{ CAP_NET_ADMIN, "NET_ADMIN" },
	{ CAP_SYS_RESOURCE, "SYS_RESOURCE" },
};

static void judge_capabilities(const struct place *place, struct finding *finding)
{
	bool loads = has(place, CAP_SYS_ADMIN) ||
		     (has(place, CAP_BIT_BPF) && has(place, CAP_BIT_PERFMON));
	size_t len = 0;

	for (unsigned i = 0; i < ARRAY_LEN(capabilities); i++) {
		if (has(place, capabilities[i].bit))
			len += snprintf(finding->value + len, sizeof(finding->value) - len, "%s%s",
					len ? " " : "", capabilities[i].name);
	}
	if (!len)
		SAY(finding->value, "none");
	if (!loads) {
		finding->state = FINDING_REFUSED;
		SAY(finding->note, "nothing can be loaded without BPF and PERFMON (or SYS_ADMIN): "
		    "run as root, in a pod with privileged: true or these capabilities");
	} else if (!has(place, CAP_SYS_PTRACE)) {
		finding->state = FINDING_DEGRADED;
		SAY(finding->note, "without SYS_PTRACE the executable and environment of other "
		    "users' processes cannot be read, so their services go by command name: add "
		    "the capability");
	}
}

static void judge_user_ns(const struct place *place, struct finding *finding)
{
	SAY(finding->value, "%s", place->initial_user_ns ? "initial" : "not the initial one");
	if (place->initial_user_ns)
		return;
	finding->state = FINDING_REFUSED;
	SAY(finding->note, "root of a user namespace (rootless container) may not load programs: "
	    "run as the machine's root, in a pod without hostUsers: false");
}

static void judge_pid_ns(const struct place *place, struct finding *finding)
{
	SAY(finding->value, "%s", place->initial_pid_ns ? "initial" : "not the initial one");
	if (place->initial_pid_ns)
		return;
	finding->state = FINDING_DEGRADED;
	SAY(finding->note, "the kernel's process ids are not those of this /proc: processes "
	    "cannot be selected or named: run with hostPID: true (Docker: --pid=host)");
}

static void judge_lockdown(const struct place *place, struct finding *finding)
{
	SAY(finding->value, "%s", *place->lockdown ? place->lockdown : "not known");
	if (strcmp(place->lockdown, "confidentiality"))
		return;
	finding->state = FINDING_REFUSED;
	SAY(finding->note, "in this mode programs may not read memory: boot with "
	    "lockdown=integrity or without lockdown");
}

static void judge_seccomp(const struct place *place, struct finding *finding)
{
	SAY(finding->value, "%s", place->seccomp ? "filter" : "none");
	if (place->seccomp)
		SAY(finding->note, "if sources are refused below, the filter may forbid bpf(2): "
		    "run with privileged: true or seccompProfile: Unconfined");
}

/* Since 5.11 memory of maps is charged to the cgroup: the limit no longer counts. */
static void judge_memlock(const struct place *place, struct finding *finding)
{
	if (place->memlock_bytes == UINT64_MAX)
		SAY(finding->value, "unlimited");
	else
		SAY(finding->value, "%" PRIu64 " KiB, without effect since Linux 5.11",
		    place->memlock_bytes >> 10);
}

static void judge_tracefs(const struct place *place, struct finding *finding)
{
	SAY(finding->value, "%s", place->has_tracefs ? "mounted" : "not mounted");
	if (!place->has_tracefs)
		SAY(finding->note, "only the choice syscall of source socket needs it: mount -t "
		    "tracefs tracefs /sys/kernel/tracing");
}

static void judge_bpffs(const struct place *place, struct finding *finding)
{
	SAY(finding->value, "%s; not needed, nothing is pinned",
	    place->has_bpffs ? "mounted" : "not mounted");
}

static void judge_cgroup(const struct place *place, struct finding *finding)
{
	static const char *const names[] = { "none mounted", "v1", "v1 and v2 (hybrid)", "v2" };

	SAY(finding->value, "%s", names[place->cgroup]);
}

static void judge_container(const struct place *place, struct finding *finding)
{
	SAY(finding->value, "%s", *place->container ? place->container : "none");
}

static void say_setting(struct finding *finding, int32_t value)
{
	if (value == SETTING_UNKNOWN)
		SAY(finding->value, "not known");
	else
		SAY(finding->value, "%" PRId32, value);
}

static void judge_unprivileged(const struct place *place, struct finding *finding)
{
	say_setting(finding, place->unprivileged_bpf_disabled);
}

static void judge_kptr(const struct place *place, struct finding *finding)
{
	say_setting(finding, place->kptr_restrict);
}

static void judge_paranoid(const struct place *place, struct finding *finding)
{
	say_setting(finding, place->perf_event_paranoid);
	if (place->perf_event_paranoid > 2 && !has(place, CAP_BIT_PERFMON) &&
	    !has(place, CAP_SYS_ADMIN))
		SAY(finding->note, "without PERFMON this forbids tracepoints and kprobes: add the "
		    "capability");
}

static void judge_stats(const struct place *place, struct finding *finding)
{
	say_setting(finding, place->bpf_stats_enabled);
	if (!place->bpf_stats_enabled)
		SAY(finding->note, "sonde_bpf_run_seconds_total stays 0: sysctl -w "
		    "kernel.bpf_stats_enabled=1 measures it, for a little time each run");
}

static const struct {
	const char *name;
	void (*judge)(const struct place *place, struct finding *finding);
} judges[] = {
	{ "kernel", judge_kernel },
	{ "btf", judge_btf },
	{ "capabilities", judge_capabilities },
	{ "user_namespace", judge_user_ns },
	{ "pid_namespace", judge_pid_ns },
	{ "container", judge_container },
	{ "cgroup", judge_cgroup },
	{ "lockdown", judge_lockdown },
	{ "seccomp", judge_seccomp },
	{ "memlock", judge_memlock },
	{ "tracefs", judge_tracefs },
	{ "bpffs", judge_bpffs },
	{ "unprivileged_bpf_disabled", judge_unprivileged },
	{ "kptr_restrict", judge_kptr },
	{ "perf_event_paranoid", judge_paranoid },
	{ "bpf_stats_enabled", judge_stats },
};
_Static_assert(ARRAY_LEN(judges) <= FINDINGS_MAX, "a place for each");

unsigned place_judge(const struct place *place, struct finding ret_findings[FINDINGS_MAX])
{
	for (unsigned i = 0; i < ARRAY_LEN(judges); i++) {
		ret_findings[i] = (struct finding){ .name = judges[i].name };
		judges[i].judge(place, &ret_findings[i]);
	}
	return ARRAY_LEN(judges);
}

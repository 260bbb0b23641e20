// SPDX-License-Identifier: Apache-2.0
/* What all sources share: trying choices in order, explaining refusals, reading costs. */
#include "source/source.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"

#define CPUS_MAX 1024

/* The verifier's report is one message of many lines: each becomes a line of the log. */
static int log_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	_cleanup_(freep) char *text = NULL;
	char *rest, *line;

	if (log_get_level() < LOG_LEVEL_DEBUG)
		return 0;
	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		return 0;
	}
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			log_debug("%s", line);
	}
	return 0;
}

void source_quiet_libbpf(void)
{
	libbpf_set_print(log_libbpf);
}

int source_open(const struct source *source, const struct config *config, int forced,
		void **ret_state, struct choice_result *results)
{
	int r = -ENOTSUP;

	for (unsigned i = 0; i < CHOICES_MAX; i++)
		results[i] = (struct choice_result){ .error = -ECANCELED };

	for (unsigned i = 0; source->choices[i].name; i++) {
		if (forced >= 0 && (unsigned)forced != i)
			continue;
		results[i].error = 0;
		r = source->open(config, i, ret_state, &results[i]);
		results[i].error = r;
		if (r >= 0)
			return i;
	}
	return r;
}

int source_forced(const struct source *source, const struct config *config)
{
	if (source != &socket_source || config->socket_hook == HOOK_AUTO)
		return -1;
	return config->socket_hook - HOOK_SOCK_LENGTH;
}

static bool listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

void object_keep(struct bpf_object *object, const char *const *programs, const char *const *maps)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, listed(programs, bpf_program__name(program)));
	bpf_object__for_each_map(map, object) {
		/* .rodata and .bss are named after the object and always needed */
		if (bpf_map__is_internal(map))
			continue;
		bpf_map__set_autocreate(map, listed(maps, bpf_map__name(map)));
	}
}

void object_drop_missing(struct bpf_object *object, const char *const *programs)
{
	struct btf *kernel = NULL;

	for (; *programs; programs++) {
		struct bpf_program *program = bpf_object__find_program_by_name(object, *programs);
		const char *section = program ? strchr(bpf_program__section_name(program), '/') : NULL;

		if (!section || !bpf_program__autoload(program))
			continue;
		if (!kernel)
			kernel = btf__load_vmlinux_btf();
		if (!kernel || btf__find_by_name_kind(kernel, section + 1, BTF_KIND_FUNC) < 0)
			bpf_program__set_autoload(program, false);
	}
	btf__free(kernel);
}

void choice_explain(struct choice_result *result, int error, const char *doing)
{
	const char *cure;

	switch (-error) {
	case EPERM:
	case EACCES:
		cure = "the kernel refuses it: run privileged (CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN), or "
		       "this kernel has it locked down";
		break;
	case ENOENT:
	case ESRCH:
		cure = "this kernel does not have the hook, or its BTF does not describe it";
		break;
	case ENOTSUP:
	case EINVAL:
		cure = "this kernel does not support the program type or a helper it calls";
		break;
	case ENOMEM:
		cure = "not enough memory for its maps: lower --ring-bytes, --targets-max";
		break;
	case E2BIG:
		cure = "a map larger, or a program more complex than this kernel takes: see --log-level "
		       "debug";
		break;
	default:
		cure = "see --log-level debug for what the kernel said";
	}
	snprintf(result->why, sizeof(result->why), "%s: %s: %s", doing, strerror(-error), cure);
}

uint64_t percpu_sum(const struct bpf_map *map, uint32_t slot)
{
	uint64_t values[CPUS_MAX], sum = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0 || cpus > CPUS_MAX)
		return 0;
	if (bpf_map_lookup_elem(bpf_map__fd(map), &slot, values))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

static uint64_t map_bytes(int fd)
{
	_cleanup_(fclosep) FILE *info = NULL;
	unsigned long long bytes = 0;
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

uint64_t object_map_bytes(const struct bpf_object *object)
{
	struct bpf_map *map;
	uint64_t sum = 0;

	bpf_object__for_each_map(map, object)
		if (bpf_map__fd(map) >= 0)
			sum += map_bytes(bpf_map__fd(map));
	return sum;
}

void object_add_stats(const struct bpf_object *object, struct program_stats *stats)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (bpf_program__fd(program) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			continue;
		stats->runs += info.run_cnt;
		stats->run_ns += info.run_time_ns;
		stats->missed += info.recursion_misses;
	}
}

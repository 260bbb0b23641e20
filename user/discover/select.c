/* SPDX-License-Identifier: Apache-2.0 */
/* Selection. From discover.c, with what /proc or an event told; the verdict goes to the BPF map. */
#include "discover/select.h"

#include <string.h>

#include "event/process.h"

static bool any_matches(const struct config_list *globs, const char *text)
{
	for (unsigned i = 0; i < globs->count; i++) {
		if (glob_match(globs->item[i], text))
			return true;
	}
	return false;
}

/* A glob may be meant for the whole path (`/usr/bin/py*`) or for the name (`py*`). */
static bool executable_matches(const struct config_list *globs,
			       const struct select_subject *subject)
{
	return (subject->exe[0] && any_matches(globs, subject->exe)) ||
	       any_matches(globs, subject->base_name);
}

static bool number_in(const struct config_numbers *numbers, uint32_t number)
{
	for (unsigned i = 0; i < numbers->count; i++) {
		if (numbers->item[i] == number)
			return true;
	}
	return false;
}

bool select_pid(const struct config *config, uint32_t tgid)
{
	return number_in(&config->pids, tgid);
}

static bool is_never(const struct config *config, const struct select_subject *subject,
		     uint32_t self_tgid)
{
	return subject->kernel_thread || subject->tgid == self_tgid ||
	       !strcmp(subject->base_name, "sonde") ||
	       executable_matches(&config->exclude_executables, subject);
}

static bool is_listed(const struct config *config, const struct select_subject *subject)
{
	return subject->of_listed_pid || select_pid(config, subject->tgid) ||
	       executable_matches(&config->executables, subject) ||
	       (subject->container_id[0] &&
		any_matches(&config->containers, subject->container_id));
}

static bool has_lists(const struct config *config)
{
	return config->executables.count || config->pids.count || config->containers.count ||
	       config->ports.count;
}

bool select_containers_only(const struct config *config, bool self_in_container)
{
	if (has_lists(config))
		return false;
	return config->select == SELECT_CONTAINERS ||
	       (config->select == SELECT_AUTO && self_in_container);
}

struct select_verdict select_process(const struct config *config,
				     const struct select_subject *subject, uint32_t self_tgid,
				     bool self_in_container)
{
	struct select_verdict verdict = { 0 };

	if (is_never(config, subject, self_tgid))
		return verdict;
	if (!has_lists(config)) {
		verdict.selected = subject->in_container ||
				   !select_containers_only(config, self_in_container);
		return verdict;
	}
	verdict.selected = is_listed(config, subject);
	if (!verdict.selected && config->ports.count)
		verdict = (struct select_verdict){ .selected = true, .flags = TARGET_BY_PORT };
	return verdict;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sonde doctor`: what this kernel allows. Every choice of every source is opened, attached and
 * closed again, one at a time, with the settings the agent would have; the report goes to stdout.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/kernel.h"
#include "cmd/report.h"
#include "config/config.h"
#include "source/socket.h"
#include "source/source.h"

/* --- trying -------------------------------------------------------------------------------- */

/*
 * Tries all choices. The first that works stays open in *ret_state, for sources that build on this
 * one; the others are closed.
 */
static void try_choices(struct report_source *report, const struct config *config, void **ret_state)
{
	const struct source *source = report->source;

	for (unsigned i = 0; source->choices[i].name; i++) {
		struct choice_result *result = &report->results[i];
		void *state = NULL;

		*result = (struct choice_result){ 0 };
		result->error = source->open(config, i, &state, result);
		if (result->error < 0) {
			if (!*result->why)
				choice_explain(result, result->error, "open");
			continue;
		}
		result->error = 0;
		if (*ret_state)
			source->close(state);
		else
			*ret_state = state;
	}
}

static void not_tried(struct report_source *report, const char *why)
{
	for (unsigned i = 0; report->source->choices[i].name; i++) {
		report->results[i] = (struct choice_result){ .error = -ECANCELED };
		snprintf(report->results[i].why, sizeof(report->results[i].why), "%s", why);
	}
}

/* The socket source reads the process source's table, so that one stays open until the end. */
static void try_sources(struct report *report, const struct config *config, bool possible)
{
	void *states[REPORT_SOURCES_MAX] = { NULL };
	void *process = NULL;

	for (unsigned i = 0; sources[i] && i < REPORT_SOURCES_MAX; i++) {
		struct report_source *source = &report->sources[i];

		source->source = sources[i];
		source->forced = source_forced(sources[i], config);
		report->source_count++;
		if (!possible) {
			not_tried(source, "this kernel is below what Sonde needs");
		} else if (sources[i] == &socket_source && !process) {
			not_tried(source, "it needs source process, which does not work");
		} else {
			socket_source_share(process);
			try_choices(source, config, &states[i]);
		}
		if (sources[i] == &process_source)
			process = states[i];
	}
	for (unsigned i = report->source_count; i-- > 0;) {
		if (states[i])
			sources[i]->close(states[i]);
	}
}

/* --- output -------------------------------------------------------------------------------- */

static int print_json(const struct report *report)
{
	struct buf json;
	size_t written = 0;

	buf_init(&json, REPORT_JSON_MAX);
	report_print_json(report, &json);
	if (!json.failed)
		written = fwrite(json.at, 1, json.len, stdout);
	buf_done(&json);
	return written ? 0 : -EIO;
}

static int diagnose(const struct config *config, bool json)
{
	struct report report = { 0 };
	char why[KERNEL_WHY_SIZE];
	int exit_code;

	log_set_level(config->log_level);
	source_quiet_libbpf();
	place_read(&report.place);
	report.finding_count = place_judge(&report.place, report.findings);
	try_sources(&report, config, kernel_supported(why, sizeof(why)) >= 0);
	exit_code = report_conclude(&report);

	if (json)
		print_json(&report);
	else
		report_print_text(&report, stdout);
	if (fflush(stdout) || ferror(stdout)) {
		log_error(-errno, "doctor: cannot write the report: %m: check standard output");
		return EXIT_FAILED;
	}
	return exit_code;
}

/* --- command line -------------------------------------------------------------------------- */

/* Takes `--json` out of the words; the rest is the agent's. */
static bool take_json(int *argc, char **argv)
{
	bool found = false;
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		if (!strcmp(argv[i], "--json"))
			found = true;
		else
			argv[kept++] = argv[i];
	}
	*argc = kept;
	return found;
}

static int print_usage(void)
{
	fputs("usage: sonde doctor [--json] [OPTION VALUE]...\n\n"
	      "Says what this kernel allows, which choice of each source the agent would take and\n"
	      "why, what is degraded, and what to do about it. --json: the same as JSON.\n"
	      "Options are those of sonde agent: give both the same, to see what it would do.\n\n"
	      "Exit status: 0 every source works, 1 some do not, 2 wrong usage, 77 none does.\n",
	      stdout);
	return EXIT_DONE;
}

int doctor_main(int argc, char **argv)
{
	_cleanup_(config_done) struct config config;
	bool json = take_json(&argc, argv), help;
	int r;

	config_init(&config);
	r = config_from_arguments(&config, argc, argv, stderr, &help);
	if (r < 0)
		return EXIT_USAGE;
	if (help)
		return print_usage();
	r = config_check(&config, stderr);
	if (r < 0)
		return EXIT_USAGE;
	return diagnose(&config, json);
}

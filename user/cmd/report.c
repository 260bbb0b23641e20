/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's report: what follows from the findings, as text and as JSON. */
#include "cmd/report.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"

int report_choose(const struct report_source *source)
{
	for (int i = 0; source->source->choices[i].name; i++) {
		if (source->forced >= 0 && i != source->forced)
			continue;
		if (!source->results[i].error)
			return i;
	}
	return -1;
}

/* First finding as bad as `state`, or NULL. */
static const struct finding *first_in_state(const struct report *report, enum finding_state state)
{
	for (unsigned i = 0; i < report->finding_count; i++) {
		if (report->findings[i].state == state)
			return &report->findings[i];
	}
	return NULL;
}

/* A choice other than the best is a degradation even where the operator forced it. */
static unsigned count_second_best(const struct report *report)
{
	unsigned count = 0;

	for (unsigned i = 0; i < report->source_count; i++)
		count += report->sources[i].chosen > 0;
	return count;
}

/* "Sonde works here, degraded: pid_namespace: the kernel's process ids ...". */
static void summarise_finding(struct report *report, const char *verdict,
			      const struct finding *finding, const char *otherwise)
{
	snprintf(report->summary, sizeof(report->summary), "%s: %s%s%s", verdict,
		 finding ? finding->name : otherwise, finding ? ": " : "",
		 finding ? finding->note : "");
}

static void summarise(struct report *report, unsigned working)
{
	const struct finding *refused = first_in_state(report, FINDING_REFUSED);
	const struct finding *degraded = first_in_state(report, FINDING_DEGRADED);
	unsigned missing = report->source_count - working;

	report->state = FINDING_DEGRADED;
	if (!working) {
		report->state = FINDING_REFUSED;
		summarise_finding(report, "Sonde cannot work here", refused,
				  "no source does: the reason stands with each choice");
	} else if (missing) {
		snprintf(report->summary, sizeof(report->summary),
			 "Sonde works here in part: %u of %u sources cannot: the reason stands "
			 "with each choice", missing, report->source_count);
	} else if (degraded || refused || count_second_best(report)) {
		summarise_finding(report, "Sonde works here, degraded",
				  refused ? refused : degraded,
				  "a source uses a choice that is not its best: see what it costs");
	} else {
		report->state = FINDING_OK;
		snprintf(report->summary, sizeof(report->summary),
			 "Sonde works here: every source has its best choice");
	}
}

int report_conclude(struct report *report)
{
	unsigned working = 0;

	for (unsigned i = 0; i < report->source_count; i++) {
		report->sources[i].chosen = report_choose(&report->sources[i]);
		working += report->sources[i].chosen >= 0;
	}
	summarise(report, working);
	if (!working)
		return EXIT_UNSUPPORTED;
	return working < report->source_count ? EXIT_FAILED : EXIT_DONE;
}

/* --- text ---------------------------------------------------------------------------------- */

static const char *choice_state(const struct choice_result *result)
{
	if (!result->error)
		return "works";
	return result->error == -ECANCELED ? "not_tried" : "refused";
}

static void print_finding(const struct finding *finding, FILE *out)
{
	fprintf(out, "  %-26s %-9s %s\n", finding->name, finding_state_name(finding->state),
		finding->value);
	if (*finding->note)
		fprintf(out, "  %-26s %-9s   %s\n", "", "", finding->note);
}

static void print_choice(const struct report_source *source, int index, FILE *out)
{
	const struct choice *choice = &source->source->choices[index];
	const struct choice_result *result = &source->results[index];
	bool chosen = source->chosen == index;

	fprintf(out, "    %-12s %s%s%s\n", choice->name,
		result->error == -ECANCELED ? "not tried" : choice_state(result),
		chosen ? ", chosen" : "", chosen && source->forced >= 0 ? " (forced)" : "");
	if (*result->why)
		fprintf(out, "                 why:    %s\n", result->why);
	fprintf(out, "                 needs:  %s\n", choice->needs);
	if (*choice->cost)
		fprintf(out, "                 costs:  %s\n", choice->cost);
	if (*choice->blind)
		fprintf(out, "                 blind:  %s\n", choice->blind);
}

void report_print_text(const struct report *report, FILE *out)
{
	fprintf(out, "sonde %s on Linux %s %s\n\nThis place\n", SONDE_VERSION,
		report->place.release, report->place.machine);
	for (unsigned i = 0; i < report->finding_count; i++)
		print_finding(&report->findings[i], out);
	fputs("\nSources, each choice really tried, best first\n", out);
	for (unsigned i = 0; i < report->source_count; i++) {
		const struct report_source *source = &report->sources[i];

		fprintf(out, "  %s: %s\n", source->source->name, source->source->purpose);
		for (int k = 0; source->source->choices[k].name; k++)
			print_choice(source, k, out);
		if (source->chosen < 0)
			fprintf(out, "    no choice works%s\n",
				source->forced >= 0 ? ": one is forced, auto tries all" : "");
	}
	fprintf(out, "\n%s\n", report->summary);
}

/* --- JSON ---------------------------------------------------------------------------------- */

static void add_text(struct buf *json, const char *key, const char *value)
{
	buf_printf(json, "\"%s\":\"", key);
	buf_add_json(json, bytes_of_text(value));
	buf_add_byte(json, '"');
}

static void add_finding(const struct finding *finding, struct buf *json)
{
	buf_add_byte(json, '{');
	add_text(json, "name", finding->name);
	buf_add_byte(json, ',');
	add_text(json, "state", finding_state_name(finding->state));
	buf_add_byte(json, ',');
	add_text(json, "value", finding->value);
	buf_add_byte(json, ',');
	add_text(json, "note", finding->note);
	buf_add_byte(json, '}');
}

static void add_choice(const struct report_source *source, int index, struct buf *json)
{
	const struct choice *choice = &source->source->choices[index];
	const char *const pairs[][2] = {
		{ "name", choice->name },
		{ "state", choice_state(&source->results[index]) },
		{ "why", source->results[index].why },
		{ "needs", choice->needs },
		{ "cost", choice->cost },
		{ "blind", choice->blind },
	};

	buf_add_byte(json, '{');
	for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
		add_text(json, pairs[i][0], pairs[i][1]);
		buf_add_byte(json, ',');
	}
	buf_printf(json, "\"error\":%d,\"chosen\":%s}", -source->results[index].error,
		   source->chosen == index ? "true" : "false");
}

static void add_name_or_null(const struct report_source *source, const char *key, int index,
			     struct buf *json)
{
	if (index >= 0)
		add_text(json, key, source->source->choices[index].name);
	else
		buf_printf(json, "\"%s\":null", key);
}

static void add_source(const struct report_source *source, struct buf *json)
{
	buf_add_byte(json, '{');
	add_text(json, "name", source->source->name);
	buf_add_byte(json, ',');
	add_text(json, "purpose", source->source->purpose);
	buf_add_byte(json, ',');
	add_name_or_null(source, "chosen", source->chosen, json);
	buf_add_byte(json, ',');
	add_name_or_null(source, "forced", source->forced, json);
	buf_add_text(json, ",\"choices\":[");
	for (int i = 0; source->source->choices[i].name; i++) {
		if (i)
			buf_add_byte(json, ',');
		add_choice(source, i, json);
	}
	buf_add_text(json, "]}");
}

void report_print_json(const struct report *report, struct buf *json)
{
	buf_add_byte(json, '{');
	add_text(json, "version", SONDE_VERSION);
	buf_add_byte(json, ',');
	add_text(json, "state", finding_state_name(report->state));
	buf_add_byte(json, ',');
	add_text(json, "summary", report->summary);
	buf_add_text(json, ",\"checks\":[");
	for (unsigned i = 0; i < report->finding_count; i++) {
		if (i)
			buf_add_byte(json, ',');
		add_finding(&report->findings[i], json);
	}
	buf_add_text(json, "],\"sources\":[");
	for (unsigned i = 0; i < report->source_count; i++) {
		if (i)
			buf_add_byte(json, ',');
		add_source(&report->sources[i], json);
	}
	buf_add_text(json, "]}\n");
}

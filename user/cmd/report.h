/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor found, and its two forms: text and JSON. Pure: no probing here. */
#ifndef SONDE_CMD_REPORT_H
#define SONDE_CMD_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "cmd/findings.h"
#include "cmd/place.h"
#include "source/source.h"

#define REPORT_SOURCES_MAX 8
#define REPORT_JSON_MAX (1u << 20)	/* bytes */

/* One source; a choice with error -ECANCELED was not tried. */
struct report_source {
	const struct source *source;
	int forced;			/* choice the configuration forces; -1: none */
	int chosen;			/* choice the agent would take; -1: none */
	struct choice_result results[CHOICES_MAX];
};

struct report {
	struct place place;
	struct finding findings[FINDINGS_MAX];
	unsigned finding_count;
	struct report_source sources[REPORT_SOURCES_MAX];
	unsigned source_count;
	enum finding_state state;	/* of the whole */
	char summary[512];	/* one sentence, with what to do */
};

/* Which choice the agent would take, from `forced` and `results`. */
int report_choose(const struct report_source *source);

/*
 * Fills in `state` and `summary` from all the rest. Returns the exit code: 0 every source has a
 * working choice (perhaps degraded), 1 some have none, 77 none has.
 */
int report_conclude(struct report *report);

void report_print_text(const struct report *report, FILE *out);

/* One JSON object and a newline; check json->failed after it. */
void report_print_json(const struct report *report, struct buf *json);

#endif

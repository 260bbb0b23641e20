/* SPDX-License-Identifier: Apache-2.0 */
/* docs/metrics.md, from the tables of semantic conventions and of the agent's own numbers. */
#include <string.h>

#include "cmd/document.h"
#include "config/document.h"
#include "model/self.h"
#include "model/semconv.h"
#include "model/span.h"

static const char *const role_names[] = { [ROLE_SERVER] = "server", [ROLE_CLIENT] = "client" };

static void print_code_cell(FILE *out, const char *text)
{
	fputc(' ', out);
	if (text && *text)
		document_print_code(out, text);
	fputs(" |", out);
}

static void print_bounds(FILE *out, const struct bounds *bounds)
{
	fputc(' ', out);
	for (unsigned i = 0; i < bounds->count; i++)
		fprintf(out, "%s%g", i ? " " : "", bounds->at[i]);
	fputs(" |", out);
}

static void print_instruments(FILE *out, const struct instrument *instruments)
{
	fputs("| OpenTelemetry | Prometheus | unit | buckets (upper bounds) | meaning |\n"
	      "|---|---|---|---|---|\n", out);
	for (unsigned i = 0; i < SERIES_HISTOGRAMS; i++) {
		const struct instrument *instrument = &instruments[i];

		fputs("|", out);
		print_code_cell(out, instrument->name);
		print_code_cell(out, instrument->prometheus);
		print_code_cell(out, instrument->unit);
		print_bounds(out, instrument->bounds);
		fputc(' ', out);
		document_print_markdown(out, instrument->help);
		fputs(" |\n", out);
	}
}

/* Attributes of metrics have a Prometheus label; those of spans do not. */
static void print_attributes(FILE *out, const struct attribute *attributes, bool labels)
{
	fprintf(out, "| attribute |%s meaning |\n|---|%s---|\n", labels ? " label |" : "",
		labels ? "---|" : "");
	for (; attributes->name; attributes++) {
		fputs("|", out);
		print_code_cell(out, attributes->name);
		if (labels)
			print_code_cell(out, attributes->label);
		fputc(' ', out);
		document_print_markdown(out, attributes->help);
		fputs(" |\n", out);
	}
}

static void print_semconv(FILE *out, const struct semconv *semconv)
{
	for (unsigned role = ROLE_SERVER; role <= ROLE_CLIENT; role++) {
		fprintf(out, "\n## %s %s\n\nHistograms, cumulative:\n\n", semconv->scope,
			role_names[role]);
		print_instruments(out, semconv->instrument[role]);
		fputs("\nTheir attributes, besides those of the resource:\n\n", out);
		print_attributes(out, semconv->metric[role], true);
		fputs("\nAttributes of spans:\n\n", out);
		print_attributes(out, semconv->span[role], false);
	}
}

/* One line a name: rows of one name stand together and differ in their labels. */
static void print_self(FILE *out)
{
	for (unsigned i = 0; i < SELF_MAX;) {
		const struct self_row *row = &self_rows[i];
		char name[128];

		snprintf(name, sizeof(name), "sonde_%s", row->name);
		fputs("|", out);
		print_code_cell(out, name);
		fprintf(out, " %s | ", row->kind == SELF_COUNTER ? "counter" : "gauge");
		for (; i < SELF_MAX && !strcmp(self_rows[i].name, row->name); i++) {
			if (!*self_rows[i].label)
				continue;
			document_print_code(out, self_rows[i].label);
			fputc(' ', out);
		}
		fputs("| ", out);
		document_print_markdown(out, row->help);
		fputs(" |\n", out);
	}
}

void document_metrics_md(FILE *out)
{
	fputs("# Metrics and spans\n\n"
	      "Made by `sonde document metrics.md` from the tables the exporters walk; do not "
	      "edit.\n\n"
	      "Names and units are those of the OpenTelemetry semantic conventions. Prometheus "
	      "shows\n"
	      "them at `/metrics` of `metrics.listen`, OTLP sends them to `otlp.endpoint`. Of "
	      "each\n"
	      "histogram Prometheus has `_bucket`, `_sum` and `_count`.\n", out);
	for (const struct semconv *const *semconv = semconvs; *semconv; semconv++)
		print_semconv(out, *semconv);
	fputs("\n## Sonde's own numbers\n\n"
	      "What the agent saw, refused, lost and costs. Everything that is turned away is "
	      "counted\n"
	      "here.\n\n| name | type | labels | meaning |\n|---|---|---|---|\n", out);
	print_self(out);
}

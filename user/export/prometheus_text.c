/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families and their samples: view of the store -> text, one family after the other. Sources:
 * Prometheus exposition formats (text 0.0.4); OpenMetrics 1.0, "Text format".
 */
#include "export/prometheus_text.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/prometheus_label.h"
#include "export/view.h"
#include "model/self.h"

struct writer {
	struct buf *out;
	struct buf labels;		/* of the series at hand: a="x",b="y" */
	enum metrics_format format;
	struct view view;
};

#define LABELS_MAX (1u << 20) /* bytes; all attributes of a resource come from one environment */

/*
 * `suffix` is what samples have and families lack in OpenMetrics ("_total", "_info"); in text
 * 0.0.4 a family is called as its samples are.
 */
static void write_head(struct writer *writer, const char *name, const char *suffix,
		       const char *type, const char *unit, const char *help)
{
	bool open = writer->format == METRICS_OPENMETRICS;

	if (open)
		suffix = "";
	buf_printf(writer->out, "# HELP %s%s ", name, suffix);
	prometheus_add_escaped(writer->out, bytes_of_text(help), open);
	buf_printf(writer->out, "\n# TYPE %s%s %s\n", name, suffix, type);
	if (open && unit)
		buf_printf(writer->out, "# UNIT %s %s\n", name, unit);
}

/* Sums and exemplars: integer steps as the instrument's unit. */
static void add_value(struct buf *out, const struct instrument *instrument, uint64_t value)
{
	if (!strcmp(instrument->unit, "s"))
		prometheus_add_seconds(out, value);
	else
		prometheus_add_u64(out, value);
}

static void add_exemplar(struct buf *out, const struct exemplar *exemplar)
{
	buf_add_text(out, " # {trace_id=\"");
	prometheus_add_hex(out, exemplar->trace_id, sizeof(exemplar->trace_id));
	buf_add_text(out, "\",span_id=\"");
	prometheus_add_hex(out, exemplar->span_id, sizeof(exemplar->span_id));
	buf_add_text(out, "\"} ");
	prometheus_add_seconds(out, exemplar->value);
	buf_add_byte(out, ' ');
	prometheus_add_seconds(out, exemplar->time_ns / NSEC_PER_MSEC * NSEC_PER_MSEC);
}

static void start_sample(struct writer *writer, const char *name, const char *suffix)
{
	buf_add_text(writer->out, name);
	buf_add_text(writer->out, suffix);
	buf_add_byte(writer->out, '{');
	buf_add_bytes(writer->out, buf_bytes(&writer->labels));
}

static void write_bucket(struct writer *writer, const struct series *series,
			 enum series_histogram which, unsigned i, uint64_t count)
{
	const struct instrument *instrument = &series->semconv->instrument[series->role][which];
	struct buf *out = writer->out;

	start_sample(writer, instrument->prometheus, "_bucket");
	buf_add_text(out, writer->labels.len ? ",le=\"" : "le=\"");
	if (i < instrument->bounds->count)
		prometheus_add_bound(out, instrument->bounds->at[i], writer->format);
	else
		buf_add_text(out, "+Inf");
	buf_add_text(out, "\"} ");
	prometheus_add_u64(out, count);
	if (which == SERIES_DURATION && writer->format == METRICS_OPENMETRICS &&
	    series->exemplar[i].time_ns)
		add_exemplar(out, &series->exemplar[i]);
	buf_add_byte(out, '\n');
}

static void write_histogram(struct writer *writer, const struct series *series,
			    enum series_histogram which)
{
	const struct instrument *instrument = &series->semconv->instrument[series->role][which];
	const struct histogram *histogram = &series->histogram[which];
	uint64_t count = 0;

	buf_reset(&writer->labels);
	prometheus_add_labels(&writer->labels, series);
	writer->out->failed |= writer->labels.failed;
	for (unsigned i = 0; i <= instrument->bounds->count; i++) {
		count += histogram->bucket[i];
		write_bucket(writer, series, which, i, count);
	}
	start_sample(writer, instrument->prometheus, "_sum");
	buf_add_text(writer->out, "} ");
	add_value(writer->out, instrument, histogram->sum);
	buf_add_byte(writer->out, '\n');
	start_sample(writer, instrument->prometheus, "_count");
	buf_add_text(writer->out, "} ");
	prometheus_add_u64(writer->out, count);
	buf_add_byte(writer->out, '\n');
}

static void write_family(struct writer *writer, const struct semconv *semconv, enum role role,
			 enum series_histogram which)
{
	const struct instrument *instrument = &semconv->instrument[role][which];
	const char *unit = strcmp(instrument->unit, "s") ? "bytes" : "seconds";
	bool headed = false;

	for (uint32_t i = 0; i < writer->view.count; i++) {
		const struct series *series = writer->view.at[i];

		if (series->semconv != semconv || series->role != role ||
		    !series->histogram[which].count)
			continue;
		if (!headed)
			write_head(writer, instrument->prometheus, "", "histogram", unit,
				   instrument->help);
		headed = true;
		write_histogram(writer, series, which);
	}
}

static void write_series(struct writer *writer)
{
	for (int i = 0; semconvs[i]; i++) {
		for (int role = ROLE_SERVER; role <= ROLE_CLIENT; role++) {
			for (int which = 0; which < SERIES_HISTOGRAMS; which++)
				write_family(writer, semconvs[i], role, which);
		}
	}
}

/* One a service and container: series join it on those labels. */
static void write_target_info(struct writer *writer)
{
	const char *type = writer->format == METRICS_OPENMETRICS ? "info" : "gauge";
	const struct resource *last = NULL;

	for (uint32_t i = 0; i < writer->view.count; i++) {
		const struct resource *resource = writer->view.at[i]->resource;

		if (!resource || (last && !view_compare_resources(resource, last, VIEW_LABELS)))
			continue;
		if (!last)
			write_head(writer, "target", "_info", type, NULL,
				   "Attributes of the watched services (OpenTelemetry resources).");
		last = resource;
		buf_reset(&writer->labels);
		prometheus_add_resource(&writer->labels, resource);
		writer->out->failed |= writer->labels.failed;
		start_sample(writer, "target_info", "");
		buf_add_text(writer->out, "} 1\n");
	}
}

/* `events_total` -> the family sonde_events, suffix _total. */
static void write_self_head(struct writer *writer, const struct self_row *row)
{
	struct bytes name = bytes_of_text(row->name);
	bool total = bytes_end_with(name, BYTES("_total"));
	char family[96];

	snprintf(family, sizeof(family), "sonde_%.*s", (int)(name.len - (total ? 6 : 0)),
		 row->name);
	write_head(writer, family, total ? "_total" : "",
		   row->kind == SELF_COUNTER ? "counter" : "gauge", NULL, row->help);
}

static void write_self(struct writer *writer)
{
	for (int id = 0; id < SELF_MAX; id++) {
		const struct self_row *row = &self_rows[id];

		if (row->help[0])
			write_self_head(writer, row);
		buf_printf(writer->out, "sonde_%s%s%s%s ", row->name, row->label[0] ? "{" : "",
			   row->label, row->label[0] ? "}" : "");
		if (row->scale == 1)
			prometheus_add_u64(writer->out, self_get(id));
		else
			prometheus_add_seconds(writer->out, self_get(id));
		buf_add_byte(writer->out, '\n');
	}
}

static void write_build(struct writer *writer)
{
	const char *type = writer->format == METRICS_OPENMETRICS ? "info" : "gauge";

	write_head(writer, "sonde_build", "_info", type, NULL, "Version of the agent.");
	buf_printf(writer->out, "sonde_build_info{version=\"%s\"} 1\n", SONDE_VERSION);
}

int prometheus_write(struct buf *out, const struct metric_store *store, enum metrics_format format)
{
	struct writer writer = { .out = out, .format = format };
	int r;

	r = view_open(&writer.view, store, VIEW_LABELS);
	if (r < 0)
		return r;
	buf_init(&writer.labels, LABELS_MAX);

	write_series(&writer);
	write_target_info(&writer);
	write_self(&writer);
	write_build(&writer);
	if (format == METRICS_OPENMETRICS)
		buf_add_text(out, "# EOF\n");

	buf_done(&writer.labels);
	view_close(&writer.view);
	return out->failed ? -ENOSPC : 0;
}

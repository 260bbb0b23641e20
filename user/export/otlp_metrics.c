/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store and sonde_* -> ExportMetricsServiceRequest (opentelemetry-proto metrics.proto),
 * cumulative. Runs once a metric interval, so it is written for clarity.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/otlp_encode.h"
#include "export/otlp_point.h"
#include "export/pb.h"
#include "export/view.h"
#include "model/self.h"

enum { RESOURCE_METRICS = 1, SCOPE_METRICS = 2, METRICS = 2 };
enum metric_field {
	NAME = 1, DESCRIPTION = 2, UNIT = 3, GAUGE = 5, SUM = 7, HISTOGRAM = 9, EXPONENTIAL = 10,
};
enum { DATA_POINTS = 1, TEMPORALITY = 2, MONOTONIC = 3, CUMULATIVE = 2 };

struct encoder {
	const struct otlp_metrics *input;
	struct buf *out;
	struct view view;
	uint64_t points;
};

static size_t open_metric(struct encoder *encoder, struct bytes name, const char *help,
			  const char *unit)
{
	size_t mark = pb_open(encoder->out, METRICS);

	pb_add_text(encoder->out, NAME, name);
	pb_add_text(encoder->out, DESCRIPTION, bytes_of_text(help));
	pb_add_text(encoder->out, UNIT, bytes_of_text(unit));
	return mark;
}

static bool has_values(const struct encoder *encoder, uint32_t first, uint32_t end,
		       enum series_histogram which)
{
	for (uint32_t i = first; i < end; i++) {
		if (encoder->view.at[i]->histogram[which].count)
			return true;
	}
	return false;
}

/* One instrument of series first .. end - 1, which share resource, conventions and role. */
static void add_instrument(struct encoder *encoder, uint32_t first, uint32_t end,
			   enum series_histogram which)
{
	const struct series *series = encoder->view.at[first];
	const struct instrument *instrument = &series->semconv->instrument[series->role][which];
	bool exponential = which == SERIES_DURATION &&
			   encoder->input->histogram == HISTOGRAM_EXPONENTIAL;
	size_t metric, data;

	if (!has_values(encoder, first, end, which))
		return;
	metric = open_metric(encoder, bytes_of_text(instrument->name), instrument->help,
			     instrument->unit);
	data = pb_open(encoder->out, exponential ? EXPONENTIAL : HISTOGRAM);
	for (uint32_t i = first; i < end; i++) {
		series = encoder->view.at[i];
		if (!series->histogram[which].count)
			continue;
		if (exponential)
			otlp_add_exponential_point(encoder->out, DATA_POINTS, series,
						   encoder->input->now_ns);
		else
			otlp_add_histogram_point(encoder->out, DATA_POINTS, series, which,
						 encoder->input->now_ns);
		encoder->points++;
	}
	pb_add_varint(encoder->out, TEMPORALITY, CUMULATIVE);
	pb_close(encoder->out, data);
	pb_close(encoder->out, metric);
}

/*
 * End of the run from `first` on that shares the resource, and with `whole` conventions and role.
 */
static uint32_t run_end(const struct encoder *encoder, uint32_t first, bool whole)
{
	const struct series *const *at = encoder->view.at, *series = at[first];
	uint32_t end = first + 1;

	while (end < encoder->view.count &&
	       !view_compare_resources(series->resource, at[end]->resource, VIEW_RESOURCE) &&
	       (!whole || (at[end]->semconv == series->semconv && at[end]->role == series->role)))
		end++;
	return end;
}

static void add_resource_metrics(struct encoder *encoder, uint32_t first, uint32_t end)
{
	size_t resource = pb_open(encoder->out, RESOURCE_METRICS), scope;
	uint32_t next;

	otlp_add_resource(encoder->out, encoder->view.at[first]->resource);
	scope = pb_open(encoder->out, SCOPE_METRICS);
	otlp_add_scope(encoder->out);
	for (; first < end; first = next) {
		next = MIN(run_end(encoder, first, true), end);
		for (int which = 0; which < SERIES_HISTOGRAMS; which++)
			add_instrument(encoder, first, next, which);
	}
	pb_close(encoder->out, scope);
	pb_close(encoder->out, resource);
}

static const char *self_unit(struct bytes name)
{
	if (bytes_end_with(name, BYTES("_seconds")))
		return "s";
	return bytes_end_with(name, BYTES("_bytes")) ? "By" : "";
}

/*
 * Rows id .. end - 1 share a name. `events_total` becomes sonde_events: a receiver that speaks
 * Prometheus appends _total to a monotonic sum.
 */
static void add_self_metric(struct encoder *encoder, int id, int end)
{
	const struct self_row *row = &self_rows[id];
	bool counter = row->kind == SELF_COUNTER;
	struct bytes name = bytes_of_text(row->name);
	char full[96] = "sonde_";
	size_t prefix = strlen(full), metric, data;

	if (bytes_end_with(name, BYTES("_total")))
		name.len -= strlen("_total");
	name = bytes_first(name, sizeof(full) - prefix);
	memcpy(full + prefix, name.at, name.len);
	metric = open_metric(encoder, bytes_of(full, prefix + name.len), row->help,
			     self_unit(name));
	data = pb_open(encoder->out, counter ? SUM : GAUGE);
	for (; id < end; id++, encoder->points++)
		otlp_add_self_point(encoder->out, DATA_POINTS, id, encoder->input->start_ns,
				    encoder->input->now_ns);
	if (counter) {
		pb_add_varint(encoder->out, TEMPORALITY, CUMULATIVE);
		pb_add_varint(encoder->out, MONOTONIC, 1);
	}
	pb_close(encoder->out, data);
	pb_close(encoder->out, metric);
}

static void add_self_metrics(struct encoder *encoder)
{
	size_t resource = pb_open(encoder->out, RESOURCE_METRICS), scope;
	int end;

	otlp_add_resource(encoder->out, NULL);
	scope = pb_open(encoder->out, SCOPE_METRICS);
	otlp_add_scope(encoder->out);
	for (int id = 0; id < SELF_MAX; id = end) {
		for (end = id + 1; end < SELF_MAX && !self_rows[end].help[0]; end++)
			;
		add_self_metric(encoder, id, end);
	}
	pb_close(encoder->out, scope);
	pb_close(encoder->out, resource);
}

int otlp_metrics_encode(struct buf *out, const struct otlp_metrics *metrics, uint64_t *ret_points)
{
	struct encoder encoder = { .input = metrics, .out = out };
	uint32_t end;
	int r;

	r = view_open(&encoder.view, metrics->store, VIEW_RESOURCE);
	if (r < 0)
		return r;
	for (uint32_t first = 0; first < encoder.view.count; first = end) {
		end = run_end(&encoder, first, false);
		add_resource_metrics(&encoder, first, end);
	}
	add_self_metrics(&encoder);
	view_close(&encoder.view);
	if (out->failed)
		return -ENOSPC;
	*ret_points = encoder.points;
	return 0;
}

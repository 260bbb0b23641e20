/* SPDX-License-Identifier: Apache-2.0 */
/* HistogramDataPoint, ExponentialHistogramDataPoint and NumberDataPoint of metrics.proto. */
#include "export/otlp_point.h"

#include "export/otlp_encode.h"
#include "export/pb.h"

/* Numbers 2 to 4 are the same in all kinds of points; attributes are not. */
enum { START = 2, TIME = 3, COUNT = 4, SUM = 5 };
enum {
	HISTOGRAM_BUCKETS = 6, HISTOGRAM_BOUNDS = 7, HISTOGRAM_EXEMPLARS = 8,
	HISTOGRAM_ATTRIBUTES = 9,
};
enum {
	EXPONENTIAL_ATTRIBUTES = 1, EXPONENTIAL_SCALE_FIELD = 6, EXPONENTIAL_ZERO = 7,
	EXPONENTIAL_POSITIVE = 8, EXPONENTIAL_EXEMPLARS = 11,
};
enum { BUCKETS_OFFSET = 1, BUCKETS_COUNTS = 2 };
enum { EXEMPLAR_TIME = 2, EXEMPLAR_DOUBLE = 3, EXEMPLAR_SPAN_ID = 4, EXEMPLAR_TRACE_ID = 5 };
enum { NUMBER_DOUBLE = 4, NUMBER_INT = 6, NUMBER_ATTRIBUTES = 7 };

static void add_attribute(struct buf *out, unsigned field, const struct attribute *row,
			  const struct series *series)
{
	const void *at = (const char *)series + row->offset;
	struct bytes name = bytes_of_text(row->name);
	int64_t value = 0;

	switch (row->type) {
	case ATTRIBUTE_TEXT:
		otlp_add_text(out, field, name, *(const struct bytes *)at);
		return;
	case ATTRIBUTE_U16:
		value = *(const uint16_t *)at;
		break;
	case ATTRIBUTE_U32:
		value = *(const uint32_t *)at;
		break;
	case ATTRIBUTE_U64:
	case ATTRIBUTE_I64:
		value = *(const int64_t *)at;
		break;
	}
	if (value)
		otlp_add_int(out, field, name, value);
}

static void add_overflow(struct buf *out, unsigned field)
{
	enum { ANY_BOOL = 2 };
	size_t pair = pb_open(out, field), any;

	pb_add_text(out, KEY_VALUE_KEY, BYTES("otel.metric.overflow"));
	any = pb_open(out, KEY_VALUE_VALUE);
	pb_add_varint(out, ANY_BOOL, 1);
	pb_close(out, any);
	pb_close(out, pair);
}

static void add_attributes(struct buf *out, unsigned field, const struct series *series)
{
	if (series->overflow) {
		add_overflow(out, field);
		return;
	}
	for (const struct attribute *row = series->semconv->metric[series->role]; row->name; row++)
		add_attribute(out, field, row, series);
}

/* Integer steps in the instrument's unit: ns as seconds, bytes as they are. */
static double in_unit(const struct instrument *instrument, uint64_t value)
{
	return strcmp(instrument->unit, "s") ? (double)value : (double)value / 1e9;
}

static void add_exemplars(struct buf *out, unsigned field, const struct series *series)
{
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++) {
		const struct exemplar *exemplar = &series->exemplar[i];
		size_t mark;

		if (!exemplar->time_ns)
			continue;
		mark = pb_open(out, field);
		pb_add_fixed64(out, EXEMPLAR_TIME, exemplar->time_ns);
		pb_add_double(out, EXEMPLAR_DOUBLE, (double)exemplar->value / 1e9);
		pb_add_bytes(out, EXEMPLAR_SPAN_ID, bytes_of(exemplar->span_id, 8));
		pb_add_bytes(out, EXEMPLAR_TRACE_ID, bytes_of(exemplar->trace_id, 16));
		pb_close(out, mark);
	}
}

void otlp_add_histogram_point(struct buf *out, unsigned field, const struct series *series,
			      enum series_histogram which, uint64_t now_ns)
{
	const struct instrument *instrument = &series->semconv->instrument[series->role][which];
	const struct histogram *histogram = &series->histogram[which];
	size_t point = pb_open(out, field), packed;

	pb_add_fixed64(out, START, series->start_ns);
	pb_add_fixed64(out, TIME, now_ns);
	pb_add_fixed64(out, COUNT, histogram->count);
	pb_add_double(out, SUM, in_unit(instrument, histogram->sum));
	packed = pb_open(out, HISTOGRAM_BUCKETS);
	for (unsigned i = 0; i <= instrument->bounds->count; i++)
		pb_add_raw_fixed64(out, histogram->bucket[i]);
	pb_close(out, packed);
	packed = pb_open(out, HISTOGRAM_BOUNDS);
	for (unsigned i = 0; i < instrument->bounds->count; i++)
		pb_add_raw_double(out, instrument->bounds->at[i]);
	pb_close(out, packed);
	if (which == SERIES_DURATION)
		add_exemplars(out, HISTOGRAM_EXEMPLARS, series);
	add_attributes(out, HISTOGRAM_ATTRIBUTES, series);
	pb_close(out, point);
}

void otlp_add_exponential_point(struct buf *out, unsigned field, const struct series *series,
				uint64_t now_ns)
{
	const struct histogram *histogram = &series->histogram[SERIES_DURATION];
	const struct exponential *exponential = &series->duration;
	size_t point = pb_open(out, field), buckets, packed;

	add_attributes(out, EXPONENTIAL_ATTRIBUTES, series);
	pb_add_fixed64(out, START, series->start_ns);
	pb_add_fixed64(out, TIME, now_ns);
	pb_add_fixed64(out, COUNT, histogram->count);
	pb_add_double(out, SUM, (double)histogram->sum / 1e9);
	pb_add_sint(out, EXPONENTIAL_SCALE_FIELD, exponential->scale);
	pb_add_fixed64(out, EXPONENTIAL_ZERO, exponential->zero);
	buckets = pb_open(out, EXPONENTIAL_POSITIVE);
	pb_add_sint(out, BUCKETS_OFFSET, exponential->offset);
	packed = pb_open(out, BUCKETS_COUNTS);
	for (uint32_t i = 0; i < exponential->used; i++)
		pb_add_raw_varint(out, exponential->count[i]);
	pb_close(out, packed);
	pb_close(out, buckets);
	add_exemplars(out, EXPONENTIAL_EXEMPLARS, series);
	pb_close(out, point);
}

/* `a="x",b="y"`, as the table of self.h has it: values without quotes or escapes. */
static void add_label_attributes(struct buf *out, struct bytes label)
{
	while (label.len) {
		ssize_t equals = bytes_index(label, '=');
		struct bytes name = bytes_first(label, equals > 0 ? equals : 0);
		struct bytes value = bytes_skip(label, name.len + 2);	/* ="  */
		ssize_t end = bytes_index(value, '"');

		if (equals < 0 || end < 0)
			return;
		otlp_add_text(out, NUMBER_ATTRIBUTES, name, bytes_first(value, end));
		label = bytes_skip(value, end + 2);			/* ",  */
	}
}

void otlp_add_self_point(struct buf *out, unsigned field, enum self_id id, uint64_t start_ns,
			 uint64_t now_ns)
{
	const struct self_row *row = &self_rows[id];
	size_t point = pb_open(out, field);

	if (row->kind == SELF_COUNTER)
		pb_add_fixed64(out, START, start_ns);
	pb_add_fixed64(out, TIME, now_ns);
	if (row->scale == 1)
		pb_add_fixed64(out, NUMBER_INT, self_get(id));
	else
		pb_add_double(out, NUMBER_DOUBLE, (double)self_get(id) * row->scale);
	add_label_attributes(out, bytes_of_text(row->label));
	pb_close(out, point);
}

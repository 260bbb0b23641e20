/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small pieces of a sample, for prometheus_text.c: written without printf, since a scrape has
 * many.
 */
#include "export/prometheus_label.h"

#include <math.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/resource.h"

void prometheus_add_u64(struct buf *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = '0' + value % 10;
		value /= 10;
	} while (value);
	buf_add(out, digits + at, sizeof(digits) - at);
}

void prometheus_add_seconds(struct buf *out, uint64_t ns)
{
	uint64_t rest = ns % NSEC_PER_SEC;
	char decimals[10] = ".";
	size_t len = sizeof(decimals);

	prometheus_add_u64(out, ns / NSEC_PER_SEC);
	if (!rest)
		return;
	for (size_t i = sizeof(decimals) - 1; i > 0; i--, rest /= 10)
		decimals[i] = '0' + rest % 10;
	while (decimals[len - 1] == '0')
		len--;
	buf_add(out, decimals, len);
}

void prometheus_add_bound(struct buf *out, double bound, enum metrics_format format)
{
	bool whole = bound == floor(bound);

	buf_printf(out, "%.15g%s", bound, whole && format == METRICS_OPENMETRICS ? ".0" : "");
}

void prometheus_add_hex(struct buf *out, const uint8_t *at, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		buf_add_byte(out, digits[at[i] >> 4]);
		buf_add_byte(out, digits[at[i] & 15]);
	}
}

/* How many bytes at the front stand for themselves. */
static size_t plain_run(struct bytes text, bool quotes)
{
	size_t run = 0, len;

	while (run < text.len) {
		uint8_t c = text.at[run];

		len = utf8_sequence(bytes_skip(text, run));
		if (!len || c == '\\' || c == '\n' || (c == '"' && quotes))
			break;
		run += len;
	}
	return run;
}

static const char *escape_of(uint8_t c)
{
	return c == '\n' ? "\\n" : c == '"' ? "\\\"" : "\\\\";
}

void prometheus_add_escaped(struct buf *out, struct bytes text, bool quotes)
{
	while (text.len) {
		size_t run = plain_run(text, quotes);

		buf_add_bytes(out, bytes_first(text, run));
		text = bytes_skip(text, run);
		if (!text.len)
			break;
		if (text.at[0] >= 0x80)
			buf_add_text(out, "\xef\xbf\xbd");	/* U+FFFD */
		else
			buf_add_text(out, escape_of(text.at[0]));
		text = bytes_skip(text, 1);
	}
}

static void add_label(struct buf *labels, const char *name, struct bytes value)
{
	if (labels->len)
		buf_add_byte(labels, ',');
	buf_add_text(labels, name);
	buf_add_text(labels, "=\"");
	prometheus_add_escaped(labels, value, true);
	buf_add_byte(labels, '"');
}

static void add_number(struct buf *labels, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	add_label(labels, name, bytes_of_text(value ? text : ""));
}

/* What has no value is an empty label, which Prometheus takes for an absent one. */
static void add_attribute(struct buf *labels, const struct attribute *row,
			  const struct series *series)
{
	const void *field = (const char *)series + row->offset;

	switch (row->type) {
	case ATTRIBUTE_TEXT:
		add_label(labels, row->label, *(const struct bytes *)field);
		break;
	case ATTRIBUTE_U16:
		add_number(labels, row->label, *(const uint16_t *)field);
		break;
	case ATTRIBUTE_U32:
		add_number(labels, row->label, *(const uint32_t *)field);
		break;
	case ATTRIBUTE_U64:
	case ATTRIBUTE_I64:
		add_number(labels, row->label, *(const int64_t *)field);
		break;
	}
}

void prometheus_add_labels(struct buf *labels, const struct series *series)
{
	const struct resource *resource = series->resource;

	if (resource) {
		add_label(labels, "service_name", resource->service_name);
		if (resource->service_namespace.len)
			add_label(labels, "service_namespace", resource->service_namespace);
		if (resource->container_id.len)
			add_label(labels, "container_id", resource->container_id);
	}
	if (series->overflow) {
		add_label(labels, "otel_metric_overflow", BYTES("true"));
		return;
	}
	for (const struct attribute *row = series->semconv->metric[series->role]; row->name; row++)
		add_attribute(labels, row, series);
}

/* Names already in a set of labels: start and length of each within the buffer. */
struct names {
	struct buf *labels;
	size_t start[RESOURCE_EXTRA_MAX + 16], len[RESOURCE_EXTRA_MAX + 16];
	unsigned count;
};

static bool is_name_byte(uint8_t c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (c >= '0' && c <= '9' && !first);
}

static bool is_taken(const struct names *names, struct bytes name)
{
	for (unsigned i = 0; i < names->count; i++) {
		struct bytes other = bytes_of(names->labels->at + names->start[i], names->len[i]);

		if (bytes_equal(other, name))
			return true;
	}
	return false;
}

static void add_resource_attribute(void *context, struct bytes name, struct bytes value)
{
	struct names *names = context;
	struct buf *labels = names->labels;
	size_t before = labels->len, start;

	if (names->count == ARRAY_LEN(names->start))
		return;
	if (before)
		buf_add_byte(labels, ',');
	start = labels->len;
	if (!is_name_byte(name.at[0], true))
		buf_add_byte(labels, '_');
	for (size_t i = 0; i < name.len; i++)
		buf_add_byte(labels, is_name_byte(name.at[i], false) ? name.at[i] : '_');
	if (labels->failed)
		return;
	if (is_taken(names, bytes_of(labels->at + start, labels->len - start))) {
		labels->len = before;
		return;
	}
	names->start[names->count] = start;
	names->len[names->count++] = labels->len - start;
	buf_add_text(labels, "=\"");
	prometheus_add_escaped(labels, value, true);
	buf_add_byte(labels, '"');
}

void prometheus_add_resource(struct buf *labels, const struct resource *resource)
{
	struct names names = { .labels = labels };

	resource_each(resource, add_resource_attribute, &names);
}

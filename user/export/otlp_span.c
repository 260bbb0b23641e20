/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct span -> message Span of opentelemetry-proto trace.proto. Room for the largest span is made
 * first, then everything is written at a pointer, lengths computed beforehand.
 */
#include "export/otlp_span.h"

#include "base/cleanup.h"
#include "export/otlp_encode.h"
#include "export/pb.h"

enum span_field {
	TRACE_ID = 1, SPAN_ID = 2, PARENT_SPAN_ID = 4, NAME = 5, KIND = 6, START = 7, END = 8,
	ATTRIBUTES = 9, STATUS = 15, FLAGS = 16,
};

enum { KIND_SERVER = 2, KIND_CLIENT = 3 };
enum { STATUS_CODE = 3, STATUS_ERROR = 2 };

/* SpanFlags: W3C `sampled`, and whether it is known that the parent is remote, and that it is. */
#define FLAG_SAMPLED 0x1
#define FLAG_HAS_IS_REMOTE 0x100
#define FLAG_IS_REMOTE 0x200

#define TAG(field, wire) ((uint8_t)((field) << 3 | (wire)))
#define LENGTH_BYTES 3			/* of the span: a padded varint up to 2 MiB */
#define FIXED_BYTES 128 /* ids, times, kind, status, flags, tags and lengths of the name */
#define ROW_BYTES 24			/* of an attribute besides key and text */

static void init_rows(struct span_table *table, int role)
{
	const struct attribute *attribute = table->semconv->span[role];

	for (; attribute->name && table->rows[role] < SPAN_ROWS_MAX; attribute++) {
		struct span_row *row = &table->row[role][table->rows[role]++];
		size_t len = MIN(strlen(attribute->name), (size_t)SPAN_KEY_MAX - 2);

		row->key[0] = TAG(KEY_VALUE_KEY, PB_LEN);
		row->key[1] = len;
		memcpy(row->key + 2, attribute->name, len);
		row->key_len = 2 + len;
		row->type = attribute->type;
		row->offset = attribute->offset;
	}
}

void span_tables_init(struct span_tables *tables)
{
	tables->count = 0;
	for (int i = 0; semconvs[i] && tables->count < SPAN_SEMCONVS_MAX; i++) {
		struct span_table *table = &tables->table[tables->count++];

		*table = (struct span_table){ .semconv = semconvs[i] };
		init_rows(table, ROLE_SERVER);
		init_rows(table, ROLE_CLIENT);
	}
}

static const struct span_table *table_of(const struct span_tables *tables,
					 const struct semconv *semconv)
{
	for (unsigned i = 0; i < tables->count; i++) {
		if (tables->table[i].semconv == semconv)
			return &tables->table[i];
	}
	return NULL;
}

/* As many bytes as repaired_len() says. Returns the new end. */
static uint8_t *put_repaired(uint8_t *at, struct bytes text)
{
	while (text.len) {
		size_t len = utf8_sequence(text);
		struct bytes part = len ? bytes_first(text, len) : BYTES("\xef\xbf\xbd");

		memcpy(at, part.at, part.len);
		at += part.len;
		text = bytes_skip(text, len ? len : 1);
	}
	return at;
}

/* The length with each byte that is no UTF-8 as U+FFFD. */
static size_t repaired_len(struct bytes text)
{
	size_t total = 0;

	while (text.len) {
		size_t len = utf8_sequence(text);

		total += len ? len : 3;
		text = bytes_skip(text, len ? len : 1);
	}
	return total;
}

/* A text ready to be written: how long it will be, and whether it has to be repaired. */
struct sound_text {
	struct bytes text;
	size_t len;
	bool sound;
};

static inline struct sound_text look_at(struct bytes text)
{
	struct sound_text ready = { .text = bytes_first(text, OTLP_TEXT_MAX) };

	ready.sound = bytes_are_utf8(ready.text);
	ready.len = ready.sound ? ready.text.len : repaired_len(ready.text);
	return ready;
}

static inline uint8_t *put_ready(uint8_t *at, const struct sound_text *ready)
{
	if (!ready->sound)
		return put_repaired(at, ready->text);
	if (ready->len)
		memcpy(at, ready->text.at, ready->len);
	return at + ready->len;
}

/* The head of an attribute: tag and length of KeyValue, the key, tag and length of AnyValue. */
static inline uint8_t *put_key(uint8_t *at, const struct span_row *row, size_t any_len)
{
	*at++ = TAG(ATTRIBUTES, PB_LEN);
	at = pb_put_varint(at, row->key_len + 1 + pb_varint_size(any_len) + any_len);
	memcpy(at, row->key, SPAN_KEY_MAX);	/* all of it: a fixed size is a few moves */
	at += row->key_len;
	*at++ = TAG(KEY_VALUE_VALUE, PB_LEN);
	return pb_put_varint(at, any_len);
}

static inline uint8_t *put_text(uint8_t *at, const struct span_row *row, struct bytes text)
{
	struct sound_text ready = look_at(text);

	at = put_key(at, row, 1 + pb_varint_size(ready.len) + ready.len);
	*at++ = TAG(ANY_STRING, PB_LEN);
	return put_ready(pb_put_varint(at, ready.len), &ready);
}

static inline uint8_t *put_int(uint8_t *at, const struct span_row *row, uint64_t value)
{
	at = put_key(at, row, 1 + pb_varint_size(value));
	*at++ = TAG(ANY_INT, PB_VARINT);
	return pb_put_varint(at, value);
}

static uint8_t *put_attribute(uint8_t *at, const struct span_row *row, const struct span *span)
{
	const void *field = (const char *)span + row->offset;
	uint64_t value = 0;

	switch (row->type) {
	case ATTRIBUTE_TEXT: {
		const struct bytes *text = field;

		return text->len ? put_text(at, row, *text) : at;
	}
	case ATTRIBUTE_U16:
		value = *(const uint16_t *)field;
		break;
	case ATTRIBUTE_U32:
		value = *(const uint32_t *)field;
		break;
	case ATTRIBUTE_I64:
		value = *(const uint64_t *)field;
		break;
	case ATTRIBUTE_U64:
		return put_int(at, row, *(const uint64_t *)field);
	}
	return value ? put_int(at, row, value) : at;
}

/* `{method} {route}`, or the method alone. */
static uint8_t *put_name(uint8_t *at, const struct span *span)
{
	struct sound_text operation = look_at(span->operation), route = look_at(span->route);

	*at++ = TAG(NAME, PB_LEN);
	at = pb_put_varint(at, operation.len + (route.len ? 1 + route.len : 0));
	at = put_ready(at, &operation);
	if (!route.len)
		return at;
	*at++ = ' ';
	return put_ready(at, &route);
}

static uint8_t *put_id(uint8_t *at, enum span_field field, const uint8_t *id, uint8_t len)
{
	*at++ = TAG(field, PB_LEN);
	*at++ = len;
	memcpy(at, id, len);
	return at + len;
}

static uint8_t *put_time(uint8_t *at, enum span_field field, uint64_t unix_ns)
{
	*at++ = TAG(field, PB_FIXED64);
	return pb_put_fixed64(at, unix_ns);
}

static bool has_parent(const struct span *span)
{
	static const uint8_t none[8];

	return memcmp(span->context.parent_span_id, none, sizeof(none));
}

/* What comes before and after the attributes. */
static uint8_t *put_fixed(uint8_t *at, const struct span *span, int64_t offset_ns)
{
	uint32_t flags = FLAG_SAMPLED | FLAG_HAS_IS_REMOTE;
	bool parent = has_parent(span);

	at = put_id(at, TRACE_ID, span->context.trace_id, sizeof(span->context.trace_id));
	at = put_id(at, SPAN_ID, span->context.span_id, sizeof(span->context.span_id));
	if (parent)
		at = put_id(at, PARENT_SPAN_ID, span->context.parent_span_id, 8);
	*at++ = TAG(KIND, PB_VARINT);
	*at++ = span->role == ROLE_SERVER ? KIND_SERVER : KIND_CLIENT;
	at = put_time(at, START, span->start_ns + offset_ns);
	at = put_time(at, END, span->end_ns + offset_ns);
	if (span->status == SPAN_ERROR) {
		*at++ = TAG(STATUS, PB_LEN);
		*at++ = 2;
		*at++ = TAG(STATUS_CODE, PB_VARINT);
		*at++ = STATUS_ERROR;
	}
	if (parent && span->role == ROLE_SERVER)
		flags |= FLAG_IS_REMOTE;
	*at++ = 0x80 | (FLAGS << 3 & 0x7f) | PB_FIXED32;	/* field 16: a tag of two bytes */
	*at++ = FLAGS >> 4;
	for (int i = 0; i < 4; i++)
		*at++ = flags >> (8 * i);
	return at;
}

/* The most bytes the span can take: every text repaired to three times its length. */
static size_t bound_of(const struct span_table *table, const struct span *span)
{
	size_t text = MIN(span->operation.len, OTLP_TEXT_MAX) + MIN(span->route.len, OTLP_TEXT_MAX);

	for (unsigned i = 0; i < table->rows[span->role]; i++) {
		const struct span_row *row = &table->row[span->role][i];

		if (row->type == ATTRIBUTE_TEXT) {
			const struct bytes *field =
				(const void *)((const char *)span + row->offset);

			text += MIN(field->len, OTLP_TEXT_MAX);
		}
	}
	return FIXED_BYTES + table->rows[span->role] * (SPAN_KEY_MAX + ROW_BYTES) + 3 * text;
}

void span_encode(const struct span_tables *tables, struct buf *out, unsigned field,
		 const struct span *span, int64_t realtime_offset_ns)
{
	const struct span_table *table = table_of(tables, span->semconv);
	uint8_t *at, *start;
	size_t len;

	if (!table || buf_reserve(out, bound_of(table, span)) < 0) {
		out->failed = true;
		return;
	}
	at = out->at + out->len;
	*at++ = TAG(field, PB_LEN);
	start = at + LENGTH_BYTES;
	at = put_name(put_fixed(start, span, realtime_offset_ns), span);
	for (unsigned i = 0; i < table->rows[span->role]; i++)
		at = put_attribute(at, &table->row[span->role][i], span);

	len = at - start;
	start[-3] = len | 0x80;
	start[-2] = len >> 7 | 0x80;
	start[-1] = len >> 14;
	out->len = at - out->at;
}

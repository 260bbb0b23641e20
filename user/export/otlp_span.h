/* SPDX-License-Identifier: Apache-2.0 */
/* One span as OTLP protobuf, quickly: attribute keys are encoded once, into tables. */
#ifndef SONDE_EXPORT_OTLP_SPAN_H
#define SONDE_EXPORT_OTLP_SPAN_H

#include "base/buf.h"
#include "model/semconv.h"
#include "model/span.h"

#define SPAN_ROWS_MAX 24
#define SPAN_KEY_MAX 48			/* bytes of an encoded key */
#define SPAN_SEMCONVS_MAX 16
#define SPAN_BYTES_MAX (1u << 20)	/* of a span: 11 texts of 16 KiB, repaired to 3 times that */

/* One attribute: its key as a field of KeyValue, and where its value is. */
struct span_row {
	uint8_t key[SPAN_KEY_MAX];	/* tag, length, name */
	uint8_t key_len;
	uint8_t type;			/* enum attribute_type */
	uint16_t offset;		/* in struct span */
};

struct span_table {
	const struct semconv *semconv;
	unsigned rows[2];		/* by enum role */
	struct span_row row[2][SPAN_ROWS_MAX];
};

struct span_tables {
	unsigned count;
	struct span_table table[SPAN_SEMCONVS_MAX];
};

/* From semconvs[]. */
void span_tables_init(struct span_tables *tables);

/* Adds `span` as a message in field `field` (< 16). */
void span_encode(const struct span_tables *tables, struct buf *out, unsigned field,
		 const struct span *span, int64_t realtime_offset_ns);

#endif

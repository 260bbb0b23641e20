/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and numbers of the Prometheus text formats. All add to a buffer; check it at the end. */
#ifndef SONDE_EXPORT_PROMETHEUS_LABEL_H
#define SONDE_EXPORT_PROMETHEUS_LABEL_H

#include "base/buf.h"
#include "export/accept.h"
#include "model/series.h"

/* The labels of a series, without braces: a="x",b="y". The same names for all of a family. */
void prometheus_add_labels(struct buf *labels, const struct series *series);

/* All attributes of a resource as labels; of two names alike in Prometheus form the first stays. */
void prometheus_add_resource(struct buf *labels, const struct resource *resource);

/* Escapes \ and newline, and `"` too where asked; bytes that are not UTF-8 become U+FFFD. */
void prometheus_add_escaped(struct buf *out, struct bytes text, bool quotes);

void prometheus_add_u64(struct buf *out, uint64_t value);

/* Nanoseconds as seconds, exactly: 1500000000 is 1.5. */
void prometheus_add_seconds(struct buf *out, uint64_t ns);

/* The value of `le`: 1 in text, 1.0 in OpenMetrics. */
void prometheus_add_bound(struct buf *out, double bound, enum metrics_format format);

/* Lower-case hexadecimal digits. */
void prometheus_add_hex(struct buf *out, const uint8_t *at, size_t len);

#endif

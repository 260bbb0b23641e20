/* SPDX-License-Identifier: Apache-2.0 */
/* Data points of OTLP metrics: one series, or one number of sonde_*, each. */
#ifndef SONDE_EXPORT_OTLP_POINT_H
#define SONDE_EXPORT_OTLP_POINT_H

#include "base/buf.h"
#include "model/self.h"
#include "model/series.h"

/* Times are CLOCK_REALTIME, ns; points are added as field `field`. */
void otlp_add_histogram_point(struct buf *out, unsigned field, const struct series *series,
			      enum series_histogram which, uint64_t now_ns);
void otlp_add_exponential_point(struct buf *out, unsigned field, const struct series *series,
				uint64_t now_ns);
void otlp_add_self_point(struct buf *out, unsigned field, enum self_id id, uint64_t start_ns,
			 uint64_t now_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything the agent knows, as text: Prometheus exposition format 0.0.4 or OpenMetrics 1.0. The
 * series of the store, target_info for their resources, and sonde_*.
 */
#ifndef SONDE_EXPORT_PROMETHEUS_TEXT_H
#define SONDE_EXPORT_PROMETHEUS_TEXT_H

#include "base/buf.h"
#include "export/accept.h"
#include "export/store.h"

/* Adds the whole exposition. Returns 0, -ENOSPC (larger than `out` may be) or -ENOMEM. */
int prometheus_write(struct buf *out, const struct metric_store *store, enum metrics_format format);

#endif

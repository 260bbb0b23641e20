/* SPDX-License-Identifier: Apache-2.0 */
/* GET /services: what `sonde top` and scripts read; routes merged over status codes. */
#ifndef SONDE_EXPORT_SERVICES_H
#define SONDE_EXPORT_SERVICES_H

#include "base/buf.h"
#include "export/store.h"

/*
 * Adds one JSON object:
 *   version, uptime_seconds, now_unix_seconds,
 *   lost: events the kernel side could not deliver (sum of sonde_events_dropped_total),
 *   services: [{ service, namespace, container, role: "server"|"client", protocol,
 *     routes: [{ method, route, server_address, status: {"200": n}, count, errors,
 *       duration: { sum_seconds, exponential: { scale, offset, zero, counts } } }] }]
 * `status` "0": no response was seen. The overflow series is the route with method "" and route "".
 * Numbers are since the start of the series. Returns 0, -ENOSPC or -ENOMEM.
 */
int services_write(struct buf *out, const struct metric_store *store, uint64_t uptime_ns);

#endif

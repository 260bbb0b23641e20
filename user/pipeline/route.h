/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The low-cardinality form of a path: http.route. Configured patterns first, first match wins;
 * else a heuristic that replaces what looks like a parameter (numbers, UUIDs, hashes, dates, e-mail
 * addresses, long tokens) and, where a segment still takes too many values, learns to replace it.
 * Distinct routes of a service are bounded; beyond that paths become `/` + two stars.
 */
#ifndef SONDE_PIPELINE_ROUTE_H
#define SONDE_PIPELINE_ROUTE_H

#include <stdint.h>

#include "base/bytes.h"
#include "config/config.h"

struct routes;

/* Returns 0, -ENOMEM, or -EINVAL for a pattern that makes no sense (config_check has said so). */
int routes_new(const struct config *config, struct routes **ret_routes);
void routes_free(struct routes *routes);

/*
 * The route of `path` (no query) for the service identified by `service` (any 64-bit identity).
 * Bytes are valid until routes_free(); same route, same pointer. No allocation after
 * routes_new(); the common path (seen before) costs one look-up. Sets *ret_refused when the service's
 * table was full and the answer is the catch-all.
 */
struct bytes route_of(struct routes *routes, uint64_t service, struct bytes path, bool *ret_refused);

#endif

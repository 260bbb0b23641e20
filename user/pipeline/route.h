/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The low-cardinality form of a path: http.route. Configured patterns first, first match wins
 * (route_pattern.h); else a heuristic that replaces what looks like a parameter (numbers, UUIDs,
 * hashes, dates, e-mail addresses, long tokens) by {id} (route_heuristic.h) and, where a segment
 * still takes too many values, learns to replace it (route_tree.h): what was counted under earlier
 * routes stays there.
 *
 * Distinct routes of a service are bounded; beyond that paths become `/` + two stars. Slashes at
 * the end and doubled ones make no difference. Routes not configured are printable ASCII whatever
 * the path was.
 *
 * All of it is at most 2 MiB, which cost only once touched.
 */
#ifndef SONDE_PIPELINE_ROUTE_H
#define SONDE_PIPELINE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "config/config.h"

#define ROUTE_SERVICES_MAX 1024	/* then the one not asked for longest makes way, if it is idle */

struct routes;

/* Returns 0, -ENOMEM, or -EINVAL for a pattern that makes no sense (config_check has said so). */
int routes_new(const struct config *config, struct routes **ret_routes);
void routes_free(struct routes *routes);

/*
 * The route of `path` (no query) for the service identified by `service` (any 64-bit identity).
 * Bytes are valid until routes_free(); same route, same pointer. No allocation after
 * routes_new(); the common path (seen before) costs one look-up. *ret_refused, always set, is true
 * when a table was full and the answer is the catch-all.
 *
 * The same path has the same route until a position on its way collapses (or its service was idle
 * and made way). `config.routes_max` bounds the routes in use at a time; those a collapse
 * took out of use may be replaced, in all up to four times as many.
 */
struct bytes route_of(struct routes *routes, uint64_t service, struct bytes path,
		      bool *ret_refused);

#endif

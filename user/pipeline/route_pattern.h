/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configured routes. `{name}`, `:name` and a star stand for one segment, two stars for the rest,
 * also for none; one wild part may stand within a segment: `/img/{name}.png`, `/jobs/{id}:cancel`.
 * Pure; a path is hostile, a pattern is the operator's. No backtracking: linear in both.
 */
#ifndef SONDE_PIPELINE_ROUTE_PATTERN_H
#define SONDE_PIPELINE_ROUTE_PATTERN_H

#include <stdbool.h>

#include "base/bytes.h"

/*
 * Returns 0, or -EINVAL: no `/` in front, two wild parts in one segment, an unclosed brace, or two
 * stars that are not the last segment.
 */
int pattern_check(struct bytes pattern);

/*
 * Does `path` (no query) match a checked pattern? Literals are compared as they are, empty
 * segments and a slash at the end make no difference, a wild part is at least one byte.
 */
bool pattern_matches(struct bytes pattern, struct bytes path);

#endif

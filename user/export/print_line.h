/* SPDX-License-Identifier: Apache-2.0 */
/* One request as one line, for --print. */
#ifndef SONDE_EXPORT_PRINT_LINE_H
#define SONDE_EXPORT_PRINT_LINE_H

#include "base/buf.h"
#include "model/span.h"

/*
 * Adds a line for people, its newline included: time (UTC), service, role, method, path, status (or
 * why there is none), duration, body sizes, route, peer. Control characters show as `?`.
 */
void print_add_text(struct buf *out, const struct span *span, int64_t realtime_offset_ns);

/* Adds one JSON object and a newline; what is unknown is left out. */
void print_add_json(struct buf *out, const struct span *span, int64_t realtime_offset_ns);

#endif

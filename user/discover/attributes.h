/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTEL_RESOURCE_ATTRIBUTES: `key=value,key=value`, both percent-encoded (OpenTelemetry
 * specification, resource SDK, in the form of W3C Baggage). It comes from the watched process:
 * hostile. Pure.
 */
#ifndef SONDE_DISCOVER_ATTRIBUTES_H
#define SONDE_DISCOVER_ATTRIBUTES_H

#include <stdbool.h>

#include "base/buf.h"

#define ATTRIBUTE_NAME_MAX 128	/* bytes; a pair with more is skipped */
#define ATTRIBUTE_VALUE_MAX 1024

struct attribute_pair {
	struct bytes name, value;	/* decoded, UTF-8 without control characters */
};

/*
 * Takes the next well-formed pair off the front of `*text`; malformed ones (no `=`, no name, a
 * bad %XX, not UTF-8, control characters, too long, no room in `storage`) are skipped. The pair
 * lives in `storage`, whose memory must have been reserved: it is never moved. False: no pair is
 * left.
 */
bool attributes_next(struct bytes *text, struct buf *storage, struct attribute_pair *ret);

/* Well-formed UTF-8 (RFC 3629) without control characters (C0, DEL)? */
bool text_is_clean(struct bytes text);

/*
 * `text` with each offending byte as `?`, at most `max` bytes and no character cut, in
 * `storage`; no bytes when there is no room.
 */
struct bytes text_clean(struct bytes text, size_t max, struct buf *storage);

#endif

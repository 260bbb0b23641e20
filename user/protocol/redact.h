/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries of URLs without the secrets in them: what `url.query` and `url.full` are made from.
 * Which keys are secret is the option spans.redact, whose default is in config/options.c.
 */
#ifndef SONDE_PROTOCOL_REDACT_H
#define SONDE_PROTOCOL_REDACT_H

#include "base/bytes.h"

#define QUERY_KEYS_MAX 64

/*
 * Splits a comma-separated list, blanks around names and empty names left out, into at most
 * QUERY_KEYS_MAX keys that point into it. Returns how many, or -E2BIG, or -EINVAL for a key over
 * 64 bytes, which could never match.
 */
int query_keys_split(struct bytes list, struct bytes *ret_keys);

/*
 * Copies `query` (what follows `?`) with the value of each named key replaced by `REDACTED`, as
 * OpenTelemetry's url.query wants it; a fragment is left out. Keys compare in any case and
 * percent-decoded; a key in parts, `user[password]` or `openid.sig`, is named by any of them.
 * Returns the bytes written: at most `size`, where a longer result is cut.
 */
size_t query_redact(struct bytes query, const struct bytes *keys, unsigned nkeys, uint8_t *to,
		    size_t size);

#endif

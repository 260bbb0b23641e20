/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which segments of a path are parameters? By their looks alone: pure, linear, paths are hostile.
 * What looks like a name is left to learning (route_tree.h).
 */
#ifndef SONDE_PIPELINE_ROUTE_HEURISTIC_H
#define SONDE_PIPELINE_ROUTE_HEURISTIC_H

#include <stdbool.h>

#include "base/bytes.h"

#define SEGMENT_LITERAL_MAX 64	/* bytes; a longer segment is never a name */

/* Takes what is not empty between two slashes off the front of `*path`. False: none is left. */
bool path_next_part(struct bytes *path, struct bytes *ret_part);

/*
 * The same without the parameters of a segment (`;jsessionid=...`, RFC 3986, 3.3). Dot segments are
 * segments like others.
 */
bool path_next_segment(struct bytes *path, struct bytes *ret_segment);

/*
 * True for
 * - numbers and what is made of digits and `.,:+-_`: dates, times, coordinates, IP addresses
 * - UUIDs; eight or more hexadecimal digits with a decimal one among them
 * - a word (between `-`, `_`, `.`, `~`) that is one of these, or has four digits in a row, or mixes
 *   letters and digits as tokens do: order-12345, app.3f2a1b9c.js, cus_9s6XKzkNRiz8i3
 * - several numbers: SKU-12-45
 * - e-mail addresses, @name, ~name, text padded with `=`
 * - percent-encoded text, and any byte RFC 3986 does not allow in a segment: control characters,
 *   spaces, quotes, braces, bytes above 0x7f. So what is left is printable ASCII.
 * - more than SEGMENT_LITERAL_MAX bytes
 * False for names, also with a short number or a version: v2, v1alpha1, oauth2, sha256, icon-32x32.
 */
bool segment_is_parameter(struct bytes segment);

#endif

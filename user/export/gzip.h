/* SPDX-License-Identifier: Apache-2.0 */
/* Compression of whole bodies, for HTTP in both directions (RFC 1952). */
#ifndef SONDE_EXPORT_GZIP_H
#define SONDE_EXPORT_GZIP_H

#include "base/buf.h"

/* Adds `in`, compressed, to `out`. Returns 0, -ENOMEM or -ENOSPC, with `out` as it was. */
int gzip_add(struct buf *out, struct bytes in);

#endif

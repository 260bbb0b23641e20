/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of /metrics can read: Accept and Accept-Encoding (RFC 9110, 12.5). Pure; hostile
 * input.
 */
#ifndef SONDE_EXPORT_ACCEPT_H
#define SONDE_EXPORT_ACCEPT_H

#include <stdbool.h>

#include "base/bytes.h"

enum metrics_format {
	METRICS_TEXT,		/* Prometheus text 0.0.4 */
	METRICS_OPENMETRICS,	/* OpenMetrics 1.0 */
};

/*
 * OpenMetrics when it is asked for by name, in version 1.0.0 or none, with a weight not below that
 * of text/plain; else text, whatever the header says: better readable than refused.
 */
enum metrics_format accept_format(struct bytes accept);

/* Does Accept-Encoding allow gzip? */
bool accept_gzip(struct bytes accept_encoding);

#endif

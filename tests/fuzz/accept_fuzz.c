/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accept and Accept-Encoding headers: read within bounds, and the answer follows from what is
 * named.
 */
#include <stdlib.h>

#include "export/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes header = bytes_of(data, size);

	/* OpenMetrics is never sent to a client that has not named it */
	if (accept_format(header) == METRICS_OPENMETRICS &&
	    size < sizeof("application/openmetrics-text") - 1)
		abort();
	if (accept_gzip(header) && bytes_index(header, '*') < 0 && bytes_index(header, 'z') < 0 &&
	    bytes_index(header, 'Z') < 0)
		abort();
	return 0;
}

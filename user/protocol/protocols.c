/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of protocols: sniffing, options, documentation and fuzzers walk it. */
#include <stddef.h>

#include "protocol/protocol.h"

const struct protocol *const protocols[] = {
	&http1_protocol,
	NULL,
};

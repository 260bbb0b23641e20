// SPDX-License-Identifier: Apache-2.0
/* The one list of sources, in the order they are opened: who is watched comes first. */
#include "source/source.h"

const struct source *const sources[] = {
	&process_source,
	&socket_source,
	NULL,
};

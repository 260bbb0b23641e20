/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: made by discover.c, freed by whoever took them from the news. */
#include "discover/target.h"

#include <stdlib.h>

void target_free(struct target *target)
{
	if (!target)
		return;
	resource_unref(target->resource);
	free(target);
}

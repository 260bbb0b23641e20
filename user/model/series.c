/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of time series: from the pipeline into a batch, from a batch into the metric store. */
#include "model/series.h"

/* Texts inside `from` move along; those in static storage stay where they are. */
static void rebase(struct bytes *text, struct series *to, const struct series *from)
{
	const uint8_t *start = (const uint8_t *)from->text;

	if (text->at >= start && text->at < start + SERIES_TEXT_MAX)
		text->at = (uint8_t *)to->text + (text->at - start);
}

void series_copy(struct series *to, const struct series *from)
{
	memcpy(to, from, sizeof(*to));
	rebase(&to->operation, to, from);
	rebase(&to->route, to, from);
	rebase(&to->server_address, to, from);
	rebase(&to->error_type, to, from);
}

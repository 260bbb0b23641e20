/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of time series: from the pipeline into a batch, from a batch into the metric store. */
#include "model/series.h"

#include "base/cleanup.h"

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

static void merge_histogram(struct histogram *into, const struct histogram *from)
{
	into->count += from->count;
	into->sum += from->sum;
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
		into->bucket[i] += from->bucket[i];
}

void series_merge(struct series *into, const struct series *from)
{
	into->start_ns = MIN(into->start_ns, from->start_ns);
	into->changed_ns = MAX(into->changed_ns, from->changed_ns);
	for (int i = 0; i < SERIES_HISTOGRAMS; i++)
		merge_histogram(&into->histogram[i], &from->histogram[i]);
	exponential_merge(&into->duration, &from->duration);
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++) {
		if (from->exemplar[i].time_ns > into->exemplar[i].time_ns)
			into->exemplar[i] = from->exemplar[i];
	}
}

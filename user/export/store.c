/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metric store: filled from batches by export.c, read through view.c by the Prometheus
 * endpoint and the OTLP metric push.
 */
#include "export/store.h"

#include <errno.h>
#include <stdlib.h>

int store_init(struct metric_store *store, uint32_t series_max)
{
	*store = (struct metric_store){ .max = series_max };
	store->series = calloc(series_max, sizeof(store->series[0]));
	return store->series ? 0 : -ENOMEM;
}

static void forget(struct metric_store *store, uint32_t id)
{
	struct series *series = store->series[id];

	if (!series)
		return;
	resource_unref((struct resource *)series->resource);
	free(series);
	store->series[id] = NULL;
	store->count--;
	while (store->high && !store->series[store->high - 1])
		store->high--;
}

void store_done(struct metric_store *store)
{
	while (store->high)
		forget(store, store->high - 1);
	free(store->series);
	*store = (struct metric_store){ 0 };
}

/* Without memory the former copy stays: old, but true; the next batch tries again. */
static void take(struct metric_store *store, const struct series *from)
{
	struct series **slot = &store->series[from->id];

	if (!*slot) {
		*slot = calloc(1, sizeof(**slot));
		if (!*slot)
			return;
		store->count++;
	}
	resource_ref((struct resource *)from->resource);
	resource_unref((struct resource *)(*slot)->resource);
	series_copy(*slot, from);
	if (from->id >= store->high)
		store->high = from->id + 1;
}

void store_update(struct metric_store *store, const struct batch *batch)
{
	for (uint32_t i = 0; i < batch->series_count; i++) {
		const struct series *series = &batch->series[i];

		if (series->id >= store->max)
			continue;
		if (series->expired)
			forget(store, series->id);
		else
			take(store, series);
	}
}

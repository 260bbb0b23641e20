/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newest copy of every live series, by id: what a scrape or a metric push shows. Fed
 * from batches on the export thread.
 */
#ifndef SONDE_EXPORT_STORE_H
#define SONDE_EXPORT_STORE_H

#include "model/batch.h"

struct metric_store {
	struct series **series; /* by id; NULL: none. Each holds a reference on its resource */
	uint32_t max, high;		/* ids are < max; all in use are < high */
	uint32_t count;			/* in use */
};

/* Returns 0 or -ENOMEM. */
int store_init(struct metric_store *store, uint32_t series_max);
void store_done(struct metric_store *store);

/* Takes over the series of a batch: replaces, adds, or (expired) removes. */
void store_update(struct metric_store *store, const struct batch *batch);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges counted into time series: one look-up a request. Series are bounded; what finds no
 * room counts in the overflow series of its role, and what is not used for a while is forgotten.
 */
#ifndef SONDE_PIPELINE_AGGREGATE_H
#define SONDE_PIPELINE_AGGREGATE_H

#include <stdint.h>

#include "base/table.h"
#include "config/config.h"
#include "model/batch.h"
#include "model/series.h"

struct aggregate {
	struct table table;		/* of struct series_entry, aggregate.c */
	uint32_t *dirty;		/* table indices of series changed since the last seal */
	uint32_t dirty_count;
	uint32_t *generation;		/* by table index */
	uint64_t expire_ns;		/* series unused for this long are forgotten; 0: never */
	struct resource *nobody;	/* of the overflow series: what the cap turned away is of many */
};

/* What one request adds to the metrics; texts are copied when a series is made of them. */
struct sample {
	const struct semconv *semconv;
	struct resource *resource;
	enum role role;
	struct bytes operation;		/* of a known few, or a catch-all: the caller bounds it */
	struct bytes route, server_address, error_type;
	int64_t code;
	uint16_t server_port;
	uint64_t duration_ns, request_bytes, response_bytes;
	const struct exemplar *exemplar;	/* NULL: the request has no span */
};

int aggregate_init(struct aggregate *aggregate, const struct config *config);
void aggregate_done(struct aggregate *aggregate);

void aggregate_add(struct aggregate *aggregate, const struct sample *sample, uint64_t now_ns);

/* Marks what was not used for long: a walk over all series, once a second is enough. */
void aggregate_expire(struct aggregate *aggregate, uint64_t now_ns);

/*
 * Copies what changed (or expired: it is forgotten then) into `batch`. What does not fit stays for
 * the next seal. Returns how many series were copied.
 */
uint32_t aggregate_seal(struct aggregate *aggregate, struct batch *batch);

#endif

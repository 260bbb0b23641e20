/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A finished exchange of a known process becomes a sample of its series and, when it is sampled or
 * printed, a span in the present batch.
 */
#ifndef SONDE_PIPELINE_ACCOUNT_H
#define SONDE_PIPELINE_ACCOUNT_H

#include "config/config.h"
#include "model/batch.h"
#include "pipeline/aggregate.h"
#include "pipeline/exchange.h"
#include "pipeline/route.h"
#include "pipeline/trace.h"
#include "protocol/redact.h"

struct account {
	struct routes *routes;
	struct tracer tracer;
	struct aggregate aggregate;
	bool spans_exported;		/* an exporter takes sampled spans */
	bool spans_printed;		/* --print takes all */
	struct bytes redact[QUERY_KEYS_MAX];
	unsigned redact_count;
	int64_t realtime_offset_ns;	/* refreshed by the pipeline's tick */
};

int account_init(struct account *account, const struct config *config);
void account_done(struct account *account);

/* `batch` may be NULL: a span that finds none is dropped and counted. */
void account_exchange(struct account *account, const struct exchange *exchange,
		      struct resource *resource, struct batch *batch);

#endif

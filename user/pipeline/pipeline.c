// SPDX-License-Identifier: Apache-2.0
/*
 * Wires the pipeline: connections finish exchanges, processes give them names, account counts them,
 * batches carry them off. Exchanges of a process nobody has told of yet wait for the news.
 */
#include "pipeline/pipeline.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "discover/target.h"
#include "model/self.h"
#include "pipeline/account.h"
#include "pipeline/conn.h"

#define EXCHANGES_MAX 16384		/* requests in flight or waiting, all connections */
#define HEAD_BUFFERS_MAX 512
#define TARGET_WAIT_NS (2 * NSEC_PER_SEC)
#define TARGET_GRACE_NS (10 * NSEC_PER_SEC)	/* a gone process's records may still be in the ring */
#define CONN_QUIET_NS (5 * NSEC_PER_SEC)
#define CONN_IDLE_NS (300 * NSEC_PER_SEC)
#define DRAIN_WAIT_MS 10

/* One process; the target is the pipeline's to free. */
struct known {
	uint32_t tgid;
	struct target *target;
};

struct pipeline {
	const struct config *config;
	struct pipeline_io io;
	struct conns conns;
	struct account account;
	struct table targets;		/* of struct known */
	struct exchange *waiting, *waiting_last;	/* for their process to be known, oldest first */
	struct batch *batch;		/* being filled; NULL: none was free */
	struct batch *spare;		/* empty ones */
	uint64_t batch_serial;
	struct resource *unknown;	/* of processes nobody could tell anything of */
	uint64_t now_ns;		/* of the last tick or record */
};

/* --- batches --------------------------------------------------------------------------------- */

/* The one used last: memory that was touched is used again, the rest is for bursts. */
static struct batch *take_spare(struct pipeline *pipeline)
{
	struct batch *batch;

	while ((batch = queue_take(pipeline->io.empty))) {
		batch->next = pipeline->spare;
		pipeline->spare = batch;
	}
	batch = pipeline->spare;
	if (!batch)
		return NULL;
	pipeline->spare = batch->next;
	batch->serial = ++pipeline->batch_serial;
	return batch;
}

static struct batch *present_batch(struct pipeline *pipeline)
{
	if (!pipeline->batch)
		pipeline->batch = take_spare(pipeline);
	return pipeline->batch;
}

static void hand_over(struct pipeline *pipeline)
{
	struct batch *batch = pipeline->batch;

	if (!batch || (!batch->spans && !batch->series_count))
		return;
	batch->sealed_ns = clock_monotonic_ns();
	batch->realtime_offset_ns = pipeline->account.realtime_offset_ns;
	/* there are no more batches than places: the queue cannot be full */
	if (queue_put(pipeline->io.full, batch) >= 0)
		pipeline->batch = NULL;
}

void pipeline_seal(struct pipeline *pipeline)
{
	struct batch *batch = present_batch(pipeline);

	if (batch)
		aggregate_seal(&pipeline->account.aggregate, batch);
	else
		self_add(SELF_SEALS_DELAYED, 1);
	hand_over(pipeline);
}

/* --- exchanges and their processes -------------------------------------------------------------- */

static void account_for(struct pipeline *pipeline, struct exchange *exchange,
			struct resource *resource)
{
	struct batch *batch = present_batch(pipeline);

	account_exchange(&pipeline->account, exchange, resource, batch);
	exchange_free(&pipeline->conns.exchanges, exchange);
	if (batch && batch->spans == batch->spans_max)
		hand_over(pipeline);
}

/* A process is watched whole until it is judged: its other ports may have come in meanwhile. */
static bool is_selected(const struct pipeline *pipeline, const struct target *target,
			const struct exchange *exchange)
{
	const struct config_numbers *ports = &pipeline->config->ports;
	uint16_t port = exchange->role == ROLE_SERVER ? exchange->endpoints.local_port :
							exchange->endpoints.remote_port;

	if (!target->by_port)
		return target->selected;
	for (unsigned i = 0; i < ports->count; i++)
		if (ports->item[i] == port)
			return true;
	return false;
}

/* True when its process is known, and the exchange dealt with. */
static bool settle(struct pipeline *pipeline, struct exchange *exchange)
{
	struct known *known = table_find(&pipeline->targets, &exchange->tgid);

	if (!known)
		return false;
	if (is_selected(pipeline, known->target, exchange)) {
		account_for(pipeline, exchange, known->target->resource);
	} else {
		self_add(SELF_UNSELECTED, 1);
		exchange_free(&pipeline->conns.exchanges, exchange);
	}
	return true;
}

static void on_finished(void *context, struct exchange *exchange)
{
	struct pipeline *pipeline = context;

	if (settle(pipeline, exchange))
		return;
	exchange->waiting_since_ns = pipeline->now_ns;
	if (pipeline->waiting)
		pipeline->waiting_last->next = exchange;
	else
		pipeline->waiting = exchange;
	pipeline->waiting_last = exchange;
}

/* Tries those that wait once more; those that waited since before `give_up_ns` are counted as unknown. */
static void retry_waiting(struct pipeline *pipeline, uint64_t give_up_ns)
{
	struct exchange *exchange = pipeline->waiting, *next;

	pipeline->waiting = pipeline->waiting_last = NULL;
	for (; exchange; exchange = next) {
		uint64_t since = exchange->waiting_since_ns;

		next = exchange->next;
		exchange->next = NULL;
		if (since < give_up_ns && !table_find(&pipeline->targets, &exchange->tgid)) {
			self_add(SELF_TARGETS_UNKNOWN, 1);
			account_for(pipeline, exchange, pipeline->unknown);
			continue;
		}
		on_finished(pipeline, exchange);
		if (pipeline->waiting_last == exchange)
			exchange->waiting_since_ns = since;
	}
}

static void on_ignore(void *context, uint64_t conn)
{
	struct pipeline *pipeline = context;

	pipeline->io.ignore(pipeline->io.context, conn);
}

/* --- news ------------------------------------------------------------------------------------------ */

static void target_arrived(struct pipeline *pipeline, struct target *target)
{
	struct known *known = table_find(&pipeline->targets, &target->tgid);

	if (!known)
		known = table_add(&pipeline->targets, &target->tgid);
	if (!known) {
		self_add(SELF_PROCESSES_REFUSED, 1);
		target_free(target);
		return;
	}
	target_free(known->target);
	known->target = target;
}

static void target_gone(struct pipeline *pipeline, const struct target_news *news)
{
	struct known *known = table_find(&pipeline->targets, &news->tgid);

	if (known && known->target->start_ns == news->start_ns)
		known->target->gone_ns = pipeline->now_ns;
}

static void forget_gone(struct pipeline *pipeline, uint64_t before_ns)
{
	struct known *known;
	uint32_t cursor = 0;

	while ((known = table_next(&pipeline->targets, &cursor))) {
		if (!known->target->gone_ns || known->target->gone_ns >= before_ns)
			continue;
		target_free(known->target);
		table_remove(&pipeline->targets, known);
	}
}

void pipeline_news(struct pipeline *pipeline)
{
	struct target_news *news;

	queue_acknowledge(pipeline->io.news);
	pipeline->now_ns = clock_monotonic_ns();
	while ((news = queue_take(pipeline->io.news))) {
		if (news->what == TARGET_ARRIVED)
			target_arrived(pipeline, news->target);
		else
			target_gone(pipeline, news);
		free(news);
	}
	retry_waiting(pipeline, 0);
}

/* --- the outside ----------------------------------------------------------------------------------- */

void pipeline_record(struct pipeline *pipeline, const struct socket_event *event,
		     struct bytes payload)
{
	conns_record(&pipeline->conns, event, payload);
}

void pipeline_tick(struct pipeline *pipeline)
{
	uint64_t now = clock_monotonic_ns();

	pipeline->now_ns = now;
	pipeline->account.realtime_offset_ns = clock_realtime_offset_ns();
	retry_waiting(pipeline, now - TARGET_WAIT_NS);
	forget_gone(pipeline, now - TARGET_GRACE_NS);
	conns_quiet(&pipeline->conns, now - CONN_QUIET_NS);
	conns_expire(&pipeline->conns, now - CONN_IDLE_NS);
	aggregate_expire(&pipeline->account.aggregate, now);
}

void pipeline_drain(struct pipeline *pipeline, uint64_t deadline_ns)
{
	conns_finish_all(&pipeline->conns);
	retry_waiting(pipeline, UINT64_MAX);
	pipeline_seal(pipeline);
	while (pipeline->account.aggregate.dirty_count && clock_monotonic_ns() < deadline_ns) {
		struct pollfd empty = { .fd = pipeline->io.empty->fd, .events = POLLIN };

		poll(&empty, 1, DRAIN_WAIT_MS);
		pipeline_seal(pipeline);
	}
}

static int pipeline_init(struct pipeline *pipeline, const struct config *config)
{
	int r;

	r = conns_init(&pipeline->conns, config->connections_max, EXCHANGES_MAX, HEAD_BUFFERS_MAX);
	if (r >= 0)
		r = table_init(&pipeline->targets, 2 * config->targets_max, sizeof(struct known),
			       sizeof(uint32_t));
	if (r >= 0)
		r = account_init(&pipeline->account, config);
	if (r < 0)
		return r;
	pipeline->conns.finished = on_finished;
	pipeline->conns.ignore = on_ignore;
	pipeline->conns.context = pipeline;
	pipeline->account.realtime_offset_ns = clock_realtime_offset_ns();
	pipeline->unknown = resource_new(&(struct resource){ .service_name = BYTES("unknown_service") });
	return pipeline->unknown ? 0 : -ENOMEM;
}

int pipeline_new(const struct config *config, const struct pipeline_io *io,
		 struct pipeline **ret_pipeline)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	int r;

	if (!pipeline)
		return -ENOMEM;
	pipeline->config = config;
	pipeline->io = *io;
	r = pipeline_init(pipeline, config);
	if (r < 0) {
		pipeline_free(pipeline);
		return r;
	}
	*ret_pipeline = pipeline;
	return 0;
}

void pipeline_free(struct pipeline *pipeline)
{
	struct batch *batch;
	struct known *known;
	uint32_t cursor = 0;

	if (!pipeline)
		return;
	while (pipeline->targets.capacity && (known = table_next(&pipeline->targets, &cursor)))
		target_free(known->target);
	table_done(&pipeline->targets);
	batch_free(pipeline->batch);
	while ((batch = pipeline->spare)) {
		pipeline->spare = batch->next;
		batch_free(batch);
	}
	account_done(&pipeline->account);
	conns_done(&pipeline->conns);
	resource_unref(pipeline->unknown);
	free(pipeline);
}

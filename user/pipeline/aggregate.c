// SPDX-License-Identifier: Apache-2.0
/* Series by their attributes, and the list of those that changed since the last seal. */
#include "pipeline/aggregate.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/self.h"

/* Every attribute by value or by a hash of its text; 64 bits each do not collide in practice. */
struct series_key {
	const struct resource *resource;
	const struct semconv *semconv;
	uint64_t operation, route, server_address, error_type;
	int64_t code;
	uint16_t server_port;
	uint8_t role, overflow;
	uint32_t spare;
};

struct series_entry {
	struct series_key key;
	bool dirty;
	struct series series;
};

static void *reserve(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

int aggregate_init(struct aggregate *aggregate, const struct config *config)
{
	size_t numbers = (size_t)config->series_max * sizeof(uint32_t);
	int r;

	*aggregate = (struct aggregate){ .expire_ns = config->series_expire_ns };
	r = table_init(&aggregate->table, config->series_max, sizeof(struct series_entry),
		       sizeof(struct series_key));
	if (r < 0)
		return r;
	aggregate->dirty = reserve(numbers);
	aggregate->generation = reserve(numbers);
	aggregate->nobody = resource_new(&(struct resource){ .service_name = BYTES("unknown_service") });
	self_set(SELF_SERIES_MAX, config->series_max);
	return aggregate->dirty && aggregate->generation && aggregate->nobody ? 0 : -ENOMEM;
}

void aggregate_done(struct aggregate *aggregate)
{
	size_t numbers = (size_t)aggregate->table.capacity * sizeof(uint32_t);
	struct series_entry *entry;
	uint32_t cursor = 0;

	while (aggregate->table.capacity && (entry = table_next(&aggregate->table, &cursor)))
		resource_unref((struct resource *)entry->series.resource);
	if (aggregate->dirty)
		munmap(aggregate->dirty, numbers);
	if (aggregate->generation)
		munmap(aggregate->generation, numbers);
	resource_unref(aggregate->nobody);
	table_done(&aggregate->table);
}

static uint64_t hash_text(struct bytes text)
{
	return text.len ? hash_bytes(text.at, text.len, 0) : 0;
}

static struct series_key key_of(const struct sample *sample)
{
	return (struct series_key){
		.resource = sample->resource,
		.semconv = sample->semconv,
		.operation = hash_text(sample->operation),
		.route = hash_text(sample->route),
		.server_address = hash_text(sample->server_address),
		.error_type = hash_text(sample->error_type),
		.code = sample->code,
		.server_port = sample->server_port,
		.role = sample->role,
	};
}

static struct bytes keep(struct series *series, size_t *used, struct bytes text)
{
	struct bytes cut = bytes_first(text, SERIES_TEXT_MAX - *used);
	char *to = series->text + *used;

	if (cut.len)
		memcpy(to, cut.at, cut.len);
	*used += cut.len;
	return bytes_of(to, cut.len);
}

static struct series_entry *entry_new(struct aggregate *aggregate, const struct series_key *key,
				      const struct sample *sample)
{
	struct series_entry *entry = table_add(&aggregate->table, key);
	struct series *series;
	size_t used = 0;

	if (!entry)
		return NULL;
	series = &entry->series;
	series->id = table_index(&aggregate->table, entry);
	series->generation = ++aggregate->generation[series->id];
	series->semconv = sample->semconv;
	series->resource = resource_ref(sample->resource);
	sample->resource->series++;
	series->role = sample->role;
	series->start_ns = clock_realtime_ns();
	exponential_init(&series->duration);
	series->overflow = key->overflow;
	if (!key->overflow) {
		series->operation = keep(series, &used, sample->operation);
		series->error_type = keep(series, &used, sample->error_type);
		series->server_address = keep(series, &used, sample->server_address);
		series->route = keep(series, &used, sample->route);
		series->code = sample->code;
		series->server_port = sample->server_port;
	}
	self_set(SELF_SERIES, aggregate->table.used);
	return entry;
}

#define RESERVED 2		/* entries held back for the overflow series of both roles */

static struct series_entry *overflow_new(struct aggregate *aggregate, const struct series_key *key,
					 const struct sample *turned_away)
{
	struct sample sample = *turned_away;

	sample.resource = aggregate->nobody;
	return entry_new(aggregate, key, &sample);
}

/*
 * A service may have three times as many series as are left for all others: one that makes series
 * without end comes to hold three quarters of them, and a new one always finds some.
 */
static bool has_room(const struct aggregate *aggregate, const struct resource *resource)
{
	uint32_t left = aggregate->table.capacity - aggregate->table.used;

	return left > RESERVED && resource->series < 3 * left;
}

static struct series_entry *entry_of(struct aggregate *aggregate, const struct sample *sample)
{
	struct series_key key = key_of(sample);
	struct series_entry *entry = table_find(&aggregate->table, &key);

	if (entry)
		return entry;
	if (has_room(aggregate, sample->resource))
		return entry_new(aggregate, &key, sample);

	self_add(SELF_SERIES_OVERFLOWED, 1);
	key = (struct series_key){ .role = sample->role, .overflow = 1 };
	entry = table_find(&aggregate->table, &key);
	return entry ? entry : overflow_new(aggregate, &key, sample);
}

static const double units[SERIES_HISTOGRAMS] = {
	[SERIES_DURATION] = 1e9, [SERIES_REQUEST_SIZE] = 1, [SERIES_RESPONSE_SIZE] = 1
};

static unsigned add_value(struct series *series, enum series_histogram which, uint64_t value)
{
	const struct instrument *instrument = &series->semconv->instrument[series->role][which];

	return histogram_add(&series->histogram[which], instrument->bounds, units[which], value);
}

void aggregate_add(struct aggregate *aggregate, const struct sample *sample, uint64_t now_ns)
{
	struct series_entry *entry = entry_of(aggregate, sample);
	struct series *series;
	unsigned bucket;

	if (!entry)
		return;
	series = &entry->series;
	bucket = add_value(series, SERIES_DURATION, sample->duration_ns);
	add_value(series, SERIES_REQUEST_SIZE, sample->request_bytes);
	add_value(series, SERIES_RESPONSE_SIZE, sample->response_bytes);
	exponential_add(&series->duration, sample->duration_ns);
	if (sample->exemplar)
		series->exemplar[bucket] = *sample->exemplar;
	series->changed_ns = now_ns;
	series->expired = false;
	if (!entry->dirty)
		aggregate->dirty[aggregate->dirty_count++] = series->id;
	entry->dirty = true;
}

static struct series_entry *entry_at(struct aggregate *aggregate, uint32_t index)
{
	return (struct series_entry *)aggregate->table.entries + index;
}

/* Tells the exporters by one last copy, marked; the seal that carries it forgets the series. */
void aggregate_expire(struct aggregate *aggregate, uint64_t now_ns)
{
	struct series_entry *entry;
	uint32_t cursor = 0;

	if (!aggregate->expire_ns || now_ns <= aggregate->expire_ns)
		return;
	while ((entry = table_next(&aggregate->table, &cursor))) {
		if (entry->dirty || entry->series.changed_ns >= now_ns - aggregate->expire_ns)
			continue;
		entry->series.expired = true;
		entry->dirty = true;
		aggregate->dirty[aggregate->dirty_count++] = entry->series.id;
	}
}

static void forget(struct aggregate *aggregate, struct series_entry *entry)
{
	struct resource *resource = (struct resource *)entry->series.resource;

	resource->series--;
	resource_unref(resource);
	table_remove(&aggregate->table, entry);
	self_add(SELF_SERIES_EXPIRED, 1);
	self_set(SELF_SERIES, aggregate->table.used);
}

uint32_t aggregate_seal(struct aggregate *aggregate, struct batch *batch)
{
	uint32_t n = 0;

	while (n < aggregate->dirty_count) {
		struct series_entry *entry =
			entry_at(aggregate, aggregate->dirty[aggregate->dirty_count - n - 1]);
		struct series *copy;

		if (!batch_use_resource(batch, (struct resource *)entry->series.resource))
			break;
		copy = batch_add_series(batch);
		if (!copy)
			break;
		series_copy(copy, &entry->series);
		entry->dirty = false;
		if (entry->series.expired)
			forget(aggregate, entry);
		n++;
	}
	aggregate->dirty_count -= n;
	return n;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Interning of resources. From discover.c; out to targets. */
#include "discover/pool.h"

#include "base/cleanup.h"

#define SWEEP_LEAST 64		/* entries: fewer are not worth a walk */

struct pooled {
	uint64_t hash;		/* key: of the resource; two resources of one hash share no entry */
	struct resource *resource;
};

int resource_pool_init(struct resource_pool *pool, uint32_t capacity)
{
	pool->sweep_at = SWEEP_LEAST;
	return table_init(&pool->table, capacity, sizeof(struct pooled), sizeof(uint64_t));
}

void resource_pool_done(struct resource_pool *pool)
{
	struct pooled *pooled;
	uint32_t cursor = 0;

	if (!pool->table.entries)
		return;
	while ((pooled = table_next(&pool->table, &cursor)))
		resource_unref(pooled->resource);
	table_done(&pool->table);
}

/* With one reference left it is the pool's own: only this thread could take another. */
static bool is_unused(const struct resource *resource)
{
	return atomic_load_explicit(&resource->references, memory_order_acquire) == 1;
}

void resource_pool_sweep(struct resource_pool *pool)
{
	struct pooled *pooled;
	uint32_t cursor = 0;

	while ((pooled = table_next(&pool->table, &cursor))) {
		if (!is_unused(pooled->resource))
			continue;
		resource_unref(pooled->resource);
		table_remove(&pool->table, pooled);
	}
	pool->sweep_at = MIN(MAX(2 * pool->table.used, SWEEP_LEAST), pool->table.capacity);
}

static void keep(struct resource_pool *pool, struct resource *resource)
{
	struct pooled *pooled;

	if (pool->table.used >= pool->sweep_at)
		resource_pool_sweep(pool);
	pooled = table_add(&pool->table, &resource->hash);
	if (pooled)
		pooled->resource = resource_ref(resource);
}

struct resource *resource_pool_take(struct resource_pool *pool, const struct resource *view)
{
	struct resource *new = resource_new(view);
	struct pooled *pooled;

	if (!new)
		return NULL;
	pooled = table_find(&pool->table, &new->hash);
	if (!pooled) {
		keep(pool, new);
		return new;
	}
	if (!resource_equal(pooled->resource, new))
		return new;		/* one chance in 2^64: shared by nobody */
	resource_unref(new);
	return resource_ref(pooled->resource);
}

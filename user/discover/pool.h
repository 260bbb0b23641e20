/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live resources of the discover thread, each once: equal resources of several processes are
 * one pointer, so the pipeline may compare pointers. The pool holds a reference on each and gives
 * up those that nobody else holds.
 */
#ifndef SONDE_DISCOVER_POOL_H
#define SONDE_DISCOVER_POOL_H

#include "base/table.h"
#include "model/resource.h"

struct resource_pool {
	struct table table;	/* struct pooled, by hash */
	uint32_t sweep_at;	/* entries in the table at which it is swept */
};

/* `capacity`: beyond it resources are made, but not shared. Returns 0 or -errno. */
int resource_pool_init(struct resource_pool *pool, uint32_t capacity);
void resource_pool_done(struct resource_pool *pool);

/* The resource equal to `view`, with a reference for the caller; NULL: no memory. */
struct resource *resource_pool_take(struct resource_pool *pool, const struct resource *view);

/* Gives up what nobody else holds. Done by itself when the pool has doubled. */
void resource_pool_sweep(struct resource_pool *pool);

#endif

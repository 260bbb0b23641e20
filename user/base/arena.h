/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is given back all at once. One contiguous reservation made at init: pages cost
 * memory only once they are touched, and nothing is allocated afterwards.
 */
#ifndef SONDE_BASE_ARENA_H
#define SONDE_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena {
	uint8_t *at;
	size_t used, size;	/* bytes, multiples of 8 */
};

/* `size` in bytes, rounded up to 8. Returns 0, -ENOMEM, or -EINVAL for size 0. */
int arena_init(struct arena *arena, size_t size);

/* `len` bytes aligned to 8, not zeroed (except in a new arena); NULL when the arena is full. */
void *arena_alloc(struct arena *arena, size_t len);

/* A copy of `bytes` that lives as long as the arena's content; no bytes when the arena is full. */
struct bytes arena_copy(struct arena *arena, struct bytes bytes);

/* Forgets the content, keeps the reservation; pages above `keep` bytes go back to the kernel. */
void arena_reset(struct arena *arena, size_t keep);

void arena_done(struct arena *arena);

#endif

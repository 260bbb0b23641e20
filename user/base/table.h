/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of fixed capacity. Entries are structs of one size that begin with their key
 * (a fixed number of bytes, padding zeroed) and never move, so a pointer to one is good until it is
 * removed. The hash (XXH3) is seeded from the kernel's random bytes at init: peers cannot
 * choose colliding keys. Memory is reserved at init and costs only once touched.
 */
#ifndef SONDE_BASE_TABLE_H
#define SONDE_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct table_slot {
	uint32_t tag;		/* low half of the key's hash; its home slot is tag & mask */
	uint32_t entry;		/* index + 1, 0 = empty slot */
};

struct table {
	uint8_t *entries;	/* capacity * entry_size bytes, aligned to a page */
	struct table_slot *slots;	/* mask + 1 of them, at least twice the capacity */
	uint32_t *links;	/* per entry: in use, or index + 1 of the next unused */
	uint32_t capacity, mask;
	uint32_t used;		/* entries in the table */
	uint32_t free;		/* index + 1 of the last removed entry, 0 = none */
	uint32_t fresh;		/* entries from here on were never used */
	uint32_t entry_size, key_size;	/* bytes */
	uint64_t seed;
	struct arena memory;	/* holds the three arrays */
	uint64_t refused;	/* additions turned away because the table was full */
};

/* Returns 0, -ENOMEM or -EINVAL (capacity 0 or over 2^30, no key or one larger than entry). */
int table_init(struct table *table, uint32_t capacity, uint32_t entry_size, uint32_t key_size);
void table_done(struct table *table);

/* The entry with this key, or NULL. */
void *table_find(const struct table *table, const void *key);

/*
 * A new entry with this key, the rest zeroed; the key must not be in the table. NULL when
 * the table is full (counted in `refused`).
 */
void *table_add(struct table *table, const void *key);

/* The key in `entry` must be as it was added. Removing an entry that is gone does nothing. */
void table_remove(struct table *table, void *entry);

/*
 * Walks all entries: start with `*cursor` = 0, ends with NULL. Removing the entry just
 * returned is allowed; adding is not.
 */
void *table_next(const struct table *table, uint32_t *cursor);

/* 0 .. capacity - 1, stable while the entry lives. */
uint32_t table_index(const struct table *table, const void *entry);

/* The library's one hash function, for callers that keep a hash of their own. */
uint64_t hash_bytes(const void *at, size_t len, uint64_t seed);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of fixed capacity: slots found by linear probing, at most half of them taken,
 * that name entries, which never move. A removal pulls the slots behind it forward (Knuth,
 * TAOCP 6.4, algorithm R) and leaves no tombstone, so churn does not slow it down.
 */
#include "base/table.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL		/* the hot path: short keys are hashed without a call */
#include <xxhash.h>

#define CAPACITY_MAX (1u << 30)
#define LIVE UINT32_MAX		/* in `links`: the entry is in the table */

uint64_t hash_bytes(const void *at, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(at, len, seed);
}

static void *entry_at(const struct table *table, uint32_t index)
{
	return table->entries + (size_t)index * table->entry_size;
}

static uint32_t tag_of(const struct table *table, const void *key)
{
	return (uint32_t)XXH3_64bits_withSeed(key, table->key_size, table->seed);
}

int table_init(struct table *table, uint32_t capacity, uint32_t entry_size, uint32_t key_size)
{
	struct table new = {
		.capacity = capacity, .entry_size = entry_size, .key_size = key_size,
	};
	size_t entries_bytes = (size_t)capacity * entry_size;
	size_t links_bytes = capacity * sizeof(*new.links);
	size_t slots = 2;
	int r;

	if (!capacity || capacity > CAPACITY_MAX || !key_size || key_size > entry_size)
		return -EINVAL;
	while (slots < 2 * (size_t)capacity)
		slots *= 2;
	if (getrandom(&new.seed, sizeof(new.seed), 0) != sizeof(new.seed))
		return -errno;

	/* 8 bytes of rounding for each of the three parts; a new arena's memory is zero */
	r = arena_init(&new.memory, entries_bytes + slots * sizeof(*new.slots) + links_bytes + 24);
	if (r < 0)
		return r;
	new.mask = slots - 1;
	new.entries = arena_alloc(&new.memory, entries_bytes);
	new.slots = arena_alloc(&new.memory, slots * sizeof(*new.slots));
	new.links = arena_alloc(&new.memory, links_bytes);
	*table = new;
	return 0;
}

void table_done(struct table *table)
{
	arena_done(&table->memory);
	*table = (struct table){ 0 };
}

void *table_find(const struct table *table, const void *key)
{
	uint32_t tag = tag_of(table, key);

	for (uint32_t at = tag & table->mask;; at = (at + 1) & table->mask) {
		struct table_slot slot = table->slots[at];
		void *entry;

		if (!slot.entry)
			return NULL;
		if (slot.tag != tag)
			continue;
		entry = entry_at(table, slot.entry - 1);
		if (!memcmp(entry, key, table->key_size))
			return entry;
	}
}

/* An unused entry, zeroed; NULL when there is none. */
static void *take_entry(struct table *table, uint32_t *ret_index)
{
	uint32_t index;
	void *entry;

	if (table->free) {
		index = table->free - 1;
		table->free = table->links[index];
		entry = entry_at(table, index);
		memset(entry, 0, table->entry_size);
	} else if (table->fresh < table->capacity) {
		index = table->fresh++;		/* never used: zero, and not to be touched for it */
		entry = entry_at(table, index);
	} else {
		return NULL;
	}
	table->links[index] = LIVE;
	*ret_index = index;
	return entry;
}

void *table_add(struct table *table, const void *key)
{
	uint32_t tag = tag_of(table, key), at = tag & table->mask, index;
	void *entry = take_entry(table, &index);

	if (!entry) {
		table->refused++;
		return NULL;
	}
	while (table->slots[at].entry)
		at = (at + 1) & table->mask;
	table->slots[at] = (struct table_slot){ .tag = tag, .entry = index + 1 };
	memcpy(entry, key, table->key_size);
	table->used++;
	return entry;
}

/* Empties a slot and moves those behind it forward, none of them before its own home. */
static void close_gap(struct table *table, uint32_t gap)
{
	struct table_slot *slots = table->slots;
	uint32_t mask = table->mask;

	for (uint32_t at = (gap + 1) & mask; slots[at].entry; at = (at + 1) & mask) {
		uint32_t from_home = (at - slots[at].tag) & mask;

		if (from_home < ((at - gap) & mask))
			continue;
		slots[gap] = slots[at];
		gap = at;
	}
	slots[gap] = (struct table_slot){ 0 };
}

void table_remove(struct table *table, void *entry)
{
	uint32_t index = table_index(table, entry);
	uint32_t at = tag_of(table, entry) & table->mask;

	while (table->slots[at].entry && table->slots[at].entry != index + 1)
		at = (at + 1) & table->mask;
	if (!table->slots[at].entry)
		return;			/* removed before, or its key was overwritten */
	close_gap(table, at);
	table->links[index] = table->free;
	table->free = index + 1;
	table->used--;
}

void *table_next(const struct table *table, uint32_t *cursor)
{
	while (*cursor < table->fresh) {
		uint32_t index = (*cursor)++;

		if (table->links[index] == LIVE)
			return entry_at(table, index);
	}
	return NULL;
}

uint32_t table_index(const struct table *table, const void *entry)
{
	return ((const uint8_t *)entry - table->entries) / table->entry_size;
}

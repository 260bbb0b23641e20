/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of path segments. Children are short lists (a position collapses before it has more
 * than TREE_LITERALS_MAX), so the longest walk looks at TREE_SEGMENTS_MAX times as many nodes.
 */
#include "pipeline/route_tree.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "pipeline/route_heuristic.h"

/* Keys of the two children that stand for many segments; hashes of literals are never so small. */
enum { KEY_PARAMETER = 1, KEY_REST = 2, KEY_LITERAL_MIN = 3 };

static uint64_t key_of(const struct tree_pool *pool, struct bytes segment)
{
	uint64_t hash = hash_bytes(segment.at, segment.len, pool->seed);

	return hash < KEY_LITERAL_MIN ? KEY_LITERAL_MIN : hash;
}

static uint32_t take_node(struct tree_pool *pool)
{
	uint32_t index = pool->free;

	if (index)
		pool->free = pool->nodes[index].next;
	else if (pool->fresh + 1 < TREE_NODES_MAX)
		index = ++pool->fresh;
	else
		return 0;
	pool->nodes[index] = (struct tree_node){ 0 };
	pool->used++;
	return index;
}

uint32_t tree_root(struct tree_pool *pool)
{
	return take_node(pool);
}

bool tree_has_room(const struct tree_pool *pool)
{
	return TREE_NODES_MAX - 1 - pool->used > TREE_SEGMENTS_MAX;
}

/* Recursion here and in drop: as deep as a path, TREE_SEGMENTS_MAX. */
static uint64_t hits_below(const struct tree_pool *pool, uint32_t index)
{
	uint64_t hits = pool->nodes[index].hits;

	for (uint32_t at = pool->nodes[index].child; at; at = pool->nodes[at].next)
		hits += hits_below(pool, at);
	return hits;
}

uint32_t tree_drop(struct tree_pool *pool, uint32_t index)
{
	struct tree_node *node = &pool->nodes[index];
	uint32_t routes = !!node->text, next;

	for (uint32_t at = node->child; at; at = next) {
		next = pool->nodes[at].next;
		routes += tree_drop(pool, at);
	}
	node->next = pool->free;
	pool->free = index;
	pool->used--;
	return routes;
}

/* From now on new literals under `parent` are parameters; those that were seldom asked for go. */
static void collapse(struct tree_walk *walk, struct tree_node *parent)
{
	struct tree_pool *pool = walk->pool;
	uint32_t *link = &parent->child, at;

	parent->collapsed = walk->collapsed = true;
	while ((at = *link)) {
		struct tree_node *child = &pool->nodes[at];

		if (child->key < KEY_LITERAL_MIN || hits_below(pool, at) >= TREE_OFTEN) {
			link = &child->next;
			continue;
		}
		*link = child->next;
		parent->literals--;
		walk->dropped += tree_drop(pool, at);
	}
}

static uint32_t find_child(const struct tree_walk *walk, uint64_t key)
{
	const struct tree_node *nodes = walk->pool->nodes;
	uint32_t at = nodes[walk->node].child;

	while (at && nodes[at].key != key)
		at = nodes[at].next;
	return at;
}

/* Where nothing may be added, only a collapse can help: it comes earlier then. */
static bool takes_too_many(const struct tree_walk *walk, const struct tree_node *parent)
{
	uint32_t max = walk->pool->literals_max;

	return parent->literals >= (walk->may_add ? max : MAX(max / 4, 2));
}

static void add_text(struct tree_walk *walk, struct bytes segment)
{
	walk->text[walk->len++] = '/';
	memcpy(walk->text + walk->len, segment.at, segment.len);
	walk->len += segment.len;
}

/* To the child with this key, which is made if need be and allowed; else to no node. */
static void step(struct tree_walk *walk, uint64_t key, struct bytes text)
{
	struct tree_node *nodes = walk->pool->nodes;
	uint32_t child = find_child(walk, key);

	if (!child && walk->may_add) {
		struct tree_node *parent = &nodes[walk->node];

		child = take_node(walk->pool);	/* not 0: there was room for a whole path */
		nodes[child].key = key;
		nodes[child].next = parent->child;
		parent->child = child;
		parent->literals += key >= KEY_LITERAL_MIN;
	}
	walk->node = child;
	add_text(walk, text);
}

static void step_segment(struct tree_walk *walk, struct bytes segment)
{
	struct tree_node *parent = &walk->pool->nodes[walk->node];
	uint64_t key;

	if (!segment_is_parameter(segment)) {
		key = key_of(walk->pool, segment);
		if (!parent->collapsed && takes_too_many(walk, parent) && !find_child(walk, key))
			collapse(walk, parent);
		if (!parent->collapsed || find_child(walk, key)) {
			step(walk, key, segment);
			return;
		}
	}
	step(walk, KEY_PARAMETER, BYTES("{id}"));
}

/* Whether `path` has another segment. */
static bool goes_on(struct bytes path)
{
	struct bytes segment;

	return path_next_segment(&path, &segment);
}

static void step_rest(struct tree_walk *walk)
{
	if (walk->node)
		step(walk, KEY_REST, BYTES("**"));
}

void tree_follow(struct tree_walk *walk, struct bytes path)
{
	struct bytes rest = bytes_first(path, TREE_PATH_MAX), segment;
	bool cut = path.len > rest.len;
	unsigned count = 0;

	walk->len = 0;
	while (walk->node && path_next_segment(&rest, &segment)) {
		/* a segment that may go on behind the cut is part of the rest */
		bool partial = cut && !rest.len;

		if (partial || (++count == TREE_SEGMENTS_MAX && (cut || goes_on(rest)))) {
			step_rest(walk);
			return;
		}
		step_segment(walk, segment);
	}
	if (cut)
		step_rest(walk);
	if (!walk->len)
		walk->text[walk->len++] = '/';
}

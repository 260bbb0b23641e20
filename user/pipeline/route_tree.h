/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is learned of the paths of one service: a tree of their segments, one node each, all
 * services' nodes from one pool. A segment that takes too many values is replaced by {id}: the
 * position is *collapsed*. Literals that were asked for often before stay themselves, so that a
 * scanner trying a thousand paths does not take the names of real routes away.
 */
#ifndef SONDE_PIPELINE_ROUTE_TREE_H
#define SONDE_PIPELINE_ROUTE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define TREE_NODES_MAX 16384	/* of all services; 32 bytes each */
#define TREE_SEGMENTS_MAX 16	/* deeper is one rest: two stars */
#define TREE_PATH_MAX 256	/* bytes of a path that are looked at; so is the rest */
#define TREE_LITERALS_MAX 40	/* values of a position before it collapses */
#define TREE_OFTEN 100		/* requests after which a literal survives a collapse */

/* Each of at most TREE_SEGMENTS_MAX segments of one byte may become the five of `/{id}`. */
#define TREE_TEXT_MAX (TREE_PATH_MAX + 4 * TREE_SEGMENTS_MAX + 4)

/* `text` of nodes at which a route ends: opaque here. */
struct tree_node {
	uint64_t key;		/* hash of the literal, or one of the two below */
	const void *text;	/* NULL: no route ends here */
	uint32_t child, next;	/* first child, next sibling or next free; 0: none */
	uint32_t hits;		/* requests for the route that ends here */
	uint8_t literals;	/* children that are literals */
	bool collapsed;		/* new literals become {id} */
};

/* Index 0 is no node. Zeroed memory is an empty pool; seed and limit are the owner's to set. */
struct tree_pool {
	struct tree_node *nodes;	/* TREE_NODES_MAX */
	uint32_t fresh;		/* nodes ever used */
	uint32_t free;		/* first of those given back */
	uint32_t used;
	uint32_t literals_max;	/* at most TREE_LITERALS_MAX */
	uint64_t seed;
};

/* One way through the tree. */
struct tree_walk {
	struct tree_pool *pool;
	uint32_t node;		/* in: the root; out: where the route ends, 0: a node was missing */
	bool may_add;		/* in: missing nodes are made; there is room for a whole path */
	uint32_t dropped;	/* out: routes that ended in literals a collapse took away */
	bool collapsed;		/* out: a position collapsed */
	size_t len;		/* out: bytes of text */
	char text[TREE_TEXT_MAX];
};

/* A new node without parent, or 0: the pool is full. */
uint32_t tree_root(struct tree_pool *pool);

/* Whether every node a path could need is free. */
bool tree_has_room(const struct tree_pool *pool);

/*
 * Follows `path` from walk->node. When !may_add and a node is missing, `node` is 0, but positions
 * with a quarter of the literals_max collapse already, to make room.
 */
void tree_follow(struct tree_walk *walk, struct bytes path);

/* Gives back a node and all below it. Returns how many routes ended in them. */
uint32_t tree_drop(struct tree_pool *pool, uint32_t index);

#endif

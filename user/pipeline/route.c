/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path -> http.route. Most paths were seen a moment ago: a direct-mapped cache answers them. The
 * rest goes through the patterns, then down the tree of the service. Route texts are kept once for
 * all services and never freed: spans and series hold pointers to them.
 */
#include "pipeline/route.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "pipeline/route_pattern.h"
#include "pipeline/route_tree.h"

#define SEEN_MAX 4096			/* paths in the cache, a power of two */
#define TEXTS_MAX 8192			/* distinct routes of all services together */
#define TEXT_BYTES (512u << 10)
#define REPLACED_MAX 4			/* routes a service may make, times routes_max */
#define EPOCH_SHIFT 16			/* an epoch is 65,536 requests */
#define IDLE_EPOCHS 2			/* a service without a request for so long may make way */

struct text {
	uint64_t hash;			/* key; seeded, so nobody can make two texts meet */
	const uint8_t *at;
	size_t len;
};

struct service {
	uint64_t id;			/* key */
	uint32_t root;			/* of its tree */
	uint32_t live;			/* routes in its tree */
	uint32_t made;			/* routes it ever had */
	uint32_t generation;		/* unique; a new one makes the cache forget the service */
	uint32_t used;			/* epoch of the last request */
};

struct seen {
	uint64_t hash;			/* of the whole path, seeded by the service */
	struct service *service;
	const struct text *text;	/* NULL: free place */
	uint32_t node;			/* where hits are counted */
	uint32_t generation;
};

struct routes {
	struct arena memory;		/* cache and nodes, then texts */
	struct seen *seen;
	struct tree_pool tree;
	struct table texts, services;
	struct service configured;	/* stands for all services where a route depends on none */
	const struct text *catch_all;
	const struct text *pattern[CONFIG_LIST_MAX];
	unsigned patterns;
	bool heuristic;
	uint32_t routes_max;
	uint32_t generations;		/* the last one given out */
	uint32_t failed_epoch;		/* + 1: when no service was found idle */
	uint64_t requests, seed;
};

static struct bytes bytes_of_route(const struct text *text)
{
	return bytes_of(text->at, text->len);
}

/* The one copy of a route's text, or NULL: no room. */
static const struct text *intern(struct routes *routes, struct bytes route)
{
	uint64_t hash = hash_bytes(route.at, route.len, routes->seed);
	struct text *text = table_find(&routes->texts, &hash);
	struct bytes copy;

	if (text)
		return text;
	copy = arena_copy(&routes->memory, route);
	text = copy.at ? table_add(&routes->texts, &hash) : NULL;
	if (!text)
		return NULL;
	text->at = copy.at;
	text->len = copy.len;
	return text;
}

static uint32_t epoch_of(const struct routes *routes)
{
	return routes->requests >> EPOCH_SHIFT;
}

/* --- services ------------------------------------------------------------------------------ */

static void forget_service(struct routes *routes, struct service *service)
{
	tree_drop(&routes->tree, service->root);
	service->generation = 0;	/* no cached path has this one */
	table_remove(&routes->services, service);
}

/* Makes the longest idle service give way. At most one search in vain an epoch. */
static bool evict_service(struct routes *routes)
{
	struct service *service, *oldest = NULL;
	uint32_t cursor = 0, now = epoch_of(routes);

	if (routes->failed_epoch == now + 1)
		return false;
	while ((service = table_next(&routes->services, &cursor))) {
		if (!oldest || now - service->used > now - oldest->used)
			oldest = service;
	}
	if (!oldest || now - oldest->used < IDLE_EPOCHS) {
		routes->failed_epoch = now + 1;
		return false;
	}
	forget_service(routes, oldest);
	return true;
}

/* Room for every node a path could need, and for `services` more services. */
static bool make_room(struct routes *routes, unsigned services)
{
	while (routes->services.used + services > ROUTE_SERVICES_MAX ||
	       !tree_has_room(&routes->tree)) {
		if (!evict_service(routes))
			return false;
	}
	return true;
}

/* The service's entry, made if need be; NULL: no room, and nobody idle. */
static struct service *service_of(struct routes *routes, uint64_t id)
{
	struct service *service = table_find(&routes->services, &id);

	if (!service) {
		service = make_room(routes, 1) ? table_add(&routes->services, &id) : NULL;
		if (!service)
			return NULL;
		service->root = tree_root(&routes->tree);
		service->generation = ++routes->generations;
	}
	service->used = epoch_of(routes);
	return service;
}

/* Whether the service may have another route, whatever its path. */
static bool has_room(struct routes *routes, const struct service *service)
{
	return service->live < routes->routes_max &&
	       service->made / REPLACED_MAX < routes->routes_max &&
	       routes->texts.used < TEXTS_MAX &&
	       routes->memory.size - routes->memory.used >= TREE_TEXT_MAX &&
	       make_room(routes, 0);
}

/* --- one path ------------------------------------------------------------------------------ */

/* Follows the path, and once more when a collapse has made the room that was missing. */
static void follow(struct routes *routes, struct service *service, struct bytes path,
		   struct tree_walk *walk)
{
	unsigned tries = 0;

	do {
		walk->node = service->root;
		walk->may_add = has_room(routes, service);
		walk->dropped = 0;
		walk->collapsed = false;
		tree_follow(walk, path);
		service->live -= walk->dropped;
		if (walk->collapsed)
			service->generation = ++routes->generations;
	} while (!walk->node && walk->collapsed && !tries++);
}

/* The route at the end of a walk, or NULL: there is none and no room for one. */
static const struct text *text_of(struct routes *routes, struct service *service,
				  const struct tree_walk *walk)
{
	struct tree_node *node = &routes->tree.nodes[walk->node];

	if (!walk->node)
		return NULL;
	if (!node->text && walk->may_add) {
		node->text = intern(routes, bytes_of(walk->text, walk->len));
		service->live += !!node->text;
		service->made += !!node->text;
	}
	if (node->text && node->hits != UINT32_MAX)
		node->hits++;
	return node->text;
}

static const struct text *learned(struct routes *routes, uint64_t id, struct bytes path,
				  struct seen *ret_seen)
{
	struct service *service = service_of(routes, id);
	struct tree_walk walk;
	const struct text *text;

	if (!service)
		return NULL;
	walk.pool = &routes->tree;
	follow(routes, service, path, &walk);
	text = text_of(routes, service, &walk);
	ret_seen->service = service;
	ret_seen->node = walk.node;
	return text;
}

/* A route that depends on no service, or NULL. */
static const struct text *configured(const struct routes *routes, struct bytes path)
{
	for (unsigned i = 0; i < routes->patterns; i++) {
		if (pattern_matches(bytes_of_route(routes->pattern[i]), path))
			return routes->pattern[i];
	}
	return routes->heuristic ? NULL : routes->catch_all;
}

static struct bytes without_query(struct bytes path)
{
	for (size_t i = 0; i < path.len; i++) {
		if (path.at[i] == '?' || path.at[i] == '#')
			return bytes_first(path, i);
	}
	return path;
}

/* Refusals are not cached: room may come, and each is to be counted. */
static struct bytes route_anew(struct routes *routes, uint64_t id, struct bytes path,
			       struct seen *seen, uint64_t hash, bool *ret_refused)
{
	struct seen found = { .hash = hash, .service = &routes->configured };

	path = without_query(path);
	found.text = configured(routes, path);
	if (!found.text)
		found.text = learned(routes, id, path, &found);
	if (!found.text) {
		*ret_refused = true;
		return bytes_of_route(routes->catch_all);
	}
	found.generation = found.service->generation;
	*seen = found;
	return bytes_of_route(found.text);
}

struct bytes route_of(struct routes *routes, uint64_t service, struct bytes path, bool *ret_refused)
{
	/* an odd multiple: services that count up get seeds that differ in all bits */
	uint64_t seed = routes->seed ^ service * 0x9e3779b97f4a7c15ull;
	uint64_t hash = hash_bytes(path.at, path.len, seed);
	struct seen *seen = &routes->seen[hash % SEEN_MAX];
	uint32_t *hits;

	*ret_refused = false;
	routes->requests++;
	if (seen->hash != hash || !seen->text || seen->generation != seen->service->generation)
		return route_anew(routes, service, path, seen, hash, ret_refused);

	hits = &routes->tree.nodes[seen->node].hits;
	*hits += *hits != UINT32_MAX;
	seen->service->used = epoch_of(routes);
	return bytes_of_route(seen->text);
}

/* --- the whole ----------------------------------------------------------------------------- */

/* Returns 0, -EINVAL or -ENOMEM. */
static int add_patterns(struct routes *routes, const struct config *config)
{
	for (unsigned i = 0; i < config->routes.count; i++) {
		struct bytes pattern = bytes_of_text(config->routes.item[i]);

		if (pattern_check(pattern) < 0)
			return -EINVAL;
		routes->pattern[i] = intern(routes, pattern);
		if (!routes->pattern[i])
			return -ENOMEM;
		routes->patterns++;
	}
	return 0;
}

static int reserve(struct routes *routes)
{
	size_t seen = SEEN_MAX * sizeof(*routes->seen);
	size_t nodes = TREE_NODES_MAX * sizeof(*routes->tree.nodes);
	int r;

	r = arena_init(&routes->memory, seen + nodes + TEXT_BYTES);
	if (r < 0)
		return r;
	routes->seen = arena_alloc(&routes->memory, seen);
	routes->tree.nodes = arena_alloc(&routes->memory, nodes);
	r = table_init(&routes->texts, TEXTS_MAX, sizeof(struct text), sizeof(uint64_t));
	if (r < 0)
		return r;
	return table_init(&routes->services, ROUTE_SERVICES_MAX, sizeof(struct service),
			  sizeof(uint64_t));
}

static int set_up(struct routes *routes, const struct config *config)
{
	int r;

	r = reserve(routes);
	if (r < 0)
		return r;
	if (getrandom(&routes->seed, sizeof(routes->seed), 0) != sizeof(routes->seed))
		return -errno;
	routes->tree.seed = routes->seed;
	/* five positions full of names, and there are no routes left for others */
	routes->tree.literals_max = MIN(MAX(config->routes_max / 5, 2u), TREE_LITERALS_MAX);
	routes->routes_max = config->routes_max;
	routes->heuristic = config->route_heuristic;
	routes->catch_all = intern(routes, BYTES("/**"));
	return add_patterns(routes, config);
}

int routes_new(const struct config *config, struct routes **ret_routes)
{
	struct routes *routes = calloc(1, sizeof(*routes));
	int r;

	if (!routes)
		return -ENOMEM;
	r = set_up(routes, config);
	if (r < 0) {
		routes_free(routes);
		return r;
	}
	*ret_routes = routes;
	return 0;
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	table_done(&routes->services);
	table_done(&routes->texts);
	arena_done(&routes->memory);
	free(routes);
}

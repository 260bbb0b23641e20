/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes from hostile paths, one a line. Whatever they are: routes are printable, bounded in
 * length and number, without query, and the same again unless something collapsed in between.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pipeline/route.h"
#include "pipeline/route_pattern.h"
#include "pipeline/route_tree.h"

#define ROUTES_MAX 20
#define MADE_MAX (4 * ROUTES_MAX)	/* of one service, collapses included */
#define PATTERN "/fixed/{id}/**"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static struct routes *make(void)
{
	static struct config config = {
		.route_heuristic = true, .routes_max = ROUTES_MAX,
		.routes = { .item = { (char *)PATTERN }, .count = 1 },
	};
	struct routes *routes = NULL;

	check(!routes_new(&config, &routes));
	return routes;
}

static void check_text(struct bytes route)
{
	check(route.len > 0 && route.len <= TREE_TEXT_MAX && route.at[0] == '/');
	for (size_t i = 0; i < route.len; i++)
		check(route.at[i] > ' ' && route.at[i] < 0x7f && !strchr("?#\"\\%", route.at[i]));
}

static void check_path(struct routes *routes, struct bytes path)
{
	bool refused, again_refused;
	struct bytes route = route_of(routes, 1, path, &refused);
	struct bytes again = route_of(routes, 1, path, &again_refused);

	check_text(route);
	/* a refused first look may have made room by a collapse */
	if (!refused)
		check(again.at == route.at && again.len == route.len && !again_refused);
	check_text(again);
	check(!refused || bytes_equal(route, BYTES("/**")));
}

/* Distinct routes over everything that was asked, by asking it all once more. */
static void check_count(struct routes *routes, struct bytes paths)
{
	static const uint8_t *seen[MADE_MAX + 2];	/* and the catch-all, and the pattern */
	unsigned count = 0, at;

	while (paths.len) {
		ssize_t end = bytes_index(paths, '\n');
		struct bytes path = end < 0 ? paths : bytes_first(paths, end);
		bool refused;
		struct bytes route = route_of(routes, 1, path, &refused);

		for (at = 0; at < count && seen[at] != route.at; at++)
			;
		if (at == count) {
			check(count < ARRAY_LEN(seen));
			seen[count++] = route.at;
		}
		paths = bytes_skip(paths, path.len + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes paths = bytes_of(data, size), rest = paths;
	struct routes *routes = make();

	/* the first line is a pattern too, as the operator's file could have it */
	if (!pattern_check(bytes_first(paths, 64)))
		pattern_matches(bytes_first(paths, 64), paths);
	while (rest.len) {
		ssize_t end = bytes_index(rest, '\n');
		struct bytes path = end < 0 ? rest : bytes_first(rest, end);

		check_path(routes, path);
		rest = bytes_skip(rest, path.len + 1);
	}
	check_count(routes, paths);
	routes_free(routes);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: what is kept, replaced and learned, and that every bound holds. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "pipeline/route.h"
#include "pipeline/route_tree.h"

#define SHOP 17		/* a service */

static struct routes *make(uint32_t routes_max, const char *const *patterns)
{
	struct config config = { .route_heuristic = true, .routes_max = routes_max };
	struct routes *routes = NULL;

	for (; patterns && *patterns; patterns++)
		config.routes.item[config.routes.count++] = (char *)*patterns;
	assert_int_equal(routes_new(&config, &routes), 0);
	return routes;
}

static struct bytes ask(struct routes *routes, uint64_t service, const char *path)
{
	bool refused = true;
	struct bytes route = route_of(routes, service, bytes_of_text(path), &refused);

	assert_int_equal(refused, bytes_equal(route, BYTES("/**")));
	return route;
}

static void expect(struct routes *routes, const char *path, const char *expected)
{
	struct bytes route = ask(routes, SHOP, path);

	if (!bytes_equal(route, bytes_of_text(expected)))
		fail_msg("%s -> %.*s, not %s", path, BYTES_ARG(route), expected);
}

/* "a", "b", ... "aa": names no heuristic could take for a parameter. */
static const char *name_of(unsigned i)
{
	static char name[16];
	unsigned at = sizeof(name) - 1;

	name[at] = '\0';
	do {
		name[--at] = 'a' + i % 26;
	} while ((i /= 26) && at);
	return name + at;
}

static void paths_become_routes(void **state)
{
	struct routes *routes = make(200, NULL);

	expect(routes, "/", "/");
	expect(routes, "", "/");
	expect(routes, "//", "/");
	expect(routes, "/users/12345", "/users/{id}");
	expect(routes, "/users/12345/orders/9", "/users/{id}/orders/{id}");
	expect(routes, "/users/", "/users");
	expect(routes, "/users//7", "/users/{id}");
	expect(routes, "/app;jsessionid=1A530637289A03B07199A44E8D531427/cart", "/app/cart");
	expect(routes, "/search?q=secret", "/search");
	expect(routes, "/search#top", "/search");
	expect(routes, "/a/../b/.", "/a/../b/.");
	expect(routes, "*", "/{id}");
	expect(routes, "users/7", "/users/{id}");
	routes_free(routes);
}

static void what_is_deep_or_long_ends_in_a_rest(void **state)
{
	struct routes *routes = make(200, NULL);
	char path[1024] = "/long/";

	expect(routes, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p");
	expect(routes, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p");
	expect(routes, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/**");
	memset(path + 6, 'x', 1000);
	expect(routes, path, "/long/**");
	memset(path + 6, '/', 1000);
	expect(routes, path, "/long/**");
	path[TREE_PATH_MAX] = '\0';
	expect(routes, path, "/long");
	memcpy(path + 7, "yes/", 4);
	memset(path + 11, 'x', 500);
	expect(routes, path, "/long/yes/**");
	routes_free(routes);
}

static void patterns_win_in_their_order(void **state)
{
	static const char *const patterns[] = {
		"/users/{id}", "/users/*/books", "/users/:user/:what", "/static/**",
		"/img/{name}.png", "/jobs/{id}:cancel", "/exact/", NULL
	};
	struct routes *routes = make(200, patterns);

	expect(routes, "/users/ann", "/users/{id}");
	expect(routes, "/users/ann/", "/users/{id}");
	expect(routes, "/users/ann/books", "/users/*/books");
	expect(routes, "/users/ann/films", "/users/:user/:what");
	expect(routes, "/users/ann/films/x", "/users/ann/films/x");
	expect(routes, "/users", "/users");
	expect(routes, "/static", "/static/**");
	expect(routes, "/static/a/b/c", "/static/**");
	expect(routes, "/img/cat.png", "/img/{name}.png");
	expect(routes, "/img/.png", "/img/.png");
	expect(routes, "/img/cat.gif", "/img/cat.gif");
	expect(routes, "/jobs/7:cancel", "/jobs/{id}:cancel");
	expect(routes, "/exact", "/exact/");
	assert_ptr_equal(ask(routes, 1, "/users/bob").at, ask(routes, 2, "/users/eve").at);
	routes_free(routes);
}

static void a_pattern_that_makes_no_sense_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "users", "/{id", "/a/**/b", "/{a}{b}", "/{a}-*", "/a**", "/*.*",
	};

	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		struct config config = {
			.routes_max = 1, .routes = { .item = { (char *)wrong[i] }, .count = 1 },
		};
		struct routes *routes = (struct routes *)&config;

		if (routes_new(&config, &routes) != -EINVAL)
			fail_msg("%s was taken", wrong[i]);
		assert_ptr_equal(routes, &config);
	}
}

static void without_the_heuristic_only_patterns_are_routes(void **state)
{
	struct config config = {
		.routes_max = 10, .routes = { .item = { (char *)"/a/{b}" }, .count = 1 },
	};
	struct routes *routes;
	bool refused = true;

	assert_int_equal(routes_new(&config, &routes), 0);
	for (int i = 0; i < 2; i++) {
		struct bytes route = route_of(routes, 1, BYTES("/c/d"), &refused);

		assert_true(bytes_equal(route, BYTES("/**")));
		assert_false(refused);
		route = route_of(routes, 1, BYTES("/a/d"), &refused);
		assert_true(bytes_equal(route, BYTES("/a/{b}")));
	}
	routes_free(routes);
}

static void the_same_route_is_the_same_pointer(void **state)
{
	struct routes *routes = make(200, NULL);
	struct bytes one = ask(routes, 1, "/users/1"), other = ask(routes, 2, "/users/99");

	assert_ptr_equal(one.at, other.at);
	assert_ptr_equal(one.at, ask(routes, 1, "/users/1").at);
	assert_ptr_equal(ask(routes, 1, "/x").at, ask(routes, 1, "/x/").at);
	assert_ptr_not_equal(ask(routes, 1, "/x").at, ask(routes, 1, "/y").at);
	routes_free(routes);
}

static void too_many_names_at_a_position_become_a_parameter(void **state)
{
	struct routes *routes = make(200, NULL);
	char path[64], expected[64];

	for (unsigned i = 0; i < TREE_LITERALS_MAX; i++) {
		snprintf(path, sizeof(path), "/users/%s/cart", name_of(i));
		expect(routes, path, path);
		expect(routes, path, path);
	}
	snprintf(expected, sizeof(expected), "/users/{id}/cart");
	for (unsigned i = 0; i < 2 * TREE_LITERALS_MAX; i++) {
		snprintf(path, sizeof(path), "/users/%s/cart", name_of(1000 + i));
		expect(routes, path, expected);
	}
	/* also those that had a route of their own before */
	snprintf(path, sizeof(path), "/users/%s/cart", name_of(3));
	expect(routes, path, expected);
	expect(routes, "/about", "/about");
	/* and for no other service */
	assert_true(bytes_equal(ask(routes, SHOP + 1, "/users/me/cart"), BYTES("/users/me/cart")));
	routes_free(routes);
}

static void a_scan_does_not_take_the_names_of_real_routes(void **state)
{
	struct routes *routes = make(200, NULL);
	char path[64];

	for (unsigned i = 0; i <= TREE_OFTEN; i++) {
		expect(routes, "/checkout/pay", "/checkout/pay");
		if (i < 10)
			expect(routes, "/seldom", "/seldom");
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/%s.php", name_of(i));
		ask(routes, SHOP, path);
	}
	expect(routes, "/checkout/pay", "/checkout/pay");
	expect(routes, "/checkout/cancel", "/checkout/cancel");
	expect(routes, "/seldom", "/{id}");
	expect(routes, "/wp.php", "/{id}");
	routes_free(routes);
}

static void a_full_service_gets_the_catch_all_and_others_do_not(void **state)
{
	struct routes *routes = make(4, NULL);

	/* one name only at each position: there is nothing to collapse */
	expect(routes, "/a", "/a");
	expect(routes, "/a/1", "/a/{id}");
	expect(routes, "/a/1/1", "/a/{id}/{id}");
	expect(routes, "/a/1/1/1", "/a/{id}/{id}/{id}");
	for (int i = 0; i < 3; i++) {
		expect(routes, "/a/1/1/1/1", "/**");
		expect(routes, "/b", "/**");
		expect(routes, "/a/1", "/a/{id}");
	}
	assert_true(bytes_equal(ask(routes, SHOP + 1, "/b"), BYTES("/b")));
	routes_free(routes);
}

/* Distinct routes over a stream of paths, by pointer. */
static unsigned count_routes(struct routes *routes, uint64_t service, unsigned paths,
			     unsigned depth)
{
	enum { MOST = 5000 };
	static const uint8_t *seen[MOST];
	unsigned count = 0;
	uint64_t random = 7;

	for (unsigned i = 0; i < paths; i++) {
		char path[256];
		size_t len = 0;
		struct bytes route;
		unsigned at;

		for (unsigned level = 0; level < depth; level++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			len += snprintf(path + len, sizeof(path) - len, "/%s",
					name_of((random >> 33) % 500));
		}
		route = ask(routes, service, path);
		for (at = 0; at < count && seen[at] != route.at; at++)
			;
		if (at == count && count < MOST)
			seen[count++] = route.at;
	}
	return count;
}

static void hostile_paths_never_make_more_routes_than_allowed(void **state)
{
	struct routes *routes = make(50, NULL);

	for (unsigned depth = 1; depth <= 6; depth++) {
		unsigned count = count_routes(routes, depth, 20000, depth);

		assert_in_range(count, 2, 4 * 50 + 1);
	}
	routes_free(routes);
}

/* A position far below the limit gives way where it is the only help. */
static void a_full_service_learns_sooner(void **state)
{
	struct routes *routes = make(200, NULL);
	char path[64];

	for (unsigned i = 0; i < 10; i++) {
		for (unsigned k = 0; k < 20; k++) {
			snprintf(path, sizeof(path), "/shop-%c/%s", 'a' + i, name_of(k));
			expect(routes, path, path);
		}
	}
	expect(routes, "/shop-a/zebra", "/shop-a/{id}");
	expect(routes, "/shop-a/yak", "/shop-a/{id}");
	expect(routes, "/shop-k/new", "/shop-k/new");
	routes_free(routes);
}

static void a_service_without_room_is_refused_and_idle_ones_make_way(void **state)
{
	struct routes *routes = make(10, NULL);
	bool refused;

	for (uint64_t service = 0; service < ROUTE_SERVICES_MAX; service++)
		assert_false(bytes_equal(ask(routes, service, "/a"), BYTES("/**")));
	assert_true(bytes_equal(ask(routes, ROUTE_SERVICES_MAX, "/a"), BYTES("/**")));

	/* three epochs of 65,536 requests of one service: the others were idle for two at least */
	for (unsigned i = 0; i < 3 << 16; i++)
		route_of(routes, 5, BYTES("/a"), &refused);
	assert_false(bytes_equal(ask(routes, ROUTE_SERVICES_MAX, "/a"), BYTES("/**")));
	for (uint64_t service = 2000; service < 2000 + ROUTE_SERVICES_MAX - 2; service++)
		assert_false(bytes_equal(ask(routes, service, "/b"), BYTES("/**")));
	assert_true(bytes_equal(ask(routes, 9999, "/b"), BYTES("/**")));
	/* the one in use never gave way, and pointers are good all the time */
	assert_true(bytes_equal(ask(routes, 5, "/a"), BYTES("/a")));
	routes_free(routes);
}

/* Services with trees as large as they get: the pool runs out before the services do. */
static void an_empty_pool_refuses_and_loses_nothing(void **state)
{
	struct routes *routes = make(2000, NULL);
	unsigned refused = 0;
	char path[128];

	for (uint64_t service = 0; service < 20; service++) {
		for (unsigned i = 0; i < 2000; i++) {
			snprintf(path, sizeof(path), "/%c/%c/%c/d/e/f/g/h/i/j/k/l/m/n/o/p",
				 'a' + i % 20, 'a' + i / 20 % 20, 'a' + i / 400);
			refused += bytes_equal(ask(routes, service, path), BYTES("/**"));
		}
	}
	assert_true(refused > 0);
	assert_true(bytes_equal(ask(routes, 0, "/a/a/a/d/e/f/g/h/i/j/k/l/m/n/o/p"),
				BYTES("/a/a/a/d/e/f/g/h/i/j/k/l/m/n/o/p")));
	routes_free(routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_become_routes),
		cmocka_unit_test(what_is_deep_or_long_ends_in_a_rest),
		cmocka_unit_test(patterns_win_in_their_order),
		cmocka_unit_test(a_pattern_that_makes_no_sense_is_refused),
		cmocka_unit_test(without_the_heuristic_only_patterns_are_routes),
		cmocka_unit_test(the_same_route_is_the_same_pointer),
		cmocka_unit_test(too_many_names_at_a_position_become_a_parameter),
		cmocka_unit_test(a_scan_does_not_take_the_names_of_real_routes),
		cmocka_unit_test(a_full_service_gets_the_catch_all_and_others_do_not),
		cmocka_unit_test(hostile_paths_never_make_more_routes_than_allowed),
		cmocka_unit_test(a_full_service_learns_sooner),
		cmocka_unit_test(a_service_without_room_is_refused_and_idle_ones_make_way),
		cmocka_unit_test(an_empty_pool_refuses_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sonde top`: what the agent writes is what it reads, and what happened between is what it shows.
 */
#include "unit/export/fixture.h"

#include <math.h>

#include "cmd/top.h"
#include "export/services.h"

struct agent {
	struct metric_store store;
	struct resource *hello, *caller;
	struct series *series[5];
};

static void start(struct agent *agent)
{
	store_init(&agent->store, 8);
	agent->hello = make_resource("hello", CONTAINER);
	agent->caller = make_resource("caller", "");
	agent->series[0] = make_series(0, agent->hello, "/users/{id}", 200);
	agent->series[1] = make_series(1, agent->hello, "/users/{id}", 500);
	agent->series[2] = make_series(2, agent->hello, "/", 200);
	agent->series[3] = make_series(3, agent->caller, "", 0);
	agent->series[3]->role = ROLE_CLIENT;
	agent->series[3]->server_address = BYTES("hello.default");
	agent->series[3]->error_type = BYTES("connection_closed");
	agent->series[4] = make_series(4, agent->hello, "/silent", 200);
	for (int i = 0; i < 100; i++) {
		add_request(agent->series[i % 10 == 0], 1000000, 0, 0);
		add_request(agent->series[2], 20000000, 0, 0);
	}
	add_request(agent->series[3], 5000, 0, 0);
}

/* Takes a snapshot as it travels: encoded, then read. */
static struct top_snapshot look(struct agent *agent, uint64_t uptime_ns)
{
	struct top_snapshot snapshot = { 0 };
	struct buf out;
	char why[128] = "";

	for (size_t i = 0; i < ARRAY_LEN(agent->series); i++)
		put_in_store(&agent->store, agent->series[i]);
	buf_init(&out, 1 << 20);
	assert_int_equal(services_write(&out, &agent->store, uptime_ns), 0);
	if (top_parse(buf_bytes(&out), &snapshot, why, sizeof(why)))
		fail_msg("%s", why);
	buf_done(&out);
	return snapshot;
}

static void finish(struct agent *agent)
{
	store_done(&agent->store);
	for (size_t i = 0; i < ARRAY_LEN(agent->series); i++)
		free(agent->series[i]);
	resource_unref(agent->hello);
	resource_unref(agent->caller);
}

static struct buf draw(const struct top_table *table, struct top_screen screen)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct buf buf;

	top_draw(out, table, &screen);
	fclose(out);
	buf_init(&buf, 1 << 20);
	buf_add(&buf, text, len);
	free(text);
	return buf;
}

static const struct top_row *row_of(const struct top_table *table, const char *route)
{
	for (size_t i = 0; i < table->rows; i++) {
		if (!strcmp(table->row[i].route->route, route))
			return &table->row[i];
	}
	fail_msg("no route %s", route);
	return NULL;
}

static void routes_are_merged_over_status_codes(void **state)
{
	struct top_snapshot snapshot;
	struct top_table table;
	struct agent agent;

	start(&agent);
	snapshot = look(&agent, 10 * NSEC_PER_SEC);
	assert_int_equal(snapshot.routes, 3);		/* the silent one is not there */
	assert_int_equal(top_compute(&table, NULL, &snapshot), 0);
	assert_int_equal(row_of(&table, "/users/{id}")->route->count, 100);
	assert_int_equal(row_of(&table, "/users/{id}")->route->errors, 10);
	assert_true(row_of(&table, "/users/{id}")->error_percent == 10);
	assert_true(row_of(&table, "/users/{id}")->requests_per_s == 10);
	assert_true(fabs(row_of(&table, "/")->p50_s / .02 - 1) < .05);
	assert_true(fabs(row_of(&table, "/users/{id}")->p99_s / .001 - 1) < .05);
	assert_string_equal(table.row[0].route->service, "caller");
	top_done(&table);
	top_free(&snapshot);
	finish(&agent);
}

static void a_window_shows_only_what_happened_in_it(void **state)
{
	struct top_snapshot earlier, later;
	struct top_table table;
	struct agent agent;

	start(&agent);
	earlier = look(&agent, 10 * NSEC_PER_SEC);
	for (int i = 0; i < 50; i++)
		add_request(agent.series[2], 500000000, 0, 0);
	add_request(agent.series[4], 1000, 0, 0);	/* a route that was not there before */
	later = look(&agent, 12 * NSEC_PER_SEC);
	assert_int_equal(top_compute(&table, &earlier, &later), 0);
	assert_true(fabs(table.window_s - 2) < 1e-9);
	assert_true(fabs(row_of(&table, "/")->requests_per_s - 25) < 1e-6);
	assert_true(fabs(row_of(&table, "/")->p50_s / .5 - 1) < .05);
	assert_int_equal(row_of(&table, "/")->route->count, 150);
	assert_true(row_of(&table, "/users/{id}")->requests_per_s == 0);
	assert_true(row_of(&table, "/users/{id}")->p50_s == 0);
	assert_true(row_of(&table, "/users/{id}")->error_percent == 0);
	assert_true(fabs(row_of(&table, "/silent")->requests_per_s - .5) < 1e-6);
	top_done(&table);
	top_free(&earlier);
	top_free(&later);
	finish(&agent);
}

static void an_agent_started_anew_is_shown_since_its_start(void **state)
{
	struct top_snapshot earlier, later;
	struct top_table table;
	struct agent agent;

	start(&agent);
	earlier = look(&agent, 100 * NSEC_PER_SEC);
	later = look(&agent, 10 * NSEC_PER_SEC);
	assert_int_equal(top_compute(&table, &earlier, &later), 0);
	assert_true(row_of(&table, "/")->requests_per_s == 10);
	top_done(&table);
	top_free(&earlier);
	top_free(&later);
	finish(&agent);
}

static void the_table_fits_eighty_columns(void **state)
{
	struct top_snapshot snapshot;
	struct top_table table;
	struct agent agent;
	struct buf out;

	start(&agent);
	snapshot = look(&agent, 10 * NSEC_PER_SEC);
	top_compute(&table, NULL, &snapshot);
	out = draw(&table, (struct top_screen){ .columns = 80, .url = "http://x:1" });
	assert_string_equal(text_of(&out),
		"SERVICE        ROUTE                     REQ/S ERR%    P50    P95    P99   TOTAL\n"
		"caller         → GET hello.default         0.1  100 5.06us 5.15us 5.16us       1\n"
		"hello          GET /                      10.0  0.0 19.8ms 20.2ms 20.3ms     100\n"
		"hello          GET /users/{id}            10.0 10.0  998us 1.02ms 1.02ms     100\n"
		"metrics: http://x:1/metrics\n\n");
	assert_int_equal(bytes_index(buf_bytes(&out), '\n'), 80);
	buf_done(&out);
	top_done(&table);
	top_free(&snapshot);
	finish(&agent);
}

/* One route with a given path, on a screen. */
static struct buf draw_path(const char *path, struct top_screen screen)
{
	struct top_route route = {
		.service = "a-service-with-a-long-name",
		.role = "server",
		.method = "GET",
		.route = path,
		.count = 1234567890123,
	};
	struct top_snapshot snapshot = { .lost = 7, .route = &route, .routes = 1 };
	struct top_row row = { .route = &route };
	struct top_table table = { .snapshot = &snapshot, .row = &row, .rows = 1 };

	return draw(&table, screen);
}

static void long_and_hostile_routes_are_cut_and_blunted(void **state)
{
	struct top_screen screen = { .columns = 80, .url = "u" };
	struct buf out = draw_path("/a/very/long/route/that/does/not/fit", screen);

	assert_contains(&out, "a-service-wit… GET /a/very/long/route…  ");
	assert_contains(&out, "    1.2T\n");
	assert_contains(&out, "lost: 7 events");
	buf_done(&out);
	out = draw_path("/\x1b[2J\xff\xc3\xa4", screen);
	assert_contains(&out, "GET /?[2J?ä          ");
	buf_done(&out);
	screen.columns = 120;
	out = draw_path("/a/very/long/route/that/does/not/fit", screen);
	assert_contains(&out, "GET /a/very/long/route/that/does/not/fit  ");
	buf_done(&out);
}

static void a_small_terminal_tells_what_it_leaves_out(void **state)
{
	struct top_route route[30];
	struct top_row row[30];
	struct top_snapshot snapshot = { .route = route, .routes = 30 };
	struct top_table table = { .snapshot = &snapshot, .row = row, .rows = 30 };
	struct buf out;
	int lines = 0;

	for (int i = 0; i < 30; i++) {
		route[i] = (struct top_route){
			.service = "s", .role = "server", .method = "GET", .route = "/" };
		row[i] = (struct top_row){ .route = &route[i] };
	}
	out = draw(&table,
		   (struct top_screen){ .columns = 80, .lines = 24, .redraw = true, .url = "u" });
	assert_contains(&out, "and 11 more routes");
	assert_true(bytes_start_with(buf_bytes(&out), BYTES("\033[H")));
	assert_true(bytes_end_with(buf_bytes(&out), BYTES("\033[J")));
	for (size_t i = 0; i < out.len; i++)
		lines += out.at[i] == '\n';
	assert_true(lines < 24);
	buf_done(&out);
}

static void answers_that_are_no_services_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",     "404 page not found",  "[]", "{}", "{\"services\":1}", "{\"services\":[",
		"null", "{\"a\":\"\\u0000\"}",
	};
	struct top_snapshot snapshot;
	char why[128];

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		why[0] = '\0';
		assert_int_equal(top_parse(bytes_of_text(wrong[i]), &snapshot, why, sizeof(why)),
				 -EBADMSG);
		assert_true(why[0]);
	}
}

static void fields_of_other_types_or_sizes_do_no_harm(void **state)
{
	static const char *const odd[] = {
		"{\"services\":[1,null,{\"routes\":3},{\"routes\":[4,{\"count\":-5,\"method\":7}]}]"
		"}",
		"{\"services\":[{\"routes\":[{\"duration\":{\"exponential\":{\"scale\":99,"
		"\"offset\":5,\"counts\":[1]}}}]}]}",
		"{\"services\":[{\"routes\":[{\"duration\":{\"exponential\":{\"scale\":-10,"
		"\"offset\":-32768,"
		"\"counts\":[1,2,\"x\",-4,9223372036854775807]}}}]}]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct top_snapshot snapshot;
		struct top_table table;
		struct buf out;
		char why[128];

		assert_int_equal(top_parse(bytes_of_text(odd[i]), &snapshot, why, sizeof(why)), 0);
		assert_int_equal(top_compute(&table, &snapshot, &snapshot), 0);
		out = draw(&table, (struct top_screen){ .columns = 80, .url = "u" });
		buf_done(&out);
		top_done(&table);
		top_free(&snapshot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_merged_over_status_codes),
		cmocka_unit_test(a_window_shows_only_what_happened_in_it),
		cmocka_unit_test(an_agent_started_anew_is_shown_since_its_start),
		cmocka_unit_test(the_table_fits_eighty_columns),
		cmocka_unit_test(long_and_hostile_routes_are_cut_and_blunted),
		cmocka_unit_test(a_small_terminal_tells_what_it_leaves_out),
		cmocka_unit_test(answers_that_are_no_services_are_refused),
		cmocka_unit_test(fields_of_other_types_or_sizes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

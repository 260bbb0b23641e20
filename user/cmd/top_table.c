/* SPDX-License-Identifier: Apache-2.0 */
/* Two snapshots -> rows of rates and quantiles -> a table on a screen, or lines of JSON. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cmd/top.h"

/* Widths of the columns, in characters; the route takes what is left. */
#define SERVICE_WIDTH 14
#define NUMBERS_WIDTH 42 /* of the columns to its right, with the spaces before them */
#define ROUTE_MIN 20
#define COLUMNS_MAX 512

static int compare_identity(const struct top_route *a, const struct top_route *b)
{
	const char *const in_a[] = { a->service, a->namespace, a->container, a->role, a->protocol,
				     a->method, a->route, a->server_address };
	const char *const in_b[] = { b->service, b->namespace, b->container, b->role, b->protocol,
				     b->method, b->route, b->server_address };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(in_a) && !r; i++)
		r = strcmp(in_a[i], in_b[i]);
	return r;
}

static int compare_routes(const void *a, const void *b)
{
	return compare_identity(*(const struct top_route *const *)a,
				*(const struct top_route *const *)b);
}

/* Pointers to the routes of `snapshot`, sorted by identity; NULL: no memory. */
static const struct top_route **index_of(const struct top_snapshot *snapshot)
{
	const struct top_route **index = malloc((snapshot->routes + 1) * sizeof(index[0]));

	for (size_t i = 0; index && i < snapshot->routes; i++)
		index[i] = &snapshot->route[i];
	if (index)
		qsort(index, snapshot->routes, sizeof(index[0]), compare_routes);
	return index;
}

static void compute_row(struct top_row *row, const struct top_route *route,
			const struct top_route *before, double window_s)
{
	struct exponential duration = route->duration;
	uint64_t count = route->count, errors = route->errors;

	if (before && before->count <= count && before->errors <= errors) {
		count -= before->count;
		errors -= before->errors;
		exponential_subtract(&duration, &before->duration);
	}
	*row = (struct top_row){
		.route = route,
		.requests_per_s = window_s > 0 ? (double)count / window_s : 0,
		.error_percent = count ? 100.0 * (double)errors / (double)count : 0,
		.p50_s = exponential_quantile(&duration, .50),
		.p95_s = exponential_quantile(&duration, .95),
		.p99_s = exponential_quantile(&duration, .99),
	};
}

static int compare_rows(const void *a, const void *b)
{
	const struct top_row *in_a = a, *in_b = b;
	int r = strcmp(in_a->route->service, in_b->route->service);

	if (r)
		return r;
	if (in_a->route->count != in_b->route->count)
		return in_a->route->count < in_b->route->count ? 1 : -1;
	return compare_identity(in_a->route, in_b->route);
}

int top_compute(struct top_table *table, const struct top_snapshot *earlier,
		const struct top_snapshot *later)
{
	const struct top_route **index = NULL;

	if (earlier && earlier->uptime_s > later->uptime_s)
		earlier = NULL;			/* the agent was started anew */
	*table = (struct top_table){ .snapshot = later, .window_s = later->uptime_s };
	table->row = malloc((later->routes + 1) * sizeof(table->row[0]));
	if (earlier) {
		index = index_of(earlier);
		table->window_s = later->uptime_s - earlier->uptime_s;
	}
	if (!table->row || (earlier && !index)) {
		top_done(table);
		return -ENOMEM;
	}
	for (; table->rows < later->routes; table->rows++) {
		const struct top_route *key = &later->route[table->rows], **before = NULL;

		if (earlier)
			before = bsearch(&key, index, earlier->routes, sizeof(index[0]),
					 compare_routes);
		compute_row(&table->row[table->rows], key, before ? *before : NULL,
			    table->window_s);
	}
	qsort(table->row, table->rows, sizeof(table->row[0]), compare_rows);
	free(index);
	return 0;
}

void top_done(struct top_table *table)
{
	free(table->row);
	*table = (struct top_table){ 0 };
}

/* At most 6 characters: 850us, 1.23ms, 12.3ms, 123ms, 1.23s. */
static void format_seconds(char *text, size_t size, double seconds)
{
	double value = seconds * 1e6;
	const char *unit = "us";

	if (!seconds) {
		snprintf(text, size, "-");
		return;
	}
	if (value >= 999.5) {
		value /= 1e3;
		unit = "ms";
	}
	if (value >= 999.5) {
		value /= 1e3;
		unit = "s";
	}
	snprintf(text, size, "%.*f%s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, unit);
}

/* At most 7 characters up to 10^15. */
static void format_count(char *text, size_t size, uint64_t count)
{
	if (count < 10000000)
		snprintf(text, size, "%llu", (unsigned long long)count);
	else if (count < 1000000000)
		snprintf(text, size, "%.1fM", (double)count / 1e6);
	else if (count < 1000000000000)
		snprintf(text, size, "%.1fG", (double)count / 1e9);
	else
		snprintf(text, size, "%.1fT", (double)count / 1e12);
}

/*
 * Prints `text` in exactly `width` characters, the last of a longer one an ellipsis. Counts code
 * points, not bytes; control characters, which a peer may have put into a path, show as `?`.
 */
static void put_cell(FILE *out, const char *text, unsigned width)
{
	struct bytes rest = bytes_of_text(text);
	unsigned used = 0;

	while (rest.len) {
		size_t len = utf8_sequence(rest);

		len = len ? len : 1;
		if (used == width - 1 && rest.len > len) {
			fputs("…", out);
			used++;
			break;
		}
		if (rest.at[0] < 0x20 || rest.at[0] == 0x7f || (len == 1 && rest.at[0] >= 0x80))
			fputc('?', out);
		else
			fwrite(rest.at, 1, len, out);
		rest = bytes_skip(rest, len);
		used++;
	}
	for (; used < width; used++)
		fputc(' ', out);
}

static void put_route(FILE *out, const struct top_route *route, unsigned width)
{
	bool client = !strcmp(route->role, "client");
	char text[1024];

	snprintf(text, sizeof(text), "%s%s%s%s%s", client ? "→ " : "", route->method,
		 route->method[0] ? " " : "(all routes over the series limit)",
		 client ? route->server_address : "", route->route);
	put_cell(out, text, width);
}

static void put_row(FILE *out, const struct top_row *row, unsigned route_width)
{
	char p50[16], p95[16], p99[16], total[24];

	format_seconds(p50, sizeof(p50), row->p50_s);
	format_seconds(p95, sizeof(p95), row->p95_s);
	format_seconds(p99, sizeof(p99), row->p99_s);
	format_count(total, sizeof(total), row->route->count);
	put_cell(out, row->route->service, SERVICE_WIDTH);
	fputc(' ', out);
	put_route(out, row->route, route_width);
	fprintf(out, " %7.*f %4.*f %6s %6s %6s %7s", row->requests_per_s < 1000 ? 1 : 0,
		row->requests_per_s, row->error_percent < 99.95 ? 1 : 0, row->error_percent, p50,
		p95, p99, total);
}

/* Ends a line; on a terminal, what an earlier picture had to its right goes. */
static void end_line(FILE *out, const struct top_screen *screen)
{
	fputs(screen->redraw ? "\033[K\n" : "\n", out);
}

static void put_foot(FILE *out, const struct top_table *table, const struct top_screen *screen)
{
	fprintf(out, "metrics: %s/metrics", screen->url);
	if (screen->redraw)
		fputs("   Ctrl-C ends", out);
	end_line(out, screen);
	if (table->snapshot->lost) {
		fprintf(out, "lost: %llu events, so counts are too low: see "
			"sonde_events_dropped_total", (unsigned long long)table->snapshot->lost);
		end_line(out, screen);
	}
}

void top_draw(FILE *out, const struct top_table *table, const struct top_screen *screen)
{
	unsigned columns = MIN(screen->columns, (unsigned)COLUMNS_MAX), taken = 5;
	unsigned least = SERVICE_WIDTH + 1 + ROUTE_MIN + NUMBERS_WIDTH, route_width;
	size_t rows = table->rows;

	route_width = columns > least ? columns - least + ROUTE_MIN : ROUTE_MIN;
	if (screen->lines && rows + taken > screen->lines)
		rows = screen->lines > taken ? screen->lines - taken : 1;
	if (screen->redraw)
		fputs("\033[H", out);
	put_cell(out, "SERVICE", SERVICE_WIDTH);
	fputc(' ', out);
	put_cell(out, "ROUTE", route_width);
	fprintf(out, " %7s %4s %6s %6s %6s %7s", "REQ/S", "ERR%", "P50", "P95", "P99", "TOTAL");
	end_line(out, screen);
	for (size_t i = 0; i < rows; i++) {
		put_row(out, &table->row[i], route_width);
		end_line(out, screen);
	}
	if (!table->rows) {
		fputs("no requests seen yet", out);
		end_line(out, screen);
	}
	if (rows < table->rows) {
		fprintf(out, "and %zu more routes: a taller terminal, or --once, shows them",
			table->rows - rows);
		end_line(out, screen);
	}
	put_foot(out, table, screen);
	if (screen->redraw)
		fputs("\033[J", out);
	else
		fputc('\n', out);
	fflush(out);
}

static void add_text(struct buf *line, const char *key, const char *value)
{
	buf_printf(line, ",\"%s\":\"", key);
	buf_add_json(line, bytes_of_text(value));
	buf_add_byte(line, '"');
}

static void print_json_row(struct buf *line, const struct top_table *table,
			   const struct top_row *row)
{
	const struct top_route *route = row->route;

	buf_printf(line, "{\"now_unix_seconds\":%.3f,\"window_seconds\":%.3f",
		   table->snapshot->now_s, table->window_s);
	add_text(line, "service", route->service);
	add_text(line, "namespace", route->namespace);
	add_text(line, "container", route->container);
	add_text(line, "role", route->role);
	add_text(line, "protocol", route->protocol);
	add_text(line, "method", route->method);
	add_text(line, "route", route->route);
	add_text(line, "server_address", route->server_address);
	buf_printf(line,
		   ",\"requests_per_second\":%.3f,\"error_percent\":%.3f,\"p50_seconds\":%.9f,"
		   "\"p95_seconds\":%.9f,\"p99_seconds\":%.9f,\"count\":%llu,\"errors\":%llu,"
		   "\"lost\":%llu}\n",
		   row->requests_per_s, row->error_percent, row->p50_s, row->p95_s, row->p99_s,
		   (unsigned long long)route->count, (unsigned long long)route->errors,
		   (unsigned long long)table->snapshot->lost);
}

void top_print_json(FILE *out, const struct top_table *table)
{
	struct buf line;

	buf_init(&line, 1 << 20);
	for (size_t i = 0; i < table->rows; i++) {
		buf_reset(&line);
		print_json_row(&line, table, &table->row[i]);
		fwrite(line.at, 1, line.len, out);
	}
	buf_done(&line);
	fflush(out);
}

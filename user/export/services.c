/* SPDX-License-Identifier: Apache-2.0 */
/* The store as JSON, a service and its routes at a time; served by prometheus.c. */
#include "export/services.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/view.h"
#include "model/self.h"

/* One route: the sum of a run of series that differ only in code, error and port. */
struct route {
	const struct series *first;
	uint64_t count, errors, sum_ns;
	struct exponential duration;
};

static uint64_t events_lost(void)
{
	uint64_t lost = 0;

	for (int id = 0; id < SELF_MAX; id++) {
		if (!strcmp(self_rows[id].name, "events_dropped_total"))
			lost += self_get(id);
	}
	return lost;
}

static void add_text(struct buf *out, const char *key, struct bytes value)
{
	buf_printf(out, "\"%s\":\"", key);
	buf_add_json(out, value);
	buf_add_byte(out, '"');
}

static bool is_same_service(const struct series *a, const struct series *b)
{
	return !view_compare_resources(a->resource, b->resource, VIEW_LABELS) &&
	       a->semconv == b->semconv && a->role == b->role;
}

static bool is_same_route(const struct series *a, const struct series *b)
{
	return is_same_service(a, b) && a->overflow == b->overflow &&
	       bytes_equal(a->operation, b->operation) && bytes_equal(a->route, b->route) &&
	       bytes_equal(a->server_address, b->server_address);
}

/* Is `code` in an earlier series of this run? */
static bool is_code_done(const struct view *view, uint32_t first, uint32_t i)
{
	for (uint32_t j = first; j < i; j++) {
		if (view->at[j]->code == view->at[i]->code)
			return true;
	}
	return false;
}

/* Runs are short: one series for each code and kind of error of a route. */
static void add_status(struct buf *out, const struct view *view, uint32_t first, uint32_t end)
{
	const char *comma = "";

	buf_add_text(out, "\"status\":{");
	for (uint32_t i = first; i < end; i++) {
		uint64_t count = 0;

		if (is_code_done(view, first, i))
			continue;
		for (uint32_t j = i; j < end; j++) {
			if (view->at[j]->code == view->at[i]->code)
				count += view->at[j]->histogram[SERIES_DURATION].count;
		}
		buf_printf(out, "%s\"%lld\":%llu", comma, (long long)view->at[i]->code,
			   (unsigned long long)count);
		comma = ",";
	}
	buf_add_text(out, "},");
}

static void sum_up(struct route *route, const struct view *view, uint32_t first, uint32_t end)
{
	*route = (struct route){ .first = view->at[first] };
	exponential_init(&route->duration);
	for (uint32_t i = first; i < end; i++) {
		const struct histogram *duration = &view->at[i]->histogram[SERIES_DURATION];

		route->count += duration->count;
		route->errors += view->at[i]->error_type.len ? duration->count : 0;
		route->sum_ns += duration->sum;
		exponential_merge(&route->duration, &view->at[i]->duration);
	}
}

static void add_duration(struct buf *out, const struct route *route)
{
	const struct exponential *duration = &route->duration;

	buf_printf(out, "\"duration\":{\"sum_seconds\":%.9f,\"exponential\":{\"scale\":%d,"
		   "\"offset\":%d,\"zero\":%llu,\"counts\":[", (double)route->sum_ns / NSEC_PER_SEC,
		   duration->scale, duration->offset, (unsigned long long)duration->zero);
	for (uint32_t i = 0; i < duration->used; i++)
		buf_printf(out, "%s%llu", i ? "," : "", (unsigned long long)duration->count[i]);
	buf_add_text(out, "]}}");
}

static void add_route(struct buf *out, const struct view *view, uint32_t first, uint32_t end)
{
	struct bytes none = { 0 };
	struct route route;
	bool overflow;

	sum_up(&route, view, first, end);
	overflow = route.first->overflow;
	buf_add_byte(out, '{');
	add_text(out, "method", overflow ? none : route.first->operation);
	buf_add_byte(out, ',');
	add_text(out, "route", overflow ? none : route.first->route);
	buf_add_byte(out, ',');
	add_text(out, "server_address", overflow ? none : route.first->server_address);
	buf_add_byte(out, ',');
	add_status(out, view, first, end);
	buf_printf(out, "\"count\":%llu,\"errors\":%llu,", (unsigned long long)route.count,
		   (unsigned long long)route.errors);
	add_duration(out, &route);
	buf_add_byte(out, '}');
}

static void add_service_head(struct buf *out, const struct series *series)
{
	static const struct resource none;
	const struct resource *resource = series->resource ? series->resource : &none;

	buf_add_byte(out, '{');
	add_text(out, "service", resource->service_name);
	buf_add_byte(out, ',');
	add_text(out, "namespace", resource->service_namespace);
	buf_add_byte(out, ',');
	add_text(out, "container", resource->container_id);
	buf_printf(out, ",\"role\":\"%s\",\"protocol\":\"%s\",\"routes\":[",
		   series->role == ROLE_SERVER ? "server" : "client", series->semconv->scope);
}

static void add_services(struct buf *out, const struct view *view)
{
	const struct series *last = NULL;
	uint32_t end;

	for (uint32_t first = 0; first < view->count; first = end) {
		const struct series *series = view->at[first];

		end = first + 1;
		if (!series->histogram[SERIES_DURATION].count)
			continue;
		for (; end < view->count; end++) {
			if (!is_same_route(series, view->at[end]))
				break;
		}
		if (last && is_same_service(last, series)) {
			buf_add_byte(out, ',');
		} else {
			buf_add_text(out, last ? "]}," : "");
			add_service_head(out, series);
		}
		add_route(out, view, first, end);
		last = series;
	}
	buf_add_text(out, last ? "]}" : "");
}

int services_write(struct buf *out, const struct metric_store *store, uint64_t uptime_ns)
{
	struct view view;
	int r;

	r = view_open(&view, store, VIEW_ROUTES);
	if (r < 0)
		return r;
	buf_printf(out, "{\"version\":\"%s\",\"uptime_seconds\":%.3f,\"now_unix_seconds\":%.3f,"
		   "\"lost\":%llu,\"services\":[", SONDE_VERSION, (double)uptime_ns / NSEC_PER_SEC,
		   (double)clock_realtime_ns() / NSEC_PER_SEC, (unsigned long long)events_lost());
	add_services(out, &view);
	buf_add_text(out, "]}\n");
	view_close(&view);
	return out->failed ? -ENOSPC : 0;
}

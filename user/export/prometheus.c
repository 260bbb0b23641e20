/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pull side: /metrics for Prometheus, /services for `sonde top`, /healthz and /readyz for
 * whoever runs the agent. Everything is written at the moment it is asked for.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "export/accept.h"
#include "export/exporter.h"
#include "export/http_server.h"
#include "export/prometheus_text.h"
#include "export/services.h"
#include "model/self.h"

#define TYPE_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define COMPLAIN_SECONDS 60

struct prometheus {
	const struct exporter_context *context;
	struct http_server *server;
	uint64_t start_ns, complained_ns;
};

/* Instead of half an answer. */
static void fail(struct prometheus *prometheus, struct http_reply *reply, int error)
{
	const char *why = error == -ENOSPC ? "larger than 64 MiB: lower metrics.series_max" :
			  "no memory: raise the agent's limit";

	self_add(SELF_SCRAPES_FAILED, 1);
	if (log_every(&prometheus->complained_ns, COMPLAIN_SECONDS))
		log_error(0, "scrape: the answer could not be written: %s", why);
	buf_reset(&reply->body);
	reply->status = 500;
	reply->type = HTTP_TYPE_TEXT;
	buf_printf(&reply->body, "The answer could not be written: %s.\n", why);
}

static void reply_metrics(struct prometheus *prometheus, const struct http_request *request,
			  struct http_reply *reply)
{
	enum metrics_format format = accept_format(request->accept);
	int r;

	self_add(SELF_SCRAPES, 1);
	reply->type = format == METRICS_OPENMETRICS ? TYPE_OPENMETRICS : TYPE_PROMETHEUS;
	r = prometheus_write(&reply->body, prometheus->context->store, format);
	if (r < 0)
		fail(prometheus, reply, r);
}

static void reply_services(struct prometheus *prometheus, const struct http_request *request,
			   struct http_reply *reply)
{
	int r;

	reply->type = "application/json";
	r = services_write(&reply->body, prometheus->context->store,
			   clock_monotonic_ns() - prometheus->start_ns);
	if (r < 0)
		fail(prometheus, reply, r);
}

static void reply_healthz(struct prometheus *prometheus, const struct http_request *request,
			  struct http_reply *reply)
{
	buf_add_text(&reply->body, "ok: the export thread answers\n");
}

static void reply_readyz(struct prometheus *prometheus, const struct http_request *request,
			 struct http_reply *reply)
{
	if (atomic_load_explicit(prometheus->context->ready, memory_order_relaxed)) {
		buf_add_text(&reply->body, "ready: at least one source is attached\n");
		return;
	}
	reply->status = 503;
	buf_add_text(&reply->body, "not ready: no source is attached yet: if it stays so, `sonde "
				   "doctor` on this machine tells why\n");
}

static void reply_index(struct prometheus *prometheus, const struct http_request *request,
			struct http_reply *reply)
{
	reply->type = "text/html; charset=utf-8";
	buf_add_text(&reply->body,
		     "<!DOCTYPE html><title>Sonde</title><h1>Sonde " SONDE_VERSION "</h1><ul>\n"
		     "<li><a href=\"/metrics\">/metrics</a>: Prometheus text or OpenMetrics\n"
		     "<li><a href=\"/services\">/services</a>: services and routes as JSON, as "
		     "<code>sonde top</code> reads them\n"
		     "<li><a href=\"/healthz\">/healthz</a>: does the agent live?\n"
		     "<li><a href=\"/readyz\">/readyz</a>: does it watch?\n</ul>\n");
}

static const struct page {
	const char *path;
	void (*reply)(struct prometheus *prometheus, const struct http_request *request,
		      struct http_reply *reply);
} pages[] = {
	{ "/metrics", reply_metrics },
	{ "/services", reply_services },
	{ "/healthz", reply_healthz },
	{ "/readyz", reply_readyz },
	{ "/", reply_index },
};

static void answer(void *context, const struct http_request *request, struct http_reply *reply)
{
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (bytes_equal(request->path, bytes_of_text(pages[i].path))) {
			pages[i].reply(context, request, reply);
			return;
		}
	}
	reply->status = 404;
	buf_add_text(&reply->body, "Nothing is here. There are:");
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		buf_printf(&reply->body, " %s", pages[i].path);
	buf_add_byte(&reply->body, '\n');
}

static int prometheus_open(const struct exporter_context *context, void **ret_state)
{
	struct prometheus *prometheus;
	int r;

	if (!context->config->listen || !context->config->listen[0])
		return -ENOTSUP;
	prometheus = calloc(1, sizeof(*prometheus));
	if (!prometheus)
		return log_error(-ENOMEM, "prometheus: %m: free some memory");
	prometheus->context = context;
	prometheus->start_ns = clock_monotonic_ns();
	r = http_server_open(context->loop, context->config->listen, answer, prometheus,
			     &prometheus->server);
	if (r < 0) {
		free(prometheus);
		return r;
	}
	*ret_state = prometheus;
	return 0;
}

/* The store has what a batch brought: nothing to do until somebody asks. */
static void prometheus_export(void *state, const struct batch *batch)
{
}

static void prometheus_close(void *state, uint64_t deadline_ns)
{
	struct prometheus *prometheus = state;

	http_server_close(prometheus->server);
	free(prometheus);
}

const struct exporter prometheus_exporter = {
	.name = "prometheus",
	.open = prometheus_open,
	.export = prometheus_export,
	.close = prometheus_close,
};

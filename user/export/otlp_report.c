/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences about an OTLP endpoint, with cause and cure; for otlp_lane.c. */
#include "export/otlp_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "export/otlp_response.h"

#define SELDOM_S 60
#define QUOTE_MAX 200			/* bytes of a receiver's own words */

/* A URL may carry a password: not for the log (RFC 3986, 7.5). */
static char *without_secrets(const char *url)
{
	const char *host = strstr(url, "://"), *at, *end;
	char *shown;

	host = host ? host + 3 : url;
	end = host + strcspn(host, "/?#");
	at = memrchr(host, '@', end - host);
	if (!at)
		return strdup(url);
	return asprintf(&shown, "%.*s***%s", (int)(host - url), url, at) < 0 ? NULL : shown;
}

int otlp_report_init(struct otlp_report *report, enum config_signal signal,
		     const struct config_otlp *otlp)
{
	const char *path = signal == SIGNAL_TRACES ? "v1/traces" : "v1/metrics";
	size_t len = strlen(otlp->endpoint);
	int r;

	report->signal = signal;
	if (otlp->endpoint_is_base)
		r = asprintf(&report->url, "%s%s%s", otlp->endpoint,
			     len && otlp->endpoint[len - 1] == '/' ? "" : "/", path);
	else
		r = asprintf(&report->url, "%s", otlp->endpoint);
	if (r < 0)
		report->url = NULL;
	report->shown = report->url ? without_secrets(report->url) : NULL;
	return report->shown ? 0 : -ENOMEM;
}

void otlp_report_done(struct otlp_report *report)
{
	free(report->url);
	free(report->shown);
}

static const char *question_for(const struct http_result *result)
{
	if (result->status == 429 || result->status == 503)
		return "the receiver asks to wait;";
	if (result->status)
		return "is there a collector behind the gateway?";
	if (strstr(result->error, "refused"))
		return "is a collector listening there?";
	if (strstr(result->error, "resolve"))
		return "does the name resolve on this machine?";
	if (strstr(result->error, "no answer"))
		return "is the receiver overloaded, or otlp.timeout too short?";
	if (strcasestr(result->error, "certificate") || strstr(result->error, "SSL"))
		return "is otlp.certificate the authority of the receiver?";
	return "is the endpoint right?";
}

static void describe(char *text, size_t size, const struct http_result *result)
{
	struct bytes said = bytes_first(otlp_error_message(result->body), QUOTE_MAX);

	if (!result->status)
		snprintf(text, size, "%s", result->error);
	else if (said.len)
		snprintf(text, size, "HTTP %ld (%.*s)", result->status, BYTES_ARG(said));
	else
		snprintf(text, size, "HTTP %ld", result->status);
}

static void format_size(char *text, size_t size, uint64_t bytes)
{
	if (bytes >= 1 << 20)
		snprintf(text, size, "%.4g MiB", (double)bytes / (1 << 20));
	else
		snprintf(text, size, "%.4g KiB", (double)bytes / (1 << 10));
}

void otlp_report_down(struct otlp_report *report, const struct http_result *result,
		      uint64_t queue_bytes)
{
	char why[QUOTE_MAX + 512], size[32];

	if (report->down)
		return;
	report->down = true;
	describe(why, sizeof(why), result);
	format_size(size, sizeof(size), queue_bytes);
	if (report->signal == SIGNAL_TRACES)
		log_error(0, "otlp %s: %s: %s spans wait in a queue of %s, %llu dropped so far",
			  report->shown, why, question_for(result), size,
			  (unsigned long long)report->dropped);
	else
		log_error(0, "otlp %s: %s: %s the next push that succeeds has all metrics",
			  report->shown, why, question_for(result));
}

void otlp_report_up(struct otlp_report *report)
{
	if (!report->down)
		return;
	report->down = false;
	if (report->signal == SIGNAL_TRACES)
		log_info("otlp %s: answers again: %llu spans dropped so far", report->shown,
			 (unsigned long long)report->dropped);
	else
		log_info("otlp %s: answers again", report->shown);
}

static const char *cure_for(long status)
{
	switch (status) {
	case 401:
	case 403:
		return "do otlp.headers have the right key?";
	case 404:
	case 405:
		return "is the path right? otlp.endpoint is the base, without /v1/traces";
	case 413:
		return "raise the receiver's limit to 2 MiB";
	case 415:
		return "the endpoint does not take protobuf; is it an OTLP/HTTP one?";
	default:
		return "is the endpoint an OTLP/HTTP one (usually port 4318)?";
	}
}

void otlp_report_refused(struct otlp_report *report, const struct http_result *result,
			 uint32_t items)
{
	char why[QUOTE_MAX + 512];

	if (!log_every(&report->refused_said_ns, SELDOM_S))
		return;
	describe(why, sizeof(why), result);
	log_error(0, "otlp %s: %s: %u %s dropped: %s", report->shown, why, items,
		  report->signal == SIGNAL_TRACES ? "spans" : "data points",
		  cure_for(result->status));
}

void otlp_report_partial(struct otlp_report *report, uint64_t rejected, struct bytes message)
{
	message = bytes_first(message, QUOTE_MAX);
	if (log_every(&report->partial_said_ns, SELDOM_S))
		log_error(0, "otlp %s: the receiver rejected %llu %s: %.*s: see its own log",
			  report->shown, (unsigned long long)rejected,
			  report->signal == SIGNAL_TRACES ? "spans" : "data points",
			  BYTES_ARG(message));
}

void otlp_report_full(struct otlp_report *report, uint64_t queue_bytes)
{
	char size[32];

	format_size(size, sizeof(size), queue_bytes);
	if (log_every(&report->full_said_ns, SELDOM_S))
		log_error(0,
			  "otlp %s: the queue of %s is full: the oldest spans are dropped, %llu so "
			  "far: bring the endpoint back, or raise otlp.queue_bytes",
			  report->shown, size, (unsigned long long)report->dropped);
}

void otlp_report_end(struct otlp_report *report, uint64_t left)
{
	if (left)
		log_error(0,
			  "otlp %s: %llu spans could not be sent before the end: dropped: is the "
			  "receiver up and fast enough?",
			  report->shown, (unsigned long long)left);
}

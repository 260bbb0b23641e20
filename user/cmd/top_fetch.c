/* SPDX-License-Identifier: Apache-2.0 */
/* GET /services of an agent -> struct top_snapshot, checked on the way. */
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cmd/top.h"

#define BODY_MAX (64u << 20)		/* bytes: what the agent sends at most */
#define TIMEOUT_MS 5000l
#define SCALE_MIN -10			/* of OpenTelemetry */

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static uint64_t count_of(json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value < 0 ? 0 : (uint64_t)value;
}

static void read_duration(json_t *json, struct exponential *duration)
{
	json_t *counts = json_object_get(json, "counts");
	json_int_t scale = json_integer_value(json_object_get(json, "scale"));
	json_int_t offset = json_integer_value(json_object_get(json, "offset"));

	exponential_init(duration);
	duration->zero = count_of(json, "zero");
	if (scale < SCALE_MIN || scale > EXPONENTIAL_SCALE || offset < INT16_MIN ||
	    offset > INT16_MAX)
		return;
	duration->scale = (int32_t)scale;
	duration->offset = (int32_t)offset;
	duration->used = MIN(json_array_size(counts), (size_t)EXPONENTIAL_BUCKETS);
	for (uint32_t i = 0; i < duration->used; i++) {
		json_int_t count = json_integer_value(json_array_get(counts, i));

		duration->count[i] = count < 0 ? 0 : (uint64_t)count;
	}
}

static void read_route(json_t *service, json_t *json, struct top_route *route)
{
	*route = (struct top_route){
		.service = text_of(service, "service"),
		.namespace = text_of(service, "namespace"),
		.container = text_of(service, "container"),
		.role = text_of(service, "role"),
		.protocol = text_of(service, "protocol"),
		.method = text_of(json, "method"),
		.route = text_of(json, "route"),
		.server_address = text_of(json, "server_address"),
		.count = count_of(json, "count"),
		.errors = count_of(json, "errors"),
	};
	read_duration(json_object_get(json_object_get(json, "duration"), "exponential"),
		      &route->duration);
}

static int read_routes(json_t *services, struct top_snapshot *snapshot)
{
	size_t total = 0, i, j;
	json_t *service, *route;

	json_array_foreach(services, i, service)
		total += json_array_size(json_object_get(service, "routes"));
	snapshot->route = calloc(total + 1, sizeof(snapshot->route[0]));
	if (!snapshot->route)
		return -ENOMEM;
	json_array_foreach(services, i, service) {
		json_array_foreach(json_object_get(service, "routes"), j, route)
			read_route(service, route, &snapshot->route[snapshot->routes++]);
	}
	return 0;
}

int top_parse(struct bytes body, struct top_snapshot *ret_snapshot, char *why, size_t why_size)
{
	struct top_snapshot snapshot = { 0 };
	json_error_t error;
	json_t *json, *services;
	int r;

	json = json_loadb((const char *)body.at, body.len, JSON_ALLOW_NUL, &error);
	services = json_object_get(json, "services");
	if (!json_is_array(services)) {
		snprintf(why, why_size, "not what an agent answers: %s",
			 json ? "no \"services\"" : error.text);
		json_decref(json);
		return -EBADMSG;
	}
	snapshot.json = json;
	snapshot.uptime_s = json_number_value(json_object_get(json, "uptime_seconds"));
	snapshot.now_s = json_number_value(json_object_get(json, "now_unix_seconds"));
	snapshot.lost = count_of(json, "lost");
	r = read_routes(services, &snapshot);
	if (r < 0) {
		snprintf(why, why_size, "no memory");
		top_free(&snapshot);
		return r;
	}
	*ret_snapshot = snapshot;
	return 0;
}

void top_free(struct top_snapshot *snapshot)
{
	free(snapshot->route);
	json_decref(snapshot->json);
	*snapshot = (struct top_snapshot){ 0 };
}

static size_t on_body(char *at, size_t size, size_t count, void *context)
{
	return buf_add(context, at, size * count) < 0 ? 0 : size * count;
}

/* Returns 0 with the answer in `body`, or -errno with the reason in `why`. */
static int get(CURL *easy, const char *url, struct buf *body, char *why, size_t why_size)
{
	long status = 0, os_error = 0;
	CURLcode code;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1l);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");	/* all libcurl knows */
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
	code = curl_easy_perform(easy);
	if (code != CURLE_OK) {
		curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
		snprintf(why, why_size, "%s", code == CURLE_COULDNT_CONNECT && os_error ?
			 strerror((int)os_error) : curl_easy_strerror(code));
		return -ECONNREFUSED;
	}
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return 0;
	snprintf(why, why_size, "HTTP %ld", status);
	return -EBADMSG;
}

int top_fetch(const char *url, struct top_snapshot *ret_snapshot, char *why, size_t why_size)
{
	size_t len = strlen(url);
	char whole[1024];
	struct buf body;
	CURL *easy;
	int r;

	snprintf(whole, sizeof(whole), "%s%sservices", url, len && url[len - 1] == '/' ? "" : "/");
	easy = curl_easy_init();
	if (!easy) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	buf_init(&body, BODY_MAX);
	r = get(easy, whole, &body, why, why_size);
	if (!r)
		r = top_parse(buf_bytes(&body), ret_snapshot, why, why_size);
	buf_done(&body);
	curl_easy_cleanup(easy);
	return r;
}

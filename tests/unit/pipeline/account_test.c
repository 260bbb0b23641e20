/* SPDX-License-Identifier: Apache-2.0 */
/* What an exchange is called: routes, addresses, errors, texts of spans, exemplars. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/self.h"
#include "pipeline/account.h"
#include "unit/pipeline/mallocs.h"

#define OFFSET_NS 1000000

struct fixture {
	struct account account;
	struct resource *resource;
	struct batch *batch;
	struct exchange exchange;
	struct message request;		/* of the exchange, until it is counted */
};

/* `otlp`: spans are exported. */
static void begin_with(struct fixture *fixture, const char *otlp, enum config_print print,
		       enum config_sampler sampler)
{
	struct config config = {
		.series_max = 100, .route_heuristic = true, .routes_max = 50,
		.sampler = sampler, .print = print, .otlp_endpoint = (char *)otlp,
		.redact = (char *)"password,sig", .series_expire_ns = NSEC_PER_SEC,
		.routes = { .item = { (char *)"/users/{name}" }, .count = 1 },
	};

	memset(self_values, 0, sizeof(self_values));
	memset(fixture, 0, sizeof(*fixture));
	assert_int_equal(account_init(&fixture->account, &config), 0);
	fixture->account.realtime_offset_ns = OFFSET_NS;
	fixture->resource = resource_new(&(struct resource){ .service_name = BYTES("shop") });
	fixture->batch = batch_new(8, 1 << 20);
	fixture->batch->serial = 1;
	fixture->exchange = (struct exchange){
		.protocol = &http1_protocol, .code = 200, .start_ns = NSEC_PER_SEC,
		.end_ns = 2 * NSEC_PER_SEC, .tgid = 7, .tid = 8, .request_bytes = 3,
		.response_bytes = 4,
		.endpoints = { .family = AF_INET, .local_port = 8080, .remote_port = 40000,
			       .local_addr = { 10, 0, 0, 1 }, .remote_addr = { 192, 168, 100, 20 } },
	};
	fixture->request = (struct message){
		.operation = BYTES("GET"), .target = BYTES("/users/ann"), .version = BYTES("1.1"),
		.authority = BYTES("shop.example:8443"), .user_agent = BYTES("test/1"),
	};
}

static void begin(struct fixture *fixture)
{
	begin_with(fixture, "http://collector:4318", PRINT_NONE, SAMPLER_ALWAYS_ON);
}

static void end(struct fixture *fixture)
{
	account_done(&fixture->account);
	batch_free(fixture->batch);
	assert_int_equal(atomic_load(&fixture->resource->references), 1);
	resource_unref(fixture->resource);
}

/* Counts the exchange; its span, or NULL. */
static const struct span *count_in(struct fixture *fixture, struct batch *batch)
{
	uint32_t spans = fixture->batch->spans;

	exchange_set_request(&fixture->exchange, &fixture->request);
	mallocs_count(true);
	account_exchange(&fixture->account, &fixture->exchange, fixture->resource, batch);
	mallocs_count(false);
	assert_int_equal(mallocs_counted(), 0);
	memset(fixture->exchange.text, '!', sizeof(fixture->exchange.text));	/* given back */
	return fixture->batch->spans > spans ? &fixture->batch->span[spans] : NULL;
}

static const struct span *count(struct fixture *fixture)
{
	return count_in(fixture, fixture->batch);
}

/* The one series there is. */
static const struct series *sealed(struct fixture *fixture)
{
	assert_int_equal(aggregate_seal(&fixture->account.aggregate, fixture->batch), 1);
	return fixture->batch->series;
}

static void is_text(struct bytes bytes, const char *text)
{
	if (!bytes_equal(bytes, bytes_of_text(text)))
		fail_msg("\"%.*s\" is not \"%s\"", BYTES_ARG(bytes), text);
}

static void a_server_s_request(void **state)
{
	const struct series *series;
	const struct span *span;
	struct fixture fixture;

	begin(&fixture);
	fixture.request.query = BYTES("q=1&password=secret&x=2");
	span = count(&fixture);
	assert_int_equal(span->role, ROLE_SERVER);
	is_text(span->operation, "GET");
	is_text(span->target, "/users/ann");
	is_text(span->route, "/users/{name}");
	is_text(span->query, "q=1&password=REDACTED&x=2");
	is_text(span->full, "");
	is_text(span->scheme, "http");
	is_text(span->version, "1.1");
	is_text(span->user_agent, "test/1");
	is_text(span->server_address, "shop.example");
	is_text(span->client_address, "192.168.100.20");
	is_text(span->error_type, "");
	assert_int_equal(span->server_port, 8080);
	assert_int_equal(span->client_port, 40000);
	assert_int_equal(span->code, 200);
	assert_int_equal(span->status, SPAN_UNSET);
	assert_int_equal(span->request_bytes, 3);
	assert_int_equal(span->response_bytes, 4);
	assert_int_equal(span->tgid, 7);
	assert_int_equal(span->tid, 8);
	assert_true(span->start_ns == NSEC_PER_SEC && span->end_ns == 2 * NSEC_PER_SEC);
	assert_true(span->sampled);
	assert_ptr_equal(span->resource, fixture.resource);

	series = sealed(&fixture);
	is_text(series->operation, "GET");
	is_text(series->route, "/users/{name}");
	is_text(series->server_address, "");
	is_text(series->error_type, "");
	assert_int_equal(series->code, 200);
	assert_int_equal(series->server_port, 8080);
	assert_true(series->histogram[SERIES_DURATION].sum == NSEC_PER_SEC);
	assert_int_equal(series->histogram[SERIES_REQUEST_SIZE].sum, 3);
	assert_int_equal(series->histogram[SERIES_RESPONSE_SIZE].sum, 4);
	assert_int_equal(self_get(SELF_EXCHANGES_SERVER), 1);
	assert_int_equal(self_get(SELF_SPANS), 1);
	end(&fixture);
}

static void a_client_s_request(void **state)
{
	const struct series *series;
	const struct span *span;
	struct fixture fixture;

	begin(&fixture);
	fixture.exchange.role = ROLE_CLIENT;
	fixture.request.query = BYTES("sig=abc");
	span = count(&fixture);
	is_text(span->full, "http://shop.example:8443/users/ann?sig=REDACTED");
	is_text(span->route, "");
	is_text(span->server_address, "shop.example");
	is_text(span->client_address, "10.0.0.1");
	assert_int_equal(span->server_port, 40000);
	assert_int_equal(span->client_port, 8080);

	series = sealed(&fixture);
	is_text(series->route, "");
	is_text(series->server_address, "shop.example");
	assert_int_equal(series->server_port, 40000);
	assert_int_equal(self_get(SELF_EXCHANGES_CLIENT), 1);
	end(&fixture);
}

static void a_url_is_made_from_the_address_when_no_host_was_named(void **state)
{
	const struct span *span;
	struct fixture fixture;

	begin(&fixture);
	fixture.exchange.role = ROLE_CLIENT;
	fixture.request.authority = (struct bytes){};
	fixture.request.scheme = BYTES("https");
	span = count(&fixture);
	is_text(span->full, "https://192.168.100.20/users/ann");
	is_text(span->server_address, "192.168.100.20");
	is_text(span->scheme, "https");
	end(&fixture);
}

static void the_longest_url_is_cut_not_overrun(void **state)
{
	static char path[EXCHANGE_TEXT_MAX], query[EXCHANGE_TEXT_MAX], host[300];
	const struct span *span;
	struct fixture fixture;

	memset(path, '/', sizeof(path));
	memset(host, 'h', sizeof(host));
	for (size_t i = 0; i < sizeof(query); i++)
		query[i] = "sig=&"[i % 5];	/* grows when redacted */
	begin(&fixture);
	fixture.exchange.role = ROLE_CLIENT;
	fixture.request.target = bytes_of(path, sizeof(path));
	fixture.request.query = bytes_of(query, sizeof(query));
	fixture.request.authority = bytes_of(host, sizeof(host));
	span = count(&fixture);
	assert_in_range(span->full.len, 600, 1400);
	assert_true(bytes_start_with(span->full, BYTES("http://hhhh")));
	end(&fixture);
}

static void hosts_are_taken_out_of_authorities(void **state)
{
	static const struct {
		const char *authority, *host;
	} cases[] = {
		{ "example.com", "example.com" }, { "example.com:80", "example.com" },
		{ "10.1.2.3:80", "10.1.2.3" }, { "[2001:db8::1]:80", "2001:db8::1" },
		{ "[::1]", "::1" }, { "[::1", "10.0.0.1" }, { ":80", "10.0.0.1" }, { "[", "10.0.0.1" },
		{ "", "10.0.0.1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture fixture;

		begin(&fixture);
		fixture.request.authority = bytes_of_text(cases[i].authority);
		is_text(count(&fixture)->server_address, cases[i].host);
		end(&fixture);
	}
}

static void addresses_are_written_as_people_write_them(void **state)
{
	static const struct {
		uint8_t family, addr[16];
		const char *text;
	} cases[] = {
		{ AF_INET, { 0 }, "0.0.0.0" },
		{ AF_INET, { 255, 100, 10, 9 }, "255.100.10.9" },
		{ AF_INET6, { [15] = 1 }, "::1" },
		{ AF_INET6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 0xff }, "2001:db8::ff" },
		{ AF_INET6, { [10] = 0xff, 0xff, 127, 0, 0, 1 }, "127.0.0.1" },
		{ AF_UNIX, { 1, 2, 3 }, "" },
		{ 77, { 1, 2, 3 }, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture fixture;

		begin(&fixture);
		fixture.exchange.endpoints.family = cases[i].family;
		memcpy(fixture.exchange.endpoints.remote_addr, cases[i].addr, 16);
		is_text(count(&fixture)->client_address, cases[i].text);
		end(&fixture);
	}
}

static void the_client_behind_a_proxy_is_the_one_it_names_first(void **state)
{
	static const struct {
		const char *header, *client;
	} cases[] = {
		{ "203.0.113.7", "203.0.113.7" },
		{ " 203.0.113.7 , 10.0.0.9, 10.0.0.8", "203.0.113.7" },
		{ "2001:db8::7, 10.0.0.9", "2001:db8::7" },
		{ "for=203.0.113.7;proto=http", "192.168.100.20" },	/* Forwarded: unclear */
		{ "a b, c", "192.168.100.20" },
		{ "", "192.168.100.20" }, { ",", "192.168.100.20" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture fixture;

		begin(&fixture);
		fixture.request.forwarded_for = bytes_of_text(cases[i].header);
		is_text(count(&fixture)->client_address, cases[i].client);
		end(&fixture);
	}
}

static void errors_depend_on_outcome_status_and_role(void **state)
{
	static const struct {
		enum role role;
		enum outcome outcome;
		int64_t code;
		const char *error;
	} cases[] = {
		{ ROLE_SERVER, OUTCOME_ANSWERED, 200, "" },
		{ ROLE_SERVER, OUTCOME_ANSWERED, 404, "" },
		{ ROLE_SERVER, OUTCOME_ANSWERED, 499, "" },
		{ ROLE_SERVER, OUTCOME_ANSWERED, 500, "500" },
		{ ROLE_SERVER, OUTCOME_ANSWERED, 999, "999" },
		{ ROLE_CLIENT, OUTCOME_ANSWERED, 399, "" },
		{ ROLE_CLIENT, OUTCOME_ANSWERED, 400, "400" },
		{ ROLE_CLIENT, OUTCOME_ANSWERED, 503, "503" },
		{ ROLE_CLIENT, OUTCOME_ANSWERED, 101, "" },
		{ ROLE_SERVER, OUTCOME_UNSEEN, 0, "" },
		{ ROLE_SERVER, OUTCOME_UNSEEN, 502, "502" },
		{ ROLE_SERVER, OUTCOME_UNANSWERED, 0, "connection_closed" },
		{ ROLE_CLIENT, OUTCOME_INCOMPLETE, 200, "response_incomplete" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct span *span;
		struct fixture fixture;

		begin(&fixture);
		fixture.exchange.role = cases[i].role;
		fixture.exchange.outcome = cases[i].outcome;
		fixture.exchange.code = cases[i].code;
		span = count(&fixture);
		is_text(span->error_type, cases[i].error);
		assert_int_equal(span->status, *cases[i].error ? SPAN_ERROR : SPAN_UNSET);
		assert_int_equal(self_get(SELF_UNANSWERED), cases[i].outcome == OUTCOME_UNANSWERED);
		is_text(sealed(&fixture)->error_type, cases[i].error);
		end(&fixture);
	}
}

static void unknown_methods_make_one_series_and_keep_their_name_in_spans(void **state)
{
	struct fixture fixture;

	begin(&fixture);
	fixture.request.operation = BYTES("BREW");
	is_text(count(&fixture)->operation, "BREW");
	fixture.request.operation = BYTES("WHEN");
	is_text(count(&fixture)->operation, "WHEN");
	is_text(sealed(&fixture)->operation, "_OTHER");
	end(&fixture);
}

static void an_exemplar_points_at_an_exported_span(void **state)
{
	const struct series *series;
	const struct span *span;
	struct fixture fixture;
	unsigned found = 0;

	begin(&fixture);
	span = count(&fixture);
	series = sealed(&fixture);
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++) {
		const struct exemplar *exemplar = &series->exemplar[i];

		if (!exemplar->time_ns)
			continue;
		found++;
		assert_true(exemplar->time_ns == 2 * NSEC_PER_SEC + OFFSET_NS);
		assert_true(exemplar->value == NSEC_PER_SEC);
		assert_memory_equal(exemplar->trace_id, span->context.trace_id, 16);
		assert_memory_equal(exemplar->span_id, span->context.span_id, 8);
		assert_int_equal(series->histogram[SERIES_DURATION].bucket[i], 1);
	}
	assert_int_equal(found, 1);
	end(&fixture);
}

static bool has_exemplar(const struct series *series)
{
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
		if (series->exemplar[i].time_ns)
			return true;
	return false;
}

static void unsampled_requests_are_counted_without_span_or_exemplar(void **state)
{
	struct fixture fixture;

	begin_with(&fixture, "http://c:4318", PRINT_NONE, SAMPLER_ALWAYS_OFF);
	assert_null(count(&fixture));
	assert_int_equal(self_get(SELF_SPANS_UNSAMPLED), 1);
	assert_false(has_exemplar(sealed(&fixture)));
	end(&fixture);
}

static void printing_takes_unsampled_spans_too_but_does_not_export_them(void **state)
{
	const struct span *span;
	struct fixture fixture;

	begin_with(&fixture, "http://c:4318", PRINT_TEXT, SAMPLER_ALWAYS_OFF);
	span = count(&fixture);
	assert_non_null(span);
	assert_false(span->sampled);
	assert_false(has_exemplar(sealed(&fixture)));
	end(&fixture);

	begin_with(&fixture, NULL, PRINT_JSON, SAMPLER_ALWAYS_ON);
	assert_false(count(&fixture)->sampled);
	assert_int_equal(self_get(SELF_SPANS_UNSAMPLED), 0);
	end(&fixture);
}

static void without_anybody_to_take_them_there_are_no_spans(void **state)
{
	struct fixture fixture;

	begin_with(&fixture, NULL, PRINT_NONE, SAMPLER_ALWAYS_ON);
	assert_null(count(&fixture));
	assert_int_equal(self_get(SELF_SPANS) + self_get(SELF_SPANS_DROPPED), 0);
	assert_int_equal(sealed(&fixture)->histogram[SERIES_DURATION].count, 1);
	end(&fixture);
}

static void spans_without_room_are_dropped_and_the_request_counts(void **state)
{
	struct fixture fixture;

	begin(&fixture);
	for (unsigned i = 0; i < 10; i++)
		count(&fixture);
	assert_int_equal(fixture.batch->spans, 8);
	assert_null(count_in(&fixture, NULL));
	assert_int_equal(self_get(SELF_SPANS), 8);
	assert_int_equal(self_get(SELF_SPANS_DROPPED), 3);
	assert_int_equal(sealed(&fixture)->histogram[SERIES_DURATION].count, 11);
	end(&fixture);
}

static void a_full_arena_leaves_texts_out_and_never_overruns(void **state)
{
	struct fixture fixture;

	for (size_t bytes = 8; bytes < 400; bytes += 8) {
		begin(&fixture);
		batch_free(fixture.batch);
		fixture.batch = batch_new(8, bytes);
		fixture.batch->serial = 1;
		fixture.exchange.role = bytes / 8 % 2;
		fixture.request.query = BYTES("password=1&a=b");
		assert_non_null(count(&fixture));
		end(&fixture);
	}
}

static void a_settings_error_is_told(void **state)
{
	char long_key[100];
	struct config config = { .series_max = 16, .redact = long_key };
	struct account account;

	memset(long_key, 'k', sizeof(long_key));
	long_key[99] = '\0';
	assert_int_equal(account_init(&account, &config), -EINVAL);
	account_done(&account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_s_request),
		cmocka_unit_test(a_client_s_request),
		cmocka_unit_test(a_url_is_made_from_the_address_when_no_host_was_named),
		cmocka_unit_test(the_longest_url_is_cut_not_overrun),
		cmocka_unit_test(hosts_are_taken_out_of_authorities),
		cmocka_unit_test(addresses_are_written_as_people_write_them),
		cmocka_unit_test(the_client_behind_a_proxy_is_the_one_it_names_first),
		cmocka_unit_test(errors_depend_on_outcome_status_and_role),
		cmocka_unit_test(unknown_methods_make_one_series_and_keep_their_name_in_spans),
		cmocka_unit_test(an_exemplar_points_at_an_exported_span),
		cmocka_unit_test(unsampled_requests_are_counted_without_span_or_exemplar),
		cmocka_unit_test(printing_takes_unsampled_spans_too_but_does_not_export_them),
		cmocka_unit_test(without_anybody_to_take_them_there_are_no_spans),
		cmocka_unit_test(spans_without_room_are_dropped_and_the_request_counts),
		cmocka_unit_test(a_full_arena_leaves_texts_out_and_never_overruns),
		cmocka_unit_test(a_settings_error_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

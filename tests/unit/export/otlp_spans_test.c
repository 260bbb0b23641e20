/* SPDX-License-Identifier: Apache-2.0 */
/* Batches as ExportTraceServiceRequest, read back by the tests' own decoder. */
#include "unit/export/decode.h"

#include "export/otlp_encode.h"

enum { ATTRIBUTES = 9 };

/* Payloads as the sink got them. */
struct got {
	struct buf body[64];
	uint32_t spans[64], payloads, total;
};

static void keep(void *context, struct buf body, uint32_t spans)
{
	struct got *got = context;

	assert_true(got->payloads < 64);
	got->body[got->payloads] = body;
	got->spans[got->payloads++] = spans;
	got->total += spans;
}

static void drop(struct got *got)
{
	for (uint32_t i = 0; i < got->payloads; i++)
		buf_done(&got->body[i]);
}

static void encode(struct batch *batch, size_t payload_bytes, struct got *got)
{
	struct otlp_spans *spans;

	memset(got, 0, sizeof(*got));
	assert_int_equal(otlp_spans_new(payload_bytes, keep, got, &spans), 0);
	otlp_spans_encode(spans, batch);
	otlp_spans_free(spans);
}

/* The single span of a batch. */
static struct bytes encode_one(struct span span, struct got *got)
{
	struct batch *batch = batch_new(1, 4096);
	struct bytes request;

	batch->realtime_offset_ns = 5000000000;
	batch->span[batch->spans++] = span;
	encode(batch, 1 << 20, got);
	batch_free(batch);
	assert_int_equal(got->payloads, 1);
	request = buf_bytes(&got->body[0]);
	assert_int_equal(decode_count(request, 1), 1);
	return decode_bytes(decode_bytes(decode_bytes(request, 1, 0), 2, 0), 2, 0);
}

static void a_server_span_has_all_its_fields(void **state)
{
	struct resource *resource = make_resource("hello", CONTAINER);
	struct span span = make_span(resource, 0x1122334455667788);
	struct bytes out;
	struct got got;

	memset(span.context.parent_span_id, 0x77, 8);
	out = encode_one(span, &got);
	assert_memory_equal(decode_bytes(out, 1, 0).at, span.context.trace_id, 16);
	assert_memory_equal(decode_bytes(out, 2, 0).at, span.context.span_id, 8);
	assert_memory_equal(decode_bytes(out, 4, 0).at, span.context.parent_span_id, 8);
	assert_true(bytes_equal(decode_bytes(out, 5, 0), BYTES("GET /users/{id}")));
	assert_int_equal(decode_number(out, 6), 2);
	assert_int_equal(decode_number(out, 7), span.start_ns + 5000000000);
	assert_int_equal(decode_number(out, 8), span.end_ns + 5000000000);
	assert_int_equal(decode_number(out, 16), 0x301);
	assert_int_equal(decode_count(out, 15), 0);
	assert_text(out, ATTRIBUTES, "http.request.method", "GET");
	assert_number(out, ATTRIBUTES, "http.response.status_code", 200);
	assert_text(out, ATTRIBUTES, "http.route", "/users/{id}");
	assert_text(out, ATTRIBUTES, "url.path", "/users/42");
	assert_text(out, ATTRIBUTES, "url.query", "page=2");
	assert_text(out, ATTRIBUTES, "url.scheme", "http");
	assert_text(out, ATTRIBUTES, "client.address", "10.0.0.7");
	assert_text(out, ATTRIBUTES, "server.address", "hello");
	assert_number(out, ATTRIBUTES, "server.port", 8080);
	assert_text(out, ATTRIBUTES, "network.protocol.version", "1.1");
	assert_text(out, ATTRIBUTES, "user_agent.original", "curl/8");
	assert_number(out, ATTRIBUTES, "http.request.body.size", 0);
	assert_number(out, ATTRIBUTES, "http.response.body.size", 13);
	assert_number(out, ATTRIBUTES, "thread.id", 8);
	assert_number(out, ATTRIBUTES, "process.pid", 7);
	assert_no_attribute(out, ATTRIBUTES, "error.type");
	assert_no_attribute(out, ATTRIBUTES, "url.full");
	drop(&got);
	resource_unref(resource);
}

static void a_failed_client_span_says_so(void **state)
{
	struct resource *resource = make_resource("hello", "");
	struct span span = make_span(resource, 1);
	struct bytes out;
	struct got got;

	span.role = ROLE_CLIENT;
	span.status = SPAN_ERROR;
	span.code = 0;
	span.route = (struct bytes){ 0 };
	span.error_type = BYTES("connection_closed");
	span.full = BYTES("http://hello/users/42");
	out = encode_one(span, &got);
	assert_true(bytes_equal(decode_bytes(out, 5, 0), BYTES("GET")));
	assert_int_equal(decode_number(out, 6), 3);
	assert_int_equal(decode_number(decode_bytes(out, 15, 0), 3), 2);
	assert_int_equal(decode_count(out, 4), 0);
	assert_int_equal(decode_number(out, 16), 0x101);
	assert_text(out, ATTRIBUTES, "url.full", "http://hello/users/42");
	assert_text(out, ATTRIBUTES, "error.type", "connection_closed");
	assert_no_attribute(out, ATTRIBUTES, "http.response.status_code");
	assert_no_attribute(out, ATTRIBUTES, "url.path");
	drop(&got);
	resource_unref(resource);
}

static void hostile_texts_are_repaired_and_cut(void **state)
{
	static uint8_t bad[40000];
	struct resource *resource = make_resource("hello", "");
	struct span span = make_span(resource, 1);
	struct bytes out, any;
	struct got got;

	memset(bad, 0xff, sizeof(bad));
	span.target = bytes_of(bad, sizeof(bad));
	span.route = BYTES("/a\xc3");
	span.user_agent = bytes_of(bad, 3);
	out = encode_one(span, &got);
	assert_true(decode_attribute(out, ATTRIBUTES, "url.path", &any));
	assert_int_equal(decode_bytes(any, 1, 0).len, 3 * OTLP_TEXT_MAX);
	assert_text(out, ATTRIBUTES, "user_agent.original", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_text(out, ATTRIBUTES, "http.route", "/a\xef\xbf\xbd");
	assert_true(bytes_equal(decode_bytes(out, 5, 0), BYTES("GET /a\xef\xbf\xbd")));
	drop(&got);
	resource_unref(resource);
}

/* Texts of every length up to one whose length takes two bytes. */
static void lengths_are_right_for_texts_of_every_size(void **state)
{
	static uint8_t text[300];
	struct resource *resource = make_resource("hello", "");
	struct span span = make_span(resource, 1);

	memset(text, 'a', sizeof(text));
	for (size_t len = 1; len < sizeof(text); len++) {
		struct bytes any, out;
		struct got got;
		uint8_t *exact = malloc(len);

		memcpy(exact, text, len);
		span.target = bytes_of(exact, len);
		out = encode_one(span, &got);
		assert_true(decode_attribute(out, ATTRIBUTES, "url.path", &any));
		assert_true(bytes_equal(decode_bytes(any, 1, 0), span.target));
		drop(&got);
		free(exact);
	}
	resource_unref(resource);
}

static void spans_are_grouped_by_resource(void **state)
{
	struct resource *resource[3] = {
		make_resource("a", ""), make_resource("b", CONTAINER), make_resource("c", ""),
	};
	struct batch *batch = batch_new(300, 4096);
	struct bytes request;
	struct got got;

	for (uint64_t i = 0; i < 300; i++)
		batch->span[batch->spans++] = make_span(resource[i * i % 3], i);
	encode(batch, 1 << 20, &got);
	assert_int_equal(got.payloads, 1);
	assert_int_equal(got.total, 300);
	request = buf_bytes(&got.body[0]);
	assert_int_equal(decode_count(request, 1), 2);		/* i * i % 3 is never 2 */
	for (int i = 0; i < 2; i++) {
		struct bytes group = decode_bytes(request, 1, i), scope = decode_bytes(group, 2, 0);

		assert_text(decode_bytes(group, 1, 0), 1, "service.name", i ? "b" : "a");
		assert_text(decode_bytes(group, 1, 0), 1, "telemetry.sdk.name", "sonde");
		assert_int_equal(decode_count(scope, 2), i ? 200 : 100);
		assert_true(
			bytes_equal(decode_bytes(decode_bytes(scope, 1, 0), 1, 0), BYTES("sonde")));
	}
	drop(&got);
	batch_free(batch);
	for (int i = 0; i < 3; i++)
		resource_unref(resource[i]);
}

static void no_span_is_lost_or_doubled_over_many_payloads(void **state)
{
	enum { COUNT = 20000 };
	static bool seen[COUNT];
	struct resource *resource[7];
	struct batch *batch = batch_new(COUNT, 4096);
	struct got got;

	for (int i = 0; i < 7; i++)
		resource[i] = make_resource("s", i % 2 ? CONTAINER : "");
	for (uint64_t i = 0; i < COUNT; i++)
		batch->span[batch->spans++] = make_span(resource[i % 7], i);
	encode(batch, 256 << 10, &got);
	assert_int_equal(got.total, COUNT);
	assert_true(got.payloads > 10);
	for (uint32_t p = 0; p < got.payloads; p++) {
		struct bytes rest = buf_bytes(&got.body[p]);
		uint32_t in_payload = 0;

		assert_true(rest.len <= (256 << 10) + 8192);
		for (unsigned g = 0; g < decode_count(rest, 1); g++) {
			struct bytes spans = decode_bytes(decode_bytes(rest, 1, g), 2, 0);

			while (spans.len) {	/* decode_bytes(n) for each would be quadratic */
				uint64_t tag = decode_varint(&spans), len = decode_varint(&spans),
					 id;

				if (tag == (2 << 3 | 2)) {
					memcpy(&id, decode_bytes(bytes_first(spans, len), 2, 0).at,
					       8);
					assert_true(id < COUNT && !seen[id]);
					seen[id] = true;
					in_payload++;
				}
				spans = bytes_skip(spans, len);
			}
		}
		assert_int_equal(in_payload, got.spans[p]);
	}
	drop(&got);
	batch_free(batch);
	for (int i = 0; i < 7; i++)
		resource_unref(resource[i]);
}

static void a_span_made_for_print_alone_is_not_exported(void **state)
{
	struct resource *resource = make_resource("a", "");
	struct batch *batch = batch_new(3, 4096);
	struct got got;

	for (uint64_t i = 0; i < 3; i++) {
		batch->span[batch->spans] = make_span(resource, i);
		batch->span[batch->spans++].sampled = i == 1;
	}
	encode(batch, 1 << 20, &got);
	assert_int_equal(got.total, 1);
	drop(&got);

	batch->span[1].sampled = false;
	encode(batch, 1 << 20, &got);
	assert_int_equal(got.payloads, 0);
	batch_free(batch);
	resource_unref(resource);
}

static void an_empty_batch_makes_no_payload(void **state)
{
	struct batch *batch = batch_new(1, 4096);
	struct got got;

	encode(batch, 1 << 20, &got);
	assert_int_equal(got.payloads, 0);
	batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_span_has_all_its_fields),
		cmocka_unit_test(a_failed_client_span_says_so),
		cmocka_unit_test(hostile_texts_are_repaired_and_cut),
		cmocka_unit_test(lengths_are_right_for_texts_of_every_size),
		cmocka_unit_test(spans_are_grouped_by_resource),
		cmocka_unit_test(no_span_is_lost_or_doubled_over_many_payloads),
		cmocka_unit_test(a_span_made_for_print_alone_is_not_exported),
		cmocka_unit_test(an_empty_batch_makes_no_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

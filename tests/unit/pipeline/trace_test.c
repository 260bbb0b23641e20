/* SPDX-License-Identifier: Apache-2.0 */
/* Trace context, samplers, ids. Vectors after https://www.w3.org/TR/trace-context/ and its test suite. */
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
#include "pipeline/trace.h"
#include "unit/pipeline/mallocs.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define VALID "00-" TRACE "-" SPAN "-01"
#define UNSAMPLED "00-" TRACE "-" SPAN "-00"

static const uint8_t trace_bytes[16] = {
	0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c,
};
static const uint8_t span_bytes[8] = { 0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31 };

static void reads_what_is_valid(void **state)
{
	static const struct {
		const char *text;
		bool sampled;
	} valid[] = {
		{ VALID, true },
		{ UNSAMPLED, false },
		{ "00-" TRACE "-" SPAN "-03", true },
		{ "00-" TRACE "-" SPAN "-fe", false },
		{ "00-" TRACE "-" SPAN "-ff", true },
		{ "  " VALID "\t", true },
		{ "01-" TRACE "-" SPAN "-01", true },
		{ "cc-" TRACE "-" SPAN "-01-what-the-future-brings", true },
		{ "fe-" TRACE "-" SPAN "-00-", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
		struct trace_context context;
		bool sampled = !valid[i].sampled;

		assert_int_equal(traceparent_parse(bytes_of_text(valid[i].text), &context, &sampled), 0);
		assert_int_equal(sampled, valid[i].sampled);
		assert_memory_equal(context.trace_id, trace_bytes, 16);
		assert_memory_equal(context.parent_span_id, span_bytes, 8);
		assert_memory_equal(context.span_id, "\0\0\0\0\0\0\0", 8);
	}
}

static void refuses_what_is_not(void **state)
{
	static const char *const invalid[] = {
		"",
		"00",
		"ff-" TRACE "-" SPAN "-01",
		"0-" TRACE "-" SPAN "-01",
		"000-" TRACE "-" SPAN "-01",
		".0-" TRACE "-" SPAN "-01",
		"0X-" TRACE "-" SPAN "-01",
		"CC-" TRACE "-" SPAN "-01",
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-" TRACE "-0000000000000000-01",
		"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
		"00-" TRACE "-B7AD6B7169203331-01",
		"00-" TRACE "-" SPAN "-0A",
		"00-" TRACE "-" SPAN "-0",
		"00-" TRACE "-" SPAN "-",
		"00-" TRACE "-" SPAN,
		"00-" TRACE "-" SPAN "-001",
		"00-" TRACE "-" SPAN "-01-",
		"00-" TRACE "-" SPAN "-01-extra",
		"00-" TRACE "-" SPAN "-01.",
		"01-" TRACE "-" SPAN "-01extra",
		"cc-" TRACE "-" SPAN "-01.what",
		"00-" TRACE "0-" SPAN "-01",
		"00-" TRACE "-" SPAN "0-01",
		"00_" TRACE "-" SPAN "-01",
		"00-" TRACE "_" SPAN "-01",
		"00-" TRACE "-" SPAN "_01",
		"00-0af7651916cd43dd8448eb211c80319g-" SPAN "-01",
		"00 - " TRACE "-" SPAN "-01",
	};
	struct trace_context context, untouched;
	bool sampled = true;

	memset(&untouched, 0x55, sizeof(untouched));
	for (size_t i = 0; i < ARRAY_LEN(invalid); i++) {
		context = untouched;
		assert_int_equal(traceparent_parse(bytes_of_text(invalid[i]), &context, &sampled),
				 -EINVAL);
		assert_memory_equal(&context, &untouched, sizeof(context));
		assert_true(sampled);
	}
}

static void no_cut_of_a_traceparent_is_one(void **state)
{
	struct trace_context context;
	bool sampled;

	for (size_t len = 0; len < strlen(VALID); len++) {
		char *cut = memcpy(malloc(len + !len), VALID, len);

		assert_int_equal(traceparent_parse(bytes_of(cut, len), &context, &sampled), -EINVAL);
		free(cut);
	}
}

static void make(struct tracer *tracer, enum config_sampler sampler, double ratio)
{
	struct config config = { .sampler = sampler, .sampler_ratio = ratio };

	tracer_init(tracer, &config);
}

static void samplers_decide_as_specified(void **state)
{
	/* without a parent, with one sampled, with one not; at ratio 0 */
	static const bool expected[][3] = {
		[SAMPLER_ALWAYS_ON] = { true, true, true },
		[SAMPLER_ALWAYS_OFF] = { false, false, false },
		[SAMPLER_TRACEIDRATIO] = { false, false, false },
		[SAMPLER_PARENTBASED_ALWAYS_ON] = { true, true, false },
		[SAMPLER_PARENTBASED_ALWAYS_OFF] = { false, true, false },
		[SAMPLER_PARENTBASED_TRACEIDRATIO] = { false, true, false },
	};
	static const char *const parents[] = { "", VALID, UNSAMPLED };
	static struct tracer tracer;
	struct trace_context context;

	for (unsigned s = 0; s < ARRAY_LEN(expected); s++) {
		make(&tracer, s, 0);
		for (unsigned p = 0; p < ARRAY_LEN(parents); p++)
			assert_int_equal(tracer_decide(&tracer, bytes_of_text(parents[p]), &context),
					 expected[s][p]);
	}
	make(&tracer, SAMPLER_TRACEIDRATIO, 1);
	for (int i = 0; i < 1000; i++)
		assert_true(tracer_decide(&tracer, (struct bytes){}, &context));
}

static void a_ratio_keeps_its_share_and_the_same_traces_everywhere(void **state)
{
	static const double ratios[] = { 0.001, 0.1, 0.5, 0.9 };
	enum { N = 100000 };
	static struct tracer tracer, other;
	struct trace_context context, again;
	char text[64];

	for (unsigned r = 0; r < ARRAY_LEN(ratios); r++) {
		double kept = 0, spread = 6 * __builtin_sqrt(N * ratios[r] * (1 - ratios[r]));

		make(&tracer, SAMPLER_TRACEIDRATIO, ratios[r]);
		make(&other, SAMPLER_TRACEIDRATIO, ratios[r]);
		for (int i = 0; i < N; i++) {
			bool sampled = tracer_decide(&tracer, (struct bytes){}, &context);

			kept += sampled;
			if (i % 100)
				continue;
			strcpy(text, "00-");
			for (int b = 0; b < 16; b++)
				snprintf(text + 3 + 2 * b, 3, "%02x", context.trace_id[b]);
			strcat(text, "-" SPAN "-00");
			assert_int_equal(tracer_decide(&other, bytes_of_text(text), &again), sampled);
			assert_memory_equal(again.trace_id, context.trace_id, 16);
		}
		assert_true(kept > N * ratios[r] - spread && kept < N * ratios[r] + spread);
	}
}

static void a_request_goes_on_with_its_caller_s_trace(void **state)
{
	static struct tracer tracer;
	struct trace_context context;

	make(&tracer, SAMPLER_ALWAYS_ON, 1);
	tracer_decide(&tracer, BYTES(VALID), &context);
	assert_memory_equal(context.trace_id, trace_bytes, 16);
	assert_memory_equal(context.parent_span_id, span_bytes, 8);
	assert_memory_not_equal(context.span_id, span_bytes, 8);

	tracer_decide(&tracer, BYTES("00-nonsense"), &context);
	assert_memory_not_equal(context.trace_id, trace_bytes, 16);
	assert_memory_equal(context.parent_span_id, "\0\0\0\0\0\0\0", 8);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

static void ids_are_random_and_never_the_same(void **state)
{
	enum { N = 20000 };
	static uint8_t ids[3 * N][8];
	static struct tracer tracer, second;
	struct trace_context context;
	unsigned ones = 0;

	make(&tracer, SAMPLER_ALWAYS_ON, 1);
	make(&second, SAMPLER_ALWAYS_ON, 1);
	mallocs_count(true);
	for (unsigned i = 0; i < N; i++) {
		tracer_decide(i % 2 ? &tracer : &second, (struct bytes){}, &context);
		memcpy(ids[3 * i], context.trace_id, 8);
		memcpy(ids[3 * i + 1], context.trace_id + 8, 8);
		memcpy(ids[3 * i + 2], context.span_id, 8);
	}
	mallocs_count(false);
	assert_int_equal(mallocs_counted(), 0);
	for (unsigned i = 0; i < 3 * N; i++)
		for (unsigned b = 0; b < 8; b++)
			ones += __builtin_popcount(ids[i][b]);
	/* half of the bits, within six standard deviations: sqrt(64 * 3 * N) / 2 = 980 */
	assert_in_range(ones, 96 * N - 6 * 980, 96 * N + 6 * 980);
	qsort(ids, 3 * N, 8, compare);
	assert_memory_not_equal(ids[0], "\0\0\0\0\0\0\0", 8);
	for (unsigned i = 1; i < 3 * N; i++)
		assert_true(memcmp(ids[i - 1], ids[i], 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_valid),
		cmocka_unit_test(refuses_what_is_not),
		cmocka_unit_test(no_cut_of_a_traceparent_is_one),
		cmocka_unit_test(samplers_decide_as_specified),
		cmocka_unit_test(a_ratio_keeps_its_share_and_the_same_traces_everywhere),
		cmocka_unit_test(a_request_goes_on_with_its_caller_s_trace),
		cmocka_unit_test(ids_are_random_and_never_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

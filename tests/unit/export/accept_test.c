/* SPDX-License-Identifier: Apache-2.0 */
/* Content negotiation against the headers real clients send, and against nonsense. */
#include "unit/export/fixture.h"

#include "export/accept.h"

static enum metrics_format format_of(const char *accept)
{
	return accept_format(bytes_of_text(accept));
}

static void without_a_header_it_is_text(void **state)
{
	assert_int_equal(format_of(""), METRICS_TEXT);
	assert_int_equal(format_of("*/*"), METRICS_TEXT);
	assert_int_equal(format_of("text/html,application/xhtml+xml,*/*;q=0.8"), METRICS_TEXT);
}

static void prometheus_2_gets_openmetrics(void **state)
{
	assert_int_equal(format_of("application/openmetrics-text;version=1.0.0,"
				   "application/openmetrics-text;version=0.0.1;q=0.75,"
				   "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
			 METRICS_OPENMETRICS);
}

static void prometheus_3_gets_openmetrics(void **state)
{
	assert_int_equal(
		format_of("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
			  "application/openmetrics-text;version=0.0.1;q=0.5,"
			  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
			  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"),
		METRICS_OPENMETRICS);
}

static void the_greater_weight_wins(void **state)
{
	assert_int_equal(format_of("application/openmetrics-text;q=0.4,text/plain;q=0.5"),
			 METRICS_TEXT);
	assert_int_equal(format_of("application/openmetrics-text;q=0.5,text/plain;q=0.4"),
			 METRICS_OPENMETRICS);
	assert_int_equal(format_of("text/plain;q=0.501 , Application/OpenMetrics-Text ; Q=0.51"),
			 METRICS_OPENMETRICS);
	assert_int_equal(format_of("application/openmetrics-text;q=0,text/plain;q=0"),
			 METRICS_TEXT);
}

static void a_closer_range_decides_about_text(void **state)
{
	assert_int_equal(format_of("*/*;q=1,text/plain;q=0.1,application/openmetrics-text;q=0.5"),
			 METRICS_OPENMETRICS);
	assert_int_equal(format_of("text/plain;q=0.9,*/*;q=0.1,application/openmetrics-text;q=0.5"),
			 METRICS_TEXT);
	assert_int_equal(format_of("text/*;q=0.6,application/openmetrics-text;q=0.5"),
			 METRICS_TEXT);
}

static void versions_that_are_not_spoken_do_not_count(void **state)
{
	assert_int_equal(format_of("application/openmetrics-text;version=0.0.1"), METRICS_TEXT);
	assert_int_equal(format_of("application/openmetrics-text;version=2.0.0"), METRICS_TEXT);
}

static void a_weight_that_is_none_counts_as_refusal(void **state)
{
	static const char *const weights[] = { "", "2", "0.12345", "x", "1x", "0.x", "-1", "0,5" };
	char header[96];

	for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
		snprintf(header, sizeof(header), "application/openmetrics-text;q=%s", weights[i]);
		assert_int_equal(format_of(header), METRICS_TEXT);
	}
	assert_int_equal(format_of("application/openmetrics-text;q=1.000"), METRICS_OPENMETRICS);
	assert_int_equal(format_of("application/openmetrics-text;q=0."), METRICS_TEXT);
}

static void commas_within_quotes_do_not_separate(void **state)
{
	assert_int_equal(format_of("text/x;a=\"b,application/openmetrics-text,\\\",c\""),
			 METRICS_TEXT);
	assert_int_equal(format_of("text/x;a=\"b,c\",application/openmetrics-text"),
			 METRICS_OPENMETRICS);
}

static void every_cut_of_a_header_is_read_within_its_bounds(void **state)
{
	static const char header[] =
		"application/openmetrics-text;version=1.0.0;a=\"\\\"\";q=0.75,*/*;q=0.1";

	for (size_t len = 0; len < sizeof(header); len++) {
		char *exact = malloc(len + !len);	/* AddressSanitizer watches its end */

		memcpy(exact, header, len);
		accept_format(bytes_of(exact, len));
		assert_false(accept_gzip(bytes_of(exact, len)) && !memchr(exact, '*', len));
		free(exact);
	}
}

static void gzip_is_used_only_when_allowed(void **state)
{
	assert_false(accept_gzip(BYTES("")));
	assert_true(accept_gzip(BYTES("gzip")));
	assert_true(accept_gzip(BYTES("deflate, GZIP;q=0.5, br")));
	assert_true(accept_gzip(BYTES("x-gzip")));
	assert_true(accept_gzip(BYTES("*")));
	assert_false(accept_gzip(BYTES("*, gzip;q=0")));
	assert_false(accept_gzip(BYTES("gzip;q=0.000, *")));
	assert_false(accept_gzip(BYTES("br, identity")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_header_it_is_text),
		cmocka_unit_test(prometheus_2_gets_openmetrics),
		cmocka_unit_test(prometheus_3_gets_openmetrics),
		cmocka_unit_test(the_greater_weight_wins),
		cmocka_unit_test(a_closer_range_decides_about_text),
		cmocka_unit_test(versions_that_are_not_spoken_do_not_count),
		cmocka_unit_test(a_weight_that_is_none_counts_as_refusal),
		cmocka_unit_test(commas_within_quotes_do_not_separate),
		cmocka_unit_test(every_cut_of_a_header_is_read_within_its_bounds),
		cmocka_unit_test(gzip_is_used_only_when_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

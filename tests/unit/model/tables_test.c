/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that exporters and docs walk: self metrics, conventions; and copies of series. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/self.h"
#include "model/series.h"

static void self_rows_of_one_name_stand_together_with_one_help(void **state)
{
	for (int i = 0; i < SELF_MAX; i++) {
		const struct self_row *row = &self_rows[i];
		int first = !i || strcmp(row->name, self_rows[i - 1].name);

		assert_int_equal(first, row->help[0] != 0);
		for (int j = 0; j < i && first; j++)
			assert_string_not_equal(row->name, self_rows[j].name);
		if (!first) {
			assert_int_equal(row->kind, self_rows[i - 1].kind);
			assert_string_not_equal(row->label, self_rows[i - 1].label);
		}
	}
}

static void self_counters_end_in_total_and_gauges_do_not(void **state)
{
	for (int i = 0; i < SELF_MAX; i++) {
		const struct self_row *row = &self_rows[i];
		struct bytes name = bytes_of_text(row->name);

		assert_int_equal(row->kind == SELF_COUNTER, bytes_end_with(name, BYTES("_total")));
		assert_true(row->scale ==
			    (bytes_end_with(name, BYTES("_seconds_total")) ? 1e-9 : 1));
	}
	assert_true(self_rows[SELF_CPU_NS].scale == 1e-9);
}

static void self_numbers_add_up(void **state)
{
	self_set(SELF_SCRAPES, 40);
	self_add(SELF_SCRAPES, 2);
	assert_int_equal(self_get(SELF_SCRAPES), 42);
}

/* `http.request.method` -> `http_request_method`. */
static void is_prometheus_form_of(const char *label, const char *name)
{
	for (; *name || *label; name++, label++)
		assert_int_equal(*label, *name == '.' ? '_' : *name);
}

static void every_label_is_its_attribute_in_prometheus_form(void **state)
{
	for (int i = 0; semconvs[i]; i++) {
		for (int role = 0; role < 2; role++) {
			const struct attribute *row;

			for (row = semconvs[i]->metric[role]; row->name; row++) {
				is_prometheus_form_of(row->label, row->name);
				assert_true(row->help[0]);
			}
			for (row = semconvs[i]->span[role]; row->name; row++)
				assert_null(row->label);
		}
	}
}

static void every_instrument_has_ascending_bounds_and_the_unit_in_its_name(void **state)
{
	for (int i = 0; semconvs[i]; i++) {
		for (int at = 0; at < 2 * SERIES_HISTOGRAMS; at++) {
			const struct instrument *row = &semconvs[i]->instrument[at % 2][at / 2];
			const char *unit = strcmp(row->unit, "s") ? "bytes" : "seconds";

			assert_true(bytes_end_with(bytes_of_text(row->prometheus),
						   bytes_of_text(unit)));
			assert_true(row->bounds->count <= HISTOGRAM_BOUNDS_MAX);
			for (unsigned j = 1; j < row->bounds->count; j++)
				assert_true(row->bounds->at[j] > row->bounds->at[j - 1]);
		}
	}
}

static void a_copied_series_owns_its_texts_and_shares_static_ones(void **state)
{
	struct series *from = calloc(1, sizeof(*from)), *to = malloc(sizeof(*to));
	struct bytes shared = BYTES("GET");

	memcpy(from->text, "/usershost500", 13);
	from->operation = shared;
	from->route = bytes_of(from->text, 6);
	from->server_address = bytes_of(from->text + 6, 4);
	from->error_type = bytes_of(from->text + 10, 3);
	series_copy(to, from);
	free(from);

	assert_ptr_equal(to->operation.at, shared.at);
	assert_true(bytes_equal(to->route, BYTES("/users")));
	assert_true(bytes_equal(to->server_address, BYTES("host")));
	assert_true(bytes_equal(to->error_type, BYTES("500")));
	assert_ptr_equal(to->route.at, to->text);
	free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(self_rows_of_one_name_stand_together_with_one_help),
		cmocka_unit_test(self_counters_end_in_total_and_gauges_do_not),
		cmocka_unit_test(self_numbers_add_up),
		cmocka_unit_test(every_label_is_its_attribute_in_prometheus_form),
		cmocka_unit_test(every_instrument_has_ascending_bounds_and_the_unit_in_its_name),
		cmocka_unit_test(a_copied_series_owns_its_texts_and_shares_static_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "model/resource.h"

static struct resource example(void)
{
	return (struct resource){
		.service_name = BYTES("hello"),
		.container_id = BYTES("0123"),
		.extras = 3,
		.extra = {
			{ BYTES("zone"), BYTES("a") },
			{ BYTES("deployment.environment.name"), BYTES("test") },
			{ BYTES("zone"), BYTES("b") },
		},
	};
}

static void write_down(void *context, struct bytes name, struct bytes value)
{
	buf_printf(context, "%.*s=%.*s;", BYTES_ARG(name), BYTES_ARG(value));
}

static void spells_out(const struct resource *resource, const char *expected)
{
	struct buf text;

	buf_init(&text, 4096);
	resource_each(resource, write_down, &text);
	buf_add_byte(&text, 0);
	assert_string_equal((char *)text.at, expected);
	buf_done(&text);
}

static void the_copy_outlives_what_it_was_made_from(void **state)
{
	char name[] = "hello";
	struct resource from = { .service_name = bytes_of_text(name) };
	struct resource *resource = resource_new(&from);

	memset(name, 'x', 5);
	assert_true(bytes_equal(resource->service_name, BYTES("hello")));
	resource_unref(resource);
}

static void extras_are_sorted_and_the_later_of_one_name_wins(void **state)
{
	struct resource from = example(), *resource = resource_new(&from);

	assert_int_equal(resource->extras, 2);
	spells_out(resource, "service.name=hello;container.id=0123;"
			     "deployment.environment.name=test;zone=b;");
	resource_unref(resource);
}

static void an_extra_never_repeats_a_field(void **state)
{
	struct resource from = example(), *resource;

	from.extra[0].name = BYTES("service.name");
	resource = resource_new(&from);
	spells_out(resource, "service.name=hello;container.id=0123;"
			     "deployment.environment.name=test;zone=b;");
	resource_unref(resource);
}

static void equality_looks_at_every_text(void **state)
{
	struct resource from = example(), *a = resource_new(&from), *b = resource_new(&from), *c;

	assert_true(resource_equal(a, b));
	assert_int_equal(a->hash, b->hash);
	from.extra[1].value = BYTES("prod");
	c = resource_new(&from);
	assert_false(resource_equal(a, c));
	resource_unref(c);

	from = example();
	from.host_name = from.container_id;
	from.container_id = (struct bytes){ 0 };
	c = resource_new(&from);
	assert_false(resource_equal(a, c));
	assert_int_not_equal(a->hash, c->hash);
	resource_unref(c);
	resource_unref(a);
	resource_unref(b);
}

/* AddressSanitizer finds a use after free or a leak here. */
static void lives_until_the_last_reference_is_gone(void **state)
{
	struct resource from = example(), *resource = resource_new(&from);

	assert_ptr_equal(resource_ref(resource), resource);
	resource_unref(resource);
	assert_true(bytes_equal(resource->service_name, BYTES("hello")));
	resource_unref(resource);
	resource_unref(NULL);
}

static void holds_no_more_extras_than_there_is_room_for(void **state)
{
	char names[RESOURCE_EXTRA_MAX][16];
	struct resource from = { .service_name = BYTES("s"), .extras = RESOURCE_EXTRA_MAX + 5 };
	struct resource *resource;

	for (int i = 0; i < RESOURCE_EXTRA_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		from.extra[i] = (struct resource_attribute){ bytes_of_text(names[i]), BYTES("v") };
	}
	resource = resource_new(&from);
	assert_int_equal(resource->extras, RESOURCE_EXTRA_MAX);
	resource_unref(resource);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_copy_outlives_what_it_was_made_from),
		cmocka_unit_test(extras_are_sorted_and_the_later_of_one_name_wins),
		cmocka_unit_test(an_extra_never_repeats_a_field),
		cmocka_unit_test(equality_looks_at_every_text),
		cmocka_unit_test(lives_until_the_last_reference_is_gone),
		cmocka_unit_test(holds_no_more_extras_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes are watched, by configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discover/select.h"
#include "event/process.h"

#define SELF 1000

static struct config config;

static const struct select_subject web = {
	.tgid = 42, .exe = "/usr/bin/web", .base_name = "web", .container_id = "",
};
static const struct select_subject boxed = {
	.tgid = 43, .exe = "/app", .base_name = "app", .container_id = "0f1e2d",
	.in_container = true,
};
static const struct select_subject gone = {
	.tgid = 44, .exe = "", .base_name = "curl", .container_id = "",
};

static int set_up(void **state)
{
	config = (struct config){ 0 };
	return 0;
}

static void list_add(struct config_list *list, const char *item)
{
	list->item[list->count++] = (char *)item;
}

static bool selects(struct select_subject subject)
{
	return select_process(&config, &subject, SELF, false).selected;
}

static void on_a_host_everything_is_watched(void **state)
{
	assert_true(selects(web));
	assert_true(selects(boxed));
	assert_true(selects(gone));
	assert_false(select_containers_only(&config, false));
}

static void in_a_container_only_containers_are(void **state)
{
	assert_false(select_process(&config, &web, SELF, true).selected);
	assert_true(select_process(&config, &boxed, SELF, true).selected);
	assert_true(select_containers_only(&config, true));
}

static void the_mode_can_be_set(void **state)
{
	config.select = SELECT_CONTAINERS;
	assert_false(selects(web));
	assert_true(selects(boxed));
	config.select = SELECT_ALL;
	assert_true(select_process(&config, &web, SELF, true).selected);
	assert_false(select_containers_only(&config, true));
}

static void neither_the_agent_nor_another_sonde_nor_a_kernel_thread_ever(void **state)
{
	struct select_subject subject = web;

	config.select = SELECT_ALL;
	subject.tgid = SELF;
	assert_false(selects(subject));
	subject = web;
	subject.base_name = "sonde";
	assert_false(selects(subject));
	subject = web;
	subject.kernel_thread = true;
	assert_false(selects(subject));

	list_add(&config.executables, "*");
	config.ports.item[config.ports.count++] = 80;
	subject = web;
	subject.base_name = "sonde";
	assert_false(selects(subject));
}

static void executables_match_by_path_or_by_name(void **state)
{
	list_add(&config.executables, "/usr/bin/w*");
	assert_true(selects(web));
	assert_false(selects(boxed));
	set_up(NULL);
	list_add(&config.executables, "web");
	assert_true(selects(web));
	set_up(NULL);
	list_add(&config.executables, "nothing");
	list_add(&config.executables, "cur?");
	assert_true(selects(gone));
	assert_false(selects(web));
}

static void pids_and_containers_match(void **state)
{
	config.pids.item[config.pids.count++] = 42;
	assert_true(selects(web));
	assert_false(selects(boxed));
	list_add(&config.containers, "0f1e*");
	assert_true(selects(web));
	assert_true(selects(boxed));
	assert_false(selects(gone));
}

static void a_glob_for_containers_needs_an_id(void **state)
{
	list_add(&config.containers, "*");
	assert_true(selects(boxed));
	assert_false(selects(web));
}

static void with_ports_everything_else_is_watched_by_port(void **state)
{
	struct select_verdict verdict;

	config.ports.item[config.ports.count++] = 8080;
	verdict = select_process(&config, &web, SELF, true);
	assert_true(verdict.selected);
	assert_int_equal(verdict.flags, TARGET_BY_PORT);
	config.pids.item[config.pids.count++] = 42;
	verdict = select_process(&config, &web, SELF, true);
	assert_true(verdict.selected);
	assert_int_equal(verdict.flags, 0);
	assert_false(select_containers_only(&config, true));
}

static void exclusion_wins_over_everything(void **state)
{
	list_add(&config.exclude_executables, "/usr/bin/*");
	assert_false(selects(web));
	assert_true(selects(boxed));
	config.pids.item[config.pids.count++] = 42;
	config.ports.item[config.ports.count++] = 80;
	list_add(&config.executables, "web");
	assert_false(selects(web));
	list_add(&config.exclude_executables, "app");
	assert_false(selects(boxed));
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(on_a_host_everything_is_watched),
		TEST(in_a_container_only_containers_are),
		TEST(the_mode_can_be_set),
		TEST(neither_the_agent_nor_another_sonde_nor_a_kernel_thread_ever),
		TEST(executables_match_by_path_or_by_name),
		TEST(pids_and_containers_match),
		TEST(a_glob_for_containers_needs_an_id),
		TEST(with_ports_everything_else_is_watched_by_port),
		TEST(exclusion_wins_over_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The life of processes as the discover thread sees it: scans, execs, forks, exits, reused pids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/discover/elf_build.h"
#include "unit/discover/world.h"

#define ID1 "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdef0123456789abcdef"
#define ID2 "aaaabbbbccccddddeeeeffff0000111122223333444455556666777788889999"
#define UID "8b6e21c4-2f0a-4a4e-9d1c-0123456789ab"

static struct world world;

static int set_up(void **state)
{
	world_make(&world, 256);
	return 0;
}

static int tear_down(void **state)
{
	world_destroy(&world);
	return 0;
}

static void add(uint32_t tgid, uint64_t start_ticks, const char *exe)
{
	tree_add(&world.tree, &(struct proc_fixture){ .tgid = tgid, .start_ticks = start_ticks,
						      .exe = exe, .comm = "comm" });
}

static void a_scan_watches_and_tells_of_every_process_but_the_excluded(void **state)
{
	add(10, 1, "/usr/bin/web");
	add(11, 2, "/usr/bin/sonde");
	tree_add(&world.tree, &(struct proc_fixture){ .tgid = 2, .comm = "kthreadd",
						      .flags = 0x00200000 });
	tree_add(&world.tree, &(struct proc_fixture){ .tgid = 12, .comm = "zombie", .state = 'Z' });
	world_open(&world);
	assert_int_equal(discover_scan(world.discover), 0);
	assert_string_equal(world_hear(&world), "+10 web;");
	assert_true(world.in_map[10]);
	assert_int_equal(world.map[10].copy_bytes, 1024);
	assert_int_equal(world.map[10].flags, 0);
	assert_int_equal(world.sets, 1);
	assert_int_equal(world.clears, 0);
	assert_int_equal(self_get(SELF_TARGETS), 1);
	assert_int_equal(self_get(SELF_TARGETS_MAX), 64);
}

static void equal_processes_share_one_resource(void **state)
{
	add(10, 1, "/usr/bin/web");
	add(11, 2, "/usr/bin/web");
	add(12, 3, "/usr/bin/other");
	world_open(&world);
	discover_scan(world.discover);
	world_hear(&world);
	assert_ptr_equal(world.resource[10], world.resource[11]);
	assert_ptr_not_equal(world.resource[10], world.resource[12]);
	assert_true(bytes_equal(world.resource[10]->service_instance_id, BYTES("node-1:web")));
}

static void a_pod_is_named_and_its_container_known(void **state)
{
	uint8_t file[ELF_BUILT_SIZE];

	elf_build(&(struct elf_recipe){ .go = ELF_GO_INLINE, .go_version = "go1.26.1" }, file);
	tree_write(world.tree.fd, "server", bytes_of(file, sizeof(file)));
	tree_add(&world.tree, &(struct proc_fixture){
		.tgid = 10, .start_ticks = 1, .exe = "../server",
		.cgroup = "9:name=systemd:/kubepods/pod" UID "/" ID1 "\n0::/\n",
		.environ = BYTES("HOSTNAME=hello-server-6d94bc8694-tv4xz\0"
				 "OTEL_RESOURCE_ATTRIBUTES=service.namespace=shop\0"),
	});
	world_open(&world);
	discover_scan(world.discover);
	assert_string_equal(world_hear(&world), "+10 hello-server;");
	assert_true(bytes_equal(world.resource[10]->container_id, BYTES(ID1)));
	assert_true(bytes_equal(world.resource[10]->service_namespace, BYTES("shop")));
	assert_true(bytes_equal(world.resource[10]->runtime, BYTES("go")));
	assert_true(bytes_equal(world.resource[10]->executable, BYTES("server")));
	assert_int_equal(world.resource[10]->extras, 2);
}

static void an_exec_replaces_what_the_process_was(void **state)
{
	add(10, 1, "/bin/sh");
	world_open(&world);
	discover_scan(world.discover);
	assert_string_equal(world_hear(&world), "+10 sh;");
	add(10, 1, "/usr/bin/web");
	world_exec(&world, 10, 1);
	assert_string_equal(world_hear(&world), "+10 web;");
	assert_int_equal(world.sets, 2);
	world_exec(&world, 10, 1);	/* the scan had seen it, the ring tells it again */
	assert_string_equal(world_hear(&world), "");
	assert_int_equal(world.sets, 3);	/* over the kernel's provisional entry */
	world_exit(&world, 10, 1);
	assert_string_equal(world_hear(&world), "-10@1;");
	assert_false(world.in_map[10]);
	assert_int_equal(self_get(SELF_TARGETS), 0);
}

static void an_exec_that_is_not_selected_is_taken_out_and_told(void **state)
{
	world.config.exclude_executables.item[0] = (char *)"cat";
	world.config.exclude_executables.count = 1;
	world_open(&world);
	discover_scan(world.discover);
	add(10, 1, "/usr/bin/cat");
	world.in_map[10] = true;		/* the kernel's, provisional */
	world_exec(&world, 10, 1);
	assert_false(world.in_map[10]);
	assert_string_equal(world_hear(&world), "!10;");
	add(10, 1, "/usr/bin/web");
	world_exec(&world, 10, 1);
	assert_string_equal(world_hear(&world), "+10 web;");
	add(10, 1, "/usr/bin/cat");
	world_exec(&world, 10, 1);
	assert_string_equal(world_hear(&world), "!10;");
	assert_false(world.in_map[10]);
	world_exit(&world, 10, 1);
	assert_string_equal(world_hear(&world), "-10@1;");
}

static void a_fork_inherits_at_once(void **state)
{
	add(10, 1, "/usr/bin/web");
	world_open(&world);
	discover_scan(world.discover);
	world_fork(&world, 10, 20, 5);		/* not in /proc: nothing is looked up */
	assert_string_equal(world_hear(&world), "+10 web;+20 web;");
	assert_ptr_equal(world.resource[10], world.resource[20]);
	assert_true(world.in_map[20]);
	world_fork(&world, 20, 21, 6);
	assert_string_equal(world_hear(&world), "+21 web;");
	world_exit(&world, 20, 5);
	world_exit(&world, 21, 6);
	assert_string_equal(world_hear(&world), "-20@5;-21@6;");
}

static void a_child_of_one_that_is_not_selected_is_not_either(void **state)
{
	world.config.select = SELECT_CONTAINERS;
	add(10, 1, "/usr/bin/dockerd");
	world_open(&world);
	discover_scan(world.discover);
	world.in_map[20] = true;
	world_fork(&world, 10, 20, 5);
	assert_string_equal(world_hear(&world), "!20;");
	assert_false(world.in_map[20]);
}

static void a_child_born_into_another_container_is_judged(void **state)
{
	struct process_event event = world_event(EVENT_FORK, 20, 5);

	world.config.select = SELECT_CONTAINERS;
	add(10, 1, "/usr/bin/runc");
	tree_add(&world.tree, &(struct proc_fixture){ .tgid = 20, .start_ticks = 5,
						      .exe = "/app/web",
						      .cgroup = "0::/docker/" ID1 "\n" });
	world_open(&world);
	discover_scan(world.discover);
	assert_string_equal(world_hear(&world), "+20 web;");
	event.event.tgid = 21;
	event.parent_tgid = 10;
	strcpy(event.cgroup[0], ID2);
	strcpy(event.cgroup[1], "docker");
	strcpy(event.comm, "runc:[2:INIT]");
	discover_event(world.discover, &event);
	assert_string_equal(world_hear(&world), "+21 runc:[2:INIT];");
	assert_true(bytes_equal(world.resource[21]->container_id, BYTES(ID2)));
}

static void a_process_gone_before_it_is_looked_at_has_a_name(void **state)
{
	world_open(&world);
	discover_scan(world.discover);
	world_exec_gone(&world, 10, 1, "curl", "docker-" ID1 ".scope");
	assert_string_equal(world_hear(&world), "+10 curl;");
	assert_true(bytes_equal(world.resource[10]->container_id, BYTES(ID1)));
	assert_true(bytes_equal(world.resource[10]->executable, BYTES("curl")));
	assert_int_equal(world.sets, 0);	/* its pid may be another's */
	world_exit(&world, 10, 1);
	assert_string_equal(world_hear(&world), "-10@1;");
	assert_int_equal(self_get(SELF_TARGETS), 0);
}

static void a_gone_process_is_selected_by_what_is_known(void **state)
{
	world.config.executables.item[0] = (char *)"cur*";
	world.config.executables.count = 1;
	world_open(&world);
	discover_scan(world.discover);
	world_exec_gone(&world, 10, 1, "curl", "");
	world_exec_gone(&world, 11, 1, "wget", "");
	assert_string_equal(world_hear(&world), "+10 curl;!11;");
}

static void a_gone_exec_keeps_the_service_it_was_started_by(void **state)
{
	tree_add(&world.tree, &(struct proc_fixture){
		.tgid = 10, .start_ticks = 1, .exe = "/bin/sh",
		.environ = BYTES("OTEL_SERVICE_NAME=shop\0"), .cgroup = "0::/docker/" ID1 "\n",
	});
	add(11, 1, "/bin/bash");
	world_open(&world);
	discover_scan(world.discover);
	world_hear(&world);
	world_fork(&world, 10, 20, 5);
	world_exec_gone(&world, 20, 5, "curl", "");
	assert_string_equal(world_hear(&world), "+20 shop;+20 shop;");
	assert_true(bytes_equal(world.resource[20]->executable, BYTES("curl")));
	assert_true(bytes_equal(world.resource[20]->container_id, BYTES(ID1)));
	world_fork(&world, 11, 21, 5);
	world_exec_gone(&world, 21, 5, "curl", "");
	assert_string_equal(world_hear(&world), "+21 bash;+21 curl;");
}

static void late_events_of_a_reused_pid_leave_the_new_process_alone(void **state)
{
	world_open(&world);
	discover_scan(world.discover);
	add(10, 100, "/usr/bin/new");
	world_exec(&world, 10, 100);
	assert_string_equal(world_hear(&world), "+10 new;");
	world_fork(&world, 1, 10, 50);
	world_exec_gone(&world, 10, 50, "old", "");
	world_exit(&world, 10, 50);
	assert_string_equal(world_hear(&world), "");
	assert_true(world.in_map[10]);
	assert_int_equal(world.sets, 1);
	assert_int_equal(world.clears, 0);
}

static void events_that_come_after_their_pid_was_reused_do_not_touch_its_entry(void **state)
{
	world_open(&world);
	discover_scan(world.discover);
	add(10, 100, "/usr/bin/new");		/* its own events are still in the ring */
	world.in_map[10] = true;		/* the kernel's, of the new one */
	world_exec_gone(&world, 10, 50, "old", "");
	world_exit(&world, 10, 50);
	assert_string_equal(world_hear(&world), "+10 old;-10@50;");
	assert_int_equal(world.sets + world.clears, 0);
	assert_true(world.in_map[10]);
	world_exec(&world, 10, 100);
	assert_string_equal(world_hear(&world), "+10 new;");
}

static void an_exit_that_was_lost_is_made_up_for_by_the_next_of_that_pid(void **state)
{
	add(10, 50, "/usr/bin/old");
	world_open(&world);
	discover_scan(world.discover);
	add(10, 100, "/usr/bin/new");
	world_exec(&world, 10, 100);
	assert_string_equal(world_hear(&world), "+10 old;+10 new;");
	assert_int_equal(self_get(SELF_TARGETS), 1);
	world_exit(&world, 10, 100);
	assert_string_equal(world_hear(&world), "-10@100;");
}

static void an_unknown_process_that_was_watched_is_told_gone(void **state)
{
	struct process_event event = world_event(EVENT_EXIT, 11, 9);

	world_open(&world);
	discover_scan(world.discover);
	world_exit(&world, 10, 7);
	event.watched = 0;
	discover_event(world.discover, &event);
	assert_string_equal(world_hear(&world), "-10@7;");
}

static void a_fork_the_scan_has_seen_only_renews_the_entry(void **state)
{
	add(10, 1, "/usr/bin/web");
	add(11, 1, "/usr/bin/sonde");
	world_open(&world);
	discover_scan(world.discover);
	world_hear(&world);
	world.in_map[10] = false;
	world.in_map[11] = true;
	world_fork(&world, 1, 10, 1);
	world_fork(&world, 1, 11, 1);
	assert_string_equal(world_hear(&world), "");
	assert_true(world.in_map[10]);
	assert_false(world.in_map[11]);
}

static void beyond_the_bound_processes_are_refused_and_counted(void **state)
{
	uint64_t refused = self_get(SELF_TARGETS_REFUSED);

	log_set_level(LOG_LEVEL_ERROR);
	world.config.targets_max = 2;
	for (uint32_t tgid = 10; tgid < 13; tgid++)
		add(tgid, tgid, "/usr/bin/web");
	world_open(&world);
	discover_scan(world.discover);
	world_hear(&world);
	assert_int_equal(self_get(SELF_TARGETS), 2);
	assert_int_equal(self_get(SELF_TARGETS_REFUSED) - refused, 1);
	add(20, 20, "/usr/bin/web");
	world.in_map[20] = true;
	world_exec(&world, 20, 20);
	assert_string_equal(world_hear(&world), "!20;");
	assert_false(world.in_map[20]);
	assert_int_equal(self_get(SELF_TARGETS_REFUSED) - refused, 2);

	/* an exec of one that is watched needs no more room */
	for (uint32_t tgid = 10; tgid < 13; tgid++) {
		if (world.in_map[tgid])
			world_exec(&world, tgid, tgid);
	}
	assert_int_equal(self_get(SELF_TARGETS_REFUSED) - refused, 2);
	for (uint32_t tgid = 10; tgid < 13; tgid++)
		world_exit(&world, tgid, tgid);
	world_hear(&world);
	add(21, 21, "/usr/bin/web");
	world_exec(&world, 21, 21);
	assert_string_equal(world_hear(&world), "+21 web;");
}

static void the_table_of_others_is_bounded_too(void **state)
{
	world.config.targets_max = 4;
	world.config.select = SELECT_CONTAINERS;
	world_open(&world);
	discover_scan(world.discover);
	for (uint32_t tgid = 10; tgid < 110; tgid++) {
		add(tgid, 1, "/usr/bin/host");
		world_exec(&world, tgid, 1);
		assert_in_range(world.discover->known.table.used, 1, 4);
	}
	world_hear(&world);
	world_exit(&world, 109, 1);		/* forgotten, but the pipeline has heard of it */
	assert_string_equal(world_hear(&world), "-109@1;");
	tree_add(&world.tree, &(struct proc_fixture){ .tgid = 200, .start_ticks = 1, .exe = "/web",
						      .cgroup = "0::/docker/" ID1 "\n" });
	world_exec(&world, 200, 1);
	assert_string_equal(world_hear(&world), "+200 web;");
}

static void what_the_map_refuses_is_counted_and_not_called_watched(void **state)
{
	uint64_t refused = self_get(SELF_TARGETS_REFUSED);

	log_set_level(LOG_LEVEL_ERROR);
	world.map_error = -E2BIG;
	add(10, 1, "/usr/bin/web");
	world_open(&world);
	discover_scan(world.discover);
	assert_string_equal(world_hear(&world), "");
	assert_int_equal(self_get(SELF_TARGETS), 0);
	assert_int_equal(self_get(SELF_TARGETS_REFUSED) - refused, 1);
	world.map_error = 0;
	add(20, 2, "/usr/bin/web");
	world_fork(&world, 10, 20, 2);		/* a refusal is not inherited */
	assert_string_equal(world_hear(&world), "+20 web;");
}

static void a_later_scan_finds_what_the_ring_has_lost(void **state)
{
	add(10, 1, "/usr/bin/web");
	add(11, 2, "/usr/bin/web");
	add(12, 3, "/usr/bin/stays");
	world_open(&world);
	discover_scan(world.discover);
	world_hear(&world);
	tree_remove(&world.tree, 10);
	add(11, 50, "/usr/bin/reused");
	add(13, 60, "/usr/bin/late");
	assert_int_equal(discover_scan(world.discover), 0);
	world_hear(&world);
	assert_non_null(strstr(world.heard, "-10@1;"));
	assert_non_null(strstr(world.heard, "-11@2;"));
	assert_non_null(strstr(world.heard, "+11 reused;"));
	assert_non_null(strstr(world.heard, "+13 late;"));
	assert_null(strstr(world.heard, "12"));
	assert_false(world.in_map[10]);
	assert_true(world.in_map[11]);
}

static void an_agent_in_a_container_watches_containers(void **state)
{
	static const char *const selves[][2] = {
		{ "0::/kubepods/pod" UID "/" ID1 "\n", TREE_INITIAL_CGROUP_NS },
		{ "0::/\n", "cgroup:[4026532222]" },	/* a cgroup namespace hides the path */
	};

	for (size_t i = 0; i < ARRAY_LEN(selves); i++) {
		tree_set_self(&world.tree, selves[i][0], selves[i][1]);
		add(10, 1, "/usr/bin/host");
		tree_add(&world.tree, &(struct proc_fixture){
			.tgid = 11, .start_ticks = 1, .exe = "/web",
			.cgroup = "0::/../../pod" UID "/" ID2 "\n",
		});
		tree_add(&world.tree, &(struct proc_fixture){
			.tgid = 12, .start_ticks = 1, .exe = "/boxed", .pid_ns = "pid:[4026532333]",
		});
		world_open(&world);
		assert_true(discover_contained(world.discover));
		discover_scan(world.discover);
		world_hear(&world);
		assert_non_null(strstr(world.heard, "+11 web;"));
		assert_non_null(strstr(world.heard, "+12 boxed;"));
		assert_null(strstr(world.heard, "10"));
		discover_stop(world.discover);
		world.discover = NULL;
	}
}

static void the_workers_of_a_listed_process_are_watched(void **state)
{
	world.config.pids.item[world.config.pids.count++] = 10;
	add(10, 1, "/usr/bin/master");
	tree_add(&world.tree, &(struct proc_fixture){
		.tgid = 11, .start_ticks = 2, .exe = "/usr/bin/helper", .parent = 10 });
	tree_add(&world.tree, &(struct proc_fixture){
		.tgid = 12, .start_ticks = 3, .exe = "/usr/bin/worker", .parent = 11 });
	add(13, 4, "/usr/bin/other");
	world_open(&world);
	discover_scan(world.discover);
	world_hear(&world);
	assert_non_null(strstr(world.heard, "+11 "));
	assert_non_null(strstr(world.heard, "+12 "));
	assert_null(strstr(world.heard, "13"));
}

static void with_only_ports_processes_are_watched_by_port(void **state)
{
	world.config.ports.item[world.config.ports.count++] = 80;
	add(10, 1, "/usr/bin/web");
	world_open(&world);
	assert_false(discover_contained(world.discover));
	discover_scan(world.discover);
	assert_int_equal(world.map[10].flags, TARGET_BY_PORT);
}

static void no_proc_is_an_error_and_nothing_leaks(void **state)
{
	struct discover_io io = { .set_target = world_set, .clear_target = world_clear,
				  .proc_root = "/no/such/proc" };
	struct discover *discover = NULL;

	assert_int_equal(discover_open(&world.config, &io, &world.news, &discover), -ENOENT);
	assert_null(discover);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_scan_watches_and_tells_of_every_process_but_the_excluded),
		TEST(equal_processes_share_one_resource),
		TEST(a_pod_is_named_and_its_container_known),
		TEST(an_exec_replaces_what_the_process_was),
		TEST(an_exec_that_is_not_selected_is_taken_out_and_told),
		TEST(a_fork_inherits_at_once),
		TEST(a_child_of_one_that_is_not_selected_is_not_either),
		TEST(a_child_born_into_another_container_is_judged),
		TEST(a_process_gone_before_it_is_looked_at_has_a_name),
		TEST(a_gone_process_is_selected_by_what_is_known),
		TEST(a_gone_exec_keeps_the_service_it_was_started_by),
		TEST(late_events_of_a_reused_pid_leave_the_new_process_alone),
		TEST(events_that_come_after_their_pid_was_reused_do_not_touch_its_entry),
		TEST(an_exit_that_was_lost_is_made_up_for_by_the_next_of_that_pid),
		TEST(an_unknown_process_that_was_watched_is_told_gone),
		TEST(a_fork_the_scan_has_seen_only_renews_the_entry),
		TEST(beyond_the_bound_processes_are_refused_and_counted),
		TEST(the_table_of_others_is_bounded_too),
		TEST(what_the_map_refuses_is_counted_and_not_called_watched),
		TEST(a_later_scan_finds_what_the_ring_has_lost),
		TEST(an_agent_in_a_container_watches_containers),
		TEST(the_workers_of_a_listed_process_are_watched),
		TEST(with_only_ports_processes_are_watched_by_port),
		TEST(no_proc_is_an_error_and_nothing_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

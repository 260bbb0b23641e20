/* SPDX-License-Identifier: Apache-2.0 */
/* Reading /proc/PID: from a tree of our own, and this very process from the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "discover/process.h"
#include "unit/discover/proc_tree.h"

#define ID "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdef0123456789abcdef"

#define assert_bytes(b, text) do { \
	struct bytes got_ = (b); \
	assert_true(bytes_equal(got_, bytes_of_text(text))); \
} while (0)

static struct proc_tree tree;
static struct process *process;

static int make_tree(void **state)
{
	tree_make(&tree);
	process = malloc(sizeof(*process));
	/* what one process leaves, the next must not see */
	memset(process, 0xaa, sizeof(*process));
	return 0;
}

static int destroy_tree(void **state)
{
	free(process);
	tree_destroy(&tree);
	return 0;
}

static void everything_a_process_tells_is_read(void **state)
{
	tree_add(&tree, &(struct proc_fixture){
		.tgid = 42, .parent = 7, .start_ticks = 123456, .comm = "web",
		.exe = "/usr/local/bin/web", .cgroup = "0::/docker/" ID "\n",
		.pid_ns = "pid:[4026532100]",
		.environ = BYTES("A=1\0OTEL_SERVICE_NAME=shop\0HOSTNAME=pod-1\0"
				 "OTEL_RESOURCE_ATTRIBUTES=a=b\0"),
		.cmdline = BYTES("web\0--port\0""80\0"),
	});
	assert_int_equal(process_read(tree.fd, 42, process), 0);
	assert_int_equal(process->tgid, 42);
	assert_int_equal(process->stat.parent_tgid, 7);
	assert_int_equal(process->stat.start_ns, 123456 * TREE_TICK_NS);
	assert_int_equal(process->stat.state, 'S');
	assert_false(process->stat.kernel_thread);
	assert_string_equal(process->stat.comm, "web");
	assert_string_equal(process->exe, "/usr/local/bin/web");
	assert_false(process->exe_deleted);
	assert_int_equal(process->pid_ns, 4026532100u);
	assert_true(process->has_container);
	assert_string_equal(process->container.id, ID);
	assert_bytes(process->names.service_name, "shop");
	assert_bytes(process->names.resource_attributes, "a=b");
	assert_bytes(process->names.hostname, "pod-1");
	assert_int_equal(process->cmdline.len, 14);
	assert_bytes(process_base_name(process), "web");
	process_close(process);
	assert_int_equal(process->dir_fd, -1);
}

static void a_deleted_executable_keeps_its_name(void **state)
{
	tree_add(&tree, &(struct proc_fixture){ .tgid = 5, .exe = "/opt/app/server (deleted)" });
	assert_int_equal(process_read(tree.fd, 5, process), 0);
	assert_true(process->exe_deleted);
	assert_string_equal(process->exe, "/opt/app/server");
	process_close(process);
}

static void an_executable_in_memory_is_called_as_its_process(void **state)
{
	tree_add(&tree, &(struct proc_fixture){ .tgid = 5, .comm = "worker",
						.exe = "/memfd:x-8172635 (deleted)" });
	assert_int_equal(process_read(tree.fd, 5, process), 0);
	assert_bytes(process_base_name(process), "worker");
	process_close(process);
}

static void a_name_full_of_parentheses_and_blanks_is_not_taken_for_fields(void **state)
{
	tree_add(&tree, &(struct proc_fixture){ .tgid = 6, .parent = 3, .start_ticks = 9,
						.comm = "a) S 1 (b) Z" });
	assert_int_equal(process_read(tree.fd, 6, process), 0);
	assert_string_equal(process->stat.comm, "a) S 1 (b) Z");
	assert_int_equal(process->stat.parent_tgid, 3);
	assert_int_equal(process->stat.start_ns, 9 * TREE_TICK_NS);
	process_close(process);
}

static void a_kernel_thread_is_told_by_its_flag(void **state)
{
	tree_add(&tree, &(struct proc_fixture){ .tgid = 8, .comm = "kworker/0:1",
						.flags = 0x04208060 });
	assert_int_equal(process_read(tree.fd, 8, process), 0);
	assert_true(process->stat.kernel_thread);
	assert_string_equal(process->exe, "");
	assert_bytes(process_base_name(process), "kworker/0:1");
	process_close(process);
}

static void a_process_that_is_not_there_is_gone(void **state)
{
	struct process_stat stat = { .start_ns = 1 };

	assert_int_equal(process_read(tree.fd, 4711, process), -ESRCH);
	assert_int_equal(process->dir_fd, -1);
	assert_int_equal(process_read_stat(tree.fd, 4711, &stat), -ESRCH);
	assert_int_equal(stat.start_ns, 1);
}

static void a_directory_emptied_meanwhile_is_gone(void **state)
{
	int fd = tree_dir(tree.fd, "77");

	assert_int_equal(process_read(tree.fd, 77, process), -ESRCH);
	assert_int_equal(process->dir_fd, -1);
	close(fd);
}

static void every_cut_of_stat_is_refused_or_read_within_bounds(void **state)
{
	static const char whole[] = "9 (x y) S 1 9 9 0 -1 64 1 2 3 4 5 6 7 8 20 0 1 0 777 1 2 3\n";
	int fd = tree_dir(tree.fd, "9");
	struct process_stat stat;
	int r;

	for (size_t len = 0; len < sizeof(whole); len++) {
		tree_write(fd, "stat", bytes_of(whole, len));
		r = process_read_stat(tree.fd, 9, &stat);
		if (len < sizeof("9 (x y) S") - 1)
			assert_int_equal(r, -EBADMSG);
		else
			assert_string_equal(stat.comm, "x y");
	}
	assert_int_equal(stat.start_ns, 777 * TREE_TICK_NS);
	close(fd);
}

static void a_missing_file_leaves_its_part_empty(void **state)
{
	tree_add(&tree, &(struct proc_fixture){ .tgid = 10, .comm = "lonely" });
	unlinkat(tree.fd, "10/exe", 0);
	unlinkat(tree.fd, "10/environ", 0);
	unlinkat(tree.fd, "10/cmdline", 0);
	unlinkat(tree.fd, "10/cgroup", 0);
	unlinkat(tree.fd, "10/ns/pid", 0);
	assert_int_equal(process_read(tree.fd, 10, process), 0);
	assert_string_equal(process->exe, "");
	assert_false(process->has_container);
	assert_string_equal(process->container.id, "");
	assert_int_equal(process->pid_ns, 0);
	assert_int_equal(process->names.service_name.len, 0);
	assert_int_equal(process->cmdline.len, 0);
	assert_bytes(process_base_name(process), "lonely");
	process_close(process);
}

static void an_environment_beyond_the_bound_is_read_up_to_it(void **state)
{
	size_t size = PROCESS_ENVIRON_MAX + 4096;
	char *environ = malloc(size);

	memset(environ, 'x', size);
	memcpy(environ, "HOSTNAME=h", 11);
	memcpy(environ + PROCESS_ENVIRON_MAX, "\0OTEL_SERVICE_NAME=late", 24);
	tree_add(&tree, &(struct proc_fixture){ .tgid = 11, .environ = bytes_of(environ, size) });
	assert_int_equal(process_read(tree.fd, 11, process), 0);
	assert_bytes(process->names.hostname, "h");
	assert_int_equal(process->names.service_name.len, 0);
	process_close(process);
	free(environ);
}

static void of_a_name_set_twice_the_first_counts(void **state)
{
	struct process_names names = environ_names(BYTES("OTEL_SERVICE_NAME=a\0"
							 "OTEL_SERVICE_NAME=b\0"
							 "XOTEL_SERVICE_NAME=c\0HOSTNAME=cut"));

	assert_bytes(names.service_name, "a");
	assert_bytes(names.hostname, "cut");
	assert_int_equal(names.resource_attributes.len, 0);
}

static void one_set_to_nothing_counts_as_set(void **state)
{
	struct process_names names = environ_names(BYTES("HOSTNAME=\0HOSTNAME=b\0"));

	assert_int_equal(names.hostname.len, 0);
}

static void start_times_are_one_within_a_clock_tick(void **state)
{
	assert_true(process_same_start(5 * TREE_TICK_NS, 5 * TREE_TICK_NS + TREE_TICK_NS - 1));
	assert_false(process_same_start(5 * TREE_TICK_NS, 6 * TREE_TICK_NS));
	assert_false(process_same_start(5 * TREE_TICK_NS - 1, 5 * TREE_TICK_NS));
}

static void note_tgid(void *context, uint32_t tgid)
{
	uint32_t *sum = context;

	*sum += tgid;
}

static void only_numbers_are_listed(void **state)
{
	uint32_t sum = 0;

	close(tree_dir(tree.fd, "12x"));
	close(tree_dir(tree.fd, "99999999999"));
	tree_add(&tree, &(struct proc_fixture){ .tgid = 20 });
	tree_add(&tree, &(struct proc_fixture){ .tgid = 300 });
	assert_int_equal(process_list(tree.fd, note_tgid, &sum), 0);
	assert_int_equal(sum, 320);
}

static void this_process_is_read_from_the_real_proc(void **state)
{
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY);
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe));
	struct timespec now;
	uint64_t now_ns;

	clock_gettime(CLOCK_BOOTTIME, &now);
	now_ns = (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
	assert_int_equal(process_read(proc_fd, (uint32_t)getpid(), process), 0);
	assert_int_equal(process->stat.parent_tgid, getppid());
	assert_in_range(process->stat.start_ns, now_ns - 600 * NSEC_PER_SEC, now_ns);
	assert_true(bytes_equal(bytes_of_text(process->exe), bytes_of(exe, (size_t)len)));
	assert_int_equal(process->stat.state, 'R');
	assert_true(process->cmdline.len > 0);
	assert_true(process->pid_ns != 0);
	process_close(process);
	close(proc_fd);
}

/* What a descriptor of /proc/PID was opened for is what it reads, or nothing. */
static void a_process_that_ends_while_it_is_read_leaves_no_mixture(void **state)
{
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY), dir_fd, status;
	char name[16], byte;
	pid_t child = fork();

	if (!child) {
		pause();
		_exit(0);
	}
	snprintf(name, sizeof(name), "%d", child);
	dir_fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY);
	assert_true(dir_fd >= 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(openat(dir_fd, "stat", O_RDONLY) < 0);
	assert_true(readlinkat(dir_fd, "exe", &byte, 1) < 0);
	assert_int_equal(process_read(proc_fd, (uint32_t)child, process), -ESRCH);
	close(dir_fd);
	close(proc_fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_tree, destroy_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_a_process_tells_is_read),
		TEST(a_deleted_executable_keeps_its_name),
		TEST(an_executable_in_memory_is_called_as_its_process),
		TEST(a_name_full_of_parentheses_and_blanks_is_not_taken_for_fields),
		TEST(a_kernel_thread_is_told_by_its_flag),
		TEST(a_process_that_is_not_there_is_gone),
		TEST(a_directory_emptied_meanwhile_is_gone),
		TEST(every_cut_of_stat_is_refused_or_read_within_bounds),
		TEST(a_missing_file_leaves_its_part_empty),
		TEST(an_environment_beyond_the_bound_is_read_up_to_it),
		TEST(only_numbers_are_listed),
		TEST(this_process_is_read_from_the_real_proc),
		TEST(a_process_that_ends_while_it_is_read_leaves_no_mixture),
		cmocka_unit_test(of_a_name_set_twice_the_first_counts),
		cmocka_unit_test(one_set_to_nothing_counts_as_set),
		cmocka_unit_test(start_times_are_one_within_a_clock_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

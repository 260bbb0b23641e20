/* SPDX-License-Identifier: Apache-2.0 */
/* The log: stderr is a pipe here, and every line is read back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static int pipe_fds[2], real_stderr;

static int catch_stderr(void **state)
{
	if (pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	real_stderr = dup(STDERR_FILENO);
	log_set_level(LOG_LEVEL_INFO);
	return dup2(pipe_fds[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int release_stderr(void **state)
{
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return 0;
}

/* What was written since the last call, as a string. */
static const char *logged(void)
{
	static char text[8192];
	ssize_t len = read(pipe_fds[0], text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = 0;
	return text;
}

static void marks_warnings_and_debug_only(void **state)
{
	log_set_level(LOG_LEVEL_DEBUG);
	log_error(0, "one %d", 1);
	assert_string_equal(logged(), "sonde: one 1\n");
	log_warn(0, "two");
	assert_string_equal(logged(), "sonde: warning: two\n");
	log_info("three");
	assert_string_equal(logged(), "sonde: three\n");
	log_debug("four");
	assert_string_equal(logged(), "sonde: debug: four\n");
}

static void says_and_passes_on_the_error(void **state)
{
	errno = EEXIST;
	assert_int_equal(log_error(-ENOENT, "open: %m"), -ENOENT);
	assert_int_equal(errno, EEXIST);
	assert_string_equal(logged(), "sonde: open: No such file or directory\n");
	assert_int_equal(log_warn(0, "fine"), 0);
}

static void keeps_quiet_beyond_its_level(void **state)
{
	log_set_level(LOG_LEVEL_WARN);
	assert_int_equal(log_get_level(), LOG_LEVEL_WARN);
	log_info("not shown");
	log_debug("not shown");
	assert_int_equal(log_at(LOG_LEVEL_INFO, -EIO, "not shown"), -EIO);
	assert_string_equal(logged(), "");
	log_warn(0, "shown");
	assert_string_equal(logged(), "sonde: warning: shown\n");
}

static void cuts_long_lines_at_1024_bytes(void **state)
{
	char text[3000];
	const char *line;

	for (size_t len = 1010; len < 1030; len++) {
		memset(text, 'x', len);
		text[len] = 0;
		log_info("%s", text);
		line = logged();
		assert_int_equal(strlen(line), len + 8 > 1024 ? 1024 : len + 8);
		assert_int_equal(line[strlen(line) - 1], '\n');
		assert_int_equal(line[strlen(line) - 2], 'x');
	}
}

static void a_quoted_peer_cannot_start_a_line_of_its_own(void **state)
{
	log_info("path %s", "/a\nsonde: all is well\x1b[2J");
	assert_string_equal(logged(), "sonde: path /a?sonde: all is well?[2J\n");
}

static void survives_a_closed_stderr(void **state)
{
	close(STDERR_FILENO);
	assert_int_equal(log_error(-EPERM, "nobody reads this"), -EPERM);
}

static void says_a_repeated_message_once_an_interval(void **state)
{
	uint64_t last_ns = 0;

	assert_true(log_every(&last_ns, 3600));
	assert_false(log_every(&last_ns, 3600));
	assert_false(log_every(&last_ns, 3600));
	last_ns = clock_monotonic_ns() - 3600 * NSEC_PER_SEC;
	assert_true(log_every(&last_ns, 3600));
	assert_false(log_every(&last_ns, 3600));
}

#define with_stderr(test) cmocka_unit_test_setup_teardown(test, catch_stderr, release_stderr)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_stderr(marks_warnings_and_debug_only),
		with_stderr(says_and_passes_on_the_error),
		with_stderr(keeps_quiet_beyond_its_level),
		with_stderr(cuts_long_lines_at_1024_bytes),
		with_stderr(a_quoted_peer_cannot_start_a_line_of_its_own),
		with_stderr(survives_a_closed_stderr),
		cmocka_unit_test(says_a_repeated_message_once_an_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

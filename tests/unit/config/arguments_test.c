/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, and the order in which environment, file and flags count:
 * user/config/arguments.c. */
#include "unit/config/said.h"

#include <errno.h>
#include <unistd.h>

#include "config/config.h"

struct fixture {
	struct config config;
	struct said said;
	bool help;
	char file[40];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fd;

	clearenv();
	config_init(&fixture->config);
	said_begin(&fixture->said);
	strcpy(fixture->file, "/tmp/sonde-arguments-test-XXXXXX");
	fd = mkstemp(fixture->file);
	assert_true(fd >= 0);
	close(fd);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->file);
	said_end(&fixture->said);
	config_done(&fixture->config);
	free(fixture);
	return 0;
}

static void write_file(struct fixture *fixture, const char *text)
{
	FILE *file = fopen(fixture->file, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int read_words(struct fixture *fixture, char **words)
{
	int argc = 0;

	while (words[argc])
		argc++;
	return config_from_arguments(&fixture->config, argc, words, fixture->said.stream,
				     &fixture->help);
}

#define READ(fixture, ...) read_words(fixture, (char *[]){ "agent", ##__VA_ARGS__, NULL })

static void no_arguments_are_all_defaults(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(READ(fixture), 0);
	assert_false(fixture->help);
	assert_string_equal(fixture->config.listen, ":9464");
	said_nothing(&fixture->said);
}

static void the_promised_command_line_is_understood(void **state)
{
	struct fixture *fixture = *state;
	struct config *config = &fixture->config;

	assert_int_equal(READ(fixture, "--exe", "*/a", "--exe=b", "--port", "80", "--port=443",
			      "--pid", "7", "--container", "3f*", "--listen", "127.0.0.1:9464",
			      "--otlp", "http://c:4318", "--print", "json", "--socket-hook",
			      "syscall", "--log-level", "debug", "--select", "all", "--route",
			      "/u/{id}", "--exclude-exe", "z"),
			 0);
	said_nothing(&fixture->said);
	assert_int_equal(config->executables.count, 2);
	assert_string_equal(config->executables.item[0], "*/a");
	assert_string_equal(config->executables.item[1], "b");
	assert_int_equal(config->ports.count, 2);
	assert_int_equal(config->ports.item[1], 443);
	assert_int_equal(config->pids.item[0], 7);
	assert_string_equal(config->containers.item[0], "3f*");
	assert_string_equal(config->listen, "127.0.0.1:9464");
	assert_string_equal(config->otlp_endpoint, "http://c:4318");
	assert_int_equal(config->print, PRINT_JSON);
	assert_int_equal(config->socket_hook, HOOK_SYSCALL);
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(config->select, SELECT_ALL);
	assert_string_equal(config->routes.item[0], "/u/{id}");
	assert_string_equal(config->exclude_executables.item[0], "z");
}

static void an_empty_value_is_a_value(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(READ(fixture, "--listen="), 0);
	assert_string_equal(fixture->config.listen, "");
	assert_int_equal(READ(fixture, "--listen", ":1"), 0);
	assert_int_equal(READ(fixture, "--listen", ""), 0);
	assert_string_equal(fixture->config.listen, "");
}

static void a_value_may_look_like_a_flag_or_hold_equals(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(READ(fixture, "--exe", "--port", "--resource-attribute=a=b=c"), 0);
	assert_string_equal(fixture->config.executables.item[0], "--port");
	assert_string_equal(fixture->config.resource_attributes.item[0], "a=b=c");
}

static void the_last_of_a_single_value_counts(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(READ(fixture, "--print", "text", "--print", "json"), 0);
	assert_int_equal(fixture->config.print, PRINT_JSON);
}

static void an_unknown_flag_names_the_nearest(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(READ(fixture, "--socket-hok", "auto"), -EINVAL);
	said_has(&fixture->said, "sonde: --socket-hok: no such option: did you mean "
				 "--socket-hook?\n");
	assert_int_equal(READ(fixture, "--exec=a"), -EINVAL);
	said_has(&fixture->said, "sonde: --exec: no such option: did you mean --exe?\n");
	assert_int_equal(READ(fixture, "--zzzzzzzz"), -EINVAL);
	said_has(&fixture->said, "sonde: --zzzzzzzz: no such option: see sonde agent --help");
	assert_int_equal(READ(fixture, "-x"), -EINVAL);
	said_has(&fixture->said, "sonde: -x: no such option");
	assert_int_equal(READ(fixture, "--"), -EINVAL);
	assert_int_equal(READ(fixture, "-"), -EINVAL);
	assert_int_equal(READ(fixture, ""), -EINVAL);
}

static void a_word_that_is_no_flag_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(READ(fixture, "start"), -EINVAL);
	said_has(&fixture->said, "sonde: start: an option was expected here");
}

static void a_missing_value_is_told(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(READ(fixture, "--port"), -EINVAL);
	said_has(&fixture->said, "sonde: --port: needs a value: write --port N");
	assert_int_equal(READ(fixture, "-c"), -EINVAL);
	said_has(&fixture->said, "sonde: -c: needs a value: write -c FILE");
}

static void wrong_values_are_all_told_by_their_flag(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(READ(fixture, "--port", "http", "--log-level", "verbose"), -EINVAL);
	said_has(&fixture->said, "sonde: --port: \"http\" is not a number: allowed is 1..65535\n");
	said_has(&fixture->said, "sonde: --log-level: \"verbose\" is not a value of this option");
}

static void help_wins_over_everything_else(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(READ(fixture, "--port", "80", "--help", "--nonsense"), 0);
	assert_true(fixture->help);
	assert_int_equal(fixture->config.ports.count, 0);
	assert_int_equal(READ(fixture, "-h"), 0);
	assert_true(fixture->help);
	assert_int_equal(READ(fixture, "--help=x"), -EINVAL);
	assert_false(fixture->help);
	said_has(&fixture->said, "sonde: --help: takes no value");
	/* here it is the value of --exe */
	assert_int_equal(READ(fixture, "--exe", "--help"), 0);
	assert_false(fixture->help);
}

static void the_file_is_named_in_four_ways(void **state)
{
	struct fixture *fixture = *state;
	char joined[64], with_equals[64];

	write_file(fixture, "print: text\n");
	snprintf(joined, sizeof(joined), "-c%s", fixture->file);
	snprintf(with_equals, sizeof(with_equals), "--config=%s", fixture->file);
	assert_int_equal(READ(fixture, "-c", fixture->file), 0);
	assert_int_equal(READ(fixture, joined), 0);
	assert_int_equal(READ(fixture, "--config", fixture->file), 0);
	assert_int_equal(READ(fixture, with_equals), 0);
	assert_int_equal(fixture->config.print, PRINT_TEXT);
	assert_int_equal(READ(fixture, "-c", fixture->file, joined), -EINVAL);
	said_has(&fixture->said, "sonde: -c: given twice");
}

static void flags_win_over_the_file_and_the_file_over_variables(void **state)
{
	struct fixture *fixture = *state;
	struct config *config = &fixture->config;

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://environment", 1);
	setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000", 1);
	setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", 1);
	write_file(fixture, "otlp: {endpoint: \"http://file\", timeout: 2s}\n");
	/* flags win wherever they stand */
	assert_int_equal(READ(fixture, "--otlp", "http://flag", "-c", fixture->file), 0);
	assert_string_equal(config->otlp_endpoint, "http://flag");
	assert_int_equal(config->otlp_timeout_ns, 2000000000);
	assert_int_equal(config->otlp_compression, COMPRESSION_GZIP);
}

static void a_list_replaces_that_of_the_layer_below(void **state)
{
	struct fixture *fixture = *state;

	setenv("OTEL_RESOURCE_ATTRIBUTES", "a=1,b=2", 1);
	write_file(fixture, "select: {executables: [x, y], ports: [1, 2]}\n");
	assert_int_equal(
		READ(fixture, "-c", fixture->file, "--exe", "z", "--resource-attribute", "c=3"), 0);
	assert_int_equal(fixture->config.executables.count, 1);
	assert_string_equal(fixture->config.executables.item[0], "z");
	assert_int_equal(fixture->config.ports.count, 2);
	assert_int_equal(fixture->config.resource_attributes.count, 1);
	assert_string_equal(fixture->config.resource_attributes.item[0], "c=3");
}

static void errors_below_the_flags_end_the_reading(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "prnt: text\n");
	assert_int_equal(READ(fixture, "-c", fixture->file), -EINVAL);
	said_has(&fixture->said, ":1: prnt: no such key: did you mean print?");
	setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", 1);
	assert_int_equal(READ(fixture), -EINVAL);
	said_has(&fixture->said, "only http/protobuf is supported");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_arguments_are_all_defaults),
		TEST(the_promised_command_line_is_understood),
		TEST(an_empty_value_is_a_value),
		TEST(a_value_may_look_like_a_flag_or_hold_equals),
		TEST(the_last_of_a_single_value_counts),
		TEST(an_unknown_flag_names_the_nearest),
		TEST(a_word_that_is_no_flag_is_refused),
		TEST(a_missing_value_is_told),
		TEST(wrong_values_are_all_told_by_their_flag),
		TEST(help_wins_over_everything_else),
		TEST(the_file_is_named_in_four_ways),
		TEST(flags_win_over_the_file_and_the_file_over_variables),
		TEST(a_list_replaces_that_of_the_layer_below),
		TEST(errors_below_the_flags_end_the_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

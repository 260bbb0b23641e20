/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: user/config/{yaml,reader}.c. */
#include "unit/config/said.h"

#include <errno.h>
#include <unistd.h>

#include "config/config.h"
#include "config/layer.h"

struct fixture {
	struct config config;
	struct said said;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	config_init(&fixture->config);
	said_begin(&fixture->said);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	said_end(&fixture->said);
	config_done(&fixture->config);
	free(fixture);
	return 0;
}

static int read_yaml(struct fixture *fixture, const char *yaml)
{
	return config_from_yaml(&fixture->config, yaml, strlen(yaml), "f.yaml",
				fixture->said.stream);
}

static void accept(struct fixture *fixture, const char *yaml)
{
	int r = read_yaml(fixture, yaml);

	said_nothing(&fixture->said);
	assert_int_equal(r, 0);
}

/* The whole message, so that its line and its words are both seen. */
static void refuse(struct fixture *fixture, const char *yaml, const char *message)
{
	assert_int_equal(read_yaml(fixture, yaml), -EINVAL);
	said_has(&fixture->said, message);
}

static const char whole[] = "# comment\n"
			    "select:\n"
			    "  executables: [\"*/a\", b]\n"
			    "  ports:\n"
			    "    - 80\n"
			    "    - 443\n"
			    "  containers: one\n"
			    "metrics:\n"
			    "  listen: \"127.0.0.1:9464\"\n"
			    "  expire: 90s\n"
			    "otlp:\n"
			    "  endpoint: 'http://collector:4318'\n"
			    "  headers: {x-a: 1, x-b: \"2=3\"}\n"
			    "  traces:\n"
			    "    timeout: 3s\n"
			    "print: json\n";

static void a_whole_file_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct config *config = &fixture->config;

	accept(fixture, whole);
	assert_int_equal(config->executables.count, 2);
	assert_string_equal(config->executables.item[0], "*/a");
	assert_string_equal(config->executables.item[1], "b");
	assert_int_equal(config->ports.count, 2);
	assert_int_equal(config->ports.item[1], 443);
	assert_string_equal(config->containers.item[0], "one");
	assert_string_equal(config->listen, "127.0.0.1:9464");
	assert_int_equal(config->series_expire_ns, 90000000000);
	assert_string_equal(config->otlp_endpoint, "http://collector:4318");
	assert_int_equal(config->otlp_headers.count, 2);
	assert_string_equal(config->otlp_headers.item[0], "x-a=1");
	assert_string_equal(config->otlp_headers.item[1], "x-b=2=3");
	assert_int_equal(config->otlp_traces_timeout_ns, 3000000000);
	assert_int_equal(config->print, PRINT_JSON);
}

/* Whatever is left of a file, it is read or refused with a reason, and nothing leaks. */
static void every_cut_of_a_file_is_read_or_refused(void **state)
{
	unsigned refused = 0;

	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		struct config config;
		struct said said;
		int r;

		config_init(&config);
		said_begin(&said);
		r = config_from_yaml(&config, whole, len, "cut", said.stream);
		fflush(said.stream);
		assert_true(r == 0 || r == -EINVAL);
		assert_int_equal(said.len > 0, r < 0);
		refused += r < 0;
		said_end(&said);
		config_done(&config);
	}
	assert_true(refused > 50);
}

static void an_empty_file_is_all_defaults(void **state)
{
	accept(*state, "");
	accept(*state, "# only a comment\n");
	accept(*state, "---\n");
	accept(*state, "--- {}\n");
}

static void a_section_with_everything_commented_out_is_empty(void **state)
{
	accept(*state, "otlp:\n  # endpoint: x\nprint: text\n");
}

static void dotted_keys_may_stand_in_one_line(void **state)
{
	struct fixture *fixture = *state;

	accept(fixture, "otlp.endpoint: http://a\n");
	assert_string_equal(fixture->config.otlp_endpoint, "http://a");
}

static void an_empty_list_clears_and_an_empty_text_is_a_value(void **state)
{
	struct fixture *fixture = *state;

	accept(fixture, "select: {executables: [a]}\n");
	accept(fixture, "select: {executables: []}\nmetrics: {listen: \"\"}\n");
	assert_int_equal(fixture->config.executables.count, 0);
	assert_string_equal(fixture->config.listen, "");
}

static void an_unknown_key_is_told_with_its_line_and_the_nearest(void **state)
{
	refuse(*state, "print: text\notlp:\n  endpont: http://a\n",
	       "sonde: f.yaml:3: otlp.endpont: no such key: did you mean otlp.endpoint?\n");
	refuse(*state, "listen: x\n", "f.yaml:1: listen: no such key: did you mean "
				      "metrics.listen?");
	refuse(*state, "colour: {a: [b, {c: d}]}\n",
	       "f.yaml:1: colour: no such key: see sonde.conf(5)");
}

static void several_errors_are_told_at_once(void **state)
{
	struct fixture *fixture = *state;

	refuse(fixture, "colour: [1, 2]\nprint: xml\nmetrics:\n  expire: 5\n", "f.yaml:1: colour");
	said_has(&fixture->said, "f.yaml:2: print: \"xml\"");
	said_has(&fixture->said, "f.yaml:4: metrics.expire: \"5\" is not a duration");
}

static void errors_end_at_a_maximum(void **state)
{
	struct fixture *fixture = *state;
	char yaml[4096] = "";
	unsigned lines = 0;

	for (int i = 0; i < 100; i++)
		sprintf(yaml + strlen(yaml), "zzz%d: 1\n", i);
	refuse(fixture, yaml, "zzz0");
	for (const char *at = fixture->said.text; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 20);
}

static void what_is_given_twice_is_refused(void **state)
{
	refuse(*state, "print: text\nprint: json\n", "f.yaml:2: print: given twice: keep one");
	refuse(*state, "otlp: {timeout: 1s}\notlp: {timeout: 2s}\n",
	       "f.yaml:2: otlp: given twice: keep one");
	refuse(*state, "otlp: {timeout: 1s}\notlp.timeout: 2s\n", "f.yaml:2: otlp.timeout: given "
								  "twice");
	refuse(*state, "otlp:\n  traces: {timeout: 1s}\n  traces: {timeout: 1s}\n",
	       "f.yaml:3: otlp.traces: given twice");
}

static void wrong_shapes_are_refused(void **state)
{
	refuse(*state, "print: [text]\n", "f.yaml:1: print: not a single value");
	refuse(*state, "print: {a: b}\n", "f.yaml:1: print: not a single value");
	refuse(*state, "otlp: http://a\n", "f.yaml:1: otlp: a section, not a value");
	refuse(*state, "otlp: [a]\n", "f.yaml:1: otlp: a section, not a value");
	refuse(*state, "select: {ports: {a: b}}\n", "select.ports: not a list");
	refuse(*state, "select: {ports: [[80]]}\n", "select.ports: a list in a list");
	refuse(*state, "select: {ports: [80, http]}\n", "select.ports: \"http\" is not a number");
	refuse(*state, "otlp: {headers: {a: [b]}}\n", "otlp.headers: not a text");
	refuse(*state, "otlp: {headers: {[a]: b}}\n", "otlp.headers: not a name");
	refuse(*state, "- print\n", "f.yaml:1: not a map");
	refuse(*state, "print\n", "f.yaml:1: not a map");
	refuse(*state, "? [a]\n: b\n", "f.yaml:1: not a key");
	refuse(*state, "? \"\"\n: b\n", "f.yaml:1: not a key");
}

static void a_key_without_a_value_is_refused(void **state)
{
	refuse(*state, "print:\n", "f.yaml:1: print: no value: leave the key out");
	refuse(*state, "select:\n  ports: [80, ]\n  executables:\n", "f.yaml:3: "
								     "select.executables: no "
								     "value");
	refuse(*state, "select:\n  executables:\n    -\n", "f.yaml:3: select.executables: no "
							   "value");
}

static void anchors_aliases_and_tags_are_refused(void **state)
{
	refuse(*state, "print: &a text\n", "f.yaml:1: print: YAML anchor (&name) is not allowed");
	refuse(*state, "print: *a\n", "f.yaml:1: print: YAML alias (*name) is not allowed");
	refuse(*state, "print: !!str text\n", "f.yaml:1: print: YAML tag (!name) is not allowed");
	refuse(*state, "otlp: &a {timeout: 1s}\n", "YAML anchor");
	refuse(*state, "select: {ports: &a [1]}\n", "YAML anchor");
	refuse(*state, "colour: [&a b]\n", "YAML anchor");
	refuse(*state, "otlp: !a {timeout: 1s}\n", "f.yaml:1: otlp: YAML tag");
	refuse(*state, "select: {ports: !a [1]}\n", "f.yaml:1: select.ports: YAML tag");
	refuse(*state, "select: {executables: [*/x]}\n", "in quotes if it begins with *");
}

static void what_is_not_yaml_is_told_with_its_line(void **state)
{
	refuse(*state, "print: text\n  x: [\n", "f.yaml:2: not valid YAML: ");
	refuse(*state, "a: 'b\n", "not valid YAML");
	refuse(*state, "\xff\xfe\xff", "not valid YAML");
	refuse(*state, "a: \"\\q\"\n", "not valid YAML");
}

static void nul_bytes_are_refused(void **state)
{
	refuse(*state, "print: \"te\\0xt\"\n", "f.yaml:1: print: a NUL byte");
	refuse(*state, "\"pri\\0nt\": text\n", "not a key");
}

static void a_second_document_is_refused(void **state)
{
	refuse(*state, "print: text\n---\nprint: json\n", "f.yaml:2: a second document");
}

static void deep_nesting_is_refused(void **state)
{
	refuse(*state, "colour: [[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
	       "nested more than 16 deep");
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	struct fixture *fixture = *state;
	size_t len = CONFIG_FILE_MAX + 1;
	char *yaml = malloc(len);

	memset(yaml, '\n', len);
	assert_int_equal(
		config_from_yaml(&fixture->config, yaml, len, "f.yaml", fixture->said.stream),
		-EINVAL);
	said_has(&fixture->said, "f.yaml: more than 1048576 bytes");
	assert_int_equal(config_from_yaml(&fixture->config, yaml, len - 1, "f.yaml",
					  fixture->said.stream), 0);
	free(yaml);
}

static void a_key_longer_than_any_is_refused(void **state)
{
	char yaml[400];

	memset(yaml, 'a', sizeof(yaml));
	strcpy(yaml + 300, ": b\n");
	refuse(*state, yaml, "not a key");
}

/* A value too long to be kept whole must be refused, never cut. */
static void a_pair_longer_than_the_maximum_is_refused(void **state)
{
	static char yaml[12000];
	int len = sprintf(yaml, "otlp: {headers: {x-a: ");

	memset(yaml + len, 'b', 9000);
	strcpy(yaml + len + 9000, "}}\n");
	refuse(*state, yaml, "is too long");
}

static void a_file_is_read_from_disk(void **state)
{
	struct fixture *fixture = *state;
	char path[] = "/tmp/sonde-yaml-test-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "print: text\n", 12), 12);
	close(fd);
	assert_int_equal(config_from_file(&fixture->config, path, fixture->said.stream), 0);
	assert_int_equal(fixture->config.print, PRINT_TEXT);
	unlink(path);
	assert_int_equal(config_from_file(&fixture->config, path, fixture->said.stream), -EINVAL);
	said_has(&fixture->said, "cannot be opened: No such file or directory: check the path");
	assert_int_equal(config_from_file(&fixture->config, "/tmp", fixture->said.stream), -EINVAL);
	said_has(&fixture->said, "sonde: /tmp: cannot be read: Is a directory");
	assert_int_equal(config_from_file(&fixture->config, "/dev/zero", fixture->said.stream),
			 -EINVAL);
	said_has(&fixture->said, "sonde: /dev/zero: more than 1048576 bytes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_file_is_read),
		TEST(every_cut_of_a_file_is_read_or_refused),
		TEST(an_empty_file_is_all_defaults),
		TEST(a_section_with_everything_commented_out_is_empty),
		TEST(dotted_keys_may_stand_in_one_line),
		TEST(an_empty_list_clears_and_an_empty_text_is_a_value),
		TEST(an_unknown_key_is_told_with_its_line_and_the_nearest),
		TEST(several_errors_are_told_at_once),
		TEST(errors_end_at_a_maximum),
		TEST(what_is_given_twice_is_refused),
		TEST(wrong_shapes_are_refused),
		TEST(a_key_without_a_value_is_refused),
		TEST(anchors_aliases_and_tags_are_refused),
		TEST(what_is_not_yaml_is_told_with_its_line),
		TEST(nul_bytes_are_refused),
		TEST(a_second_document_is_refused),
		TEST(deep_nesting_is_refused),
		TEST(a_file_that_is_too_large_is_refused),
		TEST(a_key_longer_than_any_is_refused),
		TEST(a_pair_longer_than_the_maximum_is_refused),
		TEST(a_file_is_read_from_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

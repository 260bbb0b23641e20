/* SPDX-License-Identifier: Apache-2.0 */
/* --print: the lines themselves, and standard outputs that are slow, full or gone. */
#include "unit/export/fixture.h"

#include <fcntl.h>
#include <signal.h>

#include "export/exporter.h"
#include "export/print_line.h"

static struct buf line_of(struct span span, bool json)
{
	struct buf out;

	span.start_ns = 0;
	span.end_ns = 2500000;
	buf_init(&out, 1 << 20);
	if (json)
		print_add_json(&out, &span, 1700000000123456789);
	else
		print_add_text(&out, &span, 1700000000123456789);
	assert_false(out.failed);
	return out;
}

static void a_line_has_what_people_ask_for(void **state)
{
	struct resource *resource = make_resource("hello", CONTAINER);
	struct buf out = line_of(make_span(resource, 1), false);

	assert_string_equal(text_of(&out),
			    "2023-11-14T22:13:20.123Z hello server GET /users/42 200 2.500ms "
			    "in=0B out=13B route=/users/{id} client=10.0.0.7\n");
	buf_done(&out);
	resource_unref(resource);
}

static void a_failed_client_line_has_url_and_reason(void **state)
{
	struct resource *resource = make_resource("hello", "");
	struct span span = make_span(resource, 1);
	struct buf out;

	span.role = ROLE_CLIENT;
	span.code = 0;
	span.route = (struct bytes){ 0 };
	span.full = BYTES("http://hello/x");
	span.error_type = BYTES("connection_closed");
	out = line_of(span, false);
	assert_string_equal(text_of(&out),
			    "2023-11-14T22:13:20.123Z hello client GET http://hello/x - 2.500ms "
			    "in=0B out=13B server=hello error=connection_closed\n");
	buf_done(&out);
	resource_unref(resource);
}

static void control_characters_cannot_forge_a_line(void **state)
{
	struct span span = make_span(NULL, 1);
	struct buf out;

	span.target = BYTES("/a\nb\x1b[2J\x7f");
	out = line_of(span, false);
	assert_contains(&out, " - server GET /a?b?[2J? 200 ");
	assert_int_equal(bytes_index(buf_bytes(&out), '\n'), out.len - 1);
	buf_done(&out);
}

static void json_is_one_object_a_line(void **state)
{
	struct resource *resource = make_resource("hello", "");
	struct span span = make_span(resource, 1);
	struct buf out;

	span.target = BYTES("/a\"\n\xff");
	out = line_of(span, true);
	assert_string_equal(
		text_of(&out),
		"{\"time\":\"2023-11-14T22:13:20.123Z\",\"role\":\"server\",\"service\":\"hello\","
		"\"method\":\"GET\","
		"\"path\":\"/a\\\"\\n\xef\xbf\xbd\",\"query\":\"page=2\",\"route\":\"/users/"
		"{id}\",\"status\":200,"
		"\"duration_seconds\":0.002500000,\"request_bytes\":0,\"response_bytes\":13,"
		"\"client\":\"10.0.0.7\","
		"\"server\":\"hello\",\"server_port\":8080,\"user_agent\":\"curl/8\",\"pid\":7,"
		"\"trace_id\":\"abababababababababababababababab\",\"span_id\":"
		"\"0100000000000000\"}\n");
	buf_done(&out);
	resource_unref(resource);
}

/* Exports `spans` spans with standard output led to `fd`, which is closed. */
static void print_to(int fd, uint32_t spans)
{
	struct config config = { .print = PRINT_TEXT };
	struct exporter_context context = { .config = &config };
	struct batch *batch = batch_new(spans, 4096);
	int saved = dup(STDOUT_FILENO);
	void *print = NULL;

	for (uint32_t i = 0; i < spans; i++)
		batch->span[batch->spans++] = make_span(NULL, i);
	fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	close(fd);
	assert_int_equal(print_exporter.open(&context, &print), 0);
	print_exporter.export(print, batch);
	print_exporter.export(print, batch);
	print_exporter.close(print, 0);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	batch_free(batch);
}

static void all_lines_reach_a_file(void **state)
{
	uint64_t before = self_get(SELF_PRINT_FAILED), lines = 0;
	char name[] = "/tmp/sonde-print-XXXXXX";
	int fd = mkstemp(name), again = open(name, O_RDONLY | O_CLOEXEC);
	char bytes[65536];
	ssize_t n;

	assert_true(fd >= 0 && again >= 0);
	unlink(name);
	print_to(fd, 5000);
	while ((n = read(again, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			lines += bytes[i] == '\n';
	}
	assert_int_equal(lines, 10000);
	assert_int_equal(self_get(SELF_PRINT_FAILED), before);
	close(again);
}

static void a_closed_pipe_costs_lines_not_the_agent(void **state)
{
	uint64_t before = self_get(SELF_PRINT_FAILED);
	int pipes[2];

	signal(SIGPIPE, SIG_IGN);	/* the export thread has it blocked */
	assert_int_equal(pipe(pipes), 0);
	close(pipes[0]);
	print_to(pipes[1], 1000);
	assert_int_equal(self_get(SELF_PRINT_FAILED), before + 2000);
}

static void a_full_disk_costs_lines_that_are_counted(void **state)
{
	uint64_t before = self_get(SELF_PRINT_FAILED);
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		skip();
	print_to(fd, 100);
	assert_int_equal(self_get(SELF_PRINT_FAILED), before + 200);
}

static void a_reader_that_does_not_read_does_not_stop_the_agent(void **state)
{
	uint64_t before = self_get(SELF_PRINT_FAILED), start = clock_monotonic_ns();
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	print_to(pipes[1], 2000);
	assert_true(clock_monotonic_ns() - start < 5 * NSEC_PER_SEC);
	assert_true(self_get(SELF_PRINT_FAILED) > before);
	close(pipes[0]);
}

static void without_print_there_is_no_exporter(void **state)
{
	struct config config = { .print = PRINT_NONE };
	struct exporter_context context = { .config = &config };
	void *print = NULL;

	assert_int_equal(print_exporter.open(&context, &print), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_what_people_ask_for),
		cmocka_unit_test(a_failed_client_line_has_url_and_reason),
		cmocka_unit_test(control_characters_cannot_forge_a_line),
		cmocka_unit_test(json_is_one_object_a_line),
		cmocka_unit_test(all_lines_reach_a_file),
		cmocka_unit_test(a_closed_pipe_costs_lines_not_the_agent),
		cmocka_unit_test(a_full_disk_costs_lines_that_are_counted),
		cmocka_unit_test(a_reader_that_does_not_read_does_not_stop_the_agent),
		cmocka_unit_test(without_print_there_is_no_exporter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server over loopback, and through it the Prometheus exporter's pages. */
#include "unit/export/fixture.h"

#include <zlib.h>

#include "export/exporter.h"
#include "export/http_server.h"

/* Sends `request` and turns the loop until the whole answer (or the end) is there. */
static void talk(struct loop *loop, int fd, const char *request, bool head, struct buf *answer)
{
	uint8_t bytes[4096];
	ssize_t n, end, length = -1;

	buf_reset(answer);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	for (;;) {
		turn(loop);
		while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
			buf_add(answer, bytes, n);
		end = bytes_find(buf_bytes(answer), BYTES("\r\n\r\n"));
		if (end >= 0 && length < 0) {
			const char *field = strstr(text_of(answer), "Content-Length: ");

			length = field && !head ? atol(field + 16) : 0;
		}
		if (!n || (end >= 0 && answer->len >= (size_t)(end + 4 + length)))
			return;
	}
}

static void get(struct loop *loop, uint16_t port, const char *request, struct buf *answer)
{
	int fd = connect_to(port);

	talk(loop, fd, request, !strncmp(request, "HEAD", 4), answer);
	close(fd);
}

static struct bytes body_of(const struct buf *answer)
{
	return bytes_skip(buf_bytes(answer), bytes_find(buf_bytes(answer), BYTES("\r\n\r\n")) + 4);
}

static void say_path(void *context, const struct http_request *request, struct http_reply *reply)
{
	buf_printf(&reply->body, "path %.*s accept %.*s\n", BYTES_ARG(request->path),
		   BYTES_ARG(request->accept));
	if (bytes_equal(request->path, BYTES("/large"))) {
		for (int i = 0; i < 300000; i++)
			buf_printf(&reply->body, "%d ", i);
	}
}

struct setup {
	struct loop loop;
	struct http_server *server;
	uint16_t port;
	struct buf answer;
};

static void start(struct setup *setup)
{
	assert_int_equal(loop_init(&setup->loop), 0);
	assert_int_equal(
		http_server_open(&setup->loop, "127.0.0.1:0", say_path, NULL, &setup->server), 0);
	setup->port = http_server_port(setup->server);
	buf_init(&setup->answer, 8 << 20);
}

static void finish(struct setup *setup)
{
	buf_done(&setup->answer);
	http_server_close(setup->server);
	loop_done(&setup->loop);
}

static void answers_get_and_passes_path_and_accept(void **state)
{
	struct setup setup;

	start(&setup);
	get(&setup.loop, setup.port, "GET /a?b=c HTTP/1.1\r\nHost: x\r\nAccept: y/z\r\n\r\n",
	    &setup.answer);
	assert_contains(&setup.answer, "HTTP/1.1 200 OK\r\n");
	assert_contains(&setup.answer, "\r\n\r\npath /a accept y/z\n");
	finish(&setup);
}

static void keeps_connections_alive_for_the_next_request(void **state)
{
	struct setup setup;
	int fd;

	start(&setup);
	fd = connect_to(setup.port);
	for (int i = 0; i < 5; i++) {
		talk(&setup.loop, fd, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n", false,
		     &setup.answer);
		assert_contains(&setup.answer, "path /again");
	}
	close(fd);
	finish(&setup);
}

static void answers_head_without_a_body(void **state)
{
	struct setup setup;

	start(&setup);
	get(&setup.loop, setup.port, "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", &setup.answer);
	assert_contains(&setup.answer, "HTTP/1.1 200 OK\r\n");
	assert_contains(&setup.answer, "Content-Length: 16\r\n");
	assert_int_equal(body_of(&setup.answer).len, 0);
	finish(&setup);
}

static void refuses_other_methods_and_names_those_it_has(void **state)
{
	struct setup setup;

	start(&setup);
	get(&setup.loop, setup.port,
	    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", &setup.answer);
	assert_contains(&setup.answer, "HTTP/1.1 405 ");
	assert_contains(&setup.answer, "Allow: GET, HEAD\r\n");
	finish(&setup);
}

static void sends_a_large_body_whole_and_compressed_when_asked(void **state)
{
	uint8_t *text = malloc(4 << 20);
	struct setup setup;
	z_stream stream = { 0 };
	struct bytes body;
	size_t plain;

	start(&setup);
	get(&setup.loop, setup.port, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n", &setup.answer);
	plain = body_of(&setup.answer).len;
	assert_true(plain > 1 << 20);
	assert_true(bytes_end_with(body_of(&setup.answer), BYTES(" 299998 299999 ")));

	get(&setup.loop, setup.port,
	    "GET /large HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n", &setup.answer);
	assert_contains(&setup.answer, "Content-Encoding: gzip\r\n");
	body = body_of(&setup.answer);
	assert_true(body.len < plain / 2);
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	stream.next_in = (Bytef *)body.at;
	stream.avail_in = body.len;
	stream.next_out = text;
	stream.avail_out = 4 << 20;
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, plain);
	assert_true(bytes_end_with(bytes_of(text, plain), BYTES(" 299999 ")));
	inflateEnd(&stream);
	free(text);
	finish(&setup);
}

static void survives_bytes_that_are_not_http(void **state)
{
	struct setup setup;
	int fd;

	start(&setup);
	fd = connect_to(setup.port);
	assert_int_equal(write(fd, "\x16\x03\x01\x00\xff\r\n\r\n\r\n", 11), 11);
	turn(&setup.loop);
	close(fd);
	get(&setup.loop, setup.port, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n", &setup.answer);
	assert_contains(&setup.answer, "path /b");
	finish(&setup);
}

static void gives_an_address_only_so_many_connections(void **state)
{
	struct setup setup;
	int fd[20], closed = 0;
	char byte;

	start(&setup);
	for (int i = 0; i < 20; i++) {
		fd[i] = connect_to(setup.port);
		turn(&setup.loop);
	}
	for (int i = 0; i < 20; i++) {
		closed += recv(fd[i], &byte, 1, MSG_DONTWAIT) == 0;
		close(fd[i]);
	}
	assert_int_equal(closed, 4);
	finish(&setup);
}

static void a_taken_port_is_told_as_such(void **state)
{
	struct http_server *second = NULL;
	struct setup setup;
	char listen[32];

	start(&setup);
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", setup.port);
	assert_int_equal(http_server_open(&setup.loop, listen, say_path, NULL, &second),
			 -EADDRINUSE);
	assert_null(second);
	finish(&setup);
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = { "", "9464", "127.0.0.1:", "[::1:9464", "203.0.113.1:0" };
	struct http_server *server = NULL;
	struct loop loop;

	loop_init(&loop);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_true(http_server_open(&loop, wrong[i], say_path, NULL, &server) < 0);
		assert_null(server);
	}
	assert_int_equal(http_server_open(&loop, ":0", say_path, NULL, &server), 0);
	http_server_close(server);
	loop_done(&loop);
}

/* A free port, for the exporter, which cannot be asked for its own. */
static uint16_t free_port(void)
{
	struct http_server *server;
	struct loop loop;
	uint16_t port;

	loop_init(&loop);
	assert_int_equal(http_server_open(&loop, "127.0.0.1:0", say_path, NULL, &server), 0);
	port = http_server_port(server);
	http_server_close(server);
	loop_done(&loop);
	return port;
}

struct agent {
	struct config config;
	char listen[32];
	struct loop loop;
	struct metric_store store;
	_Atomic bool ready;
	struct exporter_context context;
	struct resource *resource;
	void *exporter;
	uint16_t port;
	struct buf answer;
};

static void start_agent(struct agent *agent)
{
	struct series *series;

	memset(agent, 0, sizeof(*agent));
	agent->port = free_port();
	snprintf(agent->listen, sizeof(agent->listen), "127.0.0.1:%u", agent->port);
	agent->config.listen = agent->listen;
	loop_init(&agent->loop);
	store_init(&agent->store, 4);
	agent->resource = make_resource("hello", CONTAINER);
	series = make_series(0, agent->resource, "/users/{id}", 200);
	add_request(series, 4000000, 0, 13);
	put_in_store(&agent->store, series);
	free(series);
	agent->context = (struct exporter_context){
		.config = &agent->config, .loop = &agent->loop, .store = &agent->store,
		.ready = &agent->ready,
	};
	assert_int_equal(prometheus_exporter.open(&agent->context, &agent->exporter), 0);
	buf_init(&agent->answer, 8 << 20);
}

static void stop_agent(struct agent *agent)
{
	prometheus_exporter.close(agent->exporter, 0);
	buf_done(&agent->answer);
	store_done(&agent->store);
	loop_done(&agent->loop);
	resource_unref(agent->resource);
}

static void fetch(struct agent *agent, const char *path, const char *headers)
{
	char request[512];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, headers);
	get(&agent->loop, agent->port, request, &agent->answer);
}

static void metrics_are_text_or_openmetrics_as_accepted(void **state)
{
	struct agent agent;

	start_agent(&agent);
	fetch(&agent, "/metrics", "");
	assert_contains(&agent.answer,
			"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	assert_contains(&agent.answer, "http_server_request_duration_seconds_count{");
	fetch(&agent, "/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");
	assert_contains(&agent.answer,
		"Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n");
	assert_contains(&agent.answer, "\n# EOF\n");
	stop_agent(&agent);
}

static void scrapes_are_counted(void **state)
{
	uint64_t before = self_get(SELF_SCRAPES);
	struct agent agent;

	start_agent(&agent);
	fetch(&agent, "/metrics", "");
	fetch(&agent, "/healthz", "");
	assert_int_equal(self_get(SELF_SCRAPES), before + 1);
	stop_agent(&agent);
}

static void readyz_says_whether_a_source_is_attached(void **state)
{
	struct agent agent;

	start_agent(&agent);
	fetch(&agent, "/readyz", "");
	assert_contains(&agent.answer, "HTTP/1.1 503 ");
	assert_contains(&agent.answer, "sonde doctor");
	agent.ready = true;
	fetch(&agent, "/readyz", "");
	assert_contains(&agent.answer, "HTTP/1.1 200 ");
	fetch(&agent, "/healthz", "");
	assert_contains(&agent.answer, "HTTP/1.1 200 ");
	stop_agent(&agent);
}

static void unknown_pages_tell_which_there_are(void **state)
{
	struct agent agent;

	start_agent(&agent);
	fetch(&agent, "/nope", "");
	assert_contains(&agent.answer, "HTTP/1.1 404 ");
	assert_contains(&agent.answer, "/metrics /services /healthz /readyz /");
	fetch(&agent, "/", "");
	assert_contains(&agent.answer, "<a href=\"/metrics\">");
	stop_agent(&agent);
}

static void services_are_json(void **state)
{
	struct agent agent;

	start_agent(&agent);
	fetch(&agent, "/services", "");
	assert_contains(&agent.answer, "Content-Type: application/json\r\n");
	assert_contains(
		&agent.answer,
		"\"services\":[{\"service\":\"hello\",\"namespace\":\"\",\"container\":\"" CONTAINER
		"\",\"role\":\"server\",\"protocol\":\"http\",\"routes\":[{\"method\":\"GET\","
		"\"route\":\"/users/"
		"{id}\",\"server_address\":\"\",\"status\":{\"200\":1},\"count\":1,"
		"\"errors\":0,\"duration\":{\"sum_seconds\":0.004000000,\"exponential\":{\"scale\":"
		"4,"
		"\"offset\":-128,\"zero\":0,\"counts\":[1]}}}]}]}\n");
	stop_agent(&agent);
}

static void no_listen_address_means_no_server(void **state)
{
	struct config config = { .listen = (char *)"" };
	struct exporter_context context = { .config = &config };
	void *exporter = NULL;

	assert_int_equal(prometheus_exporter.open(&context, &exporter), -ENOTSUP);
	config.listen = NULL;
	assert_int_equal(prometheus_exporter.open(&context, &exporter), -ENOTSUP);
	assert_null(exporter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_get_and_passes_path_and_accept),
		cmocka_unit_test(keeps_connections_alive_for_the_next_request),
		cmocka_unit_test(answers_head_without_a_body),
		cmocka_unit_test(refuses_other_methods_and_names_those_it_has),
		cmocka_unit_test(sends_a_large_body_whole_and_compressed_when_asked),
		cmocka_unit_test(survives_bytes_that_are_not_http),
		cmocka_unit_test(gives_an_address_only_so_many_connections),
		cmocka_unit_test(a_taken_port_is_told_as_such),
		cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(metrics_are_text_or_openmetrics_as_accepted),
		cmocka_unit_test(scrapes_are_counted),
		cmocka_unit_test(readyz_says_whether_a_source_is_attached),
		cmocka_unit_test(unknown_pages_tell_which_there_are),
		cmocka_unit_test(services_are_json),
		cmocka_unit_test(no_listen_address_means_no_server),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

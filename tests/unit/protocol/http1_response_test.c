/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP/1.x responses: what frames their body, what real servers send, what is hostile. */
#include "unit/protocol/fixture.h"

#include <errno.h>

#include "base/cleanup.h"
#include "protocol/protocol.h"

#define NAMED(method, ...) { .operation = BYTES(method), __VA_ARGS__ }

static const struct message get = NAMED("GET");
static const struct message head = NAMED("HEAD", .bodiless = true);
static const struct message connect_ = NAMED("CONNECT", .expects_upgrade = true);

/* `code` 0: refused. */
struct response {
	const char *text;
	const struct message *request;
	int64_t code;
	enum framing framing;
	uint64_t body_bytes;
	bool closes, interim, cut;
};

static void is_response(const struct message *message, const struct response *expected)
{
	assert_int_equal(message->code, expected->code);
	assert_int_equal(message->framing, expected->framing);
	assert_int_equal(message->body_bytes, expected->body_bytes);
	assert_int_equal(message->closes, expected->closes);
	assert_int_equal(message->interim, expected->interim);
	assert_int_equal(message->cut, expected->cut);
	assert_int_equal(message->operation.len + message->target.len + message->query.len +
			 message->authority.len + message->user_agent.len, 0);
}

static void are_parsed(const struct response *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bytes in = bytes_of_text(table[i].text);
		struct message message = { .code = 7 };
		ssize_t r = http1_protocol.parse_response(in, table[i].cut, table[i].request, &message);

		if (r != (table[i].code ? (ssize_t)in.len : -EBADMSG))
			fail_msg("%zd for %s", r, table[i].text);
		if (table[i].code)
			is_response(&message, &table[i]);
		else
			assert_int_equal(message.code, 7);
	}
}

#define OK "HTTP/1.1 200 OK\r\n"

static void says_how_the_body_is_framed(void **state)
{
	static const struct response table[] = {
		{ OK "Content-Length: 14\r\n\r\n", &get, 200, FRAMING_LENGTH, 14 },
		{ OK "content-length:0\r\n\r\n", NULL, 200, FRAMING_LENGTH, 0 },
		{ OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", &get, 200, FRAMING_LENGTH, 5 },
		{ OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", &get },
		{ OK "Content-Length: five\r\n\r\n", &get },
		{ OK "Transfer-Encoding: chunked\r\n\r\n", &get, 200, FRAMING_CHUNKED },
		{ OK "Content-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", &get, 200,
		  FRAMING_CHUNKED },
		{ OK "Transfer-Encoding: gzip\r\n\r\n", &get, 200, FRAMING_CLOSE, .closes = true },
		{ OK "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\n", &get, 200,
		  FRAMING_LENGTH, 3 },
		{ OK "Connection: keep-alive\r\n\r\n", &get, 200, FRAMING_CLOSE, .closes = true },
		{ OK "\r\n", NULL, 200, FRAMING_CLOSE, .closes = true },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", &get, 200, FRAMING_LENGTH, 1,
		  .closes = true },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", &get, 200,
		  FRAMING_LENGTH, 1 },
		{ OK "Content-Length: 1\r\nConnection: close\r\n\r\n", &get, 200, FRAMING_LENGTH, 1,
		  .closes = true },
	};

	are_parsed(table, ARRAY_LEN(table));
}

static void knows_which_responses_have_no_body(void **state)
{
	static const struct response table[] = {
		{ OK "Content-Length: 14\r\n\r\n", &head, 200, FRAMING_NONE },
		{ OK "Transfer-Encoding: chunked\r\n\r\n", &head, 200, FRAMING_NONE },
		{ "HTTP/1.1 204 No Content\r\n\r\n", &get, 204, FRAMING_NONE },
		{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", &get, 304, FRAMING_NONE },
		{ "HTTP/1.1 100 Continue\r\n\r\n", &get, 100, FRAMING_NONE, .interim = true },
		{ "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", &get, 103, FRAMING_NONE,
		  .interim = true },
		{ "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", &get, 101,
		  FRAMING_UPGRADE },
		{ "HTTP/1.1 200 Connection established\r\n\r\n", &connect_, 200, FRAMING_UPGRADE },
		{ "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\n", &connect_, 407, FRAMING_LENGTH, 2 },
		{ "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", &get, 205,
		  FRAMING_LENGTH },
	};

	are_parsed(table, ARRAY_LEN(table));
}

static void reads_status_lines_as_clients_do(void **state)
{
	static const struct response table[] = {
		{ "HTTP/1.1 200\r\n\r\n", &get, 200, FRAMING_CLOSE, .closes = true },
		{ "HTTP/1.1 200 \nContent-Length:1\n\n", &get, 200, FRAMING_LENGTH, 1 },
		{ "HTTP/1.1 404 N\xc3\xb6t f\xf6und\r\nContent-Length:1\r\n\r\n", &get, 404,
		  FRAMING_LENGTH, 1 },
		{ "HTTP/1.1 999 No\r\nContent-Length: 1\r\n\r\n", &get, 999, FRAMING_LENGTH, 1 },
		{ "HTTP/1.1 099 No\r\n\r\n", &get }, { "HTTP/1.1 20 OK\r\n\r\n", &get },
		{ "HTTP/1.1 2000 OK\r\n\r\n", &get }, { "HTTP/1.1  200 OK\r\n\r\n", &get },
		{ "HTTP/2 200\r\n\r\n", &get }, { "HTTP/1.x 200 OK\r\n\r\n", &get },
		{ "http/1.1 200 OK\r\n\r\n", &get }, { "\r\nHTTP/1.1 200 OK\r\n\r\n", &get },
		{ "HTTP/1.1 200-OK\r\n\r\n", &get }, { "GET / HTTP/1.1\r\n\r\n", &get },
		{ "ICY 200 OK\r\n\r\n", &get }, { "Hello, world!", &get },
		{ "HTTP/1.1 200 O", &get, .cut = true },
	};

	are_parsed(table, ARRAY_LEN(table));
}

static void takes_a_cut_head_for_what_it_says(void **state)
{
	static const struct response table[] = {
		{ OK, &get, 200, FRAMING_UNKNOWN, .cut = true },
		{ OK "Set-Cookie: aaaaaaaa", &get, 200, FRAMING_UNKNOWN, .cut = true },
		{ OK "Content-Length: 77\r\nSet-C", &get, 200, FRAMING_LENGTH, 77, .cut = true },
		{ OK "Content-Length: 77", &get, 200, FRAMING_UNKNOWN, .cut = true },
		{ OK "Transfer-Encoding: chunked\r\nSet-C", &get, 200, FRAMING_CHUNKED, .cut = true },
		{ OK "Transfer-Encoding: gzip\r\nSet-C", &get, 200, FRAMING_UNKNOWN, .cut = true },
		{ OK "Set-C", &head, 200, FRAMING_NONE, .cut = true },
		{ OK "Set-C", &connect_, 200, FRAMING_UPGRADE, .cut = true },
		{ "HTTP/1.1 304 Not Modified\r\nE", &get, 304, FRAMING_NONE, .cut = true },
		{ "HTTP/1.1 101 Upgrade\r\nE", NULL, 101, FRAMING_UPGRADE, .cut = true },
		{ "HTTP/1.0 200 OK\r\nConnec", &get, 200, FRAMING_UNKNOWN, .cut = true },
		{ OK "Connection: close\r\nE", &get, 200, FRAMING_UNKNOWN, .closes = true,
		  .cut = true },
	};

	are_parsed(table, ARRAY_LEN(table));
}

static void gives_up_on_a_head_without_end(void **state)
{
	static uint8_t text[65536 + 2];
	struct message message;

	memset(text, 'x', sizeof(text));
	memcpy(text, OK, strlen(OK));
	memcpy(text + 65534, "\r\n\r\n", 4);
	assert_int_equal(http1_protocol.parse_response(bytes_of(text, 65536), false, &get, &message),
			 -EAGAIN);
	assert_int_equal(http1_protocol.parse_response(bytes_of(text, 65538), false, &get, &message),
			 -EBADMSG);
}

static void recognises_responses_by_their_first_bytes(void **state)
{
	assert_int_equal(http1_protocol.sniff_response(BYTES("")), VERDICT_MAYBE);
	assert_int_equal(http1_protocol.sniff_response(BYTES("HTTP/1")), VERDICT_MAYBE);
	assert_int_equal(http1_protocol.sniff_response(BYTES("HTTP/1.")), VERDICT_YES);
	assert_int_equal(http1_protocol.sniff_response(BYTES("HTTP/1.1 2")), VERDICT_YES);
	assert_int_equal(http1_protocol.sniff_response(BYTES("HTTP/1.1 200 OK")), VERDICT_YES);
	assert_int_equal(http1_protocol.sniff_response(BYTES("HTTP/1.1 x")), VERDICT_NO);
	assert_int_equal(http1_protocol.sniff_response(BYTES("HTTP/2")), VERDICT_NO);
	assert_int_equal(http1_protocol.sniff_response(BYTES("h")), VERDICT_NO);
}

/* `text` is the fixture's name. */
static const struct response real[] = {
	{ "nginx-200", &get, 200, FRAMING_LENGTH, 6 },
	{ "nginx-304", &get, 304, FRAMING_NONE },
	{ "nginx-gzip", &get, 200, FRAMING_CHUNKED },
	{ "nginx-400", NULL, 400, FRAMING_LENGTH, 157, .closes = true },
	{ "apache-200", &get, 200, FRAMING_LENGTH, 6 },
	{ "apache-head", &head, 200, FRAMING_NONE },
	{ "apache-options", &get, 200, FRAMING_LENGTH, 0 },
	{ "node-200", &get, 200, FRAMING_LENGTH, 14 },
	{ "node-chunked", &get, 200, FRAMING_CHUNKED },
	{ "node-upgrade", &get, 101, FRAMING_UPGRADE },
	{ "go-200", &get, 200, FRAMING_LENGTH, 14 },
	{ "go-404", &get, 404, FRAMING_LENGTH, 19 },
	{ "go-204", &get, 204, FRAMING_NONE },
	{ "go-400", &get, 400, FRAMING_CLOSE, .closes = true },
	{ "go-chunked", &get, 200, FRAMING_CHUNKED },
	{ "go-103", &get, 103, FRAMING_NONE, .interim = true },
	{ "go-pipelined", &get, 200, FRAMING_LENGTH, 14 },
	{ "python-200", &get, 200, FRAMING_LENGTH, 6, .closes = true },
	{ "python-501", &get, 501, FRAMING_LENGTH, 358, .closes = true },
	{ "gunicorn-200", &get, 200, FRAMING_LENGTH, 14, .closes = true },
	{ "gunicorn-chunked", &get, 200, FRAMING_CHUNKED, .closes = true },
};

static struct bytes real_response(const char *who)
{
	char name[64];

	snprintf(name, sizeof(name), "http1/response-%s.http", who);
	return fixture_read(name);
}

static void is_cut_response(struct bytes cut, ssize_t r, const struct message *message,
			    const struct response *full)
{
	bool has_line = bytes_index(cut, '\n') >= 0;

	assert_int_equal(r, has_line ? (ssize_t)cut.len : -EBADMSG);
	if (!has_line)
		return;
	assert_true(message->cut);
	assert_int_equal(message->code, full->code);
	if (message->framing != FRAMING_UNKNOWN)
		assert_int_equal(message->framing, full->framing);
}

static void reads_what_real_servers_send_at_every_cut(void **state)
{
	struct message message;

	for (size_t i = 0; i < ARRAY_LEN(real); i++) {
		struct bytes in = real_response(real[i].text);
		const struct message *to = real[i].request;
		size_t end = bytes_find(in, BYTES("\r\n\r\n")) + 4;

		for (size_t len = 0; len <= in.len; len++) {
			struct bytes cut = cut_at(in, len);
			ssize_t r = http1_protocol.parse_response(cut, false, to, &message);

			assert_int_equal(r, len < end ? -EAGAIN : (ssize_t)end);
			if (r > 0)
				is_response(&message, &real[i]);
			r = http1_protocol.parse_response(cut, true, to, &message);
			if (len < end)
				is_cut_response(cut, r, &message, &real[i]);
			assert_int_not_equal(http1_protocol.sniff_response(cut), VERDICT_NO);
			free((void *)cut.at);
		}
		free((void *)in.at);
	}
}

/* Takes the responses in `in` one after the other; returns how many. */
static unsigned responses_in(struct bytes in, unsigned *ret_interim)
{
	unsigned count = 0, interim = 0;
	struct message message;
	bool end = false;

	while (in.len) {
		ssize_t r = http1_protocol.parse_response(in, false, &get, &message);

		assert_true(r > 0);
		in = bytes_skip(in, r);
		if (message.framing == FRAMING_LENGTH) {
			assert_true(message.body_bytes <= in.len);
			in = bytes_skip(in, message.body_bytes);
		} else if (message.framing == FRAMING_CHUNKED) {
			struct chunked chunked = { 0 };

			r = chunked_feed(&chunked, in, &end);
			assert_true(r > 0 && end);
			assert_int_equal(chunked.body_bytes, 11);
			in = bytes_skip(in, r);
		}
		interim += message.interim;
		count++;
	}
	*ret_interim = interim;
	return count;
}

static void reads_real_streams_to_their_last_byte(void **state)
{
	static const struct { const char *name; unsigned count, interim; } table[] = {
		{ "go-103", 2, 1 }, { "go-pipelined", 2, 0 }, { "go-chunked", 1, 0 },
		{ "node-chunked", 1, 0 }, { "gunicorn-chunked", 1, 0 }, { "nginx-200", 1, 0 },
		{ "python-501", 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct bytes in = real_response(table[i].name);
		unsigned interim;

		assert_int_equal(responses_in(in, &interim), table[i].count);
		assert_int_equal(interim, table[i].interim);
		free((void *)in.at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_how_the_body_is_framed),
		cmocka_unit_test(knows_which_responses_have_no_body),
		cmocka_unit_test(reads_status_lines_as_clients_do),
		cmocka_unit_test(takes_a_cut_head_for_what_it_says),
		cmocka_unit_test(gives_up_on_a_head_without_end),
		cmocka_unit_test(recognises_responses_by_their_first_bytes),
		cmocka_unit_test(reads_what_real_servers_send_at_every_cut),
		cmocka_unit_test(reads_real_streams_to_their_last_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

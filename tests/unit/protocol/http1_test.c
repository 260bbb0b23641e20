/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP/1.x requests: each form of RFC 9112, and what real clients send. */
#include "unit/protocol/http1_cuts.h"

#include "base/cleanup.h"

#define HOST "Host: a\r\n"
#define END "\r\n"

/* What is not named is expected to be empty, false or 0. `rest` follows the head. */
struct request {
	const char *text, *rest;
	const char *operation, *target, *query, *authority, *scheme, *version;
	const char *user_agent, *traceparent, *forwarded_for;
	enum framing framing;
	uint64_t body_bytes;
	bool closes, expects_upgrade, bodiless, cut;
};

static void is_request(const struct message *message, const struct request *expected)
{
	is_text(message->operation, expected->operation);
	is_text(message->target, expected->target);
	is_text(message->query, expected->query);
	is_text(message->authority, expected->authority);
	is_text(message->scheme, expected->scheme);
	is_text(message->version, expected->version ? expected->version : "1.1");
	is_text(message->user_agent, expected->user_agent);
	is_text(message->traceparent, expected->traceparent);
	is_text(message->forwarded_for, expected->forwarded_for);
	assert_int_equal(message->framing, expected->framing);
	assert_int_equal(message->body_bytes, expected->body_bytes);
	assert_int_equal(message->closes, expected->closes);
	assert_int_equal(message->expects_upgrade, expected->expects_upgrade);
	assert_int_equal(message->bodiless, expected->bodiless);
	assert_int_equal(message->cut, expected->cut);
	assert_int_equal(message->code, 0);
	assert_false(message->interim);
}

static void is_parsed(const struct request *expected)
{
	char text[FIXTURE_MAX];
	struct message message;
	size_t head = strlen(expected->text);
	ssize_t r;

	snprintf(text, sizeof(text), "%s%s", expected->text, expected->rest ? expected->rest : "");
	r = http1_protocol.parse_request(bytes_of_text(text), expected->cut, &message);
	if (r != (ssize_t)head)
		fail_msg("%zd instead of %zu for %s", r, head, text);
	is_request(&message, expected);
	if (!expected->cut) {
		asks_for_more_at_every_cut(bytes_of_text(text), head);
		takes_what_is_there_at_every_last_cut(bytes_of_text(text), head);
	}
}

#define ARE_PARSED(table) do { \
	for (size_t i_ = 0; i_ < ARRAY_LEN(table); i_++) \
		is_parsed(&(table)[i_]); \
} while (0)

static void reads_each_form_of_target(void **state)
{
	static const struct request table[] = {
		{ "GET / HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "/",
		  .authority = "a" },
		{ "GET /p/q?a=b?c HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "/p/q",
		  .query = "a=b?c", .authority = "a" },
		{ "GET /p? HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "/p",
		  .authority = "a" },
		{ "GET /p?a=b#secret?c HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "/p",
		  .query = "a=b", .authority = "a" },
		{ "GET //p://q HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "//p://q",
		  .authority = "a" },
		{ "GET http://b:81/p?q HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "/p",
		  .query = "q", .authority = "b:81", .scheme = "http" },
		{ "GET HTTPS://u:pw@[::1]:81?q HTTP/1.1\r\n" HOST END, .operation = "GET",
		  .target = "/", .query = "q", .authority = "[::1]:81", .scheme = "HTTPS" },
		{ "OPTIONS http://b HTTP/1.1\r\n" HOST END, .operation = "OPTIONS", .target = "/",
		  .authority = "b", .scheme = "http" },
		{ "OPTIONS * HTTP/1.1\r\n" HOST END, .operation = "OPTIONS", .target = "*",
		  .authority = "a" },
		{ "CONNECT b:443 HTTP/1.1\r\n" HOST END, .operation = "CONNECT", .authority = "b:443",
		  .expects_upgrade = true },
		{ "GET /a b HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "/a b",
		  .authority = "a" },
		{ "GET  /a  HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "/a",
		  .authority = "a" },
		{ "GET /\xc3\xa4 HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "/\xc3\xa4",
		  .authority = "a" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct message message;

		/* CONNECT has no target, on which the walk of cuts leans */
		if (table[i].target) {
			is_parsed(&table[i]);
			continue;
		}
		assert_int_equal(http1_protocol.parse_request(bytes_of_text(table[i].text), false,
							      &message), strlen(table[i].text));
		is_request(&message, &table[i]);
	}
}

static void reads_methods_versions_and_line_ends_as_servers_do(void **state)
{
	static const struct request table[] = {
		{ "\r\n\n\r\nGET / HTTP/1.1\r\n" HOST END, .operation = "GET", .target = "/",
		  .authority = "a" },
		{ "GET / HTTP/1.1\nHost:a\n\n", .operation = "GET", .target = "/", .authority = "a" },
		{ "HEAD / HTTP/1.1\r\n" HOST END, .operation = "HEAD", .target = "/",
		  .authority = "a", .bodiless = true },
		{ "VERSION-CONTROL /x HTTP/1.1\r\n" END, .operation = "VERSION-CONTROL",
		  .target = "/x" },
		{ "ABCDEFGHIJKLMNOPQRST / HTTP/1.1\r\n" END, .operation = "ABCDEFGHIJKLMNOPQRST",
		  .target = "/" },
		{ "GET / HTTP/1.0\r\n" END, .operation = "GET", .target = "/", .version = "1.0",
		  .closes = true },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n" END, .operation = "GET",
		  .target = "/", .version = "1.0" },
		{ "GET / HTTP/1.1\r\nconnection: foo , Close\r\n" END, .operation = "GET",
		  .target = "/", .closes = true },
		{ "GET / HTTP/1.9\r\n" END, .operation = "GET", .target = "/", .version = "1.9" },
	};

	ARE_PARSED(table);
}

static void reads_the_fields_that_matter_and_no_others(void **state)
{
	static const struct request table[] = {
		{ "GET / HTTP/1.1\r\nhOST:\t a:80 \t\r\nuser-AGENT: x/1 (y; z)\r\n"
		  "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
		  "X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\n" END,
		  .operation = "GET", .target = "/", .authority = "a:80", .user_agent = "x/1 (y; z)",
		  .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		  .forwarded_for = "1.2.3.4, 5.6.7.8" },
		{ "GET / HTTP/1.1\r\nForwarded: for=\"[::1]\"\r\nHosts: x\r\nHos: x\r\nHost x\r\n"
		  "H: x\r\n:\r\nuser\ragent: x\r\nUser-Agent : x\r\nno colon\r\n" END,
		  .operation = "GET", .target = "/", .forwarded_for = "for=\"[::1]\"" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nUser-Agent:\r\n" END, .operation = "GET",
		  .target = "/", .authority = "a" },
		{ "GET / HTTP/1.1\r\nHost: u:p@w@a\r\n" END, .operation = "GET", .target = "/",
		  .authority = "a" },
		{ "GET / HTTP/1.1\r\n Host: folded into nothing\r\nUser-Agent: x\r\n\ty\r\n"
		  "X-Host: z\r\n Host: z\r\n" END,
		  .operation = "GET", .target = "/", .user_agent = "x" },
		{ "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" END,
		  .operation = "GET", .target = "/", .expects_upgrade = true },
	};

	ARE_PARSED(table);
}

static void says_how_the_body_is_framed(void **state)
{
	static const struct request table[] = {
		{ "POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n" END, "body",
		  .operation = "POST", .target = "/", .framing = FRAMING_LENGTH,
		  .body_bytes = UINT64_MAX },
		{ "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\ncontent-length:5\r\n" END,
		  .operation = "POST", .target = "/", .framing = FRAMING_LENGTH, .body_bytes = 5 },
		{ "POST / HTTP/1.1\r\nContent-Length:\r\n 5\r\n" END,
		  .operation = "POST", .target = "/", .framing = FRAMING_LENGTH, .body_bytes = 5 },
		{ "POST / HTTP/1.1\r\nContent-Length: 0\r\n" END, .operation = "POST", .target = "/",
		  .framing = FRAMING_LENGTH },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n" END,
		  .operation = "POST", .target = "/", .framing = FRAMING_CHUNKED },
		{ "POST / HTTP/1.1\r\ntransfer-encoding: gzip ,\r\n CHUNKED\r\n" END,
		  .operation = "POST", .target = "/", .framing = FRAMING_CHUNKED },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\tgzip,\r\n\tchunked\r\n" END,
		  .operation = "POST", .target = "/", .framing = FRAMING_CHUNKED },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n" END,
		  .operation = "POST", .target = "/", .framing = FRAMING_CHUNKED },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n" END,
		  .operation = "POST", .target = "/", .framing = FRAMING_LENGTH, .body_bytes = 5 },
	};

	/* The walk of cuts is for one field; of two that disagree the first may stand alone. */
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct bytes text = bytes_of_text(table[i].text);
		struct message message;

		assert_int_equal(http1_protocol.parse_request(text, false, &message), text.len);
		is_request(&message, &table[i]);
		asks_for_more_at_every_cut(text, text.len);
	}
	takes_what_is_there_at_every_last_cut(bytes_of_text(table[1].text), strlen(table[1].text));
}

static void takes_a_cut_head_for_what_it_says(void **state)
{
	static const struct request table[] = {
		{ "GET /x HTTP/1.1\r\n", .operation = "GET", .target = "/x",
		  .framing = FRAMING_UNKNOWN, .cut = true },
		{ "GET /x HTTP/1.0\r\nHost: ab", .operation = "GET", .target = "/x",
		  .version = "1.0", .framing = FRAMING_UNKNOWN, .cut = true },
		{ "PUT /x HTTP/1.1\r\nContent-Length: 12\r\nContent-Le", .operation = "PUT",
		  .target = "/x", .framing = FRAMING_LENGTH, .body_bytes = 12, .cut = true },
		{ "PUT /x HTTP/1.1\r\nContent-Length: 12", .operation = "PUT", .target = "/x",
		  .framing = FRAMING_UNKNOWN, .cut = true },
		{ "PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX", .operation = "PUT",
		  .target = "/x", .framing = FRAMING_CHUNKED, .cut = true },
		{ "PUT /x HTTP/1.1\r\nTransfer-Encoding: gzip\r\nX", .operation = "PUT",
		  .target = "/x", .framing = FRAMING_UNKNOWN, .cut = true },
		{ "GET /x HTTP/1.1\r\nConnection: close\r\nCookie: aaaaaa", .operation = "GET",
		  .target = "/x", .framing = FRAMING_UNKNOWN, .closes = true, .cut = true },
	};

	ARE_PARSED(table);
}

static void refuses_framing_that_servers_must_refuse(void **state)
{
	static const char *const table[] = {
		"Content-Length: 5\r\nContent-Length: 6\r\n",
		"Content-Length: 6\r\nContent-Length: 5\r\n", "Content-Length: 5, 6\r\n",
		"Content-Length: 5,\r\n", "Content-Length: +5\r\n", "Content-Length: 5 5\r\n",
		"Content-Length: -1\r\n", "Content-Length: 0x5\r\n", "Content-Length:\r\n",
		"Content-Length: 18446744073709551616\r\n", "Transfer-Encoding: gzip\r\n",
		"Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: xchunked\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
		"Transfer-Encoding: gzip\r\nContent-Length: 5\r\n",
	};
	struct message message;
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		snprintf(text, sizeof(text), "POST / HTTP/1.1\r\n%s\r\n", table[i]);
		if (http1_protocol.parse_request(bytes_of_text(text), false, &message) != -EBADMSG)
			fail_msg("framing taken: %s", table[i]);
	}
}

static void gives_up_on_a_head_without_end(void **state)
{
	static uint8_t text[65536 + 64];
	const struct bytes line = BYTES("GET /long HTTP/1.1\r\nCookie: ");
	struct message message;

	memset(text, 'x', sizeof(text));
	memcpy(text, line.at, line.len);
	assert_int_equal(http1_protocol.parse_request(bytes_of(text, 65536), false, &message), -EAGAIN);
	assert_int_equal(http1_protocol.parse_request(bytes_of(text, 65537), false, &message), -EBADMSG);
	assert_int_equal(http1_protocol.parse_request(bytes_of(text, 65600), true, &message), 65600);
	assert_true(message.cut);
	is_text(message.target, "/long");
}

static void takes_pipelined_requests_one_by_one(void **state)
{
	struct bytes in = BYTES("GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n\r\n"
				"GET /3?x HTTP/1.0\r\n\r\nGET /4 HT");
	static const char *const targets[] = { "/1", "/2", "/3" };
	struct message message;

	for (int i = 0; i < 3; i++) {
		ssize_t r = http1_protocol.parse_request(in, false, &message);

		assert_true(r > 0);
		is_text(message.target, targets[i]);
		in = bytes_skip(in, r);
	}
	assert_int_equal(http1_protocol.parse_request(in, false, &message), -EAGAIN);
	is_text(in, "GET /4 HT");
}

/* `text` is the fixture's name. */
static const struct request real[] = {
	{ "curl-get", .operation = "GET", .target = "/users/42", .query = "verbose=1",
	  .user_agent = "curl/7.88.1" },
	{ "curl-post", "name=x", .operation = "POST", .target = "/users",
	  .user_agent = "curl/7.88.1", .framing = FRAMING_LENGTH, .body_bytes = 6 },
	{ "curl-chunked", "6\r\nname=x\r\n0\r\n\r\n", .operation = "POST", .target = "/users",
	  .user_agent = "curl/7.88.1", .framing = FRAMING_CHUNKED },
	{ "curl-head", .operation = "HEAD", .target = "/", .user_agent = "curl/7.88.1",
	  .bodiless = true },
	{ "curl-proxy", .operation = "GET", .target = "/a", .query = "b=c", .scheme = "http",
	  .authority = "example.org", .user_agent = "curl/7.88.1" },
	{ "curl-h2c", .operation = "GET", .target = "/", .user_agent = "curl/7.88.1",
	  .expects_upgrade = true },
	{ "curl-1.0", .operation = "GET", .target = "/", .version = "1.0",
	  .user_agent = "curl/7.88.1", .closes = true },
	{ "curl-haproxy", .operation = "GET", .target = "/", .user_agent = "curl/7.88.1" },
	{ "python-urllib", .operation = "GET", .target = "/a%20b",
	  .user_agent = "Python-urllib/3.11", .closes = true },
	{ "python-http-client", "{}", .operation = "POST", .target = "/j",
	  .framing = FRAMING_LENGTH, .body_bytes = 2 },
	{ "node-fetch", .operation = "GET", .target = "/items", .query = "id=1",
	  .user_agent = "node" },
	{ "node-http", .operation = "GET", .target = "/" },
	{ "go-post", "hello", .operation = "POST", .target = "/v1/x",
	  .user_agent = "Go-http-client/1.1", .framing = FRAMING_LENGTH, .body_bytes = 5 },
	{ "java", .operation = "GET", .target = "/j", .query = "a=b",
	  .user_agent = "Java-http-client/17.0.15", .framing = FRAMING_LENGTH },
	{ "wrk", .operation = "GET", .target = "/" },
	{ "ab", .operation = "GET", .target = "/", .version = "1.0",
	  .user_agent = "ApacheBench/2.3", .closes = true },
	{ "nginx-proxy", .operation = "GET", .target = "/x", .version = "1.0",
	  .user_agent = "curl/7.88.1", .forwarded_for = "127.0.0.1", .closes = true },
};

static void reads_what_real_clients_send_at_every_cut(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(real); i++) {
		struct request expected = real[i];
		struct message message;
		struct bytes in;
		char name[64];
		ssize_t r;

		snprintf(name, sizeof(name), "http1/request-%s.http", real[i].text);
		in = fixture_read(name);
		if (!expected.authority)
			expected.authority = "127.0.0.1:18109";
		r = http1_protocol.parse_request(in, false, &message);
		assert_true(r > 0);
		is_request(&message, &expected);
		is_text(bytes_skip(in, r), expected.rest);
		asks_for_more_at_every_cut(in, r);
		takes_what_is_there_at_every_last_cut(in, r);
		free((void *)in.at);
	}
}

static void reads_a_real_connect(void **state)
{
	struct bytes in = fixture_read("http1/request-curl-connect.http");
	struct message message;

	assert_int_equal(http1_protocol.parse_request(in, false, &message), in.len);
	is_text(message.operation, "CONNECT");
	is_text(message.authority, "example.org:8080");
	assert_true(message.expects_upgrade);
	asks_for_more_at_every_cut(in, in.len);
	free((void *)in.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_form_of_target),
		cmocka_unit_test(reads_methods_versions_and_line_ends_as_servers_do),
		cmocka_unit_test(reads_the_fields_that_matter_and_no_others),
		cmocka_unit_test(says_how_the_body_is_framed),
		cmocka_unit_test(takes_a_cut_head_for_what_it_says),
		cmocka_unit_test(refuses_framing_that_servers_must_refuse),
		cmocka_unit_test(gives_up_on_a_head_without_end),
		cmocka_unit_test(takes_pipelined_requests_one_by_one),
		cmocka_unit_test(reads_what_real_clients_send_at_every_cut),
		cmocka_unit_test(reads_a_real_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

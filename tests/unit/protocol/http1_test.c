/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP/1.x requests: each form of RFC 9112, what real clients send, and what is hostile. */
#include "unit/protocol/fixture.h"

#include <errno.h>

#include "base/cleanup.h"
#include "protocol/protocol.h"

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

/* Every shorter piece is asked to be continued, and never taken for something else. */
static void asks_for_more_at_every_cut(struct bytes whole, size_t head)
{
	struct message message, full;

	assert_int_equal(http1_protocol.parse_request(whole, false, &full), head);
	for (size_t len = 0; len < whole.len; len++) {
		struct bytes cut = cut_at(whole, len);
		ssize_t r = http1_protocol.parse_request(cut, false, &message);

		assert_int_equal(r, len < head ? -EAGAIN : (ssize_t)head);
		if (r > 0)
			is_same_part(message.target, cut.at, full.target, whole.at);
		assert_int_not_equal(http1_protocol.sniff_request(cut), VERDICT_NO);
		free((void *)cut.at);
	}
	assert_int_equal(http1_protocol.sniff_request(whole), VERDICT_YES);
}

/* With `last`, a piece with a whole request line is a cut head, whose fields are right or missing. */
static void takes_what_is_there_at_every_last_cut(struct bytes whole, size_t head)
{
	struct message message, full;

	http1_protocol.parse_request(whole, true, &full);
	assert_false(full.cut);
	for (size_t len = 0; len < head; len++) {
		struct bytes cut = cut_at(whole, len);
		ssize_t r = http1_protocol.parse_request(cut, true, &message);
		size_t method = full.operation.at - whole.at;

		if (r > 0) {
			assert_int_equal(r, len);
			assert_true(message.cut && len > method);
			is_same_part(message.operation, cut.at, full.operation, whole.at);
			is_same_part(message.query, cut.at, full.query, whole.at);
			if (message.user_agent.len)
				is_same_part(message.user_agent, cut.at, full.user_agent, whole.at);
			if (message.framing != FRAMING_UNKNOWN)
				assert_int_equal(message.framing, full.framing);
			assert_int_equal(message.body_bytes,
					 message.framing == FRAMING_LENGTH ? full.body_bytes : 0);
		} else {
			assert_int_equal(r, -EBADMSG);
			assert_true(len <= method ||
				    bytes_index(bytes_of(whole.at + method, len - method), '\n') < 0);
		}
		free((void *)cut.at);
	}
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
		{ "GET / HTTP/1.1\r\nHost: u:pw@a\r\n" END, .operation = "GET", .target = "/",
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

static void refuses_what_is_not_a_request(void **state)
{
	static const struct bytes table[] = {
		BYTES("GET /\r\n\r\n"),				/* HTTP/0.9 */
		BYTES("GET / HTTP/0.9\r\n\r\n"),
		BYTES("GET / HTTP/2.0\r\n\r\n"),
		BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		BYTES("GET / HTTP/1.\r\n\r\n"),
		BYTES("GET / HTTP/1.1 \r\n\r\n"),
		BYTES("GET / http/1.1\r\n\r\n"),
		BYTES("GET /HTTP/1.1\r\n\r\n"),
		BYTES("GET HTTP/1.1\r\n\r\n"),
		BYTES("GET  HTTP/1.1\r\n\r\n"),
		BYTES("HTTP/1.1\r\n\r\n"),
		BYTES("GET x HTTP/1.1\r\n\r\n"),
		BYTES("GET *x HTTP/1.1\r\n\r\n"),
		BYTES("GET ftp://a/ HTTP/1.1\r\n\r\n"),
		BYTES("GET http:/a HTTP/1.1\r\n\r\n"),
		BYTES("get / HTTP/1.1\r\n\r\n"),
		BYTES(" GET / HTTP/1.1\r\n\r\n"),
		BYTES("G@T / HTTP/1.1\r\n\r\n"),
		BYTES("GET\t/ HTTP/1.1\r\n\r\n"),
		BYTES("ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1\r\n\r\n"),
		BYTES("GET /\0 HTTP/1.1\r\n\r\n"),
		BYTES("GET /abcdefghijkl\x1f HTTP/1.1\r\n\r\n"),
		BYTES("GET /abcdefghijkl\x7f HTTP/1.1\r\n\r\n"),
		BYTES("GET /\r HTTP/1.1\r\n\r\n"),
		BYTES("GET /\t HTTP/1.1\r\n\r\n"),
		BYTES("GET / HTTP/1.1\r\r\n\r\n"),
		BYTES("\rGET / HTTP/1.1\r\n\r\n"),
		BYTES("HTTP/1.1 200 OK\r\n\r\n"),
		BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		BYTES("*1\r\n$4\r\nPING\r\n"),
		BYTES("SET key value\r\n"),
	};
	struct message message = { .code = 7 };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (http1_protocol.parse_request(table[i], false, &message) != -EBADMSG)
			fail_msg("taken for a request: %.*s", BYTES_ARG(table[i]));
		assert_int_equal(http1_protocol.parse_request(table[i], true, &message), -EBADMSG);
	}
	assert_int_equal(message.code, 7);	/* untouched on failure */
}

static void refuses_framing_that_servers_must_refuse(void **state)
{
	static const char *const table[] = {
		"Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5, 6\r\n",
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

static void passes_over_a_proxy_protocol_header(void **state)
{
	const struct bytes good[] = {
		BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /p HTTP/1.1\r\n\r\n"),
		BYTES("PROXY TCP6 ::1 ::2 1 2\r\nGET /p HTTP/1.1\r\n\r\n"),
		BYTES("PROXY UNKNOWN\r\nGET /p HTTP/1.1\r\n\r\n"),
		BYTES("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00GET /p HTTP/1.1\r\n\r\n"),
		BYTES("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" "\x01\x02\x03\x04\x05\x06\x07\x08"
		      "\n\r\n\rGET /p HTTP/1.1\r\n\r\n"),
	};
	const struct bytes bad[] = {
		BYTES("PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\nGET /p HTTP/1.1\r\n\r\n"),
		BYTES("\r\n\r\n\0\r\nQUIT\n\x30\x00\x00\x00GET /p HTTP/1.1\r\n\r\n"),
		BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 and on and on and on and on and on and on and "
		      "on and on and on and on and on and on\r\nGET / HTTP/1.1\r\n\r\n"),
		BYTES("PROXY UNKNOWN\r\nSSH-2.0-OpenSSH_9.2\r\n"),
	};
	struct message message;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		asks_for_more_at_every_cut(good[i], good[i].len);
		takes_what_is_there_at_every_last_cut(good[i], good[i].len);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(http1_protocol.parse_request(bad[i], false, &message), -EBADMSG);
		assert_int_equal(http1_protocol.sniff_request(bad[i]), VERDICT_NO);
	}
}

static void recognises_requests_by_their_first_bytes(void **state)
{
	static const struct { const char *text; enum verdict verdict; } table[] = {
		{ "", VERDICT_MAYBE }, { "G", VERDICT_MAYBE }, { "GET", VERDICT_MAYBE },
		{ "GET ", VERDICT_MAYBE }, { "GET /", VERDICT_YES }, { "GET ht", VERDICT_MAYBE },
		{ "GET HTTP:/", VERDICT_MAYBE }, { "GET https://", VERDICT_YES },
		{ "\r\n", VERDICT_MAYBE }, { "\r\nGET /", VERDICT_YES }, { "PROPFIND /", VERDICT_YES },
		{ "CONNECT a", VERDICT_YES }, { "OPTIONS *", VERDICT_YES },
		{ "FROBNICATE /", VERDICT_MAYBE }, { "FROBNICATE / HTTP/1.1\n", VERDICT_YES },
		{ "GET /a.html HTTP/1.1\r\n", VERDICT_YES }, { "GET /a.html\r\n", VERDICT_NO },
		{ "PRI * HTTP/2.0\r\n", VERDICT_NO }, { "SET k", VERDICT_NO }, { "GE1", VERDICT_NO },
		{ "get", VERDICT_NO }, { "HTTP/1.1 200", VERDICT_NO }, { "{", VERDICT_NO },
		{ "OPTIONS * RTSP/1.0\r\n", VERDICT_NO }, { "CONNECT \x7f", VERDICT_NO },
		{ "ABCDEFGHIJKLMNOPQRST", VERDICT_MAYBE }, { "ABCDEFGHIJKLMNOPQRSTU", VERDICT_NO },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct bytes copy = cut_at(bytes_of_text(table[i].text), strlen(table[i].text));

		if (http1_protocol.sniff_request(copy) != table[i].verdict)
			fail_msg("wrong verdict on \"%s\"", table[i].text);
		free((void *)copy.at);
	}
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
		cmocka_unit_test(refuses_what_is_not_a_request),
		cmocka_unit_test(refuses_framing_that_servers_must_refuse),
		cmocka_unit_test(gives_up_on_a_head_without_end),
		cmocka_unit_test(takes_pipelined_requests_one_by_one),
		cmocka_unit_test(passes_over_a_proxy_protocol_header),
		cmocka_unit_test(recognises_requests_by_their_first_bytes),
		cmocka_unit_test(reads_what_real_clients_send_at_every_cut),
		cmocka_unit_test(reads_a_real_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is HTTP/1.x and what is not, by its first bytes; and what may stand before a request. */
#include "unit/protocol/http1_cuts.h"

#include "base/cleanup.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recognises_requests_by_their_first_bytes),
		cmocka_unit_test(refuses_what_is_not_a_request),
		cmocka_unit_test(passes_over_a_proxy_protocol_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this HTTP/1.x? Judges the first bytes of a stream, whole start lines or the beginning of one,
 * and what may stand before them. Used on new connections, by the parser on cut lines, and to
 * find the next head after bytes were missed.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "protocol/http1.h"

/* Sizes in bytes; source: proxy-protocol.txt of haproxy.org, 2.1 and 2.2 */
#define PROXY1_MAX 107		/* a v1 line */
#define PROXY2_FIXED 16		/* a v2 header before its addresses */

/*
 * The HTTP Method Registry of IANA, and methods of caches and UPnP. Others are recognised as
 * well, but only by a whole request line.
 */
static const struct bytes methods[] = {
	BYTES("GET"), BYTES("HEAD"), BYTES("POST"), BYTES("PUT"), BYTES("DELETE"),
	BYTES("CONNECT"), BYTES("OPTIONS"), BYTES("TRACE"), BYTES("PATCH"), BYTES("QUERY"),
	BYTES("PROPFIND"), BYTES("PROPPATCH"), BYTES("MKCOL"), BYTES("COPY"), BYTES("MOVE"),
	BYTES("LOCK"), BYTES("UNLOCK"), BYTES("ACL"), BYTES("REPORT"), BYTES("SEARCH"),
	BYTES("BASELINE-CONTROL"), BYTES("BIND"), BYTES("CHECKIN"), BYTES("CHECKOUT"),
	BYTES("LABEL"), BYTES("LINK"), BYTES("MERGE"), BYTES("MKACTIVITY"), BYTES("MKCALENDAR"),
	BYTES("MKREDIRECTREF"), BYTES("MKWORKSPACE"), BYTES("ORDERPATCH"), BYTES("REBIND"),
	BYTES("UNBIND"), BYTES("UNCHECKOUT"), BYTES("UNLINK"), BYTES("UPDATE"),
	BYTES("UPDATEREDIRECTREF"), BYTES("VERSION-CONTROL"),
	BYTES("PURGE"), BYTES("BAN"), BYTES("NOTIFY"), BYTES("SUBSCRIBE"), BYTES("UNSUBSCRIBE"),
};

static bool is_known(struct bytes method)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (bytes_equal(method, methods[i]))
			return true;
	}
	return false;
}

/* Is `in` the beginning of `whole`, or longer and begun by it? */
static bool agrees(struct bytes in, struct bytes whole)
{
	return bytes_start_with(whole, in) || bytes_start_with(in, whole);
}

static ssize_t proxy1_skip(struct bytes in)
{
	const uint8_t *lf;

	if (!agrees(in, BYTES("PROXY TCP4 ")) && !agrees(in, BYTES("PROXY TCP6 ")) &&
	    !agrees(in, BYTES("PROXY UNKNOWN")))
		return 0;
	lf = memchr(in.at, '\n', in.len < PROXY1_MAX ? in.len : PROXY1_MAX);
	if (lf)
		return lf + 1 - in.at;
	return in.len < PROXY1_MAX ? -EAGAIN : 0;
}

static ssize_t proxy2_skip(struct bytes in)
{
	size_t size;

	if (!agrees(in, BYTES("\r\n\r\n\0\r\nQUIT\n")))
		return 0;
	if (in.len < PROXY2_FIXED)
		return -EAGAIN;
	if (in.at[12] >> 4 != 2)	/* version */
		return 0;
	size = PROXY2_FIXED + (in.at[14] << 8 | in.at[15]);
	return in.len < size ? -EAGAIN : (ssize_t)size;
}

/* A PROXY protocol header: its size, 0 when there is none, -EAGAIN when `in` may be part of one. */
static ssize_t proxy_skip(struct bytes in)
{
	switch (in.at[0]) {
	case 'P':
		return proxy1_skip(in);
	case '\r':
		return proxy2_skip(in);
	default:
		return 0;
	}
}

ssize_t http1_preamble_skip(struct bytes in)
{
	ssize_t skip;
	size_t n;

	if (!in.len)
		return -EAGAIN;
	skip = proxy_skip(in);
	if (skip < 0)
		return skip;

	for (n = skip; n < in.len; n++) {
		if (in.at[n] == '\n')
			continue;
		if (in.at[n] != '\r')
			return n;
		if (n + 1 < in.len && in.at[n + 1] != '\n')
			return n;	/* no empty line, and no request line either */
	}
	return -EAGAIN;
}

size_t http1_method_len(struct bytes in)
{
	size_t n = 0, max = in.len < HTTP1_METHOD_MAX + 1 ? in.len : HTTP1_METHOD_MAX + 1;

	while (n < max && ((in.at[n] >= 'A' && in.at[n] <= 'Z') || in.at[n] == '-'))
		n++;
	return n <= HTTP1_METHOD_MAX ? n : 0;
}

bool http1_line_has_version(struct bytes line)
{
	const uint8_t *version = line.at + line.len - HTTP1_VERSION_LEN;

	return line.len > HTTP1_VERSION_LEN && version[-1] == ' ' &&
	       !memcmp(version, "HTTP/1.", 7) && version[7] >= '0' && version[7] <= '9';
}

/* The start of a target of RFC 9112, 3.2; `in` begins with it. */
static enum verdict target_sniff(struct bytes method, struct bytes in)
{
	static const struct bytes schemes[] = { BYTES("http://"), BYTES("https://") };

	if (!in.len)
		return VERDICT_MAYBE;
	if (in.at[0] == '/' || in.at[0] == '*')
		return VERDICT_YES;
	if (bytes_equal(method, BYTES("CONNECT")))
		return in.at[0] > ' ' && in.at[0] != 0x7f ? VERDICT_YES : VERDICT_NO;
	for (size_t i = 0; i < 2; i++) {
		struct bytes start = bytes_first(in, schemes[i].len);

		if (bytes_equal_nocase(start, bytes_first(schemes[i], start.len)))
			return start.len == schemes[i].len ? VERDICT_YES : VERDICT_MAYBE;
	}
	return VERDICT_NO;
}

enum verdict http1_request_line_sniff(struct bytes in)
{
	const uint8_t *lf = in.len ? memchr(in.at, '\n', in.len) : NULL;
	struct bytes line = lf ? http1_line(in.at, lf) : in;
	size_t method_len = http1_method_len(line), at = method_len;
	struct bytes method = bytes_first(line, method_len);
	enum verdict target;

	if (!method_len || (at < line.len && line.at[at] != ' '))
		return VERDICT_NO;
	while (at < line.len && line.at[at] == ' ')
		at++;
	target = target_sniff(method, bytes_skip(line, at));
	if (target == VERDICT_NO)
		return VERDICT_NO;
	if (lf)
		return target == VERDICT_YES && http1_line_has_version(line) ? VERDICT_YES : VERDICT_NO;
	return target == VERDICT_YES && is_known(method) ? VERDICT_YES : VERDICT_MAYBE;
}

enum verdict http1_sniff_request(struct bytes head)
{
	ssize_t skip = http1_preamble_skip(head);

	return skip < 0 ? VERDICT_MAYBE : http1_request_line_sniff(bytes_skip(head, skip));
}

enum verdict http1_sniff_response(struct bytes head)
{
	static const char shape[] = "HTTP/1.9 999";	/* 9: any digit */

	for (size_t i = 0; i < sizeof(shape) - 1 && i < head.len; i++) {
		if (shape[i] == '9' ? head.at[i] < '0' || head.at[i] > '9' :
				      head.at[i] != (uint8_t)shape[i])
			return VERDICT_NO;
	}
	return head.len >= 7 ? VERDICT_YES : VERDICT_MAYBE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.0 and HTTP/1.1 (RFC 9110, 9112): heads of requests and responses, and how the body after
 * them is framed. Out: struct message, to pipeline/stream.c, which owns the bytes.
 */
#include <errno.h>

#include "model/semconv.h"
#include "protocol/http1.h"

/* Below 0x20, or 0x7f. Eight at a time: a borrow only ever starts at a byte that is one. */
static bool has_control(struct bytes line)
{
	const uint64_t ones = 0x0101010101010101, high = ones << 7;
	uint64_t word, deleted, found = 0;
	size_t i = 0;

	for (; i + 8 <= line.len; i += 8) {
		memcpy(&word, line.at + i, 8);
		deleted = word ^ 0x7f * ones;
		found |= (word - 0x20 * ones) & ~word & high;
		found |= (deleted - ones) & ~deleted & high;
	}
	for (; i < line.len; i++)
		found |= line.at[i] < 0x20 || line.at[i] == 0x7f;
	return found;
}

/* `in`, without a line feed: could more bytes make a request line of it? */
static ssize_t partial_request_line(struct bytes in)
{
	if (in.len && in.at[in.len - 1] == '\r')
		in.len--;
	if (has_control(in) || http1_request_line_sniff(in) == VERDICT_NO)
		return -EBADMSG;
	return -EAGAIN;
}

/* host[:port], without `user:password@`, which is nobody's business (RFC 9110, 4.2.4). */
static struct bytes authority_host(struct bytes authority)
{
	const uint8_t *at = authority.len ? memrchr(authority.at, '@', authority.len) : NULL;

	return at ? bytes_skip(authority, at + 1 - authority.at) : authority;
}

/* A fragment is no part of a request (RFC 9110, 7.1), and may hold a token: it is dropped. */
static void path_read(struct bytes path, struct message *message)
{
	const uint8_t *mark;

	mark = path.len ? memchr(path.at, '#', path.len) : NULL;
	if (mark)
		path.len = mark - path.at;
	mark = path.len ? memchr(path.at, '?', path.len) : NULL;
	message->target = mark ? bytes_of(path.at, mark - path.at) : path;
	if (mark)
		message->query = bytes_skip(path, mark + 1 - path.at);
}

/* http://authority/path or https://; no path means `/` (RFC 9110, 4.2.3). */
static int absolute_read(struct bytes target, struct message *message)
{
	static const struct bytes schemes[] = { BYTES("http"), BYTES("https") };
	ssize_t colon = bytes_find(target, BYTES("://"));
	struct bytes scheme, rest;
	size_t len = 0;

	if (colon < 0)
		return -EBADMSG;
	scheme = bytes_first(target, colon);
	if (!bytes_equal_nocase(scheme, schemes[0]) && !bytes_equal_nocase(scheme, schemes[1]))
		return -EBADMSG;

	rest = bytes_skip(target, colon + 3);
	while (len < rest.len && rest.at[len] != '/' && rest.at[len] != '?' && rest.at[len] != '#')
		len++;
	message->scheme = scheme;
	message->authority = bytes_first(rest, len);
	path_read(bytes_skip(rest, len), message);
	if (!message->target.len)
		message->target = bytes_of(target.at + colon + 1, 1);	/* a slash at hand */
	return 0;
}

static int target_read(struct bytes target, struct message *message)
{
	if (!target.len)
		return -EBADMSG;
	if (target.at[0] == '/') {
		path_read(target, message);
		return 0;
	}
	if (bytes_equal(message->operation, BYTES("CONNECT"))) {
		message->authority = target;
		message->expects_upgrade = true;
		return 0;
	}
	if (target.at[0] == '*') {
		message->target = target;
		return target.len == 1 ? 0 : -EBADMSG;
	}
	return absolute_read(target, message);
}

/* Bytes of the request line and its end at the front of `in`, -EAGAIN or -EBADMSG. */
static ssize_t request_line_read(struct bytes in, struct message *message)
{
	const uint8_t *lf = memchr(in.at, '\n', in.len);
	struct bytes line;
	size_t method_len;
	int r;

	if (!lf)
		return partial_request_line(in);
	line = http1_line(in.at, lf);
	method_len = http1_method_len(line);
	if (!method_len || !http1_line_has_version(line) || line.at[method_len] != ' ' ||
	    has_control(line))
		return -EBADMSG;

	message->operation = bytes_first(line, method_len);
	message->version = bytes_of(line.at + line.len - 3, 3);
	message->bodiless = bytes_equal(message->operation, BYTES("HEAD"));
	r = target_read(bytes_trim(bytes_of(line.at + method_len,
					    line.len - HTTP1_VERSION_LEN - method_len)), message);
	return r < 0 ? r : lf + 1 - in.at;
}

/* RFC 9112, 6.3, from its item 4 on; `without` is for a head that names no length. */
static int framing_decide(const struct http1_fields *fields, enum framing without,
			  struct message *message)
{
	if (fields->chunked) {
		message->framing = FRAMING_CHUNKED;
	} else if (fields->coded) {
		message->framing = message->cut ? FRAMING_UNKNOWN : FRAMING_CLOSE;
	} else if (fields->bad_length) {
		return -EBADMSG;
	} else if (fields->has_length) {
		message->framing = FRAMING_LENGTH;
		message->body_bytes = fields->length;
	} else {
		message->framing = message->cut ? FRAMING_UNKNOWN : without;
	}
	return 0;
}

/* RFC 9112, 9.3. A cut head may have hidden a keep-alive. */
static bool connection_closes(const struct message *message, const struct http1_fields *fields)
{
	return fields->close ||
	       (message->version.at[2] == '0' && !fields->keep_alive && !message->cut);
}

static ssize_t request_read(struct bytes in, bool last, struct message *message)
{
	ssize_t start = http1_preamble_skip(in), line, rest;
	struct http1_fields fields;
	int r;

	if (start < 0)
		return start;
	in = bytes_skip(in, start);
	line = request_line_read(in, message);
	if (line < 0)
		return line;
	rest = http1_request_fields_read(bytes_skip(in, line), message, &fields);
	if (rest < 0 && !last)
		return rest;

	message->cut = rest < 0;
	message->authority = authority_host(message->authority);
	message->expects_upgrade |= fields.upgrade;
	message->closes = connection_closes(message, &fields);
	r = framing_decide(&fields, FRAMING_NONE, message);
	if (r < 0)
		return r;
	if (message->framing == FRAMING_CLOSE)
		return -EBADMSG;	/* a request ends before its response (RFC 9112, 6.3, item 4) */
	return message->cut ? (ssize_t)(start + in.len) : start + line + rest;
}

/* Bytes of the status line and its end at the front of `in`, -EAGAIN or -EBADMSG. */
static ssize_t status_line_read(struct bytes in, struct message *message)
{
	const uint8_t *lf = in.len ? memchr(in.at, '\n', in.len) : NULL;
	struct bytes line = lf ? http1_line(in.at, lf) : in;

	if (http1_sniff_response(line) == VERDICT_NO)
		return -EBADMSG;
	if (!lf)
		return -EAGAIN;
	if (line.len < 12 || line.at[9] == '0' || (line.len > 12 && line.at[12] != ' '))
		return -EBADMSG;

	message->version = bytes_of(line.at + 5, 3);
	message->code = (line.at[9] - '0') * 100 + (line.at[10] - '0') * 10 + line.at[11] - '0';
	return lf + 1 - in.at;
}

/* What status and request say before any header field (RFC 9112, 6.3, items 1 and 2). */
static bool status_decides_framing(const struct message *request, struct message *message)
{
	int64_t code = message->code;

	message->interim = code < 200 && code != 101;
	if (code == 101 || (code / 100 == 2 && request &&
			    bytes_equal(request->operation, BYTES("CONNECT")))) {
		message->framing = FRAMING_UPGRADE;
		return true;
	}
	message->framing = FRAMING_NONE;
	return code < 200 || code == 204 || code == 304 || (request && request->bodiless);
}

static ssize_t response_read(struct bytes in, bool last, const struct message *request,
			     struct message *message)
{
	ssize_t line = status_line_read(in, message), rest;
	struct http1_fields fields;
	int r;

	if (line < 0)
		return line;
	rest = http1_response_fields_read(bytes_skip(in, line), &fields);
	if (rest < 0 && !last)
		return rest;

	message->cut = rest < 0;
	message->closes = connection_closes(message, &fields);
	if (!status_decides_framing(request, message)) {
		r = framing_decide(&fields, FRAMING_CLOSE, message);
		if (r < 0)
			return r;
		message->closes |= message->framing == FRAMING_CLOSE;
	}
	return message->cut ? (ssize_t)in.len : line + rest;
}

/* `r` of a reader that saw the first HTTP1_HEAD_MAX of `in`, as the result of a parser. */
static ssize_t head_end(ssize_t r, struct bytes in, bool last, const struct message *message,
			struct message *ret_message)
{
	if (r == -EAGAIN && (last || in.len > HTTP1_HEAD_MAX))
		return -EBADMSG;
	if (r < 0)
		return r;

	*ret_message = *message;
	return message->cut ? (ssize_t)in.len : r;
}

static ssize_t parse_request(struct bytes in, bool last, struct message *ret_message)
{
	struct message message = { 0 };
	ssize_t r = request_read(bytes_first(in, HTTP1_HEAD_MAX), last, &message);

	return head_end(r, in, last, &message, ret_message);
}

static ssize_t parse_response(struct bytes in, bool last, const struct message *request,
			      struct message *ret_message)
{
	struct message message = { 0 };
	ssize_t r = response_read(bytes_first(in, HTTP1_HEAD_MAX), last, request, &message);

	return head_end(r, in, last, &message, ret_message);
}

const struct protocol http1_protocol = {
	.name = "http1",
	.port = 80,
	.semconv = &http_semconv,
	.sniff_request = http1_sniff_request,
	.sniff_response = http1_sniff_response,
	.parse_request = parse_request,
	.parse_response = parse_response,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of HTTP/1.x share; nobody else includes this. Head: RFC 9112, 2 to 6. */
#ifndef SONDE_PROTOCOL_HTTP1_H
#define SONDE_PROTOCOL_HTTP1_H

#include "protocol/protocol.h"

#define HTTP1_HEAD_MAX 65536	/* bytes; servers refuse heads far smaller than this */
#define HTTP1_METHOD_MAX 20	/* bytes; the longest registered is 17 */
#define HTTP1_VERSION_LEN 8	/* HTTP/1.1 */

/* What the header fields of one head say about framing and the connection. */
struct http1_fields {
	uint64_t length;	/* Content-Length, when `has_length` */
	bool has_length;
	bool bad_length;	/* not a number, or two that differ */
	bool coded;		/* a transfer coding other than identity was named */
	bool chunked;		/* and the last one was chunked */
	bool upgrade, close, keep_alive;
};

/*
 * Bytes to pass over before a request line: a PROXY protocol header, then empty lines (RFC 9112,
 * 2.2). -EAGAIN: `in` ends before a request line begins.
 */
ssize_t http1_preamble_skip(struct bytes in);

/*
 * Is this the start of a request line? Without its line feed in `in`: could it still become one.
 * The preamble is passed over already.
 */
enum verdict http1_request_line_sniff(struct bytes in);

enum verdict http1_sniff_request(struct bytes head);
enum verdict http1_sniff_response(struct bytes head);

/* Length of the method at the start of `in`, 0 when there is none; in.len: it may go on. */
size_t http1_method_len(struct bytes in);

/* Does this line, stripped of its end, close with ` HTTP/1.x`? */
bool http1_line_has_version(struct bytes line);

/* The line up to `lf`, its line feed, without that and one carriage return before it. */
static inline struct bytes http1_line(const uint8_t *at, const uint8_t *lf)
{
	return (struct bytes){ at, (size_t)(lf - at) - (lf > at && lf[-1] == '\r') };
}

/*
 * Read the header fields at the front of `in` up to and with the empty line. Return bytes
 * consumed, or -EAGAIN when there is no empty line: the outputs hold what whole lines said.
 * Of a request, authority, user_agent, traceparent and forwarded_for of `message` are set.
 */
ssize_t http1_request_fields_read(struct bytes in, struct message *message,
				  struct http1_fields *ret_fields);
ssize_t http1_response_fields_read(struct bytes in, struct http1_fields *ret_fields);

#endif

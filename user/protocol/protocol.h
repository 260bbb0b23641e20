/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One wire protocol. Implementations are pure: bytes in, message out; no clock, no I/O, no
 * allocation, no global state. Everything read from a peer is hostile.
 *
 * The caller (pipeline/stream.c) owns the byte stream. It asks for the head of a message and is
 * told how the body is framed; bodies are skipped, mostly unseen, by the caller's arithmetic.
 *
 * Texts of a message are as the peer wrote them: without control bytes in operation, target, query
 * and version, but perhaps not UTF-8.
 */
#ifndef SONDE_PROTOCOL_PROTOCOL_H
#define SONDE_PROTOCOL_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

struct semconv;

enum verdict { VERDICT_NO, VERDICT_MAYBE, VERDICT_YES };	/* MAYBE: too few bytes to say */

/* How the bytes after the head are framed. */
enum framing {
	FRAMING_NONE,		/* no body */
	FRAMING_LENGTH,		/* body_bytes of them */
	FRAMING_CHUNKED,	/* transfer coding "chunked" (RFC 9112, 7.1) */
	FRAMING_CLOSE,		/* until this direction closes */
	FRAMING_UNKNOWN,	/* the head was cut before it said: until the other side speaks */
	FRAMING_UPGRADE,	/* another protocol from here on: stop reading this connection */
};

/* A head, taken apart. Bytes point into what was given to the parser. */
struct message {
	struct bytes operation;		/* request: HTTP method */
	struct bytes target;		/* request: path, without query and authority */
	struct bytes query;		/* request: after `?` */
	struct bytes authority;		/* request: from an absolute-form target, else from Host */
	struct bytes scheme;		/* request: from an absolute-form target, else empty */
	struct bytes version;		/* "1.1" */
	struct bytes user_agent;	/* request */
	struct bytes traceparent;	/* request: W3C Trace Context header, unverified */
	struct bytes forwarded_for;	/* request: X-Forwarded-For or Forwarded, unverified */
	int64_t code;			/* response: status; 0 in requests */
	bool interim;			/* response: another one to the same request follows (1xx) */
	bool closes;			/* this message ends the use of the connection */
	bool expects_upgrade;		/* request: asks for another protocol (Upgrade, CONNECT) */
	bool bodiless;			/* request: its response has no body whatever it says (HEAD) */
	bool cut;			/* parsed from an incomplete head: fields may be missing */
	enum framing framing;
	uint64_t body_bytes;		/* FRAMING_LENGTH */
};

struct protocol {
	const char *name;	/* value of the `protocol` label and of `protocols` in the configuration */
	uint16_t port;		/* usual server port, host order: a hint for sniff order only */
	const struct semconv *semconv;

	/* Could a stream of this protocol's requests (or responses) begin, or go on, with this? */
	enum verdict (*sniff_request)(struct bytes head);
	enum verdict (*sniff_response)(struct bytes head);

	/*
	 * Take one head off the front of `in`. Returns the bytes consumed (> 0), body not included; or
	 * -EAGAIN: incomplete, call again with more; -EBADMSG: not this protocol, or joined midway:
	 * the caller resynchronises. With `last` no more bytes of this head can be had: what
	 * is there is taken as a cut head (message.cut, all of `in` consumed) rather than -EAGAIN, if it
	 * holds at least a whole request or status line; else -EBADMSG.
	 * `ret_message` is set only on success.
	 */
	ssize_t (*parse_request)(struct bytes in, bool last, struct message *ret_message);

	/*
	 * `request` is the message this answers, as remembered: only operation, bodiless and
	 * expects_upgrade are looked at; NULL when unknown.
	 */
	ssize_t (*parse_response)(struct bytes in, bool last, const struct message *request,
				  struct message *ret_message);
};

extern const struct protocol http1_protocol;

/* The one list; strict magic first, guesses last; NULL at the end. */
extern const struct protocol *const protocols[];

/*
 * Progress through a chunked body (RFC 9112, 7.1), part of which may be unseen. Zeroed: at its
 * start.
 */
struct chunked {
	uint8_t state;		/* private */
	uint8_t digits;		/* private */
	bool lost;		/* unseen bytes hid a chunk's size: only the end of calls is looked at */
	uint64_t left;		/* data bytes of the present chunk to come */
	uint64_t body_bytes;	/* data bytes so far; a lower bound when lost */
};

/*
 * Feeds seen bytes. Returns bytes consumed: less than in.len, or equal with *ret_end set, when the
 * body ended there; -EBADMSG, with nothing changed, when this is not chunked coding. When lost, all
 * bytes are consumed and the end is not found here.
 */
ssize_t chunked_feed(struct chunked *chunked, struct bytes in, bool *ret_end);

/*
 * `n` bytes passed unseen, before what is fed next. Up to the rest of a chunk and its line end,
 * the place is still known; beyond it is lost.
 */
void chunked_skip(struct chunked *chunked, uint64_t n);

/*
 * When lost: do these last bytes of a call look like the last chunk ("0\r\n\r\n", preceded by CRLF
 * or alone)? Sets nothing.
 */
bool chunked_ends_with_last(struct bytes tail);

#endif

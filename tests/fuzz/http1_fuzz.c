/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads of HTTP/1.x, requests and responses. The first byte of the input says what request a
 * response answers, the next two where a cut is made; the rest comes from the peer.
 *
 * Holds: nothing outside the input is read or pointed at; a parser never consumes more than it
 * was given; a piece says the same as the whole, or asks for more; sniffing never rules out what
 * parses.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "protocol/protocol.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static const struct message requests[] = {
	{ .operation = BYTES("GET") },
	{ .operation = BYTES("HEAD"), .bodiless = true },
	{ .operation = BYTES("CONNECT"), .expects_upgrade = true },
};

enum side { REQUEST, RESPONSE };

static ssize_t parse(enum side side, struct bytes in, bool last, const struct message *request,
		     struct message *ret_message)
{
	if (side == REQUEST)
		return http1_protocol.parse_request(in, last, ret_message);
	return http1_protocol.parse_response(in, last, request, ret_message);
}

static void is_inside(struct bytes part, struct bytes in)
{
	MUST(!part.len || (part.at >= in.at && part.at + part.len <= in.at + in.len));
}

/* Calls for each text of two messages. */
static void each_part(const struct message *a, struct bytes a_in, const struct message *b,
		      struct bytes b_in, void (*call)(struct bytes, struct bytes, struct bytes,
						      struct bytes))
{
	static const size_t parts[] = {
		offsetof(struct message, operation), offsetof(struct message, target),
		offsetof(struct message, query), offsetof(struct message, authority),
		offsetof(struct message, scheme), offsetof(struct message, version),
		offsetof(struct message, user_agent), offsetof(struct message, traceparent),
		offsetof(struct message, forwarded_for),
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		call(*(const struct bytes *)((const char *)a + parts[i]), a_in,
		     *(const struct bytes *)((const char *)b + parts[i]), b_in);
}

static void part_is_inside(struct bytes part, struct bytes in, struct bytes same,
			   struct bytes same_in)
{
	is_inside(part, in);
}

static void part_is_same(struct bytes a, struct bytes a_in, struct bytes b, struct bytes b_in)
{
	MUST(a.len == b.len);
	MUST(!a.len || a.at - a_in.at == b.at - b_in.at);
}

static void is_sane(enum side side, struct bytes in, bool last, ssize_t r,
		    const struct message *message)
{
	MUST(r != 0 && r <= (ssize_t)in.len);
	MUST(r > 0 || r == -EBADMSG || (r == -EAGAIN && !last));
	if (r < 0)
		return;

	each_part(message, in, message, in, part_is_inside);
	MUST(message->version.len == 3);
	MUST(!message->cut || (last && r == (ssize_t)in.len));
	MUST(message->cut || message->framing != FRAMING_UNKNOWN);
	MUST(!message->body_bytes || message->framing == FRAMING_LENGTH);
	if (side == REQUEST) {
		MUST(message->operation.len && message->operation.len <= 20 && !message->code);
		MUST(message->framing != FRAMING_CLOSE && message->framing != FRAMING_UPGRADE);
		MUST(http1_protocol.sniff_request(in) == VERDICT_YES);
	} else {
		MUST(!message->operation.len && message->code >= 100 && message->code <= 999);
		MUST(message->framing != FRAMING_CLOSE || message->closes);
		MUST(http1_protocol.sniff_response(in) == VERDICT_YES);
	}
}

static void is_same(const struct message *a, struct bytes a_in, const struct message *b,
		    struct bytes b_in)
{
	each_part(a, a_in, b, b_in, part_is_same);
	MUST(a->code == b->code && a->interim == b->interim && a->closes == b->closes);
	MUST(a->expects_upgrade == b->expects_upgrade && a->bodiless == b->bodiless);
	MUST(a->cut == b->cut && a->framing == b->framing && a->body_bytes == b->body_bytes);
}

/* A piece of the input, in memory of its own: AddressSanitizer sees a byte read too many. */
static struct bytes piece_of(struct bytes in, size_t len)
{
	uint8_t *at = malloc(len);

	if (len)
		memcpy(at, in.at, len);
	return bytes_of(at, len);
}

static void try_side(enum side side, struct bytes in, size_t cut, const struct message *request)
{
	struct message whole, part;
	struct bytes piece = piece_of(in, cut);
	ssize_t r = parse(side, in, false, request, &whole), more;

	is_sane(side, in, false, r, &whole);
	more = parse(side, piece, false, request, &part);
	is_sane(side, piece, false, more, &part);
	if (more != -EAGAIN)
		MUST(more == r);
	if (more > 0)
		is_same(&part, piece, &whole, in);

	more = parse(side, piece, true, request, &part);
	is_sane(side, piece, true, more, &part);
	if (r > 0 && r <= (ssize_t)cut)
		is_same(&part, piece, &whole, in);
	if (r > 0 && more > 0) {
		part_is_same(part.operation, piece, whole.operation, in);
		part_is_same(part.target, piece, whole.target, in);
		MUST(part.code == whole.code);
	}
	if (r > 0)
		MUST((side == REQUEST ? http1_protocol.sniff_request(piece) :
					http1_protocol.sniff_response(piece)) != VERDICT_NO);
	free((void *)piece.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct message *request = NULL;
	struct bytes in;
	size_t cut;

	if (size < 3)
		return 0;
	if (data[0] % 4 < ARRAY_LEN(requests))
		request = &requests[data[0] % 4];
	in = piece_of(bytes_of(data + 3, size - 3), size - 3);
	cut = (data[1] << 8 | data[2]) % (in.len + 1);

	try_side(REQUEST, in, cut, request);
	try_side(RESPONSE, in, cut, request);
	free((void *)in.at);
	return 0;
}

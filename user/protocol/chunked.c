/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunked transfer coding (RFC 9112, 7.1), only to find where it ends: data is counted and
 * passed over, and most of it is never seen. Bare line feeds are taken as line ends.
 * Called by pipeline/stream.c after a head whose framing is FRAMING_CHUNKED.
 */
#include <errno.h>

#include "protocol/protocol.h"

#define DIGITS_MAX 16	/* hexadecimal: 64 bits */

enum state {
	SIZE,		/* digits of the size; must be 0: a zeroed struct starts here */
	EXTENSION,	/* the rest of that line */
	SIZE_LF,	/* after its carriage return */
	DATA,
	DATA_CR,	/* line end after the data */
	DATA_LF,
	TRAILER,	/* at the start of a line after the last chunk */
	TRAILER_LINE,	/* inside one */
	TRAILER_LF,	/* after the carriage return of an empty one */
	END,
};

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int size_byte(struct chunked *chunked, uint8_t c)
{
	int digit = digit_of(c);

	if (digit >= 0) {
		if (++chunked->digits > DIGITS_MAX)
			return -EBADMSG;
		chunked->left = chunked->left << 4 | digit;
		return 0;
	}
	if (!chunked->digits)
		return -EBADMSG;
	switch (c) {
	case '\r':
		chunked->state = SIZE_LF;
		return 0;
	case '\n':
		chunked->state = chunked->left ? DATA : TRAILER;
		return 0;
	case ';':
	case ' ':
	case '\t':
		chunked->state = EXTENSION;
		return 0;
	default:
		return -EBADMSG;
	}
}

/* A line feed, or a carriage return when one leads to `after_cr`; -EBADMSG for anything else. */
static int line_end_byte(struct chunked *chunked, uint8_t c, enum state after_lf,
			 enum state after_cr)
{
	if (c == '\n')
		chunked->state = after_lf;
	else if (c == '\r' && chunked->state != after_cr)
		chunked->state = after_cr;
	else
		return -EBADMSG;
	return 0;
}

/* One byte in any state but those of run_pass(). */
static int framing_byte(struct chunked *chunked, uint8_t c)
{
	switch ((enum state)chunked->state) {
	case SIZE:
		return size_byte(chunked, c);
	case SIZE_LF:
		return line_end_byte(chunked, c, chunked->left ? DATA : TRAILER, SIZE_LF);
	case DATA_CR:
	case DATA_LF:
		chunked->digits = 0;
		return line_end_byte(chunked, c, SIZE, DATA_LF);
	case TRAILER:
		if (c != '\r' && c != '\n') {
			chunked->state = TRAILER_LINE;
			return 0;
		}
		return line_end_byte(chunked, c, END, TRAILER_LF);
	case TRAILER_LF:
		return line_end_byte(chunked, c, END, TRAILER_LF);
	default:
		return -EBADMSG;
	}
}

/* `n` bytes of data, at most those left, counted. */
static int data_pass(struct chunked *chunked, uint64_t n)
{
	uint64_t body_bytes;

	if (__builtin_add_overflow(chunked->body_bytes, n, &body_bytes))
		return -EBADMSG;
	chunked->body_bytes = body_bytes;
	chunked->left -= n;
	if (!chunked->left)
		chunked->state = DATA_CR;
	return 0;
}

/* The length of the run at the front of `in` whose bytes need no look each; may be 0. */
static ssize_t run_pass(struct chunked *chunked, struct bytes in)
{
	const uint8_t *lf;
	size_t n;
	int r;

	switch ((enum state)chunked->state) {
	case DATA:
		n = in.len < chunked->left ? in.len : chunked->left;
		r = data_pass(chunked, n);
		return r < 0 ? r : (ssize_t)n;
	case EXTENSION:
	case TRAILER_LINE:
		lf = memchr(in.at, '\n', in.len);
		if (!lf)
			return in.len;
		if (chunked->state == TRAILER_LINE)
			chunked->state = TRAILER;
		else
			chunked->state = chunked->left ? DATA : TRAILER;
		return lf + 1 - in.at;
	default:
		return 0;
	}
}

ssize_t chunked_feed(struct chunked *chunked, struct bytes in, bool *ret_end)
{
	struct chunked now = *chunked;
	size_t at = 0;

	if (now.lost)
		at = in.len;
	while (at < in.len && now.state != END) {
		ssize_t run = run_pass(&now, bytes_skip(in, at));

		if (run < 0)
			return run;
		if (!run && framing_byte(&now, in.at[at]) < 0)
			return -EBADMSG;
		at += run ? run : 1;
	}

	*chunked = now;
	*ret_end = now.state == END;
	return at;
}

/*
 * The line end after the data may be among the unseen: it is the usual end of one call, and a
 * size can only follow in the next. Beyond that a size was hidden.
 */
void chunked_skip(struct chunked *chunked, uint64_t n)
{
	uint64_t data;

	if (!n || chunked->lost || chunked->state == END)
		return;
	if (chunked->state == DATA) {
		data = n < chunked->left ? n : chunked->left;
		chunked->lost = data_pass(chunked, data) < 0;
		n -= data;
	}
	if (n && chunked->state == DATA_CR) {
		chunked->state = DATA_LF;
		n--;
	}
	if (n && chunked->state == DATA_LF) {
		chunked->state = SIZE;
		chunked->digits = 0;
		n--;
	}
	if (n)
		chunked->lost = true;
}

bool chunked_ends_with_last(struct bytes tail)
{
	const struct bytes last = BYTES("\r\n0\r\n\r\n");

	if (tail.len >= last.len)
		return bytes_end_with(tail, last);
	return tail.len >= 5 && bytes_end_with(last, tail);
}

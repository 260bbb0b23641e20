/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a maximum; the only place where data-sized memory grows. */
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define FIRST_CAPACITY 64	/* bytes */

static int refuse(struct buf *buf)
{
	buf->failed = true;
	return -ENOSPC;
}

int buf_reserve(struct buf *buf, size_t len)
{
	size_t need, capacity;
	uint8_t *at;

	if (buf->capacity - buf->len >= len)
		return 0;
	if (__builtin_add_overflow(buf->len, len, &need) || need > buf->max || need >= PTRDIFF_MAX)
		return refuse(buf);

	capacity = MAX(MAX(buf->capacity * 2, need), (size_t)FIRST_CAPACITY);
	capacity = MIN(capacity, buf->max);
	at = realloc(buf->at, capacity + 1);	/* the spare byte takes the NUL of vsnprintf() */
	if (!at)
		return refuse(buf);

	buf->at = at;
	buf->capacity = capacity;
	return 0;
}

int buf_add(struct buf *buf, const void *at, size_t len)
{
	int r;

	if (!len)
		return 0;
	r = buf_reserve(buf, len);
	if (r < 0)
		return r;
	memcpy(buf->at + buf->len, at, len);
	buf->len += len;
	return 0;
}

int buf_add_bytes(struct buf *buf, struct bytes bytes)
{
	return buf_add(buf, bytes.at, bytes.len);
}

int buf_add_text(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

int buf_add_byte(struct buf *buf, uint8_t byte)
{
	return buf_add(buf, &byte, 1);
}

/* Formats into the room there is. Returns the length it would take, negative on a bad format. */
__attribute__((format(printf, 2, 0)))
static int format_here(struct buf *buf, const char *format, va_list args)
{
	if (!buf->at)
		return vsnprintf(NULL, 0, format, args);
	return vsnprintf((char *)buf->at + buf->len, buf->capacity - buf->len + 1, format, args);
}

int buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int len, r;

	va_start(args, format);
	len = format_here(buf, format, args);
	va_end(args);
	if (len < 0)
		return refuse(buf);

	if ((size_t)len > buf->capacity - buf->len) {
		r = buf_reserve(buf, len);
		if (r < 0)
			return r;
		va_start(args, format);
		len = format_here(buf, format, args);
		va_end(args);
	}
	buf->len += len;
	return 0;
}

/* How many bytes at the front of `b` stand for themselves inside a JSON string. */
static size_t plain_run(struct bytes b)
{
	size_t run = 0;

	while (run < b.len) {
		uint8_t c = b.at[run];
		size_t len = utf8_sequence(bytes_skip(b, run));

		if (c < 0x20 || c == '"' || c == '\\' || !len)
			break;
		run += len;
	}
	return run;
}

static int add_escaped(struct buf *buf, uint8_t c)
{
	static const char escapes[128] = {
		['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
		['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};
	char pair[2] = { '\\' };

	if (c >= 0x80)
		return buf_add_text(buf, "\xef\xbf\xbd");	/* U+FFFD */
	if (!escapes[c])
		return buf_printf(buf, "\\u%04x", c);
	pair[1] = escapes[c];
	return buf_add(buf, pair, sizeof(pair));
}

int buf_add_json(struct buf *buf, struct bytes text)
{
	size_t start = buf->len;
	int r = 0;

	while (text.len && !r) {
		size_t run = plain_run(text);

		if (run) {
			r = buf_add(buf, text.at, run);
			text = bytes_skip(text, run);
		} else {
			r = add_escaped(buf, text.at[0]);
			text = bytes_skip(text, 1);
		}
	}
	if (r < 0)
		buf->len = start;	/* all or nothing */
	return r;
}

void buf_done(struct buf *buf)
{
	free(buf->at);
	buf_init(buf, buf->max);
}

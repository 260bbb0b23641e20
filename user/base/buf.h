/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a maximum given at the start. An addition that would pass the
 * maximum (or finds no memory) adds nothing and marks the buffer `failed`, so that a writer
 * may add freely and check once at the end.
 */
#ifndef SONDE_BASE_BUF_H
#define SONDE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct buf {
	uint8_t *at;
	size_t len, capacity, max;	/* bytes */
	bool failed;			/* an addition was refused since the last reset */
};

/* No memory is taken before the first addition. */
static inline void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

/* Makes room for `len` more bytes. Returns 0, or -ENOSPC with `failed` set. */
int buf_reserve(struct buf *buf, size_t len);

int buf_add(struct buf *buf, const void *at, size_t len);
int buf_add_bytes(struct buf *buf, struct bytes bytes);
int buf_add_text(struct buf *buf, const char *text);
int buf_add_byte(struct buf *buf, uint8_t byte);

/* -ENOSPC with `failed` set also when the C library cannot format it. */
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds `text` as the inside of a JSON string (RFC 8259, 7), each byte not UTF-8 as U+FFFD. */
int buf_add_json(struct buf *buf, struct bytes text);

/* Empties the buffer and clears `failed`; keeps the memory. */
static inline void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

/* Gives the memory back; the buffer may be used again, with the same maximum. */
void buf_done(struct buf *buf);

static inline struct bytes buf_bytes(const struct buf *buf)
{
	return (struct bytes){ buf->at, buf->len };
}

#endif

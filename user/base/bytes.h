/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Borrowed runs of bytes: a pointer and a length, never NUL-terminated, never owned.
 * Whoever hands one out says how long it lives.
 */
#ifndef SONDE_BASE_BYTES_H
#define SONDE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

struct bytes {
	const uint8_t *at;	/* NULL only when len is 0 */
	size_t len;
};

/* A string literal as bytes, without its NUL. */
#define BYTES(literal) ((struct bytes){ (const uint8_t *)("" literal), sizeof(literal) - 1 })

/* For printf("%.*s", BYTES_ARG(x)). */
#define BYTES_ARG(b) (int)(b).len, (const char *)(b).at

static inline struct bytes bytes_of(const void *at, size_t len)
{
	return (struct bytes){ at, len };
}

/* `text` may be NULL: no bytes. */
static inline struct bytes bytes_of_text(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, text ? strlen(text) : 0 };
}

/* All but the first n bytes; none when there are fewer than n. */
static inline struct bytes bytes_skip(struct bytes b, size_t n)
{
	if (n > b.len)
		n = b.len;
	return (struct bytes){ b.at ? b.at + n : NULL, b.len - n };
}

/* The first n bytes, or all of them when there are fewer. */
static inline struct bytes bytes_first(struct bytes b, size_t n)
{
	return (struct bytes){ b.at, n < b.len ? n : b.len };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (!a.len || !memcmp(a.at, b.at, a.len));
}

static inline bool bytes_start_with(struct bytes b, struct bytes prefix)
{
	return b.len >= prefix.len && (!prefix.len || !memcmp(b.at, prefix.at, prefix.len));
}

static inline bool bytes_end_with(struct bytes b, struct bytes suffix)
{
	return b.len >= suffix.len &&
	       (!suffix.len || !memcmp(b.at + b.len - suffix.len, suffix.at, suffix.len));
}

/* ASCII letters compare alike in either case; all other bytes as they are (RFC 9110, 5.1). */
bool bytes_equal_nocase(struct bytes a, struct bytes b);

/* Index of the first `byte`, or -1. */
ssize_t bytes_index(struct bytes b, uint8_t byte);

/* Index of the first occurrence of `needle`, or -1. */
ssize_t bytes_find(struct bytes b, struct bytes needle);

/* Without leading and trailing spaces and tabs. */
struct bytes bytes_trim(struct bytes b);

/*
 * A whole run of ASCII digits as a number. Returns 0, -EINVAL (empty, or another byte among
 * them) or -ERANGE (above UINT64_MAX); *ret_value is set only on success.
 */
int bytes_to_u64(struct bytes b, uint64_t *ret_value);

/*
 * Length of the well-formed UTF-8 sequence at the front of `b` (RFC 3629, 4: no overlong forms,
 * no surrogates, nothing above U+10FFFF), 0 when there is none. `b` is not empty.
 */
size_t utf8_sequence(struct bytes b);

/* Is all of it well-formed UTF-8? Fast for ASCII. */
bool bytes_are_utf8(struct bytes b);

#endif

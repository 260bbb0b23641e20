/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed runs of bytes: comparing, searching, reading numbers. */
#include "base/bytes.h"

#include <errno.h>

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;	/* not tolower(): the locale has no say */
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	}
	return true;
}

ssize_t bytes_index(struct bytes b, uint8_t byte)
{
	const uint8_t *found = b.len ? memchr(b.at, byte, b.len) : NULL;

	return found ? found - b.at : -1;
}

ssize_t bytes_find(struct bytes b, struct bytes needle)
{
	const uint8_t *found;

	if (!needle.len)
		return 0;
	if (b.len < needle.len)
		return -1;
	found = memmem(b.at, b.len, needle.at, needle.len);
	return found ? found - b.at : -1;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct bytes bytes_trim(struct bytes b)
{
	while (b.len && is_blank(b.at[0]))
		b = bytes_skip(b, 1);
	while (b.len && is_blank(b.at[b.len - 1]))
		b.len--;
	return b;
}

int bytes_to_u64(struct bytes b, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool overflow = false;

	if (!b.len)
		return -EINVAL;
	for (size_t i = 0; i < b.len; i++) {
		if (b.at[i] < '0' || b.at[i] > '9')
			return -EINVAL;
		overflow |= __builtin_mul_overflow(value, 10, &value);
		overflow |= __builtin_add_overflow(value, b.at[i] - '0', &value);
	}
	if (overflow)
		return -ERANGE;

	*ret_value = value;
	return 0;
}

static bool is_continuation(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_sequence(struct bytes b)
{
	uint8_t first = b.at[0], low = 0x80, high = 0xbf;
	size_t len;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (b.len < len)
		return 0;

	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (b.at[1] < low || b.at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (!is_continuation(b.at[i]))
			return 0;
	}
	return len;
}

/* Eight bytes at a time, the last eight maybe twice. */
static bool are_ascii(struct bytes b)
{
	uint64_t word, any = 0;

	if (b.len < sizeof(word)) {
		for (size_t i = 0; i < b.len; i++)
			any |= b.at[i];
		return any < 0x80;
	}
	for (size_t i = 0; i < b.len - sizeof(word); i += sizeof(word)) {
		memcpy(&word, b.at + i, sizeof(word));
		any |= word;
	}
	memcpy(&word, b.at + b.len - sizeof(word), sizeof(word));
	return !((any | word) & 0x8080808080808080);
}

bool bytes_are_utf8(struct bytes b)
{
	size_t len;

	if (are_ascii(b))
		return true;
	for (; b.len; b = bytes_skip(b, len)) {
		len = utf8_sequence(b);
		if (!len)
			return false;
	}
	return true;
}

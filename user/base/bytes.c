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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The valid name nearest to a mistyped one, for messages. Distance is the number of inserted,
 * deleted, replaced or swapped neighbouring letters (optimal string alignment); letter case does
 * not count.
 */
#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/config.h"

#define NAME_MAX_BYTES 80	/* longer names are no typing mistakes of ours */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	return MIN(MIN(a, b), c);
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Three rows of the distance matrix are enough: swaps look back two. */
static unsigned distance_of(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NAME_MAX_BYTES + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2], *spare;

	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1,
				      last[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

const char *nearest_name(const char *name, const char *const *candidates)
{
	size_t len = strnlen(name, NAME_MAX_BYTES + 1);
	const char *nearest = NULL;
	unsigned least = len / 3 + 1;

	if (len > NAME_MAX_BYTES)
		return NULL;
	for (; *candidates; candidates++) {
		size_t candidate_len = strlen(*candidates);
		unsigned distance;

		if (candidate_len > NAME_MAX_BYTES)
			continue;
		distance = distance_of(name, len, *candidates, candidate_len);
		if (distance < least) {
			least = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}

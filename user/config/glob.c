/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shell-style patterns over executables and container ids. One place to go back to is enough
 * for any number of stars: what an earlier star matched never needs to change once a later
 * star is reached. At most (elements of the pattern) times (bytes of the text) comparisons.
 */
#include <string.h>

#include "config/config.h"

/*
 * The class that starts at `at`, which points to '['. Returns the byte after ']' with
 * *ret_match set, or NULL when it never closes: then '[' stands for itself.
 */
static const char *match_class(const char *at, unsigned char byte, bool *ret_match)
{
	bool negated, match = false;
	const char *first;

	at++;
	negated = *at == '!' || *at == '^';
	at += negated;
	for (first = at; *at && (*at != ']' || at == first); at++) {
		unsigned char low = *at, high;

		if (at[1] == '-' && at[2] && at[2] != ']')
			at += 2;
		high = *at;
		match |= low <= byte && byte <= high;
	}
	if (!*at)
		return NULL;
	*ret_match = match != negated;
	return at + 1;
}

/* The pattern after its one element at `at` if that matches `byte`, else NULL. Not for '*'. */
static const char *match_one(const char *at, char byte)
{
	const char *end;
	bool match = false;

	switch (*at) {
	case '\0':
		return NULL;
	case '?':
		return at + 1;
	case '[':
		end = match_class(at, byte, &match);
		if (end)
			return match ? end : NULL;
		break;
	case '\\':
		if (at[1])
			at++;
		break;
	}
	return *at == byte ? at + 1 : NULL;
}

bool glob_match(const char *pattern, const char *text)
{
	const char *after_star = NULL, *star_text = NULL, *next;

	while (*text) {
		if (*pattern == '*') {
			after_star = ++pattern;
			star_text = text;
			continue;
		}
		next = match_one(pattern, *text);
		if (next) {
			pattern = next;
			text++;
		} else if (after_star) {
			pattern = after_star;
			text = ++star_text;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

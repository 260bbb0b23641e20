/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configured routes against paths. Patterns are read anew for each path: that is a look at a few
 * bytes, and only for paths that route.c has not seen lately.
 */
#include "pipeline/route_pattern.h"

#include <errno.h>

#include "pipeline/route_heuristic.h"

/* One segment of a pattern: literal text around at most one wild part. */
struct part {
	bool wild;
	struct bytes before, after;	/* all of it is `before` when nothing is wild */
};

/* Where the wild part that starts at `at` ends; 0: it does not. */
static size_t wild_end(struct bytes text, size_t at)
{
	ssize_t close;

	if (text.at[at] == '*')
		return at + 1;
	if (text.at[at] == ':')
		return text.len;
	close = bytes_index(bytes_skip(text, at), '}');
	return close < 0 ? 0 : at + close + 1;
}

static bool starts_wild(struct bytes text, size_t at)
{
	return text.at[at] == '*' || text.at[at] == '{' ||
	       (text.at[at] == ':' && !at && text.len > 1);
}

/* Returns 0 or -EINVAL. */
static int read_part(struct bytes text, struct part *ret_part)
{
	struct part part = { .before = text };
	size_t start = 0, end;

	while (start < text.len && !starts_wild(text, start))
		start++;
	if (start < text.len) {
		end = wild_end(text, start);
		if (!end)
			return -EINVAL;
		part = (struct part){ true, bytes_first(text, start), bytes_skip(text, end) };
	}
	/* a colon may follow: /jobs/{id}:cancel */
	for (size_t i = 0; i < part.after.len; i++) {
		if (strchr("*{}", part.after.at[i]))
			return -EINVAL;
	}
	*ret_part = part;
	return 0;
}

static bool is_rest(struct bytes segment)
{
	return bytes_equal(segment, BYTES("**"));
}

int pattern_check(struct bytes pattern)
{
	struct bytes segment;
	struct part part;

	if (!bytes_start_with(pattern, BYTES("/")))
		return -EINVAL;
	while (path_next_part(&pattern, &segment)) {
		if (is_rest(segment))
			return path_next_part(&pattern, &segment) ? -EINVAL : 0;
		if (read_part(segment, &part) < 0)
			return -EINVAL;
	}
	return 0;
}

static bool part_matches(const struct part *part, struct bytes segment)
{
	if (!part->wild)
		return bytes_equal(part->before, segment);
	return segment.len > part->before.len + part->after.len &&
	       bytes_start_with(segment, part->before) && bytes_end_with(segment, part->after);
}

bool pattern_matches(struct bytes pattern, struct bytes path)
{
	struct bytes expected, segment;
	struct part part;

	while (path_next_part(&pattern, &expected)) {
		if (is_rest(expected))
			return true;
		if (!path_next_segment(&path, &segment) || read_part(expected, &part) < 0 ||
		    !part_matches(&part, segment))
			return false;
	}
	return !path_next_segment(&path, &segment);
}

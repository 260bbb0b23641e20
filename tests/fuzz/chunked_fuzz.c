/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunked coding. The first byte of the input gives the sizes of the pieces the rest is fed in.
 *
 * Holds: any split says the same as one piece; unseen data says the same as seen data; bytes that
 * passed unseen at any place never make it crash or end.
 */
#include <errno.h>
#include <stdlib.h>

#include "protocol/protocol.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

#define STEP_MAX 16	/* bytes a piece */

/* Consumed in all, or -EBADMSG. Pieces of 1 to STEP_MAX bytes, in memory of their own. */
static ssize_t feed_pieces(struct chunked *chunked, struct bytes in, unsigned seed, bool *end)
{
	ssize_t at = 0, r;

	*end = false;
	while (at < (ssize_t)in.len && !*end) {
		size_t len = 1 + seed % STEP_MAX;
		uint8_t *piece;

		seed = seed * 1103515245 + 12345;
		if (len > in.len - at)
			len = in.len - at;
		piece = malloc(len);
		memcpy(piece, in.at + at, len);
		r = chunked_feed(chunked, bytes_of(piece, len), end);
		free(piece);
		if (r < 0)
			return r;
		MUST(r <= (ssize_t)len && (*end || r == (ssize_t)len));
		at += r;
	}
	return at;
}

/* The same bytes, data inside chunks skipped rather than fed. */
static ssize_t feed_framing_only(struct chunked *chunked, struct bytes in, bool *end)
{
	ssize_t at = 0, r;

	*end = false;
	while (at < (ssize_t)in.len && !*end) {
		uint64_t data = chunked->left;

		r = chunked_feed(chunked, bytes_of(in.at + at, 1), end);
		if (r < 0)
			return r;
		at += r;
		/* one byte of data was taken: the rest of it goes unseen */
		if (data && chunked->left == data - 1) {
			uint64_t n = chunked->left < in.len - at ? chunked->left : in.len - at;

			chunked_skip(chunked, n);
			MUST(!chunked->lost);
			at += n;
		}
	}
	return at;
}

static void is_same(ssize_t r, const struct chunked *chunked, bool end, ssize_t whole_r,
		    const struct chunked *whole, bool whole_end)
{
	MUST(r == whole_r);
	if (r < 0)
		return;
	MUST(end == whole_end && chunked->body_bytes == whole->body_bytes);
	MUST(chunked->state == whole->state && chunked->left == whole->left && !chunked->lost);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chunked whole = { 0 }, pieces = { 0 }, framing = { 0 }, gap = { 0 };
	bool whole_end = false, end;
	struct bytes in;
	ssize_t whole_r, r;

	if (size < 2)
		return 0;
	in = bytes_of(data + 1, size - 1);
	whole_r = chunked_feed(&whole, in, &whole_end);
	MUST(whole_r == -EBADMSG || (whole_r >= 0 && whole_r <= (ssize_t)in.len));
	MUST(whole_r < 0 || whole_end || whole_r == (ssize_t)in.len);
	MUST(whole.body_bytes <= in.len);

	r = feed_pieces(&pieces, in, data[0], &end);
	is_same(r, &pieces, end, whole_r, &whole, whole_end);
	r = feed_framing_only(&framing, in, &end);
	is_same(r, &framing, end, whole_r, &whole, whole_end);

	/* a gap of any size anywhere */
	r = chunked_feed(&gap, bytes_first(in, data[0]), &end);
	chunked_skip(&gap, data[0] * (uint64_t)in.at[0]);
	if (chunked_feed(&gap, in, &end) >= 0 && gap.lost)
		MUST(!end);
	chunked_ends_with_last(in);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One direction of a connection, the same bytes in one piece and in many. The first byte of the input
 * says which direction and what is asked for, the second where cuts are made.
 *
 * Holds: heads, ends and sizes of bodies are the same wherever the cuts are, up to what makes no
 * sense; every buffer comes back.
 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "pipeline/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

#define SAID_MAX 4096
#define INPUT_MAX (HEAD_BUFFER_MAX - 1)	/* a longer head is cut where the buffer ends */

static const struct message requests[] = {
	{ .operation = BYTES("GET") },
	{ .operation = BYTES("HEAD"), .bodiless = true },
	{ .operation = BYTES("CONNECT"), .expects_upgrade = true },
};

/* What a stream said, up to its first STEP_BAD. */
struct said {
	unsigned count;
	bool bad;
	struct {
		enum step step;
		int64_t code;
		enum framing framing;
		uint64_t bytes, hash;
	} step[SAID_MAX];
};

static uint64_t hash_of(const struct message *message)
{
	const struct bytes texts[] = { message->operation, message->target, message->query,
				       message->authority, message->user_agent };
	uint64_t hash = 14695981039346656037u;

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		for (size_t at = 0; at < texts[i].len; at++)
			hash = (hash ^ texts[i].at[at]) * 1099511628211u;
		hash = (hash ^ 0x100) * 1099511628211u;
	}
	return hash;
}

static void note(struct said *said, const struct stream *stream, enum step step,
		 const struct message *message)
{
	bool head = step == STEP_HEAD;

	if (said->bad || said->count == SAID_MAX)
		return;
	said->bad = step == STEP_BAD;
	said->step[said->count].step = step;
	said->step[said->count].code = head ? message->code : 0;
	said->step[said->count].framing = head ? message->framing : 0;
	said->step[said->count].hash = head ? hash_of(message) : 0;
	said->step[said->count++].bytes = head		    ? message->body_bytes :
					  step == STEP_END ? stream->body_bytes : 0;
}

static void walk(struct stream *stream, struct head_pool *pool, struct bytes in, bool first,
		 const struct message *request, struct said *said)
{
	uint8_t *own = malloc(in.len);
	struct piece piece = { .seen = bytes_of(own, in.len), .starts_call = first };
	struct message message;
	unsigned steps = 0;
	enum step step;

	memcpy(own, in.at, in.len);
	while ((step = stream_step(stream, pool, &http1_protocol, &piece, request, &message)) !=
	       STEP_MORE) {
		note(said, stream, step, &message);
		MUST(++steps <= 2 * in.len + 2);
	}
	MUST(!piece.seen.len && piece.seq == in.len);
	free(own);
}

static void check_pool(struct stream *stream, struct head_pool *pool)
{
	unsigned buffers = 0;

	stream_reset(stream, pool, STREAM_DEAD);
	for (const struct head_buffer *free = pool->free; free; free = free->next)
		buffers++;
	MUST(buffers == pool->touched);
	head_pool_done(pool);
}

/* `seed` 0: in one piece. */
static void run(struct bytes in, bool is_request, const struct message *request, unsigned seed,
		struct said *said)
{
	struct stream stream = { .request = is_request };
	struct head_pool pool;
	bool first = true;

	said->count = 0;
	said->bad = false;
	MUST(!head_pool_init(&pool, 1));
	while (in.len) {
		size_t len = seed ? 1 + (seed >> 16) % 40 : in.len;

		walk(&stream, &pool, bytes_first(in, len), first, request, said);
		in = bytes_skip(in, len);
		seed = seed ? seed * 1103515245 + 12345 : 0;
		first = false;
	}
	check_pool(&stream, &pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct said whole, pieces;
	const struct message *request = NULL;
	bool is_request;

	if (size < 3 || size > INPUT_MAX)
		return 0;
	is_request = data[0] & 4;
	if (!is_request && data[0] % 4 < ARRAY_LEN(requests))
		request = &requests[data[0] % 4];
	run(bytes_of(data + 2, size - 2), is_request, request, 0, &whole);
	run(bytes_of(data + 2, size - 2), is_request, request, 1 + data[1] * 7919u * 65536, &pieces);

	MUST(pieces.count == whole.count);
	for (unsigned i = 0; i < whole.count; i++)
		MUST(!memcmp(&whole.step[i], &pieces.step[i], sizeof(whole.step[i])));
	return 0;
}

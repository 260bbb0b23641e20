// SPDX-License-Identifier: Apache-2.0
/* Records put together into streams again, and compared byte by byte. */
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define PIECES_MAX 65536
#define CONNECTIONS_MAX 256

struct piece {
	const struct chunk *chunk;
	const uint8_t *payload;		/* its head, then its tail */
};

/* Ids of the connections of one kind, in the order of their first records. */
static unsigned connections(const struct rig *rig, pid_t tgid, enum socket_dir request_dir,
			    uint64_t ids[CONNECTIONS_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < rig->records && count < CONNECTIONS_MAX; i++) {
		const struct socket_event *event = &rig->record[i].event;
		unsigned known = 0;

		if (event->event.tgid != (uint32_t)tgid || event->request_dir != request_dir)
			continue;
		while (known < count && ids[known] != event->conn)
			known++;
		if (known == count)
			ids[count++] = event->conn;
	}
	return count;
}

bool side_find(const struct rig *rig, pid_t tgid, enum socket_dir request_dir, unsigned nth,
	       struct side *ret_side)
{
	uint64_t ids[CONNECTIONS_MAX];
	struct side side = { .rig = rig };

	if (connections(rig, tgid, request_dir, ids) <= nth)
		return false;
	side.conn = ids[nth];
	for (unsigned i = 0; i < rig->records; i++) {
		const struct socket_event *event = &rig->record[i].event;

		if (event->conn != side.conn)
			continue;
		if (!side.first)
			side.first = event;
		side.records++;
		side.flags |= event->flags;
	}
	*ret_side = side;
	return true;
}

struct side side_of(const struct rig *rig, pid_t tgid, enum socket_dir request_dir, unsigned nth)
{
	struct side side = {};

	if (!side_find(rig, tgid, request_dir, nth, &side))
		fail_msg("no %s %u of process %d among %u records",
			 request_dir == SOCKET_RX ? "server" : "client", nth, tgid, rig->records);
	return side;
}

static int by_position(const void *a, const void *b)
{
	int32_t distance =
		((const struct piece *)a)->chunk->seq - ((const struct piece *)b)->chunk->seq;

	return distance < 0 ? -1 : distance > 0;
}

/* The chunks of one direction in the order of their positions; the caller frees them. */
static unsigned gather(const struct side *side, enum socket_dir dir, struct piece **ret_pieces)
{
	struct piece *pieces = calloc(PIECES_MAX, sizeof(*pieces));
	unsigned count = 0;

	assert_non_null(pieces);
	for (unsigned i = 0; i < side->rig->records; i++) {
		const struct record *record = &side->rig->record[i];
		const uint8_t *payload = record->payload;

		for (unsigned j = 0; record->event.conn == side->conn && j < record->event.chunks;
		     j++) {
			const struct chunk *chunk = &record->event.chunk[j];

			if (chunk->dir == dir && chunk->len && count < PIECES_MAX)
				pieces[count++] = (struct piece){ chunk, payload };
			payload += chunk->head + chunk->tail;
		}
	}
	qsort(pieces, count, sizeof(*pieces), by_position);
	*ret_pieces = pieces;
	return count;
}

uint64_t side_bytes(const struct side *side, enum socket_dir dir)
{
	_cleanup_(freep) struct piece *pieces = NULL;
	unsigned count = gather(side, dir, &pieces);
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += pieces[i].chunk->len;
	return bytes;
}

static void check_bytes(const struct message *message, uint64_t at, const uint8_t *bytes,
			size_t len, bool *known)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t expected = message_byte(message, (at + i) % message->len);

		if (bytes[i] != expected)
			fail_msg("byte %llu is '%c', not '%c'", (unsigned long long)(at + i),
				 bytes[i], expected);
		known[at + i] = true;
	}
}

static void check_piece(const struct piece *piece, uint32_t start, uint64_t at, uint64_t total,
			const struct message *message, bool *known)
{
	const struct chunk *chunk = piece->chunk;

	if (chunk->seq != (uint32_t)(start + at))
		fail_msg("a chunk begins at byte %d, not %llu", (int32_t)(chunk->seq - start),
			 (unsigned long long)at);
	if (at + chunk->len > total)
		fail_msg("more than %llu bytes", (unsigned long long)total);
	check_bytes(message, at, piece->payload, chunk->head, known);
	check_bytes(message, at + chunk->len - chunk->tail, piece->payload + chunk->head,
		    chunk->tail, known);
}

void side_check(const struct side *side, enum socket_dir dir, const struct message *message,
		unsigned count, size_t known_len)
{
	uint64_t at = 0, total = (uint64_t)count * message->len;
	_cleanup_(freep) struct piece *pieces = NULL;
	_cleanup_(freep) bool *known = calloc(total + 1, 1);
	unsigned used = gather(side, dir, &pieces);

	assert_non_null(known);
	for (unsigned i = 0; i < used; i++) {
		check_piece(&pieces[i], pieces[0].chunk->seq, at, total, message, known);
		at += pieces[i].chunk->len;
	}
	assert_int_equal(at, total);
	for (unsigned i = 0; i < count; i++) {
		for (size_t j = 0; j < MIN(known_len, message->len); j++)
			if (!known[(size_t)i * message->len + j])
				fail_msg("byte %zu of message %u was not copied", j, i);
	}
}

struct joint side_joint(const struct side *side, enum socket_dir dir, size_t message_len,
			unsigned nth)
{
	_cleanup_(freep) struct piece *pieces = NULL;
	unsigned count = gather(side, dir, &pieces);

	for (unsigned i = 0; i < count; i++) {
		uint32_t seq = pieces[0].chunk->seq + nth * (uint32_t)message_len;

		if (pieces[i].chunk->seq == seq)
			return (struct joint){ seq, pieces[i].chunk->ack };
	}
	fail_msg("no chunk begins message %u", nth);
	return (struct joint){};
}

void talk_check(const struct rig *rig, pid_t tgid, const struct talk *talk)
{
	struct side client = side_of(rig, tgid, SOCKET_TX, 0),
		    server = side_of(rig, tgid, SOCKET_RX, 0);
	bool by_file = talk->response_way == WAY_SENDFILE;

	side_check(&client, SOCKET_TX, &talk->request, talk->count, SOCKET_BIG_MAX);
	side_check(&server, SOCKET_RX, &talk->request, talk->count, SOCKET_BIG_MAX);
	side_check(&server, SOCKET_TX, &talk->response, talk->count,
		   by_file ? 40 : SOCKET_RESPONSE_MAX);
	side_check(&client, SOCKET_RX, &talk->response, talk->count, SOCKET_RESPONSE_MAX);
	assert_false(side_find(rig, tgid, SOCKET_TX, 1, &client));
	assert_false(side_find(rig, tgid, SOCKET_RX, 1, &server));

	for (unsigned i = 0; pair_is_tcp(talk->kind) && !talk->at_once && i < talk->count; i++) {
		struct joint ours = side_joint(&client, SOCKET_TX, talk->request.len, i);
		struct joint theirs = side_joint(&server, SOCKET_RX, talk->request.len, i);

		assert_int_equal(ours.seq, theirs.seq);
		assert_int_equal(ours.ack, theirs.ack);
	}
}

unsigned records_of(const struct rig *rig, pid_t tgid)
{
	unsigned count = 0;

	for (unsigned i = 0; i < rig->records; i++)
		count += rig->record[i].event.event.tgid == (uint32_t)tgid;
	return count;
}

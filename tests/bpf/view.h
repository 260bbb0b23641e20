/* SPDX-License-Identifier: Apache-2.0 */
/* What the records say about one end of one connection, held against what really passed there. */
#ifndef SONDE_TESTS_BPF_VIEW_H
#define SONDE_TESTS_BPF_VIEW_H

#include "talk.h"

/* One end of a connection, from the records of a rig. */
struct side {
	const struct rig *rig;
	const struct socket_event *first;	/* its first record */
	uint64_t conn;
	unsigned records, flags;		/* flags of all records, OR-ed */
};

/* The `nth` (from 0) connection of which `tgid` is server (SOCKET_RX) or client; false: none. */
bool side_find(const struct rig *rig, pid_t tgid, enum socket_dir request_dir, unsigned nth,
	       struct side *ret_side);
/* The same, which must be there. */
struct side side_of(const struct rig *rig, pid_t tgid, enum socket_dir request_dir, unsigned nth);

/* Bytes the chunks of one direction count. */
uint64_t side_bytes(const struct side *side, enum socket_dir dir);

/*
 * Fails unless the chunks of that direction cover exactly `count` times the message, gapless and
 * without overlap; what was copied is what was sent; and of every message at least the first
 * `known` bytes (all, when it is shorter) were copied.
 */
void side_check(const struct side *side, enum socket_dir dir, const struct message *message,
		unsigned count, size_t known);

/* Position pair of the chunk that begins message `nth`: what joins both ends. */
struct joint {
	uint32_t seq, ack;
};
struct joint side_joint(const struct side *side, enum socket_dir dir, size_t message_len,
			unsigned nth);

/* Both ends of what talk_run() did, on one connection, with the join of every request. */
void talk_check(const struct rig *rig, pid_t tgid, const struct talk *talk);

/* Records of this process. */
unsigned records_of(const struct rig *rig, pid_t tgid);

#endif

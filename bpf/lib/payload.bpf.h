/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the bytes of a socket call lie in the caller's memory, and copies of their start and end.
 * Found from the system call the task is in, so every attach choice shares it. Included behind
 * the map `mmsgs`.
 */
#ifndef SONDE_BPF_PAYLOAD_H
#define SONDE_BPF_PAYLOAD_H

#include "lib/compat.bpf.h"

#include "event/socket.h"

/* Keeps the compiler from proving (and dropping) a bound that the verifier wants to see. */
#define OPAQUE(x) asm volatile("" : "+r"(x))

#define IOVECS_MAX 8		/* looked at; a head that spans more is cut */

struct payload {
	u64 base;		/* user address of the bytes, or of the iovec array */
	u32 iovecs;		/* 0: base is the bytes */
	u32 flags;		/* MSG_* given to the call */
	bool readable;
};

static __always_inline void payload_of_header(struct payload *payload, u64 header)
{
	struct user_msghdr msg;

	if (bpf_probe_read_user(&msg, sizeof(msg), (void *)header))
		return;
	payload->base = msg.iov;
	payload->iovecs = msg.iovlen > IOVECS_MAX ? IOVECS_MAX : msg.iovlen;
	payload->readable = payload->iovecs > 0;
}

static __always_inline u32 mmsg_entry(u64 vector, u32 vlen, u32 length)
{
	u64 task = bpf_get_current_pid_tgid();
	struct mmsg *last = bpf_map_lookup_elem(&mmsgs, &task), now = { .vector = vector };
	u32 done = 0;

	if (last && last->vector == vector && last->index + 1 < vlen) {
		u64 entry = vector + (u64)last->index * sizeof(struct user_mmsghdr);

		bpf_probe_read_user(&done, sizeof(done),
				    (void *)(entry + __builtin_offsetof(struct user_mmsghdr, len)));
		if (done == last->length)
			now.index = last->index + 1;
	}
	now.length = length;
	bpf_map_update_elem(&mmsgs, &task, &now, BPF_ANY);
	return now.index;
}

/* `entry`: which message of a sendmmsg, -1: find out. */
__noinline int payload_find(struct payload *payload, u32 dir, u32 length, s32 entry)
{
	struct syscall call;

	if (!payload)
		return 0;
	syscall_read(&call);
	if (!call.native)
		return 0;

	if (call.nr == (dir == SOCKET_RX ? NR_read : NR_write)) {
		payload->base = call.arg[1];
		payload->readable = true;
	} else if (call.nr == (dir == SOCKET_RX ? NR_recvfrom : NR_sendto)) {
		payload->base = call.arg[1];
		payload->flags = call.arg[3];
		payload->readable = true;
	} else if (call.nr == (dir == SOCKET_RX ? NR_readv : NR_writev)) {
		payload->base = call.arg[1];
		payload->iovecs = call.arg[2] > IOVECS_MAX ? IOVECS_MAX : call.arg[2];
		payload->readable = payload->iovecs > 0;
	} else if (call.nr == (dir == SOCKET_RX ? NR_recvmsg : NR_sendmsg)) {
		payload->flags = call.arg[2];
		payload_of_header(payload, call.arg[1]);
	} else if (call.nr == (dir == SOCKET_RX ? NR_recvmmsg : NR_sendmmsg)) {
		payload->flags = call.arg[3];
		if (entry < 0)
			entry = mmsg_entry(call.arg[1], call.arg[2], length);
		payload_of_header(payload, call.arg[1] + (u64)entry * sizeof(struct user_mmsghdr));
	}
	return 0;
}

/*
 * Functions that are not static are verified once, by themselves: their loops do not multiply
 * with the paths that lead to them. What they may assume of an argument is its type.
 */
struct small_room {
	u8 at[2 * SOCKET_RESPONSE_MAX];	/* twice the most that is copied: see vector_copy() */
};
struct big_room {
	u8 at[2 * SOCKET_BIG_MAX];
};
struct tail_room {
	u8 at[SOCKET_TAIL_MAX];
};

static __always_inline bool vector_read(const struct payload *payload, u32 i,
					struct user_iovec *ret_iovec)
{
	return !bpf_probe_read_user(ret_iovec, sizeof(*ret_iovec),
				    (void *)(payload->base + (u64)i * sizeof(*ret_iovec)));
}

/*
 * Gathers the first `want` <= `max` bytes of an iovec call; returns how many could be had. The
 * verifier takes offset and length for independent: `to` has room for twice `max`.
 */
static __always_inline u32 vector_copy(const struct payload *payload, u8 *to, u32 want,
				       const u32 max)
{
	struct user_iovec iovec;
	u32 done = 0, n;

	for (u32 i = 0; i < IOVECS_MAX; i++) {
		if (i >= payload->iovecs || done >= want || !vector_read(payload, i, &iovec))
			break;
		n = want - done;
		if (iovec.len < n)
			n = iovec.len;
		OPAQUE(n);
		OPAQUE(done);
		if (n > max || done > max || bpf_probe_read_user(to + done, n, (void *)iovec.base))
			break;
		done += n;
	}
	return done;
}

__noinline int vector_copy_small(const struct payload *payload, struct small_room *to, u32 want)
{
	return payload && to ? vector_copy(payload, to->at, want, SOCKET_RESPONSE_MAX) : 0;
}

__noinline int vector_copy_big(const struct payload *payload, struct big_room *to, u32 want)
{
	return payload && to ? vector_copy(payload, to->at, want, SOCKET_BIG_MAX) : 0;
}

/*
 * The lesser of both. By hand: a compiler may keep one copy of `n` and compare another, and before
 * 6.8 the verifier does not see that they are the same.
 */
static __always_inline u64 at_most(u64 n, const u32 max)
{
	asm volatile("if %0 <= %1 goto +1\n%0 = %1" : "+r"(n) : "i"(max));
	return n;
}

static __always_inline u32 flat_copy(const struct payload *payload, u8 *to, u64 want, const u32 max)
{
	want = at_most(want, max);
	return bpf_probe_read_user(to, want, (void *)payload->base) ? 0 : want;
}

/* What a copy said it did, as the verifier wants to see it. */
static __always_inline u32 vector_copied(u32 n, const u32 max)
{
	return n > max ? 0 : n;
}

/* Copies the first `want` bytes of the call; returns how many could be had. */
static __always_inline u32 copy_small(const struct payload *payload, struct small_room *to, u32 want)
{
	if (!payload->iovecs)
		return flat_copy(payload, to->at, want, SOCKET_RESPONSE_MAX);
	return vector_copied(vector_copy_small(payload, to, want), SOCKET_RESPONSE_MAX);
}

/* Address of the end of an iovec call that moved `length`, and how much lies there in one piece. */
static __always_inline u64 vector_end(const struct payload *payload, u32 length, u32 *ret_piece)
{
	struct user_iovec iovec;

	for (u32 i = 0; i < IOVECS_MAX; i++) {
		if (i >= payload->iovecs || !vector_read(payload, i, &iovec))
			break;
		if (iovec.len >= length) {
			*ret_piece = length;
			return iovec.base + length;
		}
		length -= iovec.len;
	}
	return 0;
}

/*
 * Copies the last bytes, at most `most`, of a call that moved `length`; of an iovec call those of its
 * last piece.
 */
__noinline int copy_tail(const struct payload *payload, struct tail_room *to, u32 length, u32 most)
{
	u32 n = length;
	u64 end;

	if (!payload || !to)
		return 0;
	end = payload->iovecs ? vector_end(payload, length, &n) : payload->base + length;
	if (n > most)
		n = most;
	OPAQUE(n);
	if (n > SOCKET_TAIL_MAX)
		n = SOCKET_TAIL_MAX;
	if (!end || bpf_probe_read_user(to->at, n, (void *)(end - n)))
		return 0;
	return n;
}

/* The first MAGIC_BYTES of the call (of its first piece), fewer when it has fewer. */
static __always_inline u32 copy_magic(const struct payload *payload, u32 length, u32 *ret_head)
{
	struct user_iovec iovec = { payload->base, length };

	if (payload->iovecs && !vector_read(payload, 0, &iovec))
		return 0;
	if (length > iovec.len)
		length = iovec.len;
	if (length >= 4)
		return bpf_probe_read_user(ret_head, 4, (void *)iovec.base) ? 0 : 4;
	return bpf_probe_read_user(ret_head, 1, (void *)iovec.base) ? 0 : length;
}

#endif

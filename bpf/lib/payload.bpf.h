/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the bytes of a socket call lie in the caller's memory, and copies of their start and end.
 * Found from the system call the task is in, so every attach choice shares it.
 */
#ifndef SONDE_BPF_PAYLOAD_H
#define SONDE_BPF_PAYLOAD_H

#include "lib/compat.bpf.h"

#include "event/socket.h"

#define IOVECS_MAX 8		/* looked at; a head that spans more is cut */

struct payload {
	u64 base;		/* user address of the bytes, or of the iovec array */
	u32 iovecs;		/* 0: base is the bytes */
	u32 flags;		/* MSG_* given to the call */
	bool readable;
};

/*
 * One sendmmsg is many sends of one task. Which entry the present one is: the kernel writes the
 * length of each finished message back, so the entry before ours must show what we saw last.
 */
struct mmsg {
	u64 vector;
	u32 index;		/* of the entry seen last */
	u32 length;		/* and its length */
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

static __always_inline u32 mmsg_entry(void *mmsgs, u64 vector, u32 vlen, u32 length)
{
	u64 task = bpf_get_current_pid_tgid();
	struct mmsg *last = bpf_map_lookup_elem(mmsgs, &task), now = { .vector = vector };
	u32 done = 0;

	if (last && last->vector == vector && last->index + 1 < vlen) {
		u64 entry = vector + (u64)last->index * sizeof(struct user_mmsghdr);

		bpf_probe_read_user(&done, sizeof(done),
				    (void *)(entry + __builtin_offsetof(struct user_mmsghdr, len)));
		if (done == last->length)
			now.index = last->index + 1;
	}
	now.length = length;
	bpf_map_update_elem(mmsgs, &task, &now, BPF_ANY);
	return now.index;
}

/* `mmsgs`: LRU hash of struct mmsg by pid_tgid; `entry`: which one of a sendmmsg, -1: find out. */
static __always_inline void payload_find(struct payload *payload, u32 dir, u32 length, void *mmsgs,
					 s32 entry)
{
	struct syscall call;

	__builtin_memset(payload, 0, sizeof(*payload));
	syscall_read(&call);
	if (!call.native)
		return;

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
			entry = mmsg_entry(mmsgs, call.arg[1], call.arg[2], length);
		payload_of_header(payload, call.arg[1] + (u64)entry * sizeof(struct user_mmsghdr));
	}
}

/* Keeps the compiler from proving (and dropping) a bound that the verifier wants to see. */
#define OPAQUE(x) asm volatile("" : "+r"(x))

/*
 * Copies the first `want` <= MAX bytes of the call to `to`; returns how many could be had. `to`
 * must have room for 2 * MAX: the verifier takes offset and length for independent.
 */
static __always_inline u32 payload_copy(const struct payload *payload, u8 *to, u32 want,
					const u32 max)
{
	struct user_iovec iovec;
	u32 done = 0, n;

	if (!payload->iovecs) {
		n = want;
		OPAQUE(n);
		if (n > max)
			n = max;
		return bpf_probe_read_user(to, n, (void *)payload->base) ? 0 : n;
	}
	for (u32 i = 0; i < IOVECS_MAX; i++) {
		if (i >= payload->iovecs || done >= want)
			break;
		if (bpf_probe_read_user(&iovec, sizeof(iovec),
					(void *)(payload->base + i * sizeof(iovec))))
			break;
		n = want - done;
		if (iovec.len < n)
			n = iovec.len;
		OPAQUE(n);
		OPAQUE(done);
		if (n > max || done > max)
			break;
		if (bpf_probe_read_user(to + done, n, (void *)iovec.base))
			break;
		done += n;
	}
	return done;
}

/*
 * Copies the last bytes, at most SOCKET_TAIL_MAX, of a call that moved `length`; of an
 * iovec call those of its last piece. Returns how many.
 */
static __always_inline u32 payload_tail(const struct payload *payload, u8 *to, u32 length)
{
	u64 end = payload->base + length;
	u32 n = SOCKET_TAIL_MAX, left = length;
	struct user_iovec iovec;

	if (payload->iovecs) {
		end = 0;
		for (u32 i = 0; i < IOVECS_MAX; i++) {
			if (i >= payload->iovecs)
				break;
			if (bpf_probe_read_user(&iovec, sizeof(iovec),
						(void *)(payload->base + i * sizeof(iovec))))
				return 0;
			if (iovec.len >= left) {
				end = iovec.base + left;
				n = left < SOCKET_TAIL_MAX ? left : SOCKET_TAIL_MAX;
				break;
			}
			left -= iovec.len;
		}
		if (!end)
			return 0;
	}
	OPAQUE(n);
	if (n > SOCKET_TAIL_MAX)
		n = SOCKET_TAIL_MAX;
	return bpf_probe_read_user(to, n, (void *)(end - n)) ? 0 : n;
}

#endif

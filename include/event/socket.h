/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Source `socket`: what watched processes read from and write to stream sockets.
 * Out of bpf/socket.bpf.c through the data ring; read by user/source/socket.c.
 *
 * A record is a run of *chunks* of one connection in the order the calls returned. A chunk
 * is one call (or several merged ones whose bytes were not copied): when, which way, where in the
 * byte stream, how long, and the first and last bytes of it. How the kernel groups chunks
 * into records is an economy without meaning: it holds a request back until the first byte
 * of its response, so that most requests are one record.
 *
 * Positions are TCP sequence numbers (Unix sockets: own counters), so a reader knows to the
 * byte what it has not seen, whatever the cause: sendfile, io_uring, a full ring, a copy cut short.
 */
#ifndef SONDE_EVENT_SOCKET_H
#define SONDE_EVENT_SOCKET_H

#include "event/event.h"

#define SOCKET_CHUNKS 3		/* a request in two pieces and its response fit one record */
#define SOCKET_HELD_MAX 512	/* request bytes held in the kernel for one record */
#define SOCKET_RESPONSE_MAX 1024 /* head bytes copied of one response call */
#define SOCKET_TAIL_MAX 8	/* last bytes of a call whose head was cut: ends of chunked bodies */
#define SOCKET_BIG_MAX 8192	/* request bytes copied of one call and one turn: pipelines, cookies */

enum socket_dir { SOCKET_RX, SOCKET_TX };

enum chunk_flag {
	CHUNK_UNREADABLE = 1,	/* counted and timed, but its bytes could not be reached
				 * (io_uring, sendfile, splice, a page not in memory) */
	CHUNK_END = 2,		/* len 0: the peer closed this direction */
};

/* Payload of the chunks follows the record in chunk order: head bytes, then tail bytes. */
struct chunk {
	__u64 time_ns;		/* CLOCK_MONOTONIC, when the (first) call returned */
	__u32 seq;		/* position of the first byte in this direction */
	__u32 ack;		/* position reached in the other direction when the call returned */
	__u32 len;		/* bytes the call moved */
	__u16 head, tail;	/* bytes copied from its start and its end; head + tail <= len */
	__u8 dir;		/* enum socket_dir */
	__u8 flags;		/* enum chunk_flag */
	__u16 calls;		/* merged into this chunk; saturates */
	__u32 spare;
};
_Static_assert(sizeof(struct chunk) == 32, "no padding across the boundary");

enum socket_flag {
	SOCKET_CLOSED = 1,	/* nothing more will come of this connection */
	SOCKET_TX_CLOSED = 2,	/* this side has sent its last byte (close or shutdown) */
	SOCKET_JOINED = 8,	/* bytes had passed on the connection before it was first seen */
	SOCKET_BIG = 4,		/* written at once, not held: a large or contended call */
};

struct socket_event {
	struct event event;	/* of the call that caused the record to be written */
	__u64 conn;		/* random id of the connection, never reused in practice */
	__u32 serial;		/* records of this connection so far, lost ones included */
	__u8 family;		/* AF_INET, AF_INET6, AF_UNIX; v4-mapped IPv6 is AF_INET */
	__u8 flags;		/* enum socket_flag */
	__u8 chunks;		/* in use, <= SOCKET_CHUNKS */
	__u8 request_dir;	/* enum socket_dir: RX = this process is the server */
	__u16 local_port, remote_port;	/* host byte order; 0 for Unix sockets */
	__u32 netns;		/* inode of the network namespace */
	__u8 local_addr[16], remote_addr[16];	/* network order; IPv4 in the first 4 */
	struct chunk chunk[SOCKET_CHUNKS];
	/* payload: event.size - sizeof(struct socket_event) bytes */
};
_Static_assert(sizeof(struct socket_event) == 24 + 24 + 32 + 32 * SOCKET_CHUNKS, "no padding");

/* Read-only settings of bpf/socket.bpf.c, set before load. */
struct socket_settings {
	__u64 wake_bytes;	/* wake the reader when this much is waiting (a power of two); it looks by itself now and then */
};

/* Per-CPU counters of bpf/socket.bpf.c, map `socket_stats`. */
enum socket_stat {
	SOCKET_STAT_RECORDS,	/* records written */
	SOCKET_STAT_CONNS,	/* TCP connections whose state was created */
	SOCKET_STAT_CONNS_GONE,	/* ... and freed */
	SOCKET_STAT_UNREADABLE,	/* calls counted whose bytes could not be reached */
	SOCKET_STAT_CONTENDED,	/* records written unheld, since two CPUs met on one connection */
	SOCKET_STAT_RETURNS_LOST, /* choice kprobe: calls whose return the kernel did not follow */
	SOCKET_STAT_MAX,
};

#endif

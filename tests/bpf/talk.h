/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a child does: it talks to itself over a pair of connected sockets, one thread at each
 * end, in one of many ways of reading and writing. Bytes are a function of their position, so
 * whoever reads a record knows what must be in it.
 */
#ifndef SONDE_TESTS_BPF_TALK_H
#define SONDE_TESTS_BPF_TALK_H

#include "harness.h"

enum pair_kind { PAIR_V4, PAIR_V6, PAIR_MAPPED, PAIR_UNIX, PAIR_UNIX_NAMED, PAIR_KINDS };

struct pair {
	int client, server;
};

/* MAPPED: an IPv4 client of an IPv6 socket. UNIX: socketpair; UNIX_NAMED: connect and accept. */
void pair_open(struct pair *pair, enum pair_kind kind);
/* TCP over IPv4 to a listener on `port`, 0: any. */
void pair_open_port(struct pair *pair, uint16_t port);
/* A listening loopback socket of that family; TCP kinds only. Returns its port too. */
int pair_listen(enum pair_kind kind, uint16_t port, uint16_t *ret_port);
int pair_connect(enum pair_kind kind, uint16_t port);
static inline bool pair_is_tcp(enum pair_kind kind)
{
	return kind <= PAIR_MAPPED;
}

/* A message: its head, then a pattern up to `len` bytes. */
struct message {
	const char *head;
	size_t len;
};
uint8_t message_byte(const struct message *message, size_t at);
/* In the child, whose memory nobody frees. */
uint8_t *message_make(const struct message *message);

/* A way of moving bytes: all of them, or the child fails. */
struct way {
	const char *name;
	void (*put)(int fd, const uint8_t *at, size_t len);
	void (*get)(int fd, uint8_t *at, size_t len);
};
enum {
	WAY_READ, WAY_READV, WAY_READV_SPLIT, WAY_RECV, WAY_RECVMSG, WAY_SENDMMSG, WAY_PEEK,
	WAY_PIECES, WAY_SENDFILE, WAYS
};
extern const struct way ways[WAYS];

struct talk {
	enum pair_kind kind;
	int way, response_way; /* index into ways[]; the way of requests and of responses */
	struct message request, response;
	unsigned count;			/* requests on the connection, one after the other */
	bool at_once;			/* ... or none waits for a response (pipelined) */
};

/* Body of a child; arg: struct talk. Opens the pair, talks, closes: the client first. */
void talk_run(struct child *child, const void *arg);
/* The same on a pair that is open, without closing it. */
void talk_on(const struct pair *pair, const struct talk *talk);

#endif

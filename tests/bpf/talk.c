// SPDX-License-Identifier: Apache-2.0
/* The child's side: sockets, ways of moving bytes, and the conversation itself. */
#include "talk.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

/* --- pairs ------------------------------------------------------------------------------------ */

static socklen_t loopback(enum pair_kind kind, bool listening, uint16_t port,
			  struct sockaddr_storage *ret_address)
{
	struct sockaddr_in6 *in6 = (void *)ret_address;
	struct sockaddr_in *in = (void *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	if (kind == PAIR_V6 || (kind == PAIR_MAPPED && listening)) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		in6->sin6_addr = kind == PAIR_V6 ? in6addr_loopback : in6addr_any;
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*in);
}

int pair_listen(enum pair_kind kind, uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_storage address;
	socklen_t len = loopback(kind, true, port, &address);
	int one = 1, fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0);
	must(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(!bind(fd, (void *)&address, len));
	must(!listen(fd, 16));
	must(!getsockname(fd, (void *)&address, &len));
	*ret_port = ntohs(((struct sockaddr_in *)&address)->sin_port);	/* where IPv6 has it too */
	return fd;
}

int pair_connect(enum pair_kind kind, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t len = loopback(kind, false, port, &address);
	int one = 1, fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0);
	must(!connect(fd, (void *)&address, len));
	must(!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	return fd;
}

static void open_tcp(struct pair *pair, enum pair_kind kind, uint16_t port)
{
	_cleanup_(closep) int listener = pair_listen(kind, port, &port);

	pair->client = pair_connect(kind, port);
	pair->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	must(pair->server >= 0);
}

static void open_unix_named(struct pair *pair)
{
	_cleanup_(closep) int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);

	must(!bind(listener, (void *)&address, sizeof(address.sun_family)));	/* autobind */
	must(!listen(listener, 1));
	must(!getsockname(listener, (void *)&address, &len));
	pair->client = socket(AF_UNIX, SOCK_STREAM, 0);
	must(!connect(pair->client, (void *)&address, len));
	pair->server = accept(listener, NULL, NULL);
	must(pair->server >= 0);
}

void pair_open(struct pair *pair, enum pair_kind kind)
{
	int fds[2];

	if (pair_is_tcp(kind)) {
		open_tcp(pair, kind, 0);
	} else if (kind == PAIR_UNIX_NAMED) {
		open_unix_named(pair);
	} else {
		must(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
		*pair = (struct pair){ fds[0], fds[1] };
	}
}

void pair_open_port(struct pair *pair, uint16_t port)
{
	open_tcp(pair, PAIR_V4, port);
}

/* --- messages --------------------------------------------------------------------------------- */

/* Of letters no head begins with: never taken for one. */
uint8_t message_byte(const struct message *message, size_t at)
{
	size_t head = strlen(message->head);

	return at < head ? (uint8_t)message->head[at] : (uint8_t)('a' + (at * 7 + at / 26) % 26);
}

uint8_t *message_make(const struct message *message)
{
	uint8_t *at = malloc(message->len + 1);

	must(at);
	for (size_t i = 0; i < message->len; i++)
		at[i] = message_byte(message, i);
	return at;
}

/* --- ways ------------------------------------------------------------------------------------- */

/* Cuts `len` bytes into pieces of these lengths, the last takes the rest. Returns how many. */
static int cut(struct iovec *iov, uint8_t *at, size_t len, const size_t *lengths, int count)
{
	int used = 0;

	for (; used < count && len; used++) {
		size_t n = used + 1 < count && lengths[used] < len ? lengths[used] : len;

		iov[used] = (struct iovec){ at, n };
		at += n;
		len -= n;
	}
	return used;
}

static const size_t at_head[] = { 40, 0 }, at_odd[] = { 2, 1, 5, 30, 100, 0 };

#define CALL(name, call) \
	static void name(int fd, uint8_t *at, size_t len) \
	{ \
		for (ssize_t n; len; at += n, len -= n) { \
			n = call; \
			must(n > 0); \
		} \
	}
#define CALL_V(name, lengths, call) \
	static void name(int fd, uint8_t *at, size_t len) \
	{ \
		struct iovec iov[ARRAY_LEN(lengths)]; \
		for (ssize_t n; len; at += n, len -= n) { \
			struct msghdr msg = { .msg_iov = iov }; \
			msg.msg_iovlen = cut(iov, at, len, lengths, ARRAY_LEN(lengths)); \
			n = call; \
			must(n > 0); \
		} \
	}

CALL(put_write, write(fd, at, len))
CALL(get_read, read(fd, at, MIN(len, 65536)))
CALL(put_send, send(fd, at, len, 0))
CALL(get_recv, recv(fd, at, MIN(len, 65536), 0))
CALL(put_pieces, write(fd, at, 1))
CALL(get_pieces, read(fd, at, 1))
CALL_V(put_writev, at_head, writev(fd, iov, msg.msg_iovlen))
CALL_V(get_readv, at_head, readv(fd, iov, msg.msg_iovlen))
CALL_V(put_writev_split, at_odd, writev(fd, iov, msg.msg_iovlen))
CALL_V(get_readv_split, at_odd, readv(fd, iov, msg.msg_iovlen))
CALL_V(put_sendmsg, at_odd, sendmsg(fd, &msg, 0))
CALL_V(get_recvmsg, at_odd, recvmsg(fd, &msg, 0))

static void get_peek(int fd, uint8_t *at, size_t len)
{
	must(recv(fd, at, MIN(len, 100), MSG_PEEK) > 0);
	get_recv(fd, at, len);
}

static void put_sendmmsg(int fd, uint8_t *at, size_t len)
{
	static const size_t thirds[] = { 30, 50, 0 };
	struct mmsghdr messages[ARRAY_LEN(thirds)] = {};
	struct iovec iov[ARRAY_LEN(thirds)];
	int count = cut(iov, at, len, thirds, ARRAY_LEN(thirds));

	for (int i = 0; i < count; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	must(sendmmsg(fd, messages, count, 0) == count);
	for (int i = 0; i < count; i++)
		must(messages[i].msg_len == iov[i].iov_len);
}

/* As servers of files do it: the head by send(), the rest from a file. */
static void put_sendfile(int fd, uint8_t *at, size_t len)
{
	_cleanup_(closep) int file = memfd_create("body", MFD_CLOEXEC);
	size_t head = MIN(len, 40);
	off_t from = 0;

	put_write(file, at + head, len - head);
	put_send(fd, at, head);
	while ((size_t)from < len - head)
		must(sendfile(fd, file, &from, len - head - from) > 0);
}

/* The bytes are only read, but iovecs have no const. */
#define PUT(f) ((void (*)(int, const uint8_t *, size_t))(f))

const struct way ways[WAYS] = {
	[WAY_READ] = { "read and write", PUT(put_write), get_read },
	[WAY_READV] = { "readv and writev", PUT(put_writev), get_readv },
	[WAY_READV_SPLIT] = { "readv and writev, the head in pieces", PUT(put_writev_split),
			      get_readv_split },
	[WAY_RECV] = { "recv and send", PUT(put_send), get_recv },
	[WAY_RECVMSG] = { "recvmsg and sendmsg", PUT(put_sendmsg), get_recvmsg },
	[WAY_SENDMMSG] = { "sendmmsg", PUT(put_sendmmsg), get_read },
	[WAY_PEEK] = { "recv after a peek", PUT(put_send), get_peek },
	[WAY_PIECES] = { "a byte a call", PUT(put_pieces), get_pieces },
	[WAY_SENDFILE] = { "sendfile", PUT(put_sendfile), get_read },
};

/* --- the conversation ------------------------------------------------------------------------- */

struct server {
	int fd;
	const struct talk *talk;
};

static void *serve(void *arg)
{
	const struct server *server = arg;
	const struct talk *talk = server->talk;
	uint8_t *response = message_make(&talk->response), *request = malloc(talk->request.len);

	must(request);
	for (unsigned i = 0; i < talk->count; i++) {
		ways[talk->way].get(server->fd, request, talk->request.len);
		ways[talk->response_way].put(server->fd, response, talk->response.len);
	}
	free(request);
	free(response);
	return NULL;
}

static void *ask_at_once(void *arg)
{
	const struct server *client = arg;
	uint8_t *request = message_make(&client->talk->request);

	for (unsigned i = 0; i < client->talk->count; i++)
		ways[client->talk->way].put(client->fd, request, client->talk->request.len);
	free(request);
	return NULL;
}

void talk_on(const struct pair *pair, const struct talk *talk)
{
	uint8_t *response = malloc(talk->response.len), *request = message_make(&talk->request);
	struct server server = { pair->server, talk }, client = { pair->client, talk };
	pthread_t serving, asking;

	must(response);
	must(!pthread_create(&serving, NULL, serve, &server));
	if (talk->at_once)
		must(!pthread_create(&asking, NULL, ask_at_once, &client));
	for (unsigned i = 0; i < talk->count; i++) {
		if (!talk->at_once)
			ways[talk->way].put(pair->client, request, talk->request.len);
		ways[talk->response_way].get(pair->client, response, talk->response.len);
	}
	if (talk->at_once)
		must(!pthread_join(asking, NULL));
	must(!pthread_join(serving, NULL));
	free(request);
	free(response);
}

void talk_run(struct child *child, const void *arg)
{
	const struct talk *talk = arg;
	struct pair pair;
	char end;

	pair_open(&pair, talk->kind);
	talk_on(&pair, talk);
	close(pair.client);
	must(read(pair.server, &end, 1) == 0);
	close(pair.server);
}

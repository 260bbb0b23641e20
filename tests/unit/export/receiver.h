/* SPDX-License-Identifier: Apache-2.0 */
/* A small OTLP receiver in a thread: answers as a script says and remembers what it took. */
#ifndef TESTS_UNIT_EXPORT_RECEIVER_H
#define TESTS_UNIT_EXPORT_RECEIVER_H

#include "unit/export/fixture.h"

#include <poll.h>
#include <pthread.h>

#define RECEIVER_CONNECTIONS 8
#define RECEIVER_BODIES 256

/* One answer; the last of a script is given for ever. */
struct answer {
	int status;			/* 0: never answers */
	const char *headers;		/* whole lines, or "" */
	struct bytes body;
};

struct receiver {
	int listen_fd, stop[2];
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;		/* of what follows */
	const struct answer *script;
	unsigned steps, step;
	unsigned requests;
	struct buf taken[RECEIVER_BODIES];	/* bodies answered with 200 */
	unsigned takens;
	struct buf head;			/* of the latest request */
	uint64_t asked_ns[RECEIVER_BODIES];	/* when each request came */
	struct buf in[RECEIVER_CONNECTIONS];
	struct pollfd poll[RECEIVER_CONNECTIONS + 2];
};

/* Length of the request at the front of `in`; 0: not all of it is there. */
static inline size_t receiver_request_len(struct buf *in, size_t *ret_head)
{
	ssize_t end = bytes_find(buf_bytes(in), BYTES("\r\n\r\n"));
	const char *field;
	size_t len;

	if (end < 0)
		return 0;
	field = strcasestr(text_of(in), "content-length:");
	len = end + 4 + (field ? strtoul(field + 15, NULL, 10) : 0);
	*ret_head = end + 4;
	return in->len >= len ? len : 0;
}

static inline void receiver_answer(struct receiver *receiver, int fd, struct buf *in, size_t head,
				   size_t len)
{
	const struct answer *answer;
	struct buf out;

	pthread_mutex_lock(&receiver->lock);
	answer = &receiver->script[MIN(receiver->step, receiver->steps - 1)];
	receiver->step++;
	receiver->asked_ns[receiver->requests++ % RECEIVER_BODIES] = clock_monotonic_ns();
	buf_reset(&receiver->head);
	buf_add(&receiver->head, in->at, head);
	if (answer->status == 200 && receiver->takens < RECEIVER_BODIES) {
		buf_init(&receiver->taken[receiver->takens], 16 << 20);
		buf_add(&receiver->taken[receiver->takens++], in->at + head, len - head);
	}
	pthread_mutex_unlock(&receiver->lock);
	memmove(in->at, in->at + len, in->len - len);
	in->len -= len;
	if (!answer->status)
		return;
	buf_init(&out, 1 << 20);
	buf_printf(&out, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", answer->status,
		   answer->body.len, answer->headers);
	buf_add_bytes(&out, answer->body);
	if (send(fd, out.at, out.len, MSG_NOSIGNAL) < 0)
		out.len = 0;		/* the client gave up */
	buf_done(&out);
}

static inline void receiver_read(struct receiver *receiver, int i)
{
	struct buf *in = &receiver->in[i];
	size_t len, head = 0;
	ssize_t n;

	buf_reserve(in, 65536);
	n = recv(receiver->poll[i].fd, in->at + in->len, 65536, MSG_DONTWAIT);
	if (n <= 0) {
		close(receiver->poll[i].fd);
		receiver->poll[i].fd = -1;
		buf_reset(in);
		return;
	}
	in->len += n;
	while ((len = receiver_request_len(in, &head)))
		receiver_answer(receiver, receiver->poll[i].fd, in, head, len);
}

static inline void receiver_accept(struct receiver *receiver)
{
	int fd = accept4(receiver->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; i < RECEIVER_CONNECTIONS; i++) {
		if (receiver->poll[i].fd >= 0)
			continue;
		receiver->poll[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
		return;
	}
	close(fd);
}

static inline void *receiver_run(void *context)
{
	struct receiver *receiver = context;
	struct pollfd *last = &receiver->poll[RECEIVER_CONNECTIONS];

	last[0] = (struct pollfd){ .fd = receiver->listen_fd, .events = POLLIN };
	last[1] = (struct pollfd){ .fd = receiver->stop[0], .events = POLLIN };
	while (poll(receiver->poll, RECEIVER_CONNECTIONS + 2, -1) >= 0 && !last[1].revents) {
		for (int i = 0; i < RECEIVER_CONNECTIONS; i++) {
			if (receiver->poll[i].fd >= 0 && receiver->poll[i].revents)
				receiver_read(receiver, i);
		}
		if (last[0].revents)
			receiver_accept(receiver);
	}
	for (int i = 0; i < RECEIVER_CONNECTIONS; i++) {
		if (receiver->poll[i].fd >= 0)
			close(receiver->poll[i].fd);
		buf_done(&receiver->in[i]);
	}
	return NULL;
}

/* `port` 0: any free one. */
static inline void receiver_listen(struct receiver *receiver, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int one = 1;

	receiver->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(receiver->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(receiver->listen_fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(receiver->listen_fd, 16), 0);
	assert_int_equal(getsockname(receiver->listen_fd, (struct sockaddr *)&address, &len), 0);
	receiver->port = ntohs(address.sin_port);
}

static inline void receiver_start(struct receiver *receiver, uint16_t port,
				  const struct answer *script, unsigned steps)
{
	memset(receiver, 0, sizeof(*receiver));
	receiver_listen(receiver, port);
	receiver->script = script;
	receiver->steps = steps;
	buf_init(&receiver->head, 1 << 16);
	pthread_mutex_init(&receiver->lock, NULL);
	for (int i = 0; i < RECEIVER_CONNECTIONS; i++) {
		receiver->poll[i].fd = -1;
		buf_init(&receiver->in[i], 16 << 20);
	}
	assert_int_equal(pipe(receiver->stop), 0);
	assert_int_equal(pthread_create(&receiver->thread, NULL, receiver_run, receiver), 0);
}

/* After this `taken` may be read without the lock; receiver_done() frees it. */
static inline void receiver_stop(struct receiver *receiver)
{
	assert_int_equal(write(receiver->stop[1], "x", 1), 1);
	pthread_join(receiver->thread, NULL);
	close(receiver->listen_fd);
	close(receiver->stop[0]);
	close(receiver->stop[1]);
}

static inline void receiver_done(struct receiver *receiver)
{
	for (unsigned i = 0; i < receiver->takens; i++)
		buf_done(&receiver->taken[i]);
	buf_done(&receiver->head);
	pthread_mutex_destroy(&receiver->lock);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd without a thread of its own: its epoll descriptor is a source of the loop, its
 * timeouts are the loop's. Requests go to the handler, replies are compressed and sent.
 */
#include "export/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "export/accept.h"
#include "export/gzip.h"
#include "export/http_listen.h"

#define CONNECTIONS_MAX 64
#define CONNECTIONS_PER_ADDRESS 16
#define IDLE_SECONDS 10
#define CONNECTION_BYTES (16u << 10)	/* for the head of a request */
#define ROUNDS_MAX 16			/* without going back to the loop */
#define GZIP_MIN 1024			/* bytes; smaller bodies fit one packet anyway */

struct http_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	int epoll_fd;			/* the daemon's */
	int timeout_fd;			/* the loop's; -1: none */
	uint16_t port;
	http_handler handler;
	void *context;
};

static struct bytes header_of(struct MHD_Connection *connection, const char *name)
{
	return bytes_of_text(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

/* Hands the body over to libmicrohttpd, which frees it. */
static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply,
				  bool compressed)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(reply->body.len, reply->body.at,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		buf_done(&reply->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
	if (compressed)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* Sends it as it is when it cannot be compressed. */
static bool compress_reply(struct http_reply *reply)
{
	struct buf compressed;

	buf_init(&compressed, HTTP_BODY_MAX + HTTP_BODY_MAX / 64);
	if (gzip_add(&compressed, buf_bytes(&reply->body)) < 0) {
		buf_done(&compressed);
		return false;
	}
	buf_done(&reply->body);
	reply->body = compressed;
	return true;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload_data,
			      size_t *upload_data_size, void **request_state)
{
	static int head_seen;
	struct http_server *server = context;
	struct http_request request = { .path = bytes_of_text(url) };
	struct http_reply reply = { .status = MHD_HTTP_OK, .type = HTTP_TYPE_TEXT };
	bool compressed = false;

	buf_init(&reply.body, HTTP_BODY_MAX);
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD)) {
		reply.status = MHD_HTTP_METHOD_NOT_ALLOWED;
		buf_add_text(&reply.body, "Only GET and HEAD are served here.\n");
		return send_reply(connection, &reply, false);
	}
	/*
	 * the first call is after the head: an answer now would cost the connection its keep-alive
	 */
	if (!*request_state) {
		*request_state = &head_seen;
		return MHD_YES;
	}
	if (*upload_data_size) {
		*upload_data_size = 0;		/* a body nobody asked for */
		return MHD_YES;
	}
	request.accept = header_of(connection, MHD_HTTP_HEADER_ACCEPT);
	server->handler(server->context, &request, &reply);
	if (reply.body.len >= GZIP_MIN &&
	    accept_gzip(header_of(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING)))
		compressed = compress_reply(&reply);
	return send_reply(connection, &reply, compressed);
}

static void on_ready(void *context, int fd);

static void on_timeout(void *context, int fd)
{
	struct http_server *server = context;

	server->timeout_fd = -1;
	on_ready(server, -1);
}

/* Lets the daemon work until it waits for something: a descriptor, or a time. */
static void on_ready(void *context, int fd)
{
	struct http_server *server = context;
	MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
	bool waits = false;

	for (int i = 0; i < ROUNDS_MAX && !timeout_ms; i++) {
		MHD_run(server->daemon);
		waits = MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES;
		if (!waits)
			break;
	}
	loop_remove(server->loop, server->timeout_fd);
	server->timeout_fd = -1;
	if (waits) {
		timeout_ms = MIN(timeout_ms, (MHD_UNSIGNED_LONG_LONG)IDLE_SECONDS * 1000);
		server->timeout_fd = loop_add_timeout(server->loop, timeout_ms * NSEC_PER_MSEC,
						      on_timeout, server);
	}
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 address;	/* the port is where sockaddr_in has it */
	socklen_t len = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &len) < 0 ? 0
								      : ntohs(address.sin6_port);
}

/* The daemon owns `listen_fd` once it runs. */
static int start_daemon(struct http_server *server, int listen_fd)
{
	const union MHD_DaemonInfo *info;

	server->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, server,
		MHD_OPTION_LISTEN_SOCKET, listen_fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_PER_ADDRESS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_END);
	if (!server->daemon)
		return log_error(-ENOMEM, "listen: the HTTP server does not start: %m: free some "
					  "memory or descriptors");
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return log_error(-ENOTSUP,
				 "listen: libmicrohttpd was built without epoll: %m: install "
				 "one with it, or use --listen \"\"");
	server->epoll_fd = info->epoll_fd;
	return loop_add(server->loop, server->epoll_fd, on_ready, server);
}

int http_server_open(struct loop *loop, const char *listen, http_handler handler, void *context,
		     struct http_server **ret_server)
{
	_cleanup_(closep) int fd = -1;
	struct http_server *server;
	int r;

	fd = http_listen(listen);
	if (fd < 0)
		return fd;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	*server = (struct http_server){
		.loop = loop, .handler = handler, .context = context, .epoll_fd = -1,
		.timeout_fd = -1, .port = port_of(fd),
	};
	r = start_daemon(server, fd);
	if (server->daemon)
		fd = -1;
	if (r < 0) {
		http_server_close(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}

void http_server_close(struct http_server *server)
{
	if (!server)
		return;
	loop_remove(server->loop, server->epoll_fd);
	loop_remove(server->loop, server->timeout_fd);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	free(server);
}

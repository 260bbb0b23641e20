/* SPDX-License-Identifier: Apache-2.0 */
/* ADDR:PORT -> a listening socket, or a sentence that tells why there is none. */
#include "export/http_listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define BACKLOG 64

/* "[::1]:9464" -> "::1" and "9464". Returns 0 or -EINVAL. */
static int split(const char *text, char *host, size_t host_size, const char **ret_port)
{
	const char *colon = strrchr(text, ':'), *end = colon;

	if (!colon || !colon[1])
		return -EINVAL;
	if (text[0] == '[') {
		if (end == text || end[-1] != ']')
			return -EINVAL;
		text++;
		end--;
	}
	if ((size_t)(end - text) >= host_size)
		return -EINVAL;
	memcpy(host, text, end - text);
	host[end - text] = '\0';
	*ret_port = colon + 1;
	return 0;
}

/* Returns a socket or -errno. */
static int listen_on(const struct addrinfo *address)
{
	_cleanup_(closep) int fd = -1;
	int one = 1, zero = 0;

	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* connections of a former agent in TIME_WAIT do not hold the port */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address->ai_family == AF_INET6)	/* `:PORT` is IPv4 as well */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* `host` NULL: every address. Returns a socket or -errno. */
static int try_family(const char *host, const char *port, int family)
{
	struct addrinfo hints = {
		.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE,
	};
	struct addrinfo *addresses;
	int fd;

	if (getaddrinfo(host, port, &hints, &addresses))
		return -EADDRNOTAVAIL;
	fd = listen_on(addresses);
	freeaddrinfo(addresses);
	return fd;
}

static const char *cure_for(int error)
{
	switch (-error) {
	case EADDRINUSE:
		return "another agent or exporter has the port; choose another with --listen";
	case EACCES:
	case EPERM:
		return "ports below 1024 need CAP_NET_BIND_SERVICE; choose another with --listen";
	case EADDRNOTAVAIL:
		return "this machine has no such address; give one it has, or only :PORT, to "
		       "--listen";
	case EINVAL:
		return "write --listen as 0.0.0.0:9464 or [::1]:9464";
	default:
		return "choose another with --listen, or \"\" for none";
	}
}

int http_listen(const char *text)
{
	const char *port = NULL;
	char host[256];
	int fd;

	fd = split(text, host, sizeof(host), &port);
	if (!fd && host[0])
		fd = try_family(host, port, AF_UNSPEC);
	else if (!fd) {
		fd = try_family(NULL, port, AF_INET6);
		if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)	/* no IPv6 here */
			fd = try_family(NULL, port, AF_INET);
	}
	if (fd < 0)
		log_error(fd, "listen %s%s: %m: %s", text[0] == ':' ? "0.0.0.0" : "", text,
			  cure_for(fd));
	return fd;
}

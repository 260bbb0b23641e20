/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a single value beyond its type: rows of the option table point here. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "config/value.h"

/* By inet_pton(), which wants a text of its own. */
static bool is_address(int family, struct bytes address)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr binary;

	if (address.len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", BYTES_ARG(address));
	return inet_pton(family, text, &binary) == 1;
}

/* [IPv6], IPv4, or a name: anything of digits and dots alone has to be a whole IPv4 address. */
static bool host_good(struct bytes host)
{
	bool name = false;

	if (!host.len)
		return true;
	if (host.at[0] == '[')
		return host.at[host.len - 1] == ']' &&
		       is_address(AF_INET6, bytes_of(host.at + 1, host.len - 2));
	for (size_t i = 0; i < host.len; i++) {
		if (!isalnum(host.at[i]) && !strchr("-._", host.at[i]))
			return false;
		name |= host.at[i] != '.' && !isdigit(host.at[i]);
	}
	return host.len < 256 && (name || is_address(AF_INET, host));
}

const char *listen_wrong(const char *text)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!*text)
		return NULL;
	if (!colon || !host_good(bytes_of(text, colon - text)))
		return "is not ADDR:PORT";
	if (bytes_to_u64(bytes_of_text(colon + 1), &port) < 0 || !port || port > 65535)
		return "has no port from 1 to 65535";
	return NULL;
}

const char *url_wrong(const char *text)
{
	const char *host = NULL;

	if (!strncasecmp(text, "http://", 7))
		host = text + 7;
	else if (!strncasecmp(text, "https://", 8))
		host = text + 8;
	if (!host)
		return "does not start with http:// or https://";
	if (!*host || strchr("/:?#", *host))
		return "names no host";
	for (; *host; host++) {
		if (*host == ' ')
			return "has a space in it";
	}
	return NULL;
}

/* Field names are tokens (RFC 9110, 5.6.2); values have no control characters (checked for all). */
const char *header_wrong(const char *text)
{
	size_t len = strcspn(text, "=");

	if (!len || !text[len])
		return "is not name=value";
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr("!#$%&'*+-.^_`|~", text[i]))
			return "has a character in its name that no HTTP header may have";
	}
	return NULL;
}

/* Of one segment: at most one wild part, as user/pipeline/route_pattern.c matches them. */
static const char *segment_wrong(struct bytes segment)
{
	struct bytes rest;
	ssize_t end = 0;
	size_t start = 0;

	if (segment.len > 1 && segment.at[0] == ':')
		return NULL;
	while (start < segment.len && segment.at[start] != '*' && segment.at[start] != '{')
		start++;
	if (start == segment.len)
		return NULL;
	if (segment.at[start] == '{')
		end = bytes_index(bytes_skip(segment, start), '}');
	if (end < 0)
		return "has a { that is never closed";
	rest = bytes_skip(segment, start + end + 1);
	if (bytes_index(rest, '*') >= 0 || bytes_index(rest, '{') >= 0 ||
	    bytes_index(rest, '}') >= 0)
		return "has two wild parts in one segment";
	return NULL;
}

const char *pattern_wrong(const char *text)
{
	const char *why = *text == '/' ? NULL : "does not start with /";

	while (*text && !why) {
		struct bytes segment = bytes_of(text, strcspn(text, "/"));

		text += segment.len;
		text += strspn(text, "/");
		if (!bytes_equal(segment, BYTES("**")))
			why = segment_wrong(segment);
		else if (*text)
			why = "has something behind **";
	}
	return why;
}

/* As much as user/protocol/redact.h takes. */
#define KEYS_MAX 64
#define KEY_MAX 64

const char *keys_wrong(const char *text)
{
	unsigned count = 0;

	for (;; text++) {
		size_t len = strcspn(text, ",");

		if (bytes_trim(bytes_of(text, len)).len > KEY_MAX)
			return "has a key of more than 64 bytes";
		if (++count > KEYS_MAX)
			return "has more than 64 keys";
		text += len;
		if (!*text)
			return NULL;
	}
}

/* Of a size that has been found well formed and within its bounds. */
const char *power_of_two_wrong(const char *text)
{
	uint64_t value;

	if (value_to_bytes(text, &value) < 0 || !value || value & (value - 1))
		return "is not a power of two";
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a single value beyond its type: rows of the option table point here. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "config/value.h"

static bool address_good(const char *address, size_t len)
{
	bool brackets = len >= 2 && address[0] == '[' && address[len - 1] == ']';
	char text[INET6_ADDRSTRLEN];
	struct in6_addr binary;

	if (!len)
		return true;
	if (brackets) {
		address++;
		len -= 2;
	}
	if (len >= sizeof(text))
		return false;
	memcpy(text, address, len);
	text[len] = '\0';
	return inet_pton(brackets ? AF_INET6 : AF_INET, text, &binary) == 1;
}

const char *listen_wrong(const char *text)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!*text)
		return NULL;
	if (!colon || !address_good(text, colon - text))
		return "is not ADDR:PORT with a numeric address";
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

const char *pattern_wrong(const char *text)
{
	return *text == '/' ? NULL : "does not start with /";
}

/* Of a size that has been found well formed and within its bounds. */
const char *power_of_two_wrong(const char *text)
{
	uint64_t value;

	if (value_to_bytes(text, &value) < 0 || !value || value & (value - 1))
		return "is not a power of two";
	return NULL;
}

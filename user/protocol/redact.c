/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets in queries (OpenTelemetry semantic conventions 1.37, url.query). A query in, its
 * harmless form out, to pipeline/exchange.c. A doubt is decided for hiding: a redacted value ends
 * at `&` only, though some servers end parameters at `;` as well.
 */
#include "protocol/redact.h"

#include <errno.h>

#define KEY_MAX 64	/* bytes, decoded; a longer key is taken for a secret one */

/* Where the result goes; bytes past its end are dropped. */
struct output {
	uint8_t *at;
	size_t len, size;
};

static void put(struct output *output, struct bytes bytes)
{
	size_t room = output->size - output->len;
	size_t len = bytes.len < room ? bytes.len : room;

	if (len)
		memcpy(output->at + output->len, bytes.at, len);
	output->len += len;
}

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes (RFC 3986, 2.1), and `+` as a blank. No bytes when it does not fit KEY_MAX. */
static struct bytes key_decode(struct bytes key, uint8_t *to)
{
	size_t len = 0;
	int high, low;

	for (size_t i = 0; i < key.len; i++) {
		if (len == KEY_MAX)
			return (struct bytes){ NULL, 0 };
		to[len] = key.at[i] == '+' ? ' ' : key.at[i];
		if (key.at[i] == '%' && key.len - i > 2) {
			high = digit_of(key.at[i + 1]);
			low = digit_of(key.at[i + 2]);
			if (high >= 0 && low >= 0) {
				to[len] = high << 4 | low;
				i += 2;
			}
		}
		len++;
	}
	return bytes_trim(bytes_of(to, len));
}

static bool is_named(struct bytes name, const struct bytes *keys, unsigned nkeys)
{
	for (unsigned i = 0; i < nkeys; i++) {
		if (bytes_equal_nocase(name, keys[i]))
			return true;
	}
	return false;
}

/* The whole key, or one of its parts between brackets and dots. */
static bool is_secret(struct bytes key, const struct bytes *keys, unsigned nkeys)
{
	uint8_t decoded[KEY_MAX];
	struct bytes name = key_decode(key, decoded), part;
	size_t len;

	if (!name.at || is_named(name, keys, nkeys))
		return true;
	while (name.len) {
		for (len = 0; len < name.len; len++) {
			if (name.at[len] == '[' || name.at[len] == ']' || name.at[len] == '.')
				break;
		}
		part = bytes_first(name, len);
		if (part.len && is_named(part, keys, nkeys))
			return true;
		name = bytes_skip(name, len + 1);
	}
	return false;
}

static struct bytes take_until(struct bytes *rest, uint8_t separator)
{
	ssize_t end = bytes_index(*rest, separator);
	struct bytes taken = bytes_first(*rest, end < 0 ? rest->len : (size_t)end);

	*rest = bytes_skip(*rest, taken.len);
	return taken;
}

/* What stands between two `&`: parameters parted by `;`, of which a secret one hides the rest. */
static void parameters_put(struct output *output, struct bytes rest, const struct bytes *keys,
			   unsigned nkeys)
{
	struct bytes parameter;
	ssize_t equals;

	while (rest.len) {
		parameter = take_until(&rest, ';');
		equals = bytes_index(parameter, '=');
		if (equals >= 0 && is_secret(bytes_first(parameter, equals), keys, nkeys)) {
			put(output, bytes_first(parameter, equals + 1));
			put(output, BYTES("REDACTED"));
			return;
		}
		put(output, parameter);
		put(output, bytes_first(rest, 1));
		rest = bytes_skip(rest, 1);
	}
}

size_t query_redact(struct bytes query, const struct bytes *keys, unsigned nkeys, uint8_t *to,
		    size_t size)
{
	struct output output = { to, 0, size };
	struct bytes rest = take_until(&query, '#');

	while (rest.len) {
		parameters_put(&output, take_until(&rest, '&'), keys, nkeys);
		put(&output, bytes_first(rest, 1));
		rest = bytes_skip(rest, 1);
	}
	return output.len;
}

int query_keys_split(struct bytes list, struct bytes *ret_keys)
{
	struct bytes keys[QUERY_KEYS_MAX], key;
	int count = 0;

	while (list.len) {
		key = bytes_trim(take_until(&list, ','));
		list = bytes_skip(list, 1);
		if (!key.len)
			continue;
		if (key.len > KEY_MAX)
			return -EINVAL;
		if (count == QUERY_KEYS_MAX)
			return -E2BIG;
		keys[count++] = key;
	}

	memcpy(ret_keys, keys, count * sizeof(keys[0]));
	return count;
}

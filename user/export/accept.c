/* SPDX-License-Identifier: Apache-2.0 */
/* Content negotiation for /metrics; used by prometheus.c, fuzzed by tests/fuzz/accept_fuzz.c. */
#include "export/accept.h"

#include "base/cleanup.h"

/* One element of the list: `name;version=...;q=...`. */
struct item {
	struct bytes name;
	struct bytes version;	/* empty: none given */
	unsigned weight;	/* thousandths; 0: not acceptable */
};

/* Cuts off what comes before the first `separator` that is not within quotes. */
static struct bytes cut(struct bytes *rest, uint8_t separator)
{
	struct bytes part = *rest;
	bool quoted = false;
	size_t i;

	for (i = 0; i < rest->len; i++) {
		if (quoted && rest->at[i] == '\\')
			i++;		/* the next byte is meant literally (RFC 9110, 5.6.4) */
		else if (rest->at[i] == '"')
			quoted = !quoted;
		else if (rest->at[i] == separator && !quoted)
			break;
	}
	part.len = MIN(i, rest->len);
	*rest = bytes_skip(*rest, i + 1);
	return bytes_trim(part);
}

/* RFC 9110, 12.4.2: 0 or 1 with up to three decimals. Returns thousandths; 0 for anything else. */
static unsigned weight_of(struct bytes text)
{
	unsigned weight, step = 100;

	if (!text.len || text.len > 5 || text.at[0] < '0' || text.at[0] > '1')
		return 0;
	weight = (text.at[0] - '0') * 1000u;
	if (text.len > 1 && text.at[1] != '.')
		return 0;
	for (size_t i = 2; i < text.len; i++, step /= 10) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return 0;
		weight += (text.at[i] - '0') * step;
	}
	return MIN(weight, 1000u);
}

static struct item next_item(struct bytes *rest)
{
	struct bytes element = cut(rest, ',');
	struct item item = { .name = cut(&element, ';'), .weight = 1000 };

	while (element.len) {
		struct bytes value = cut(&element, ';'), name = cut(&value, '=');

		if (bytes_equal_nocase(name, BYTES("q")))
			item.weight = weight_of(value);
		else if (bytes_equal_nocase(name, BYTES("version")))
			item.version = value;
	}
	return item;
}

/* The more closely a range names text/plain, the more its weight counts (RFC 9110, 12.5.1). */
static int text_rank(struct bytes name)
{
	if (bytes_equal_nocase(name, BYTES("text/plain")))
		return 3;
	if (bytes_equal_nocase(name, BYTES("text/*")))
		return 2;
	return bytes_equal(name, BYTES("*/*"));
}

static bool is_openmetrics(const struct item *item)
{
	return bytes_equal_nocase(item->name, BYTES("application/openmetrics-text")) &&
	       (!item->version.len || bytes_equal(item->version, BYTES("1.0.0")));
}

enum metrics_format accept_format(struct bytes accept)
{
	unsigned text = 0, openmetrics = 0;
	int rank = 0;

	while (accept.len) {
		struct item item = next_item(&accept);
		int named = text_rank(item.name);

		if (is_openmetrics(&item))
			openmetrics = MAX(openmetrics, item.weight);
		if (named && named == rank)
			text = MAX(text, item.weight);
		if (named > rank) {
			rank = named;
			text = item.weight;
		}
	}
	return openmetrics && openmetrics >= text ? METRICS_OPENMETRICS : METRICS_TEXT;
}

bool accept_gzip(struct bytes accept_encoding)
{
	unsigned any = 0;

	while (accept_encoding.len) {
		struct item item = next_item(&accept_encoding);

		if (bytes_equal_nocase(item.name, BYTES("gzip")) ||
		    bytes_equal_nocase(item.name, BYTES("x-gzip")))
			return item.weight > 0;
		if (bytes_equal(item.name, BYTES("*")))
			any = item.weight;
	}
	return any > 0;
}

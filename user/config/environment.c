/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTEL_* variables of the agent's own environment -> struct config. Rules of the OpenTelemetry
 * environment variable specification: empty is not set, durations are in milliseconds, enums
 * ignore case. Where it says to warn and go on, the agent refuses: it is never set up otherwise
 * than it was told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "config/layer.h"

static int digit_of(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	return at ? at - digits : -1;
}

/* %XX to bytes, in place; `text` shrinks. Returns 0 or -EINVAL. */
static int percent_decode(char *text)
{
	char *out = text;

	for (; *text; text++) {
		int high, low;

		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		high = digit_of(text[1]);
		low = high < 0 ? -1 : digit_of(text[2]);
		if (low < 0 || !(high | low))		/* %00 would end the text */
			return -EINVAL;
		*out++ = high << 4 | low;
		text += 2;
	}
	*out = '\0';
	return 0;
}

/* Blanks around a member, its key and its value do not count. */
static int set_pair(struct layer *layer, const struct config_option *option, struct bytes member,
		    const struct origin *origin)
{
	ssize_t equals = bytes_index(member, '=');
	struct bytes key, value;
	char pair[VALUE_MAX + 2];

	if (equals < 0)
		return origin_complain(origin, "\"%.*s\" is not key=value: separate pairs by "
				       "commas, write a comma inside a value as %%2C",
				       (int)bytes_first(member, 80).len, (const char *)member.at);
	if (member.len > VALUE_MAX)
		return origin_complain(origin, "a pair of more than %d bytes: make it shorter",
				       VALUE_MAX);
	key = bytes_trim(bytes_first(member, equals));
	value = bytes_trim(bytes_skip(member, equals + 1));
	snprintf(pair, sizeof(pair), "%.*s=%.*s", BYTES_ARG(key), BYTES_ARG(value));
	if (percent_decode(pair) < 0)
		return origin_complain(origin, "\"%.80s\": %% without two hexadecimal digits after "
				       "it: write %% itself as %%25", pair);
	return value_set(layer->config, option, pair, origin);
}

int layer_set_pairs(struct layer *layer, const struct config_option *option, const char *text,
		    const struct origin *origin)
{
	struct bytes rest = bytes_of_text(text);
	int r = 0;

	while (rest.len && !r) {
		ssize_t comma = bytes_index(rest, ',');
		struct bytes member = bytes_first(rest, comma < 0 ? rest.len : (size_t)comma);

		rest = bytes_skip(rest, member.len + 1);
		member = bytes_trim(member);
		if (member.len)
			r = set_pair(layer, option, member, origin);
	}
	return r;
}

int config_from_environment(struct config *config, FILE *errors)
{
	struct layer layer = { .config = config };
	int r = 0;

	for OPTION_EACH(option) {
		struct origin origin = { .name = option->variable, .otel = true, .errors = errors };
		const char *text = option->variable ? getenv(option->variable) : NULL;

		if (!text || !*text)
			continue;
		layer_begin(&layer, option);
		r |= option->type == OPTION_PAIRS
			     ? layer_set_pairs(&layer, option, text, &origin)
			     : value_set(config, option, text, &origin);
	}
	return r ? -EINVAL : 0;
}

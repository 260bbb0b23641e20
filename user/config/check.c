/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a whole configuration makes sense: every field within its row of the table, however it
 * got there, then what only shows when several settings are seen together.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/value.h"

static int refuse(const struct config_option *option, const struct origin *origin, const char *why)
{
	char bounds[256];

	option_describe_bounds(option, bounds, sizeof(bounds));
	return origin_complain(origin, "%s: %s %s", why, option->cure ? "the cure:" : "allowed is",
			       option->cure ? option->cure : bounds);
}

static const char *list_wrong(const struct config_option *option, const struct config_list *list)
{
	const char *why = NULL;

	if (list->count > CONFIG_LIST_MAX)
		return "too many values";
	for (unsigned i = 0; i < list->count && option->wrong && !why; i++)
		why = option->wrong(list->item[i]);
	return why;
}

static const char *numbers_wrong(const struct config_option *option,
				 const struct config_numbers *numbers)
{
	if (numbers->count > CONFIG_LIST_MAX)
		return "too many values";
	for (unsigned i = 0; i < numbers->count; i++) {
		if (numbers->item[i] < option->min || numbers->item[i] > option->max)
			return "a value is out of bounds";
	}
	return NULL;
}

/* An option without a default may be unset, which is 0 for numbers. */
static const char *number_wrong(const struct config_option *option, uint64_t value)
{
	char text[32];

	if (!value && !option->preset)
		return NULL;
	if (value < option->min || value > option->max)
		return "the value is out of bounds";
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return option->wrong ? option->wrong(text) : NULL;
}

static const char *text_wrong(const struct config_option *option, const char *text)
{
	if (!text)
		return option->preset ? "no memory" : NULL;
	return option->wrong ? option->wrong(text) : NULL;
}

static const char *enum_wrong(const struct config_option *option, unsigned value)
{
	for (unsigned i = 0; option->values[i]; i++) {
		if (i == value)
			return NULL;
	}
	return "no such value";
}

static const char *field_wrong(const struct config_option *option, const void *field)
{
	double ratio;

	switch (option->type) {
	case OPTION_LIST:
	case OPTION_PAIRS:
		return list_wrong(option, field);
	case OPTION_NUMBERS:
		return numbers_wrong(option, field);
	case OPTION_TEXT:
		return text_wrong(option, *(char *const *)field);
	case OPTION_ENUM:
		return enum_wrong(option, *(const unsigned *)field);
	case OPTION_U32:
		return number_wrong(option, *(const uint32_t *)field);
	case OPTION_BYTES:
	case OPTION_DURATION:
		return number_wrong(option, *(const uint64_t *)field);
	case OPTION_RATIO:
		ratio = *(const double *)field;
		return ratio >= 0 && ratio <= 1 ? NULL : "the value is out of bounds";
	default:
		return NULL;
	}
}

int value_check(const struct config *config, const struct config_option *option,
		const struct origin *origin)
{
	const char *why = field_wrong(option, (const char *)config + option->offset);

	return why ? refuse(option, origin, why) : 0;
}

/* An agent that watches and tells nobody would only cost. */
static int check_outputs(const struct config *config, FILE *errors)
{
	struct origin origin = { .errors = errors };
	struct config_otlp otlp;

	if ((config->listen && *config->listen) || config->print != PRINT_NONE ||
	    !config_otlp_of(config, SIGNAL_TRACES, &otlp) ||
	    !config_otlp_of(config, SIGNAL_METRICS, &otlp))
		return 0;
	return origin_complain(&origin, "no output: metrics.listen is empty, and neither "
			       "otlp.endpoint nor print is set: set at least one of them (--listen "
			       ":9464)");
}

int config_check(const struct config *config, FILE *errors)
{
	int r = 0;

	for OPTION_EACH(option) {
		struct origin origin = { .name = option->key, .errors = errors };

		if (option->key)
			r |= value_check(config, option, &origin);
	}
	r |= check_outputs(config, errors);
	return r ? -EINVAL : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From the text of one option to its typed field in struct config, within its row's bounds. */
#include "config/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define QUOTE "\"%.80s\""	/* of a wrong value: enough to recognise it */

/* What a setter needs: the field, and the words to refuse with. */
struct slot {
	void *field;
	const struct config_option *option;
	const struct origin *origin;
};

static int refuse(const struct slot *slot, const char *text, const char *why)
{
	char bounds[256];

	option_describe_bounds(slot->option, bounds, sizeof(bounds));
	if (slot->option->cure)
		return origin_complain(slot->origin, QUOTE " %s: %s", text, why,
				       slot->option->cure);
	return origin_complain(slot->origin, QUOTE " %s: allowed is %s", text, why, bounds);
}

/* Names of YAML and HTTP fields end up in requests and on terminals: no control characters. */
static const char *text_wrong(const struct config_option *option, const char *text)
{
	if (strlen(text) > VALUE_MAX)
		return "is too long";
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return "has a control character in it";
	}
	if (option->type == OPTION_PAIRS && (*text == '=' || !strchr(text, '=')))
		return "is not key=value";
	if (option->type == OPTION_LIST && !*text)
		return "is empty";
	return option->wrong ? option->wrong(text) : NULL;
}

static int set_list(const struct slot *slot, const char *text)
{
	struct config_list *list = slot->field;
	const char *why = text_wrong(slot->option, text);
	char *copy;

	if (why)
		return refuse(slot, text, why);
	if (list->count == CONFIG_LIST_MAX)
		return origin_complain(slot->origin, "more than %d values: use fewer, wider ones",
				       CONFIG_LIST_MAX);
	copy = strdup(text);
	if (!copy)
		return origin_complain(slot->origin, "no memory");
	list->item[list->count++] = copy;
	return 0;
}

static int set_text(const struct slot *slot, const char *text)
{
	const char *why = text_wrong(slot->option, text);
	char **field = slot->field, *copy;

	if (why)
		return refuse(slot, text, why);
	copy = strdup(text);
	if (!copy)
		return origin_complain(slot->origin, "no memory");
	free(*field);
	*field = copy;
	return 0;
}

/* A number of any kind, in the field's unit and within its bounds. */
static int parse_number(const struct slot *slot, const char *text, uint64_t *ret_value)
{
	const struct config_option *option = slot->option;
	const char *why = "is not a number";
	uint64_t value = 0;
	int r;

	if (option->type == OPTION_DURATION && slot->origin->otel) {
		why = "is not a whole number of milliseconds";
		r = bytes_to_u64(bytes_of_text(text), &value);
		if (!r && __builtin_mul_overflow(value, NSEC_PER_MSEC, &value))
			r = -ERANGE;
	} else if (option->type == OPTION_DURATION) {
		why = "is not a duration (10s, 500ms, 5m, 1h)";
		r = value_to_duration(text, &value);
	} else if (option->type == OPTION_BYTES) {
		why = "is not a size (65536, 512K, 2M)";
		r = value_to_bytes(text, &value);
	} else {
		r = bytes_to_u64(bytes_of_text(text), &value);
	}
	if (r == -ERANGE || (!r && (value < option->min || value > option->max)))
		return refuse(slot, text, "is out of bounds");
	if (!r && option->wrong)
		why = option->wrong(text);
	if (r < 0 || (option->wrong && why))
		return refuse(slot, text, why);
	*ret_value = value;
	return 0;
}

static int set_numbers(const struct slot *slot, const char *text)
{
	struct config_numbers *list = slot->field;
	uint64_t value;
	int r;

	r = parse_number(slot, text, &value);
	if (r < 0)
		return r;
	if (list->count == CONFIG_LIST_MAX)
		return origin_complain(slot->origin, "more than %d values: select by executable "
				       "or container instead", CONFIG_LIST_MAX);
	list->item[list->count++] = value;
	return 0;
}

static int set_u32(const struct slot *slot, const char *text)
{
	uint64_t value;
	int r = parse_number(slot, text, &value);

	if (!r)
		*(uint32_t *)slot->field = value;
	return r;
}

static int set_u64(const struct slot *slot, const char *text)
{
	uint64_t value;
	int r = parse_number(slot, text, &value);

	if (!r)
		*(uint64_t *)slot->field = value;
	return r;
}

static int set_bool(const struct slot *slot, const char *text)
{
	bool yes = !strcasecmp(text, "true");

	if (!yes && strcasecmp(text, "false"))
		return refuse(slot, text, "is neither true nor false");
	*(bool *)slot->field = yes;
	return 0;
}

/* Letter case is ignored, as OpenTelemetry asks for in its enum variables. */
static int set_enum(const struct slot *slot, const char *text)
{
	const char *const *values = slot->option->values;
	const char *nearest;

	for (unsigned i = 0; values[i]; i++) {
		if (strcasecmp(text, values[i]))
			continue;
		*(unsigned *)slot->field = i;
		return 0;
	}
	nearest = nearest_name(text, values);
	if (!nearest)
		return refuse(slot, text, "is not a value of this option");
	return origin_complain(slot->origin, QUOTE " is not a value of this option: "
			       "did you mean %s?", text, nearest);
}

static int set_ratio(const struct slot *slot, const char *text)
{
	double ratio;

	if (value_to_ratio(text, &ratio) < 0)
		return refuse(slot, text, "is not a number");
	if (!(ratio >= 0 && ratio <= 1))
		return refuse(slot, text, "is out of bounds");
	*(double *)slot->field = ratio;
	return 0;
}

static int (*const setters[])(const struct slot *slot, const char *text) = {
	[OPTION_LIST] = set_list,	  [OPTION_PAIRS] = set_list,
	[OPTION_NUMBERS] = set_numbers,	  [OPTION_TEXT] = set_text,
	[OPTION_BOOL] = set_bool,	  [OPTION_ENUM] = set_enum,
	[OPTION_U32] = set_u32,		  [OPTION_BYTES] = set_u64,
	[OPTION_DURATION] = set_u64,	  [OPTION_RATIO] = set_ratio,
};

int value_set(struct config *config, const struct config_option *option, const char *text,
	      const struct origin *origin)
{
	struct slot slot = { (char *)config + option->offset, option, origin };

	return setters[option->type](&slot, text);
}

static void clear_list(struct config_list *list)
{
	for (unsigned i = 0; i < list->count; i++)
		free(list->item[i]);
	*list = (struct config_list){ 0 };
}

void value_clear(struct config *config, const struct config_option *option)
{
	void *field = (char *)config + option->offset;

	switch (option->type) {
	case OPTION_LIST:
	case OPTION_PAIRS:
		clear_list(field);
		break;
	case OPTION_NUMBERS:
		*(struct config_numbers *)field = (struct config_numbers){ 0 };
		break;
	case OPTION_TEXT:
		free(*(char **)field);
		*(char **)field = NULL;
		break;
	case OPTION_BOOL:
		*(bool *)field = false;
		break;
	case OPTION_ENUM:
	case OPTION_U32:
		*(uint32_t *)field = 0;
		break;
	case OPTION_BYTES:
	case OPTION_DURATION:
	case OPTION_RATIO:
		memset(field, 0, sizeof(uint64_t));
		break;
	case OPTION_FILE:
	case OPTION_HELP:
		break;
	}
}

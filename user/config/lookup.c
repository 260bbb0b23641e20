/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the option table by name, the nearest to a wrong name, and their bounds in words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/options.h"
#include "config/value.h"

#define ARGUMENT_WIDTH 60	/* columns */

const struct config_option *option_by_key(const char *key)
{
	for OPTION_EACH(option) {
		if (option->key && !strcmp(option->key, key))
			return option;
	}
	return NULL;
}

const struct config_option *option_by_flag(const char *flag, size_t len)
{
	for OPTION_EACH(option) {
		if (option->flag && strlen(option->flag) == len && !memcmp(option->flag, flag, len))
			return option;
	}
	return NULL;
}

const char *option_nearest_flag(const char *flag)
{
	const char *names[OPTIONS_MAX + 1];
	unsigned count = 0;

	for OPTION_EACH(option) {
		if (option->flag)
			names[count++] = option->flag;
	}
	names[count] = NULL;
	return nearest_name(flag, names);
}

static const char *last_part(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot ? dot + 1 : key;
}

/* By the whole path first; then by its last part alone, for a key in the wrong section. */
const char *option_nearest_key(const char *key)
{
	const char *keys[OPTIONS_MAX + 1], *parts[OPTIONS_MAX + 1], *near;
	unsigned count = 0;

	for OPTION_EACH(option) {
		if (!option->key)
			continue;
		keys[count] = option->key;
		parts[count++] = last_part(option->key);
	}
	keys[count] = parts[count] = NULL;
	near = nearest_name(key, keys);
	if (near)
		return near;
	near = nearest_name(last_part(key), parts);
	for (unsigned i = 0; near && i < count; i++) {
		if (parts[i] == near)
			return keys[i];
	}
	return NULL;
}

const struct config_option *option_section(const char *path)
{
	size_t len = strlen(path);

	for OPTION_EACH(option) {
		if (option->key && !strncmp(option->key, path, len) && option->key[len] == '.')
			return option;
	}
	return NULL;
}

static void join_values(const char *const *values, char *ret_text, size_t size)
{
	size_t len = 0;

	ret_text[0] = '\0';
	for (unsigned i = 0; values[i] && len < size; i++)
		len += snprintf(ret_text + len, size - len, "%s%s", i ? "|" : "", values[i]);
}

void option_describe_bounds(const struct config_option *option, char *ret_text, size_t size)
{
	char min[24], max[24];

	switch (option->type) {
	case OPTION_NUMBERS:
	case OPTION_U32:
	case OPTION_BYTES:
	case OPTION_DURATION:
		value_print_number(option->type, option->min, min, sizeof(min));
		value_print_number(option->type, option->max, max, sizeof(max));
		snprintf(ret_text, size, "%s..%s%s", min, max,
			 option->wrong == power_of_two_wrong ? ", a power of two" : "");
		break;
	case OPTION_RATIO:
		snprintf(ret_text, size, "0..1");
		break;
	case OPTION_BOOL:
		snprintf(ret_text, size, "true|false");
		break;
	case OPTION_ENUM:
		join_values(option->values, ret_text, size);
		break;
	case OPTION_HELP:
		snprintf(ret_text, size, "no value");
		break;
	case OPTION_LIST:
	case OPTION_PAIRS:
		option_describe_argument(option, min, sizeof(min));
		snprintf(ret_text, size, "%s, each at most %d bytes", min, VALUE_MAX);
		break;
	case OPTION_TEXT:
	case OPTION_FILE:
		option_describe_argument(option, min, sizeof(min));
		snprintf(ret_text, size, "%s, at most %d bytes", min, VALUE_MAX);
	}
}

void option_describe_argument(const struct config_option *option, char *ret_text, size_t size)
{
	const char *word = option->argument;

	if (!word && (option->type == OPTION_ENUM || option->type == OPTION_BOOL)) {
		option_describe_bounds(option, ret_text, size);
		if (strlen(ret_text) <= ARGUMENT_WIDTH)
			return;
		word = "NAME";			/* the bounds name them all, and can be wrapped */
	}
	if (!word)
		word = option->type == OPTION_HELP	 ? ""
		       : option->type == OPTION_DURATION ? "TIME"
		       : option->type == OPTION_RATIO	 ? "RATIO"
		       : option->type == OPTION_PAIRS	 ? "KEY=VALUE"
							 : "N";
	snprintf(ret_text, size, "%s", word);
}

const char *option_type_name(enum option_type type)
{
	static const char *const names[] = {
		[OPTION_LIST] = "list",   [OPTION_PAIRS] = "list of key=value",
		[OPTION_NUMBERS] = "list of numbers", [OPTION_TEXT] = "text",
		[OPTION_BOOL] = "boolean",	   [OPTION_ENUM] = "one of these",
		[OPTION_U32] = "number",	   [OPTION_BYTES] = "size",
		[OPTION_DURATION] = "duration",	   [OPTION_RATIO] = "ratio",
		[OPTION_FILE] = "file",		   [OPTION_HELP] = "switch",
	};

	return names[type];
}

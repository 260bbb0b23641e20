/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE table of options: one row is everything that is known of an option. The readers of
 * files, variables and flags, --help, the man pages, docs/config.md and the example file all
 * walk it, so none of them can disagree with another.
 */
#ifndef SONDE_CONFIG_OPTIONS_H
#define SONDE_CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define OPTIONS_MAX 64		/* rows; readers keep one bit of a word for each */

enum option_type {
	OPTION_LIST,		/* struct config_list */
	OPTION_PAIRS,		/* struct config_list of key=value */
	OPTION_NUMBERS,		/* struct config_numbers */
	OPTION_TEXT,		/* char * */
	OPTION_BOOL,		/* bool */
	OPTION_ENUM,		/* an enum that counts up from 0 in the order of `values` */
	OPTION_U32,		/* uint32_t */
	OPTION_BYTES,		/* uint64_t */
	OPTION_DURATION,	/* uint64_t, ns */
	OPTION_RATIO,		/* double, 0 to 1 */
	OPTION_FILE,		/* no field: -c, the file to read */
	OPTION_HELP,		/* no field: --help, the one flag without a value */
};

struct config_option {
	const char *key;	/* dotted path in the file; NULL: flag only */
	const char *variable;	/* OTEL_*; NULL: none */
	const char *flag;	/* with its dashes; NULL: none */
	char short_flag;	/* 'c' for -c; 0: none */
	enum option_type type;
	size_t offset;		/* of the field in struct config */
	uint64_t min, max;	/* both allowed; in the field's unit */
	const char *const *values;	/* OPTION_ENUM: names, NULL at the end */
	const char *preset;	/* default as one would write it; NULL: empty, not set */
	const char *example;	/* a sensible value, where there is no default */
	const char *argument;	/* what stands for the value in usage; NULL: from the type */
	const char *help;	/* meaning, units, who defines it */
	const char *cure;	/* what to do about a wrong value; NULL: the bounds say it */

	/* Why one text or list item is wrong, or NULL when it is right. May be NULL itself. */
	const char *(*wrong)(const char *value);
};

/* Ends with a row that has neither key nor flag; rows of one section stand together. */
extern const struct config_option config_options[];

#define OPTION_EACH(o) \
	(const struct config_option *o = config_options; o->key || o->flag; o++)

/* Row by exact name, or NULL. */
const struct config_option *option_by_key(const char *key);
const struct config_option *option_by_flag(const char *flag, size_t len);

/* Nearest valid flag or key to a wrong one, for messages; NULL: none is near. */
const char *option_nearest_flag(const char *flag);
const char *option_nearest_key(const char *key);

/*
 * First row inside the section `path` ("otlp", "otlp.traces"), or NULL when it is none: the
 * section's identity.
 */
const struct config_option *option_section(const char *path);

/* What a value may be: "1..65535", "auto|containers|all", "text"... `size` at least 160. */
void option_describe_bounds(const struct config_option *option, char *ret_text, size_t size);

/* What stands for the value in usage: "GLOB", "auto|all"; "" for --help. */
void option_describe_argument(const struct config_option *option, char *ret_text, size_t size);

/* "list", "number", ...: for people. */
const char *option_type_name(enum option_type type);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* From the text of one option to its typed field in struct config, with where it was said. */
#ifndef SONDE_CONFIG_VALUE_H
#define SONDE_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config.h"
#include "config/options.h"

#define VALUE_MAX 4096		/* bytes of one text or list item */

/* Where a value was written. */
struct origin {
	const char *file;	/* NULL: not in a file */
	unsigned line;		/* from 1 */
	const char *name;	/* key, variable or flag; NULL: the file as a whole */
	bool otel;		/* by the rules of OTEL_* variables: durations are in ms */
	FILE *errors;
};

/* One `sonde: [file:line: ][name: ]...` line, control characters as `?`. Returns -EINVAL. */
int origin_complain(const struct origin *origin, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Sets a field, or adds an item to a list. Returns 0, or -EINVAL with the field untouched and the
 * reason said. Not for OPTION_FILE and OPTION_HELP.
 */
int value_set(struct config *config, const struct config_option *option, const char *text,
	      const struct origin *origin);

/* Empties a list, frees a text, zeroes the rest. */
void value_clear(struct config *config, const struct config_option *option);

/* Whether the field is as its row allows. Returns 0, or -EINVAL with the reason said. */
int value_check(const struct config *config, const struct config_option *option,
		const struct origin *origin);

static inline bool option_is_list(const struct config_option *option)
{
	return option->type <= OPTION_NUMBERS;
}

/* A number with its largest whole unit: 300 s in ns is "5m", 2097152 is "2M". `size` >= 24. */
void value_print_number(enum option_type type, uint64_t value, char *ret_text, size_t size);

/* Text to number, in the field's unit. Return 0, -EINVAL (not one) or -ERANGE (over 64 bits). */
int value_to_bytes(const char *text, uint64_t *ret_bytes);
int value_to_duration(const char *text, uint64_t *ret_ns);
int value_to_ratio(const char *text, double *ret_ratio);

/* Rows of the table use these; each returns why not, or NULL. */
const char *listen_wrong(const char *text);
const char *url_wrong(const char *text);
const char *header_wrong(const char *text);
const char *pattern_wrong(const char *text);
const char *keys_wrong(const char *text);
const char *power_of_two_wrong(const char *text);

#endif

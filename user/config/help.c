/* SPDX-License-Identifier: Apache-2.0 */
/* --help and the example file: the option table as plain text. */
#include <string.h>

#include "config/config.h"
#include "config/document.h"
#include "config/options.h"
#include "config/value.h"

#define WIDTH 96		/* columns */

/* `text` in lines that start with `margin` and end before WIDTH. */
static void print_wrapped(FILE *out, const char *margin, const char *text)
{
	size_t room = WIDTH - strlen(margin);

	while (*text) {
		size_t len = strlen(text), cut;

		if (len > room) {
			for (cut = room; cut && text[cut] != ' '; cut--)
				;
			len = cut ? cut : strcspn(text, " ");
		}
		fprintf(out, "%s%.*s\n", margin, (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

static void print_facts(FILE *out, const struct config_option *option)
{
	char bounds[256], facts[512];
	int len;

	option_describe_bounds(option, bounds, sizeof(bounds));
	len = snprintf(facts, sizeof(facts), "Allowed: %s. Default: %s.", bounds,
		       option->preset ? option->preset : "none");
	if (option->flag && option->key)
		len += snprintf(facts + len, sizeof(facts) - len, " Key: %s.", option->key);
	if (option->variable)
		snprintf(facts + len, sizeof(facts) - len, " Variable: %s.", option->variable);
	print_wrapped(out, "        ", facts);
}

void config_print_help(FILE *out)
{
	fputs("usage: sonde agent [OPTION VALUE]...\n\n"
	      "Options, as --name VALUE or --name=VALUE. Lists grow by repeating the option, to\n"
	      "at most 64 values. Names without dashes are keys of the file given with -c that\n"
	      "have no option of their own.\n\n", out);
	for OPTION_EACH(option) {
		char argument[256];

		option_describe_argument(option, argument, sizeof(argument));
		fputs("  ", out);
		if (option->short_flag)
			fprintf(out, "-%c, ", option->short_flag);
		fprintf(out, "%s%s%s\n", option->flag ? option->flag : option->key,
			*argument ? " " : "", argument);
		print_wrapped(out, "        ", option->help);
		if (option->type != OPTION_FILE && option->type != OPTION_HELP)
			print_facts(out, option);
	}
}

/* Opens the sections of `key` that `last` was not in. Returns the depth of the key itself. */
static unsigned print_sections(FILE *out, const char *last, const char *key)
{
	unsigned depth = 0;
	const char *dot, *part = key;

	for (; (dot = strchr(part, '.')); part = dot + 1, depth++) {
		size_t len = dot - key + 1;

		if (!strncmp(last, key, len))
			continue;
		fprintf(out, "\n%*s%.*s:\n", 2 * depth, "", (int)(dot - part), part);
	}
	return depth;
}

/* YAML double quotes keep every text of the table as it is. */
static void print_example_value(FILE *out, const struct config_option *option, unsigned depth)
{
	const char *value = option->preset ? option->preset : option->example;
	const char *quote = option->type == OPTION_TEXT || option->type == OPTION_LIST ||
					    option->type == OPTION_PAIRS
				    ? "\""
				    : "";
	const char *dot = strrchr(option->key, '.');

	fprintf(out, "%*s%s%s: %s%s%s%s%s\n", 2 * depth, "", option->preset ? "" : "#",
		dot ? dot + 1 : option->key, option_is_list(option) ? "[" : "", quote, value, quote,
		option_is_list(option) ? "]" : "");
}

void config_print_example(FILE *out)
{
	const char *last = "";

	fputs("# Configuration of sonde agent, for -c: every key at its default. Keys without a\n"
	      "# default are commented out, with an example. Made by\n"
	      "# `sonde document example.conf`.\n", out);
	for OPTION_EACH(option) {
		char bounds[256], margin[32];
		unsigned depth;

		if (!option->key)
			continue;
		depth = print_sections(out, last, option->key);
		if (!depth)
			fputc('\n', out);
		snprintf(margin, sizeof(margin), "%*s# ", 2 * depth, "");
		print_wrapped(out, margin, option->help);
		option_describe_bounds(option, bounds, sizeof(bounds));
		fprintf(out, "%sAllowed: %s.\n", margin, bounds);
		print_example_value(out, option, depth);
		last = option->key;
	}
}

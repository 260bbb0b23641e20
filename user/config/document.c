/* SPDX-License-Identifier: Apache-2.0 */
/* The option table as man(7) macros and as Markdown. */
#include "config/document.h"

#include <string.h>

#include "config/options.h"
#include "config/value.h"

#define GENERAL "general"	/* heading of the keys that are in no section */

/*
 * A backslash is markup anywhere, a minus a hyphen, and a dot or quote at the start of a line a
 * macro.
 */
void document_print_man(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else if (*text == '`')
			fputs("\\(ga", out);
		else if (*text == '\n' && (text[1] == '.' || text[1] == '\''))
			fputs("\n\\&", out);
		else
			fputc(*text, out);
	}
}

/* In a table cell a bar ends the cell, even inside code; <, *, _ and [ are markup outside of it. */
void document_print_markdown(FILE *out, const char *text)
{
	bool code = false;

	for (; *text; text++) {
		if (*text == '`')
			code = !code;
		if (*text == '|' || (!code && strchr("<*_[", *text)))
			fputc('\\', out);
		fputc(*text, out);
	}
}

void document_print_code(FILE *out, const char *text)
{
	fputc('`', out);
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('`', out);
}

static void print_man_facts(FILE *out, const struct config_option *option, const char *other)
{
	char bounds[256];

	option_describe_bounds(option, bounds, sizeof(bounds));
	fputs(".br\nAllowed: ", out);
	document_print_man(out, bounds);
	fputs(". Default: ", out);
	document_print_man(out, option->preset ? option->preset : "none");
	fputs(".", out);
	if (other) {
		fputs(" Also: ", out);
		document_print_man(out, other);
		fputs(".", out);
	}
	if (option->variable) {
		fputs(" Variable: ", out);
		document_print_man(out, option->variable);
		fputs(".", out);
	}
	fputs("\n", out);
}

static void print_man_tag(FILE *out, const struct config_option *option, const char *name)
{
	char argument[256];

	option_describe_argument(option, argument, sizeof(argument));
	fputs(".TP\n", out);
	if (option->short_flag && name == option->flag)
		fprintf(out, "\\fB\\-%c\\fR, ", option->short_flag);
	fputs("\\fB", out);
	document_print_man(out, name);
	fputs("\\fR", out);
	if (*argument) {
		fputs(" \\fI", out);
		document_print_man(out, argument);
		fputs("\\fR", out);
	}
	fputs("\n", out);
	document_print_man(out, option->help);
	fputs("\n", out);
}

void config_print_man_options(FILE *out)
{
	for OPTION_EACH(option) {
		if (!option->flag)
			continue;
		print_man_tag(out, option, option->flag);
		if (option->key)
			print_man_facts(out, option, option->key);
	}
}

void config_print_man_keys(FILE *out)
{
	for OPTION_EACH(option) {
		if (!option->key)
			continue;
		print_man_tag(out, option, option->key);
		print_man_facts(out, option, option->flag);
	}
}

void config_print_man_variables(FILE *out)
{
	for OPTION_EACH(option) {
		if (!option->variable)
			continue;
		fputs(".TP\n.B ", out);
		document_print_man(out, option->variable);
		fputs("\nThe same as ", out);
		document_print_man(out, option->key);
		fputs(option->type == OPTION_DURATION ? ", in milliseconds.\n" : ".\n", out);
	}
}

/* First part of a key: its section. The keys without one are the last section. */
static size_t section_len(const char *key)
{
	return strchr(key, '.') ? strcspn(key, ".") : 0;
}

static void print_code_cell(FILE *out, const char *text)
{
	fputc(' ', out);
	if (text)
		document_print_code(out, text);
	fputs(" |", out);
}

static void print_row(FILE *out, const struct config_option *option)
{
	char bounds[256];

	option_describe_bounds(option, bounds, sizeof(bounds));
	fputs("|", out);
	print_code_cell(out, option->key);
	print_code_cell(out, option->flag);
	print_code_cell(out, option->variable);
	print_code_cell(out, bounds);
	print_code_cell(out, option->preset);
	fprintf(out, " (%s) ", option_type_name(option->type));
	document_print_markdown(out, option->help);
	fputs(" |\n", out);
}

static void print_heading(FILE *out, const char *name, size_t len)
{
	fprintf(out, "\n## %.*s\n\n| key | flag | variable | allowed | default | meaning |\n"
		"|---|---|---|---|---|---|\n", (int)len, name);
}

void config_print_markdown(FILE *out)
{
	const char *last = NULL;

	for OPTION_EACH(option) {
		size_t len;

		if (!option->key)
			continue;
		len = section_len(option->key);
		if (!last || section_len(last) != len || strncmp(last, option->key, len))
			print_heading(out, len ? option->key : GENERAL,
				      len ? len : strlen(GENERAL));
		print_row(out, option);
		last = option->key;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is generated from the tables says everything that is in them:
 * user/config/{document,help}.c, user/cmd/document*.c.
 */
#include "unit/config/said.h"

#include "cmd/document.h"
#include "config/config.h"
#include "config/document.h"
#include "config/options.h"
#include "model/self.h"
#include "model/semconv.h"

static char *printed(void (*print)(FILE *out))
{
	char *text;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	print(stream);
	assert_int_equal(fclose(stream), 0);
	return text;
}

/* `text` without its blanks and line ends: help is wrapped. */
static char *squeeze(const char *text)
{
	char *squeezed = calloc(1, strlen(text) + 1), *out = squeezed;

	for (; *text; text++) {
		if (*text != ' ' && *text != '\n' && *text != '#')
			*out++ = *text;
	}
	return squeezed;
}

static void assert_in(const char *squeezed, const char *part)
{
	char *squeezed_part = squeeze(part);

	if (!strstr(squeezed, squeezed_part))
		fail_msg("\"%s\" is missing", part);
	free(squeezed_part);
}

static char *as_man(const char *text)
{
	char *man;
	size_t len;
	FILE *stream = open_memstream(&man, &len);

	document_print_man(stream, text);
	fclose(stream);
	return man;
}

static void every_option_has_help(void **state)
{
	for OPTION_EACH(option) {
		size_t len;

		assert_non_null(option->help);
		len = strlen(option->help);
		assert_true(len > 20);
		assert_int_equal(option->help[len - 1], '.');
		assert_null(strstr(option->help, "  "));
	}
}

static void help_tells_every_option_with_its_bounds(void **state)
{
	char *help = printed(config_print_help), *squeezed = squeeze(help);

	for OPTION_EACH(option) {
		char bounds[256], whole[600];

		assert_in(squeezed, option->help);
		assert_in(squeezed, option->flag ? option->flag : option->key);
		option_describe_bounds(option, bounds, sizeof(bounds));
		snprintf(whole, sizeof(whole), "%s Allowed: %s. Default: %s.", option->help, bounds,
			 option->preset ? option->preset : "none");
		if (option->key)
			assert_in(squeezed, whole);
		if (option->variable)
			assert_in(squeezed, option->variable);
	}
	free(squeezed);
	free(help);
}

static void help_fits_a_terminal(void **state)
{
	char *help = printed(config_print_help), *rest = help, *line;

	while ((line = strsep(&rest, "\n"))) {
		size_t len = strlen(line);

		/* single words (a long default) cannot be wrapped */
		assert_true(len <= 100 || !strchr(line + strspn(line, " "), ' '));
		assert_true(!len || line[len - 1] != ' ');
	}
	free(help);
}

static void has_man_of(const char *page, const struct config_option *option, const char *name)
{
	char bounds[256], tag[200], allowed[300];
	char *man_name = as_man(name), *man_help = as_man(option->help), *man_bounds;

	option_describe_bounds(option, bounds, sizeof(bounds));
	man_bounds = as_man(bounds);
	snprintf(tag, sizeof(tag), "\\fB%s\\fR", man_name);
	snprintf(allowed, sizeof(allowed), "Allowed: %s.", man_bounds);
	assert_non_null(strstr(page, tag));
	assert_non_null(strstr(page, man_help));
	if (option->key)
		assert_non_null(strstr(strstr(page, man_help), allowed));
	free(man_name);
	free(man_help);
	free(man_bounds);
}

static void the_man_page_of_the_command_tells_every_flag_and_variable(void **state)
{
	char *page = printed(document_sonde_8);

	for OPTION_EACH(option) {
		if (option->flag)
			has_man_of(page, option, option->flag);
		if (option->variable)
			assert_non_null(strstr(page, option->variable));
	}
	free(page);
}

static void the_man_page_of_the_file_tells_every_key(void **state)
{
	char *page = printed(document_sonde_conf_5);

	for OPTION_EACH(option) {
		if (option->key)
			has_man_of(page, option, option->key);
	}
	free(page);
}

/* A macro that is none, or a bare backslash, would eat text without a word. */
static void man_pages_hold_only_known_macros(void **state)
{
	char *pages[] = { printed(document_sonde_8), printed(document_sonde_conf_5) };
	const char *const macros[] = {".TH ", ".SH ", ".TP",   ".B ",    ".BR ", ".I ",
				      ".IR ", ".PP",  ".br",   ".nf",    ".fi",  ".RS",
				      ".RE",  ".nh",  ".ad l", ".\\\" ", NULL};

	for (unsigned i = 0; i < 2; i++) {
		char *rest = pages[i], *line;

		while ((line = strsep(&rest, "\n"))) {
			const char *const *macro = macros;

			while (*macro && strncmp(line, *macro, strlen(*macro)))
				macro++;
			if ((*line == '.' || *line == '\'') && !*macro)
				fail_msg("no macro: %s", line);
		}
		free(pages[i]);
	}
}

static void man_markup_in_a_text_is_only_text(void **state)
{
	char *man = as_man(".B \\fI a-b\n'x");

	assert_string_equal(man, "\\&.B \\efI a\\-b\n\\&'x");
	free(man);
}

static void markdown_tells_every_key_flag_and_variable(void **state)
{
	char *page = printed(document_config_md);

	for OPTION_EACH(option) {
		char cells[300];

		if (!option->key)
			continue;
		snprintf(cells, sizeof(cells), "| `%s` | %s%s%s | %s%s%s | `", option->key,
			 option->flag ? "`" : "", option->flag ? option->flag : "",
			 option->flag ? "`" : "", option->variable ? "`" : "",
			 option->variable ? option->variable : "", option->variable ? "`" : "");
		if (!strstr(page, cells))
			fail_msg("missing: %s", cells);
	}
	free(page);
}

static void markdown_rows_have_as_many_cells_as_their_table(void **state)
{
	char *pages[] = { printed(document_config_md), printed(document_metrics_md) };

	for (unsigned i = 0; i < 2; i++) {
		char *rest = pages[i], *line;
		unsigned columns = 0;

		while ((line = strsep(&rest, "\n"))) {
			unsigned bars = 0;

			if (*line != '|')
				columns = 0;
			for (const char *at = line; *line == '|' && *at; at++)
				bars += *at == '|' && (at == line || at[-1] != '\\');
			if (!columns)
				columns = bars;
			assert_int_equal(bars, columns);
		}
		free(pages[i]);
	}
}

static void the_metrics_page_tells_every_instrument_attribute_and_own_number(void **state)
{
	char *page = printed(document_metrics_md);
	char name[128];

	for (const struct semconv *const *semconv = semconvs; *semconv; semconv++) {
		for (unsigned role = 0; role < 2; role++) {
			const struct attribute *attribute = (*semconv)->metric[role];

			for (unsigned i = 0; i < SERIES_HISTOGRAMS; i++) {
				assert_non_null(strstr(page, (*semconv)->instrument[role][i].name));
				assert_non_null(
					strstr(page, (*semconv)->instrument[role][i].prometheus));
			}
			for (; attribute->name; attribute++)
				assert_non_null(strstr(page, attribute->label));
			for (attribute = (*semconv)->span[role]; attribute->name; attribute++)
				assert_non_null(strstr(page, attribute->name));
		}
	}
	for (unsigned i = 0; i < SELF_MAX; i++) {
		snprintf(name, sizeof(name), "`sonde_%s`", self_rows[i].name);
		assert_non_null(strstr(page, name));
		assert_non_null(strstr(page, self_rows[i].label));
	}
	free(page);
}

static void read_example(const char *yaml, struct config *ret_config)
{
	struct said said;
	int r;

	said_begin(&said);
	config_init(ret_config);
	r = config_from_yaml(ret_config, yaml, strlen(yaml), "example", said.stream);
	said_nothing(&said);
	assert_int_equal(r, 0);
	said_end(&said);
}

/* The file changes nothing: every value in it is the default. */
static void the_example_file_is_the_defaults(void **state)
{
	char *yaml = printed(config_print_example);
	struct config defaults, config;

	config_init(&defaults);
	read_example(yaml, &config);
	for OPTION_EACH(option) {
			const char *a = (char *)&defaults + option->offset,
				   *b = (char *)&config + option->offset;

			if (!option->key)
				continue;
			if (option->type == OPTION_TEXT && *(char **)a)
				assert_string_equal(*(char **)a, *(char **)b);
			else if (option->type == OPTION_BYTES || option->type == OPTION_DURATION ||
				 option->type == OPTION_RATIO || option->type == OPTION_TEXT)
				assert_memory_equal(a, b, 8);
			else if (option->type == OPTION_BOOL)
				assert_int_equal(*(bool *)a, *(bool *)b);
			else if (option->type == OPTION_U32 || option->type == OPTION_ENUM)
				assert_int_equal(*(unsigned *)a, *(unsigned *)b);
	}
	config_done(&defaults);
	config_done(&config);
	free(yaml);
}

/* Every commented-out key is right as it stands, once its `#` is taken away. */
static void the_example_file_holds_every_key(void **state)
{
	char *yaml = printed(config_print_example), *at = yaml;
	struct config config;

	while ((at = strchr(at, '#'))) {
		if (at[1] != ' ')
			memmove(at, at + 1, strlen(at));
		else
			at += strcspn(at, "\n");
	}
	read_example(yaml, &config);
	for OPTION_EACH(option) {
		const char *last = option->key ? strrchr(option->key, '.') : NULL;
		char line[100];

		if (!option->key)
			continue;
		snprintf(line, sizeof(line), "%s: ", last ? last + 1 : option->key);
		assert_non_null(strstr(yaml, line));
		if (option->type == OPTION_TEXT)
			assert_non_null(*(char **)((char *)&config + option->offset));
		if (option->type == OPTION_LIST || option->type == OPTION_PAIRS)
			assert_int_equal(
				((struct config_list *)((char *)&config + option->offset))->count,
				1);
	}
	config_done(&config);
	free(yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_has_help),
		cmocka_unit_test(help_tells_every_option_with_its_bounds),
		cmocka_unit_test(help_fits_a_terminal),
		cmocka_unit_test(the_man_page_of_the_command_tells_every_flag_and_variable),
		cmocka_unit_test(the_man_page_of_the_file_tells_every_key),
		cmocka_unit_test(man_pages_hold_only_known_macros),
		cmocka_unit_test(man_markup_in_a_text_is_only_text),
		cmocka_unit_test(markdown_tells_every_key_flag_and_variable),
		cmocka_unit_test(markdown_rows_have_as_many_cells_as_their_table),
		cmocka_unit_test(the_metrics_page_tells_every_instrument_attribute_and_own_number),
		cmocka_unit_test(the_example_file_is_the_defaults),
		cmocka_unit_test(the_example_file_holds_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

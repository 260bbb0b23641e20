/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documentation made from the option table. All print to `out` and leave errors of writing to the
 * stream's own flag (ferror).
 */
#ifndef SONDE_CONFIG_DOCUMENT_H
#define SONDE_CONFIG_DOCUMENT_H

#include <stdio.h>

/* Texts that no man(7) or Markdown table markup can break. */
void document_print_man(FILE *out, const char *text);
void document_print_markdown(FILE *out, const char *text);
void document_print_code(FILE *out, const char *text);	/* Markdown, in backquotes */

/* man(7) macros: one tagged paragraph an option; by flag for sonde.8, by key for sonde.conf.5. */
void config_print_man_options(FILE *out);
void config_print_man_keys(FILE *out);

/* One line for each OTEL_* variable. */
void config_print_man_variables(FILE *out);

/* docs/config.md: one table a section. */
void config_print_markdown(FILE *out);

/*
 * A commented configuration file with every key at its default. Keys without one stand behind
 * `#` (no blank after it), with an example.
 */
void config_print_example(FILE *out);

#endif

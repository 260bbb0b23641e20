/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any words as a command line (split at NUL) and, up to the first empty word, as `NAME=VALUE` of
 * the environment. Words that name a file to read are left out: the fuzzer must not open any.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define WORDS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool names_file(const char *word)
{
	return !strncmp(word, "-c", 2) || !strncmp(word, "--config", 8);
}

/* Returns the words of `text`, which ends with two NULs; those before the first empty one are set.
 */
static int split(char *text, size_t len, char **ret_argv)
{
	bool environment = true;
	int argc = 1;

	clearenv();
	for (char *word = text; word < text + len && argc < WORDS_MAX; word += strlen(word) + 1) {
		if (environment && *word) {
			putenv(word);
			continue;
		}
		if (!environment && !names_file(word))
			ret_argv[argc++] = word;
		environment = false;
	}
	return argc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 2), *said;
	char *argv[WORDS_MAX + 1] = { "agent" };
	struct config config;
	bool help;
	size_t len;
	FILE *errors = open_memstream(&said, &len);
	int r;

	memcpy(text, data, size);
	config_init(&config);
	r = config_from_arguments(&config, split(text, size, argv), argv, errors, &help);
	fflush(errors);
	if ((r < 0) != (len > 0))
		abort();
	if (!r && !help)
		config_check(&config, errors);
	config_done(&config);
	clearenv();
	fclose(errors);
	free(said);
	free(text);
	return 0;
}

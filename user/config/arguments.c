/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line -> struct config. Two passes over the words: the first finds --help, the file
 * and what is no flag at all; then environment and file are read; the second pass sets values.
 */
#include <errno.h>
#include <string.h>

#include "config/layer.h"

struct words {
	int argc, at;		/* next word to take */
	char **argv;
};

struct argument {
	const struct config_option *option;
	const char *value;	/* NULL: none, for --help */
	char name[64];		/* as written, for messages */
};

/* Row of a short flag, or NULL. */
static const struct config_option *option_by_short(char letter)
{
	for OPTION_EACH(option) {
		if (letter && option->short_flag == letter)
			return option;
	}
	return NULL;
}

static int complain_unknown(const struct argument *argument, FILE *errors)
{
	struct origin origin = { .name = argument->name, .errors = errors };
	const char *near = option_nearest_flag(argument->name);

	if (argument->name[0] != '-')
		return origin_complain(&origin, "an option was expected here: options start with "
				       "--: see sonde agent --help");
	if (near)
		return origin_complain(&origin, "no such option: did you mean %s?", near);
	return origin_complain(&origin, "no such option: see sonde agent --help for all of them");
}

/* Splits one word: --flag, --flag=value, -c, -cvalue. Value is NULL when it isn't in the word. */
static void split_word(const char *word, struct argument *ret_argument)
{
	struct argument argument = { 0 };
	size_t len = strcspn(word, "=");

	if (word[0] == '-' && word[1] && word[1] != '-') {
		len = 2;
		argument.option = option_by_short(word[1]);
		if (!argument.option)
			len = strlen(word);
		argument.value = word[len] ? word + len : NULL;
	} else {
		argument.option = option_by_flag(word, len);
		argument.value = word[len] ? word + len + 1 : NULL;
	}
	snprintf(argument.name, sizeof(argument.name), "%.*s", (int)len, word);
	*ret_argument = argument;
}

/* Takes the next flag with its value. Returns 1, 0 at the end, or -EINVAL. */
static int next_argument(struct words *words, struct argument *ret_argument, FILE *errors)
{
	struct argument argument;
	struct origin origin = { .name = argument.name, .errors = errors };
	bool takes_value;

	if (words->at >= words->argc)
		return 0;
	split_word(words->argv[words->at++], &argument);
	if (!argument.option)
		return complain_unknown(&argument, errors);

	takes_value = argument.option->type != OPTION_HELP;
	if (!takes_value && argument.value)
		return origin_complain(&origin, "takes no value: leave it out");
	if (takes_value && !argument.value && words->at < words->argc)
		argument.value = words->argv[words->at++];
	if (takes_value && !argument.value) {
		char what[256];

		option_describe_argument(argument.option, what, sizeof(what));
		return origin_complain(&origin, "needs a value: write %s %s", argument.name, what);
	}
	*ret_argument = argument;
	return 1;
}

/* First pass. `*ret_file` stays NULL when no file is named. */
static int scan(struct words words, FILE *errors, const char **ret_file, bool *ret_help)
{
	struct argument argument;
	const char *file = NULL;
	int r;

	while ((r = next_argument(&words, &argument, errors)) > 0) {
		struct origin origin = { .name = argument.name, .errors = errors };

		if (argument.option->type == OPTION_HELP) {
			*ret_help = true;
			return 0;
		}
		if (argument.option->type != OPTION_FILE)
			continue;
		if (file)
			return origin_complain(&origin, "given twice: name one file");
		file = argument.value;
	}
	if (!r)
		*ret_file = file;
	return r;
}

/* Last pass: everything is well formed by now except the values themselves. */
static int set_all(struct config *config, struct words words, FILE *errors)
{
	struct layer layer = { .config = config };
	struct argument argument;
	int r = 0;

	while (next_argument(&words, &argument, errors) > 0) {
		struct origin origin = { .name = argument.name, .errors = errors };

		if (!argument.option->key)
			continue;
		layer_begin(&layer, argument.option);
		r |= value_set(config, argument.option, argument.value, &origin);
	}
	return r ? -EINVAL : 0;
}

int config_from_arguments(struct config *config, int argc, char **argv, FILE *errors,
			  bool *ret_help)
{
	struct words words = { .argc = argc, .at = 1, .argv = argv };
	const char *file = NULL;
	int r;

	*ret_help = false;
	r = scan(words, errors, &file, ret_help);
	if (r < 0 || *ret_help)
		return r;
	r = config_from_environment(config, errors);
	if (r < 0)
		return r;
	if (file) {
		r = config_from_file(config, file, errors);
		if (r < 0)
			return r;
	}
	return set_all(config, words, errors);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommand table, and the way from the first word of the command line to its row. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "config/config.h"

const struct command commands[] = {
	{ "agent", "[OPTION VALUE]...", "watches processes; serves and sends metrics and spans",
	  agent_main },
	{ "doctor", "[--json] [OPTION VALUE]...",
	  "what this kernel allows, what is degraded, what to do", doctor_main },
	{ "top", "[--once] [--json]", "live table of services and routes", top_main },
	{ "version", "", "prints the version", version_main },
	{ "document", "NAME", NULL, document_main },
	{ NULL },
};

static int print_commands(void)
{
	fputs("usage: sonde COMMAND [OPTION]...\n\nCommands:\n", stdout);
	for (const struct command *command = commands; command->name; command++) {
		if (command->help)
			printf("  %-8s %-27s %s\n", command->name, command->arguments,
			       command->help);
	}
	fputs("\n`sonde COMMAND --help` has its options; sonde(8) has all of it.\n", stdout);
	return EXIT_DONE;
}

static int complain(const char *word)
{
	const char *names[ARRAY_LEN(commands)] = { NULL };
	const char *near;

	for (unsigned i = 0; commands[i].help; i++)
		names[i] = commands[i].name;
	near = nearest_name(word, names);
	fprintf(stderr, "sonde: %.80s: no such command: %s%s\n", word,
		near ? "did you mean sonde " : "`sonde help` lists them", near ? near : "");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "help";

	if (!strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h"))
		return print_commands();
	if (!strcmp(word, "--version") || !strcmp(word, "-V"))
		word = "version";
	for (const struct command *command = commands; command->name; command++) {
		if (!strcmp(command->name, word))
			return command->main(argc - 1, argv + 1);
	}
	return complain(word);
}

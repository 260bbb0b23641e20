/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands: each gets its own name as argv[0] and returns the exit code of the program. */
#ifndef SONDE_CMD_CMD_H
#define SONDE_CMD_CMD_H

enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,	/* while running; standard error says what, why, what to do */
	EXIT_USAGE = 2,
	EXIT_UNSUPPORTED = 77,	/* this kernel, or this place in the system, cannot */
};

struct command {
	const char *name;
	const char *arguments;	/* for the list of commands; "" for none */
	const char *help;	/* one line; NULL: hidden from the list */
	int (*main)(int argc, char **argv);
};

/* The one list, in the order it is printed, hidden rows last; ends with a NULL name. In main.c. */
extern const struct command commands[];

int agent_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int top_main(int argc, char **argv);
int version_main(int argc, char **argv);

/* Hidden: prints one of the generated documents to standard output. */
int document_main(int argc, char **argv);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* `sonde version`: one line, the name and the version, for people and scripts. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

int version_main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--help") && strcmp(argv[1], "-h")) {
		fprintf(stderr, "sonde: version: takes no arguments: write sonde version\n");
		return EXIT_USAGE;
	}
	puts("sonde " SONDE_VERSION);
	return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

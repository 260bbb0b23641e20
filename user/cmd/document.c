/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sonde document NAME`: prints a document made from the tables, for `make docs`. Hidden: it is for
 * the build, not for users.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/document.h"
#include "config/config.h"
#include "config/document.h"

static const struct {
	const char *name;
	void (*print)(FILE *out);
} documents[] = {
	{ "man8", document_sonde_8 },
	{ "conf5", document_sonde_conf_5 },
	{ "config.md", document_config_md },
	{ "metrics.md", document_metrics_md },
	{ "example.conf", config_print_example },
	{ "help", config_print_help },
	{ NULL },
};

static int usage(void)
{
	fputs("sonde: document: one name of a document is needed: write one of", stderr);
	for (unsigned i = 0; documents[i].name; i++)
		fprintf(stderr, " %s", documents[i].name);
	fputc('\n', stderr);
	return 2;
}

int document_main(int argc, char **argv)
{
	if (argc != 2)
		return usage();
	for (unsigned i = 0; documents[i].name; i++) {
		if (strcmp(documents[i].name, argv[1]))
			continue;
		documents[i].print(stdout);
		if (!fflush(stdout) && !ferror(stdout))
			return 0;
		fprintf(stderr, "sonde: document: cannot write: %m: check standard output\n");
		return 1;
	}
	return usage();
}

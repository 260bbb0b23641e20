/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One probe family: its attach choices (best first), its decoder. A source that cannot start
 * is a finding, not a crash: the agent goes on without it and says so.
 */
#ifndef SONDE_SOURCE_SOURCE_H
#define SONDE_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

/* One way to attach, and what became of it when it was really tried. */
struct choice {
	const char *name;	/* value of the option that forces it: "sock-length" */
	const char *needs;	/* kernel features, for a person */
	const char *cost;	/* what it costs and whom, for a person */
	const char *blind;	/* what it cannot see; "" for nothing */
};

struct choice_result {
	int error;		/* 0: works; -ECANCELED: not tried, a better one worked; else -errno */
	char why[200];		/* the kernel's reason in a person's words, and what to do about it; "" */
};

#endif

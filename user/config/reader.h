/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML file as libyaml's events, one at a time: no tree is kept. Anchors, aliases and tags are
 * refused: no setting needs them, and aliases can make a small file large. Functions that can fail
 * return 0 or -EINVAL, which ends the reading, with the reason said.
 */
#ifndef SONDE_CONFIG_READER_H
#define SONDE_CONFIG_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <yaml.h>

#include "config/layer.h"
#include "config/value.h"

#define READER_DEPTH_MAX 16	/* nested maps and lists, also inside what is skipped */
#define READER_ERRORS_MAX 20	/* then the rest of the file is not read */
#define READER_PATH_MAX 128	/* bytes: more than the longest key of the table */

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;		/* the current one */
	bool has_event;
	struct layer layer;
	const char *name;		/* of the file, for messages */
	FILE *errors;
	unsigned complaints;
	uint64_t sections[READER_DEPTH_MAX];	/* by depth: bits of the sections' first rows */
	char path[READER_PATH_MAX];	/* dotted, of the current key; "" at the top */
};

/* Moves on to the next event. */
int reader_next(struct reader *reader);

/* Goes to the last event of the node that starts at the current one. */
int reader_skip(struct reader *reader);

/* Says why the current node is wrong and skips it. -EINVAL once there were too many errors. */
int reader_refuse(struct reader *reader, const char *why);

/* One more error that doesn't stop the reading, so that others are told too, up to a maximum. */
int reader_count_complaint(struct reader *reader);

/* The current line and key, for messages. */
struct origin reader_origin(const struct reader *reader);

bool reader_at_scalar(const struct reader *reader);
bool reader_at_end(const struct reader *reader);	/* of a map or list */

/* `key:` with nothing after it (quotes with nothing inside are a value). */
bool reader_at_nothing(const struct reader *reader);

/* The current scalar's text, or NULL when a NUL byte would cut it. */
const char *reader_text(const struct reader *reader);

#endif

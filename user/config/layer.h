/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One source of settings (the environment, the file, the flags) laid over those before it: a
 * list named in it replaces the former list, then grows.
 */
#ifndef SONDE_CONFIG_LAYER_H
#define SONDE_CONFIG_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "config/value.h"

struct layer {
	struct config *config;
	uint64_t seen;		/* bit for each row of the table set by this layer */
};

/* Marks the row as set by this layer, emptying its list the first time. Returns whether it was. */
bool layer_begin(struct layer *layer, const struct config_option *option);

/*
 * `text` is a comma separated list of key=value, percent-encoded (W3C Baggage 1.0 without
 * properties, as the OTLP exporter and resource specifications say). Returns 0 or -EINVAL.
 */
int layer_set_pairs(struct layer *layer, const struct config_option *option, const char *text,
		    const struct origin *origin);

#define CONFIG_FILE_MAX (1u << 20)	/* bytes */

#endif

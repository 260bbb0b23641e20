/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration file: read, or refused with a reason, then checked and released. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config;
	char *said;
	size_t len;
	FILE *errors = open_memstream(&said, &len);
	int r;

	config_init(&config);
	r = config_from_yaml(&config, (const char *)data, size, "fuzz", errors);
	fflush(errors);
	if ((r < 0) != (len > 0))
		abort();		/* a refusal without a reason, or a reason without one */
	if (!r && config_check(&config, errors) < 0 && config.listen && *config.listen)
		abort();		/* what was read within its bounds is outside of them */
	config_done(&config);
	fclose(errors);
	free(said);
	return 0;
}

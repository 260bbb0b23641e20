/* SPDX-License-Identifier: Apache-2.0 */
/* What `sonde top` reads from whatever listens on the port: parsed, compared with itself, drawn. */
#include <stdio.h>

#include "cmd/top.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct top_screen screen = { .columns = 80, .lines = 24, .redraw = true, .url = "u" };
	struct top_snapshot snapshot;
	struct top_table table;
	static FILE *out;
	char why[128];

	if (!out)
		out = fopen("/dev/null", "w");
	if (!out || top_parse(bytes_of(data, size), &snapshot, why, sizeof(why)) < 0)
		return 0;
	for (int i = 0; i < 2; i++) {
		if (top_compute(&table, i ? &snapshot : NULL, &snapshot) < 0)
			continue;
		top_draw(out, &table, &screen);
		top_print_json(out, &table);
		top_done(&table);
	}
	top_free(&snapshot);
	return 0;
}

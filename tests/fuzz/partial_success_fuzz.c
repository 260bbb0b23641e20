/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of OTLP receivers: texts found in them lie within them, and refusals touch nothing. */
#include <stdlib.h>

#include "export/otlp_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lies_within(struct bytes text, const uint8_t *data, size_t size)
{
	if (text.len && (text.at < data || text.at + text.len > data + size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct otlp_response response = { .rejected = 12345, .message = { data, 0 } };
	int r = otlp_response_parse(bytes_of(data, size), &response);

	if (r < 0 && response.rejected != 12345)
		abort();
	lies_within(response.message, data, size);
	lies_within(otlp_error_message(bytes_of(data, size)), data, size);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the few bytes a receiver answers with, for otlp_lane.c; fuzzed by partial_success_fuzz.c.
 */
#include "export/otlp_response.h"

#include <errno.h>

#include "export/pb.h"

enum { PARTIAL_SUCCESS = 1, REJECTED = 1, MESSAGE = 2 };
enum { STATUS_MESSAGE = 2 };

static int parse_partial(struct bytes in, struct otlp_response *response)
{
	struct pb_field field;
	int r;

	while ((r = pb_next(&in, &field)) > 0) {
		if (field.number == REJECTED && field.wire == PB_VARINT)
			response->rejected = (int64_t)field.value < 0 ? 0 : field.value;
		else if (field.number == MESSAGE && field.wire == PB_LEN)
			response->message = field.bytes;
	}
	return r;
}

int otlp_response_parse(struct bytes body, struct otlp_response *ret_response)
{
	struct otlp_response response = { 0 };
	struct pb_field field;
	int r;

	while ((r = pb_next(&body, &field)) > 0) {
		if (field.number != PARTIAL_SUCCESS || field.wire != PB_LEN)
			continue;
		r = parse_partial(field.bytes, &response);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret_response = response;
	return 0;
}

struct bytes otlp_error_message(struct bytes body)
{
	struct bytes message = { 0 };
	struct pb_field field;
	int r;

	while ((r = pb_next(&body, &field)) > 0) {
		if (field.number == STATUS_MESSAGE && field.wire == PB_LEN)
			message = field.bytes;
	}
	return r < 0 || !bytes_are_utf8(message) ? (struct bytes){ 0 } : message;
}

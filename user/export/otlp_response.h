/* SPDX-License-Identifier: Apache-2.0 */
/* What an OTLP receiver answers. Hostile input; pure. */
#ifndef SONDE_EXPORT_OTLP_RESPONSE_H
#define SONDE_EXPORT_OTLP_RESPONSE_H

#include <stdint.h>

#include "base/bytes.h"

struct otlp_response {
	uint64_t rejected;	/* spans or data points the receiver did not take */
	struct bytes message;	/* its reason, or a warning; may be empty; points into the input */
};

/*
 * ExportTraceServiceResponse or ExportMetricsServiceResponse: their partial_success is alike.
 * Returns 0, also for no bytes (all was taken), or -EBADMSG with *ret_response untouched.
 */
int otlp_response_parse(struct bytes body, struct otlp_response *ret_response);

/* The message of a google.rpc.Status, which comes with an error; empty when there is none. */
struct bytes otlp_error_message(struct bytes body);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which requests get a span, and the ids they get: the OpenTelemetry samplers, and W3C Trace
 * Context as it came in the request (https://www.w3.org/TR/trace-context/).
 */
#ifndef SONDE_PIPELINE_TRACE_H
#define SONDE_PIPELINE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "config/config.h"
#include "model/span.h"

struct tracer {
	enum config_sampler sampler;
	uint64_t ratio_bound;		/* a trace is kept when its low 63 bits are below this */
	uint8_t random[4096];		/* of the kernel's; ids are never from a counter */
	uint32_t random_used;
};

void tracer_init(struct tracer *tracer, const struct config *config);

/*
 * Reads `traceparent` (version 00; later ones as far as they agree with it). Returns 0 with trace
 * id, parent span id and the sampled flag, or -EINVAL: not there or not valid, as the specification
 * has it.
 */
int traceparent_parse(struct bytes text, struct trace_context *ret_context, bool *ret_sampled);

/* Gives the request its ids; true when it is to be exported. */
bool tracer_decide(struct tracer *tracer, struct bytes traceparent, struct trace_context *ret_context);

#endif

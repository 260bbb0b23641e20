// SPDX-License-Identifier: Apache-2.0
/* Trace Context, samplers and ids. */
#include "pipeline/trace.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>

#define TRACEPARENT_LEN 55	/* 00-<32>-<16>-<2> */

void tracer_init(struct tracer *tracer, const struct config *config)
{
	*tracer = (struct tracer){ .sampler = config->sampler };
	tracer->random_used = sizeof(tracer->random);
	/* TraceIdRatioBased: of the trace id's last 8 bytes, the low 63 bits */
	tracer->ratio_bound = config->sampler_ratio >= 1 ?
				      UINT64_MAX :
				      (uint64_t)(config->sampler_ratio * 9223372036854775808.0);
}

static int nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')	/* upper case is not valid (3.2.2.1) */
		return c - 'a' + 10;
	return -1;
}

static int from_hex(const uint8_t *text, unsigned bytes, uint8_t *to)
{
	uint8_t any = 0;

	for (unsigned i = 0; i < bytes; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		to[i] = high << 4 | low;
		any |= to[i];
	}
	return any ? 1 : 0;
}

int traceparent_parse(struct bytes text, struct trace_context *ret_context, bool *ret_sampled)
{
	struct trace_context context = {};
	uint8_t version, flags;

	text = bytes_trim(text);
	if (text.len < TRACEPARENT_LEN || text.at[2] != '-' || text.at[35] != '-' || text.at[52] != '-')
		return -EINVAL;
	if (from_hex(text.at, 1, &version) < 0 || version == 0xff)
		return -EINVAL;
	if (version ? text.len > TRACEPARENT_LEN && text.at[TRACEPARENT_LEN] != '-' :
		      text.len != TRACEPARENT_LEN)
		return -EINVAL;
	if (from_hex(text.at + 3, 16, context.trace_id) <= 0 ||
	    from_hex(text.at + 36, 8, context.parent_span_id) <= 0 ||
	    from_hex(text.at + 53, 1, &flags) < 0)
		return -EINVAL;
	*ret_context = context;
	*ret_sampled = flags & 1;
	return 0;
}

static void take_random(struct tracer *tracer, uint8_t *to, uint32_t len)
{
	if (tracer->random_used + len > sizeof(tracer->random)) {
		/* cannot fail once the kernel's pool is ready, and a short read only leaves old bytes out */
		ssize_t n = getrandom(tracer->random, sizeof(tracer->random), 0);

		tracer->random_used = n < (ssize_t)len ? sizeof(tracer->random) - len :
							  sizeof(tracer->random) - n;
		if (n < (ssize_t)sizeof(tracer->random) && n > 0)
			memmove(tracer->random + tracer->random_used, tracer->random, n);
	}
	memcpy(to, tracer->random + tracer->random_used, len);
	tracer->random_used += len;
}

static bool in_ratio(const struct tracer *tracer, const struct trace_context *context)
{
	uint64_t low = 0;

	for (unsigned i = 8; i < 16; i++)
		low = low << 8 | context->trace_id[i];
	return (low & INT64_MAX) < tracer->ratio_bound;
}

bool tracer_decide(struct tracer *tracer, struct bytes traceparent, struct trace_context *ret_context)
{
	struct trace_context context = {};
	bool parent_sampled = false, parent;

	parent = traceparent.len && !traceparent_parse(traceparent, &context, &parent_sampled);
	if (!parent)
		take_random(tracer, context.trace_id, sizeof(context.trace_id));
	take_random(tracer, context.span_id, sizeof(context.span_id));
	*ret_context = context;

	switch (tracer->sampler) {
	case SAMPLER_ALWAYS_ON:
		return true;
	case SAMPLER_ALWAYS_OFF:
		return false;
	case SAMPLER_TRACEIDRATIO:
		return in_ratio(tracer, &context);
	case SAMPLER_PARENTBASED_ALWAYS_ON:
		return parent ? parent_sampled : true;
	case SAMPLER_PARENTBASED_ALWAYS_OFF:
		return parent && parent_sampled;
	case SAMPLER_PARENTBASED_TRACEIDRATIO:
		return parent ? parent_sampled : in_ratio(tracer, &context);
	}
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Resources, scopes and single attributes: what OTLP spans and metrics have in common. */
#include <unistd.h>

#include "export/otlp_encode.h"
#include "export/pb.h"
#include "model/resource.h"

enum { RESOURCE = 1, RESOURCE_ATTRIBUTES = 1 };			/* ResourceSpans, Resource */
enum { SCOPE = 1, SCOPE_NAME = 1, SCOPE_VERSION = 2 }; /* ScopeSpans, InstrumentationScope */

void otlp_add_text(struct buf *out, unsigned field, struct bytes name, struct bytes value)
{
	size_t pair, any;

	if (!value.len)
		return;
	pair = pb_open(out, field);
	pb_add_text(out, KEY_VALUE_KEY, name);
	any = pb_open(out, KEY_VALUE_VALUE);
	pb_add_text(out, ANY_STRING, value);
	pb_close(out, any);
	pb_close(out, pair);
}

void otlp_add_int(struct buf *out, unsigned field, struct bytes name, int64_t value)
{
	size_t pair = pb_open(out, field), any;

	pb_add_text(out, KEY_VALUE_KEY, name);
	any = pb_open(out, KEY_VALUE_VALUE);
	pb_add_varint(out, ANY_INT, (uint64_t)value);
	pb_close(out, any);
	pb_close(out, pair);
}

static void add_attribute(void *context, struct bytes name, struct bytes value)
{
	otlp_add_text(context, RESOURCE_ATTRIBUTES, name, bytes_first(value, OTLP_TEXT_MAX));
}

static void add_self(struct buf *out)
{
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	add_attribute(out, BYTES("service.name"), BYTES("sonde"));
	add_attribute(out, BYTES("service.version"), BYTES(SONDE_VERSION));
	add_attribute(out, BYTES("service.instance.id"), bytes_of_text(host));
	add_attribute(out, BYTES("host.name"), bytes_of_text(host));
}

void otlp_add_resource(struct buf *out, const struct resource *resource)
{
	size_t mark = pb_open(out, RESOURCE);

	if (resource)
		resource_each(resource, add_attribute, out);
	else
		add_self(out);
	add_attribute(out, BYTES("telemetry.sdk.name"), BYTES("sonde"));
	add_attribute(out, BYTES("telemetry.sdk.language"), BYTES("c"));
	add_attribute(out, BYTES("telemetry.sdk.version"), BYTES(SONDE_VERSION));
	pb_close(out, mark);
}

void otlp_add_scope(struct buf *out)
{
	size_t mark = pb_open(out, SCOPE);

	pb_add_text(out, SCOPE_NAME, BYTES("sonde"));
	pb_add_text(out, SCOPE_VERSION, BYTES(SONDE_VERSION));
	pb_close(out, mark);
}

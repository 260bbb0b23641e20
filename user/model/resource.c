/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources: made by discover, one for each distinct service and container; carried by targets,
 * series and spans; spelled out by the exporters. One allocation each, texts at its end.
 */
#include "model/resource.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/table.h"

/* OpenTelemetry semantic conventions, resource attributes. */
static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
	{ "service.name", offsetof(struct resource, service_name) },
	{ "service.namespace", offsetof(struct resource, service_namespace) },
	{ "service.version", offsetof(struct resource, service_version) },
	{ "service.instance.id", offsetof(struct resource, service_instance_id) },
	{ "container.id", offsetof(struct resource, container_id) },
	{ "host.name", offsetof(struct resource, host_name) },
	{ "process.executable.name", offsetof(struct resource, executable) },
	{ "process.runtime.name", offsetof(struct resource, runtime) },
};

static struct bytes *field_at(struct resource *resource, size_t i)
{
	return (struct bytes *)((char *)resource + fields[i].offset);
}

static struct bytes field_of(const struct resource *resource, size_t i)
{
	return *(const struct bytes *)((const char *)resource + fields[i].offset);
}

static int compare(struct bytes a, struct bytes b)
{
	size_t shorter = MIN(a.len, b.len);
	int r = shorter ? memcmp(a.at, b.at, shorter) : 0;

	return r ? r : (a.len > b.len) - (a.len < b.len);
}

/* Puts `new` in its place among the sorted ones; of two with one name the later wins. */
static void insert_extra(struct resource *resource, struct resource_attribute new)
{
	uint32_t i = resource->extras;

	while (i && compare(resource->extra[i - 1].name, new.name) > 0)
		i--;
	if (i && bytes_equal(resource->extra[i - 1].name, new.name)) {
		resource->extra[i - 1] = new;
		return;
	}
	memmove(resource->extra + i + 1, resource->extra + i,
		(resource->extras - i) * sizeof(resource->extra[0]));
	resource->extra[i] = new;
	resource->extras++;
}

static size_t text_size(const struct resource *resource, uint32_t extras)
{
	size_t size = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		size += field_of(resource, i).len;
	for (uint32_t i = 0; i < extras; i++)
		size += resource->extra[i].name.len + resource->extra[i].value.len;
	return size;
}

/* Moves `text` to `*at` and chains it, with its length, into `hash`. */
static uint64_t take_text(struct bytes *text, char **at, uint64_t hash)
{
	if (text->len)
		memcpy(*at, text->at, text->len);
	text->at = (const uint8_t *)*at;
	*at += text->len;
	return hash_bytes(text->at, text->len, hash);
}

struct resource *resource_new(const struct resource *from)
{
	uint32_t extras = MIN(from->extras, (uint32_t)RESOURCE_EXTRA_MAX);
	struct resource *new = calloc(1, sizeof(*new) + text_size(from, extras));
	char *at;

	if (!new)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		*field_at(new, i) = field_of(from, i);
	for (uint32_t i = 0; i < extras; i++)
		insert_extra(new, from->extra[i]);

	at = new->text;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		new->hash = take_text(field_at(new, i), &at, new->hash);
	for (uint32_t i = 0; i < new->extras; i++) {
		new->hash = take_text(&new->extra[i].name, &at, new->hash);
		new->hash = take_text(&new->extra[i].value, &at, new->hash);
	}
	atomic_init(&new->references, 1);
	return new;
}

struct resource *resource_ref(struct resource *resource)
{
	if (resource)
		atomic_fetch_add_explicit(&resource->references, 1, memory_order_relaxed);
	return resource;
}

void resource_unref(struct resource *resource)
{
	/* acquire: what other threads did with it is over before it is freed */
	if (resource &&
	    atomic_fetch_sub_explicit(&resource->references, 1, memory_order_acq_rel) == 1)
		free(resource);
}

bool resource_equal(const struct resource *a, const struct resource *b)
{
	if (a == b)
		return true;
	if (a->hash != b->hash || a->extras != b->extras)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!bytes_equal(field_of(a, i), field_of(b, i)))
			return false;
	}
	for (uint32_t i = 0; i < a->extras; i++) {
		if (!bytes_equal(a->extra[i].name, b->extra[i].name) ||
		    !bytes_equal(a->extra[i].value, b->extra[i].value))
			return false;
	}
	return true;
}

/*
 * Is `name` one of the fields that this resource has a value for? Then an extra must not repeat it.
 */
static bool is_field(const struct resource *resource, struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (field_of(resource, i).len && bytes_equal(name, bytes_of_text(fields[i].name)))
			return true;
	}
	return false;
}

void resource_each(const struct resource *resource,
		   void (*call)(void *context, struct bytes name, struct bytes value),
		   void *context)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (field_of(resource, i).len)
			call(context, bytes_of_text(fields[i].name), field_of(resource, i));
	}
	for (uint32_t i = 0; i < resource->extras; i++) {
		const struct resource_attribute *extra = &resource->extra[i];

		if (extra->name.len && extra->value.len && !is_field(resource, extra->name))
			call(context, extra->name, extra->value);
	}
}

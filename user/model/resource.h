/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a signal is about: a service in a container (OpenTelemetry resource). Immutable once
 * made; shared by counting, across threads. Equal resources of several processes are one.
 */
#ifndef SONDE_MODEL_RESOURCE_H
#define SONDE_MODEL_RESOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define RESOURCE_EXTRA_MAX 32	/* attributes from OTEL_RESOURCE_ATTRIBUTES kept of one process */

struct resource_attribute {
	struct bytes name, value;
};

struct resource {
	_Atomic uint32_t references;
	uint32_t series;		/* time series of it; the pipeline's */
	uint64_t batch_mark; /* serial of the batch that holds a reference; the pipeline's */
	uint64_t hash;			/* of all texts: equality is hash plus texts */
	struct bytes service_name;	/* never empty */
	struct bytes service_namespace, service_version, service_instance_id;	/* may be empty */
	struct bytes container_id;	/* 64 hexadecimal digits, or empty */
	struct bytes host_name;
	struct bytes executable;	/* process.executable.name */
	struct bytes runtime;		/* process.runtime.name: "go", ...; empty: unknown */
	uint32_t extras;
	struct resource_attribute extra[RESOURCE_EXTRA_MAX];	/* sorted by name, unique */
	char text[];			/* what the bytes above point into */
};

/* A deep copy of `from` (whose bytes may point anywhere) with one reference; NULL: no memory. */
struct resource *resource_new(const struct resource *from);
struct resource *resource_ref(struct resource *resource);
void resource_unref(struct resource *resource);
bool resource_equal(const struct resource *a, const struct resource *b);

/* Calls for every attribute that is not empty, by its OpenTelemetry name, extras included. */
void resource_each(const struct resource *resource,
		   void (*call)(void *context, struct bytes name, struct bytes value),
		   void *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the environment of a process and, after the first byte 0xff, as its command line: to
 * names, attributes and a service.
 *
 * Holds: a service has a name; all that goes out is clean UTF-8 within its bounds.
 */
#include <stdlib.h>

#include "discover/attributes.h"
#include "discover/command.h"
#include "discover/service.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct container pod = {
	.id = "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdef0123456789abcdef",
	.pod_uid = "8b6e21c4-2f0a-4a4e-9d1c-0123456789ab",
};

static void check_text(void *context, struct bytes name, struct bytes value)
{
	MUST(text_is_clean(name) && name.len <= ATTRIBUTE_NAME_MAX);
	MUST(text_is_clean(value) && value.len <= ATTRIBUTE_VALUE_MAX);
}

static void check(const struct service *service)
{
	struct resource *resource = resource_new(&service->view);

	MUST(resource && resource->service_name.len &&
	     resource->service_name.len <= SERVICE_NAME_MAX);
	MUST(resource->executable.len <= SERVICE_NAME_MAX);
	MUST(service->view.extras == resource->extras);		/* unique already */
	resource_each(resource, check_text, NULL);
	resource_unref(resource);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config config;
	struct bytes in = bytes_of(data, size), cmdline = { 0 };
	ssize_t split = bytes_index(in, 0xff);
	struct service_input input = { .executable = BYTES("python3"), .host_name = BYTES("node") };
	struct service service;
	struct buf storage;

	if (split >= 0) {
		cmdline = bytes_skip(in, (size_t)split + 1);
		in = bytes_first(in, (size_t)split);
	}
	buf_init(&storage, SERVICE_STORAGE_BYTES);
	MUST(!buf_reserve(&storage, SERVICE_STORAGE_BYTES));
	input.names = environ_names(in);
	for (int i = 0; i < 2; i++) {
		input.container = i ? &pod : NULL;
		input.executable = i ? BYTES("java") : BYTES("python3");
		input.program = command_program(input.executable, cmdline);
		service_describe(&input, &config, &storage, &service);
		check(&service);
		buf_reset(&storage);
	}
	buf_done(&storage);
	return 0;
}

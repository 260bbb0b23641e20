/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the text of /proc/PID/cgroup, as one path, and as the names of a kernel event.
 *
 * Holds: nothing outside the input is read; an id is 64 lower-case digits that stand in the
 * input; a refusal changes nothing.
 */
#include <stdlib.h>

#include "discover/container.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int r, const struct container *container, struct bytes in)
{
	struct bytes id = bytes_of_text(container->id);

	if (r < 0) {
		MUST(bytes_equal(id, BYTES("before")));
		return;
	}
	MUST(id.len == CONTAINER_ID_LEN && bytes_find(in, id) >= 0);
	MUST(strspn(container->id, "0123456789abcdef") == CONTAINER_ID_LEN);
	MUST(strspn(container->pod_uid, "0123456789abcdef-") == strlen(container->pod_uid));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct container container = { .id = "before" };
	char names[PROCESS_PARENTS][PROCESS_CGROUP_LEN] = { 0 };
	struct bytes in = bytes_of(data, size);

	check(container_of_proc_cgroup(in, &container), &container, in);
	container = (struct container){ .id = "before" };
	check(container_of_cgroup_path(in, &container), &container, in);
	container = (struct container){ .id = "before" };
	if (size)
		memcpy(names, data, size < sizeof(names) ? size : sizeof(names));
	check(container_of_names(names, &container), &container,
	      bytes_of(names, sizeof(names)));
	return 0;
}

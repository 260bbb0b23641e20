/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an executable. Holds: nothing outside the file is read; what comes out is bounded
 * text; a refusal changes nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "discover/elf.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_info info = { .machine = 4711, .build_id_len = 77 };
	int r = elf_read_bytes(bytes_of(data, size), &info);

	if (r < 0) {
		MUST(r == -ENOEXEC || r == -EOPNOTSUPP || r == -EBADMSG);
		MUST(info.machine == 4711 && info.build_id_len == 77);
		return 0;
	}
	MUST(info.build_id_len <= ELF_BUILD_ID_MAX);
	MUST(memchr(info.interpreter, 0, sizeof(info.interpreter)));
	MUST(memchr(info.go_version, 0, sizeof(info.go_version)));
	MUST(info.go || !info.go_version[0]);
	return 0;
}

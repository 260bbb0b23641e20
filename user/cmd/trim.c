// SPDX-License-Identifier: Apache-2.0
/* Walks the process's own mappings once, after the start. */
#include "cmd/trim.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/cleanup.h"

/*
 * Only `r-xp` of a file: such pages are never written, so dropping them loses nothing. Read-only
 * data is left alone: part of it was relocated before it was made read-only.
 */
static void drop_code(const char *line)
{
	unsigned long start, end, offset;
	char access[5], path[2];

	if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %1s", &start, &end, access, &offset, path) != 5)
		return;
	if (path[0] == '/' && access[0] == 'r' && access[1] == '-' && access[2] == 'x')
		madvise((void *)start, end - start, MADV_DONTNEED);
}

void trim_memory(void)
{
	_cleanup_(fclosep) FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	malloc_trim(0);
	while (maps && fgets(line, sizeof(line), maps))
		drop_code(line);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Memory given back all at once: a private mapping that is filled from the front. */
#include "base/arena.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALIGN_UP(n, to) (((n) + (to) - 1) & ~((size_t)(to) - 1))

int arena_init(struct arena *arena, size_t size)
{
	void *at;

	if (!size)
		return -EINVAL;
	if (size > PTRDIFF_MAX)
		return -ENOMEM;
	size = ALIGN_UP(size, 8);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return -ENOMEM;

	/* One touched byte should cost 4 KiB, not 2 MiB; kernels without huge pages refuse. */
	madvise(at, size, MADV_NOHUGEPAGE);
	*arena = (struct arena){ .at = at, .size = size };
	return 0;
}

void *arena_alloc(struct arena *arena, size_t len)
{
	void *at = arena->at + arena->used;

	if (len > arena->size - arena->used)
		return NULL;
	arena->used += ALIGN_UP(len, 8);	/* fits: `size` and `used` are multiples of 8 */
	return at;
}

struct bytes arena_copy(struct arena *arena, struct bytes bytes)
{
	void *at;

	if (!bytes.len)
		return (struct bytes){ 0 };
	at = arena_alloc(arena, bytes.len);
	if (!at)
		return (struct bytes){ 0 };
	memcpy(at, bytes.at, bytes.len);
	return bytes_of(at, bytes.len);
}

void arena_reset(struct arena *arena, size_t keep)
{
	size_t kept;

	arena->used = 0;
	if (keep >= arena->size)
		return;
	kept = ALIGN_UP(keep, sysconf(_SC_PAGESIZE));
	if (kept < arena->size)
		madvise(arena->at + kept, arena->size - kept, MADV_DONTNEED);
}

void arena_done(struct arena *arena)
{
	if (arena->at)
		munmap(arena->at, arena->size);
	*arena = (struct arena){ 0 };
}

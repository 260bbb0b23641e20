/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the pipeline: counts allocations on the data path, where there may be none. */
#ifndef TESTS_UNIT_PIPELINE_MALLOCS_H
#define TESTS_UNIT_PIPELINE_MALLOCS_H

#include <stdbool.h>
#include <stddef.h>

/* Of AddressSanitizer; its header is not everywhere. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *at, size_t size),
					      void (*on_free)(const volatile void *at));

/* volatile: compilers know that malloc() touches no variable of ours */
static volatile struct {
	bool on, installed;
	unsigned count;
} mallocs;

static inline void mallocs_on_malloc(const volatile void *at, size_t size)
{
	mallocs.count += mallocs.on;
}

static inline void mallocs_on_free(const volatile void *at)
{
}

/* Counts from here on, or not. */
static inline void mallocs_count(bool on)
{
	if (!mallocs.installed)
		__sanitizer_install_malloc_and_free_hooks(mallocs_on_malloc, mallocs_on_free);
	mallocs.installed = true;
	mallocs.on = on;
}

/* How many since the last time this was asked. */
static inline unsigned mallocs_counted(void)
{
	unsigned count = mallocs.count;

	mallocs.count = 0;
	return count;
}

#endif

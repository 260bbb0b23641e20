/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every process of one executable is told apart by its own /proc, but the file is read once.
 * A file changed in place has another time or size; ctime cannot be set by its owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "discover/elf.h"

struct cached {
	struct cached_key {
		uint64_t device, inode, size, changed_ns;
	} key;
	bool readable;			/* false: no ELF file, remembered too */
	struct elf_info info;
};

int elf_cache_init(struct elf_cache *cache, uint32_t capacity)
{
	cache->hand = 0;
	return table_init(&cache->table, capacity, sizeof(struct cached),
			  sizeof(struct cached_key));
}

void elf_cache_done(struct elf_cache *cache)
{
	if (cache->table.entries)
		table_done(&cache->table);
}

static struct cached_key key_of(const struct stat *stat)
{
	return (struct cached_key){
		.device = stat->st_dev,
		.inode = stat->st_ino,
		.size = (uint64_t)stat->st_size,
		.changed_ns = (uint64_t)stat->st_ctim.tv_sec * NSEC_PER_SEC +
			      (uint64_t)stat->st_ctim.tv_nsec,
	};
}

/* A clock hand over the table: whoever it points at makes room. */
static void make_room(struct elf_cache *cache)
{
	struct cached *oldest;

	if (cache->table.used < cache->table.capacity)
		return;
	oldest = table_next(&cache->table, &cache->hand);
	if (!oldest) {
		cache->hand = 0;
		oldest = table_next(&cache->table, &cache->hand);
	}
	table_remove(&cache->table, oldest);
}

static struct cached *read_new(struct elf_cache *cache, int dir_fd, const char *name)
{
	_cleanup_(closep) int fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct cached *cached;
	struct cached_key key;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))
		return NULL;
	key = key_of(&stat);
	cached = table_find(&cache->table, &key);	/* another file than a moment ago */
	if (cached)
		return cached;
	make_room(cache);
	cached = table_add(&cache->table, &key);
	if (cached)
		cached->readable = !elf_read(fd, &cached->info);
	return cached;
}

const struct elf_info *elf_cache_get(struct elf_cache *cache, int dir_fd, const char *name)
{
	struct cached *cached = NULL;
	struct cached_key key;
	struct stat stat;

	if (!fstatat(dir_fd, name, &stat, 0)) {
		key = key_of(&stat);
		cached = table_find(&cache->table, &key);
	}
	if (!cached)
		cached = read_new(cache, dir_fd, name);
	return cached && cached->readable ? &cached->info : NULL;
}

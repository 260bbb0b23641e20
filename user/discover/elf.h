/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an executable tells of itself: build id, interpreter, whether it is Go's. A small reader
 * of our own, since the file belongs to the watched process: every offset and size in it is
 * hostile. It reads a few KiB, allocates nothing, and looks at a bounded number of everything.
 *
 * Sources: System V ABI, chapters 4 and 5; elf(5).
 */
#ifndef SONDE_DISCOVER_ELF_H
#define SONDE_DISCOVER_ELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/table.h"

#define ELF_BUILD_ID_MAX 32	/* bytes; linkers write 20 (SHA-1), 16 or 8 */
#define ELF_TEXT_MAX 128	/* interpreter */
#define ELF_GO_VERSION_MAX 48
#define ELF_SEGMENTS_MAX 64	/* program headers looked at; real files have about 12 */

struct elf_info {
	bool is_64;
	bool dynamic;			/* has a dynamic section; a static PIE has one too */
	bool go;
	uint8_t build_id_len;		/* 0: none */
	uint8_t build_id[ELF_BUILD_ID_MAX];
	uint16_t machine;		/* EM_X86_64, ... */
	char interpreter[ELF_TEXT_MAX];	/* dynamic linker; empty: started without one */
	char go_version[ELF_GO_VERSION_MAX];	/* "go1.26.1"; empty: not Go, or not told */
};

/*
 * Reads the file from its start, wherever its position is. Returns 0; -ENOEXEC: no ELF file;
 * -EOPNOTSUPP: big-endian, or of an unknown class; -EBADMSG: cut short or contradicts itself;
 * other -errno of pread(2).
 */
int elf_read(int fd, struct elf_info *ret);

/* The same from memory. */
int elf_read_bytes(struct bytes file, struct elf_info *ret);

/* What was read of files, by device, inode, size and time of change; the oldest make room. */
struct elf_cache {
	struct table table;
	uint32_t hand;		/* where the next one to go is looked for */
};

int elf_cache_init(struct elf_cache *cache, uint32_t capacity);
void elf_cache_done(struct elf_cache *cache);

/*
 * The regular file <dir_fd>/<name>, followed when it is a link. NULL when it cannot be opened or is
 * no ELF file; else good until the next call.
 */
const struct elf_info *elf_cache_get(struct elf_cache *cache, int dir_fd, const char *name);

/*
 * --- for the readers of what is inside (elf.c, go.c) ---
 */
struct elf_layout;

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, align;
};

struct elf_file {
	struct bytes memory;		/* when fd is -1 */
	int fd;
	const struct elf_layout *layout;
	uint64_t sections_at;		/* 0: none */
	uint16_t sections, section_size, names_section;
	uint32_t segments;
	struct elf_segment segment[ELF_SEGMENTS_MAX];
};

/* Exactly `len` bytes at `offset`. Returns 0 or -errno: -EBADMSG when the file has fewer. */
int elf_read_at(const struct elf_file *file, uint64_t offset, void *to, size_t len);

/* As much as there is of `len` bytes. Returns how much, or -errno. */
ssize_t elf_read_some(const struct elf_file *file, uint64_t offset, void *to, size_t len);

/* Where the first `name`d section that holds bytes is in the file. Returns 0, -ENOENT or -errno. */
int elf_find_section(const struct elf_file *file, const char *name, uint64_t *ret_offset,
		     uint64_t *ret_size);

/* Where in the file the bytes of an address are. Returns 0 or -ENOENT. */
int elf_find_address(const struct elf_file *file, uint64_t address, uint64_t *ret_offset);

/* Little-endian number of 1 to 8 bytes. */
static inline uint64_t elf_number(const uint8_t *at, size_t size)
{
	uint64_t number = 0;

	while (size--)
		number = number << 8 | at[size];
	return number;
}

#endif

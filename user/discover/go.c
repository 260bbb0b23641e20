/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's build information: a blob in section .go.buildinfo, or somewhere in the first 64 KiB of
 * the first writable segment when there are no sections. Its first 32 bytes (Go,
 * debug/buildinfo):
 *
 *   0   "\xff Go buildinf:"
 *   14  size of a pointer
 *   15  flags: 1 = big-endian; 2 = the strings follow at 32, each after its length as a varint
 *       (since Go 1.18)
 *   16  without flag 2: address of a string header {address, length} of the version
 */
#include "discover/go.h"

#include <elf.h>
#include <errno.h>

#include "base/cleanup.h"

#define BLOB_BYTES 32
#define BLOB_ALIGN 16
#define SEARCH_BYTES (64 * 1024)

static const char magic[14] = "\xff Go buildinf:";

enum blob_flag { BLOB_BIG_ENDIAN = 1, BLOB_INLINE = 2 };

static int search(const struct elf_file *file, uint64_t offset, uint64_t size, uint64_t *ret_at)
{
	uint8_t page[4096];

	size = MIN(size, (uint64_t)SEARCH_BYTES);
	for (uint64_t from = 0; from < size; from += sizeof(page)) {
		ssize_t len = elf_read_some(file, offset + from, page,
					    MIN(size - from, sizeof(page)));

		for (ssize_t i = 0; i + (ssize_t)sizeof(magic) <= len; i += BLOB_ALIGN) {
			if (memcmp(page + i, magic, sizeof(magic)))
				continue;
			*ret_at = offset + from + (uint64_t)i;
			return 0;
		}
		if (len < (ssize_t)sizeof(page))
			break;
	}
	return -ENOENT;
}

static int find_blob(const struct elf_file *file, uint64_t *ret_at)
{
	uint64_t offset, size;

	if (!elf_find_section(file, ".go.buildinfo", &offset, &size))
		return search(file, offset, size, ret_at);
	for (uint32_t i = 0; i < file->segments; i++) {
		const struct elf_segment *segment = &file->segment[i];

		if (segment->type == PT_LOAD && (segment->flags & PF_W))
			return search(file, segment->offset, segment->file_size, ret_at);
	}
	return -ENOENT;
}

/* "go1.26.1", "devel go1.27-...": printable, and short enough. */
static void take_version(struct bytes text, char ret_version[ELF_GO_VERSION_MAX])
{
	if (text.len >= ELF_GO_VERSION_MAX ||
	    !(bytes_start_with(text, BYTES("go")) || bytes_start_with(text, BYTES("devel"))))
		return;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < 0x20 || text.at[i] > 0x7e)
			return;
	}
	memcpy(ret_version, text.at, text.len);
	ret_version[text.len] = '\0';
}

static void read_inline(const struct elf_file *file, uint64_t at,
			char ret_version[ELF_GO_VERSION_MAX])
{
	uint8_t text[1 + ELF_GO_VERSION_MAX];	/* a version's length takes one byte */
	ssize_t len = elf_read_some(file, at + BLOB_BYTES, text, sizeof(text));

	if (len < 1 || text[0] > len - 1)
		return;
	take_version(bytes_of(text + 1, text[0]), ret_version);
}

static void read_pointed(const struct elf_file *file, const uint8_t *blob,
			 char ret_version[ELF_GO_VERSION_MAX])
{
	size_t word = blob[14];
	uint8_t header[16], text[ELF_GO_VERSION_MAX];
	uint64_t at, len;

	if ((word != 4 && word != 8) || (blob[15] & BLOB_BIG_ENDIAN))
		return;
	if (elf_find_address(file, elf_number(blob + 16, word), &at) < 0 ||
	    elf_read_at(file, at, header, 2 * word) < 0)
		return;
	len = elf_number(header + word, word);
	if (len > sizeof(text) || elf_find_address(file, elf_number(header, word), &at) < 0 ||
	    elf_read_at(file, at, text, (size_t)len) < 0)
		return;
	take_version(bytes_of(text, (size_t)len), ret_version);
}

bool go_read_version(const struct elf_file *file, char ret_version[ELF_GO_VERSION_MAX])
{
	uint8_t blob[BLOB_BYTES];
	uint64_t at;

	if (find_blob(file, &at) < 0 || elf_read_at(file, at, blob, sizeof(blob)) < 0)
		return false;
	if (blob[15] & BLOB_INLINE)
		read_inline(file, at, ret_version);
	else
		read_pointed(file, blob, ret_version);
	return true;
}

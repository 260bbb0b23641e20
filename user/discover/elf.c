/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF reader. From discover.c through elf_cache.c; what is Go's own is in go.c. */
#include "discover/elf.h"

#include <elf.h>
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "discover/go.h"

#define NOTES_MAX 64		/* notes looked at in one file; real files have about 4 */
#define NOTES_BYTES_MAX (64 * 1024)	/* of one segment */
#define SECTIONS_MAX 1024	/* section headers looked at; executables have about 40 */
#define SECTIONS_AT_ONCE 32
#define SECTION_NAMES_MAX 4096	/* bytes of section names looked at; about 400 are usual */

/* Where the fields are, and how large an address is: the two classes differ in nothing else. */
struct elf_layout {
	uint8_t word;				/* bytes of an address or offset */
	uint8_t header_size, segment_size, section_size;
	uint8_t phoff, shoff, phentsize;	/* then phnum, shentsize, shnum, shstrndx: 2 each */
	uint8_t p_flags, p_offset, p_vaddr, p_filesz, p_align;
	uint8_t sh_offset, sh_size;
};

static const struct elf_layout layout_64 = {
	.word = 8, .header_size = sizeof(Elf64_Ehdr),
	.segment_size = sizeof(Elf64_Phdr), .section_size = sizeof(Elf64_Shdr),
	.phoff = offsetof(Elf64_Ehdr, e_phoff), .shoff = offsetof(Elf64_Ehdr, e_shoff),
	.phentsize = offsetof(Elf64_Ehdr, e_phentsize),
	.p_flags = offsetof(Elf64_Phdr, p_flags), .p_offset = offsetof(Elf64_Phdr, p_offset),
	.p_vaddr = offsetof(Elf64_Phdr, p_vaddr), .p_filesz = offsetof(Elf64_Phdr, p_filesz),
	.p_align = offsetof(Elf64_Phdr, p_align),
	.sh_offset = offsetof(Elf64_Shdr, sh_offset), .sh_size = offsetof(Elf64_Shdr, sh_size),
};

static const struct elf_layout layout_32 = {
	.word = 4, .header_size = sizeof(Elf32_Ehdr),
	.segment_size = sizeof(Elf32_Phdr), .section_size = sizeof(Elf32_Shdr),
	.phoff = offsetof(Elf32_Ehdr, e_phoff), .shoff = offsetof(Elf32_Ehdr, e_shoff),
	.phentsize = offsetof(Elf32_Ehdr, e_phentsize),
	.p_flags = offsetof(Elf32_Phdr, p_flags), .p_offset = offsetof(Elf32_Phdr, p_offset),
	.p_vaddr = offsetof(Elf32_Phdr, p_vaddr), .p_filesz = offsetof(Elf32_Phdr, p_filesz),
	.p_align = offsetof(Elf32_Phdr, p_align),
	.sh_offset = offsetof(Elf32_Shdr, sh_offset), .sh_size = offsetof(Elf32_Shdr, sh_size),
};

ssize_t elf_read_some(const struct elf_file *file, uint64_t offset, void *to, size_t len)
{
	size_t done = 0;

	if (file->fd < 0) {
		if (offset >= file->memory.len)
			return 0;
		done = MIN(len, file->memory.len - (size_t)offset);
		memcpy(to, file->memory.at + offset, done);
		return (ssize_t)done;
	}
	if (offset > INT64_MAX - len)
		return 0;
	while (done < len) {
		ssize_t n = pread(file->fd, (uint8_t *)to + done, len - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int elf_read_at(const struct elf_file *file, uint64_t offset, void *to, size_t len)
{
	ssize_t done = elf_read_some(file, offset, to, len);

	if (done < 0)
		return (int)done;
	return (size_t)done == len ? 0 : -EBADMSG;
}

static struct elf_segment parse_segment(const struct elf_layout *layout, const uint8_t *at)
{
	return (struct elf_segment){
		.type = (uint32_t)elf_number(at, 4),
		.flags = (uint32_t)elf_number(at + layout->p_flags, 4),
		.offset = elf_number(at + layout->p_offset, layout->word),
		.address = elf_number(at + layout->p_vaddr, layout->word),
		.file_size = elf_number(at + layout->p_filesz, layout->word),
		.align = elf_number(at + layout->p_align, layout->word),
	};
}

static int read_segments(struct elf_file *file, uint64_t at, uint32_t count)
{
	size_t size = file->layout->segment_size;
	uint8_t headers[ELF_SEGMENTS_MAX * sizeof(Elf64_Phdr)];
	int r;

	file->segments = MIN(count, (uint32_t)ELF_SEGMENTS_MAX);
	r = elf_read_at(file, at, headers, file->segments * size);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < file->segments; i++)
		file->segment[i] = parse_segment(file->layout, headers + i * size);
	return 0;
}

/* Checks what the file is and finds its tables. */
static int open_file(struct elf_file *file, struct elf_info *info)
{
	uint8_t header[sizeof(Elf64_Ehdr)];
	const struct elf_layout *layout;
	const uint8_t *counts;

	if (elf_read_at(file, 0, header, EI_NIDENT) < 0 || memcmp(header, ELFMAG, SELFMAG))
		return -ENOEXEC;
	if (header[EI_DATA] != ELFDATA2LSB ||
	    (header[EI_CLASS] != ELFCLASS64 && header[EI_CLASS] != ELFCLASS32))
		return -EOPNOTSUPP;
	layout = header[EI_CLASS] == ELFCLASS64 ? &layout_64 : &layout_32;
	file->layout = layout;
	if (elf_read_at(file, 0, header, layout->header_size) < 0)
		return -EBADMSG;

	info->is_64 = layout == &layout_64;
	info->machine = (uint16_t)elf_number(header + offsetof(Elf64_Ehdr, e_machine), 2);
	counts = header + layout->phentsize;
	file->sections_at = elf_number(header + layout->shoff, layout->word);
	file->section_size = (uint16_t)elf_number(counts + 4, 2);
	file->sections = (uint16_t)elf_number(counts + 6, 2);
	file->names_section = (uint16_t)elf_number(counts + 8, 2);
	if (!elf_number(counts + 2, 2))
		return 0;			/* an object file has no segments */
	if (elf_number(counts, 2) != layout->segment_size)
		return -EBADMSG;
	return read_segments(file, elf_number(header + layout->phoff, layout->word),
			     (uint32_t)elf_number(counts + 2, 2));
}

static uint64_t round_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* One note at *at, which moves behind it. False: there is no whole one. */
static bool read_note(const struct elf_file *file, const struct elf_segment *notes, uint64_t *at,
		      struct elf_info *info)
{
	uint64_t align = notes->align == 8 ? 8 : 4, name_size, text_at, text_size;
	uint64_t end = MIN(notes->file_size, (uint64_t)NOTES_BYTES_MAX);
	uint8_t note[12 + 4];

	if (end < sizeof(note) || *at > end - sizeof(note) ||
	    elf_read_at(file, notes->offset + *at, note, sizeof(note)) < 0)
		return false;
	name_size = elf_number(note, 4);
	text_size = elf_number(note + 4, 4);
	text_at = *at + round_up(12 + name_size, align);
	*at = text_at + round_up(text_size, align);
	if (*at > end + align)
		return false;
	if (elf_number(note + 8, 4) == NT_GNU_BUILD_ID && name_size == 4 &&
	    !memcmp(note + 12, "GNU", 4) && text_size <= ELF_BUILD_ID_MAX &&
	    !elf_read_at(file, notes->offset + text_at, info->build_id, text_size))
		info->build_id_len = (uint8_t)text_size;
	return true;
}

static void read_notes(const struct elf_file *file, const struct elf_segment *notes,
		       unsigned *left, struct elf_info *info)
{
	uint64_t at = 0;

	while (*left && !info->build_id_len && read_note(file, notes, &at, info))
		--*left;
}

static void read_interpreter(const struct elf_file *file, const struct elf_segment *segment,
			     struct elf_info *info)
{
	char text[ELF_TEXT_MAX] = "";

	if (segment->file_size >= sizeof(text) ||
	    elf_read_at(file, segment->offset, text, (size_t)segment->file_size) < 0)
		return;
	memcpy(info->interpreter, text, sizeof(text));
}

static int read_file(struct elf_file *file, struct elf_info *ret)
{
	struct elf_info info = { 0 };
	unsigned notes_left = NOTES_MAX;
	int r = open_file(file, &info);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < file->segments; i++) {
		const struct elf_segment *segment = &file->segment[i];

		if (segment->type == PT_DYNAMIC)
			info.dynamic = true;
		else if (segment->type == PT_INTERP)
			read_interpreter(file, segment, &info);
		else if (segment->type == PT_NOTE)
			read_notes(file, segment, &notes_left, &info);
	}
	info.go = go_read_version(file, info.go_version);
	*ret = info;
	return 0;
}

int elf_read(int fd, struct elf_info *ret)
{
	struct elf_file file = { .fd = fd };

	return read_file(&file, ret);
}

int elf_read_bytes(struct bytes bytes, struct elf_info *ret)
{
	struct elf_file file = { .fd = -1, .memory = bytes };

	return read_file(&file, ret);
}

static int read_sections(const struct elf_file *file, uint32_t first, uint32_t count, uint8_t *to)
{
	uint64_t size = file->layout->section_size, at;

	if (__builtin_add_overflow(file->sections_at, first * size, &at))
		return -EBADMSG;
	return elf_read_at(file, at, to, count * size);
}

/* The section names, at most SECTION_NAMES_MAX of them. Returns their length or -errno. */
static ssize_t read_names(const struct elf_file *file, char *to)
{
	const struct elf_layout *layout = file->layout;
	uint8_t header[sizeof(Elf64_Shdr)];
	uint64_t offset, size;
	int r;

	r = read_sections(file, file->names_section, 1, header);
	if (r < 0)
		return r;
	offset = elf_number(header + layout->sh_offset, layout->word);
	size = elf_number(header + layout->sh_size, layout->word);
	return elf_read_some(file, offset, to, MIN(size, (uint64_t)SECTION_NAMES_MAX));
}

/* Is this header's name `name`, NUL included, and are there bytes in the file? */
static bool is_named(const uint8_t *header, struct bytes names, struct bytes name)
{
	uint64_t name_at = elf_number(header + offsetof(Elf64_Shdr, sh_name), 4);

	return elf_number(header + offsetof(Elf64_Shdr, sh_type), 4) != SHT_NOBITS &&
	       name_at < names.len && bytes_start_with(bytes_skip(names, name_at), name);
}

int elf_find_section(const struct elf_file *file, const char *name, uint64_t *ret_offset,
		     uint64_t *ret_size)
{
	const struct elf_layout *layout = file->layout;
	uint8_t headers[SECTIONS_AT_ONCE * sizeof(Elf64_Shdr)];
	uint32_t sections = MIN(file->sections, (uint32_t)SECTIONS_MAX);
	struct bytes whole_name = bytes_of(name, strlen(name) + 1);
	char names[SECTION_NAMES_MAX];
	ssize_t names_len;

	if (!file->sections_at || file->section_size != layout->section_size)
		return -ENOENT;
	names_len = read_names(file, names);
	if (names_len < 0)
		return (int)names_len;
	for (uint32_t i = 0; i < sections; i++) {
		const uint8_t *header = headers + i % SECTIONS_AT_ONCE * layout->section_size;
		uint32_t count = MIN(sections - i, (uint32_t)SECTIONS_AT_ONCE);

		if (i % SECTIONS_AT_ONCE == 0 && read_sections(file, i, count, headers) < 0)
			return -EBADMSG;
		if (!is_named(header, bytes_of(names, (size_t)names_len), whole_name))
			continue;
		*ret_offset = elf_number(header + layout->sh_offset, layout->word);
		*ret_size = elf_number(header + layout->sh_size, layout->word);
		return 0;
	}
	return -ENOENT;
}

int elf_find_address(const struct elf_file *file, uint64_t address, uint64_t *ret_offset)
{
	for (uint32_t i = 0; i < file->segments; i++) {
		const struct elf_segment *segment = &file->segment[i];

		if (segment->type != PT_LOAD || address < segment->address ||
		    address - segment->address >= segment->file_size)
			continue;
		if (__builtin_add_overflow(segment->offset, address - segment->address,
					   ret_offset))
			return -ENOENT;
		return 0;
	}
	return -ENOENT;
}

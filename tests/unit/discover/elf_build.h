/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small ELF files, made by hand so that a test knows every byte: header, program headers, one
 * of each thing the reader looks for, section headers. Fixed places keep it readable:
 *
 *   0x040 program headers   0x200 interpreter   0x240 notes   0x400 Go's blob (Go 1.18 or older)
 *   0x480 string header     0x4a0 version       0x600 section names   0x680 section headers
 */
#ifndef SONDE_TESTS_ELF_BUILD_H
#define SONDE_TESTS_ELF_BUILD_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ELF_BUILT_SIZE 0x800
#define ELF_BUILT_ADDRESS 0x400000	/* of offset 0 */

enum elf_go { ELF_GO_NONE, ELF_GO_INLINE, ELF_GO_POINTED };

struct elf_recipe {
	bool is_32, big_endian, dynamic, no_build_id, no_sections;
	enum elf_go go;
	const char *interpreter;	/* NULL: none */
	const char *go_version;
};

static const uint8_t elf_built_id[20] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
					  17, 18, 19, 0xff };

static inline void elf_put(uint8_t *file, size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		file[at + i] = (uint8_t)(value >> 8 * i);
}

static inline void elf_put_segment(uint8_t *file, const struct elf_recipe *recipe, unsigned index,
				   uint32_t type, uint32_t flags, uint64_t offset, uint64_t size)
{
	if (recipe->is_32) {
		Elf32_Phdr header = {
			.p_type = type, .p_flags = flags, .p_offset = (uint32_t)offset,
			.p_vaddr = ELF_BUILT_ADDRESS + (uint32_t)offset,
			.p_filesz = (uint32_t)size, .p_memsz = (uint32_t)size, .p_align = 4,
		};

		memcpy(file + 0x40 + index * sizeof(header), &header, sizeof(header));
	} else {
		Elf64_Phdr header = {
			.p_type = type, .p_flags = flags, .p_offset = offset,
			.p_vaddr = ELF_BUILT_ADDRESS + offset, .p_filesz = size, .p_memsz = size,
			.p_align = 4,
		};

		memcpy(file + 0x40 + index * sizeof(header), &header, sizeof(header));
	}
}

static inline void elf_put_section(uint8_t *file, const struct elf_recipe *recipe, unsigned index,
				   uint32_t name, uint32_t type, uint64_t offset, uint64_t size)
{
	if (recipe->is_32) {
		Elf32_Shdr header = { .sh_name = name, .sh_type = type,
				      .sh_offset = (uint32_t)offset, .sh_size = (uint32_t)size };

		memcpy(file + 0x680 + index * sizeof(header), &header, sizeof(header));
	} else {
		Elf64_Shdr header = { .sh_name = name, .sh_type = type, .sh_offset = offset,
				      .sh_size = size };

		memcpy(file + 0x680 + index * sizeof(header), &header, sizeof(header));
	}
}

static inline void elf_put_header(uint8_t *file, const struct elf_recipe *recipe, unsigned segments)
{
	uint16_t sections = recipe->no_sections ? 0 : 3;
	Elf32_Ehdr header_32 = {
		.e_type = ET_EXEC, .e_machine = EM_386, .e_phoff = 0x40,
		.e_shoff = sections ? 0x680 : 0, .e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = (uint16_t)segments, .e_shentsize = sizeof(Elf32_Shdr),
		.e_shnum = sections, .e_shstrndx = 1,
	};
	Elf64_Ehdr header_64 = {
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_phoff = 0x40,
		.e_shoff = sections ? 0x680 : 0, .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)segments, .e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = sections, .e_shstrndx = 1,
	};

	if (recipe->is_32)
		memcpy(file, &header_32, sizeof(header_32));
	else
		memcpy(file, &header_64, sizeof(header_64));
	memcpy(file, ELFMAG, SELFMAG);
	file[EI_CLASS] = recipe->is_32 ? ELFCLASS32 : ELFCLASS64;
	file[EI_DATA] = recipe->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
	file[EI_VERSION] = EV_CURRENT;
}

/* Two notes: one that is not the build id, and the build id. Returns their size. */
static inline size_t elf_put_notes(uint8_t *file)
{
	size_t at = 0x240;

	elf_put(file, at, 4, 4);
	elf_put(file, at + 4, 6, 4);	/* padded to 8 */
	elf_put(file, at + 8, 1, 4);
	memcpy(file + at + 12, "GNU", 4);
	at += 16 + 8;
	elf_put(file, at, 4, 4);
	elf_put(file, at + 4, sizeof(elf_built_id), 4);
	elf_put(file, at + 8, NT_GNU_BUILD_ID, 4);
	memcpy(file + at + 12, "GNU", 4);
	memcpy(file + at + 16, elf_built_id, sizeof(elf_built_id));
	return at + 16 + sizeof(elf_built_id) - 0x240;
}

static inline void elf_put_go(uint8_t *file, const struct elf_recipe *recipe)
{
	size_t word = recipe->is_32 ? 4 : 8, len = strlen(recipe->go_version);

	memcpy(file + 0x400, "\xff Go buildinf:", 14);
	file[0x40e] = (uint8_t)word;
	if (recipe->go == ELF_GO_INLINE) {
		file[0x40f] = 2;
		file[0x420] = (uint8_t)len;
		memcpy(file + 0x421, recipe->go_version, len);
		return;
	}
	elf_put(file, 0x410, ELF_BUILT_ADDRESS + 0x480, word);
	elf_put(file, 0x480, ELF_BUILT_ADDRESS + 0x4a0, word);
	elf_put(file, 0x480 + word, len, word);
	memcpy(file + 0x4a0, recipe->go_version, len);
}

static inline void elf_build(const struct elf_recipe *recipe, uint8_t file[ELF_BUILT_SIZE])
{
	unsigned segments = 0;

	memset(file, 0, ELF_BUILT_SIZE);
	elf_put_segment(file, recipe, segments++, PT_LOAD, PF_R | PF_X, 0, 0x400);
	elf_put_segment(file, recipe, segments++, PT_LOAD, PF_R | PF_W, 0x400, 0x200);
	if (recipe->dynamic)
		elf_put_segment(file, recipe, segments++, PT_DYNAMIC, PF_R | PF_W, 0x500, 0x20);
	if (recipe->interpreter) {
		strcpy((char *)file + 0x200, recipe->interpreter);
		elf_put_segment(file, recipe, segments++, PT_INTERP, PF_R, 0x200,
				strlen(recipe->interpreter) + 1);
	}
	if (!recipe->no_build_id)
		elf_put_segment(file, recipe, segments++, PT_NOTE, PF_R, 0x240,
				elf_put_notes(file));
	if (recipe->go != ELF_GO_NONE)
		elf_put_go(file, recipe);
	elf_put_header(file, recipe, segments);
	if (recipe->no_sections)
		return;
	memcpy(file + 0x600, "\0.shstrtab\0.go.buildinfo", 25);
	elf_put_section(file, recipe, 1, 1, SHT_STRTAB, 0x600, 25);
	elf_put_section(file, recipe, 2, 11, recipe->go ? SHT_PROGBITS : SHT_NOBITS, 0x400, 0x100);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF reader: files made by hand, every cut of them, and this very program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "discover/elf.h"
#include "unit/discover/elf_build.h"

static int read_built(const struct elf_recipe *recipe, struct elf_info *info)
{
	uint8_t file[ELF_BUILT_SIZE];

	elf_build(recipe, file);
	return elf_read_bytes(bytes_of(file, sizeof(file)), info);
}

static void a_dynamic_program_shows_build_id_and_interpreter(void **state)
{
	for (int is_32 = 0; is_32 < 2; is_32++) {
		struct elf_info info;

		assert_int_equal(read_built(&(struct elf_recipe){
			.is_32 = is_32, .dynamic = true, .interpreter = "/lib64/ld-linux.so.2",
		}, &info), 0);
		assert_int_equal(info.is_64, !is_32);
		assert_int_equal(info.machine, is_32 ? EM_386 : EM_X86_64);
		assert_true(info.dynamic);
		assert_string_equal(info.interpreter, "/lib64/ld-linux.so.2");
		assert_int_equal(info.build_id_len, 20);
		assert_memory_equal(info.build_id, elf_built_id, 20);
		assert_false(info.go);
		assert_string_equal(info.go_version, "");
	}
}

static void a_static_program_has_neither(void **state)
{
	struct elf_info info;

	assert_int_equal(read_built(&(struct elf_recipe){ .no_build_id = true }, &info), 0);
	assert_false(info.dynamic);
	assert_string_equal(info.interpreter, "");
	assert_int_equal(info.build_id_len, 0);
}

static void both_forms_of_gos_blob_tell_the_version(void **state)
{
	for (int i = 0; i < 8; i++) {
		struct elf_info info;

		assert_int_equal(read_built(&(struct elf_recipe){
			.is_32 = i & 1, .no_sections = i & 2,
			.go = i & 4 ? ELF_GO_INLINE : ELF_GO_POINTED, .go_version = "go1.26.1",
		}, &info), 0);
		assert_true(info.go);
		assert_string_equal(info.go_version, "go1.26.1");
	}
}

static void a_version_that_is_none_is_left_out(void **state)
{
	static const char *const bad[] = {
		"", "1.26", "go1.2\n", "go\x80",
		"go1.26-0123456789012345678901234567890123456789abc",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct elf_info info;

		for (int go = ELF_GO_INLINE; go <= ELF_GO_POINTED; go++) {
			assert_int_equal(read_built(&(struct elf_recipe){
				.go = go, .go_version = bad[i],
			}, &info), 0);
			assert_true(info.go);
			assert_string_equal(info.go_version, "");
		}
	}
}

static void what_is_no_elf_or_not_ours_is_refused_clearly(void **state)
{
	struct elf_info info = { .machine = 4711 };
	uint8_t file[ELF_BUILT_SIZE];

	assert_int_equal(elf_read_bytes(BYTES(""), &info), -ENOEXEC);
	assert_int_equal(elf_read_bytes(BYTES("#!/bin/sh\nexec true # more\n"), &info),
			 -ENOEXEC);
	assert_int_equal(read_built(&(struct elf_recipe){ .big_endian = true }, &info),
			 -EOPNOTSUPP);
	elf_build(&(struct elf_recipe){ 0 }, file);
	file[EI_CLASS] = 3;
	assert_int_equal(elf_read_bytes(bytes_of(file, sizeof(file)), &info), -EOPNOTSUPP);
	elf_build(&(struct elf_recipe){ 0 }, file);
	file[offsetof(Elf64_Ehdr, e_phentsize)] = 1;
	assert_int_equal(elf_read_bytes(bytes_of(file, sizeof(file)), &info), -EBADMSG);
	assert_int_equal(info.machine, 4711);
}

/* In memory of exactly its size, so that ASan sees a byte too far. */
static int read_copy(const uint8_t *file, size_t len, struct elf_info *info)
{
	uint8_t *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, file, len);
	r = elf_read_bytes(bytes_of(copy, len), info);
	free(copy);
	return r;
}

static void every_cut_is_refused_or_read_within_its_bounds(void **state)
{
	for (int i = 0; i < 4; i++) {
		uint8_t file[ELF_BUILT_SIZE];
		struct elf_info info;

		elf_build(&(struct elf_recipe){
			.is_32 = i & 1, .dynamic = true, .interpreter = "/lib/ld.so",
			.go = i & 2 ? ELF_GO_INLINE : ELF_GO_POINTED, .go_version = "go1.20",
		}, file);
		for (size_t len = 0; len < sizeof(file); len++) {
			int r = read_copy(file, len, &info);

			assert_int_equal(r, len < 16 ? -ENOEXEC : len < 0xe0 ? -EBADMSG : r);
			assert_true(r == 0 || r == -ENOEXEC || r == -EBADMSG);
			if (!r && info.go_version[0])
				assert_string_equal(info.go_version, "go1.20");
		}
		assert_int_equal(info.build_id_len, 20);
	}
}

/* Every number of the file at its worst, one after the other: nothing breaks, nothing hangs. */
static void every_field_at_its_extremes_is_survived(void **state)
{
	static const uint8_t extremes[] = { 0x00, 0x7f, 0x80, 0xff };
	uint8_t built[ELF_BUILT_SIZE], file[ELF_BUILT_SIZE];
	struct elf_info info;

	elf_build(&(struct elf_recipe){ .dynamic = true, .interpreter = "/lib/ld.so",
					.go = ELF_GO_POINTED, .go_version = "go1.16" }, built);
	for (size_t at = 0; at < sizeof(file); at += 4) {
		for (size_t i = 0; i < ARRAY_LEN(extremes); i++) {
			for (size_t width = 2; width <= 8; width *= 2) {
				memcpy(file, built, sizeof(file));
				memset(file + at, extremes[i],
				       at + width <= sizeof(file) ? width : 4);
				elf_read_bytes(bytes_of(file, sizeof(file)), &info);
				assert_true(info.build_id_len <= ELF_BUILD_ID_MAX);
				assert_non_null(memchr(info.interpreter, 0, ELF_TEXT_MAX));
				assert_non_null(memchr(info.go_version, 0, ELF_GO_VERSION_MAX));
			}
		}
	}
}

static void this_program_is_read_from_its_file(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct elf_info info;

	assert_true(fd >= 0);
	assert_int_equal(elf_read(fd, &info), 0);
	assert_int_equal(info.is_64, sizeof(void *) == 8);
	assert_true(info.dynamic);
	assert_true(info.interpreter[0] == '/');
	assert_false(info.go);
	close(fd);
}

static char dir_path[64];

static int make_dir(void **state)
{
	strcpy(dir_path, "/tmp/sonde-elf-XXXXXX");
	return mkdtemp(dir_path) ? 0 : -1;
}

static void write_built(int dir_fd, const char *name, const struct elf_recipe *recipe)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	uint8_t file[ELF_BUILT_SIZE];

	elf_build(recipe, file);
	assert_int_equal(write(fd, file, sizeof(file)), sizeof(file));
	close(fd);
}

static void the_cache_reads_a_file_once_and_again_when_it_changed(void **state)
{
	int dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY);
	const struct elf_info *first, *second;
	struct elf_cache cache;

	assert_int_equal(elf_cache_init(&cache, 4), 0);
	write_built(dir_fd, "a", &(struct elf_recipe){ .go = ELF_GO_INLINE,
						       .go_version = "go1.20" });
	assert_int_equal(symlinkat("a", dir_fd, "link"), 0);
	first = elf_cache_get(&cache, dir_fd, "a");
	assert_string_equal(first->go_version, "go1.20");
	second = elf_cache_get(&cache, dir_fd, "link");
	assert_ptr_equal(first, second);
	assert_int_equal(cache.table.used, 1);

	unlinkat(dir_fd, "a", 0);
	write_built(dir_fd, "b", &(struct elf_recipe){ .go = ELF_GO_INLINE,
						       .go_version = "go1.21" });
	assert_int_equal(renameat(dir_fd, "b", dir_fd, "a"), 0);
	assert_string_equal(elf_cache_get(&cache, dir_fd, "a")->go_version, "go1.21");

	assert_null(elf_cache_get(&cache, dir_fd, "missing"));
	assert_null(elf_cache_get(&cache, dir_fd, "."));
	unlinkat(dir_fd, "a", 0);
	unlinkat(dir_fd, "link", 0);
	elf_cache_done(&cache);
	close(dir_fd);
}

static void the_cache_stays_within_its_bound(void **state)
{
	int dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY);
	struct elf_cache cache;
	char name[32];

	assert_int_equal(elf_cache_init(&cache, 4), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		write_built(dir_fd, name, &(struct elf_recipe){ 0 });
		assert_non_null(elf_cache_get(&cache, dir_fd, name));
		assert_non_null(elf_cache_get(&cache, dir_fd, "f0"));
		assert_in_range(cache.table.used, 1, 4);
	}
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		unlinkat(dir_fd, name, 0);
	}
	elf_cache_done(&cache);
	close(dir_fd);
}

static int remove_dir(void **state)
{
	return rmdir(dir_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dynamic_program_shows_build_id_and_interpreter),
		cmocka_unit_test(a_static_program_has_neither),
		cmocka_unit_test(both_forms_of_gos_blob_tell_the_version),
		cmocka_unit_test(a_version_that_is_none_is_left_out),
		cmocka_unit_test(what_is_no_elf_or_not_ours_is_refused_clearly),
		cmocka_unit_test(every_cut_is_refused_or_read_within_its_bounds),
		cmocka_unit_test(every_field_at_its_extremes_is_survived),
		cmocka_unit_test(this_program_is_read_from_its_file),
		cmocka_unit_test(the_cache_reads_a_file_once_and_again_when_it_changed),
		cmocka_unit_test(the_cache_stays_within_its_bound),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

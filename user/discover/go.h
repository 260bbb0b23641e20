/* SPDX-License-Identifier: Apache-2.0 */
/* Go's build information in an executable: what it is, and the version of the toolchain. */
#ifndef SONDE_DISCOVER_GO_H
#define SONDE_DISCOVER_GO_H

#include "discover/elf.h"

/*
 * True when the file was built by Go (1.13 or later); ret_version is the toolchain's,
 * NUL-terminated, left as it is when the file does not tell it readably.
 */
bool go_read_version(const struct elf_file *file, char ret_version[ELF_GO_VERSION_MAX]);

#endif

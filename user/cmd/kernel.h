/* SPDX-License-Identifier: Apache-2.0 */
/* Is this kernel one that Sonde can run on at all? Everything finer is found out by trying. */
#ifndef SONDE_CMD_KERNEL_H
#define SONDE_CMD_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#define KERNEL_BTF_PATH "/sys/kernel/btf/vmlinux"
#define KERNEL_WHY_SIZE 256	/* bytes enough for every sentence */

/*
 * Returns 0, or -EOPNOTSUPP with one sentence in `ret_why`, without the leading `sonde: `:
 * `kernel 5.10.0: too old: Sonde needs ...`.
 */
int kernel_supported(char *ret_why, size_t size);

/* The same from what is known of a kernel: its release as uname(2) has it. Pure. */
int kernel_judge(const char *release, bool has_btf, char *ret_why, size_t size);

#endif

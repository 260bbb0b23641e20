/* SPDX-License-Identifier: Apache-2.0 */
/* Gives back memory that only the start needed. */
#ifndef SONDE_CMD_TRIM_H
#define SONDE_CMD_TRIM_H

/*
 * Loading BPF programs and setting up libraries runs much code once and frees much heap. Unmaps the
 * pages of code (they are the files' own and come back when they are run again) and returns free heap
 * to the kernel. Call once, when everything is open.
 */
void trim_memory(void);

#endif

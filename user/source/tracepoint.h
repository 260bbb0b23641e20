/* SPDX-License-Identifier: Apache-2.0 */
/* Attaches programs to tracepoints by number, whether tracefs is mounted or not. */
#ifndef SONDE_SOURCE_TRACEPOINT_H
#define SONDE_SOURCE_TRACEPOINT_H

struct bpf_object_skeleton;

/*
 * Attaches all loaded programs of sections `tracepoint/GROUP/NAME` and keeps the skeleton's own
 * attach from trying them. The links are the skeleton's, which ends them. Returns 0 or -errno.
 */
int tracepoints_attach(struct bpf_object_skeleton *skeleton);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The rows and numbers of SELF_TABLE: written by whoever counts, read by the exporters. */
#include "model/self.h"

/* Counters of seconds are kept in nanoseconds. Decided by the compiler: the name is a literal. */
#define SECONDS "_seconds_total"
#define TAIL(name) ((name) + (sizeof(name) > sizeof(SECONDS) ? sizeof(name) - sizeof(SECONDS) : 0))
#define SCALE(name) (__builtin_strcmp(TAIL(name), SECONDS) == 0 ? 1e-9 : 1.0)

const struct self_row self_rows[SELF_MAX] = {
#define X(id, kind, name, label, help) { SELF_##kind, name, label, help, SCALE(name) },
	SELF_TABLE(X)
#undef X
};

_Atomic uint64_t self_values[SELF_MAX];

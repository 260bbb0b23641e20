/* SPDX-License-Identifier: Apache-2.0 */
/* The cases every choice of the socket source must pass; socket_test.c runs them. */
#ifndef SONDE_TESTS_BPF_SOCKET_CASES_H
#define SONDE_TESTS_BPF_SOCKET_CASES_H

#include "harness.h"

struct socket_case {
	const char *name;		/* a sentence; the choice is put before it */
	void (*run)(void **state);	/* state: struct rig, open by the choice, empty */
};

extern const struct socket_case transfer_cases[], life_cases[], rig_cases[];	/* end with NULL */

/* Opens one more rig by the same choice; fails when it cannot. */
struct rig *another_rig(const struct rig *rig, void (*configure)(struct config *));

#endif

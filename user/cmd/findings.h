/* SPDX-License-Identifier: Apache-2.0 */
/* What follows for Sonde from the place it runs in: one finding a line of the doctor's report. */
#ifndef SONDE_CMD_FINDINGS_H
#define SONDE_CMD_FINDINGS_H

#include "cmd/place.h"

enum finding_state {
	FINDING_OK,
	FINDING_DEGRADED,	/* works, but something is missing or costs more */
	FINDING_REFUSED,	/* nothing can work with this */
};

struct finding {
	const char *name;	/* stable: key of the JSON form */
	enum finding_state state;
	char value[144];
	char note[256];		/* what it means and what to do; "" when there is nothing to say */
};

#define FINDINGS_MAX 16

/* Pure. Returns how many. */
unsigned place_judge(const struct place *place, struct finding ret_findings[FINDINGS_MAX]);

/* "ok", "degraded", "refused": for both forms of output. */
const char *finding_state_name(enum finding_state state);

#endif

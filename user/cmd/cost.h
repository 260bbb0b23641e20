/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent costs and what its kernel side has lost, read into the self metrics. */
#ifndef SONDE_CMD_COST_H
#define SONDE_CMD_COST_H

/* States of the sources; NULL: not open. Call once a second. */
void cost_read(void *process_state, void *socket_state);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The chunks of one connection, walked: where heads are, where messages end, what was not seen. */
#ifndef SONDE_PIPELINE_WALK_H
#define SONDE_PIPELINE_WALK_H

#include "pipeline/conn.h"

/* One chunk: its first bytes, what lies unseen between, its last bytes. */
void walk_chunk(struct conns *conns, struct conn *conn, const struct chunk *chunk,
		 struct bytes head, struct bytes tail);

/* The response that is coming in, and only ends with the connection, is over. */
void walk_quiet(struct conns *conns, struct conn *conn);

/*
 * Nothing more will come: every request still open is finished as it stands. `closed`: the connection
 * has ended; else it is only lost from sight, and what is open on it is no error.
 */
void walk_close(struct conns *conns, struct conn *conn, bool closed, uint64_t now_ns);

#endif

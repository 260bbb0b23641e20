/* SPDX-License-Identifier: Apache-2.0 */
/* Source `socket`: what watched processes read from and write to stream sockets. */
#ifndef SONDE_SOURCE_SOCKET_H
#define SONDE_SOURCE_SOCKET_H

#include <stdint.h>

#include "base/bytes.h"
#include "config/config.h"
#include "event/socket.h"

/*
 * The record is valid (sizes and counts checked) and borrowed until return; `payload` is what
 * follows it: the chunks' heads and tails in order.
 */
typedef void (*socket_callback)(void *context, const struct socket_event *event,
				struct bytes payload);

/* Must be set before the source is opened: the process source whose table it reads. */
void socket_source_share(void *process_state);

/* Descriptor that becomes readable when much is waiting; for a loop. */
int socket_source_fd(const void *state);

/*
 * Reads what is waiting, at most `max` records; call by timer too, since few records wake nobody.
 * Returns how many were read; `max` says there may be more.
 */
int socket_source_consume(void *state, int max, socket_callback call, void *context);

/* Takes the programs off their hooks; what is in the ring can still be read. */
void socket_source_detach(void *state);

/* Stops the kernel side from copying this connection any more. */
void socket_source_ignore(void *state, uint64_t conn);

struct program_stats;
void socket_source_read(void *state, struct program_stats *stats, uint64_t *map_bytes,
			uint64_t drops[DROP_MAX]);

#endif

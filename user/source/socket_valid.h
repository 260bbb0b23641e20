/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a record of the data ring is what it says it is. From socket.c, before the pipeline. */
#ifndef SONDE_SOURCE_SOCKET_VALID_H
#define SONDE_SOURCE_SOCKET_VALID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/socket.h"

/*
 * `size` bytes can be read at `event`. True when it is a record of this kind whose chunks, with all
 * the bytes they claim, lie inside event.size, and that inside `size`.
 */
bool socket_event_valid(const struct socket_event *event, size_t size);

#endif

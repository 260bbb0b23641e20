/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing in a record is believed before this: the ring is memory like any other. */
#include "source/socket_valid.h"

static bool chunk_valid(const struct chunk *chunk)
{
	return (uint32_t)chunk->head + chunk->tail <= chunk->len && chunk->dir <= SOCKET_TX;
}

bool socket_event_valid(const struct socket_event *event, size_t size)
{
	size_t payload = 0;

	if (size < sizeof(*event) || event->event.kind != EVENT_SOCKET ||
	    event->event.size < sizeof(*event) || event->event.size > size ||
	    event->chunks > SOCKET_CHUNKS || event->request_dir > SOCKET_TX)
		return false;
	for (unsigned i = 0; i < event->chunks; i++) {
		const struct chunk *chunk = &event->chunk[i];

		if (!chunk_valid(chunk))
			return false;
		payload += (size_t)chunk->head + chunk->tail;
	}
	return payload <= event->event.size - sizeof(*event);
}

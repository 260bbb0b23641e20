/* SPDX-License-Identifier: Apache-2.0 */
/* Encoded OTLP requests that wait for their turn, bounded by bytes. */
#ifndef SONDE_EXPORT_OTLP_QUEUE_H
#define SONDE_EXPORT_OTLP_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct payload {
	struct payload *next;
	struct buf body;
	uint32_t items;			/* spans or data points in it */
};

struct otlp_queue {
	struct payload *first, *last;	/* waiting, oldest first */
	uint64_t bytes;			/* of all that were added and not freed, waiting or not */
	uint64_t max_bytes;
};

/* Takes `body` over, also when there is no memory (NULL). */
struct payload *otlp_queue_new(struct buf body, uint32_t items);

bool otlp_queue_has_room(const struct otlp_queue *queue, const struct payload *payload);
void otlp_queue_add(struct otlp_queue *queue, struct payload *payload);

/* The oldest that waits, or NULL. It still counts in `bytes`: free it or put it back. */
struct payload *otlp_queue_take(struct otlp_queue *queue);
void otlp_queue_put_back(struct otlp_queue *queue, struct payload *payload);
void otlp_queue_free(struct otlp_queue *queue, struct payload *payload);

#endif

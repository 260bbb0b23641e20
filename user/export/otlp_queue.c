/* SPDX-License-Identifier: Apache-2.0 */
/* A list of payloads and the sum of their bytes; for otlp_lane.c. */
#include "export/otlp_queue.h"

#include <stdlib.h>

struct payload *otlp_queue_new(struct buf body, uint32_t items)
{
	struct payload *payload = calloc(1, sizeof(*payload));

	if (!payload) {
		buf_done(&body);
		return NULL;
	}
	payload->body = body;
	payload->items = items;
	return payload;
}

bool otlp_queue_has_room(const struct otlp_queue *queue, const struct payload *payload)
{
	return queue->bytes + payload->body.len <= queue->max_bytes;
}

void otlp_queue_add(struct otlp_queue *queue, struct payload *payload)
{
	payload->next = NULL;
	if (queue->last)
		queue->last->next = payload;
	else
		queue->first = payload;
	queue->last = payload;
	queue->bytes += payload->body.len;
}

struct payload *otlp_queue_take(struct otlp_queue *queue)
{
	struct payload *payload = queue->first;

	if (!payload)
		return NULL;
	queue->first = payload->next;
	if (!queue->first)
		queue->last = NULL;
	payload->next = NULL;
	return payload;
}

void otlp_queue_put_back(struct otlp_queue *queue, struct payload *payload)
{
	payload->next = queue->first;
	queue->first = payload;
	if (!queue->last)
		queue->last = payload;
}

void otlp_queue_free(struct otlp_queue *queue, struct payload *payload)
{
	queue->bytes -= payload->body.len;
	buf_done(&payload->body);
	free(payload);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of pointers between exactly two threads: one puts, one takes. The taker
 * may wait for `fd` (an eventfd) in its loop; it is readable after a put until drained.
 */
#ifndef SONDE_BASE_QUEUE_H
#define SONDE_BASE_QUEUE_H

#include <stdatomic.h>
#include <stdint.h>

struct queue {
	void **items;
	uint32_t mask;			/* capacity - 1 */
	int fd;				/* eventfd, non-blocking, close-on-exec */
	_Atomic uint32_t head;		/* next to take: written by the taker */
	_Atomic uint32_t tail;		/* next to put: written by the putter */
};

/* `capacity` (1 .. 2^30) is rounded up to a power of two. Returns 0 or -errno. */
int queue_init(struct queue *queue, uint32_t capacity);

/* Items still in the queue are the caller's: take them first. */
void queue_done(struct queue *queue);

/* `item` is not NULL. Returns 0, or -ENOSPC when the queue is full: the item stays the caller's. */
int queue_put(struct queue *queue, void *item);

/* The oldest item, or NULL when there is none. */
void *queue_take(struct queue *queue);

/* Resets `fd` to not readable; call before taking until NULL. */
void queue_acknowledge(struct queue *queue);

uint32_t queue_len(const struct queue *queue);

#endif

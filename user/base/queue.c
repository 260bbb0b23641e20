/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of pointers between two threads. `head` and `tail` count up without end;
 * their difference is the length. Whoever owns an index publishes it with release and the other
 * side reads it with acquire, so an item is whole before it is seen and a slot is free before
 * it is written again.
 */
#include "base/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CAPACITY_MAX (1u << 30)

int queue_init(struct queue *queue, uint32_t capacity)
{
	uint32_t rounded = 1;
	void **items;
	int fd, r;

	if (!capacity || capacity > CAPACITY_MAX)
		return -EINVAL;
	while (rounded < capacity)
		rounded *= 2;

	items = calloc(rounded, sizeof(*items));
	if (!items)
		return -ENOMEM;
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		free(items);
		return r;
	}
	*queue = (struct queue){ .items = items, .mask = rounded - 1, .fd = fd };
	return 0;
}

void queue_done(struct queue *queue)
{
	if (!queue->items)
		return;
	close(queue->fd);
	free(queue->items);
	*queue = (struct queue){ .fd = -1 };
}

int queue_put(struct queue *queue, void *item)
{
	uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);

	if (tail - head > queue->mask)
		return -ENOSPC;
	queue->items[tail & queue->mask] = item;
	atomic_store_explicit(&queue->tail, tail + 1, memory_order_release);
	eventfd_write(queue->fd, 1);	/* fails only at its limit of 2^64 - 2: readable already */
	return 0;
}

void *queue_take(struct queue *queue)
{
	uint32_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
	void *item;

	if (head == tail)
		return NULL;
	item = queue->items[head & queue->mask];
	atomic_store_explicit(&queue->head, head + 1, memory_order_release);
	return item;
}

void queue_acknowledge(struct queue *queue)
{
	eventfd_t count;

	eventfd_read(queue->fd, &count);	/* -EAGAIN: nothing was put since */
}

uint32_t queue_len(const struct queue *queue)
{
	/* head first: it never passes the tail read after it */
	uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
	uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
	uint32_t len = tail - head;

	return len > queue->mask + 1 ? queue->mask + 1 : len;
}

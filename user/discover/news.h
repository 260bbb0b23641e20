/* SPDX-License-Identifier: Apache-2.0 */
/* News on its way to the pipeline: into its queue, or kept in order until there is room. */
#ifndef SONDE_DISCOVER_NEWS_H
#define SONDE_DISCOVER_NEWS_H

#include <stdbool.h>

#include "base/queue.h"
#include "discover/target.h"

struct letter;

struct news {
	struct queue *queue;
	struct letter *first, *last;	/* waiting, oldest first */
	uint32_t waiting;
};

void news_init(struct news *news, struct queue *queue);

/* What waits is lost. */
void news_done(struct news *news);

/* Takes one reference of `resource` over (NULL: not selected). Returns 0, or -ENOMEM: untold. */
int news_arrived(struct news *news, uint32_t tgid, uint64_t start_ns, bool by_port,
		 struct resource *resource);
int news_gone(struct news *news, uint32_t tgid, uint64_t start_ns);

/* Puts what waits. True when nothing waits any more. */
bool news_flush(struct news *news);

#endif

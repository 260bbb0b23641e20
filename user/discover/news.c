/* SPDX-License-Identifier: Apache-2.0 */
/* News to the pipeline. From events.c; the pipeline frees what it takes. */
#include "discover/news.h"

#include <errno.h>
#include <stdlib.h>

#include "model/self.h"

/* Begins with what is queued, so that free() of the news frees the letter. */
struct letter {
	struct target_news news;
	struct letter *next;
};

void news_init(struct news *news, struct queue *queue)
{
	*news = (struct news){ .queue = queue };
}

void news_done(struct news *news)
{
	while (news->first) {
		struct letter *letter = news->first;

		news->first = letter->next;
		target_free(letter->news.target);
		free(letter);
	}
	*news = (struct news){ .queue = news->queue };
}

bool news_flush(struct news *news)
{
	while (news->first) {
		struct letter *letter = news->first, *next = letter->next;

		if (queue_put(news->queue, letter) < 0)
			return false;
		news->first = next;		/* the letter is the pipeline's now */
		news->waiting--;
	}
	news->last = NULL;
	return true;
}

static void send(struct news *news, struct letter *letter)
{
	if (news->last)
		news->last->next = letter;
	else
		news->first = letter;
	news->last = letter;
	news->waiting++;
	if (!news_flush(news))
		self_add(SELF_TARGET_NEWS_DELAYED, 1);
}

int news_arrived(struct news *news, uint32_t tgid, uint64_t start_ns, bool by_port,
		 struct resource *resource)
{
	struct letter *letter = calloc(1, sizeof(*letter));
	struct target *target = calloc(1, sizeof(*target));

	if (!letter || !target) {
		free(letter);
		free(target);
		resource_unref(resource);
		return -ENOMEM;
	}
	*target = (struct target){ .tgid = tgid, .start_ns = start_ns, .selected = resource != NULL,
				   .by_port = by_port, .resource = resource };
	letter->news = (struct target_news){ .what = TARGET_ARRIVED, .target = target };
	send(news, letter);
	return 0;
}

int news_gone(struct news *news, uint32_t tgid, uint64_t start_ns)
{
	struct letter *letter = calloc(1, sizeof(*letter));

	if (!letter)
		return -ENOMEM;
	letter->news = (struct target_news){ .what = TARGET_GONE, .tgid = tgid,
					     .start_ns = start_ns };
	send(news, letter);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Pool of exchanges and the copy of a request's head into one. */
#include "pipeline/exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define TARGET_KEPT 600		/* of a path; the rest of the texts needs room too */
#define QUERY_KEPT 300

int exchange_pool_init(struct exchange_pool *pool, uint32_t max)
{
	void *at = mmap(NULL, (size_t)max * sizeof(struct exchange), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	*pool = (struct exchange_pool){ .all = at, .max = max };
	return 0;
}

void exchange_pool_done(struct exchange_pool *pool)
{
	if (pool->all)
		munmap(pool->all, (size_t)pool->max * sizeof(struct exchange));
	*pool = (struct exchange_pool){};
}

struct exchange *exchange_new(struct exchange_pool *pool)
{
	struct exchange *exchange = pool->free;

	if (exchange)
		pool->free = exchange->next;
	else if (pool->touched < pool->max)
		exchange = &pool->all[pool->touched++];
	else
		return NULL;
	memset(exchange, 0, offsetof(struct exchange, text));
	pool->used++;
	return exchange;
}

void exchange_free(struct exchange_pool *pool, struct exchange *exchange)
{
	exchange->next = pool->free;
	pool->free = exchange;
	pool->used--;
}

struct exchange *exchange_any(struct exchange_pool *pool)
{
	pool->hand = (pool->hand + 1) % pool->max;
	return &pool->all[pool->hand];
}

static void keep(struct exchange *exchange, struct bytes *text, size_t max)
{
	size_t room = EXCHANGE_TEXT_MAX - exchange->text_used;
	struct bytes cut = bytes_first(*text, max < room ? max : room);
	char *to = exchange->text + exchange->text_used;

	if (cut.len)
		memcpy(to, cut.at, cut.len);
	*text = bytes_of(to, cut.len);
	exchange->text_used += cut.len;
}

void exchange_set_request(struct exchange *exchange, const struct message *request)
{
	struct message *kept = &exchange->request;

	*kept = *request;
	exchange->text_used = 0;
	keep(exchange, &kept->operation, 32);
	keep(exchange, &kept->version, 8);
	keep(exchange, &kept->scheme, 16);
	keep(exchange, &kept->traceparent, 64);
	keep(exchange, &kept->target, TARGET_KEPT);
	keep(exchange, &kept->authority, 128);
	keep(exchange, &kept->query, QUERY_KEPT);
	keep(exchange, &kept->user_agent, 256);
	keep(exchange, &kept->forwarded_for, 64);
}

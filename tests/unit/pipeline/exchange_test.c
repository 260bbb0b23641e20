/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges: a pool with an end, and texts that are the exchange's own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/cleanup.h"
#include "pipeline/exchange.h"
#include "unit/pipeline/mallocs.h"

static void the_counter_of_allocations_counts(void **state)
{
	void *volatile at;

	mallocs_count(true);
	at = malloc(1);
	mallocs_count(false);
	free(at);
	assert_int_equal(mallocs_counted(), 1);
	assert_int_equal(mallocs_counted(), 0);
}

static void a_pool_gives_what_it_has_and_no_more(void **state)
{
	struct exchange *taken[10];
	struct exchange_pool pool;

	assert_int_equal(exchange_pool_init(&pool, 10), 0);
	mallocs_count(true);
	for (int i = 0; i < 10; i++)
		assert_non_null(taken[i] = exchange_new(&pool));
	assert_null(exchange_new(&pool));
	assert_int_equal(pool.used, 10);

	exchange_free(&pool, taken[3]);
	exchange_free(&pool, taken[7]);
	assert_int_equal(pool.used, 8);
	assert_non_null(exchange_new(&pool));
	assert_non_null(exchange_new(&pool));
	assert_null(exchange_new(&pool));
	mallocs_count(false);
	assert_int_equal(mallocs_counted(), 0);
	exchange_pool_done(&pool);
}

static void a_used_exchange_is_zeroed_when_it_is_given_again(void **state)
{
	struct exchange_pool pool;
	struct exchange *exchange;

	assert_int_equal(exchange_pool_init(&pool, 1), 0);
	exchange = exchange_new(&pool);
	memset(exchange, 0xff, sizeof(*exchange));
	exchange_free(&pool, exchange);
	exchange = exchange_new(&pool);
	for (size_t i = 0; i < offsetof(struct exchange, text); i++)
		assert_int_equal(((const uint8_t *)exchange)[i], 0);
	exchange_pool_done(&pool);
}

static struct bytes *text_of(struct message *message, size_t i)
{
	static const size_t at[] = {
		offsetof(struct message, operation), offsetof(struct message, target),
		offsetof(struct message, query), offsetof(struct message, authority),
		offsetof(struct message, scheme), offsetof(struct message, version),
		offsetof(struct message, user_agent), offsetof(struct message, traceparent),
		offsetof(struct message, forwarded_for),
	};

	return i < ARRAY_LEN(at) ? (struct bytes *)((uint8_t *)message + at[i]) : NULL;
}

static void texts_are_its_own(void **state)
{
	char source[9][8];
	struct message message = { .code = 5, .bodiless = true };
	struct exchange_pool pool;
	struct exchange *exchange;
	struct bytes *text;

	assert_int_equal(exchange_pool_init(&pool, 1), 0);
	exchange = exchange_new(&pool);
	for (size_t i = 0; (text = text_of(&message, i)); i++)
		*text = bytes_of(memset(source[i], 'a' + i, 8), 8);
	exchange_set_request(exchange, &message);
	memset(source, '!', sizeof(source));

	assert_true(exchange->request.bodiless);
	for (size_t i = 0; (text = text_of(&exchange->request, i)); i++) {
		assert_int_equal(text->len, 8);
		assert_in_range((uintptr_t)text->at, (uintptr_t)exchange->text,
				(uintptr_t)(exchange->text + EXCHANGE_TEXT_MAX - 8));
		assert_int_equal(text->at[0], 'a' + i);
		assert_int_equal(text->at[7], 'a' + i);
	}
	exchange_pool_done(&pool);
}

static void long_texts_are_cut_to_what_there_is_room_for(void **state)
{
	static char big[70000];
	struct message message = {};
	struct exchange_pool pool;
	struct exchange *exchange;
	struct bytes *text;
	size_t all = 0;

	memset(big, 'x', sizeof(big));
	assert_int_equal(exchange_pool_init(&pool, 1), 0);
	exchange = exchange_new(&pool);
	for (size_t i = 0; (text = text_of(&message, i)); i++)
		*text = bytes_of(big, sizeof(big));
	exchange_set_request(exchange, &message);

	for (size_t i = 0; (text = text_of(&exchange->request, i)); i++) {
		assert_true(text->at + text->len <= (uint8_t *)exchange->text + EXCHANGE_TEXT_MAX);
		all += text->len;
	}
	assert_int_equal(all, EXCHANGE_TEXT_MAX);
	assert_int_equal(exchange->request.traceparent.len, 64);	/* whole: it has 55 */
	assert_in_range(exchange->request.target.len, 512, EXCHANGE_TEXT_MAX);
	exchange_pool_done(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counter_of_allocations_counts),
		cmocka_unit_test(a_pool_gives_what_it_has_and_no_more),
		cmocka_unit_test(a_used_exchange_is_zeroed_when_it_is_given_again),
		cmocka_unit_test(texts_are_its_own),
		cmocka_unit_test(long_texts_are_cut_to_what_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

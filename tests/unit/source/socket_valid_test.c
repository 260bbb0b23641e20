/* SPDX-License-Identifier: Apache-2.0 */
/* Records that lie about their size, their chunks or their payload are not believed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "source/socket_valid.h"
#include "unit/pipeline/record.h"

static struct wire wire;

/* A good record of three chunks and 30 payload bytes, to be spoilt; free(). */
static struct socket_event *good(void)
{
	wire_init(&wire, 1, SOCKET_RX);
	wire_seen(&wire, SOCKET_RX, "0123456789");
	wire_call(&wire, SOCKET_TX, BYTES("0123456789ab"), 5000, BYTES("01234567"));
	wire_end(&wire, SOCKET_RX);
	return wire_take(&wire, 0);
}

static bool is_valid(const struct socket_event *event)
{
	return socket_event_valid(event, event->event.size);
}

static void what_the_kernel_writes_is_valid(void **state)
{
	struct socket_event *event = good();

	assert_true(is_valid(event));
	/* the ring rounds sizes up, and a reservation may be larger than what was used */
	assert_true(socket_event_valid(event, event->event.size + 4096));
	event->chunks = 0;
	assert_true(is_valid(event));
	free(event);
}

static void a_record_cut_anywhere_is_not(void **state)
{
	struct socket_event *whole = good();

	for (size_t size = 0; size < whole->event.size; size++) {
		struct socket_event *cut = memcpy(malloc(size + !size), whole, size);

		assert_false(socket_event_valid(cut, size));
		if (size >= sizeof(cut->event)) {	/* and says so itself */
			cut->event.size = size;
			assert_false(socket_event_valid(cut, size));
		}
		free(cut);
	}
	free(whole);
}

#define SPOILT(what) do { \
	struct socket_event *event = good(); \
	size_t size = event->event.size; \
	what; \
	assert_false(socket_event_valid(event, size)); \
	free(event); \
} while (0)

static void hostile_fields_are_not_believed(void **state)
{
	SPOILT(event->event.kind = EVENT_NONE);
	SPOILT(event->event.kind = EVENT_EXEC);
	SPOILT(event->event.size++);
	SPOILT(event->event.size = UINT32_MAX);
	SPOILT(event->event.size = 0);
	SPOILT(event->event.size = sizeof(*event) - 1);
	SPOILT(event->event.size = sizeof(*event));
	SPOILT(event->chunks = SOCKET_CHUNKS + 1);
	SPOILT(event->chunks = 255);
	SPOILT(event->request_dir = 2);
	SPOILT(event->chunk[0].dir = 2);
	SPOILT(event->chunk[2].dir = 255);
	SPOILT(event->chunk[0].len = 9);
	SPOILT(event->chunk[0].head = 11);
	SPOILT(event->chunk[0].tail = 1);
	SPOILT(event->chunk[1].head = 13);
	SPOILT(event->chunk[1].tail = 9);
	SPOILT(event->chunk[1].head = UINT16_MAX; event->chunk[1].len = UINT32_MAX);
	SPOILT(event->chunk[1].head = UINT16_MAX; event->chunk[1].tail = UINT16_MAX;
	       event->chunk[1].len = UINT32_MAX);
	SPOILT(event->chunk[2].head = 1; event->chunk[2].len = 1);
}

static void chunks_not_in_use_are_not_looked_at(void **state)
{
	struct socket_event *event = good();

	event->chunks = 2;
	event->chunk[2].dir = 77;
	event->chunk[2].head = UINT16_MAX;
	assert_true(is_valid(event));
	free(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_writes_is_valid),
		cmocka_unit_test(a_record_cut_anywhere_is_not),
		cmocka_unit_test(hostile_fields_are_not_believed),
		cmocka_unit_test(chunks_not_in_use_are_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

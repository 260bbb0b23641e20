/* SPDX-License-Identifier: Apache-2.0 */
/* The discover thread at work: events from a descriptor, a pipeline that is behind, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>

#include "unit/discover/world.h"

#define MANY 3000	/* above what may wait for the pipeline before events have to wait, too */

static struct world world;
static int ring[2];	/* a pipe: each byte is a batch of events */

static int set_up(void **state)
{
	world_make(&world, 4);
	return pipe(ring);
}

static int tear_down(void **state)
{
	world_destroy(&world);
	close(ring[0]);
	close(ring[1]);
	return 0;
}

/* Takes the next news, however long the other thread needs; a hang ends here. */
static struct target_news *next_news(void)
{
	struct pollfd pollfd = { .fd = world.news.fd, .events = POLLIN };
	struct target_news *news;

	while (!(news = queue_take(&world.news))) {
		assert_int_equal(poll(&pollfd, 1, 60 * 1000), 1);
		queue_acknowledge(&world.news);
	}
	return news;
}

static void read_ring(void *context, int fd)
{
	char batch;

	assert_int_equal(read(fd, &batch, 1), 1);
	for (uint32_t i = 0; i < (batch == 'm' ? MANY : 1); i++)
		world_exec_gone(context, 1 + i, 7, "brief", "");
}

static void start(void)
{
	world.config.targets_max = MANY;
	world_open(&world);
	assert_int_equal(discover_add_fd(world.discover, ring[0], read_ring, &world), 0);
	assert_int_equal(discover_scan(world.discover), 0);
	assert_int_equal(discover_start(world.discover), 0);
}

static void an_event_in_the_ring_becomes_news(void **state)
{
	struct target_news *news;

	start();
	assert_int_equal(write(ring[1], "1", 1), 1);
	news = next_news();
	assert_int_equal(news->what, TARGET_ARRIVED);
	assert_int_equal(news->target->tgid, 1);
	assert_true(news->target->selected);
	assert_true(bytes_equal(news->target->resource->service_name, BYTES("brief")));
	target_free(news->target);
	free(news);
}

static void no_news_is_lost_or_reordered_when_the_pipeline_is_behind(void **state)
{
	uint64_t delayed = self_get(SELF_TARGET_NEWS_DELAYED);

	start();
	assert_int_equal(write(ring[1], "m", 1), 1);
	for (uint32_t i = 0; i < MANY; i++) {
		struct target_news *news = next_news();

		assert_int_equal(news->target->tgid, 1 + i);
		target_free(news->target);
		free(news);
	}
	assert_true(self_get(SELF_TARGET_NEWS_DELAYED) > delayed);
}

static void it_ends_when_told_even_while_it_waits_for_the_pipeline(void **state)
{
	struct target_news *news;

	start();
	assert_int_equal(write(ring[1], "m", 1), 1);
	news = next_news();		/* it is at work */
	target_free(news->target);
	free(news);
	discover_stop(world.discover);
	world.discover = NULL;
}

static void the_news_of_a_scan_waits_for_the_thread(void **state)
{
	for (uint32_t tgid = 10; tgid < 30; tgid++)
		tree_add(&world.tree, &(struct proc_fixture){ .tgid = tgid, .start_ticks = tgid,
							      .exe = "/bin/web" });
	start();
	for (int i = 0; i < 20; i++) {
		struct target_news *news = next_news();

		assert_true(news->target->selected);
		target_free(news->target);
		free(news);
	}
}

static void it_can_be_stopped_unstarted(void **state)
{
	world_open(&world);
	discover_stop(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_in_the_ring_becomes_news),
		TEST(no_news_is_lost_or_reordered_when_the_pipeline_is_behind),
		TEST(it_ends_when_told_even_while_it_waits_for_the_pipeline),
		TEST(the_news_of_a_scan_waits_for_the_thread),
		TEST(it_can_be_stopped_unstarted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

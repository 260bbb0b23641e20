/* SPDX-License-Identifier: Apache-2.0 */
/* The export thread: batches in, exporters fed in turn, empty batches back. */
#include "export/export.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "export/exporter.h"
#include "export/store.h"

#define EXPORTERS_MAX 16

struct export {
	struct queue *full, *empty;
	struct loop loop;
	struct metric_store store;
	struct exporter_context context;
	void *state[EXPORTERS_MAX];	/* by place in exporters[]; NULL: not asked for */
	_Atomic bool ready;
	int stop_fd;			/* eventfd */
	uint64_t deadline_ns;		/* written before stop_fd */
	pthread_t thread;
};

static void give_back(struct export *export, struct batch *batch)
{
	batch_reset(batch);
	if (queue_put(export->empty, batch) < 0)
		batch_free(batch);
}

static void take_batches(struct export *export)
{
	struct batch *batch;

	queue_acknowledge(export->full);
	while ((batch = queue_take(export->full))) {
		store_update(&export->store, batch);
		for (int i = 0; exporters[i]; i++) {
			if (export->state[i])
				exporters[i]->export(export->state[i], batch);
		}
		give_back(export, batch);
	}
}

static void on_batch(void *context, int fd)
{
	take_batches(context);
}

static void on_stop(void *context, int fd)
{
	struct export *export = context;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == sizeof(count))
		loop_stop(&export->loop);
}

static void close_exporters(struct export *export, uint64_t deadline_ns)
{
	for (int i = 0; exporters[i]; i++) {
		if (export->state[i])
			exporters[i]->close(export->state[i], deadline_ns);
		export->state[i] = NULL;
	}
}

static void *run(void *context)
{
	struct export *export = context;
	int r = loop_run(&export->loop);

	if (r < 0)
		log_error(r, "export: the loop ended: %m: restart the agent");
	take_batches(export);
	close_exporters(export, export->deadline_ns);
	return NULL;
}

static void free_export(struct export *export)
{
	close_exporters(export, 0);
	store_done(&export->store);
	loop_done(&export->loop);
	closep(&export->stop_fd);
	free(export);
}

static void free_exportp(struct export **export)
{
	if (*export)
		free_export(*export);
}

static int open_exporters(struct export *export)
{
	int r;

	for (int i = 0; exporters[i]; i++) {
		r = exporters[i]->open(&export->context, &export->state[i]);
		if (r < 0 && r != -ENOTSUP)
			return r;
	}
	return 0;
}

static int open_export(struct export *export, const struct config *config)
{
	int r;

	export->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (export->stop_fd < 0)
		return -errno;
	r = loop_init(&export->loop);
	if (r < 0)
		return r;
	r = store_init(&export->store, config->series_max);
	if (r < 0)
		return r;
	r = loop_add(&export->loop, export->full->fd, on_batch, export);
	if (r < 0)
		return r;
	r = loop_add(&export->loop, export->stop_fd, on_stop, export);
	if (r < 0)
		return r;

	export->context = (struct exporter_context){
		.config = config, .loop = &export->loop, .store = &export->store,
		.ready = &export->ready,
	};
	return open_exporters(export);
}

/*
 * Signals are for the main thread. SIGPIPE blocked here is what makes a write to a closed pipe
 * fail with EPIPE.
 */
static int start_thread(struct export *export)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&export->thread, NULL, run, export);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return log_error(-r,
				 "export: cannot start the thread: %m: free memory or raise the "
				 "limit of processes");
	pthread_setname_np(export->thread, "sonde-export");
	return 0;
}

int export_start(const struct config *config, struct queue *full, struct queue *empty,
		 struct export **ret_export)
{
	_cleanup_(free_exportp) struct export *export = calloc(1, sizeof(*export));
	int r;

	if (!export)
		return log_error(-ENOMEM, "export: %m: free some memory");
	export->full = full;
	export->empty = empty;
	export->stop_fd = -1;
	export->loop.epoll_fd = -1;
	for (int i = 0; i < LOOP_SOURCES_MAX; i++)
		export->loop.sources[i].fd = -1;

	r = open_export(export, config);
	if (r < 0)
		return r;
	r = start_thread(export);
	if (r < 0)
		return r;

	*ret_export = TAKE_PTR(export);
	return 0;
}

void export_set_ready(struct export *export, bool ready)
{
	atomic_store_explicit(&export->ready, ready, memory_order_relaxed);
}

void export_stop(struct export *export, uint64_t deadline_ns)
{
	uint64_t one = 1;

	if (!export)
		return;
	export->deadline_ns = deadline_ns;
	if (write(export->stop_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(export->thread, NULL);
	free_export(export);
}

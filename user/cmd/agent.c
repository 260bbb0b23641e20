// SPDX-License-Identifier: Apache-2.0
/*
 * `sonde agent`: opens everything in the order of the flow, runs the pipeline's loop on the main
 * thread, and closes everything in the same order: detach, drain, seal, flush, exit.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/queue.h"
#include "cmd/cmd.h"
#include "cmd/cost.h"
#include "cmd/kernel.h"
#include "cmd/trim.h"
#include "config/config.h"
#include "discover/discover.h"
#include "export/export.h"
#include "model/batch.h"
#include "model/self.h"
#include "pipeline/pipeline.h"
#include "source/process.h"
#include "source/socket.h"
#include "source/source.h"

#define BATCHES 16			/* two in use but for bursts; the pipeline takes the warmest */
#define BATCH_SPANS 1024
#define BATCH_BYTES (32u << 20)		/* of address space: texts of the spans, copies of series */
#define NEWS_MAX 4096
#define READ_INTERVAL_NS (50 * NSEC_PER_MSEC)	/* few records wake nobody: look this often */
#define SEAL_INTERVAL_NS (200 * NSEC_PER_MSEC)	/* how old /metrics may be */
#define RECORDS_A_TURN 4096		/* then the timers get theirs */
#define NICE -5
#define FLUSH_NS (5 * NSEC_PER_SEC)

struct agent {
	struct config config;
	struct loop loop;
	struct queue news, full, empty;
	struct export *export;
	struct discover *discover;
	struct pipeline *pipeline;
	void *process, *socket;		/* states of the sources */
};

/* --- flow -------------------------------------------------------------------------------------- */

static void on_record(void *context, const struct socket_event *event, struct bytes payload)
{
	pipeline_record(context, event, payload);
}

static void read_ring(void *context, int fd)
{
	struct agent *agent = context;

	pipeline_news(agent->pipeline);
	socket_source_consume(agent->socket, RECORDS_A_TURN, on_record, agent->pipeline);
}

static void on_news(void *context, int fd)
{
	struct agent *agent = context;

	pipeline_news(agent->pipeline);
}

static void on_tick(void *context, int fd)
{
	struct agent *agent = context;

	cost_read(agent->process, agent->socket);
	pipeline_tick(agent->pipeline);
}

static void on_seal(void *context, int fd)
{
	struct agent *agent = context;

	pipeline_seal(agent->pipeline);
}

static void on_signal(void *context, int signal)
{
	struct agent *agent = context;

	log_debug("signal %d: stopping", signal);
	loop_stop(&agent->loop);
}

static void on_ignore(void *context, uint64_t conn)
{
	struct agent *agent = context;

	if (agent->socket)
		socket_source_ignore(agent->socket, conn);
}

static void on_process(void *context, const struct process_event *event)
{
	discover_event(context, event);
}

/* On the discover thread. */
static void read_control_ring(void *context, int fd)
{
	struct agent *agent = context;

	process_source_consume(agent->process, on_process, agent->discover);
}

static int set_target(void *context, uint32_t tgid, const struct target_entry *entry)
{
	struct agent *agent = context;

	return process_source_watch(agent->process, tgid, entry);
}

static int clear_target(void *context, uint32_t tgid)
{
	struct agent *agent = context;

	return process_source_unwatch(agent->process, tgid);
}

/* --- opening, in the order of the flow backwards: nothing may find its successor missing ------------- */

static int open_queues(struct agent *agent)
{
	int r = queue_init(&agent->news, NEWS_MAX);

	if (r >= 0)
		r = queue_init(&agent->full, BATCHES);
	if (r >= 0)
		r = queue_init(&agent->empty, BATCHES);
	for (int i = 0; r >= 0 && i < BATCHES; i++) {
		struct batch *batch = batch_new(BATCH_SPANS, BATCH_BYTES);

		r = batch ? queue_put(&agent->empty, batch) : -ENOMEM;
	}
	return r;
}

static int open_loop(struct agent *agent)
{
	sigset_t signals;
	int r = loop_init(&agent->loop);

	if (r < 0)
		return r;
	signal(SIGPIPE, SIG_IGN);	/* a write to a closed pipe is an error like any other */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	return loop_add_signals(&agent->loop, &signals, on_signal, agent);
}

static int open_pipeline(struct agent *agent)
{
	struct pipeline_io io = {
		.news = &agent->news, .full = &agent->full, .empty = &agent->empty,
		.ignore = on_ignore, .context = agent,
	};

	return pipeline_new(&agent->config, &io, &agent->pipeline);
}

/* Opens one source; says which choice was taken, and why not a better one. */
static int open_source(struct agent *agent, const struct source *source, void **ret_state)
{
	struct choice_result results[CHOICES_MAX];
	int r = source_open(source, &agent->config, source_forced(source, &agent->config), ret_state,
			    results);

	for (unsigned i = 0; source->choices[i].name; i++)
		if (results[i].error && results[i].error != -ECANCELED)
			log_warn(results[i].error, "source %s: choice %s: %s", source->name,
				 source->choices[i].name, results[i].why);
	if (r < 0)
		return log_error(r, "source %s: no choice works here: nothing can be seen: "
				    "`sonde doctor` says what is missing", source->name);
	log_info("source %s: choice %s", source->name, source->choices[r].name);
	return 0;
}

static int open_discover(struct agent *agent)
{
	struct discover_io io = {
		.set_target = set_target, .clear_target = clear_target, .context = agent,
	};
	int r = discover_open(&agent->config, &io, &agent->news, &agent->discover);

	if (r < 0)
		return r;
	if (agent->config.select == SELECT_AUTO)
		agent->config.select =
			discover_contained(agent->discover) ? SELECT_CONTAINERS : SELECT_ALL;
	return 0;
}

/* The control ring is attached first: who comes during the scan is in it by then. */
static int open_process_source(struct agent *agent)
{
	int r = open_source(agent, &process_source, &agent->process);

	if (r >= 0)
		r = discover_add_fd(agent->discover, process_source_fd(agent->process),
				    read_control_ring, agent);
	if (r >= 0)
		r = discover_scan(agent->discover);
	return r;
}

static int open_sources(struct agent *agent)
{
	int r;

	source_quiet_libbpf();
	r = open_discover(agent);
	if (r >= 0)
		r = open_process_source(agent);
	if (r < 0)
		return r;
	/* before the other source, whose loading takes as long as a busy node needs to fill the ring */
	r = discover_start(agent->discover);
	if (r < 0)
		return r;
	socket_source_share(agent->process);
	return open_source(agent, &socket_source, &agent->socket);
}

static int open_timers(struct agent *agent)
{
	int r = loop_add(&agent->loop, socket_source_fd(agent->socket), read_ring, agent);

	if (r >= 0)
		r = loop_add(&agent->loop, agent->news.fd, on_news, agent);
	if (r >= 0)
		r = loop_add_timer(&agent->loop, READ_INTERVAL_NS, read_ring, agent);
	if (r >= 0)
		r = loop_add_timer(&agent->loop, SEAL_INTERVAL_NS, on_seal, agent);
	if (r >= 0)
		r = loop_add_timer(&agent->loop, NSEC_PER_SEC, on_tick, agent);
	return r;
}

static int agent_open(struct agent *agent)
{
	int r = open_loop(agent);

	if (r >= 0)
		r = open_queues(agent);
	if (r < 0)
		return log_error(r, "agent: start: %m");
	r = export_start(&agent->config, &agent->full, &agent->empty, &agent->export);
	if (r < 0)
		return r;		/* it has said why */
	r = open_pipeline(agent);
	if (r < 0)
		return log_error(r, "agent: tables: %m: lower connections_max, series_max, targets_max");
	r = open_sources(agent);
	if (r < 0)
		return r;		/* it has said why */
	r = open_timers(agent);
	if (r < 0)
		return log_error(r, "agent: start: %m");
	cost_read(agent->process, agent->socket);
	trim_memory();
	export_set_ready(agent->export, true);
	return 0;
}

/* --- closing: detach, drain, seal, flush -------------------------------------------------------------- */

static void agent_drain(struct agent *agent, uint64_t deadline_ns)
{
	if (!agent->socket)
		return;
	socket_source_detach(agent->socket);
	pipeline_news(agent->pipeline);
	while (socket_source_consume(agent->socket, RECORDS_A_TURN, on_record, agent->pipeline) ==
	       RECORDS_A_TURN)
		;
	cost_read(agent->process, agent->socket);
	pipeline_drain(agent->pipeline, deadline_ns);
}

static void agent_close(struct agent *agent)
{
	uint64_t deadline_ns = clock_monotonic_ns() + FLUSH_NS;
	struct batch *batch;

	agent_drain(agent, deadline_ns);
	discover_stop(agent->discover);
	if (agent->export)
		export_stop(agent->export, deadline_ns);
	pipeline_free(agent->pipeline);
	socket_source.close(agent->socket);
	process_source.close(agent->process);
	while (agent->empty.items && (batch = queue_take(&agent->empty)))
		batch_free(batch);
	queue_done(&agent->empty);
	queue_done(&agent->full);
	queue_done(&agent->news);
	loop_done(&agent->loop);
}

static int run(struct config *config)
{
	struct agent agent = { .config = *config };
	int r;

	/* it needs little, but soon: a saturated node must not fill the ring; no right to it, no harm */
	setpriority(PRIO_PROCESS, 0, NICE);
	r = agent_open(&agent);
	if (r >= 0)
		r = loop_run(&agent.loop);
	agent_close(&agent);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

int agent_main(int argc, char **argv)
{
	_cleanup_(config_done) struct config config;
	char why[KERNEL_WHY_SIZE];
	bool help = false;

	config_init(&config);
	if (config_from_arguments(&config, argc, argv, stderr, &help) < 0)
		return EXIT_USAGE;
	if (help) {
		config_print_help(stdout);
		return EXIT_DONE;
	}
	if (config_check(&config, stderr) < 0)
		return EXIT_USAGE;
	log_set_level(config.log_level);
	if (kernel_supported(why, sizeof(why)) < 0) {
		log_error(-EOPNOTSUPP, "%s", why);
		return EXIT_UNSUPPORTED;
	}
	return run(&config);
}

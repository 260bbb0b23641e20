/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sonde's own signals, `sonde_*`: what it saw, refused, lost and costs. One table; every
 * number is a relaxed atomic, written by one thread and read by the export thread. The
 * table is what /metrics, OTLP and docs/metrics.md walk.
 */
#ifndef SONDE_MODEL_SELF_H
#define SONDE_MODEL_SELF_H

#include <stdatomic.h>
#include <stdint.h>

enum self_kind { SELF_COUNTER, SELF_GAUGE };

/*
 * X(id, kind, name without `sonde_` and unit suffix rules of Prometheus applied, label=value or "", help)
 * Rows of one name stand together and differ in their label; help is the first row's.
 */
#define SELF_TABLE(X) \
	X(EVENTS_EXEC, COUNTER, "events_total", "kind=\"exec\"", "Events read from the kernel's rings, by kind.") \
	X(EVENTS_FORK, COUNTER, "events_total", "kind=\"fork\"", "") \
	X(EVENTS_EXIT, COUNTER, "events_total", "kind=\"exit\"", "") \
	X(EVENTS_SOCKET, COUNTER, "events_total", "kind=\"socket\"", "") \
	X(EVENTS_MALFORMED, COUNTER, "events_total", "kind=\"malformed\"", "") \
	X(EVENTS_MALFORMED_CONTROL, COUNTER, "events_total", "kind=\"malformed_control\"", "") \
	X(DROP_RING_DATA, COUNTER, "events_dropped_total", "reason=\"data_ring_full\"", \
	  "Events the kernel side could not deliver, by reason. Each is at least one request not counted.") \
	X(DROP_RING_CONTROL, COUNTER, "events_dropped_total", "reason=\"control_ring_full\"", "") \
	X(DROP_CONN_FULL, COUNTER, "events_dropped_total", "reason=\"connection_table_full\"", "") \
	X(DROP_TARGET_FULL, COUNTER, "events_dropped_total", "reason=\"target_table_full\"", "") \
	X(DROP_MISSED, COUNTER, "events_dropped_total", "reason=\"program_missed\"", "") \
	X(FAULTS, COUNTER, "payload_faults_total", "", "Calls whose bytes could not be read from the process's memory (page not present); counted and timed all the same.") \
	X(UNREADABLE, COUNTER, "payload_unreadable_total", "", "Calls whose bytes the chosen hook cannot reach (io_uring, sendfile, splice); counted and timed all the same.") \
	X(CONTENDED, COUNTER, "records_contended_total", "", "Records written at once because two CPUs met on one connection; nothing is lost.") \
	X(UNSEEN_BYTES, COUNTER, "stream_unseen_bytes_total", "", "Bytes known to have passed on watched connections outside any call that was seen.") \
	X(CONNECTIONS, GAUGE, "connections", "", "Connections with state in the agent.") \
	X(CONNECTIONS_MAX, GAUGE, "connections_max", "", "Most connections the agent keeps state for; beyond it the longest idle is evicted.") \
	X(CONNECTIONS_EVICTED, COUNTER, "connections_evicted_total", "", "Connections whose state was given up for another.") \
	X(EXCHANGES_SERVER, COUNTER, "exchanges_total", "role=\"server\"", "Requests matched with their response (or their end), by role.") \
	X(EXCHANGES_CLIENT, COUNTER, "exchanges_total", "role=\"client\"", "") \
	X(UNMATCHED_RESPONSES, COUNTER, "responses_unmatched_total", "", "Responses whose request was not seen: it came before the agent, or its record was lost.") \
	X(UNANSWERED, COUNTER, "requests_unanswered_total", "", "Requests whose connection ended, or was lost, before a response was seen; counted with error.type.") \
	X(RESYNCS, COUNTER, "stream_resyncs_total", "", "Times a stream was read on from the next recognised head because bytes between were not seen or made no sense.") \
	X(HEADS_CUT, COUNTER, "heads_cut_total", "", "Message heads longer than what was copied: counted, with what was readable.") \
	X(NOT_HTTP, COUNTER, "streams_not_recognised_total", "", "Connections that began like a protocol known here, were not, and are not read further; those that never looked like one are not counted.") \
	X(UPGRADED, COUNTER, "connections_upgraded_total", "", "Connections that switched protocols (WebSocket, h2c) and are not read further.") \
	X(PENDING_REFUSED, COUNTER, "pipeline_refused_total", "what=\"pending_request\"", "Things turned away because a table or buffer was at its maximum.") \
	X(HEAD_BUFFERS_REFUSED, COUNTER, "pipeline_refused_total", "what=\"head_buffer\"", "") \
	X(PROCESSES_REFUSED, COUNTER, "pipeline_refused_total", "what=\"process\"", "") \
	X(TARGETS_UNKNOWN, COUNTER, "exchanges_of_unknown_process_total", "", "Requests of a process that was gone before anything could be learned of it; counted as service unknown_service.") \
	X(UNSELECTED, COUNTER, "exchanges_unselected_total", "", "Requests of processes watched provisionally and then found not selected; not exported.") \
	X(SERIES, GAUGE, "series", "", "Time series groups held.") \
	X(SERIES_MAX, GAUGE, "series_max", "", "Most time series groups held; beyond it requests count in the overflow series.") \
	X(SERIES_OVERFLOWED, COUNTER, "series_overflowed_total", "", "Requests counted in the overflow series (otel_metric_overflow=\"true\").") \
	X(SERIES_EXPIRED, COUNTER, "series_expired_total", "", "Series forgotten because nothing came for them for metrics.expire.") \
	X(ROUTES_REFUSED, COUNTER, "routes_refused_total", "", "Requests whose path found no room in the route table of their service: route `/**`.") \
	X(SPANS, COUNTER, "spans_total", "", "Spans made.") \
	X(SPANS_UNSAMPLED, COUNTER, "spans_unsampled_total", "", "Requests without a span by the sampler's decision.") \
	X(SPANS_DROPPED, COUNTER, "spans_dropped_total", "reason=\"batch_full\"", "Spans lost, by reason.") \
	X(SPANS_DROPPED_QUEUE, COUNTER, "spans_dropped_total", "reason=\"export_queue_full\"", "") \
	X(SPANS_DROPPED_REJECTED, COUNTER, "spans_dropped_total", "reason=\"rejected\"", "") \
	X(SPANS_DROPPED_EXPIRED, COUNTER, "spans_dropped_total", "reason=\"retries_exhausted\"", "") \
	X(TARGETS, GAUGE, "targets", "", "Processes watched.") \
	X(TARGETS_MAX, GAUGE, "targets_max", "", "Most processes watched at a time.") \
	X(TARGETS_REFUSED, COUNTER, "targets_refused_total", "", "Processes not watched because a table was full.") \
	X(TARGET_NEWS_DELAYED, COUNTER, "target_news_delayed_total", "", "Times news of a process waited because the pipeline was behind; nothing is lost.") \
	X(ATTRIBUTES_REFUSED, COUNTER, "resource_attributes_refused_total", "", "Resource attributes of a process left out because it had more than are kept.") \
	X(SEALS_DELAYED, COUNTER, "seals_delayed_total", "", "Times the exporters were behind and metrics waited for the next seal; nothing is lost.") \
	X(EXPORT_OTLP_METRICS_OK, COUNTER, "export_requests_total", "exporter=\"otlp\",signal=\"metrics\",result=\"ok\"", "Export requests by result. partial: the receiver took only some.") \
	X(EXPORT_OTLP_METRICS_PARTIAL, COUNTER, "export_requests_total", "exporter=\"otlp\",signal=\"metrics\",result=\"partial\"", "") \
	X(EXPORT_OTLP_METRICS_RETRY, COUNTER, "export_requests_total", "exporter=\"otlp\",signal=\"metrics\",result=\"retry\"", "") \
	X(EXPORT_OTLP_METRICS_FAILED, COUNTER, "export_requests_total", "exporter=\"otlp\",signal=\"metrics\",result=\"failed\"", "") \
	X(EXPORT_OTLP_SPANS_OK, COUNTER, "export_requests_total", "exporter=\"otlp\",signal=\"traces\",result=\"ok\"", "") \
	X(EXPORT_OTLP_SPANS_PARTIAL, COUNTER, "export_requests_total", "exporter=\"otlp\",signal=\"traces\",result=\"partial\"", "") \
	X(EXPORT_OTLP_SPANS_RETRY, COUNTER, "export_requests_total", "exporter=\"otlp\",signal=\"traces\",result=\"retry\"", "") \
	X(EXPORT_OTLP_SPANS_FAILED, COUNTER, "export_requests_total", "exporter=\"otlp\",signal=\"traces\",result=\"failed\"", "") \
	X(EXPORT_QUEUE_BYTES, GAUGE, "export_queue_bytes", "", "Encoded spans waiting to be sent.") \
	X(EXPORT_QUEUE_MAX_BYTES, GAUGE, "export_queue_max_bytes", "", "Most of them; beyond it the oldest are dropped and counted.") \
	X(SCRAPES, COUNTER, "scrapes_total", "", "Requests to /metrics answered.") \
	X(SCRAPES_FAILED, COUNTER, "scrapes_failed_total", "", "Requests to /metrics answered with an error: the text would pass its maximum, or no memory.") \
	X(PRINT_FAILED, COUNTER, "print_failed_total", "", "Lines --print could not write (pipe closed, disk full).") \
	X(CPU_NS, COUNTER, "cpu_seconds_total", "", "CPU time of the agent, user and system.") \
	X(RSS_BYTES, GAUGE, "resident_memory_bytes", "", "Resident memory of the agent.") \
	X(BPF_MAP_BYTES, GAUGE, "bpf_map_bytes", "", "Kernel memory of the agent's BPF maps, state of connections included.") \
	X(BPF_RUN_NS, COUNTER, "bpf_run_seconds_total", "", "Time spent in the agent's BPF programs; 0 unless kernel.bpf_stats_enabled.") \
	X(BPF_RUNS, COUNTER, "bpf_runs_total", "", "Runs of the agent's BPF programs; 0 unless kernel.bpf_stats_enabled.")

enum self_id {
#define X(id, kind, name, label, help) SELF_##id,
	SELF_TABLE(X)
#undef X
	SELF_MAX
};

struct self_row {
	enum self_kind kind;
	const char *name;	/* without `sonde_` */
	const char *label;	/* Prometheus form: key="value", ...; "" for none */
	const char *help;	/* "" in all but the first row of a name */
	double scale;		/* multiply the number by this: 1e-9 for *_seconds_total */
};

extern const struct self_row self_rows[SELF_MAX];
extern _Atomic uint64_t self_values[SELF_MAX];

/* By the one thread that owns the number. */
static inline void self_add(enum self_id id, uint64_t n)
{
	uint64_t now = atomic_load_explicit(&self_values[id], memory_order_relaxed);

	atomic_store_explicit(&self_values[id], now + n, memory_order_relaxed);
}

static inline void self_set(enum self_id id, uint64_t value)
{
	atomic_store_explicit(&self_values[id], value, memory_order_relaxed);
}

static inline uint64_t self_get(enum self_id id)
{
	return atomic_load_explicit(&self_values[id], memory_order_relaxed);
}

#endif

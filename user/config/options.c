/* SPDX-License-Identifier: Apache-2.0 */
/* THE table of options; options.h says what a row is. Look-ups over it are in lookup.c. */
#include "config/options.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "config/config.h"
#include "config/value.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR (60 * MINUTE)

#define FIELD(name) .offset = offsetof(struct config, name)
#define NAMES(...) .values = (const char *const[]){ __VA_ARGS__, NULL }

#define GLOB_HELP " `*` is any run of characters, / included, `?` one, `[a-z]` one of a set."
#define OTLP_SPEC " Defined by the OpenTelemetry protocol exporter specification."
#define SDK_SPEC " Defined by the OpenTelemetry SDK environment variable specification."
#define PROTOCOL_CURE \
	"only http/protobuf is supported: set it to http/protobuf, or leave it out, and point " \
	"the endpoint at the collector's OTLP/HTTP port, usually 4318"

/* What the OTLP exporter specification lets one signal have of its own. */
#define OTLP_SIGNAL_ROWS(signal, SIGNAL, path, what) \
	{ "otlp." #signal ".endpoint", "OTEL_EXPORTER_OTLP_" SIGNAL "_ENDPOINT", \
	  .flag = "--otlp-" #signal, .type = OPTION_TEXT, FIELD(otlp_##signal##_endpoint), \
	  .argument = "URL", .example = "http://localhost:4318" path, .wrong = url_wrong, \
	  .cure = "write it as in http://localhost:4318" path, \
	  .help = "Whole URL for " what ", used as it is, instead of otlp.endpoint." OTLP_SPEC }, \
	{ "otlp." #signal ".protocol", "OTEL_EXPORTER_OTLP_" SIGNAL "_PROTOCOL", \
	  .type = OPTION_ENUM, FIELD(otlp_##signal##_protocol), .preset = "http/protobuf", \
	  NAMES("http/protobuf"), .cure = PROTOCOL_CURE, \
	  .help = "Transport for " what "." OTLP_SPEC }, \
	{ "otlp." #signal ".headers", "OTEL_EXPORTER_OTLP_" SIGNAL "_HEADERS", \
	  .type = OPTION_PAIRS, FIELD(otlp_##signal##_headers), .example = "x-scope-orgid=demo", \
	  .wrong = header_wrong, \
	  .help = "HTTP headers sent with " what ", instead of otlp.headers." OTLP_SPEC }, \
	{ "otlp." #signal ".timeout", "OTEL_EXPORTER_OTLP_" SIGNAL "_TIMEOUT", \
	  .type = OPTION_DURATION, FIELD(otlp_##signal##_timeout_ns), .example = "10s", \
	  .min = NSEC_PER_MSEC, .max = 10 * MINUTE, \
	  .help = "Longest time one request with " what " may take, instead of otlp.timeout." \
		  OTLP_SPEC }, \
	{ "otlp." #signal ".compression", "OTEL_EXPORTER_OTLP_" SIGNAL "_COMPRESSION", \
	  .type = OPTION_ENUM, FIELD(otlp_##signal##_compression), .preset = "inherit", \
	  NAMES("none", "gzip", "inherit"), \
	  .help = "Compression of " what "; inherit: as otlp.compression." OTLP_SPEC }, \
	{ "otlp." #signal ".certificate", "OTEL_EXPORTER_OTLP_" SIGNAL "_CERTIFICATE", \
	  .type = OPTION_TEXT, FIELD(otlp_##signal##_certificate), .argument = "FILE", \
	  .example = "/etc/ssl/certs/collector.pem", \
	  .help = "PEM file with the certificate authorities trusted for " what \
		  ", instead of otlp.certificate." OTLP_SPEC }

const struct config_option config_options[] = {
	{ .flag = "--config", .short_flag = 'c', .type = OPTION_FILE, .argument = "FILE",
	  .help = "YAML file to read, at most 1 MiB; sonde.conf(5) has its keys. Flags win over "
		  "the file, the file over OTEL_* variables. No file is read without this flag." },
	{ .flag = "--help", .short_flag = 'h', .type = OPTION_HELP,
	  .help = "Prints these options and exits." },

	/* Selection: the lists are OR-ed */
	{ "select.mode", NULL, "--select", .type = OPTION_ENUM, FIELD(select), .preset = "auto",
	  NAMES("auto", "containers", "all"),
	  .help = "What is watched when no list of this section selects anything. containers: "
		  "every process in a container; all: every process but Sonde; auto: containers if "
		  "the agent itself runs in one, else all." },
	{ "select.executables", NULL, "--exe", .type = OPTION_LIST, FIELD(executables),
	  .argument = "GLOB", .example = "*/hello-server",
	  .help = "Watches processes whose executable's path or base name matches." GLOB_HELP
		  " The lists of this section are OR-ed." },
	{ "select.ports", NULL, "--port", .type = OPTION_NUMBERS, FIELD(ports), .min = 1,
	  .max = 65535, .argument = "N", .example = "8080",
	  .help = "Watches connections whose server side has this TCP port: processes that serve "
		  "there, and those that call it." },
	{ "select.pids", NULL, "--pid", .type = OPTION_NUMBERS, FIELD(pids), .min = 1,
	  .max = 4194304, .argument = "N", .example = "1234",
	  .help = "Watches this process, by its id as the agent's own pid namespace has it, and its "
		  "descendants. Upper bound: the kernel's own (PID_MAX_LIMIT)." },
	{ "select.containers", NULL, "--container", .type = OPTION_LIST, FIELD(containers),
	  .argument = "GLOB", .example = "3f4e*",
	  .help = "Watches the processes of containers whose id (64 hexadecimal digits) matches."
		  GLOB_HELP },
	{ "select.exclude_executables", NULL, "--exclude-exe", .type = OPTION_LIST,
	  FIELD(exclude_executables), .argument = "GLOB", .example = "*/kubelet",
	  .help = "Never watches processes whose executable's path or base name matches; wins over "
		  "every selection." GLOB_HELP },

	/* What is loaded into the kernel, and how much the agent keeps */
	{ "sources.socket_hook", NULL, "--socket-hook", .type = OPTION_ENUM, FIELD(socket_hook),
	  .preset = "auto", NAMES("auto", "sock-length", "fentry", "kprobe", "syscall"),
	  .help = "How calls on sockets are seen: auto tries the others in this order and keeps "
		  "the first that works. sock-length: tracepoints of Linux 6.3 and later; fentry: "
		  "needs BPF trampolines; kprobe: needs kprobes; syscall: works anywhere, but "
		  "every process of the node pays for it. `sonde doctor` shows what was chosen and "
		  "why." },
	{ "sources.ring_bytes", NULL, "--ring-bytes", .type = OPTION_BYTES, FIELD(ring_bytes),
	  .min = 256 * KIB, .max = 256 * MIB, .preset = "2M", .argument = "SIZE",
	  .wrong = power_of_two_wrong,
	  .help = "Bytes of the ring through which the kernel hands over requests, a power of two. "
		  "What finds it full is lost and counted in "
		  "sonde_events_dropped_total{reason=\"data_ring_full\"}." },
	{ "sources.targets_max", NULL, "--targets-max", .type = OPTION_U32, FIELD(targets_max),
	  .min = 64, .max = 1048576, .preset = "16384",
	  .help = "Most processes watched at a time. Those beyond it are counted in "
		  "sonde_targets_refused_total." },
	{ "sources.connections_max", NULL, "--connections-max", .type = OPTION_U32,
	  FIELD(connections_max), .min = 256, .max = 4194304, .preset = "16384",
	  .help = "Most connections the agent keeps state for. Beyond it the longest idle one is "
		  "given up, counted in sonde_connections_evicted_total." },

	/* Names */
	{ "resource.service_name", NULL, "--service-name", .type = OPTION_TEXT, FIELD(service_name),
	  .argument = "NAME", .example = "shop",
	  .help = "service.name of watched processes that have no OTEL_SERVICE_NAME in their own "
		  "environment; otherwise it is made from the container, the workload or the "
		  "executable. OTEL_SERVICE_NAME of the agent itself has no effect." },
	{ "resource.attributes", "OTEL_RESOURCE_ATTRIBUTES", "--resource-attribute",
	  .type = OPTION_PAIRS, FIELD(resource_attributes), .argument = "KEY=VALUE",
	  .example = "deployment.environment.name=test",
	  .help = "Resource attributes added to everything that is exported. In the variable: a "
		  "comma separated list, percent-encoded. Defined by the OpenTelemetry resource "
		  "SDK specification." },
	{ "routes.patterns", NULL, "--route", .type = OPTION_LIST, FIELD(routes),
	  .argument = "PATTERN", .example = "/users/{id}", .wrong = pattern_wrong,
	  .cure = "write it as in /users/{id}, /users/:id, /static/* or /files/**",
	  .help = "Routes (http.route), the first that matches a path wins. {name}, :name and * "
		  "stand for one segment or, but for :name, a part of it; ** at the end for the "
		  "rest." },
	{ "routes.heuristic", NULL, "--route-heuristic", .type = OPTION_BOOL,
	  FIELD(route_heuristic), .preset = "true",
	  .help = "Whether paths that match no pattern get a route made from the path, with parts "
		  "that look like ids replaced. false: their route is /**." },
	{ "routes.max", NULL, "--routes-max", .type = OPTION_U32, FIELD(routes_max), .min = 1,
	  .max = 100000, .preset = "200",
	  .help = "Most distinct routes made from paths, for each service. Paths beyond it get "
		  "/**, counted in sonde_routes_refused_total." },

	/* Metrics */
	{ "metrics.listen", NULL, "--listen", .type = OPTION_TEXT, FIELD(listen), .preset = ":9464",
	  .argument = "ADDR:PORT", .wrong = listen_wrong,
	  .cure = "write it as in :9464, 127.0.0.1:9464 or [::1]:9464, or \"\" for none",
	  .help = "Where /metrics (Prometheus text and OpenMetrics), /healthz and /readyz are "
		  "served. No address: all, IPv4 and IPv6. Empty: nothing is served." },
	{ "metrics.series_max", NULL, "--series-max", .type = OPTION_U32, FIELD(series_max),
	  .min = 16, .max = 1000000, .preset = "5000",
	  .help = "Most time series groups (one combination of attributes, with all its "
		  "histograms). Requests beyond it count in one series with "
		  "otel_metric_overflow=\"true\". One service gets three quarters at most." },
	{ "metrics.expire", NULL, "--series-expire", .type = OPTION_DURATION,
	  FIELD(series_expire_ns), .min = NSEC_PER_SEC, .max = 24 * HOUR, .preset = "5m",
	  .help = "A time series for which nothing came for so long is forgotten." },
	{ "metrics.interval", "OTEL_METRIC_EXPORT_INTERVAL", "--metric-interval",
	  .type = OPTION_DURATION, FIELD(metric_interval_ns), .min = 100 * NSEC_PER_MSEC,
	  .max = HOUR, .preset = "60s",
	  .help = "Time between two exports of metrics over OTLP." SDK_SPEC },
	{ "metrics.histogram", "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
	  "--otlp-histogram", .type = OPTION_ENUM, FIELD(histogram),
	  .preset = "explicit_bucket_histogram",
	  NAMES("explicit_bucket_histogram", "base2_exponential_bucket_histogram"),
	  .help = "Form of duration histograms sent over OTLP." OTLP_SPEC },

	/* Spans */
	{ "spans.sampler", "OTEL_TRACES_SAMPLER", "--sampler", .type = OPTION_ENUM, FIELD(sampler),
	  .preset = "parentbased_always_on",
	  NAMES("always_on", "always_off", "traceidratio", "parentbased_always_on",
		"parentbased_always_off", "parentbased_traceidratio"),
	  .help = "Which requests become spans. parentbased: as the incoming traceparent says, and "
		  "the rest of the name where there is none. Metrics count every "
		  "request." SDK_SPEC },
	{ "spans.ratio", "OTEL_TRACES_SAMPLER_ARG", "--sample-ratio", .type = OPTION_RATIO,
	  FIELD(sampler_ratio), .min = 0, .max = 1, .preset = "1.0",
	  .help = "Share of traces that the traceidratio samplers keep." SDK_SPEC },
	{ "spans.redact", NULL, "--redact", .type = OPTION_TEXT, FIELD(redact), .argument = "KEYS",
	  .wrong = keys_wrong,
	  .preset = "AWSAccessKeyId,Signature,sig,X-Goog-Signature,X-Amz-Signature,"
		    "X-Amz-Credential,X-Amz-Security-Token,access_token,refresh_token,id_token,"
		    "token,api_key,apikey,key,password,passwd,pwd,secret,client_secret,code,"
		    "auth,session",
	  .help = "Query keys, separated by commas, whose values are exported as REDACTED; at most "
		  "64, of at most 64 bytes each, in any letter case. The first four of the default "
		  "are those of the OpenTelemetry HTTP conventions (url.query)." },

	/* OTLP */
	{ "otlp.endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", "--otlp", .type = OPTION_TEXT,
	  FIELD(otlp_endpoint), .argument = "URL", .example = "http://localhost:4318",
	  .wrong = url_wrong, .cure = "write it as in http://localhost:4318",
	  .help = "Base URL of an OTLP/HTTP receiver; v1/traces and v1/metrics are appended. Not "
		  "set: nothing is sent." OTLP_SPEC },
	{ "otlp.protocol", "OTEL_EXPORTER_OTLP_PROTOCOL", "--otlp-protocol", .type = OPTION_ENUM,
	  FIELD(otlp_protocol), .preset = "http/protobuf", NAMES("http/protobuf"),
	  .cure = PROTOCOL_CURE, .help = "Transport of OTLP." OTLP_SPEC },
	{ "otlp.headers", "OTEL_EXPORTER_OTLP_HEADERS", "--otlp-header", .type = OPTION_PAIRS,
	  FIELD(otlp_headers), .argument = "NAME=VALUE", .example = "authorization=Bearer abc",
	  .wrong = header_wrong,
	  .help = "HTTP headers sent with every OTLP request. In the variable: a comma separated "
		  "list, percent-encoded. Other users of the machine can read flags: put secrets "
		  "into the file." OTLP_SPEC },
	{ "otlp.timeout", "OTEL_EXPORTER_OTLP_TIMEOUT", "--otlp-timeout", .type = OPTION_DURATION,
	  FIELD(otlp_timeout_ns), .min = NSEC_PER_MSEC, .max = 10 * MINUTE, .preset = "10s",
	  .help = "Longest time one OTLP request may take." OTLP_SPEC },
	{ "otlp.compression", "OTEL_EXPORTER_OTLP_COMPRESSION", "--otlp-compression",
	  .type = OPTION_ENUM, FIELD(otlp_compression), .preset = "none", NAMES("none", "gzip"),
	  .help = "Compression of OTLP requests." OTLP_SPEC },
	{ "otlp.certificate", "OTEL_EXPORTER_OTLP_CERTIFICATE", "--otlp-certificate",
	  .type = OPTION_TEXT, FIELD(otlp_certificate), .argument = "FILE",
	  .example = "/etc/ssl/certs/collector.pem",
	  .help = "PEM file with the certificate authorities trusted for https endpoints. Not set: "
		  "those of the system." OTLP_SPEC },
	{ "otlp.queue_bytes", NULL, "--otlp-queue-bytes", .type = OPTION_BYTES,
	  FIELD(otlp_queue_bytes), .min = 64 * KIB, .max = GIB, .preset = "8M", .argument = "SIZE",
	  .help = "Bytes of encoded spans kept while the endpoint is away. Beyond it the oldest "
		  "are dropped, counted in sonde_spans_dropped_total." },
	OTLP_SIGNAL_ROWS(traces, "TRACES", "/v1/traces", "spans"),
	OTLP_SIGNAL_ROWS(metrics, "METRICS", "/v1/metrics", "metrics"),

	/* What the agent itself says */
	{ "print", NULL, "--print", .type = OPTION_ENUM, FIELD(print), .preset = "none",
	  NAMES("none", "text", "json"),
	  .help = "Prints every request to standard output: a line of text, or one JSON object a "
		  "line." },
	{ "log_level", NULL, "--log-level", .type = OPTION_ENUM, FIELD(log_level), .preset = "info",
	  NAMES("error", "warn", "info", "debug"),
	  .help = "The least severe messages shown on standard error." },
	{ 0 },
};

_Static_assert(ARRAY_LEN(config_options) <= OPTIONS_MAX, "readers keep one bit for each row");
_Static_assert(sizeof(enum config_select) == sizeof(unsigned), "value_set() stores enums so");

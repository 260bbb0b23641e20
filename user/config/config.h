/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's settings, after defaults, OTEL_* variables, the file and flags, later ones over
 * earlier ones. What each means, its bounds and its names are in the table of options.c, from
 * which --help, sonde.8, sonde.conf.5 and docs/config.md are made.
 */
#ifndef SONDE_CONFIG_CONFIG_H
#define SONDE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"

#define CONFIG_LIST_MAX 64

/* Values of a repeatable option, in order; texts owned by the config. */
struct config_list {
	char *item[CONFIG_LIST_MAX];
	unsigned count;
};

struct config_numbers {
	uint32_t item[CONFIG_LIST_MAX];
	unsigned count;
};

enum config_select { SELECT_AUTO, SELECT_CONTAINERS, SELECT_ALL };
enum config_print { PRINT_NONE, PRINT_TEXT, PRINT_JSON };
enum config_socket_hook { HOOK_AUTO, HOOK_SOCK_LENGTH, HOOK_FENTRY, HOOK_KPROBE, HOOK_SYSCALL };
/* COMPRESSION_INHERIT only in the fields of one signal: as for both signals. */
enum config_compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_INHERIT };
enum config_protocol { PROTOCOL_HTTP_PROTOBUF };
enum config_signal { SIGNAL_TRACES, SIGNAL_METRICS };
enum config_sampler {
	SAMPLER_ALWAYS_ON, SAMPLER_ALWAYS_OFF, SAMPLER_TRACEIDRATIO,
	SAMPLER_PARENTBASED_ALWAYS_ON, SAMPLER_PARENTBASED_ALWAYS_OFF,
	SAMPLER_PARENTBASED_TRACEIDRATIO,
};
enum config_histogram { HISTOGRAM_EXPLICIT, HISTOGRAM_EXPONENTIAL };

struct config {
	/* selection: the lists are OR-ed; all empty: `select` decides */
	struct config_list executables;		/* globs over the executable's path or base name */
	struct config_numbers ports, pids;
	struct config_list containers;		/* globs over the container id */
	enum config_select select;
	struct config_list exclude_executables;	/* globs; win over every selection */

	/* sources */
	enum config_socket_hook socket_hook;
	uint64_t ring_bytes;			/* data ring, a power of two */
	uint32_t targets_max, connections_max;

	/* names */
	char *service_name;			/* of processes without one; NULL: derive */
	struct config_list resource_attributes;	/* key=value */
	struct config_list routes;		/* patterns, first match wins: /users/{id} */
	bool route_heuristic;			/* false: unmatched paths get the catch-all route */
	uint32_t routes_max;			/* distinct heuristic routes a service */

	/* metrics */
	uint32_t series_max;
	uint64_t series_expire_ns;
	char *listen;				/* ADDR:PORT of /metrics and /readyz; "": none */
	uint64_t metric_interval_ns;		/* OTEL_METRIC_EXPORT_INTERVAL */
	enum config_histogram histogram;	/* of OTLP metrics */

	/* spans */
	enum config_sampler sampler;
	double sampler_ratio;
	char *redact;				/* query keys whose values are hidden, by comma */

	/* OTLP */
	char *otlp_endpoint;			/* base URL, no signal path; NULL: no OTLP */
	char *otlp_traces_endpoint, *otlp_metrics_endpoint;	/* whole URLs; NULL: base */
	struct config_list otlp_headers;	/* key=value */
	struct config_list otlp_traces_headers, otlp_metrics_headers;
	uint64_t otlp_timeout_ns;
	enum config_compression otlp_compression;
	char *otlp_certificate;			/* PEM file with CAs; NULL: the system's */
	uint64_t otlp_queue_bytes;		/* encoded spans kept while the endpoint is away */
	enum config_protocol otlp_protocol;
	/* of one signal; read them through config_otlp_of() */
	enum config_protocol otlp_traces_protocol, otlp_metrics_protocol;
	uint64_t otlp_traces_timeout_ns, otlp_metrics_timeout_ns;	/* 0: as for both */
	enum config_compression otlp_traces_compression, otlp_metrics_compression;
	char *otlp_traces_certificate, *otlp_metrics_certificate;	/* NULL: as for both */

	/* output of the agent itself */
	enum config_print print;
	enum log_level log_level;
};

/* Defaults of the table. */
void config_init(struct config *config);
void config_done(struct config *config);

/*
 * All return 0 or -EINVAL, with the error written to `errors` as `sonde: what: why: what to do`
 * lines (unknown names with the nearest valid one).
 */
int config_from_environment(struct config *config, FILE *errors);
int config_from_file(struct config *config, const char *path, FILE *errors);

/* The same from memory: for tests and the fuzzer. `name` stands for the file in messages. */
int config_from_yaml(struct config *config, const char *yaml, size_t len, const char *name,
		     FILE *errors);

/*
 * Everything of one command line: environment, then the file of -c, then flags. argv[0] is the
 * command's own name and is skipped. A list given in one layer replaces the list of the layers
 * below. *ret_help is always set: true when --help was asked for, and then nothing else was read.
 */
int config_from_arguments(struct config *config, int argc, char **argv, FILE *errors,
			  bool *ret_help);

/* Bounds of every option, and the checks that need several settings at once. 0 or -EINVAL. */
int config_check(const struct config *config, FILE *errors);

/* How one signal leaves over OTLP: its own settings where it has them, else those of both. */
struct config_otlp {
	const char *endpoint;		/* a URL, borrowed from the config */
	bool endpoint_is_base;		/* the signal's path (/v1/traces) is still to be appended */
	const struct config_list *headers;	/* key=value, never NULL */
	uint64_t timeout_ns;
	enum config_compression compression;	/* never COMPRESSION_INHERIT */
	const char *certificate;	/* NULL: the system's */
};

/* Returns 0, or -ENOENT when the signal has no endpoint: it is not exported. */
int config_otlp_of(const struct config *config, enum config_signal signal,
		   struct config_otlp *ret_otlp);

/* Usage text from the table. */
void config_print_help(FILE *out);

/*
 * Shell-style glob over the whole text, byte by byte: `*` any run (`/` included), `?` one byte,
 * `[a-z]`, `[!a-z]`, `\` takes the next byte as it is. Never recursive, linear in practice.
 */
bool glob_match(const char *pattern, const char *text);

/*
 * The candidate nearest to `name` (edit distance, at most a third of its length), or NULL.
 * `candidates` ends with NULL.
 */
const char *nearest_name(const char *name, const char *const *candidates);

#endif

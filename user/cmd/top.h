/* SPDX-License-Identifier: Apache-2.0 */
/* `sonde top`: what a running agent's /services tells, as a table of rates and quantiles. */
#ifndef SONDE_CMD_TOP_H
#define SONDE_CMD_TOP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "model/histogram.h"

/* One route of one service; counts since the start of the agent. Texts are the snapshot's. */
struct top_route {
	const char *service, *namespace, *container, *role, *protocol;
	const char *method, *route, *server_address;
	uint64_t count, errors;
	struct exponential duration;
};

struct top_snapshot {
	double uptime_s, now_s;		/* of the agent; now: since 1970, by its clock */
	uint64_t lost;			/* events */
	struct top_route *route;	/* sorted */
	size_t routes;
	void *json;			/* private: owns the texts */
};

/*
 * From the body of /services. Returns 0, -EBADMSG with a reason in `why`, or -ENOMEM. What it reads
 * is checked: it may come from anything that listens on the port.
 */
int top_parse(struct bytes body, struct top_snapshot *ret_snapshot, char *why, size_t why_size);
void top_free(struct top_snapshot *snapshot);

/* GET {url}/services and top_parse(). Returns 0, or a negative errno with the reason in `why`. */
int top_fetch(const char *url, struct top_snapshot *ret_snapshot, char *why, size_t why_size);

/* What happened between two snapshots on one route. */
struct top_row {
	const struct top_route *route;	/* in the later snapshot */
	double requests_per_s, error_percent;	/* 0 without requests */
	double p50_s, p95_s, p99_s;		/* seconds; 0 without requests */
};

struct top_table {
	const struct top_snapshot *snapshot;
	double window_s;		/* time the rows are about */
	struct top_row *row;		/* by service; busiest routes first */
	size_t rows;
};

/* `earlier` NULL, or of another run of the agent: since its start. Returns 0 or -ENOMEM. */
int top_compute(struct top_table *table, const struct top_snapshot *earlier,
		const struct top_snapshot *later);
void top_done(struct top_table *table);

/* Where and how to draw. */
struct top_screen {
	unsigned columns, lines;	/* lines 0: no end */
	bool redraw;			/* in place, on a terminal */
	const char *url;
};

void top_draw(FILE *out, const struct top_table *table, const struct top_screen *screen);

/* One JSON object a row. */
void top_print_json(FILE *out, const struct top_table *table);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people are told about an OTLP endpoint: once when it goes away, once when it is back, seldom
 * in between.
 */
#ifndef SONDE_EXPORT_OTLP_REPORT_H
#define SONDE_EXPORT_OTLP_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "export/http_client.h"

struct otlp_report {
	enum config_signal signal;
	char *url;			/* whole; user and password in it are not shown */
	char *shown;
	bool down;
	uint64_t dropped;		/* spans, since the start */
	uint64_t refused_said_ns, full_said_ns, partial_said_ns;
};

/* Makes the URL of the signal. Returns 0 or -ENOMEM. */
int otlp_report_init(struct otlp_report *report, enum config_signal signal,
		     const struct config_otlp *otlp);
void otlp_report_done(struct otlp_report *report);

void otlp_report_down(struct otlp_report *report, const struct http_result *result,
		      uint64_t queue_bytes);
void otlp_report_up(struct otlp_report *report);
void otlp_report_refused(struct otlp_report *report, const struct http_result *result,
			 uint32_t items);
void otlp_report_partial(struct otlp_report *report, uint64_t rejected, struct bytes message);
void otlp_report_full(struct otlp_report *report, uint64_t queue_bytes);

/* At the end, when `left` spans could not be sent any more. */
void otlp_report_end(struct otlp_report *report, uint64_t left);

#endif

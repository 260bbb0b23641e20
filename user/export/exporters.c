/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of exporters: a new way out is a row here. */
#include "export/exporter.h"

const struct exporter *const exporters[] = {
	&prometheus_exporter,
	&otlp_exporter,
	&print_exporter,
	NULL,
};

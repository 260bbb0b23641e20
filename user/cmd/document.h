/* SPDX-License-Identifier: Apache-2.0 */
/* The generated documents: each prints one whole file to `out`. */
#ifndef SONDE_CMD_DOCUMENT_H
#define SONDE_CMD_DOCUMENT_H

#include <stdio.h>

void document_sonde_8(FILE *out);
void document_sonde_conf_5(FILE *out);
void document_config_md(FILE *out);
void document_metrics_md(FILE *out);

#endif

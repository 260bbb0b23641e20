/* SPDX-License-Identifier: Apache-2.0 */
/* struct config as a whole: defaults, release, layers, and how one signal leaves over OTLP. */
#include "config/config.h"

#include <errno.h>

#include "config/layer.h"
#include "config/options.h"
#include "config/value.h"

/* Presets are read by the same code as everything else; a unit test sees to their being valid. */
void config_init(struct config *config)
{
	struct origin origin = { .errors = stderr };

	*config = (struct config){ 0 };
	for OPTION_EACH(option) {
		origin.name = option->key;
		if (option->key && option->preset)
			value_set(config, option, option->preset, &origin);
	}
}

void config_done(struct config *config)
{
	for OPTION_EACH(option) {
		if (option->key)
			value_clear(config, option);
	}
}

bool layer_begin(struct layer *layer, const struct config_option *option)
{
	uint64_t bit = 1ull << (option - config_options);
	bool seen = layer->seen & bit;

	layer->seen |= bit;
	if (!seen && option_is_list(option))
		value_clear(layer->config, option);
	return seen;
}

/* The first of the two that was set. */
static const char *either(const char *own, const char *common)
{
	return own && *own ? own : common;
}

int config_otlp_of(const struct config *config, enum config_signal signal,
		   struct config_otlp *ret_otlp)
{
	bool traces = signal == SIGNAL_TRACES;
	const char *own = traces ? config->otlp_traces_endpoint : config->otlp_metrics_endpoint;
	const char *endpoint = either(own, config->otlp_endpoint);
	const struct config_list *headers =
		traces ? &config->otlp_traces_headers : &config->otlp_metrics_headers;
	uint64_t timeout_ns =
		traces ? config->otlp_traces_timeout_ns : config->otlp_metrics_timeout_ns;
	enum config_compression compression =
		traces ? config->otlp_traces_compression : config->otlp_metrics_compression;

	if (!endpoint || !*endpoint)
		return -ENOENT;
	*ret_otlp = (struct config_otlp){
		.endpoint = endpoint,
		.endpoint_is_base = endpoint != own,
		.headers = headers->count ? headers : &config->otlp_headers,
		.timeout_ns = timeout_ns ? timeout_ns : config->otlp_timeout_ns,
		.compression = compression == COMPRESSION_INHERIT ? config->otlp_compression
								  : compression,
		.certificate = either(traces ? config->otlp_traces_certificate
					     : config->otlp_metrics_certificate,
				      config->otlp_certificate),
	};
	return 0;
}

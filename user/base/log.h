/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's own log, on stderr: `sonde: what: why: what to do`, with `warning: ` or `debug: `
 * after `sonde: ` at those levels. A line is logged once, where the decision is made, is cut at
 * 1024 bytes, and shows control characters as `?`. base, model and protocol never call this.
 */
#ifndef SONDE_BASE_LOG_H
#define SONDE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* The least severe level that is shown, for all threads; LOG_LEVEL_INFO at the start. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/*
 * `error` is 0 or a negative errno, for `%m` in the format, and is returned, so that
 * `return log_error(r, "...: %m")` both says and passes it on.
 */
int log_at(enum log_level level, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(error, ...) log_at(LOG_LEVEL_ERROR, error, __VA_ARGS__)
#define log_warn(error, ...) log_at(LOG_LEVEL_WARN, error, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, 0, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, 0, __VA_ARGS__)

/*
 * True at most once every `interval_s` seconds for one `*last_ns` (start it at 0): for
 * messages that a peer or a fault could repeat without end.
 */
bool log_every(uint64_t *last_ns, unsigned interval_s);

#endif

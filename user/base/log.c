/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's own log: one line, one write(2), so that threads do not mix their lines. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define LINE_MAX_BYTES 1024	/* with the newline; the rest of a longer message is cut off */

static _Atomic enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
	return atomic_load_explicit(&max_level, memory_order_relaxed);
}

static const char *prefix_of(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_WARN:
		return "sonde: warning: ";
	case LOG_LEVEL_DEBUG:
		return "sonde: debug: ";
	default:
		return "sonde: ";
	}
}

/* A message may quote a peer or a path: it must not start a line of its own or steer a terminal. */
static void blunt_controls(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	}
}

int log_at(enum log_level level, int error, const char *format, ...)
{
	char line[LINE_MAX_BYTES + 1];	/* and the NUL of vsnprintf() */
	int saved_errno = errno, message;
	size_t len;
	va_list args;

	if (level > log_get_level())
		return error;

	len = snprintf(line, sizeof(line), "%s", prefix_of(level));
	errno = -error;
	va_start(args, format);
	message = vsnprintf(line + len, LINE_MAX_BYTES - len, format, args);
	va_end(args);
	if (message > 0)
		len = MIN(len + message, (size_t)LINE_MAX_BYTES - 1);
	blunt_controls(line, len);
	line[len++] = '\n';

	if (write(STDERR_FILENO, line, len) < 0)
		errno = 0;		/* nowhere left to say so */
	errno = saved_errno;
	return error;
}

bool log_every(uint64_t *last_ns, unsigned interval_s)
{
	uint64_t now = clock_monotonic_ns();

	if (*last_ns && now - *last_ns < interval_s * NSEC_PER_SEC)
		return false;
	*last_ns = now;
	return true;
}

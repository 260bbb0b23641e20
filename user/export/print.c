/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --print: the spans of every batch to standard output, a line each. A reader that is slow, or
 * gone, or a full disk costs lines, which are counted, and never holds up the other exporters for
 * long.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "export/exporter.h"
#include "export/print_line.h"
#include "model/self.h"

/* What a pipe that polls as writable takes without making the writer wait: PIPE_BUF of Linux. */
#define CHUNK 4096
#define LINES_MAX (64u << 10)			/* bytes gathered before they are written */
#define PATIENCE_NS (200 * NSEC_PER_MSEC)	/* with a slow reader, for each batch */

struct print {
	enum config_print form;
	struct buf lines;
	uint64_t patient_until_ns;
	bool gone;		/* nobody will ever read again */
	bool said;
};

static void complain(struct print *print, int error)
{
	const char *cure = error == -ENOSPC ? "free some room" :
			   error == -EAGAIN ? "read faster, or select fewer processes" :
			   "start the agent with an output that stays";

	if (!print->said)
		log_error(error, "print: standard output: %s: lines are lost, counted in "
				 "sonde_print_failed_total: %s",
			  error == -EAGAIN ? "the reader is too slow" : strerror(-error), cure);
	print->said = true;
}

/* Returns 0 when standard output takes bytes now, or -errno. */
static int wait_for_room(const struct print *print)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	uint64_t now = clock_monotonic_ns();
	int wait_ms = 0, r;

	if (now < print->patient_until_ns)
		wait_ms = 1 + (int)((print->patient_until_ns - now) / NSEC_PER_MSEC);
	r = poll(&out, 1, wait_ms);
	if (r < 0 && errno == EINTR)
		return 0;
	return r < 0 ? -errno : r ? 0 : -EAGAIN;
}

/* Writes from the front; returns the bytes written, with *ret_error telling why not all. */
static size_t write_out(const struct print *print, struct bytes lines, int *ret_error)
{
	size_t done = 0;
	ssize_t n;

	*ret_error = 0;
	while (done < lines.len) {
		*ret_error = wait_for_room(print);
		if (*ret_error < 0)
			break;
		n = write(STDOUT_FILENO, lines.at + done,
			  lines.len - done < CHUNK ? lines.len - done : CHUNK);
		if (n < 0 && errno != EINTR) {
			*ret_error = -errno;
			break;
		}
		done += n > 0 ? n : 0;
	}
	return done;
}

static uint64_t count_lines(struct bytes text)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	return lines;
}

static void flush(struct print *print)
{
	struct bytes lines = buf_bytes(&print->lines);
	int error;
	size_t done = write_out(print, lines, &error);

	if (done < lines.len) {
		self_add(SELF_PRINT_FAILED, count_lines(bytes_skip(lines, done)));
		complain(print, error);
		print->gone = error == -EPIPE || error == -EBADF;
	}
	buf_reset(&print->lines);
}

static void add_line(struct print *print, const struct span *span, int64_t offset_ns)
{
	size_t before = print->lines.len;

	if (print->form == PRINT_JSON)
		print_add_json(&print->lines, span, offset_ns);
	else
		print_add_text(&print->lines, span, offset_ns);
	if (print->lines.failed) {
		print->lines.len = before;
		print->lines.failed = false;
		self_add(SELF_PRINT_FAILED, 1);
	}
	if (print->lines.len > LINES_MAX / 2)
		flush(print);
}

static int print_open(const struct exporter_context *context, void **ret_state)
{
	struct print *print;

	if (context->config->print == PRINT_NONE)
		return -ENOTSUP;
	print = calloc(1, sizeof(*print));
	if (!print)
		return log_error(-ENOMEM, "print: %m: free some memory");
	print->form = context->config->print;
	buf_init(&print->lines, LINES_MAX);
	*ret_state = print;
	return 0;
}

static void print_export(void *state, const struct batch *batch)
{
	struct print *print = state;

	print->patient_until_ns = clock_monotonic_ns() + PATIENCE_NS;
	for (uint32_t i = 0; i < batch->spans; i++) {
		if (print->gone)
			self_add(SELF_PRINT_FAILED, 1);
		else
			add_line(print, &batch->span[i], batch->realtime_offset_ns);
	}
	if (print->lines.len)
		flush(print);
}

static void print_close(void *state, uint64_t deadline_ns)
{
	struct print *print = state;

	buf_done(&print->lines);
	free(print);
}

const struct exporter print_exporter = {
	.name = "print",
	.open = print_open,
	.export = print_export,
	.close = print_close,
};

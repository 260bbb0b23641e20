/* SPDX-License-Identifier: Apache-2.0 */
/* `sonde top`: fetches, compares with the time before, draws, waits; until told to stop. */
#include "cmd/top.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/cmd.h"
#include "config/config.h"
#include "config/value.h"

#define DEFAULT_URL "http://127.0.0.1:9464"

struct top {
	const char *url;
	bool once, json, help;
	uint64_t interval_ns;
	uint64_t duration_ns;		/* 0: without end */
};

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	stopped = 1;
}

static void print_usage(FILE *out)
{
	fputs("usage: sonde top [--once] [--json] [--url URL] [--interval TIME] [--seconds N]\n\n"
	      "A table of what a running agent sees: for each service and route, requests a "
	      "second, errors,\n"
	      "quantiles of the duration over the last interval, and the number of requests since "
	      "the agent\n"
	      "started. A route after an arrow is one this service calls.\n\n"
	      "  --once           one table about the time since the agent started, then end\n"
	      "  --json           one JSON object a row instead of a table\n"
	      "  --url URL        where the agent listens; default " DEFAULT_URL "\n"
	      "  --interval TIME  between two tables: 500ms, 1s (default), 1m\n"
	      "  --seconds N      end after N seconds; default: Ctrl-C ends\n",
	      out);
}

static int complain(const char *what, const char *why, const char *cure)
{
	fprintf(stderr, "sonde: top: %s: %s: %s\n", what, why, cure);
	return EXIT_USAGE;
}

static int wrong_option(int argc, char **argv)
{
	static const char *const names[] = {
		"--once", "--json", "--url", "--interval", "--seconds", "--help", NULL,
	};
	const char *given = optind - 1 < argc ? argv[optind - 1] : "",
		   *nearest = nearest_name(given, names);

	fprintf(stderr, "sonde: top: %s: no such option, or its value is missing: ", given);
	fprintf(stderr, nearest ? "did you mean %s?\n" : "see sonde top --help\n", nearest);
	return EXIT_USAGE;
}

/* Returns EXIT_DONE or EXIT_USAGE. */
static int read_arguments(struct top *top, int argc, char **argv)
{
	static const struct option options[] = {
		{ "once", no_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ "url", required_argument, NULL, 'u' },
		{ "interval", required_argument, NULL, 'i' },
		{ "seconds", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	uint64_t seconds;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == '?')
			return wrong_option(argc, argv);
		top->once |= c == 'o';
		top->json |= c == 'j';
		top->help |= c == 'h';
		if (c == 'u')
			top->url = optarg;
		if (c == 'i' && (value_to_duration(optarg, &top->interval_ns) < 0 ||
				 top->interval_ns < 10 * NSEC_PER_MSEC))
			return complain(optarg, "not a time of at least 10ms", "write 500ms or 1s");
		if (c != 's')
			continue;
		if (bytes_to_u64(bytes_of_text(optarg), &seconds) < 0 || !seconds ||
		    seconds > 1u << 30)
			return complain(optarg, "not a number of seconds", "write --seconds 20");
		top->duration_ns = seconds * NSEC_PER_SEC;
	}
	return optind < argc ? complain(argv[optind], "takes no arguments", "see sonde top --help")
			     : EXIT_DONE;
}

static struct top_screen screen_of(const struct top *top)
{
	struct top_screen screen = { .columns = 80, .url = top->url };
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return screen;
	screen.redraw = !top->once;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col) {
		screen.columns = size.ws_col;
		screen.lines = top->once ? 0 : size.ws_row;
	}
	return screen;
}

/* Returns 0, or -ENOMEM. */
static int show(const struct top *top, const struct top_snapshot *earlier,
		const struct top_snapshot *later)
{
	struct top_screen screen = screen_of(top);
	struct top_table table;
	int r = top_compute(&table, earlier, later);

	if (r < 0)
		return r;
	if (top->json)
		top_print_json(stdout, &table);
	else
		top_draw(stdout, &table, &screen);
	top_done(&table);
	return 0;
}

static int say_unreachable(const struct top *top, const char *why)
{
	fprintf(stderr,
		"sonde: top: %s: %s: is the agent running there? start it with `sonde agent`, or "
		"give its address with --url\n",
		top->url, why);
	return EXIT_FAILED;
}

/* The first picture is about the time since the agent's start, the others about one interval. */
static int watch(const struct top *top)
{
	struct timespec pause = { top->interval_ns / NSEC_PER_SEC, top->interval_ns % NSEC_PER_SEC };
	uint64_t end_ns = top->duration_ns ? clock_monotonic_ns() + top->duration_ns : UINT64_MAX;
	struct top_snapshot earlier = { 0 }, later;
	char why[256];

	if (top_fetch(top->url, &earlier, why, sizeof(why)) < 0)
		return say_unreachable(top, why);
	if (isatty(STDOUT_FILENO) && !top->json && !top->once)
		fputs("\033[2J", stdout);
	if (show(top, NULL, &earlier) < 0)
		stopped = 1;
	while (!top->once && !stopped && !ferror(stdout) && clock_monotonic_ns() < end_ns) {
		nanosleep(&pause, NULL);
		if (stopped)
			break;
		if (top_fetch(top->url, &later, why, sizeof(why)) < 0) {
			top_free(&earlier);
			return say_unreachable(top, why);
		}
		if (show(top, &earlier, &later) < 0)
			stopped = 1;
		top_free(&earlier);
		earlier = later;
	}
	top_free(&earlier);
	return ferror(stdout) ? EXIT_FAILED : EXIT_DONE;
}

int top_main(int argc, char **argv)
{
	struct top top = { .url = DEFAULT_URL, .interval_ns = NSEC_PER_SEC };
	struct sigaction action = { .sa_handler = on_signal };
	int r = read_arguments(&top, argc, argv);

	if (r != EXIT_DONE)
		return r;
	if (top.help) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	sigaction(SIGINT, &action, NULL);	/* without SA_RESTART: ends the pause */
	sigaction(SIGTERM, &action, NULL);
	return watch(&top);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sonde.8 and sonde.conf.5: the text around what the option table says, in man(7) macros. */
#include "cmd/document.h"
#include "config/document.h"
#include "config/layer.h"

/* Names must not be broken at their dots and underscores: no hyphenation, ragged right. */
static const char made_by[] = ".\\\" Made by `sonde document`; do not edit.\n";
static const char layout[] = ".nh\n.ad l\n";

static const char commands[] =
	".SH NAME\n"
	"sonde \\- watches the requests of unmodified processes from the kernel\n"
	".SH SYNOPSIS\n"
	".B sonde agent\n[\\fB\\-c\\fR \\fIFILE\\fR] [\\fIOPTION VALUE\\fR]...\n.br\n"
	".B sonde doctor\n[\\fB\\-\\-json\\fR] [\\fIOPTION VALUE\\fR]...\n.br\n"
	".B sonde top\n[\\fB\\-\\-once\\fR] [\\fB\\-\\-json\\fR]\n.br\n"
	".B sonde version\n"
	".SH DESCRIPTION\n"
	"Sonde loads small programs into the Linux kernel (eBPF) that see what processes send\n"
	"and receive on their sockets, and makes metrics and spans of it. The watched\n"
	"processes are neither changed nor restarted.\n"
	".SH COMMANDS\n"
	".TP\n.B agent\n"
	"Watches until it is told to stop. Serves /metrics, /healthz and /readyz (200 once at\n"
	"least one source is attached) and, if told where to, sends metrics and spans over\n"
	"OTLP.\n"
	".TP\n.B doctor\n"
	"Tries what this kernel allows and says what the agent would use, why, what is\n"
	"degraded, and what to do about it; with the same options as the agent.\n"
	"\\fB\\-\\-json\\fR: as one JSON object.\n"
	".TP\n.B top\n"
	"A live table of services and routes: rate, errors, p50, p95 and p99.\n"
	"\\fB\\-\\-once\\fR: prints it once and exits. \\fB\\-\\-json\\fR: as JSON.\n"
	".TP\n.B version\n"
	"Prints the version.\n"
	".PP\nWithout a command,\n.B sonde\nprints this list.\n"
	".SH OPTIONS OF THE AGENT\n"
	"Each takes a value, as \\fB\\-\\-name\\fR \\fIVALUE\\fR or\n"
	"\\fB\\-\\-name=\\fR\\fIVALUE\\fR. Lists grow by repeating the option, to at most 64\n"
	"values. Flags win over the file of \\fB\\-c\\fR, the file over variables; a list\n"
	"given in one of them replaces that of the others. Selections are OR\\-ed.\n";

static const char environment[] =
	".SH ENVIRONMENT\n"
	"These variables of the agent's own environment are read; an empty one counts as not\n"
	"set. A wrong value is an error. The name of the agent's own service,\n"
	"OTEL_SERVICE_NAME, is not among them.\n";

static const char rest[] =
	".SH FILES\n"
	"No file is read unless \\fB\\-c\\fR names one; see\n.BR sonde.conf (5).\n"
	".TP\n.I /sys/kernel/btf/vmlinux\n"
	"The kernel's own types: without it the agent cannot load its programs.\n"
	".TP\n.I /proc\n"
	"Executable, environment, sockets and cgroup of each watched process.\n"
	".SH SIGNALS\n"
	".TP\n.BR SIGTERM \", \" SIGINT\n"
	"Detach, finish what was seen, send what is queued within a deadline, and exit with\n"
	"0.\n"
	".PP\n"
	"After SIGKILL nothing stays attached: the kernel removes the programs with their\n"
	"process.\n"
	".SH EXIT STATUS\n"
	".TP\n.B 0\nDone as asked, also after SIGTERM or SIGINT.\n"
	".TP\n.B 1\nFailed while running; standard error says what, why, and what to do.\n"
	".TP\n.B 2\n"
	"Used wrongly: an unknown option, key or value. The nearest valid name is given.\n"
	".TP\n.B 77\n"
	"Not supported here: the kernel is too old, or lacks what no choice can do without.\n"
	".SH DIAGNOSTICS\n"
	"Messages on standard error read\n.IR \"sonde: what: why: what to do\" .\n"
	".SH EXAMPLES\n"
	"Every container of this machine, metrics on port 9464:\n"
	".PP\n.nf\n.RS\nsonde agent\n.RE\n.fi\n"
	".PP\nOne program, one line a request:\n"
	".PP\n.nf\n.RS\nsonde agent \\-\\-exe '*/hello\\-server' \\-\\-print text\n.RE\n.fi\n"
	".PP\nWhat listens on port 8080, to a collector, with a route of its own:\n"
	".PP\n.nf\n.RS\n"
	"sonde agent \\-\\-port 8080 \\-\\-otlp http://collector:4318 \\-\\-route '/users/{id}'\n"
	".RE\n.fi\n"
	".SH SEE ALSO\n.BR sonde.conf (5)\n";

void document_sonde_8(FILE *out)
{
	fputs(made_by, out);
	fprintf(out, ".TH SONDE 8 \"\" \"Sonde %s\" \"System administration\"\n", SONDE_VERSION);
	fputs(layout, out);
	fputs(commands, out);
	config_print_man_options(out);
	fputs(environment, out);
	config_print_man_variables(out);
	fputs(rest, out);
}

static const char file_format[] =
	".SH NAME\n"
	"sonde.conf \\- configuration of the Sonde agent\n"
	".SH SYNOPSIS\n"
	".B sonde agent \\-c\n.I FILE\n"
	".SH DESCRIPTION\n"
	"A YAML file of at most %u bytes. Keys are written here as dotted paths:\n"
	"\\fBmetrics.listen\\fR is the key \\fBlisten\\fR of the map \\fBmetrics\\fR. Lists\n"
	"are written as YAML lists, or as one value; lists of key=value also as a map. Sizes\n"
	"are in bytes or have K, M or G (powers of 1024) behind them; durations have ms, s, m\n"
	"or h.\n"
	".PP\n"
	"An unknown key, a wrong value, a key given twice, anchors, aliases and tags are\n"
	"errors, told with their line; the agent then exits with 2.\n"
	".SH KEYS\n";

static const char file_example[] =
	".SH EXAMPLE\n.nf\n"
	"select:\n"
	"  executables: [\"*/hello\\-server\", nginx]\n"
	"metrics:\n"
	"  listen: \"127.0.0.1:9464\"\n"
	"routes:\n"
	"  patterns:\n"
	"    \\- /users/{id}\n"
	"otlp:\n"
	"  endpoint: http://collector:4318\n"
	"  compression: gzip\n"
	"  headers:\n"
	"    x\\-scope\\-orgid: demo\n"
	".fi\n.SH SEE ALSO\n.BR sonde (8)\n";

void document_sonde_conf_5(FILE *out)
{
	fputs(made_by, out);
	fprintf(out, ".TH SONDE.CONF 5 \"\" \"Sonde %s\" \"File formats\"\n", SONDE_VERSION);
	fputs(layout, out);
	fprintf(out, file_format, CONFIG_FILE_MAX);
	config_print_man_keys(out);
	fputs(file_example, out);
}

void document_config_md(FILE *out)
{
	fputs("# Configuration\n\n"
	      "Made by `sonde document config.md` from the option table; do not edit.\n\n"
	      "Flags win over the file of `-c`, the file over `OTEL_*` variables, those over\n"
	      "defaults; a list given in one of them replaces that of the others. Keys are dotted\n"
	      "paths: `metrics.listen` is the key `listen` of the map `metrics`. Sizes have K, M\n"
	      "or G (powers of 1024) behind them, durations ms, s, m or h; durations in variables\n"
	      "are in milliseconds. Unknown keys and flags and wrong values are errors (exit code\n"
	      "2). All of it as a file: [deploy/sonde.conf.yaml](../deploy/sonde.conf.yaml).\n",
	      out);
	config_print_markdown(out);
}

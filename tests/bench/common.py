# SPDX-License-Identifier: Apache-2.0
"""What the benches share: CPU times, pairs, tables, and docs/benchmarks.md.

Machines are noisy: costs are CPU time, not wall time; compared phases alternate within one run, and
the figure is the median of the paired differences. A bench that cannot measure exits 1 and says why.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from lib import harness, servers
from lib.agent import Agent
from lib.harness import Failure, ROOT, Skip, free_port, go_build, program

PAGE = ROOT / "docs/benchmarks.md"
BPF_STATS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")


# --- measuring ---------------------------------------------------------------------------------
def cpu_ns(pid):
    """CPU time of all live threads of a process: /proc/PID/task/TID/schedstat, first field."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total


def status_bytes(pid, field):
    """VmRSS, RssAnon ... of /proc/PID/status."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M)[1]) * 1024


def map_bytes(agent):
    """What the kernel charges for the agent's maps (memlock of their descriptors), each map once."""
    maps = {}
    for info in pathlib.Path(f"/proc/{agent.pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):	# closed meanwhile
            fields = dict(re.findall(r"^(\w+):\s+(\S+)$", info.read_text(), re.M))
            if "map_id" in fields:
                maps[fields["map_id"]] = int(fields["memlock"])
    return sum(maps.values())


@contextlib.contextmanager
def bpf_statistics():
    """kernel.bpf_stats_enabled=1, and back to what it was."""
    before = BPF_STATS.read_text()
    BPF_STATS.write_text("1")
    try:
        yield
    finally:
        BPF_STATS.write_text(before)


def bpf_run(agent):
    """{program: (ns, runs)} of the programs the agent's descriptors hold."""
    found = {}
    for number in agent.bpf_ids()["prog"]:
        shown = subprocess.run([program("bpftool"), "-j", "prog", "show", "id", str(number)], capture_output=True, text=True)
        one = json.loads(shown.stdout or "{}")
        if "name" in one:
            ns, runs = found.get(one["name"], (0, 0))
            found[one["name"]] = ns + one.get("run_time_ns", 0), runs + one.get("run_cnt", 0)
    return found


def median(values):
    return statistics.median(values)


def spread(values):
    """Median and, in brackets, the smallest and largest."""
    return f"{median(values):.2f} ({min(values):.2f} .. {max(values):.2f})"


# --- what is measured ----------------------------------------------------------------------------
def hello(t):
    """The demo's hello-server: Go net/http, `Hello, world!`."""
    port = free_port()
    process = t.spawn([go_build(ROOT / "deploy/demo/hello", "hello"), f"127.0.0.1:{port}"], "hello")
    return servers.Server(t, process, port).wait()


def sink(t):
    """An OTLP endpoint that throws everything away; returns its URL."""
    port = free_port()
    process = t.spawn([go_build(ROOT / "tests/bench/sink", "sink"), f"127.0.0.1:{port}"], "sink")
    servers.Server(t, process, port).wait()
    return f"http://127.0.0.1:{port}"


def agent_on(t, server, *options, otlp=None):
    """An agent with everything on: metrics served, spans and metrics exported."""
    if otlp:
        options += ("--otlp", otlp)
    return Agent(t, *server.select(), *options, printed=False)


def saturate(t, server, seconds, connections=64, path="/"):
    """wrk -t1; returns (requests, requests/s)."""
    answered, errors = servers.wrk(t, server.url + path, seconds=seconds, connections=connections)
    if errors:
        raise Failure(f"wrk had {errors} errors")
    return answered, answered / seconds


def load(t, url, requests, connections=64, keepalive=True, rate=0, binary=None):
    """The exact generator; its report."""
    binary = binary or go_build(ROOT / "tests/bench/load", "load")
    done = t.run([binary, "-n", requests, "-c", connections, "-rate", rate, f"-keepalive={str(keepalive).lower()}", url], seconds=900)
    if done.returncode:
        raise Failure(f"load: {done.stderr.strip()}")
    return json.loads(done.stdout)


# --- telling ---------------------------------------------------------------------------------------
def machine():
    with open("/proc/cpuinfo") as info:
        models = re.findall(r"^model name\s*: (.*)$", info.read(), re.M)
    return f"{datetime.date.today()}, Linux {platform.release()}, {os.cpu_count()} x {models[0] if models else platform.machine()}"


class Table:
    def __init__(self, *columns):
        self.rows = [columns]

    def add(self, *cells):
        self.rows.append([str(c) for c in cells])

    def markdown(self):
        widths = [max(len(row[i]) for row in self.rows) for i in range(len(self.rows[0]))]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in self.rows]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join(lines)


def insert(name, text):
    """Replaces what stands between the markers of this bench in docs/benchmarks.md."""
    start, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    page = PAGE.read_text()
    if start not in page or end not in page:
        raise Failure(f"{PAGE.name} has no {start} .. {end}")
    head, rest = page.split(start, 1)
    PAGE.write_text(head + start + "\n" + text + "\n" + end + rest.split(end, 1)[1])


def bench(measure, pairs=5, seconds=4):
    """Runs `measure(t, options)`, which returns the Table and a note ("" for none)."""
    path = pathlib.Path(sys.argv[0])
    name = path.stem
    parser = argparse.ArgumentParser(description=measure.__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--seconds", type=int, default=seconds, help=f"length of a phase ({seconds})")
    parser.add_argument("--pairs", type=int, default=pairs, help=f"repetitions; the median counts ({pairs})")
    parser.add_argument("--requests", type=int, default=1_000_000, help="where a number is asked for (1000000)")
    options = parser.parse_args()

    harness.become_subreaper()
    t = harness.Test(name)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        table, note = measure(t, options)
    except (Failure, Skip) as why:
        harness.evidence(t)
        print(f"bench-{name}: could not measure: {why}", file=sys.stderr)
        sys.exit(1)
    finally:
        t.stack.close()
        harness.orphans()
    print(table.markdown())
    if note:
        print(note)
    if options.write:
        text = f"`make bench-{name}` ({machine()})\n\n{table.markdown()}" + (f"\n\n{note}" if note else "")
        insert(name, text)

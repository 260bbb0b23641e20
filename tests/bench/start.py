#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From the start of the agent to the first request counted, with one process and with 200."""
import time

from common import Agent, ROOT, Table, bench, cpu_ns, free_port, go_build, spread
from lib import servers
from lib.wire import Wire

MANY = 200


def fleet(t, count):
    """Hello-servers by an executable of their own, and a connection to each."""
    binary = t.copy(go_build(ROOT / "deploy/demo/hello", "hello"), f"hello-{count}")
    ports = [free_port() for _ in range(count)]
    for port in ports:
        t.spawn([binary, f"127.0.0.1:{port}"], "hello")
    for port in ports:
        t.wait(lambda: servers.accepts(port), "a server listens", 60)
    return binary, [Wire(t, ("127.0.0.1", port)) for port in ports]


def once(t, binary, wires):
    """Seconds to /readyz, to the answer of a request to every process that the agent counted, to
    /metrics showing them all; and the agent's CPU until then."""
    start = time.monotonic()
    agent = Agent(t, "--exe", binary, ready=False, printed=False)
    t.wait(agent.ready, "ready", 30)
    ready = time.monotonic() - start
    for wire in wires:
        wire.get("/")
    requested = time.monotonic() - start
    t.wait(lambda: sum(agent.counts().values()) >= len(wires), f"{len(wires)} requests counted", 30)
    shown, cpu = time.monotonic() - start, cpu_ns(agent.pid) / 1e9
    agent.stop()
    return ready, requested, shown, cpu


def measure(t, options):
    """The requests are made as soon as the agent is ready; every one of them must be counted."""
    table = Table("seconds", "to /readyz", "to the first request counted, of every process", "to /metrics showing it", "agent's CPU", "bar")
    for count, bar in ((1, "<= 0.5"), (MANY, "<= 2")):
        binary, wires = fleet(t, count)
        results = [once(t, binary, wires) for _ in range(options.pairs)]
        table.add(f"{count} process{'es' if count > 1 else ''}", *[spread([r[i] for r in results]) for i in range(4)], bar)
    return table, f"{options.pairs} starts each; the bar is for the third column. /metrics is made anew five times a second."


bench(measure)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How the cost grows: with the request rate, and with the number of idle watched processes."""
import time

from common import Agent, Table, agent_on, bench, cpu_ns, hello, load, map_bytes, sink, status_bytes
from lib.harness import children_of, pause

RATES = (1000, 2500, 5000, 10000, 20000)
IDLE = (0, 100, 300, 1000)
MIB = 1 << 20


def cost(t, agent, server, rate, seconds):
    """(agent's us CPU a request, its CPU in % of one core, requests/s reached)"""
    before, start = cpu_ns(agent.pid), time.monotonic()
    report = load(t, server.url, int(rate * seconds), rate=rate)
    spent, elapsed = cpu_ns(agent.pid) - before, time.monotonic() - start
    return spent / report["requests"] / 1e3, spent / elapsed / 1e7, report["requests"] / report["seconds"]


def idle_cost(agent, seconds):
    """CPU in % of one core over a time in which nothing happens."""
    before, start = cpu_ns(agent.pid), time.monotonic()
    while time.monotonic() - start < seconds:
        pause(0.1)
    return (cpu_ns(agent.pid) - before) / (time.monotonic() - start) / 1e7


def sleepers(t, count):
    """So many processes of an executable of their own that do nothing."""
    binary = t.copy("/bin/sleep", f"idle-{count}")
    if not count:
        return binary
    shell = t.spawn(["sh", "-c", f'for i in $(seq {count}); do {binary} 3600 & done; wait'], "idle")
    t.wait(lambda: len(children_of(shell.pid)) >= count, f"{count} idle processes", 30)
    return binary


def line(points):
    """Least squares through (requests/s, CPU in % of a core): (us a request, fixed %, worst distance in %)."""
    xs, ys = zip(*points)
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x in xs)
    fixed = mean_y - slope * mean_x
    return slope * 1e4, fixed, max(abs(y - fixed - slope * x) for x, y in points)


def measure(t, options):
    """One agent a row; metrics and spans exported."""
    server, url, points = hello(t), sink(t), []
    table = Table("load", "watched processes", "us CPU a request", "CPU, % of a core", "idle CPU, %", "RSS + maps, MiB")
    for rate in RATES:
        agent = agent_on(t, server, otlp=url)
        each, share, reached = cost(t, agent, server, rate, options.seconds)
        agent.stop()
        points.append((reached, share))
        table.add(f"{reached:.0f}/s", 1, f"{each:.2f}", f"{share:.2f}", "", "")
    for count in IDLE:
        binary = sleepers(t, count)
        agent = Agent(t, *server.select(), "--exe", binary, "--otlp", url, printed=False)
        t.wait(lambda: agent.self_value("targets") >= count + 1, f"{count + 1} processes watched", 30)
        idle = idle_cost(agent, options.seconds)
        each, share, reached = cost(t, agent, server, 10000, options.seconds)
        memory = status_bytes(agent.pid, "VmRSS") + map_bytes(agent)
        watched = int(agent.self_value("targets"))
        agent.stop()
        table.add(f"{reached:.0f}/s", watched, f"{each:.2f}", f"{share:.2f}", f"{idle:.3f}", f"{memory / MIB:.1f}")
    each, fixed, worst = line(points)
    return table, (f"The line through the first {len(points)} rows: {fixed:.2f} % of a core and {each:.2f} us a request; no row is more than "
                   f"{worst:.2f} % of a core away from it. Below it, the cost of idle processes: flat when the columns stay.")


bench(measure)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the agent itself spends on a request: with metrics only, and with metrics and spans exported."""
from common import Table, agent_on, bench, cpu_ns, hello, load, saturate, sink, spread


def spent(agent, make):
    """Agent's CPU in us a request while `make()` makes requests, and until all of them are counted."""
    before = cpu_ns(agent.pid)
    requests = make()
    return (cpu_ns(agent.pid) - before) / requests / 1e3


def measure(t, options):
    """The exports alternate within one run; the OTLP endpoint is one that throws all away."""
    server, url = hello(t), sink(t)
    modes = {"metrics only, saturated": (None, 0), "metrics and spans, saturated": (url, 0),
             "metrics only, 10,000/s": (None, 10000), "metrics and spans, 10,000/s": (url, 10000)}
    results = {mode: [] for mode in modes}
    saturate(t, server, 1)
    for _ in range(options.pairs):
        for mode, (otlp, rate) in modes.items():
            agent = agent_on(t, server, otlp=otlp)
            if rate:
                count = int(rate * options.seconds)
                make = lambda: load(t, server.url, count, rate=rate)["requests"]
            else:
                make = lambda: saturate(t, server, options.seconds)[0]
            results[mode].append(spent(agent, make))
            agent.stop()
    table = Table("agent's CPU, us a request", "median (least .. most)", "bar")
    for mode, values in results.items():
        table.add(mode, spread(values), "<= 2" if "spans" in mode and "saturated" in mode else "")
    return table, f"{options.pairs} rounds of {options.seconds} s."


bench(measure)

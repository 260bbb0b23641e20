#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the saturated hello-server pays for being watched: CPU a request, and requests/s lost."""
from common import Table, agent_on, bench, bpf_run, bpf_statistics, cpu_ns, hello, median, saturate, sink, spread


def phase(t, server, seconds, agent=None):
    """(server's ns a request, requests/s, agent's ns a request)"""
    pids = [server.pid] + ([agent.pid] if agent else [])
    before = [cpu_ns(pid) for pid in pids]
    requests, rate = saturate(t, server, seconds)
    spent = [(cpu_ns(pid) - b) / requests for pid, b in zip(pids, before)]
    return spent[0], rate, spent[1] if agent else 0


def watched(t, server, url, seconds):
    agent = agent_on(t, server, otlp=url)
    result = phase(t, server, seconds, agent)
    agent.stop()
    return result


def bpf_share(t, server, url, seconds):
    """ns of BPF a request; measured apart, since measuring it costs."""
    with bpf_statistics():
        agent = agent_on(t, server, otlp=url)
        before = sum(ns for ns, _ in bpf_run(agent).values())
        requests, _ = saturate(t, server, seconds)
        after = bpf_run(agent)
        agent.stop()
    runs = ", ".join(f"{name} {count / requests:.2f}" for name, (_, count) in sorted(after.items()) if count / requests >= 0.01)
    return (sum(ns for ns, _ in after.values()) - before) / requests, runs


def measure(t, options):
    """Pairs of phases, agent off and on, alternating, under wrk -t1 -c64."""
    server, url = hello(t), sink(t)
    saturate(t, server, 1)
    off, on = [], []
    for pair in range(options.pairs):
        for is_on in (False, True) if pair % 2 == 0 else (True, False):
            if is_on:
                on.append(watched(t, server, url, options.seconds))
            else:
                off.append(phase(t, server, options.seconds))
    bpf_ns, runs = bpf_share(t, server, url, options.seconds)

    table = Table("what", "median (least .. most)", "bar")
    table.add("server alone, us CPU a request", spread([o[0] / 1e3 for o in off]), "")
    table.add("server watched, us CPU a request", spread([o[0] / 1e3 for o in on]), "")
    table.add("added to the server, us CPU a request", spread([(b[0] - a[0]) / 1e3 for a, b in zip(off, on)]), "<= 1.5")
    table.add("server alone, requests/s", f"{median([o[1] for o in off]):.0f}", "")
    table.add("server watched, requests/s", f"{median([o[1] for o in on]):.0f}", "")
    table.add("requests/s lost, %", spread([100 * (1 - b[1] / a[1]) for a, b in zip(off, on)]), "<= 10")
    table.add("agent, us CPU a request", spread([o[2] / 1e3 for o in on]), "<= 2")
    table.add("of which in BPF (bpf_stats), us a request", f"{bpf_ns / 1e3:.2f}", "")
    return table, f"{options.pairs} pairs of {options.seconds} s each way. BPF runs a request: {runs}."


bench(measure, pairs=15, seconds=2)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Requests counted against requests made: a million each, 64 connections, keep-alive on and off."""
import contextlib

from common import Failure, Table, agent_on, bench, hello, load, sink


def dropped(agent):
    samples = agent.metrics()
    return int(samples.sum("sonde_events_dropped_total")), int(samples.sum("sonde_spans_dropped_total"))


def run(t, server, url, requests, keepalive):
    agent = agent_on(t, server, otlp=url)
    report = load(t, server.url, requests, keepalive=keepalive)
    counted = lambda: sum(agent.counts(port=server.port).values())
    with contextlib.suppress(Failure):		# fewer is a result, too
        t.wait(lambda: counted() >= requests, "all counted", 15)
    total = counted()
    events, spans = dropped(agent)
    agent.stop()
    return report, total, events, spans


def measure(t, options):
    """The generator makes exactly so many; the agent's count is read when it no longer grows."""
    server, url = hello(t), sink(t)
    table = Table("keep-alive", "made", "counted", "difference", "events lost", "spans lost", "requests/s")
    wrong = 0
    for keepalive in (True, False):
        report, total, events, spans = run(t, server, url, options.requests, keepalive)
        made = report["requests"]
        wrong += made != total
        table.add("on" if keepalive else "off", made, total, total - made, events, spans, f"{made / report['seconds']:.0f}")
    return table, "Not equal." if wrong else "Exactly equal."


bench(measure)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of the agent and of its BPF maps, idle and under load."""
import concurrent.futures

from common import Table, agent_on, bench, hello, load, map_bytes, saturate, sink, status_bytes

MIB = 1 << 20


def sample(agent):
    """(RSS, anonymous RSS, maps by the agent's own metric, maps by the kernel's charge), bytes"""
    own = agent.self_value("bpf_map_bytes")
    return status_bytes(agent.pid, "VmRSS"), status_bytes(agent.pid, "RssAnon"), own, map_bytes(agent)


def most_while(agent, work):
    """The sample with the largest RSS + maps taken while `work` runs, and after it."""
    samples = [sample(agent)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(work)
        while not running.done():
            concurrent.futures.wait([running], timeout=0.2)
            samples.append(sample(agent))
        running.result()		# raises what `work` raised
    return max(samples, key=lambda s: s[0] + max(s[2], s[3]))


def measure(t, options):
    """One agent with metrics and spans exported; the largest of samples 0.2 s apart."""
    server, url = hello(t), sink(t)
    agent = agent_on(t, server, otlp=url)
    rows = [("idle", sample(agent), "<= 16")]
    works = [("64 connections, saturated", lambda: saturate(t, server, options.seconds * 2)),
             ("1000 connections, saturated", lambda: saturate(t, server, options.seconds * 2, connections=1000)),
             ("64 connections, a new one each request", lambda: load(t, server.url, 100_000, keepalive=False))]
    for name, work in works:
        rows.append((name, most_while(agent, work), "<= 24"))
    rows.append(("idle again", sample(agent), ""))
    agent.stop()
    table = Table("MiB", "RSS", "of it anonymous", "maps, sonde_bpf_map_bytes", "maps, memlock", "RSS + maps", "bar")
    for name, (rss, anonymous, own, charged), bar in rows:
        table.add(name, *[f"{n / MIB:.1f}" for n in (rss, anonymous, own, charged, rss + max(own, charged))], bar)
    return table, ""


bench(measure)

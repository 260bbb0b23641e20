#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Latency as the agent's histograms have it against what the client itself measured."""
import json

from common import Agent, Failure, ROOT, Table, bench, go_build, load
from lib import servers

LOADS = (("/slow?ms=2", 500, 8), ("/slow?ms=20", 200, 8), ("/sized?n=1000000", 300, 4), ("/", 2000, 8))


def quantile(exponential, q):
    """Seconds; geometric within the bucket, whose bounds are powers of 2^(2^-scale) s."""
    counts = exponential["counts"]
    base, wanted = 2 ** (2 ** -exponential["scale"]), q * (sum(counts) + exponential["zero"])
    below = exponential["zero"]
    for i, count in enumerate(counts):
        if count and below + count >= wanted:
            return base ** (exponential["offset"] + i + (wanted - below) / count)
        below += count
    raise Failure("the histogram is empty")


def histogram(agent, role, route):
    """The exponential histogram of a route, from /services; clients know no routes."""
    answer = agent.get("/services")
    if not answer or answer[0] != 200:
        raise Failure("/services does not answer")
    for service in json.loads(answer[2])["services"]:
        for one in service["routes"]:
            if service["role"] == role and one["route"] == (route if role == "server" else ""):
                return one["duration"]["exponential"]
    raise Failure(f"/services has no {role} route {route}")


def measure(t, options):
    """Both ends are watched: the client's role spans what the client itself timed, the server's what it could."""
    table = Table("route, requests/s", "quantile", "client itself, us", "agent, client's end, us", "apart, %",
                  "agent, server's end, us", "apart, %")
    server = servers.go_web(t)
    binary = t.copy(go_build(ROOT / "tests/bench/load", "load"), "latency-load")
    worst = 0
    for path, rate, connections in LOADS:
        route = path.split("?")[0]
        agent = Agent(t, *server.select(), "--exe", binary, printed=False)
        count = int(rate * options.seconds * 2)
        report = load(t, server.url + path, count, connections=connections, rate=rate, binary=binary)
        for role in ("server", "client"):
            agent.expect({"GET 200" if role == "client" else f"GET {route} 200": count}, role=role, port=server.port)
        for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            own = report["latency_ns"][name] / 1e9
            seen = [quantile(histogram(agent, role, route), q) for role in ("client", "server")]
            cells = [cell for s in seen for cell in (f"{s * 1e6:.0f}", f"{100 * (s / own - 1):+.1f}")]
            table.add(f"`{path}`, {rate}", name, f"{own * 1e6:.0f}", *cells)
            if name == "p50":
                worst = max(worst, abs(100 * (seen[0] / own - 1)))
        agent.stop()
    return table, (f"Medians at the client's end: at most {worst:.1f} % apart (bar: 5 %, or explained). The server's end does not "
                   "have the way between the two processes and their wake-ups, which is most of a short request.")


bench(measure)

# SPDX-License-Identifier: Apache-2.0
"""The agent under test: started with a port of its own, asked over /metrics, ended with SIGTERM.

Every agent also prints its requests as JSON lines (--print json). Expectations are checked against
/metrics while it runs and once more against those lines after its end, when all is flushed: so
a request counted twice, or late, is found too.
"""
import collections
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import signal

from .harness import Failure, SONDE, Skip, free_port
from .prom import Samples

HOOK = os.environ.get("HOOK")	# run all tests with this --socket-hook
UNANSWERED = "-"		# status of a request that never got a response


def clean_environment(extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "SONDE_"))}
    env.update(extra or {})
    return env


def agent_argv(*options, port=None, printed=True):
    argv = [SONDE, "agent"]
    if port:
        argv += ["--listen", f"127.0.0.1:{port}"]
    if printed:
        argv += ["--print", "json"]
    if HOOK and "--socket-hook" not in options:
        argv += ["--socket-hook", HOOK]
    return argv + [str(o) for o in options]


def key_of(role, method, route, status):
    """What requests are counted by: `METHOD ROUTE STATUS`; clients know no routes: `METHOD STATUS`."""
    return f"{method} {route} {status or UNANSWERED}" if role == "server" else f"{method} {status or UNANSWERED}"


def line_key(line):
    return key_of(line["role"], line["method"], line.get("route"), line.get("status"))


def allowing(want, got, unanswered):
    """`want`, with at most `unanswered` of what has no status in `got`: each instead of a 200, or beside them."""
    moved = {key: n for key, n in got.items() if key.endswith(" " + UNANSWERED)}
    if not 0 < sum(moved.values()) <= unanswered:
        return want
    want = collections.Counter(want)
    for key, n in moved.items():
        answered = key[:-len(UNANSWERED)] + "200"
        if 0 <= want[answered] - got[answered] <= n:
            want[answered], want[key] = got[answered], n
    return want


class Agent:
    def __init__(self, t, *options, config=None, env=None, ready=True, prefix=(), printed=True, setup=None):
        if not os.access(SONDE, os.X_OK):
            raise Skip(f"{SONDE} is not built")
        self.t, self.port, self.printed = t, free_port(), printed
        if config is not None:
            options += ("-c", t.file(f"sonde-{self.port}.yaml", config))
        argv = list(prefix) + agent_argv(*options, port=self.port, printed=printed)
        self.process = t.spawn(argv, "sonde", env=clean_environment(env), setup=setup)
        self.expected = []
        if ready:
            self.wait_ready()

    @property
    def pid(self):
        return self.process.pid

    def get(self, path, **headers):
        """(status, headers, body bytes); None when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            body = response.read()
            if response.getheader("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            return response.status, dict(response.getheaders()), body
        except OSError:
            return None
        finally:
            connection.close()

    def ready(self):
        if not self.process.alive():
            raise Failure(f"the agent ended with {self.process.popen.returncode}: {self.process.errors().strip()[-300:]}")
        answer = self.get("/readyz")
        return answer is not None and answer[0] == 200

    def wait_ready(self, seconds=20):
        self.t.wait(self.ready, "/readyz answers 200", seconds)

    def metrics(self):
        answer = self.get("/metrics")
        if answer is None or answer[0] != 200:
            raise Failure(f"/metrics answered {answer and answer[0]}: {self.process.errors().strip()[-300:]}")
        return Samples(answer[2].decode())

    def self_value(self, name, **labels):
        return self.metrics().sum("sonde_" + name, **labels)

    # --- counts ---------------------------------------------------------------------------
    def counts(self, role="server", port=None, samples=None, **labels):
        """Counter by key_of(); of one server port, unless None."""
        samples = samples or self.metrics()
        if port is not None:
            labels["server_port"] = port
        found = collections.Counter()
        for of, value in samples.select(f"http_{role}_request_duration_seconds_count", **labels):
            found[key_of(role, of.get("http_request_method"), of.get("http_route"),
                         of.get("http_response_status_code"))] += int(value)
        return +found

    def lines(self, role="server", port=None):
        found = []
        for text in self.process.output().splitlines():
            line = json.loads(text)
            if line.get("role") == role and (port is None or line.get("server_port") == port):
                found.append(line)
        return found

    def expect(self, want, role="server", port=None, seconds=20, unanswered=0, **labels):
        """Waits until as many requests are counted; they must be exactly these.

        `unanswered`: as many may have no status, because the client left before the answer; a server's
        own log may have such a request, or not.
        """
        want = +collections.Counter(want)
        last = None

        def settled():
            nonlocal last
            last = self.counts(role, port, **labels)
            return last == allowing(want, last, unanswered) or sum(last.values()) > sum(want.values()) + unanswered

        with contextlib.suppress(Failure):
            self.t.wait(settled, "as many are counted", seconds)
        self.t.equal(dict(last), dict(allowing(want, last, unanswered)), f"{role} requests counted within {seconds} s")
        if not labels:
            self.expected = [e for e in self.expected if e[1:3] != (role, port)] + [(want, role, port, unanswered)]

    def expect_none(self, role="server", **labels):
        self.t.equal(dict(self.counts(role, **labels)), {}, f"{role} requests counted")

    def histogram(self, name, **labels):
        """(count, sum) over all series that match."""
        samples = self.metrics()
        return samples.sum(name + "_count", **labels), samples.sum(name + "_sum", **labels)

    def body_bytes(self, which, route, role="server", **labels):
        return self.histogram(f"http_{role}_{which}_body_size_bytes", http_route=route, **labels)[1]

    def durations(self, route, role="server", port=None):
        """Seconds of each printed request, in order."""
        return [line["duration_seconds"] for line in self.lines(role, port) if line["route"] == route]

    # --- the end --------------------------------------------------------------------------
    def stop(self, number=signal.SIGTERM):
        """Flush and exit 0; then the printed lines must agree with every expectation."""
        dropped = self.self_value("spans_dropped_total", reason="batch_full") if self.expected else 0
        status = self.process.stop(number, seconds=15)
        if status != 0:
            raise Failure(f"the agent ended with {status}: {self.process.errors().strip()[-300:]}")
        if self.printed:
            for expected in self.expected:
                dropped -= self.check_lines(*expected, dropped)
        return status

    def check_lines(self, want, role, port, unanswered, dropped):
        """Every request has its line, but for as many as the agent itself counted as dropped; returns how many."""
        got = collections.Counter(line_key(line) for line in self.lines(role, port))
        want = allowing(want, got, unanswered)
        missing = want - got
        if sum(missing.values()) > dropped or got - want:
            raise Failure(f"{role} requests printed: got {dict(got)}, want {dict(want)}, {dropped:.0f} counted as dropped")
        return sum(missing.values())

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def bpf_ids(self):
        """{"prog": ids, "map": ids} of what the agent's descriptors hold."""
        found = {"prog": set(), "map": set()}
        for info in pathlib.Path(f"/proc/{self.pid}/fdinfo").iterdir():
            with contextlib.suppress(FileNotFoundError):	# closed meanwhile
                for row in info.read_text().splitlines():
                    for kind in found:
                        if row.startswith(f"{kind}_id:"):
                            found[kind].add(int(row.split()[1]))
        return found

# SPDX-License-Identifier: Apache-2.0
"""What leaves the agent: to a real Prometheus, to an OTLP endpoint in every mood, to a real Collector."""
import http.client
import json
import os
import pathlib
import re
import time
import urllib.parse

from lib import servers
from lib.agent import Agent
from lib.harness import Failure, PYTHON, Skip, free_port, program, test
from lib.otlp import Sink, attributes
from lib.wire import Wire

ROUTES = (("/", 200), ("/status?code=404", 404), ("/status?code=500", 500), ("/sized?n=1000", 200), ("/slow?ms=20", 200))
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def load(t, server, times):
    """Each route `times` times on one connection; returns what to expect of them."""
    wire, want = Wire(t, (server.host, server.port)), {}
    for path, status in ROUTES:
        for _ in range(times):
            t.equal(wire.get(path)[0], status, path)
        key = f"GET {path.split('?')[0]} {status}"
        want[key] = want.get(key, 0) + times
    wire.close()
    return want


def get_json(port, path, **query):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path + "?" + urllib.parse.urlencode(query))
        return json.loads(connection.getresponse().read())
    except (OSError, ValueError):
        return None
    finally:
        connection.close()


# --- Prometheus ----------------------------------------------------------------------------------
PROMETHEUS = """global: {{scrape_interval: 500ms, scrape_timeout: 400ms}}
scrape_configs: [{{job_name: sonde, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]
"""


class Prometheus:
    def __init__(self, t, agent):
        self.t, self.port = t, free_port()
        config = t.file("prometheus.yml", PROMETHEUS.format(port=agent.port))
        t.spawn([program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={t.directory}/tsdb",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--enable-feature=exemplar-storage"], "prometheus")
        t.wait(lambda: self.value('up{job="sonde"}') == 1, "Prometheus scrapes the agent", 30)

    def query(self, expression):
        answer = get_json(self.port, "/api/v1/query", query=expression)
        return answer["data"]["result"] if answer and answer["status"] == "success" else []

    def value(self, expression):
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def exemplars(self, expression):
        now = time.time()
        answer = get_json(self.port, "/api/v1/query_exemplars", query=expression, start=now - 300, end=now + 10)
        return [e for series in (answer or {}).get("data", []) for e in series["exemplars"]]


@test
def promql_over_a_real_prometheus_equals_the_true_count(t):
    server = servers.go_web(t)
    sink = Sink(t)
    agent = Agent(t, *server.select(), "--otlp", sink.url)
    prometheus = Prometheus(t, agent)
    of = f'{{server_port="{server.port}"}}'
    want = load(t, server, 40)
    report = servers.exact_load(t, server.url, 3000)
    want["GET / 200"] += report["requests"]
    total = sum(want.values())
    agent.expect(want, port=server.port)

    t.wait(lambda: prometheus.value(f"sum(http_server_request_duration_seconds_count{of})") == total,
           f"PromQL says {total} requests")
    t.equal(prometheus.value(f'sum(http_server_request_duration_seconds_bucket{{server_port="{server.port}",le="+Inf"}})'), total, "+Inf buckets")
    for key, count in want.items():
        method, route, status = key.split()
        labels = f'{{server_port="{server.port}",http_request_method="{method}",http_route="{route}",http_response_status_code="{status}"}}'
        t.equal(prometheus.value(f"sum(http_server_request_duration_seconds_count{labels})"), count, key)
    p50 = prometheus.value(f'histogram_quantile(0.5, sum by (le) (http_server_request_duration_seconds_bucket{{http_route="/slow",server_port="{server.port}"}}))')
    t.between(p50, 0.010, 0.05, "p50 of /slow (20 ms) by histogram_quantile")
    t.true(prometheus.query("target_info"), "no target_info")
    t.true(prometheus.query("sonde_events_total"), "no sonde_events_total")

    found = t.wait(lambda: prometheus.exemplars(f"http_server_request_duration_seconds_bucket{of}"), "exemplars are stored")
    agent.stop()
    spans = {(s["trace_id"].hex(), s["span_id"].hex()) for _, s in sink.spans()}
    for exemplar in found:
        ids = (exemplar["labels"]["trace_id"], exemplar["labels"]["span_id"])
        t.true(ids in spans, f"exemplar {ids} is no span that was exported")


@test
def promtool_finds_nothing_in_the_text_format(t):
    server = servers.go_web(t)
    agent = Agent(t, *server.select())
    want = load(t, server, 5)
    agent.expect(want, port=server.port)
    status, headers, body = agent.get("/metrics", Accept="text/plain;version=0.0.4")
    t.true(headers["Content-Type"].startswith("text/plain"), f"content type {headers['Content-Type']}")
    done = t.run([program("promtool"), "check", "metrics"], input=body.decode())
    t.equal((done.returncode, done.stdout + done.stderr), (0, ""), "promtool check metrics")
    agent.stop()


def openmetrics_faults(text):
    """What OpenMetrics 1.0 forbids, as far as an exporter can get it wrong."""
    faults, families, family, kind, seen = [], {}, None, None, set()
    suffixes = {"counter": ("_total", "_created"), "histogram": ("_bucket", "_sum", "_count", "_created"),
                "gauge": ("",), "info": ("_info",), "unknown": ("",)}
    if not text.endswith("# EOF\n") or text.count("# EOF") != 1:
        faults.append("does not end with one # EOF")
    for line in text.splitlines()[:-1]:
        if line.startswith("# "):
            _, word, name, *rest = line.split(" ", 3)
            if word == "TYPE":
                if name in families:
                    faults.append(f"family {name} twice")
                family, kind, families[name] = name, rest[0], rest[0]
            elif word == "UNIT" and not name.endswith("_" + rest[0]):
                faults.append(f"unit {rest[0]} is not the suffix of {name}")
            continue
        name = re.match(r"[^{ ]+", line)[0]
        if family is None or name not in [family + s for s in suffixes[kind]]:
            faults.append(f"{name} stands in family {family} of type {kind}")
        series = line.split(" # ")[0].rsplit(" ", 1)[0]
        if series in seen:
            faults.append(f"{series} twice")
        seen.add(series)
        if " # " in line and not name.endswith(("_bucket", "_total")):
            faults.append(f"exemplar on {name}")
    return faults


@test
def openmetrics_is_what_the_specification_says(t):
    server = servers.go_web(t)
    agent = Agent(t, *server.select())
    want = load(t, server, 5)
    agent.expect(want, port=server.port)
    status, headers, body = agent.get("/metrics", Accept=OPENMETRICS)
    t.true(headers["Content-Type"].startswith("application/openmetrics-text"), f"content type {headers['Content-Type']}")
    t.equal(openmetrics_faults(body.decode()), [], "faults")
    agent.stop()


@test
def metrics_come_gzipped_to_who_takes_it(t):
    server = servers.go_web(t)
    agent = Agent(t, *server.select())
    agent.expect(load(t, server, 5), port=server.port)
    _, plain_headers, plain = agent.get("/metrics")
    _, headers, body = agent.get("/metrics", **{"Accept-Encoding": "gzip"})
    t.equal((plain_headers.get("Content-Encoding"), headers.get("Content-Encoding")), (None, "gzip"), "encodings")
    t.true(int(headers["Content-Length"]) < len(plain) / 2, "gzip saves nothing")
    names = [re.findall(rb"^# TYPE (\S+)", text, re.M) for text in (plain, body)]
    t.equal(names[1], names[0], "families")
    agent.stop()


@test
def health_and_unknown_paths(t):
    server = servers.go_web(t)
    agent = Agent(t, *server.select())
    t.equal([agent.get(path)[0] for path in ("/healthz", "/readyz", "/metrics", "/nowhere")], [200, 200, 200, 404], "statuses")
    agent.stop()


# --- OTLP ----------------------------------------------------------------------------------------
FAST = {"OTEL_METRIC_EXPORT_INTERVAL": "500"}


def otlp_agent(t, server, sink, env=None, **more):
    return Agent(t, *server.select(), "--otlp", sink.url, env={**FAST, **(env or {})}, **more)


def all_spans(t, sink, count, seconds=40):
    t.wait(lambda: len(sink.spans()) >= count, f"{count} spans arrived", seconds)
    spans = sink.spans()
    t.equal(len(spans), count, "spans")
    t.equal(len({s["span_id"] for _, s in spans}), count, "different span ids")
    return spans


def tally(spans):
    got = {}
    for _, span in spans:
        of = attributes(span)
        key = f"{of['http.request.method']} {of['http.route']} {of.get('http.response.status_code')}"
        got[key] = got.get(key, 0) + 1
    return got


@test
def every_request_is_a_span_with_its_attributes(t):
    server, sink = servers.go_web(t), Sink(t)
    before = time.time_ns()
    agent = otlp_agent(t, server, sink)
    want = load(t, server, 20)
    spans = all_spans(t, sink, sum(want.values()))
    after = time.time_ns()
    t.equal(tally(spans), want, "spans by route and status")
    for who, span in spans:
        of = attributes(span)
        t.equal((len(span["trace_id"]), len(span["span_id"])), (16, 8), "lengths of ids")
        t.true(any(span["trace_id"]) and any(span["span_id"]), "an id is all zero")
        t.equal(span["kind"], 2, "kind SERVER")
        t.equal(span["name"], f"GET {of['http.route']}", "name")
        t.true(before <= span["start"] <= span["end"] <= after, f"times {span['start']}..{span['end']}, not in {before}..{after}")
        t.equal((of["url.path"], of["url.scheme"], of["network.protocol.version"]), (of["http.route"], "http", "1.1"), "url.path, url.scheme, version")
        t.equal((of["server.port"], of["client.address"]), (server.port, "127.0.0.1"), "server.port, client.address")
        t.equal(who["service.name"], "web", "service.name")
        t.equal(who["telemetry.sdk.name"], "sonde", "telemetry.sdk.name")
        error = of["http.response.status_code"] >= 500
        t.equal(span.get("status", {}).get("code", 0), 2 if error else 0, f"status of {of['http.response.status_code']}")
        t.equal(of.get("error.type"), "500" if error else None, "error.type")
    slow = [s["end"] - s["start"] for _, s in spans if attributes(s)["http.route"] == "/slow"]
    t.between(min(slow) / 1e9, 0.0195, 0.040, "least duration of /slow (20 ms)")
    query = {attributes(s).get("url.query") for _, s in spans if attributes(s)["http.route"] == "/sized"}
    t.equal(query, {"n=1000"}, "url.query")
    agent.expect(want, port=server.port)
    agent.stop()


@test
def secrets_in_queries_do_not_leave(t):
    server, sink = servers.go_web(t), Sink(t)
    agent = otlp_agent(t, server, sink)
    Wire(t, (server.host, server.port)).get("/?token=hunter2&a=1&password=hunter2&sig=hunter2")
    (_, span), = all_spans(t, sink, 1)
    t.true("a=1" in attributes(span)["url.query"], f"url.query is {attributes(span)['url.query']}")
    agent.stop()
    t.true(not any(b"hunter2" in body for _, body in sink.accepted), "a secret was exported")
    t.true("hunter2" not in agent.process.output(), "a secret was printed")


@test
def metrics_over_otlp_are_those_of_the_scrape(t):
    server, sink = servers.go_web(t), Sink(t)
    agent = otlp_agent(t, server, sink)
    want = load(t, server, 20)
    total = sum(want.values())
    t.wait(lambda: sink.metric_count("http.server.request.duration") >= total, "all requests arrived as metrics", 30)
    points = sink.metric_points("http.server.request.duration").values()
    got = {}
    for who, point in points:
        of = attributes(point)
        got[f"{of['http.request.method']} {of['http.route']} {of['http.response.status_code']}"] = point["count"]
        t.equal(who["service.name"], "web", "service.name")
        t.true(point["start"] < point["time"], "the point ends before it starts")
        if "bucket_counts" in point and point["bucket_counts"]:
            t.equal(sum(point["bucket_counts"]), point["count"], "buckets")
            t.equal(len(point["bucket_counts"]), len(point["bounds"]) + 1, "number of buckets")
        if "positive" in point:
            t.equal(sum(point["positive"]["counts"]) + point.get("zero_count", 0), point["count"], "exponential buckets")
    t.equal(got, want, "counts over OTLP")
    agent.expect(want, port=server.port)
    events = [point for _, point in sink.metric_points("sonde_events").values() if attributes(point).get("kind") == "socket"]
    t.true(events and events[0]["as_int"] > 0, "no sonde_events over OTLP")
    agent.stop()


@test
def exponential_histograms_over_otlp(t):
    server, sink = servers.go_web(t), Sink(t)
    env = {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram"}
    agent = otlp_agent(t, server, sink, env)
    want = load(t, server, 20)
    t.wait(lambda: sink.metric_count("http.server.request.duration") >= sum(want.values()), "all requests arrived", 30)
    for _, point in sink.metric_points("http.server.request.duration").values():
        t.true("positive" in point, "not exponential")
        t.equal(sum(point["positive"]["counts"]) + point.get("zero_count", 0), point["count"], "buckets")
        if attributes(point)["http.route"] == "/slow":
            base = 2 ** (2 ** -point.get("scale", 0))
            low = base ** point["positive"].get("offset", 0)
            t.between(low, 0.015, 0.021, "lower bound of the first bucket of /slow (20 ms), in s")
    agent.stop()


@test
def standard_variables_are_obeyed(t):
    server, sink = servers.go_web(t), Sink(t)
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=blue,x-two=2",
           "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test", **FAST}
    agent = Agent(t, *server.select(), env=env)
    want = load(t, server, 5)
    spans = all_spans(t, sink, sum(want.values()))
    t.equal({who.get("deployment.environment.name") for who, _ in spans}, {"test"}, "resource attribute")
    for path, headers, *_ in sink.requests:
        headers = {k.lower(): v for k, v in headers.items()}
        t.equal([headers.get(k) for k in ("x-tenant", "x-two", "content-encoding", "content-type")],
                ["blue", "2", "gzip", "application/x-protobuf"], f"headers to {path}")
    agent.stop()


@test
def an_unsampled_request_is_a_metric_and_no_span(t):
    server, sink = servers.go_web(t), Sink(t)
    agent = otlp_agent(t, server, sink, {"OTEL_TRACES_SAMPLER": "always_off"})
    want = load(t, server, 20)
    agent.expect(want, port=server.port)
    t.wait(lambda: sink.metric_count("http.server.request.duration") >= sum(want.values()), "all requests arrived as metrics", 30)
    agent.stop()
    t.equal(len(sink.spans()), 0, "spans at the endpoint")


def traces_only(path, answer):
    return answer if path == "/v1/traces" else None


@test
def endpoint_down_at_the_start(t):
    server, sink = servers.go_web(t), Sink(t, port=free_port(), start=False)
    agent = otlp_agent(t, server, sink)
    want = load(t, server, 60)
    agent.expect(want, port=server.port)
    t.wait(lambda: agent.self_value("export_requests_total", signal="traces", result="retry") >= 1, "an attempt failed")
    sink.start()
    t.equal(tally(all_spans(t, sink, sum(want.values()))), want, "spans")
    t.wait(lambda: sink.metric_count("http.server.request.duration") >= sum(want.values()), "metrics arrived", 30)
    t.equal(agent.self_value("spans_dropped_total"), 0, "spans dropped")
    t.true("sonde: " in agent.process.errors(), "not a word about the endpoint")
    agent.stop()


@test
def endpoint_slow(t):
    server, sink = servers.go_web(t), Sink(t)
    agent = otlp_agent(t, server, sink)
    sink.hold()
    want = load(t, server, 60)
    agent.expect(want, port=server.port)
    t.wait(lambda: sink.requests, "a request waits for its answer")
    sink.release()
    t.equal(tally(all_spans(t, sink, sum(want.values()))), want, "spans")
    agent.stop()


@test
def endpoint_that_never_answers_does_not_stop_the_rest(t):
    server, sink = servers.go_web(t), Sink(t)
    agent = otlp_agent(t, server, sink, {"OTEL_EXPORTER_OTLP_TIMEOUT": "1000"})
    sink.hold()
    want = load(t, server, 60)
    agent.expect(want, port=server.port)
    t.wait(lambda: agent.self_value("export_requests_total", result="retry") >= 1, "the time-out counts as a retry")
    for _ in range(10):
        start = time.monotonic()
        agent.metrics()
        t.between(time.monotonic() - start, 0, 0.5, "seconds a scrape took")
    sink.release()
    t.wait(lambda: len({s["span_id"] for _, s in sink.spans()}) >= sum(want.values()), "all spans arrived", 40)
    agent.stop()


@test
def endpoint_answering_400_is_not_asked_again(t):
    server = servers.go_web(t)
    sink = Sink(t, behave=lambda path, n: traces_only(path, (400, {}, b"")))
    agent = otlp_agent(t, server, sink)
    want = load(t, server, 60)
    total = sum(want.values())
    agent.expect(want, port=server.port)
    t.wait(lambda: agent.self_value("spans_dropped_total", reason="rejected") >= total, "the refused spans are counted", 30)
    t.equal(agent.self_value("spans_dropped_total"), total, "spans dropped")
    t.equal(agent.self_value("spans_dropped_total", reason="rejected"), total, "spans rejected")
    t.true("400" in agent.process.errors(), "the log does not name the answer")
    sink.behave = None
    more = load(t, server, 10)
    all_spans(t, sink, sum(more.values()))
    agent.expect({k: want[k] + more[k] for k in want}, port=server.port)
    agent.stop()


def refused_then_taken(t, status, headers, times=2):
    """The first answers to spans are `status`; later all are taken, once."""
    server, refused = servers.go_web(t), []

    def behave(path, _):
        if path == "/v1/traces" and len(refused) < times:
            refused.append(time.monotonic())
            return status, headers, b""
        return None

    sink = Sink(t, behave=behave)
    agent = otlp_agent(t, server, sink)
    want = load(t, server, 60)
    agent.expect(want, port=server.port)
    t.equal(tally(all_spans(t, sink, sum(want.values()))), want, "spans")
    t.equal(agent.self_value("spans_dropped_total"), 0, "spans dropped")
    t.equal(agent.self_value("export_requests_total", signal="traces", result="retry"), times, "retries")
    agent.stop()
    return refused


@test
def endpoint_answering_503_is_asked_again(t):
    refused_then_taken(t, 503, {})


@test
def endpoint_answering_429_is_asked_again_after_what_it_says(t):
    first, second = refused_then_taken(t, 429, {"Retry-After": "2"})
    t.between(second - first, 1.9, 10, "seconds between two attempts (Retry-After: 2)")


@test
def endpoint_restarted(t):
    server, sink = servers.go_web(t), Sink(t)
    agent = otlp_agent(t, server, sink)
    want = load(t, server, 30)
    all_spans(t, sink, sum(want.values()))
    sink.stop()
    more = load(t, server, 30)
    want = {k: want[k] + more[k] for k in want}
    agent.expect(want, port=server.port)
    t.wait(lambda: agent.self_value("export_requests_total", signal="traces", result="retry") >= 1, "an attempt failed")
    sink.start()
    t.equal(tally(all_spans(t, sink, sum(want.values()))), want, "spans")
    agent.stop()


@test
def a_queue_too_small_drops_the_oldest_and_counts_them(t):
    server, sink = servers.go_web(t), Sink(t, port=free_port(), start=False)
    agent = otlp_agent(t, server, sink, config="otlp:\n  queue_bytes: 64K\n")
    servers.exact_load(t, server.url, 20000)
    agent.expect({"GET / 200": 20000}, port=server.port)
    t.wait(lambda: agent.self_value("spans_dropped_total", reason="export_queue_full") > 0, "spans were dropped")
    t.true(agent.self_value("export_queue_bytes") <= 65536, "the queue is longer than its maximum")
    sink.start()
    t.wait(lambda: len(sink.spans()) + agent.self_value("spans_dropped_total") >= 20000, "every span arrived or is counted as dropped", 40)
    t.equal(len(sink.spans()) + agent.self_value("spans_dropped_total"), 20000, "spans arrived and dropped")
    agent.stop()


@test
def a_partial_success_is_counted(t):
    server = servers.go_web(t)
    rejected_3 = b"\x0a\x02\x08\x03"	# ExportTraceServiceResponse.partial_success.rejected_spans = 3
    sink = Sink(t, behave=lambda path, n: traces_only(path, (200, {}, rejected_3)))
    agent = otlp_agent(t, server, sink)
    want = load(t, server, 10)
    all_spans(t, sink, sum(want.values()))
    t.wait(lambda: agent.self_value("export_requests_total", signal="traces", result="partial") >= 1, "partial is counted")
    t.true(agent.self_value("spans_dropped_total", reason="rejected") >= 3, "the 3 refused spans are not counted")
    agent.stop()


# --- a real Collector ----------------------------------------------------------------------------
COLLECTOR = """receivers:
  otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:{port}}}}}}}
exporters:
  file/metrics: {{path: {out}/metrics.jsonl, flush_interval: 100ms}}
  file/traces: {{path: {out}/traces.jsonl, flush_interval: 100ms}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [file/metrics]}}
    traces: {{receivers: [otlp], exporters: [file/traces]}}
"""


def collector_binary():
    """An OpenTelemetry Collector with the OTLP receiver and the file exporter."""
    cached = pathlib.Path.home() / ".cache/sonde/bin/otelsink"
    for path in (os.environ.get("SONDE_COLLECTOR"), cached):
        if path and os.access(path, os.X_OK):
            return path
    raise Skip("no OpenTelemetry Collector: name one with SONDE_COLLECTOR (needs the file exporter)")


class Collector:
    def __init__(self, t):
        self.t, self.port, self.out = t, free_port(), t.directory
        config = t.file("collector.yaml", COLLECTOR.format(port=self.port, out=t.directory))
        t.spawn([collector_binary(), "--config", config], "collector")
        t.wait(lambda: servers.accepts(self.port), "the Collector listens", 30)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def rows(self, signal):
        path = self.out / f"{signal}.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def spans(self):
        return [span for row in self.rows("traces") for group in row["resourceSpans"]
                for scope in group["scopeSpans"] for span in scope["spans"]]

    def counts(self, name):
        """{(route, status): newest count}"""
        found = {}
        for row in self.rows("metrics"):
            for group in row["resourceMetrics"]:
                for scope in group["scopeMetrics"]:
                    for metric in scope["metrics"]:
                        if metric["name"] != name:
                            continue
                        data = metric.get("histogram") or metric.get("exponentialHistogram")
                        for point in data["dataPoints"]:
                            of = {a["key"]: list(a["value"].values())[0] for a in point["attributes"]}
                            found[f"{of['http.request.method']} {of['http.route']} {of['http.response.status_code']}"] = int(point["count"])
        return found


@test
def a_real_collector_receives_all_spans_and_metrics(t):
    collector = Collector(t)
    server = servers.go_web(t)
    agent = Agent(t, *server.select(), "--otlp", collector.url, env=FAST)
    want = load(t, server, 40)
    servers.exact_load(t, server.url, 5000)
    want["GET / 200"] += 5000
    total = sum(want.values())
    agent.expect(want, port=server.port)
    t.wait(lambda: len(collector.spans()) >= total, "all spans arrived", 30)
    t.equal(len(collector.spans()), total, "spans")
    t.equal(len({s["spanId"] for s in collector.spans()}), total, "different span ids")
    t.wait(lambda: collector.counts("http.server.request.duration") == want, "the metrics are the true counts", 30)
    agent.stop()

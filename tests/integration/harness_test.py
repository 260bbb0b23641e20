# SPDX-License-Identifier: Apache-2.0
"""The tests' own tools, without the agent: servers that answer, clients that count, readers that read."""
import gzip
import http.client
import struct

from lib import otlp, prom, servers
from lib.harness import PYTHON, Failure, test
from lib.wire import Wire, request


def check_server(t, server, paths=("/",)):
    wire = Wire(t, (server.host, server.port))
    for path in paths:
        t.equal(wire.get(path)[0], 200, path)
    if server.served() is not None:
        wire.close()
        t.wait(lambda: server.served() == {f"GET {path.split('?')[0]} 200": 1 for path in paths},
               "the server's own count")


ROUTES = ("/", "/slow?ms=1", "/status", "/sized?n=70000", "/chunked", "/echo")


@test
def go_answers_and_counts(t):
    check_server(t, servers.go_web(t), ROUTES)


@test
def python_answers(t):
    check_server(t, servers.python_web(t), ROUTES)


@test
def node_answers(t):
    check_server(t, servers.node(t), ROUTES)


@test
def nginx_answers_and_counts(t):
    check_server(t, servers.nginx(t), ("/", "/small", "/big", "/status"))


@test
def gunicorn_threads_answer_and_count(t):
    check_server(t, servers.gunicorn(t, "gthread"), ROUTES)


@test
def apache_event_answers_and_counts(t):
    check_server(t, servers.apache(t, "event"), ("/", "/small"))


@test
def apache_prefork_answers_and_counts(t):
    check_server(t, servers.apache(t, "prefork"), ("/", "/small"))


@test
def odd_servers_answer(t):
    for kind in ("threads", "fork", "interim"):
        server = servers.odd(t, kind)
        wire = Wire(t, (server.host, server.port))
        t.equal([wire.get() for _ in range(5)], [(200, 3)] * 5, kind)
        wire.close()
    server = servers.odd(t, "close")
    t.equal(Wire(t, (server.host, server.port)).get(version="1.0"), (200, 500), "close")


@test
def wrk_counts_within_what_was_on_its_way(t):
    server = servers.go_web(t)
    answered, errors = servers.wrk(t, server.url, connections=8)
    t.equal(errors, 0, "wrk's errors")
    t.between(sum(server.served().values()), answered, answered + 8, "the server's own count")


@test
def load_makes_exactly_what_it_was_told(t):
    server = servers.go_web(t)
    for keepalive in (True, False):
        report = servers.exact_load(t, server.url, 5001, connections=7, keepalive=keepalive)
        t.equal((report["requests"], report["statuses"]), (5001, {"200": 5001}), "load's report")
    t.equal(server.served(), {"GET / 200": 10002}, "the server's own count")


@test
def pipelines_are_answered_in_order(t):
    server = servers.python_web(t)
    wire = Wire(t, (server.host, server.port))
    wire.send(request("/") * 15 + request("/sized?n=7"))
    t.equal([wire.answer() for _ in range(16)], [(200, 14)] * 15 + [(200, 7)], "answers")


@test
def clients_say_how_many_answers_they_got(t):
    server = servers.python_web(t)
    for how in ("http.client", "urllib"):
        done = t.run([PYTHON, servers.PROGRAMS / "client.py", server.url, 5, how])
        t.equal(done.stdout.strip(), "5", how)


@test
def prometheus_text_is_read(t):
    text = '# TYPE a histogram\na_bucket{x="q\\"\\\\,}",le="1"} 3 # {trace_id="ab"} 0.5 1.0\na_sum 2.5\n'
    samples = prom.Samples(text)
    t.equal(samples.select("a_bucket", le="1"), [({"x": 'q"\\,}', "le": "1"}, 3.0)], "labels")
    t.equal(samples.exemplars[0][2:], ({"trace_id": "ab"}, 0.5), "exemplar")
    t.equal(samples.sum("a_sum"), 2.5, "sum")
    try:
        prom.Samples("a{x=1} 2\n")
    except ValueError:
        return
    raise Failure("a broken line was taken")


def post(port, path, body, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", path, body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def field(number, content):
    if isinstance(content, bytes):
        return bytes([number << 3 | 2, len(content)]) + content
    return bytes([number << 3 | 1]) + struct.pack("<Q", content)


@test
def otlp_sink_reads_spans_and_refuses_unknown_fields(t):
    answers = [(503, {"Retry-After": "1"}, b""), None]
    sink = otlp.Sink(t, behave=lambda path, n: answers[n])
    attribute = field(9, field(1, b"k") + field(2, field(1, b"v")))
    span = field(1, bytes(range(16))) + field(5, b"GET /") + field(7, 1 << 40) + attribute
    body = field(1, field(2, field(2, span)))
    t.equal(post(sink.port, "/v1/traces", body), 503, "first answer")
    t.equal(post(sink.port, "/v1/traces", gzip.compress(body), **{"Content-Encoding": "gzip"}), 200, "second answer")
    (_, got), = sink.spans()
    t.equal((got["name"], got["start"], otlp.attributes(got)), ("GET /", 1 << 40, {"k": "v"}), "span")
    try:
        otlp.decode("Span", field(14, b""))
    except ValueError:
        return
    raise Failure("an unknown field was taken")


@test
def a_unix_socket_is_served(t):
    path = t.directory / "go.sock"
    servers.go_web(t, f"unix:{path}")
    t.wait(path.exists, "the socket is there")
    t.equal(Wire(t, path).get(), (200, 14), "answer")

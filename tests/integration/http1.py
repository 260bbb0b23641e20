# SPDX-License-Identifier: Apache-2.0
"""HTTP/1 as it really comes: framing, pieces, pipelines, odd connections, sudden ends.

Each test asserts counts by status, body bytes where they are known, and durations where the
server makes them.
"""
import base64
import os
import signal
import socket
import statistics
import threading

from lib import servers
from lib.agent import Agent
from lib.harness import Failure, program, test
from lib.wire import Wire, request

MIB = 1 << 20


def connect(t, server):
    return Wire(t, (server.host, server.port))


def watch(t, server, *options, **more):
    """An agent on this server, and a connection to it."""
    return Agent(t, *server.select(), *options, **more), connect(t, server)


# --- keep-alive and pipelines ------------------------------------------------------------------
def pipelined(t, server, count, path="/"):
    agent, wire = watch(t, server)
    wire.send(request(path) * count)
    t.equal([wire.answer()[0] for _ in range(count)], [200] * count, "answers")
    wire.get(path)
    agent.expect({f"GET {path} 200": count + 1}, port=server.port)
    agent.stop()


def pipeline_test(name, start, count):
    def check(t):
        pipelined(t, start(t), count)
    check.__name__ = f"pipeline_of_{count}_to_{name}"
    test(check)


for name_, start_ in (("go", servers.go_web), ("nginx", servers.nginx), ("python", servers.python_web)):
    for count_ in (3, 16, 100):
        pipeline_test(name_, start_, count_)


@test
def pipeline_of_different_routes_and_statuses(t):
    server = servers.go_web(t)
    agent, wire = watch(t, server)
    wire.send(request("/status?code=404") + request("/echo", "POST", body=b"x" * 100) + request("/") + request("/status?code=500"))
    t.equal([wire.answer()[0] for _ in range(4)], [404, 200, 200, 500], "answers")
    agent.expect({"GET /status 404": 1, "POST /echo 200": 1, "GET / 200": 1, "GET /status 500": 1}, port=server.port)
    t.equal(agent.body_bytes("request", "/echo", server_port=server.port), 100, "request body")
    agent.stop()


@test
def keep_alive_of_a_thousand_on_one_connection(t):
    server = servers.node(t)
    agent, wire = watch(t, server)
    for _ in range(1000):
        wire.get()
    agent.expect({"GET / 200": 1000}, port=server.port)
    agent.stop()


@test
def http_1_0_closes_after_each(t):
    server = servers.odd(t, "close")
    agent = Agent(t, *server.select())
    for _ in range(20):
        t.equal(connect(t, server).get(version="1.0"), (200, 500), "answer")
    agent.expect({"GET / 200": 20}, port=server.port)
    t.equal(agent.body_bytes("response", "/", server_port=server.port), 20 * 500, "response bodies")
    agent.stop()


# --- bodies ------------------------------------------------------------------------------------
def chunked_both_ways(t, server, exact=True):
    """`exact`: the response's size is known; not so where one call writes more pieces than a hook reads."""
    agent, wire = watch(t, server)
    body = b"".join(b"%x\r\n%s\r\n" % (n, b"x" * n) for n in (1, 10, 5000)) + b"0\r\n\r\n"
    for _ in range(3):
        wire.send(request("/echo", "POST", "Transfer-Encoding: chunked\r\n"))
        for at in range(0, len(body), 700):
            wire.send(body[at:at + 700])
        t.equal(wire.answer(), (200, 5), "answer")
    for _ in range(4):
        t.equal(wire.get("/chunked?n=50"), (200, 500), "chunked answer")
    agent.expect({"POST /echo 200": 3, "GET /chunked 200": 4}, port=server.port)
    t.equal(agent.body_bytes("request", "/echo", server_port=server.port), 3 * 5011, "request bodies")
    size = agent.body_bytes("response", "/chunked", server_port=server.port)
    t.between(size, 4 * 500 if exact else 1, 4 * 500, "response bodies")
    agent.stop()


@test
def chunked_bodies_both_ways_go(t):
    chunked_both_ways(t, servers.go_web(t))


@test
def chunked_bodies_both_ways_python(t):
    chunked_both_ways(t, servers.python_web(t))


@test
def chunked_bodies_both_ways_node(t):
    chunked_both_ways(t, servers.node(t), exact=False)


@test
def head_has_a_length_and_no_body(t):
    server = servers.python_web(t)
    agent, wire = watch(t, server)
    for _ in range(5):
        t.equal(wire.get("/sized?n=1000", "HEAD"), (200, 0), "answer")
    wire.get("/")
    agent.expect({"HEAD /sized 200": 5, "GET / 200": 1}, port=server.port)
    t.equal(agent.body_bytes("response", "/sized", server_port=server.port), 0, "response bodies")
    agent.stop()


@test
def answers_204_and_304_have_no_body(t):
    server = servers.go_web(t)
    agent, wire = watch(t, server)
    for status in (204, 304, 204, 304):
        t.equal(wire.get(f"/status?code={status}"), (status, 0), "answer")
    agent.expect({"GET /status 204": 2, "GET /status 304": 2}, port=server.port)
    agent.stop()


@test
def expect_100_continue(t):
    server = servers.go_web(t)
    agent, wire = watch(t, server)
    for _ in range(3):
        wire.send(request("/echo", "POST", "Expect: 100-continue\r\nContent-Length: 4000\r\n").replace(b"Content-Length: 0\r\n", b""))
        t.equal(wire.answer(interim=True)[0], 100, "interim answer")
        wire.send(bytes(4000))
        t.equal(wire.answer()[0], 200, "answer")
    agent.expect({"POST /echo 200": 3}, port=server.port)
    t.equal(agent.body_bytes("request", "/echo", server_port=server.port), 12000, "request bodies")
    agent.stop()


@test
def interim_answers_are_not_counted(t):
    server = servers.odd(t, "interim")
    agent, wire = watch(t, server)
    for _ in range(10):
        t.equal(wire.get()[0], 200, "answer")
    agent.expect({"GET / 200": 10}, port=server.port)
    agent.stop()


def large_down(t, server, path):
    agent, wire = watch(t, server)
    for _ in range(3):
        t.equal(wire.get(path), (200, 10 * MIB), "answer")
    wire.get("/")
    route = path.split("?")[0]
    agent.expect({f"GET {route} 200": 3, "GET / 200": 1}, port=server.port)
    t.equal(agent.body_bytes("response", route, server_port=server.port), 30 * MIB, "response bodies")
    agent.stop()


@test
def ten_mebibytes_down_go(t):
    large_down(t, servers.go_web(t), f"/sized?n={10 * MIB}")


@test
def ten_mebibytes_down_nginx_with_sendfile(t):
    large_down(t, servers.nginx(t, "on"), "/big")


@test
def ten_mebibytes_down_nginx_without_sendfile(t):
    large_down(t, servers.nginx(t, "off"), "/big")


@test
def ten_mebibytes_up(t):
    for server in (servers.go_web(t), servers.python_web(t)):
        agent, wire = watch(t, server)
        for _ in range(2):
            t.equal(wire.get("/echo", "POST", body=bytes(10 * MIB))[0], 200, "answer")
        agent.expect({"POST /echo 200": 2}, port=server.port)
        t.equal(agent.body_bytes("request", "/echo", server_port=server.port), 20 * MIB, "request bodies")
        agent.stop()


# --- heads -------------------------------------------------------------------------------------
def in_pieces(t, server, size):
    agent, wire = watch(t, server)
    for _ in range(3):
        wire.send_pieces(request("/", head="X-Some: thing\r\n"), size)
        t.equal(wire.answer()[0], 200, "answer")
    agent.expect({"GET / 200": 3}, port=server.port)
    agent.stop()


@test
def head_byte_by_byte_go(t):
    in_pieces(t, servers.go_web(t), 1)


@test
def head_byte_by_byte_python(t):
    in_pieces(t, servers.python_web(t), 1)


@test
def head_byte_by_byte_nginx(t):
    in_pieces(t, servers.nginx(t), 1)


@test
def head_in_pieces_of_seven(t):
    in_pieces(t, servers.node(t), 7)


@test
def head_of_twelve_kibibytes(t):
    for server in (servers.go_web(t), servers.nginx(t)):
        agent, wire = watch(t, server)
        cookie = "".join(f"X-Cookie-{n}: {'c' * 1000}\r\n" for n in range(12))
        for _ in range(3):
            t.equal(wire.get("/", head=cookie)[0], 200, "answer")
            t.equal(wire.get("/")[0], 200, "answer after it")
        agent.expect({"GET / 200": 6}, port=server.port)
        agent.stop()


@test
def body_after_a_long_head_is_not_taken_for_a_request(t):
    server = servers.go_web(t)
    agent, wire = watch(t, server)
    padding = "".join(f"X-Pad-{n}: {'p' * 1000}\r\n" for n in range(11))
    trap = request("/trap") * 20
    for _ in range(3):
        t.equal(wire.get("/echo", "POST", head=padding, body=trap)[0], 200, "answer")
    wire.get("/")
    agent.expect({"POST /echo 200": 3, "GET / 200": 1}, port=server.port)
    agent.stop()


@test
def absolute_form_target(t):
    server = servers.go_web(t)
    agent, wire = watch(t, server)
    for _ in range(4):
        t.equal(wire.get(f"http://example.test:{server.port}/sized?n=10"), (200, 10), "answer")
    agent.expect({"GET /sized 200": 4}, port=server.port)
    agent.stop()


# --- what is not (or no longer) HTTP -----------------------------------------------------------
@test
def websocket_ends_the_parsing_not_the_agent(t):
    server = servers.go_web(t)
    agent, wire = watch(t, server)
    key = base64.b64encode(os.urandom(16)).decode()
    wire.send(request("/upgrade", head=f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"))
    t.equal(wire.answer()[0], 101, "answer")
    for _ in range(20):
        trap = request("/trap")
        wire.send(trap)
        t.equal(wire.take(len(trap)), trap, "echo")
    other = connect(t, server)
    other.get("/")
    other.close()
    wire.close()
    agent.expect({"GET /upgrade 101": 1, "GET / 200": 1}, port=server.port)
    agent.stop()


@test
def bytes_that_are_not_http(t):
    odd, web = servers.odd(t, "binary"), servers.python_web(t)
    agent = Agent(t, *odd.select(), *web.select())
    for n in range(20):
        wire = connect(t, odd)
        for size in (10, 1000, 100000):
            body = os.urandom(size)
            wire.send(size.to_bytes(4, "big") + body)
            t.equal(wire.take(4 + size)[4:], body, "echo")
        wire.close()
    wire = connect(t, web)
    for _ in range(10):
        wire.get("/")
    agent.expect({"GET / 200": 10}, port=web.port)
    t.equal(dict(agent.counts(port=odd.port)), {}, "requests counted on the binary port")
    agent.stop()


@test
def a_broken_request_line_gets_400_and_the_next_connection_counts(t):
    server = servers.nginx(t)
    agent = Agent(t, *server.select())
    wire = connect(t, server)
    wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(200))
    wire.rest()
    wire = connect(t, server)
    wire.get("/")
    agent.expect({"GET / 200": 1}, port=server.port)
    agent.stop()


# --- addresses ---------------------------------------------------------------------------------
@test
def ipv6(t):
    server = servers.python_web(t, host="::1")
    agent, wire = watch(t, server)
    for _ in range(10):
        wire.get("/")
    agent.expect({"GET / 200": 10}, port=server.port)
    agent.stop()
    addresses = {line.get("client") for line in agent.lines(port=server.port)}
    t.true(addresses <= {"::1"}, f"client address of IPv6 requests: {addresses}")


@test
def unix_socket_of_go_with_curl(t):
    path = t.directory / "go.sock"
    process = servers.go_web(t, f"unix:{path}")
    t.wait(path.exists, "the socket is there")
    agent = Agent(t, "--pid", process.pid)
    for _ in range(10):
        t.run([program("curl"), "-s", "--unix-socket", path, "http://x/sized?n=5000"])
    wire = Wire(t, path)
    for _ in range(10):
        wire.get("/")
    agent.expect({"GET /sized 200": 10, "GET / 200": 10})
    t.equal(agent.body_bytes("response", "/sized"), 50000, "response bodies")
    agent.stop()


@test
def unix_socket_of_gunicorn(t):
    path = t.directory / "gunicorn.sock"
    server = servers.gunicorn(t, "sync", bind=f"unix:{path}")
    t.wait(path.exists, "the socket is there")
    agent = Agent(t, *server.select())
    for _ in range(20):
        t.equal(Wire(t, path).get("/")[0], 200, "answer")
    agent.expect({"GET / 200": 20})
    agent.stop()


# --- when the agent comes late -----------------------------------------------------------------
@test
def a_connection_older_than_the_agent(t):
    server = servers.go_web(t)
    wire = connect(t, server)
    for _ in range(5):
        wire.get("/")
    agent = Agent(t, *server.select())
    for _ in range(7):
        wire.get("/")
    wire.get("/status?code=404")
    agent.expect({"GET / 200": 7, "GET /status 404": 1}, port=server.port)
    agent.stop()


@test
def half_a_head_was_sent_before_the_agent(t):
    server = servers.python_web(t)
    wire = connect(t, server)
    head = request("/", head="X-Some: thing\r\n")
    wire.send(head[:20])
    t.wait(lambda: received(server, wire), "the server read the first half")
    agent = Agent(t, *server.select())
    wire.send(head[20:])
    t.equal(wire.answer()[0], 200, "answer")
    for _ in range(5):
        wire.get("/sized?n=10")
    t.wait(lambda: agent.counts(port=server.port)["GET /sized 200"] >= 5, "the later ones are counted")
    got = agent.counts(port=server.port)
    t.equal(got.pop("GET /sized 200"), 5, "the later ones")
    t.true(sum(got.values()) <= 1, f"the one cut in half counted as {dict(got)}")
    agent.stop()


def received(server, wire):
    """Is the server's receive queue of this connection empty? (/proc/net/tcp, rx_queue)"""
    port = wire.socket.getsockname()[1]
    with open("/proc/net/tcp") as rows:
        for row in list(rows)[1:]:
            words = row.split()
            if words[1].endswith(f":{server.port:04X}") and words[2].endswith(f":{port:04X}"):
                return words[4].split(":")[1] == "00000000"
    return False


@test
def half_an_answer_was_sent_before_the_agent(t):
    server = servers.go_web(t)
    wire = connect(t, server)
    wire.send(request(f"/sized?n={10 * MIB}"))
    wire.until(b"\r\n\r\n")		# the rest waits: the window is full
    agent = Agent(t, *server.select())
    wire.skip(10 * MIB)
    for _ in range(5):
        wire.get("/")
    t.wait(lambda: agent.counts(port=server.port)["GET / 200"] >= 5, "the later ones are counted")
    t.equal(agent.counts(port=server.port)["GET / 200"], 5, "the later ones")
    agent.stop()


@test
def half_a_body_was_sent_before_the_agent(t):
    server = servers.go_web(t)
    wire = connect(t, server)
    wire.send(request("/echo", "POST", "Content-Length: 2000000\r\n").replace(b"Content-Length: 0\r\n", b"") + bytes(1000000))
    t.wait(lambda: received(server, wire), "the server read the first half")
    agent = Agent(t, *server.select())
    wire.send(b'{"a": "body"}\r\n' * 50000 + bytes(1000000 - 50000 * 15))
    t.equal(wire.answer()[0], 200, "answer")
    for _ in range(5):
        wire.get("/")
    t.wait(lambda: agent.counts(port=server.port)["GET / 200"] >= 5, "the later ones are counted")
    t.equal(agent.counts(port=server.port)["GET / 200"], 5, "the later ones")
    agent.stop()


# --- threads and processes on one socket -------------------------------------------------------
@test
def several_threads_on_one_socket(t):
    server = servers.odd(t, "threads")
    agent, wire = watch(t, server)
    for _ in range(500):
        t.equal(wire.get("/")[0], 200, "answer")
    wires = [connect(t, server) for _ in range(4)]

    def use(one):
        for _ in range(200):
            one.get("/")

    users = [threading.Thread(target=use, args=(one,)) for one in wires]
    for user in users:
        user.start()
    for user in users:
        user.join()
    agent.expect({"GET / 200": 1300}, port=server.port)
    agent.stop()


@test
def accept_and_fork(t):
    server = servers.odd(t, "fork")
    agent = Agent(t, "--port", server.port)
    for _ in range(50):
        wire = connect(t, server)
        for _ in range(4):
            t.equal(wire.get("/")[0], 200, "answer")
        wire.close()
    agent.expect({"GET / 200": 200}, port=server.port)
    agent.stop()


@test
def accept_and_fork_selected_by_pid_of_the_parent(t):
    server = servers.odd(t, "fork")
    agent = Agent(t, "--pid", server.pid)
    for _ in range(20):
        wire = connect(t, server)
        wire.get("/")
        wire.get("/")
        wire.close()
    agent.expect({"GET / 200": 40}, port=server.port)
    agent.stop()


# --- unusual ways to read and to end -----------------------------------------------------------
@test
def a_server_that_peeks_before_it_reads(t):
    server = servers.odd(t, "peek")
    agent, wire = watch(t, server)
    for _ in range(50):
        t.equal(wire.get("/")[0], 200, "answer")
    wire.send(request("/") * 3)
    t.equal([wire.answer()[0] for _ in range(3)], [200] * 3, "answers to a pipeline")
    agent.expect({"GET / 200": 53}, port=server.port)
    agent.stop()


@test
def a_server_that_reads_byte_by_byte(t):
    server = servers.odd(t, "bytewise")
    agent, wire = watch(t, server)
    for _ in range(20):
        t.equal(wire.get("/")[0], 200, "answer")
    agent.expect({"GET / 200": 20}, port=server.port)
    agent.stop()


@test
def an_answer_before_the_body_was_read(t):
    server = servers.odd(t, "early")
    agent = Agent(t, *server.select())
    for _ in range(5):
        wire = connect(t, server)
        t.equal(wire.get("/upload", "POST", body=bytes(MIB))[0], 413, "answer")
        wire.rest()
        wire.close()
    agent.expect({"POST /upload 413": 5}, port=server.port)
    agent.stop()


@test
def a_client_that_closes_its_half_after_the_request(t):
    for server in (servers.go_web(t), servers.nginx(t), servers.python_web(t)):
        agent = Agent(t, *server.select())
        for _ in range(5):
            wire = connect(t, server)
            wire.send(request("/", head="Connection: close\r\n"))
            wire.socket.shutdown(socket.SHUT_WR)
            t.equal(wire.answer()[0], 200, "answer")
            wire.rest()
            wire.close()
        agent.expect({"GET / 200": 5}, port=server.port)
        agent.stop()


# --- sudden ends -------------------------------------------------------------------------------
@test
def a_server_killed_within_a_request(t):
    server = servers.go_web(t)
    agent, wire = watch(t, server)
    wire.get("/")
    wire.send(request("/slow?ms=60000"))
    t.wait(lambda: received(server, wire), "the server read the request")
    server.process.stop(signal.SIGKILL)
    agent.expect({"GET / 200": 1, "GET /slow -": 1}, port=server.port)
    samples = agent.metrics().select("http_server_request_duration_seconds_count", http_route="/slow")
    t.true(samples[0][0].get("error_type"), "the unanswered request has no error_type")
    agent.stop()


@test
def a_client_gone_within_an_answer(t):
    server = servers.go_web(t)
    agent = Agent(t, *server.select())
    for _ in range(5):
        wire = connect(t, server)
        wire.send(request(f"/sized?n={100 * MIB}"))
        wire.until(b"\r\n\r\n")
        wire.close()
    wire = connect(t, server)
    wire.get("/")
    agent.expect({"GET /sized 200": 5, "GET / 200": 1}, port=server.port)
    agent.stop()


@test
def a_client_gone_before_the_answer(t):
    server = servers.odd(t, "stall")
    agent = Agent(t, *server.select())
    wire = connect(t, server)
    wire.send(request("/"))
    wire.until(b"\r\n\r\n")
    wire.close()
    agent.expect({"GET / 200": 1}, port=server.port)
    agent.stop()


# --- time --------------------------------------------------------------------------------------
def slow_is_slow(t, server):
    """First byte of the request to last byte of the response: not less than the server slept."""
    agent, wire = watch(t, server)
    for _ in range(7):
        wire.get("/slow?ms=100")
    for _ in range(200):
        wire.get("/")
    agent.expect({"GET /slow 200": 7, "GET / 200": 200}, port=server.port)
    agent.stop()
    slow, fast = agent.durations("/slow", port=server.port), agent.durations("/", port=server.port)
    t.between(min(slow), 0.099, 0.130, "least duration of /slow")
    t.between(statistics.median(slow), 0.100, 0.130, "median duration of /slow")
    t.between(statistics.median(fast), 1e-6, 0.010, "median duration of /")
    count, total = 7, sum(slow)
    t.between(total / count, 0.100, 0.150, "mean duration of /slow")


@test
def slow_takes_100_ms_go(t):
    slow_is_slow(t, servers.go_web(t))


@test
def slow_takes_100_ms_python(t):
    slow_is_slow(t, servers.python_web(t))


@test
def slow_takes_100_ms_node(t):
    slow_is_slow(t, servers.node(t))


@test
def the_last_byte_ends_a_slow_body(t):
    server = servers.go_web(t)
    agent, wire = watch(t, server)
    for _ in range(5):
        t.equal(wire.get("/chunked?n=10&ms=10"), (200, 100), "answer")
    agent.expect({"GET /chunked 200": 5}, port=server.port)
    agent.stop()
    durations = agent.durations("/chunked", port=server.port)
    t.between(statistics.median(durations), 0.100, 0.150, "median duration of ten chunks 10 ms apart")


@test
def the_sum_of_durations_is_that_of_the_lines(t):
    server = servers.go_web(t)
    agent, wire = watch(t, server)
    for _ in range(50):
        wire.get("/")
    agent.expect({"GET / 200": 50}, port=server.port)
    count, total = agent.histogram("http_server_request_duration_seconds", server_port=server.port)
    agent.stop()
    durations = agent.durations("/", port=server.port)
    if abs(total - sum(durations)) > 1e-6 * max(1, total) or count != len(durations):
        raise Failure(f"/metrics has {total} s, the lines {sum(durations)} s")

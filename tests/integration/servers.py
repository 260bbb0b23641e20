# SPDX-License-Identifier: Apache-2.0
"""Real servers and clients, watched unmodified and counted exactly, by route and status."""
import collections
import signal

from lib import servers
from lib.agent import Agent
from lib.harness import Failure, PYTHON, program, test
from lib.wire import Wire

EXACT = 5000		# requests of the exact generator, each way
CURLS = 30
WRK_CONNECTIONS = 16


def varied(t, server, paths):
    """Each path a few times on a connection of its own; returns the Counter to expect."""
    want = collections.Counter()
    for times, (path, status) in enumerate(paths, start=2):
        wire = Wire(t, (server.host, server.port))
        for _ in range(times):
            t.equal(wire.get(path)[0], status, path)
        want[f"GET {path.split('?')[0]} {status}"] += times
        wire.close()
    return want


def watch_server(t, server, path="/", paths=(("/", 200),), load=True):
    """Mixed routes, an exact load with keep-alive on and off, then wrk against the server's own count."""
    agent = Agent(t, *server.select())
    want = varied(t, server, paths)
    if load:
        for keepalive in (True, False):
            servers.exact_load(t, server.url + path, EXACT, keepalive=keepalive)
            want[f"GET {path} 200"] += EXACT
    agent.expect(want, port=server.port)
    before = server.served()
    if before is None:
        return agent.stop()
    answered, errors = servers.wrk(t, server.url + path, connections=WRK_CONNECTIONS)
    t.equal(errors, 0, "wrk's errors")

    def settled():
        """All that wrk had sent is counted by the server, too: nothing is on its way any more."""
        now = server.served()
        return now if now == server.served() and sum((now - before).values()) >= answered else None

    after = t.wait(settled, "the server counted what wrk made")
    t.between(sum((after - before).values()), answered, answered + WRK_CONNECTIONS, "the server's count of wrk's requests")
    agent.expect(want + (after - before), port=server.port, unanswered=WRK_CONNECTIONS)
    return agent.stop()


OWN_ROUTES = (("/", 200), ("/status?code=404", 404), ("/status?code=500", 500), ("/slow?ms=5", 200),
              ("/sized?n=100000", 200), ("/chunked", 200), ("/nowhere", 404))


@test
def go_net_http(t):
    server = servers.go_web(t)
    watch_server(t, server, paths=OWN_ROUTES[:-1])


@test
def nginx_static_and_fixed(t):
    server = servers.nginx(t)
    watch_server(t, server, paths=(("/", 200), ("/small", 200), ("/big", 200), ("/nowhere", 404), ("/status?code=204", 204)))


@test
def nginx_small_file_by_sendfile(t):
    watch_server(t, servers.nginx(t), path="/small", paths=(("/small", 200),))


@test
def nginx_reloaded_has_new_workers(t):
    binary = t.copy(program("nginx"), "nginx")
    server = servers.nginx(t, binary=binary)
    agent = Agent(t, "--exe", binary)
    servers.exact_load(t, server.url, 1000)
    before = set(server.pids)
    server.process.kill(signal.SIGHUP)
    t.wait(lambda: len(set(server.pids) - before) >= 2, "new workers run")
    servers.exact_load(t, server.url, 1000, keepalive=False)
    agent.expect({"GET / 200": 2000}, port=server.port)
    agent.stop()


@test
def a_thousand_connections_at_once(t):
    server = servers.go_web(t)
    agent = Agent(t, *server.select())
    servers.exact_load(t, server.url, 10000, connections=1000)
    servers.exact_load(t, server.url, 3000, connections=1000, keepalive=False)
    agent.expect({"GET / 200": 13000}, port=server.port)
    agent.stop()


@test
def apache_prefork(t):
    watch_server(t, servers.apache(t, "prefork"), path="/small", paths=(("/", 200), ("/small", 200), ("/nowhere", 404)), load=False)


@test
def apache_event(t):
    watch_server(t, servers.apache(t, "event"), path="/small", paths=(("/", 200), ("/small", 200), ("/nowhere", 404)))


@test
def python_http_server_1_1(t):
    watch_server(t, servers.python_web(t), paths=OWN_ROUTES)


@test
def python_http_server_1_0(t):
    server = servers.python_web(t, "1.0")
    agent = Agent(t, *server.select())
    servers.exact_load(t, server.url, 2000, connections=4, keepalive=False)
    agent.expect({"GET / 200": 2000}, port=server.port)
    agent.stop()


@test
def gunicorn_sync(t):
    server = servers.gunicorn(t, "sync")
    agent = Agent(t, *server.select())
    servers.exact_load(t, server.url, 2000, connections=4, keepalive=False)
    servers.exact_load(t, server.url + "/status?code=503", 50, connections=4, keepalive=False)
    agent.expect({"GET / 200": 2000, "GET /status 503": 50}, port=server.port)
    t.equal(dict(server.served()), {"GET / 200": 2000, "GET /status 503": 50}, "gunicorn's own count")
    agent.stop()


@test
def gunicorn_gthread(t):
    watch_server(t, servers.gunicorn(t, "gthread"), paths=OWN_ROUTES)


@test
def node_http(t):
    watch_server(t, servers.node(t), paths=OWN_ROUTES)


@test
def several_servers_under_one_agent(t):
    web = [servers.go_web(t), servers.python_web(t), servers.node(t)]
    agent = Agent(t, *[o for server in web for o in server.select()])
    for n, server in enumerate(web, start=1):
        servers.exact_load(t, server.url, 500 * n)
    for n, server in enumerate(web, start=1):
        agent.expect({"GET / 200": 500 * n}, port=server.port)
    agent.stop()


# --- clients ---------------------------------------------------------------------------------
@test
def curl_as_a_client(t):
    server = servers.python_web(t)
    curl = t.copy(program("curl"), "curl")
    agent = Agent(t, "--exe", curl)
    for n in range(CURLS):
        path = "/" if n % 2 else "/status?code=404"
        t.equal(t.run([curl, "-s", "-o", "/dev/null", server.url + path]).returncode, 0, "curl")
    agent.expect({"GET 200": CURLS // 2, "GET 404": CURLS // 2}, role="client", port=server.port)
    agent.expect_none("server")
    agent.stop()


@test
def hundreds_of_short_lived_clients_eight_at_a_time(t):
    server = servers.go_web(t)
    curl = t.copy(program("curl"), "curl")
    agent = Agent(t, "--exe", curl)
    urls = "".join(f"{server.url}/\n" for _ in range(300))
    done = t.run([program("xargs"), "-P", 8, "-n", 1, curl, "-s", "-o", "/dev/null"], input=urls)
    t.equal(done.returncode, 0, "curl")
    agent.expect({"GET 200": 300}, role="client", port=server.port)
    agent.stop()


@test
def curl_with_many_urls_on_one_connection(t):
    server = servers.nginx(t)
    curl = t.copy(program("curl"), "curl")
    agent = Agent(t, "--exe", curl)
    t.run([curl, "-s", *[server.url + "/small"] * 100])
    agent.expect({"GET 200": 100}, role="client", port=server.port)
    agent.stop()


def own_python(t):
    """A Python by another path; the standard library stays where it is."""
    return t.copy(PYTHON, "python3"), {"PYTHONHOME": "/usr", "PATH": "/usr/bin:/bin"}


def watch_python(t, how):
    server = servers.go_web(t)
    python, env = own_python(t)
    agent = Agent(t, "--exe", python)
    done = t.run([python, servers.PROGRAMS / "client.py", server.url, 200, how], env=env)
    if done.stdout.strip() != "200":
        raise Failure(f"the client did not get its answers: {done.stderr.strip()[-200:]}")
    agent.expect({"GET 200": 200}, role="client", port=server.port)
    agent.expect_none("server")
    agent.stop()


@test
def python_http_client_with_keep_alive(t):
    watch_python(t, "http.client")


@test
def python_urllib_with_a_connection_a_request(t):
    watch_python(t, "urllib")


@test
def both_ends_agree(t):
    server = servers.go_web(t)
    python, env = own_python(t)
    agent = Agent(t, "--exe", python, *server.select())
    t.run([python, servers.PROGRAMS / "client.py", server.url, 300, "http.client"], env=env)
    agent.expect({"GET 200": 300}, role="client", port=server.port)
    agent.expect({"GET / 200": 300}, role="server", port=server.port)
    agent.stop()

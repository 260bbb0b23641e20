# SPDX-License-Identifier: Apache-2.0
"""Who is watched and who is not, and under which name."""
from lib import servers
from lib.agent import Agent
from lib.harness import PYTHON, free_port, program, test
from lib.pod import Container, in_network_of, spawn_in_namespaces
from lib.wire import Wire

HOME = {"PYTHONHOME": "/usr", "PATH": "/usr/bin:/bin"}


def ask(t, server, times, path="/"):
    wire = Wire(t, (server.host, server.port))
    for _ in range(times):
        t.equal(wire.get(path)[0], 200, path)
    wire.close()


def two_pythons(t):
    """Two servers whose executables have different paths."""
    return [servers.python_web(t, python=t.copy(PYTHON, name), env=HOME) for name in ("chosen-python", "other-python")]


def only_first_is_counted(t, agent, chosen, other):
    ask(t, other, 30)
    ask(t, chosen, 20)
    ask(t, other, 30)
    agent.expect({"GET / 200": 20}, port=chosen.port)
    agent.expect_none("server", server_port=other.port)
    agent.expect_none("client")
    agent.stop()
    t.equal(len(agent.lines()), 20, "server lines printed, of all ports")


@test
def exe_by_path_glob(t):
    chosen, other = two_pythons(t)
    only_first_is_counted(t, Agent(t, "--exe", f"{t.directory}/bin/chosen-*"), chosen, other)


@test
def exe_by_base_name_glob(t):
    chosen = servers.python_web(t, python=t.copy(PYTHON, f"py-{t.directory.name}"), env=HOME)
    other = servers.python_web(t)
    only_first_is_counted(t, Agent(t, "--exe", f"py-{t.directory.name[:-2]}??"), chosen, other)


@test
def exe_of_a_process_that_starts_later(t):
    path = t.copy(PYTHON, "late-python")
    agent = Agent(t, "--exe", path)
    server = servers.python_web(t, python=path, env=HOME)
    ask(t, server, 25)
    agent.expect({"GET / 200": 25}, port=server.port)
    agent.stop()


@test
def port(t):
    chosen, other = servers.go_web(t), servers.go_web(t)
    agent = Agent(t, "--port", chosen.port)
    ask(t, other, 30)
    ask(t, chosen, 20)
    agent.expect({"GET / 200": 20}, port=chosen.port)
    agent.expect_none("server", server_port=other.port)
    agent.stop()


@test
def port_of_a_server_that_starts_later(t):
    number = free_port()
    agent = Agent(t, "--port", number)
    process = t.spawn([PYTHON, servers.PROGRAMS / "web.py", number], "late")
    server = servers.Server(t, process, number).wait()
    ask(t, server, 25)
    agent.expect({"GET / 200": 25}, port=number)
    agent.stop()


@test
def pid(t):
    chosen, other = servers.go_web(t), servers.go_web(t)
    only_first_is_counted(t, Agent(t, "--pid", chosen.pid), chosen, other)


@test
def selections_are_or_ed(t):
    by_pid, by_port, other = servers.go_web(t), servers.python_web(t), servers.go_web(t)
    agent = Agent(t, "--pid", by_pid.pid, "--port", by_port.port)
    for server, times in ((by_pid, 10), (by_port, 20), (other, 30)):
        ask(t, server, times)
    agent.expect({"GET / 200": 10}, port=by_pid.port)
    agent.expect({"GET / 200": 20}, port=by_port.port)
    agent.expect_none("server", server_port=other.port)
    agent.stop()


@test
def nothing_is_counted_when_nothing_matches(t):
    other = servers.go_web(t)
    agent = Agent(t, "--exe", f"{t.directory}/nobody", printed=True)
    ask(t, other, 50)
    agent.stop()
    t.equal(agent.lines(), [], "lines printed")


# --- containers --------------------------------------------------------------------------------
def contained(t, container):
    binary = servers.go_build(servers.PROGRAMS / "web", "web")
    number = free_port()
    process = t.spawn([binary, "-listen", f"127.0.0.1:{number}"], "contained", setup=container.enter)
    return servers.Server(t, process, number).wait()


@test
def container_by_id_glob(t):
    first, second = Container(t), Container(t)
    chosen, other, bare = contained(t, first), contained(t, second), servers.go_web(t)
    agent = Agent(t, "--container", first.id[:12] + "*")
    ask(t, other, 30)
    ask(t, bare, 30)
    ask(t, chosen, 20)
    agent.expect({"GET / 200": 20}, port=chosen.port)
    agent.expect({"GET / 200": 20}, port=chosen.port, container_id=first.id)
    agent.expect_none("server", server_port=other.port)
    agent.expect_none("server", server_port=bare.port)
    agent.stop()


@test
def containers_only_is_what_select_says(t):
    container = Container(t)
    inside, bare = contained(t, container), servers.go_web(t)
    agent = Agent(t, config="select:\n  mode: containers\n")
    ask(t, bare, 30)
    ask(t, inside, 20)
    agent.expect({"GET / 200": 20}, port=inside.port, container_id=container.id)
    agent.expect_none("server", server_port=bare.port)
    agent.stop()


@test
def a_container_that_starts_later(t):
    container = Container(t)
    agent = Agent(t, "--container", container.id)
    server = contained(t, container)
    ask(t, server, 20)
    agent.expect({"GET / 200": 20}, port=server.port, container_id=container.id)
    agent.stop()


@test
def a_pod_with_network_and_pid_namespaces(t):
    container = Container(t)
    binary = servers.go_build(servers.PROGRAMS / "web", "web")
    agent = Agent(t, "--container", container.id)
    _, inner = spawn_in_namespaces(t, [binary, "-listen", "127.0.0.1:8080"], "pod", setup=container.enter)
    curl = in_network_of(inner, [program("curl"), "-s", "--retry", "20", "--retry-connrefused", "--retry-delay", "0"])
    for _ in range(10):
        t.equal(t.run(curl + ["http://127.0.0.1:8080/sized?n=7"]).returncode, 0, "curl in the pod")
    agent.expect({"GET /sized 200": 10}, port=8080, container_id=container.id)
    agent.stop()


# --- the agent itself --------------------------------------------------------------------------
@test
def the_agent_does_not_count_itself(t):
    agent = Agent(t, config="select:\n  mode: all\n")
    server = servers.go_web(t)
    for _ in range(30):
        agent.metrics()
    ask(t, server, 10)
    agent.expect({"GET / 200": 10}, port=server.port)
    agent.expect_none("server", server_port=agent.port)
    agent.stop()


@test
def excluded_executables_win(t):
    chosen, other = two_pythons(t)
    config = f"select:\n  executables: ['{t.directory}/bin/*']\n  exclude_executables: ['*/other-python']\n"
    only_first_is_counted(t, Agent(t, config=config), chosen, other)


# --- names -------------------------------------------------------------------------------------
@test
def service_name_from_the_process_own_environment(t):
    server = servers.python_web(t, env={"OTEL_SERVICE_NAME": "shop", "PATH": "/usr/bin:/bin"})
    agent = Agent(t, "--pid", server.pid)
    ask(t, server, 10)
    agent.expect({"GET / 200": 10}, port=server.port, service_name="shop")
    agent.stop()


@test
def service_name_from_resource_attributes(t):
    attributes = "service.name=till,service.namespace=market,service.version=3"
    server = servers.python_web(t, env={"OTEL_RESOURCE_ATTRIBUTES": attributes, "PATH": "/usr/bin:/bin"})
    agent = Agent(t, "--pid", server.pid)
    ask(t, server, 10)
    agent.expect({"GET / 200": 10}, port=server.port, service_name="till", service_namespace="market")
    agent.stop()


@test
def service_name_from_the_executable(t):
    server = servers.go_web(t)
    agent = Agent(t, "--pid", server.pid)
    ask(t, server, 10)
    agent.expect({"GET / 200": 10}, port=server.port, service_name="web")
    agent.stop()

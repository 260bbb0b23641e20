# SPDX-License-Identifier: Apache-2.0
"""When something is wrong: said in one sentence, counted, survived or refused; never silent."""
import os
import re
import signal
import socket
import subprocess

from lib import servers
from lib.agent import Agent, agent_argv, clean_environment
from lib.harness import Failure, SONDE, free_port, program, test
from lib.otlp import Sink
from lib.wire import Wire

SENTENCE = re.compile(r"^sonde: .+: .+: .+$", re.M)	# sonde: what: why: what to do


def refused(t, argv, statuses, *words, env=None):
    """The command ends by itself with one of these statuses and a sentence that holds the words."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
                          env=clean_environment(env))
    t.true(done.returncode in statuses, f"exit {done.returncode}, want {statuses}: {done.stderr.strip()[-300:]}")
    t.true(SENTENCE.search(done.stderr), f"no `sonde: what: why: what to do`: {done.stderr.strip()[-300:]!r}")
    for word in words:
        t.true(re.search(word, done.stderr, re.I), f"no {word!r} in: {done.stderr.strip()[-300:]}")
    return done


# --- what people get wrong -----------------------------------------------------------------------
@test
def a_wrong_option_names_the_nearest(t):
    refused(t, [SONDE, "agent", "--prot", "80"], [2], "--prot\\b", "--port")
    refused(t, [SONDE, "agent", "--lissten=:1"], [2], "--listen")


@test
def a_wrong_value_names_what_is_valid(t):
    refused(t, [SONDE, "agent", "--port", "eighty"], [2], "eighty")
    refused(t, [SONDE, "agent", "--port", "65536"], [2], "65536", "65535")
    refused(t, [SONDE, "agent", "--socket-hook", "magic"], [2], "magic", "sock-length")


@test
def a_wrong_command_names_the_nearest(t):
    refused(t, [SONDE, "agnet"], [2], "agnet", "agent")


@test
def a_wrong_configuration_key_names_the_nearest_and_its_line(t):
    path = t.file("wrong.yaml", "select:\n  mode: all\notlp:\n  endpiont: http://127.0.0.1:1\n")
    refused(t, [SONDE, "agent", "-c", path], [2], "wrong.yaml:4", "endpiont", "endpoint")


@test
def a_configuration_that_is_not_there(t):
    refused(t, [SONDE, "agent", "-c", t.directory / "nowhere.yaml"], [1, 2], "nowhere.yaml", "no such file")


@test
def a_port_that_is_taken(t):
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        argv = agent_argv("--pid", os.getpid(), port=number, printed=False)
        refused(t, argv, [1], str(number), "in use")


# --- what the machine lacks ----------------------------------------------------------------------
@test
def missing_capabilities(t):
    drop = [program("capsh"), "--drop=cap_sys_admin,cap_bpf,cap_perfmon,cap_sys_resource", "--", "-c", 'exec "$0" "$@"']
    refused(t, drop + agent_argv("--pid", os.getpid(), port=free_port(), printed=False), [1, 77], "cap_bpf|root|privilege")


@test
def not_root_at_all(t):
    plain = [program("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
    binary = t.copy(SONDE, "sonde")
    argv = [binary if a == SONDE else a for a in agent_argv("--pid", os.getpid(), port=free_port(), printed=False)]
    refused(t, plain + argv, [1, 77], "cap_bpf|root|privilege")


@test
def no_kernel_btf(t):
    hide = [program("unshare"), "--mount", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"']
    refused(t, hide + agent_argv("--pid", os.getpid(), port=free_port(), printed=False), [1, 77], "BTF")


@test
def a_hook_this_kernel_lacks_is_refused_when_forced(t):
    """Which ones it lacks, doctor says; each is either counted with, or refused with the reason."""
    worked = []
    for hook in ("sock-length", "fentry", "kprobe", "syscall"):
        server = servers.go_web(t)
        agent = Agent(t, *server.select(), "--socket-hook", hook, ready=False)
        t.wait(lambda: not agent.process.alive() or agent.ready(), f"{hook} works or is refused")
        if not agent.process.alive():
            t.true(SENTENCE.search(agent.process.errors()), f"{hook}: {agent.process.errors()[-300:]!r}")
            t.true(agent.process.popen.returncode in (1, 77), f"{hook}: exit {agent.process.popen.returncode}")
            continue
        servers.exact_load(t, server.url, 2000)
        agent.expect({"GET / 200": 2000}, port=server.port)
        agent.stop()
        worked.append(hook)
    t.true("syscall" in worked, f"only {worked} work here")


@test
def disk_full_under_print(t):
    server = servers.go_web(t)
    number = free_port()
    with open("/dev/full", "wb") as full:
        process = t.spawn(agent_argv(*server.select(), port=number), "sonde-full", stdout=full, env=clean_environment())
    agent = Agent.__new__(Agent)
    agent.t, agent.port, agent.process, agent.printed, agent.expected = t, number, process, False, []
    agent.wait_ready()
    wire = Wire(t, (server.host, server.port))
    for _ in range(100):
        wire.get("/")
    agent.expect({"GET / 200": 100}, port=server.port)
    t.wait(lambda: agent.self_value("print_failed_total") >= 1, "the failure is counted")
    t.true(re.search("no space left|disk", process.errors(), re.I), f"the failure is not told: {process.errors()[-200:]}")
    agent.stop()


# --- the end -------------------------------------------------------------------------------------
def flushes(t, number):
    server, sink = servers.go_web(t), Sink(t)
    agent = Agent(t, *server.select(), "--otlp", sink.url, env={"OTEL_METRIC_EXPORT_INTERVAL": "60000"})
    servers.exact_load(t, server.url, 2000)
    agent.stop(number)
    t.equal(len(sink.spans()), 2000, "spans at the endpoint")
    t.equal(sink.metric_count("http.server.request.duration"), 2000, "requests in the last metrics")
    t.equal(len(agent.lines(port=server.port)), 2000, "lines printed")


@test
def sigterm_flushes_and_exits_0(t):
    flushes(t, signal.SIGTERM)


@test
def sigint_flushes_and_exits_0(t):
    flushes(t, signal.SIGINT)


@test
def sigterm_with_the_endpoint_down_ends_in_time(t):
    server = servers.go_web(t)
    agent = Agent(t, *server.select(), "--otlp", f"http://127.0.0.1:{free_port()}")
    servers.exact_load(t, server.url, 500)
    agent.stop()
    t.true(re.search("span", agent.process.errors()), f"the spans that could not be sent are not told: {agent.process.errors()[-300:]}")


def exists(t, kind, number):
    return t.run([program("bpftool"), kind, "show", "id", number]).returncode == 0


@test
def kill_9_leaves_nothing_attached(t):
    server = servers.go_web(t)
    agent = Agent(t, *server.select(), printed=False)
    servers.exact_load(t, server.url, 500)
    held = [(kind, number) for kind, numbers in agent.bpf_ids().items() for number in numbers]
    t.true({kind for kind, _ in held} == {"prog", "map"}, f"the agent's descriptors show no programs and maps: {held}")
    t.true(all(exists(t, *one) for one in held), "a program or map in use is not listed")
    pinned = set(os.listdir("/sys/fs/bpf")) if os.path.isdir("/sys/fs/bpf") else set()
    agent.process.stop(signal.SIGKILL)
    t.wait(lambda: not any(exists(t, *one) for one in held), "all its programs and maps are gone", 30)
    t.true(not any("sonde" in name for name in pinned), f"pinned: {pinned}")
    again = Agent(t, *server.select())
    servers.exact_load(t, server.url, 500)
    again.expect({"GET / 200": 500}, port=server.port)
    again.stop()


@test
def two_agents_side_by_side_count_the_same(t):
    server, other = servers.go_web(t), servers.python_web(t)
    first = Agent(t, *server.select())
    second = Agent(t, *server.select(), *other.select())
    servers.exact_load(t, server.url, 3000)
    servers.exact_load(t, other.url, 300, connections=4)
    for agent in (first, second):
        agent.expect({"GET / 200": 3000}, port=server.port)
    second.expect({"GET / 200": 300}, port=other.port)
    first.stop()
    servers.exact_load(t, server.url, 1000)
    second.expect({"GET / 200": 4000}, port=server.port)
    second.stop()


# --- too much ------------------------------------------------------------------------------------
FEW = 200   # requests whose records fit the smallest ring, however late the agent is woken


@test
def a_ring_overflow_is_counted_to_the_event(t):
    """A record is a request, or the end of one of the 16 connections: what is not counted was counted as dropped."""
    server = servers.go_web(t)
    agent = Agent(t, *server.select(), config="sources:\n  ring_bytes: 256K\n", printed=False)
    servers.exact_load(t, server.url, FEW)
    agent.expect({"GET / 200": FEW}, port=server.port)
    agent.freeze()
    try:
        servers.exact_load(t, server.url, 20000)
    finally:
        agent.thaw()

    def numbers():
        samples = agent.metrics()
        return (int(sum(agent.counts(port=server.port, samples=samples).values())),
                int(samples.sum("sonde_events_dropped_total", reason="data_ring_full")),
                int(samples.sum("sonde_events_total", kind="socket")))

    t.wait(lambda: sum(numbers()[:2]) >= 20000 + FEW, "requests counted and events dropped make all")
    counted, dropped, events = numbers()
    t.true(dropped, "nothing was dropped")
    t.between(dropped, 20000 + FEW - counted, 20000 + FEW - counted + 16, f"events dropped, with {counted} of {20000 + FEW} requests counted")
    t.between(events + dropped, 20000 + FEW, 20000 + FEW + 2 * 16, "events read and dropped")
    servers.exact_load(t, server.url, FEW)
    agent.expect({"GET / 200": counted + FEW}, port=server.port)
    agent.stop()


@test
def paths_without_end_stay_within_the_series_cap(t):
    server = servers.python_web(t)
    agent = Agent(t, *server.select(), config="metrics:\n  series_max: 50\n")
    wire = Wire(t, (server.host, server.port))
    for n in range(400):
        wire.get(f"/{n:x}word{n * 7919 % 1000:x}/x{n}y")
    t.wait(lambda: sum(agent.counts(port=None).values()) >= 400, "all requests counted")
    t.equal(sum(agent.counts(port=None).values()), 400, "requests counted, overflow included")
    t.true(agent.self_value("series") <= 50, "more series than the cap")
    agent.stop()

# SPDX-License-Identifier: Apache-2.0
"""The commands beside `agent`: version, help, doctor, top; and that they say the same as the agent."""
import json
import re

from lib import servers
from lib.agent import Agent
from lib.harness import ROOT, SONDE, free_port, program, test

VERSION = (ROOT / "VERSION").read_text().strip()


@test
def version_is_that_of_the_tree(t):
    done = t.run([SONDE, "version"])
    t.equal((done.returncode, done.stdout.strip()), (0, f"sonde {VERSION}"), "sonde version")


@test
def sonde_alone_prints_the_commands(t):
    done = t.run([SONDE])
    text = done.stdout + done.stderr
    t.true(all(re.search(rf"^ +{name}\b", text, re.M) for name in ("agent", "doctor", "top", "version")), text[:300])


@test
def help_has_every_documented_option(t):
    done = t.run([SONDE, "agent", "--help"])
    t.equal(done.returncode, 0, "exit")
    for option in ("--exe", "--port", "--pid", "--container", "--listen", "--otlp", "--print", "--socket-hook", "--log-level"):
        t.true(option in done.stdout, f"--help lacks {option}")


@test
def doctor_says_which_choice_the_agent_takes(t):
    report = json.loads(t.run([SONDE, "doctor", "--json"]).stdout)
    chosen = {source["name"]: choice["name"] for source in report["sources"] for choice in source["choices"]
              if choice.get("chosen") or choice.get("state") == "chosen"}
    server = servers.go_web(t)
    agent = Agent(t, *server.select())
    said = dict(re.findall(r"source (\S+): choice (\S+)$", agent.process.errors(), re.M))
    t.equal(chosen, said, "choices of doctor and agent")
    agent.stop()


@test
def doctor_tells_what_is_missing_without_privileges(t):
    binary = t.copy(SONDE, "sonde")
    done = t.run([program("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups", binary, "doctor"])
    t.true(done.returncode != 0, "exit 0 although nothing works")
    t.true(re.search("CAP_BPF|privileged|root", done.stdout), f"no cure in: {done.stdout[-300:]}")


@test
def top_shows_what_the_agent_counted(t):
    server = servers.go_web(t)
    agent = Agent(t, *server.select())
    servers.exact_load(t, server.url, 500)
    servers.exact_load(t, server.url + "/status?code=500", 20)
    agent.expect({"GET / 200": 500, "GET /status 500": 20}, port=server.port)
    url = f"http://127.0.0.1:{agent.port}"
    table = t.run([SONDE, "top", "--once", "--url", url])
    t.equal(table.returncode, 0, "exit of the table")
    t.true(re.search(r"web\b.*\n?.*/status", table.stdout), f"table: {table.stdout[:500]}")
    rows = [json.loads(line) for line in t.run([SONDE, "top", "--once", "--json", "--url", url]).stdout.splitlines()]
    counts = {row["route"]: row["count"] for row in rows if row.get("route")}
    t.equal(counts, {"/": 500, "/status": 20}, "counts of top --json")
    agent.stop()


@test
def top_without_an_agent_says_what_to_do(t):
    done = t.run([SONDE, "top", "--once", "--url", f"http://127.0.0.1:{free_port()}"])
    t.equal(done.returncode, 1, "exit")
    t.true(re.search(r"^sonde: .+: .+: .+$", done.stderr, re.M), f"no sentence: {done.stderr[:300]}")

# SPDX-License-Identifier: Apache-2.0
"""Real servers, each on a loopback port of its own, ready when returned; and wrk.

What a server counts itself (access log, or the Go program's own numbers) is `served()`.
"""
import collections
import http.client
import json
import os
import pathlib
import socket

from .harness import Failure, HERE, PYTHON, ROOT, Skip, family_of, free_port, go_build, program

PROGRAMS = HERE / "programs"


def accepts(port, host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
        return s.connect_ex((host, port)) == 0


class Server:
    def __init__(self, t, process, port, log=None, admin=None, host="127.0.0.1"):
        self.t, self.process, self.port, self.log, self.admin, self.host = t, process, port, log, admin, host

    @property
    def pid(self):
        return self.process.pid

    @property
    def pids(self):
        return family_of(self.pid)

    @property
    def url(self):
        return f"http://{'[' + self.host + ']' if ':' in self.host else self.host}:{self.port}"

    def wait(self, processes=1):
        """Until it listens and has so many processes."""
        def ready():
            if not self.process.alive():
                raise Failure(f"{self.process.name} ended: {self.process.errors().strip()[-300:]}")
            return len(self.pids) >= processes and (not self.port or accepts(self.port, self.host))
        self.t.wait(ready, f"{self.process.name} listens")
        return self

    def select(self):
        """Options that select all processes of this server as they are now."""
        return [o for pid in self.pids for o in ("--pid", pid)]

    def served(self):
        """Counter of `METHOD PATH STATUS` as the server itself counted; None when it does not."""
        if self.admin:
            connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
            connection.request("GET", "/")
            counts = collections.Counter(json.loads(connection.getresponse().read()))
            connection.close()
            return counts
        if not self.log:
            return None
        counts = collections.Counter()
        for line in pathlib.Path(self.log).read_text().splitlines():
            words = line.split(" ")		# method, target, perhaps version, status
            counts[f"{words[0]} {words[1].split('?')[0]} {words[-1]}"] += 1
        return counts


def go_web(t, listen=None):
    binary = go_build(PROGRAMS / "web", "web")
    if listen:
        return t.spawn([binary, "-listen", listen], "go")
    port, admin = free_port(), free_port()
    process = t.spawn([binary, "-listen", f"127.0.0.1:{port}", "-admin", f"127.0.0.1:{admin}"], "go")
    return Server(t, process, port, admin=admin).wait()


def python_web(t, version="1.1", host="127.0.0.1", python=PYTHON, env=None):
    port = free_port(host)
    process = t.spawn([python, PROGRAMS / "web.py", port, version, host], "python", env=env)
    return Server(t, process, port, host=host).wait()


def odd(t, kind):
    port = free_port()
    return Server(t, t.spawn([PYTHON, PROGRAMS / "odd.py", kind, port], kind), port).wait()


def node(t):
    port = free_port()
    return Server(t, t.spawn([program("node", "nodejs"), PROGRAMS / "web.js", port], "node"), port).wait()


def gunicorn(t, worker="sync", bind=None):
    port = None if bind else free_port()
    log = t.directory / "access.log"
    command = [PYTHON, program("gunicorn"), "--chdir", PROGRAMS, "--worker-class", worker, "--workers", 2,
               "--bind", bind or f"127.0.0.1:{port}", "--access-logfile", log,
               "--access-logformat", "%(m)s %(U)s %(s)s", "--worker-tmp-dir", t.directory]
    if worker == "gthread":
        command += ["--threads", 4]
    server = Server(t, t.spawn(command + ["wsgi:app"], "gunicorn"), port, log=log)
    return server.wait(processes=3)


NGINX = """daemon off; worker_processes 2; pid {dir}/nginx.pid; error_log {dir}/error.log; {user}
events {{ worker_connections 1024; }}
http {{
  log_format plain '$request_method $uri $status'; access_log {dir}/access.log plain;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5; keepalive_requests 1000000; client_max_body_size 64m;
  server {{
    listen 127.0.0.1:{port}; root {dir}/www; sendfile {sendfile}; default_type text/plain;
    large_client_header_buffers 4 32k;
    location = / {{ return 200 "Hello, world!\\n"; }}
    location = /status {{ if ($arg_code = 204) {{ return 204; }} if ($arg_code = 304) {{ return 304; }}
      if ($arg_code = 500) {{ return 500; }} return 200 "ok\\n"; }}
    location = /echo {{ return 200 "ok\\n"; }}
    location / {{ }}
  }}
}}
"""


def nginx(t, sendfile="on", binary=None):
    port = free_port()
    (t.directory / "www").mkdir(exist_ok=True)
    t.file("www/big", bytes(10 << 20))
    t.file("www/small", "small file\n")
    user = "user root;" if os.geteuid() == 0 else ""
    text = NGINX.format(dir=t.directory, port=port, sendfile=sendfile, user=user)
    config = t.file("nginx.conf", text)
    process = t.spawn([binary or program("nginx"), "-p", t.directory, "-c", config], "nginx")
    server = Server(t, process, port, log=t.directory / "access.log")
    return server.wait(processes=3)


APACHE = """ServerRoot {dir}
ServerName localhost
LoadModule mpm_{mpm}_module {modules}/mod_mpm_{mpm}.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
DirectoryIndex index.html
PidFile {dir}/apache.pid
DefaultRuntimeDir {dir}
Mutex file:{dir} default
Listen 127.0.0.1:{port}
DocumentRoot {dir}/www
ErrorLog {dir}/error.log
LogFormat "%r %>s" plain
CustomLog {dir}/access.log plain
KeepAlive On
MaxKeepAliveRequests 0
StartServers 2
{spare}
User www-data
Group www-data
"""


def apache(t, mpm):
    modules = next((m for m in ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules")
                    if os.path.exists(f"{m}/mod_mpm_{mpm}.so")), None)
    if not modules:
        raise Skip(f"Apache's mpm_{mpm} is not installed")
    port = free_port()
    t.file("www/index.html", "Hello, world!\n")
    t.file("www/small", "small file\n")
    # none but the first two children before there is load: select() must see them all
    spare = "MinSpareServers 1" if mpm == "prefork" else "MinSpareThreads 1"
    text = APACHE.format(dir=t.directory, mpm=mpm, modules=modules, port=port, spare=spare)
    config = t.file("apache.conf", text)
    process = t.spawn([program("apache2", "httpd"), "-f", config, "-DFOREGROUND"], "apache")
    return Server(t, process, port, log=t.directory / "access.log").wait(processes=3)


def wrk(t, url, seconds=1, connections=16, threads=1):
    """Loads `url`; returns (requests answered, errors). Up to `connections` more were on their way at the end."""
    done = t.run([program("wrk"), "-t", threads, "-c", connections, "-d", f"{seconds:.0f}s", "-s", PROGRAMS / "wrk.lua", url])
    words = next((line for line in done.stdout.splitlines() if line.startswith("counted ")), "").split()
    if done.returncode or not words:
        raise Failure(f"wrk: {done.stderr.strip()[-200:]}")
    return int(words[1]), sum(int(w) for w in words[2:])


def exact_load(t, url, requests, connections=16, keepalive=True):
    """Exactly `requests` GETs; returns what the generator says of them (tests/bench/load)."""
    binary = go_build(ROOT / "tests/bench/load", "load")
    done = t.run([binary, "-n", requests, "-c", connections, f"-keepalive={str(keepalive).lower()}", url], seconds=110)
    if done.returncode:
        raise Failure(f"load: {done.stderr.strip()}")
    return json.loads(done.stdout)

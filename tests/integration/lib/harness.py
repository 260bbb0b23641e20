# SPDX-License-Identifier: Apache-2.0
"""What every integration test stands on: tests by name, processes, waiting, cleaning up.

A test is a function `def name_as_a_sentence(t)` marked @test; `t` (class Test) owns a scratch
directory and all it starts, and ends it, last first, whatever happens. Waiting is always for a
condition with a deadline. Results go to stdout as `ok NAME`, `FAIL NAME: why`, `skip NAME: why`.
"""
import contextlib
import ctypes
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("SONDE_BUILD", ROOT / "build"))
SONDE = os.environ.get("SONDE", str(BUILD / "sonde"))
PYTHON = "/usr/bin/python3"
TEST_SECONDS = 120		# one test; a stuck one fails, it does not stop the run
WHY_MAX = 700			# characters of a reason that are shown
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None, use_errno=True)

tests = []			# (subject, name, function), in the order of the files


class Failure(AssertionError):
    """The test found what it looks for."""


class Skip(Exception):
    """This machine lacks what the test needs."""


def test(function):
    tests.append((pathlib.Path(function.__code__.co_filename).stem, function.__name__, function))
    return function


def pause(seconds=0.02):
    """Between two looks at a condition; never instead of one."""
    select.select([], [], [], seconds)


def wait_for(condition, what, seconds=15):
    """Looks until `condition()` is true and returns its value; Failure after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"after {seconds} s still not: {what}")
        pause()


def free_port(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def program(*names):
    """The first of these programs that is installed, or Skip."""
    for name in names:
        found = shutil.which(name, path=os.environ["PATH"] + ":/usr/local/go/bin:/usr/sbin:/sbin")
        if found:
            return found
    raise Skip(f"{names[0]} is not installed")


def go_build(source, name):
    """Builds a Go program of the tests once a run; needs only the standard library."""
    out = BUILD / "tests" / name
    sources = sorted(pathlib.Path(source).glob("*.go"))
    if not out.exists() or out.stat().st_mtime < max(s.stat().st_mtime for s in sources):
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = f"{out}.{os.getpid()}"
        env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=mod", CGO_ENABLED="0", GOWORK="off")
        built = subprocess.run([program("go"), "build", "-trimpath", "-o", partial, "."],
                               cwd=source, env=env, capture_output=True, text=True)
        if built.returncode:
            raise Failure(f"go build {source}: {built.stderr.strip()[:400]}")
        os.rename(partial, out)
    return str(out)


def cc_build(source, name, *flags):
    out = BUILD / "tests" / name
    if not out.exists() or out.stat().st_mtime < os.stat(source).st_mtime:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = f"{out}.{os.getpid()}"
        subprocess.run([program("gcc", "cc", "clang"), "-O2", "-Wall", "-pthread", "-o", partial, str(source),
                        *flags], check=True)
        os.rename(partial, out)
    return str(out)


def children_of(pid):
    """Direct children, of all of its threads."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(p) for p in task.read_text().split()]
    return found


def family_of(pid):
    """The process and all its descendants."""
    found = [pid]
    for child in children_of(pid):
        found += family_of(child)
    return found


class Process:
    """A program with its output in files; ends with its owner, even if that is killed."""

    def __init__(self, argv, directory, name, env=None, setup=None, stdin=subprocess.DEVNULL, stdout=None,
                 pass_fds=(), cwd=None):
        self.name = name
        self.stdout = pathlib.Path(directory, name + ".out")
        self.stderr = pathlib.Path(directory, name + ".err")

        def before_exec():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if setup:
                setup()

        with open(self.stderr, "wb") as err:
            out = stdout if stdout is not None else open(self.stdout, "wb")
            try:
                self.popen = subprocess.Popen([str(a) for a in argv], stdin=stdin, stdout=out, stderr=err,
                                              env=env, preexec_fn=before_exec, start_new_session=True,
                                              pass_fds=pass_fds, cwd=cwd)
            finally:
                if stdout is None:
                    out.close()
        self.pid = self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def wait(self, seconds=15):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {seconds} s") from None

    def kill(self, number):
        if self.alive():
            self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=10):
        """Returns the exit status, as Popen tells it; kills the session's group if it is late."""
        self.kill(number)
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()
        return self.popen.returncode

    def errors(self):
        return self.stderr.read_text(errors="replace")

    def output(self):
        return self.stdout.read_text(errors="replace")


class Test:
    """What a test function is given."""

    def __init__(self, name):
        self.name = name
        self.stack = contextlib.ExitStack()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sonde-it-"))
        self.stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        os.chmod(self.directory, 0o755)		# servers that drop root read their files here
        self.processes = []

    def spawn(self, argv, name=None, **options):
        name = name or os.path.basename(str(argv[0]))
        name = f"{name}-{len(self.processes)}"
        process = Process(argv, self.directory, name, **options)
        self.processes.append(process)
        self.stack.callback(process.stop)
        return process

    def run(self, argv, seconds=60, **options):
        """A program to its end: CompletedProcess with text."""
        return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=seconds, **options)

    def defer(self, function, *arguments):
        self.stack.callback(function, *arguments)

    def wait(self, condition, what, seconds=15):
        return wait_for(condition, what, seconds)

    def equal(self, got, want, what):
        if got != want:
            raise Failure(f"{what}: got {got!r}, want {want!r}")

    def true(self, value, what):
        if not value:
            raise Failure(what)

    def between(self, value, low, high, what):
        if not low <= value <= high:
            raise Failure(f"{what}: {value:.6g} is not within {low:.6g} .. {high:.6g}")

    def file(self, name, content):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def copy(self, executable, name):
        """An executable of this test's own, so that --exe selects nobody else's."""
        path = self.directory / "bin" / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy(os.path.realpath(executable), path)
        return path


def evidence(t):
    """The last words of what the test had started, for whoever reads a failure."""
    for process in t.processes:
        text = process.errors() if process.stderr.exists() else ""
        state = "runs" if process.alive() else f"ended {process.popen.returncode}"
        for line in [f"({state})"] + text.strip().splitlines()[-6:]:
            print(f"    {process.name}: {line[:300]}")


def expired(*_):
    raise Failure(f"took more than {TEST_SECONDS} s")


def orphans():
    """Collects what the test's processes left to us; ends and returns those that still ran."""
    ran = []
    for seconds in (2, 10):
        with contextlib.suppress(Failure):
            wait_for(reap, "no children", seconds)
            return ran
        ran = children_of(os.getpid())
        for pid in ran:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return ran


def reap():
    """True when there is no child left, dead or alive."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def run_one(name, function):
    """Returns "ok", "FAIL" or "skip"."""
    t = Test(name)
    signal.signal(signal.SIGALRM, expired)
    signal.alarm(TEST_SECONDS)
    try:
        try:
            function(t)
            verdict, why = "ok", ""
        except Skip as skip:
            verdict, why = "skip", str(skip)
        except Failure as failure:
            verdict, why = "FAIL", str(failure)
        except Exception as error:		# a broken test is a failed one
            where = traceback.extract_tb(sys.exc_info()[2])[-1]
            verdict, why = "FAIL", f"{type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
        signal.alarm(30)
        if verdict == "FAIL":
            evidence(t)
        try:
            t.stack.close()
        except Exception as error:
            if verdict == "ok":
                verdict, why = "FAIL", f"at the end: {error}"
    except BaseException:		# Ctrl-C, SIGTERM: nothing stays behind then either
        signal.alarm(30)
        t.stack.close()
        raise
    finally:
        signal.alarm(0)
    left = orphans()
    if left and verdict == "ok":
        verdict, why = "FAIL", f"left processes behind: {left}"
    print(f"{verdict} {name}" + (f": {why[:WHY_MAX]}" if why else ""), flush=True)
    return verdict


def become_subreaper():
    """Orphans of what the tests start become ours, so none can stay behind unseen."""
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

# SPDX-License-Identifier: Apache-2.0
"""What looks like a Kubernetes pod to the agent: kubelet-style cgroups, network and pid namespaces."""
import contextlib
import os
import pathlib
import secrets

from .harness import Failure, Skip, family_of, program, reap, wait_for

CGROUP = pathlib.Path("/sys/fs/cgroup")


def hierarchies():
    """Every mounted cgroup hierarchy: v2's root, or the v1 controllers' and v2's beside them."""
    with open("/proc/mounts") as mounts:
        found = [pathlib.Path(m.split()[1]) for m in mounts if m.split()[2] in ("cgroup", "cgroup2")]
    return [path for path in found if path.name != "cpuset" and os.access(path / "cgroup.procs", os.W_OK)]


class Container:
    """A cgroup of kubelet's shape (cgroupfs driver) in every hierarchy; processes are put in by `enter`."""

    def __init__(self, t):
        self.id, self.pod_uid = secrets.token_hex(32), f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-4000-8000-{secrets.token_hex(6)}"
        # below a top of the test's own, as in kind: a real kubelet ends what it does not know in its kubepods
        self.path = f"sonde-it-{self.id[:8]}/kubepods/burstable/pod{self.pod_uid}/{self.id}"
        self.roots = hierarchies()
        if not self.roots:
            raise Skip("no writable cgroup hierarchy")
        t.defer(self.remove)
        for root in self.roots:
            (root / self.path).mkdir(parents=True)

    def enter(self):
        """In the child, before exec."""
        for root in self.roots:
            (root / self.path / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        """Leaf first. A cgroup is busy until the last process in it has ended and was waited for."""
        for root in self.roots:
            path = root / self.path
            while path != root:
                wait_for(lambda: removed(path), f"{path} is empty")
                path = path.parent


def removed(path):
    reap()
    try:
        path.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def spawn_in_namespaces(t, argv, name, setup=None):
    """Runs argv in network and pid namespaces of its own, loopback up; returns (process, its pid out here)."""
    script = 'ip link set lo up && exec "$@"'
    process = t.spawn([program("unshare"), "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                       "sh", "-c", script, "sh", *argv], name, setup=setup)

    def started():
        if not process.alive():
            raise Failure(f"unshare ended: {process.errors().strip()[-200:]}")
        inner = family_of(process.pid)[1:]
        with contextlib.suppress(OSError):
            if inner and os.readlink(f"/proc/{inner[0]}/exe") == os.path.realpath(argv[0]):
                return inner[0]
        return None

    return process, t.wait(started, f"{name} runs in its namespaces")


def in_network_of(pid, argv):
    return [program("nsenter"), "-t", pid, "-n", *argv]

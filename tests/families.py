"""Several families on one book: a switch, a PostgreSQL, a name server and a web server in one network namespace, and each family in its own.
All of them are the same CA: they answer to one URL, which in each namespace leads to the family there."""
import ctypes
import os
import shutil
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

from conftest import LINTEL, Ca, Dns, Webroot, free_port, wait_for
from postgres import Postgres, programs

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
usable = os.geteuid() == 0 and shutil.which("ip") and programs() is not None
HUB = "10.99.0.1"


def ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True)


@contextmanager
def inside(namespace):
    """This thread alone."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns", namespace)
        yield
    finally:
        libc.setns(here, CLONE_NEWNET)
        os.close(here)
        os.close(there)


class Hosts:
    """A switch in a namespace of its own, where the servers are, and one namespace for each host."""

    def __init__(self, count):
        self.hub = f"lt{os.getpid()}hub"
        self.names = [f"lt{os.getpid()}h{i}" for i in range(count)]
        ip("netns", "add", self.hub)
        ip("-n", self.hub, "link", "set", "lo", "up")
        ip("-n", self.hub, "link", "add", "switch", "type", "bridge")
        ip("-n", self.hub, "addr", "add", f"{HUB}/24", "dev", "switch")
        ip("-n", self.hub, "link", "set", "switch", "up")
        for i, name in enumerate(self.names):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", self.hub, "link", "add", f"port{i}", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", self.hub, "link", "set", f"port{i}", "master", "switch", "up")
            ip("-n", name, "addr", "add", f"10.99.0.{10 + i}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")

    def cable(self, i, state):
        ip("-n", self.hub, "link", "set", f"port{i}", state)

    def close(self):
        for name in [*self.names, self.hub]:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


class Family(Ca):
    """One of them. Its folder is the first one's with a name of its own, and what a host does not share left out."""

    def __init__(self, first, folder, namespace, name):
        self.__dict__.update(first.__dict__)
        self.namespace, self.name, self.process = namespace, name, None
        if name != "main":
            self.folder = folder / name
            first.lintel("host", "add", name, self.folder)
            self.root = self.folder / "ca" / "root.pem"
            self.log = folder / f"serve-{name}.log"

    def start(self):
        self.process = subprocess.Popen(["ip", "netns", "exec", self.namespace, str(LINTEL), "serve", str(self.folder)],
                                        stdout=subprocess.DEVNULL, stderr=open(self.log, "a"))
        self.wait_ready(60)
        return self

    def lintel(self, *args, **kw):
        with inside(self.namespace):
            return super().lintel(*args, **kw)

    def healthy(self):
        with inside(self.namespace):
            return super().healthy()

    def signal(self, number):
        """All of its programs, the supervisor first."""
        for pid in self.pids().values():
            os.kill(pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(20)
        self.process = None


class Families:
    def __init__(self, folder, names=("main", "b", "c"), more=(), prepare=None):
        """prepare: called with the first CA before any family runs."""
        for parent in (folder, folder.parent, folder.parent.parent):
            parent.chmod(0o755)
        self.hosts = Hosts(len(names))
        self.server = self.dns = self.webroot = None
        self.families = []
        try:
            self.server = Postgres(address=HUB, inside=["ip", "netns", "exec", self.hosts.hub])
            with inside(self.hosts.hub):
                (folder / "dns").mkdir()
                self.dns = Dns(folder / "dns", address=HUB, listen=HUB)
                first = Ca(folder, f"{HUB}@{self.dns.port}", free_port(), *more)
                self.webroot = Webroot(folder / "webroot", first.http01_port, HUB)
            if prepare is not None:
                prepare(first)
            self.move(first)
            for space, name in zip(self.hosts.names, names, strict=True):
                self.families.append(Family(first, folder, space, name).start())  # the first start makes what the others take along
        except BaseException:
            self.close()
            raise

    def move(self, ca):
        local = f"postgresql:///book?host={self.server.folder}&port={self.server.port}&user=book"
        ca.lintel("store", "migrate", "--to", local, "--yes")
        path = Path(ca.folder / "lintel.yaml")
        path.write_text(path.read_text() + f"store: {self.server.url}\n")
        (ca.folder / "book" / "lintel.db").rename(ca.folder.parent / "moved.db")

    def close(self):
        for f in self.families:
            if f.process is not None:
                f.signal(signal.SIGCONT)
                f.signal(signal.SIGKILL)
                f.process.wait(20)
        if self.webroot is not None:
            self.webroot.stop()
        if self.dns is not None:
            self.dns.stop()
        if self.server is not None:
            self.server.stop()
        self.hosts.close()


class Issuing:
    """A client that orders one certificate after the other at one family, and keeps what it got."""

    def __init__(self, family, webroot, client_class, name):
        self.family, self.name = family, name
        self.got, self.failed, self.last = [], 0, ""
        self.over = threading.Event()
        self.make = lambda: client_class(family.directory, family.root, webroot.challenges)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        client = None
        with inside(self.family.namespace):
            while not self.over.is_set():
                try:
                    if client is None:
                        client = self.make()
                        client.register()
                    self.got.append(client.issue(f"{self.name}-{len(self.got)}.example.com"))
                except Exception as e:
                    self.failed += 1
                    self.last = repr(e)
                    client = client if client is not None and client.kid else None
                    if client is not None:
                        client.close()
                        client.nonce = None
                    self.over.wait(0.3)

    def goes_on(self, seconds=30, more=3):
        seen = len(self.got)
        wait_for(f"{self.name} to go on ({self.last})", lambda: len(self.got) >= seen + more, seconds)

    def end(self):
        self.over.set()
        self.thread.join(60)

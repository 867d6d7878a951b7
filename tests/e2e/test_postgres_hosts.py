"""Three writers on three hosts (network namespaces) share one PostgreSQL, and everything goes wrong that a network and a machine can do. What
must hold: every number is given once, what a writer was told is committed is in the book, and the others go on."""
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

from conftest import LINTEL, wait_for
from postgres import Postgres, programs

WRITER = LINTEL.parent / "tests" / "unit" / "store" / "store-writer"
usable = os.geteuid() == 0 and shutil.which("ip") and programs() is not None and WRITER.exists()
pytestmark = pytest.mark.skipif(not usable, reason="needs root, ip, a PostgreSQL server and the writer of the tests")


def ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True)


class Hosts:
    """A switch in a namespace of its own, where the server is, and one namespace for each host."""

    def __init__(self, count):
        self.hub = f"lt{os.getpid()}hub"
        self.names = [f"lt{os.getpid()}h{i}" for i in range(count)]
        ip("netns", "add", self.hub)
        ip("-n", self.hub, "link", "set", "lo", "up")
        ip("-n", self.hub, "link", "add", "switch", "type", "bridge")
        ip("-n", self.hub, "addr", "add", "10.99.0.1/24", "dev", "switch")
        ip("-n", self.hub, "link", "set", "switch", "up")
        for i, name in enumerate(self.names):
            ip("netns", "add", name)
            ip("-n", self.hub, "link", "add", f"port{i}", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", self.hub, "link", "set", f"port{i}", "master", "switch", "up")
            ip("-n", name, "addr", "add", f"10.99.0.{10 + i}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")

    def cable(self, i, state):
        ip("-n", self.hub, "link", "set", f"port{i}", state)

    def close(self):
        for name in [*self.names, self.hub]:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


class Writer:
    def __init__(self, host, name, url, linger_ms):
        self.name = name
        self.done, self.doubt, self.lost = [], [], 0
        self.last = 0.0
        self.process = subprocess.Popen(["ip", "netns", "exec", host, str(WRITER), url, name, str(linger_ms)], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            what, number = line.split()
            if what == "done":
                self.done.append(int(number))
                self.last = time.monotonic()
            elif what == "doubt":
                self.doubt.append(int(number))
            elif what == "lost":
                self.lost += 1

    def goes_on(self, seconds=15):
        seen = len(self.done)
        wait_for(f"{self.name} to go on", lambda: len(self.done) > seen + 3, seconds)

    def end(self):
        self.process.kill()
        self.process.wait(10)
        self.thread.join(10)


@pytest.fixture
def stage(tmp_path):
    hosts = Hosts(3)
    server = None
    try:
        server = Postgres(address="10.99.0.1", inside=["ip", "netns", "exec", hosts.hub])
        yield hosts, server
    finally:
        if server is not None:
            server.stop()
        hosts.close()


def make_book(server, tmp_path):
    """The schema is the program's own: an empty book of the command line's is moved there."""
    folder = tmp_path / "ca"
    subprocess.run([str(LINTEL), "init", str(folder), "--host", "localhost"], check=True, capture_output=True)
    local = f"postgresql:///book?host={server.folder}&port={server.port}&user=book"
    subprocess.run([str(LINTEL), "store", "migrate", "--dir", str(folder), "--to", local, "--yes"], check=True, capture_output=True)
    server.sql("INSERT INTO due VALUES (1, 0, 'count', '') ON CONFLICT (id) DO UPDATE SET due_us = 0")


def settle(server, writers):
    """Nobody writes any more: what is in the book, and what was said to be."""
    for w in writers:
        w.end()
    wait_for("the connections' end",
             lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lintel'") == "0", 20)
    total = int(server.sql("SELECT due_us FROM due WHERE id = 1"))
    rows = [r.split("|") for r in server.sql("SELECT chain, sequence FROM event WHERE kind = 'counted' ORDER BY sequence").splitlines()]
    assert [int(n) for _, n in rows] == list(range(1, total + 1))  # each number once, none left out
    said = {(w.name, n) for w in writers for n in w.done}
    there = {(name, int(n)) for name, n in rows}
    assert said <= there
    unsaid = {n for _, n in there - said}
    return total, unsaid


def test_three_hosts(stage, tmp_path):
    hosts, server = stage
    make_book(server, tmp_path)
    ended = []
    writers = [Writer(host, f"writer-{i}", server.url, 2 if i else 20) for i, host in enumerate(hosts.names)]
    try:
        for w in writers:
            w.goes_on()

        # One is killed. The server hears of it at once.
        writers[1].end()
        writers[0].goes_on(5)
        ended.append(writers[1])
        writers[1] = Writer(hosts.names[1], "writer-1b", server.url, 2)
        writers[1].goes_on()

        # One is cut off: the server knows after seconds, and the others go on; so does it when the cable is back.
        hosts.cable(2, "down")
        began = time.monotonic()
        writers[0].goes_on(15)
        writers[1].goes_on(15)
        stood = time.monotonic() - began
        wait_for("the loss", lambda: writers[2].lost > 0, 30)
        hosts.cable(2, "up")
        writers[2].goes_on(30)

        # The slow one holds the lock most of the time: stopped past its lease, it finds its transaction gone.
        lost = writers[0].lost
        writers[0].process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        writers[1].goes_on(15)
        writers[2].goes_on(15)
        lease = time.monotonic() - began
        wait_for("the lease's end", lambda: time.monotonic() - began > 7, 10)
        writers[0].process.send_signal(signal.SIGCONT)
        writers[0].goes_on(15)

        # The server dies under load, and comes back.
        server.kill()
        server.start()
        for w in writers:
            w.goes_on(30)
    finally:
        total, unsaid = settle(server, [*writers, *ended])
    # Of each loss at most one commit is in the book whose answer nobody heard.
    assert len(unsaid) <= 1 + 1 + 1 + 3 + 3
    print(f"{total} numbers, {len(unsaid)} committed without an answer; cut off: others stood {stood:.1f} s; stopped: {lease:.1f} s; "
          f"lost {lost} to {writers[0].lost}")

"""One glance: the overview of a running family, held against its book, and lintel top in a terminal; killed once, moved to a server once."""
import codecs
import json
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import termios
import time
from fcntl import ioctl

import pytest
from acmeclient import Client
from conftest import LINTEL, Ca, Webroot, free_port, wait_for
from postgres import Postgres, programs
from test_postgres import move_to

COUNTED = """SELECT c.profile, c.issuer, count(*), count(r.serial) FROM certificate c LEFT JOIN revocation r
 ON r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial WHERE c.copy = 0 GROUP BY 1, 2 ORDER BY 1, 2"""
TALLIED = "SELECT profile, issuer, sum(certificates), sum(revoked) FROM tally GROUP BY 1, 2 ORDER BY 1, 2"


@pytest.fixture(scope="module")
def desk(tmp_path_factory, dns):
    folder = tmp_path_factory.mktemp("top")
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)
    port = free_port()
    ca = Ca(folder, dns.port, port).start()
    ca.webroot = Webroot(folder / "webroot", port)
    ca.client = Client(ca.directory, ca.root, ca.webroot.challenges)
    ca.client.register()
    yield ca
    ca.webroot.stop()
    if ca.process is not None:
        ca.process.kill()
        ca.process.wait()


def look(ca):
    text = subprocess.run(["curl", "-sS", "--unix-socket", ca.folder / "run" / "api.sock", "http://ca/api/v1/overview"],
                          capture_output=True, text=True, check=True).stdout
    assert text.startswith('{"now":"') and len(text) < 16384
    return json.loads(text)


def issue(ca, name):
    ca.client.close()  # whoever was connected may have been killed
    ca.client.issue(name)


def rows(ca, sql):
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        return book.execute(sql).fetchall()


def minutes(doc, column):
    return sum(m[column] for m in doc["rates"]["minutes"])


def test_it_counts_what_happens(desk):
    before = wait_for("the book to be counted", lambda: (d := look(desk)) and not d["counts"]["behind"] and d)
    serials = []
    for name in ("a.example.com", "b.example.com"):
        desk.client.issue(name)
        serials.append(desk.json("cert", "list", "--limit", "1")["certificates"][0]["serial"])
    desk.lintel("revoke", serials[0], "--reason", "superseded", "--yes")
    _, order = desk.client.order("c.example.com")
    authorization = desk.client.post(order["authorizations"][0], None).json()
    challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    desk.client.post(challenge["url"], {})  # nothing is there
    after = wait_for("the failure, and CRLs", lambda: (d := look(desk)) and minutes(d, 3) > minutes(before, 3) and len(d["crls"]) == 5 and d)
    assert after["counts"] == {**before["counts"], "valid": before["counts"]["valid"] + 1, "revoked": 1,
                               "total": before["counts"]["total"] + 2}
    assert minutes(after, 1) == minutes(before, 1) + 2 and minutes(after, 2) == 1
    assert {"profile": "tls-server", "valid": 1, "revoked": 1} in after["by_profile"]
    assert sum(p["valid"] for p in after["by_profile"]) == sum(i["valid"] for i in after["by_issuer"]) == after["counts"]["valid"]
    assert len(after["expiry"]) == 120 and sum(d[2] for d in after["expiry"]) == 1
    assert len(after["rates"]["minutes"]) == 180
    assert rows(desk, COUNTED) == rows(desk, TALLIED)
    assert after["ca"]["name"] and after["held"] is False and all(r["up"] for r in after["roles"]), after
    assert {c["issuer"] for c in after["crls"]} >= {"root", "tls"} and {c["state"] for c in after["crls"]} == {"fresh"}


def test_nothing_ticks_by_itself(desk):
    """Or every console would be told of it each time."""
    def still():
        a = look(desk)
        time.sleep(1.1)  # of the clock itself
        b = look(desk)
        return a.pop("now") != b.pop("now") and a == b
    wait_for("two alike", still, seconds=15)


def test_a_killed_family_counts_on(desk):
    for name in ("d.example.com", "e.example.com"):
        issue(desk, name)
        os.kill(desk.pids()["registrar-0"], signal.SIGKILL)
        wait_for("the registrar", lambda: desk.healthy() and desk.ready())
    desk.process.kill()
    desk.process.wait()
    desk.start()
    issue(desk, "f.example.com")
    assert not look(desk)["counts"]["behind"]
    assert rows(desk, COUNTED) == rows(desk, TALLIED)


def test_what_is_restricted_is_nobodys(desk):
    quiet = desk.lintel("top", "--once")
    assert "Nothing is wrong." in quiet.stdout and "CERTIFICATES" in quiet.stdout and "\033" not in quiet.stdout
    desk.lintel("incident", "open", "the hole that nobody knows of", "--restricted", "--severity", "critical",
                "--cause", "key-compromise")
    doc = look(desk)
    assert doc["incidents"] == [] and "nobody knows" not in json.dumps(doc)
    clock = doc["next"][0]
    assert clock["what"] == "a duty of a restricted incident" and "/" not in clock["duty"], clock
    desk.lintel("incident", "open", "one that everybody knows", "--severity", "critical")
    bad = desk.lintel("top", check=False)  # no terminal: once
    assert bad.returncode == 6 and "one that everybody knows" in bad.stdout and "nobody knows" not in bad.stdout
    doc = desk.lintel("top", "--json", check=False)
    assert doc.returncode == 6 and json.loads(doc.stdout)["worst"]["level"] == "bad"
    incident = json.loads(doc.stdout)["incidents"][0]
    assert incident["next_due"] and json.loads(doc.stdout)["worst"]["href"] == f"/console/incidents/{incident['id']}"


class Terminal:
    def __init__(self, ca, *args, rows=24, columns=80, **env):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        env = {"PATH": os.environ["PATH"], "LINTEL_DIR": str(ca.folder), "TERM": "xterm", "LANG": "C.UTF-8", **env}
        self.process = subprocess.Popen([LINTEL, "top", *args], stdin=slave, stdout=slave, stderr=slave, env=env)
        self.seen = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")()  # a character may come in two pieces

    def resize(self, rows, columns):
        ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0.05)[0]:
            self.seen += self.decoder.decode(os.read(self.master, 65536))
        return self.seen

    def frame(self):
        """The last one that is whole."""
        return self.read().split("\033[H")[-1 if self.seen.endswith("\033[K") else -2]

    def waits_for(self, what):
        wait_for(repr(what), lambda: self.process.poll() is None and what in self.frame(), step=0.1)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def ended(self):
        assert self.process.wait(10) == 0, self.read()
        left = self.read()[-40:]
        assert "\033[?25h\033[?1049l" in left, left  # the cursor, and the screen that was there
        assert termios.tcgetattr(self.slave) == self.before
        os.close(self.slave)
        os.close(self.master)


def test_a_terminal(desk):
    t = Terminal(desk, "--every", "1")
    t.waits_for("q quit")
    assert t.seen.startswith("\033[?1049h\033[?25l")
    t.waits_for("> 2  critical")  # the chosen one
    assert "\033[7m" in t.frame() and "▁" in t.frame()
    lines = [re.sub("\033\\[[0-9;?]*[A-Za-z]", "", line) for line in t.frame().split("\r\n")]
    assert len(lines) <= 24 and not [line for line in lines if len(line) > 80], lines
    t.type("\r")
    t.waits_for("Incident 2: one that everybody knows")
    t.type("\033[D")
    t.waits_for("INCIDENTS")
    t.type("\033")  # of a page that is not open: nothing
    t.resize(60, 132)
    t.process.send_signal(signal.SIGWINCH)
    t.waits_for("FAMILY")  # there is room for all of it
    t.type("q")
    t.ended()


def test_a_terminal_is_given_back(desk):
    t = Terminal(desk, NO_COLOR="1", LANG="C")
    t.waits_for("q quit")
    assert "\033[7m" not in t.frame() and "\033[1m" not in t.frame() and t.frame().isascii()
    t.process.send_signal(signal.SIGTERM)
    t.ended()
    t = Terminal(desk)
    t.waits_for("q quit")
    t.type("\003")
    t.ended()


def test_on_a_server(desk):
    """The same there; and a family that nobody serves is waited for."""
    t = Terminal(desk, "--every", "1", rows=50)
    t.waits_for("CERTIFICATES")
    desk.stop()
    t.waits_for("NO ANSWER")
    nobody = desk.lintel("top", "--once", check=False)
    assert nobody.returncode == 5 and nobody.stderr.startswith("lintel"), nobody
    t.type("q")
    t.ended()
    if programs() is None:
        pytest.skip("no PostgreSQL server is installed")
    server = Postgres()
    try:
        move_to(desk, server.url)
        desk.start()
        before = look(desk)["counts"]
        assert not before["behind"] and before["revoked"] == 1
        issue(desk, "g.example.com")
        assert look(desk)["counts"] == {**before, "valid": before["valid"] + 1, "total": before["total"] + 1}
        assert minutes(look(desk), 1) > 0
        assert "a message failed" not in desk.log.read_text(), desk.log_tail()
        desk.stop()
    finally:
        server.stop()

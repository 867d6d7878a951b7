"""kill -9 of registrar, reader and notary while scopes are saved: a version that was answered is in the book, whole, with its
event; versions have no gaps; and each still gives the certificates that it gave when it was saved."""
import hashlib
import json
import os
import random
import sqlite3
import threading
import time

from acmeclient import Load
from conftest import Webroot, wait_for
from test_kills import kill

KILLS = int(os.environ.get("LINTEL_KILLS", "20")) // 2
NAMES = ("chaos-one", "chaos-two")


def rows(ca, sql):
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        return book.execute(sql).fetchall()


class Saver(threading.Thread):
    """Saves the same two names over and over, each time with another limit, and keeps what it was told."""

    def __init__(self, ca):
        super().__init__()
        self.ca = ca
        self.told = []
        self.refused = []
        self.over = threading.Event()

    def save(self, step):
        name = NAMES[step % 2]
        text = f"names <= {step} or suffix = step{step}.example.com"
        result = self.ca.lintel("scope", text, "--save", name, "--note", f"step {step}", "--json", check=False)
        if result.returncode == 0:
            self.told.append({**json.loads(result.stdout), "text": text})
        else:
            self.refused.append(result.stderr)

    def run(self):
        step = 0
        while not self.over.is_set():
            step += 1
            self.save(step)


def check(ca, saver):
    book = {(name, version): (text, digest, count, members) for name, version, text, digest, count, members in
            rows(ca, "SELECT name, version, text, sha256, count, members_sha256 FROM scope")}
    for told in saver.told:
        text, digest, count, members = book[told["name"], told["version"]]
        assert text == told["text"] and digest == hashlib.sha256(text.encode()).digest()
        assert (count, members.hex()) == (told["count"], told["members_sha256"])
    for name in NAMES:
        versions = sorted(v for n, v in book if n == name)
        assert versions == list(range(1, len(versions) + 1)), (name, versions)
        events = rows(ca, f"SELECT count(*) FROM event WHERE kind = 'scope.saved' AND subject = 'scope {name}'")[0][0]
        assert events == len(versions), (name, events, len(versions))
    return book


def test_kills_while_scopes_are_saved(fresh_ca, tmp_path, record_property):
    ca = fresh_ca
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    webroot = Webroot(tmp_path / "webroot", ca.http01_port)
    ca.start()
    load = Load(ca.directory, ca.root, webroot.challenges, threads=2).start()
    saver = Saver(ca)
    saver.start()
    try:
        wait_for("the first scope", lambda: saver.told, 30)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.8))
            victims = sorted(v for v in ca.pids() if v.split("-")[0] in ("registrar", "reader", "notary"))
            pid = ca.pids().get(chance.choice(victims))
            assert pid is None or kill(pid) in (True, False)
            wait_for("an answer", lambda: ca.lintel("scope", "list", check=False).returncode == 0, 30)
        before = len(saver.told)
        wait_for("scopes after the last kill", lambda: len(saver.told) > before + 1, 30)
    finally:
        saver.over.set()
        saver.join()
        load.stop()
    book = check(ca, saver)
    record_property("versions", len(book))
    for name in NAMES:
        for version in sorted(v for n, v in book if n == name)[-3:]:
            again = ca.json("scope", "run", name, "--version", version)
            assert again["as_saved"] and again["count_then"] == again["count_saved"], again
    ca.lintel("audit", "verify", timeout=120)
    ca.stop()
    check(ca, saver)

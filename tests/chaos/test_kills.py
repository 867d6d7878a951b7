"""kill -9 of any process, or of the family, at any moment under load: nothing that a client holds is missing from the
book, no serial was used twice, no order is stuck. LINTEL_KILLS says how often (20; 300 in the soak)."""
import hashlib
import os
import random
import signal
import sqlite3
import ssl
import time

from acmeclient import Load
from conftest import Webroot, wait_for

KILLS = int(os.environ.get("LINTEL_KILLS", "20"))


def leaf_der(chain):
    end = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(chain[: chain.index(end) + len(end)] + "\n")


def book(ca):
    connection = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True)
    connection.execute("PRAGMA query_only=1")
    return connection


def check_the_book(ca, load):
    held = {hashlib.sha256(leaf_der(c)).digest() for c in load.certificates}
    assert len(held) == len(load.certificates), "a certificate was handed out twice"
    with book(ca) as b:
        rows = b.execute("SELECT sha256, serial FROM certificate").fetchall()
        known = {r[0] for r in rows}
        assert len({r[1] for r in rows}) == len(rows), "a serial was used twice"
        missing = held - known
        assert not missing, f"{len(missing)} certificates that a client holds are not in the book"


def nothing_is_stuck(ca):
    with book(ca) as b:
        orders = b.execute("SELECT count(*) FROM ca_order WHERE status = 'processing'").fetchone()[0]
        intents = b.execute("SELECT count(*) FROM intent_open").fetchone()[0]
        challenges = b.execute("SELECT count(*) FROM challenge WHERE status = 'processing'").fetchone()[0]
        return orders + intents + challenges == 0


def test_random_kills(fresh_ca, tmp_path, record_property):
    ca = fresh_ca
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    webroot = Webroot(tmp_path / "webroot", ca.http01_port)
    ca.start()
    load = Load(ca.directory, ca.root, webroot.challenges).start()
    killed = {}
    try:
        wait_for("the first certificate", lambda: load.certificates, 30)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 1.0))
            victims = ca.pids()
            name = chance.choice(sorted(victims))
            killed[name.split("-")[0]] = killed.get(name.split("-")[0], 0) + 1
            kill(victims[name])
            if name.startswith("supervisor"):
                ca.process.wait()
                wait_for("the orphans to end", lambda: not any(alive(p) for p in victims.values()), 10)
                ca.start()
            before = len(load.certificates)
            wait_for("a certificate after the kill", lambda: len(load.certificates) > before, 60)
    finally:
        load.stop()
        webroot.stop()
    record_property("kills", KILLS)
    record_property("certificates held by clients", len(load.certificates))
    record_property("errors that clients saw on the way", len(load.errors))
    print(f"killed {killed}")
    wait_for("open work to end", lambda: nothing_is_stuck(ca), 60)
    check_the_book(ca, load)
    ca.stop()
    check_the_book(ca, load)
    said = ca.json("audit", "verify", timeout=300)  # every row of evidence has its frame, too
    with book(ca) as b:
        assert said["ok"] and said["evidence"] == b.execute("SELECT count(*) FROM evidence").fetchone()[0] > 0, said
    ca.lintel("audit", "verify", timeout=300)


def kill(pid):
    """Whether it was there to be killed."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False

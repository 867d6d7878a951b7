"""kill -9 of registrar, notaries, mailroom and readers while letters come to the problem desk, some of 3 MB: a mail server that tries
again for as long as it is told 75 loses none, has none twice, each has its one clock, and what proves a key acts once."""
import email.message
import hashlib
import json
import os
import random
import sqlite3
import sys
import threading
import time
from pathlib import Path

from conftest import wait_for
from cryptography.hazmat.primitives.asymmetric import ec
from test_kills import kill

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import proof_vectors as made  # noqa: E402

KILLS = int(os.environ.get("LINTEL_KILLS", "20")) // 2
LETTERS, LARGE, TRIES = 24, 3 << 20, 60
ROLES = ("registrar", "notary", "mailroom", "reader")


class Killer(threading.Thread):
    """Each role in turn, so that none is left out."""

    def __init__(self, ca, seed):
        super().__init__(daemon=True)
        self.ca, self.chance, self.left, self.killed = ca, random.Random(seed), KILLS, {}

    def run(self):
        while self.left > 0:
            time.sleep(self.chance.uniform(0.05, 0.5))
            role = ROLES[self.left % len(ROLES)]
            pids = [pid for name, pid in sorted(self.ca.pids().items()) if name.startswith(role)]
            if pids and kill(self.chance.choice(pids)):
                self.left -= 1
                self.killed[role] = self.killed.get(role, 0) + 1


def letter(n, proof=b"", size=0):
    m = email.message.EmailMessage()
    m["From"] = f"Reporter {n % 5} <reporter{n % 5}@example.org>"
    m["To"] = "problems@ca.example"
    m["Subject"] = f"problem {n}"
    m["Message-ID"] = f"<{n}.{os.getpid()}@example.org>"
    m.set_content(f"Number {n}: something is wrong with www{n}.example.com.\n")
    if size:
        m.add_attachment(random.Random(n).randbytes(size), maintype="application", subtype="octet-stream", filename="dump.bin")
    if proof:
        m.add_attachment(proof, maintype="application", subtype="pkcs10", filename="proof.pem")
    return m.as_bytes()


def certificates(ca, keys):
    """Brought in, as rows without bytes."""
    book = sqlite3.connect(ca.folder / "book" / "lintel.db")
    issuer = book.execute("SELECT id FROM issuer WHERE name = 'tls'").fetchone()[0]
    now = int(time.time() * 1e6)
    book.executemany(
        f"INSERT INTO certificate VALUES ({','.join('?' * 26)})",
        ((issuer, bytes.fromhex(f"10{i:030x}"), 0, "bulk", 1, bytes.fromhex(f"{i:064x}"), hashlib.sha256(made.spki(k)).digest(), 1, 256,
          now - 10**6, now + 90 * 86400 * 10**6, now - 10**6, 0, 0, bytes.fromhex(f"{i:064x}"), 1, "", "", 1, "", 0, 0, 0, 0, 0, 0)
         for i, k in enumerate(keys)))
    book.commit()
    book.close()


def bring(ca, path):
    """As a mail server does: 75 is tried again, everything else is not."""
    for _ in range(TRIES):
        done = ca.lintel("problem", "ingest", path, "--json", check=False)
        if done.returncode == 0:
            return True
        assert done.returncode == 75, (done.returncode, done.stdout, done.stderr)
        time.sleep(0.2)
    return False


def test_no_letter_is_lost(fresh_ca, tmp_path, record_property):
    ca = fresh_ca
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {KILLS} kills")
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(LETTERS // 4)]
    ca.start()
    ca.stop()
    certificates(ca, keys)
    ca.start()
    paths = []
    for n in range(LETTERS):
        path = tmp_path / f"{n}.eml"
        path.write_bytes(letter(n, made.pock(keys[n // 4]) if n % 4 == 0 else b"", LARGE if n % 6 == 1 else 0))
        paths.append(path)
    killer = Killer(ca, seed)
    killer.start()
    brought = [bring(ca, path) for path in paths]
    killer.join(120)
    assert all(brought) and killer.left == 0, (brought, killer.left)
    brought = [bring(ca, path) for path in paths]  # a mail server that missed the answer comes again
    assert all(brought)
    record_property("kills", KILLS)
    print(f"killed {killer.killed}")
    ca.wait_ready(60)
    book = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True)

    def one(sql, *values):
        return book.execute(sql, values).fetchone()[0]

    wait_for("all letters to be read", lambda: one("SELECT count(*) FROM problem WHERE reading NOT IN ('done', 'failed', 'none')") == 0, 90)
    wait_for("all proofs to be settled", lambda: one("SELECT count(*) FROM key_compromise WHERE revoked_us > 0") == len(keys), 60)
    hashes = {hashlib.sha256(path.read_bytes()).digest() for path in paths}
    rows = book.execute("SELECT id, raw_sha256, reading FROM problem").fetchall()
    assert {h for _, h, _ in rows} == hashes and len(rows) == LETTERS
    failed = [i for i, _, reading in rows if reading == "failed"]
    assert len(failed) <= KILLS // len(ROLES) + 1, failed  # one that died often with the mailroom waits for a person
    for i, _, _ in rows:
        assert one("SELECT count(*) FROM clock WHERE subject = ? AND duty = 'cpr-findings'", f"problem {i}") == 1, i
        assert one("SELECT count(*) FROM event WHERE subject = ? AND kind = 'problem.received'", f"problem {i}") == 1, i
    for key in keys:
        name = hashlib.sha256(made.spki(key)).hexdigest()
        assert one("SELECT count(*) FROM event WHERE subject = ? AND kind = 'proof.accepted'", f"key {name}") == 1
        assert one("SELECT count(*) FROM event WHERE subject = ? AND kind = 'proof.settled'", f"key {name}") == 1
    assert one("SELECT count(*) FROM revocation WHERE reason = 1") + one("SELECT coalesce(sum(revoked), 0) FROM mass") >= len(keys)
    book.close()
    audit = ca.json("audit", "verify", check=False)
    other = [f for f in audit["findings"] if f["what"] != "certificate"]  # those were written by hand, without bytes
    assert not other and audit["proofs"] == len(keys), json.dumps(other)
    ca.stop()

"""kill -9 of any process, or of the family, at random moments of mass revocations: the end state is the same as without,
and every CRL that is published is valid at every moment. LINTEL_KILLS says how often (10 of 20; 100 in the soak)."""
import os
import random
import re
import sqlite3
import subprocess
import threading
import time
import urllib.request

from conftest import wait_for
from test_kills import alive, kill

KILLS = min(100, int(os.environ.get("LINTEL_KILLS", "20")) // 2)
EACH = 8000  # members of one mass revocation
SHARDS = 8
DAY_US = 86400 * 10**6


def open_book(ca):
    return sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True, timeout=20)


def fill(ca, masses):
    """Certificates as an import would bring them: rows without bytes. Each account is one mass revocation."""
    owner = (ca.folder / "book").stat()
    db = sqlite3.connect(ca.folder / "book" / "lintel.db")
    issuer = db.execute("SELECT id FROM issuer WHERE name = 'tls'").fetchone()[0]
    now = int(time.time() * 1e6)
    drawn = random.Random(9)
    rows = []
    for i in range(masses * EACH):
        serial = bytes([13]) + (i >> 4).to_bytes(3, "big") + drawn.randbytes(12)
        rows.append((issuer, serial, 0, "bulk", 1, serial * 2, drawn.randbytes(32), 1, 256, now - 10**6, now + 90 * DAY_US,
                     now - 10**6, 1 + i // EACH, 0, serial * 2, 1, "", "", 1, "", 0, 0, 0, 0,
                     1 + int.from_bytes(serial[-4:], "big") % SHARDS, 0))
    db.executemany(f"INSERT INTO certificate VALUES ({','.join('?' * 26)})", rows)
    db.commit()
    db.close()
    for path in (ca.folder / "book").glob("lintel.db*"):
        os.chown(path, owner.st_uid, owner.st_gid)
    return {row[1].hex() for row in rows}


class Watcher(threading.Thread):
    """Reads what is published as it is, again and again: whole, signed, in force, and never older than before."""

    def __init__(self, ca):
        super().__init__(daemon=True)
        self.ca, self.over, self.looks, self.numbers, self.wrong = ca, threading.Event(), 0, {}, []

    def look(self, path):
        out = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-crlnumber", "-CAfile",
                              self.ca.folder / "ca" / "tls.pem"], capture_output=True, text=True)
        found = re.search(r"crlNumber=(?:0x)?([0-9A-Fa-f]+)", out.stdout)
        number = int(found[1], 16) if found else 0
        if out.returncode != 0 or "verify OK" not in out.stdout + out.stderr or number < self.numbers.get(path, 1):
            self.wrong.append(f"{path}: {out.stdout}{out.stderr}")
        self.numbers[path] = number
        self.looks += 1

    def run(self):
        drawn = random.Random(7)
        files = [self.ca.folder / f"public/crl/tls/{i}.crl" for i in range(1, SHARDS + 1)]
        files.append(self.ca.folder / "public/crl/tls.crl")
        while not self.over.wait(0.02):
            self.look(drawn.choice(files))


def listed(text):
    return {line.split(":")[1].strip().lower().zfill(32) for line in text.splitlines() if "Serial Number:" in line}


def published(ca):
    """Of all parts, and of the complete one."""
    parts, whole = set(), set()
    for name in [*(f"tls/{i}" for i in range(1, SHARDS + 1)), "tls"]:
        der = urllib.request.urlopen(f"http://localhost:{ca.http_port}/crl/{name}.crl", timeout=20).read()
        done = subprocess.run(["openssl", "crl", "-inform", "DER", "-noout", "-text", "-CAfile", ca.folder / "ca/tls.pem"],
                              input=der, capture_output=True, check=True)
        assert b"verify OK" in done.stdout + done.stderr
        (whole if name == "tls" else parts).update(listed(done.stdout.decode()))
    return parts, whole


def strike(ca, name, victims):
    if not name.startswith("supervisor"):
        kill(victims[name])
        return
    for pid in victims.values():  # as when the power goes: all of them, and not one after the other's end
        kill(pid)
    ca.process.wait()
    wait_for("the orphans to end", lambda: not any(alive(p) for p in victims.values()), 10)
    ca.start()


def asked(ca, *words):
    """Until somebody answers: who asks may meet a family that was just killed."""
    def once():
        done = ca.lintel(*words, "--json", check=False, timeout=120)
        return done if done.returncode != 5 else None
    return wait_for(" ".join(words[:2]), once, 60, 0.2)


def revoke_one(ca, account, chance, killed):
    asked(ca, "revoke", "--scope", f"account = {account}", "--reason", "superseded", "--yes")
    with open_book(ca) as db:
        mass = db.execute("SELECT 'm' || id FROM mass ORDER BY id DESC LIMIT 1").fetchone()[0]
    wait_for("the list", lambda: ca.json("mass", "show", mass)["status"] == "proposed", 30)
    starter = threading.Thread(target=lambda: ca.lintel("mass", "start", mass, "--yes", check=False, timeout=120))
    starter.start()
    time.sleep(chance.uniform(0.05, 0.6))
    victims = ca.pids()
    name = chance.choice(sorted(victims))
    killed[name.split("-")[0]] = killed.get(name.split("-")[0], 0) + 1
    strike(ca, name, victims)
    starter.join()

    def over():
        done = ca.lintel("mass", "show", mass, "--json", check=False)
        if done.returncode == 0 and '"proposed"' in done.stdout:
            ca.lintel("mass", "start", mass, "--yes", check=False, timeout=120)  # the question was lost, not the mass
        return done.returncode == 0 and '"status": "done"' in done.stdout.replace('":"', '": "')
    wait_for("the mass revocation", over, 90, 0.2)


def test_mass_revocations_killed_at_random(fresh_ca, record_property):
    ca = fresh_ca
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    path = ca.folder / "lintel.yaml"
    text = re.sub(r"^    crl-shards:.*\n", "", path.read_text(), flags=re.M)
    text = text.replace("  - name: tls\n", f"  - name: tls\n    crl-shards: {SHARDS}\n")
    path.write_text(re.sub(r"^  revoke-alone:.*$", "  revoke-alone: 1000000", text, flags=re.M))
    ca.start()
    wait_for("all parts", lambda: len(list((ca.folder / "public/crl/tls").glob("*.crl"))) == SHARDS, 60)
    ca.stop()
    serials = fill(ca, KILLS)
    ca.start()
    watcher = Watcher(ca)
    watcher.start()
    killed = {}
    try:
        for account in range(1, KILLS + 1):
            revoke_one(ca, account, chance, killed)
    finally:
        watcher.over.set()
        watcher.join()
    print(f"killed {killed}, {watcher.looks} published files read meanwhile")
    assert not watcher.wrong, watcher.wrong[:3]
    record_property("kills", KILLS)
    record_property("published files read meanwhile, all valid", watcher.looks)
    with open_book(ca) as db:
        assert db.execute("SELECT count(*), sum(revoked), sum(already) FROM mass WHERE status = 'done'").fetchone() == (
            KILLS, KILLS * EACH, 0)
        assert {row[0].hex() for row in db.execute("SELECT serial FROM revocation")} == serials
        assert db.execute("SELECT count(*) FROM event WHERE kind = 'certificates.revoked'").fetchone()[0] == KILLS
    wait_for("the parts", lambda: published(ca)[0] == serials, 90, 1)
    ca.lintel("mass", "list")
    ca.stop()
    said = ca.lintel("audit", "verify", "--json", check=False, timeout=300).stdout
    for what in ('"revocation"', '"journal"', '"event"', '"chain"', '"knot"'):  # its certificates have no bytes: it says so
        assert f'"what":{what}' not in said.replace('": "', '":"'), said[:2000]

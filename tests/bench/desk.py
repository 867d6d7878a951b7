"""What the problem desk does with many reports at once: python3 tests/bench/desk.py [--reports N] [--pipes N] [--keys N]

Letters of all kinds (reports, spam, requests to take content down, duplicates, malformed bytes, proofs of compromised keys,
some of 10 MB) are made first, brought in by several `lintel problem ingest` at once, as a mail server would, and counted
afterwards in the book: none lost, every genuine proof acted on, how long each took from its receipt to the revocation, and
whether each clock begins when its report was received."""
import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from email.message import EmailMessage
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "tools")]
import proof_vectors as made  # noqa: E402
from acmeclient import Client  # noqa: E402
from conftest import LINTEL, Ca, Dns, Webroot, free_port, wait_for  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

BIG = 10 * 1024 * 1024


def letter(n, body, subject="a problem", sender=None):
    m = EmailMessage()
    m["From"] = sender or f"r{n % 997}@example.org"
    m["To"] = "problems@ca.example"
    m["Subject"] = subject
    m["Message-ID"] = f"<{n}.{os.urandom(6).hex()}@example.org>"
    m.set_content(body)
    return m


def report(n, world):
    return bytes(letter(n, f"The certificate with serial {os.urandom(16).hex()} breaks BR 7.1.2.7.{n % 12}.\n"))


def spam(n, world):
    return bytes(letter(n, f"Cheap loans number {n}, my friend, write now!\n", "You have won"))


def takedown(n, world):
    return bytes(letter(n, f"Phishing: take down https://bad{n}.example/login at once.\n", "Takedown"))


def duplicate(n, world):
    return bytes(letter(n, f"Look at serial {world['serial']}, it is misissued.\n"))


def same_bytes(n, world):
    world.setdefault("same", bytes(letter(0, f"the very same letter, about {world['serial']}")))
    return world["same"]


def malformed(n, world):
    return [os.urandom(3000), b"\r\n" * 50 + b"%d" % n,
            b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n--%d" % (n, n, n),
            b"From: \xff\xfe%d\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%%%%" % n][n % 4]


def forged(n, world):
    key = ec.generate_private_key(ec.SECP256R1())
    bad = bytearray(made.request(key, "kca=v1 This Key Is Compromised", True))
    bad[-3] ^= 0x55
    m = letter(n, "a proof that is none")
    m.add_attachment(bytes(bad), maintype="application", subtype="pkcs10", filename="proof.csr")
    return bytes(m)


def big(n, world):
    m = letter(n, f"The logs of host {n} are attached.")
    m.add_attachment(os.urandom(BIG), maintype="application", subtype="octet-stream", filename="log.bin")
    return bytes(m)


def proof(n, world):
    key = world["keys"].pop()
    m = letter(n, "The key is public, see the request.")
    m.add_attachment(made.request(key, "kca=v1 This Key Is Compromised", True), maintype="application",
                     subtype="pkcs10", filename="proof.csr")
    return bytes(m)


SHARES = [(report, 400), (spam, 250), (takedown, 120), (duplicate, 100), (malformed, 80), (forged, 30), (same_bytes, 17)]


def make(folder, count, keys, bigs, world):
    kinds = [proof] * keys + [big] * bigs
    whole = sum(share for _, share in SHARES)
    for kind, share in SHARES:
        kinds += [kind] * (max(1, (count - keys - bigs) * share // whole))
    kinds = kinds[:count] + [report] * (count - len(kinds))
    random.Random(1).shuffle(kinds)
    for n, kind in enumerate(kinds):
        (folder / f"{n % world['pipes']}").mkdir(exist_ok=True)
        (folder / f"{n % world['pipes']}" / f"{n:06}-{kind.__name__}").write_bytes(kind(n, world))
    return kinds


def certificates_for(client, keys):
    plain = Client.csr
    for i, key in enumerate(keys):
        client.csr = lambda names, key_=None, k=key: plain(names, k)
        client.issue(f"k{i}.example.com")
    del client.csr


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--reports", type=int, default=10000)
    a.add_argument("--pipes", type=int, default=4)
    a.add_argument("--keys", type=int, default=50)
    a.add_argument("--big", type=int, default=10)
    o = a.parse_args()
    with tempfile.TemporaryDirectory(prefix="lintel-desk-bench-") as name:
        print(json.dumps(run(Path(name), o), indent=1))


def run(folder, o):
    folder.chmod(0o755)
    dns, port = Dns(folder), free_port()
    web = Webroot(folder / "webroot", port)
    ca = Ca(folder, dns.port, port)
    ca.start()
    try:
        client = Client(ca.directory, ca.root, web.challenges)
        client.register("mailto:owner@example.com")
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(o.keys)]
        certificates_for(client, keys)
        world = {"serial": os.urandom(16).hex(), "keys": list(keys), "pipes": o.pipes}
        (folder / "letters").mkdir()
        kinds = make(folder / "letters", o.reports, o.keys, o.big, world)
        return measure(ca, folder, o, kinds)
    finally:
        ca.stop()
        web.stop()
        dns.process.kill()


def measure(ca, folder, o, kinds):
    begun, since_us = time.monotonic(), time.time_ns() // 1000
    env = {**os.environ, "LINTEL_DIR": str(ca.folder)}
    pipes = [subprocess.Popen([str(LINTEL), "problem", "ingest", "--folder", str(folder / "letters" / str(i)), "--json"],
                              stdout=open(folder / f"said-{i}", "w"), env=env) for i in range(o.pipes)]
    codes = [p.wait() for p in pipes]
    brought_s = time.monotonic() - begun
    said = [r for i in range(o.pipes) for r in json.loads((folder / f"said-{i}").read_text())["reports"]]
    db = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True, timeout=60)
    wait_for("all to be read", lambda: db.execute("SELECT count(*) FROM problem WHERE reading IN ('waiting', 'asked')")
             .fetchone()[0] == 0, 600, 0.2)
    read_s = time.monotonic() - begun
    wait_for("all keys to be settled", lambda: db.execute("SELECT count(DISTINCT c.spki_sha256) FROM certificate c JOIN revocation r "
             "ON r.issuer = c.issuer AND r.serial = c.serial AND r.shard = c.shard").fetchone()[0] >= o.keys, 120, 0.2)
    acted = [us / 1e6 for (us,) in db.execute(
        "SELECT min(r.recorded_us) - p.received_us FROM problem p JOIN problem_file f ON f.problem = p.id AND f.name = 'proof.csr' "
        "JOIN event e ON e.subject = 'problem ' || p.id AND e.kind = 'problem.proven' "
        "JOIN certificate c ON hex(c.spki_sha256) = upper(json_extract(e.body, '$.spki_sha256')) "
        "JOIN revocation r ON r.issuer = c.issuer AND r.serial = c.serial AND r.shard = c.shard GROUP BY p.id")]
    rows = db.execute("SELECT count(*), sum(reading = 'failed'), sum(kind = 'takedown'), sum(same_as <> 0), "
                      "sum(rank = 100), sum(tries > 1) FROM problem").fetchone()
    wrong = db.execute("SELECT count(*) FROM problem p WHERE NOT EXISTS (SELECT 1 FROM clock c WHERE c.subject = 'problem ' || p.id "
                       "AND c.duty = 'cpr-findings' AND c.start_us = p.received_us AND c.due_us = p.received_us + 86400000000) "
                       "OR p.received_us < ?", (since_us,)).fetchone()[0]
    distinct = o.reports - sum(k is same_bytes for k in kinds) + 1
    return {"letters": o.reports, "megabytes": round(sum(f.stat().st_size for f in (folder / "letters").glob("*/*")) / 1e6),
            "pipes": o.pipes, "exit_statuses": codes, "seconds_until_in_the_book": round(brought_s, 1),
            "letters_per_second": round(o.reports / brought_s), "seconds_until_all_are_read": round(read_s, 1),
            "answered_with_a_case": len(said), "reports_in_the_book": rows[0], "different_letters": distinct,
            "lost": distinct - rows[0], "put_before_a_person_unread": rows[1], "read_twice": rows[5], "asking_for_content_to_go": rows[2],
            "same_as_another": rows[3], "genuine_proofs": o.keys, "acted_on": len(acted), "proven_first_rank": rows[4],
            "slowest_proof_s": round(max(acted), 2) if acted else None, "clocks_wrong": wrong}


if __name__ == "__main__":
    main()

"""How long a mass revocation takes from the book to CRLs that relying parties have fetched, and what memory it needs.

    LINTEL_BIN=build/lintel python3 tests/bench/crl.py --entries 1706505 --shards 128

Fills the revocation table of a fresh CA with entries, starts the family and watches: every part signed, published and
fetched back by the courier, then the complete CRL. --check has OpenSSL verify every file and compares their union with
the book. --issue 100 goes on with so many orders a second (open loop), first in peace, then while every part and the
complete CRL are made anew, and tells how long orders took."""
import argparse
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from conftest import Ca, free_port, wait_for  # noqa: E402

DAY_US = 86400 * 10**6


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1706505)
    parser.add_argument("--shards", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=2, help="the second holds each CRL against the one before")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--issue", type=int, default=0, metavar="RATE")
    parser.add_argument("--seconds", type=int, default=40, help="of each of the two runs of --issue")
    return parser.parse_args()


def settings(ca, shards):
    path = ca.folder / "lintel.yaml"
    lines = path.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip() == "- name: tls")
    lines.insert(at + 1, f"    crl-shards: {shards}")
    lines.insert(lines.index("crl:") + 1, "  fetch-back: true")
    path.write_text("\n".join(lines) + "\n")


def fill(ca, entries, shards):
    owner = (ca.folder / "book").stat()
    db = sqlite3.connect(ca.folder / "book/lintel.db")
    issuer = db.execute("SELECT id FROM issuer WHERE name = 'tls'").fetchone()[0]
    now = int(time.time() * 10**6)
    drawn = random.Random(5)
    rows = []
    for i in range(entries):
        serial = bytes([13]) + (i >> 4 & 0xFFFFFF).to_bytes(3, "big") + drawn.randbytes(12)
        rows.append((issuer, 1 + int.from_bytes(serial[-4:], "big") % shards if shards else 0, serial, now))
    rows.sort()
    db.executemany("INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
                   f"by_whom, sequence) VALUES (?1, ?2, ?3, 4, ?4, ?4, ?4 + {60 * DAY_US}, 'bench', 1)", rows)
    db.commit()
    db.close()
    for path in (ca.folder / "book").glob("lintel.db*"):
        os.chown(path, owner.st_uid, owner.st_gid)


class Memory:
    """Peaks of what each program holds by itself (Pss), and of all together."""

    def __init__(self, ca):
        self.ca, self.peaks = ca, {}

    def look(self):
        total = 0
        for name, pid in self.ca.pids().items():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            kib = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
            self.peaks[name] = max(self.peaks.get(name, 0), kib)
            total += kib
        self.peaks["all"] = max(self.peaks.get("all", 0), total)


STEPS = (
    ("every part is in the book", "SELECT count(*) >= ?2 FROM crl WHERE issuer = ?3 AND shard > 0 AND this_update_us > ?1"),
    ("every part was fetched back", "SELECT count(*) >= ?2 FROM crl_check WHERE issuer = ?3 AND shard > 0 AND good = 1 "
                                    "AND published_us > ?1"),
    ("the complete CRL is in the book", "SELECT count(*) >= min(1, ?2 + 1) FROM crl WHERE issuer = ?3 AND shard = 0 "
                                        "AND this_update_us > ?1"),
    ("the complete CRL was fetched back", "SELECT count(*) >= min(1, ?2 + 1) FROM crl_check WHERE issuer = ?3 AND "
                                          "shard = 0 AND good = 1 AND published_us > ?1"),
)


def watch(ca, shards, memory):
    begun = time.time()
    since = (int(begun) - 1) * 10**6
    ca.process = subprocess.Popen([os.environ["LINTEL_BIN"], "serve", str(ca.folder)], stdout=subprocess.DEVNULL,
                                  stderr=open(ca.log, "a"))
    left = list(STEPS)
    while left and time.time() - begun < 300:
        time.sleep(0.05)
        memory.look()
        with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True, timeout=10) as db:
            issuer = db.execute("SELECT id FROM issuer WHERE name = 'tls'").fetchone()[0]
            for step in list(left):
                if db.execute(step[1], (since, shards, issuer)).fetchone()[0]:
                    print(f"{step[0]:36}{time.time() - begun:8.2f} s")
                    left.remove(step)
    if left:
        sys.exit(f"did not happen: {left[0][0]}\n{ca.log_tail()}")


def check(ca):
    found = []
    for path in (ca.folder / "public/crl/tls").glob("*.crl"):
        done = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-text", "-CAfile",
                               ca.folder / "ca/tls.pem"], capture_output=True, text=True, check=True)
        assert "verify OK" in done.stdout + done.stderr, path
        found += [line.split(":")[1].strip().lower() for line in done.stdout.splitlines() if "Serial Number" in line]
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as db:
        book = {row[0].hex() for row in db.execute("SELECT serial FROM revocation")}
    assert len(found) == len(book) and {s.zfill(32) for s in found} == book
    print(f"OpenSSL verified every part; their union is the book: {len(found)} serials")


def issue(ca, ports, rate, seconds, disturb):
    """What the orders of so many seconds took, in milliseconds by step."""
    command = [os.environ["LINTEL_BIN"], "bench", "acme", "--url", ca.directory, "--ca", ca.root, "--http-port", ports[0],
               "--dns-port", ports[1], "--clients", 50, "--seconds", seconds, "--rate", rate, "--json"]
    running = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True)
    time.sleep(seconds / 4)
    disturb()
    return json.loads(running.communicate(timeout=seconds + 120)[0])


def made_anew(ca):
    """Everything that a publisher makes at its start, the complete CRL last."""
    def disturb():
        os.kill(ca.pids()["publisher-0"], signal.SIGKILL)
    return disturb


def issue_meanwhile(ca, ports, args):
    rows = "SELECT count(*), max(number) FROM crl WHERE issuer = (SELECT id FROM issuer WHERE name = 'tls') AND shard = 0"
    book = f"file:{ca.folder}/book/lintel.db?mode=ro"
    wait_for("calm", lambda: time.sleep(5) or True, 60)
    for name, disturb in (("in peace", lambda: None), ("meanwhile", made_anew(ca))):
        with sqlite3.connect(book, uri=True) as db:
            before = db.execute(rows).fetchone()[0]
        told = issue(ca, ports, args.issue, args.seconds, disturb)
        with sqlite3.connect(book, uri=True) as db:
            made = db.execute(rows).fetchone()[0] - before
        print(f"orders {name}: {json.dumps(told)}; complete CRLs made: {made}")


def main():
    args = arguments()
    os.environ.setdefault("LINTEL_BIN", str(Path(__file__).resolve().parents[2] / "build" / "lintel"))
    with tempfile.TemporaryDirectory(prefix="lintel-bench-crl-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        ports = free_port(), free_port(socket.SOCK_DGRAM)
        ca = Ca(folder, ports[1], ports[0])
        settings(ca, args.shards)
        ca.start()
        parts = ca.folder / "public/crl/tls"
        wait_for("all parts", lambda: not args.shards or len(list(parts.glob("*.crl"))) == args.shards, 60)
        ca.stop()
        fill(ca, args.entries, args.shards)
        memory = Memory(ca)
        try:
            for _ in range(args.rounds):
                ca.stop()
                time.sleep(2)  # what is published from here on is told from what was
                watch(ca, args.shards, memory)
            print("peak memory, MB: " + ", ".join(f"{k} {v // 1024}" for k, v in sorted(memory.peaks.items())
                                                  if v >= 10240))
            if args.check:
                check(ca)
            if args.issue:
                issue_meanwhile(ca, ports, args)
        finally:
            ca.stop()


if __name__ == "__main__":
    main()

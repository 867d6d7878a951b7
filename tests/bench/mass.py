#!/usr/bin/env python3
"""A mass revocation from its last approval to the CRLs that relying parties have, on a real family.

    tests/bench/mass.py --revoke 1706505                       # a book of its own, rows without bytes
    tests/bench/mass.py --folder CA3M --revoke 1706505         # a copy of a folder that `lintel bench inventory` made
    tests/bench/mass.py --revoke all --kills 10 --no-load      # killed at random: the same end

Freezes the list, has two people approve it, and then measures: every revocation in the book, every part of the CRL signed
and in the book, every part fetched back, the complete CRL fetched back; beside it orders in an open loop (lintel bench
acme), and what all programs hold in memory. At the end the CRLs are read by OpenSSL and held against the book."""
import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("LINTEL_BIN", str(Path(__file__).resolve().parents[2] / "build" / "lintel"))
from conftest import LINTEL, Ca, free_port, wait_for  # noqa: E402

DAY_US = 86400 * 10**6
TICK = os.sysconf("SC_CLK_TCK")
VICTIMS = ("registrar-0", "signer-0", "examiner-0", "publisher-0", "reader-0", "courier-0", "supervisor-0")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="copy this CA folder; default: make one")
    parser.add_argument("--work", type=Path, help="where the copy is made (default: a folder below /tmp)")
    parser.add_argument("--certificates", type=int, default=3048289, help="of a folder of its own")
    parser.add_argument("--shards", type=int, default=128)
    parser.add_argument("--revoke", default="1706505", help="how many, or all")
    parser.add_argument("--scope", help="the expression itself")
    parser.add_argument("--rate", type=int, default=100, help="orders a second meanwhile")
    parser.add_argument("--no-load", action="store_true")
    parser.add_argument("--warm", type=int, default=5, help="seconds of orders before the approval")
    parser.add_argument("--kills", type=int, default=0, help="so many programs, at random moments")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--openssl", action="store_true", help="OpenSSL reads every part")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


class Copy(Ca):
    """A family on a folder that somebody else has made; its ports become ours."""

    def __init__(self, folder, dns_port, http01_port):
        self.folder, self.http01_port = folder, http01_port
        self.https_port, self.http_port, self.operator_port = free_port(), free_port(), free_port()
        self.url = f"https://localhost:{self.https_port}"
        self.directory = f"{self.url}/acme/directory"
        self.root = folder / "ca" / "root.pem"
        self.log = folder.parent / "serve.log"
        self.process = None
        path = folder / "lintel.yaml"
        text = path.read_text()
        for word, port in (("https", self.https_port), ("http", self.http_port), ("operator", self.operator_port)):
            text = re.sub(rf'^  {word}: ".*"$', f'  {word}: "127.0.0.1:{port}"', text, flags=re.M)
        text = re.sub(r"^public-http-url:.*$", f'public-http-url: "http://localhost:{self.http_port}"', text, flags=re.M)
        text = re.sub(r"^  resolver:.*$", f'  resolver: "127.0.0.1@{dns_port}"', text, flags=re.M)
        text = re.sub(r"^  http-port:.*$", f"  http-port: {http01_port}", text, flags=re.M)
        text = re.sub(r"^  dnssec:.*$", "  dnssec: none", text, flags=re.M)
        text = re.sub(r"^  allow-private:.*$", "  allow-private: true", text, flags=re.M)
        if "fetch-back" not in text:
            text = text.replace("\ncrl:\n", "\ncrl:\n  fetch-back: true\n")
        path.write_text(text)


def set_up(args, folder, dns_port, http01_port):
    if args.folder is not None:
        subprocess.run(["cp", "-a", "--reflink=auto", args.folder, folder / "ca"], check=True)
        return Copy(folder / "ca", dns_port, http01_port)
    ca = Ca(folder, dns_port, http01_port)
    path = ca.folder / "lintel.yaml"
    text = re.sub(r"^    crl-shards:.*\n", "", path.read_text(), flags=re.M)
    text = text.replace("  - name: tls\n", f"  - name: tls\n    crl-shards: {args.shards}\n")
    path.write_text(text.replace("\ncrl:\n", "\ncrl:\n  fetch-back: true\n"))
    ca.start()
    parts = ca.folder / "public/crl/tls"
    wait_for("all parts", lambda: len(list(parts.glob("*.crl"))) >= args.shards, 60)
    ca.stop()
    fill(ca, args.certificates, args.shards)
    return ca


def fill(ca, count, shards):
    """Certificates as an import would bring them: rows without bytes."""
    owner = (ca.folder / "book").stat()
    book = sqlite3.connect(ca.folder / "book" / "lintel.db")
    issuer = book.execute("SELECT id FROM issuer WHERE name = 'tls'").fetchone()[0]
    now = int(time.time() * 1e6)
    drawn = random.Random(5)

    def rows():
        for i in range(count):
            serial = bytes([13]) + (i >> 4 & 0xFFFFFF).to_bytes(3, "big") + drawn.randbytes(12)
            yield (issuer, serial, 0, "tls-server", 1, serial * 2, drawn.randbytes(32), 1, 256, now - 10**6, now + 60 * DAY_US,
                   now - 10**6, i % 1000, 0, serial * 2, 1, "", "", 1, "", 0, 0, 0, 0,
                   1 + int.from_bytes(serial[-4:], "big") % shards, 0)
    book.execute("PRAGMA synchronous = OFF")
    book.executemany(f"INSERT INTO certificate VALUES ({','.join('?' * 26)})", rows())
    book.commit()
    book.close()
    for path in (ca.folder / "book").glob("lintel.db*"):
        os.chown(path, owner.st_uid, owner.st_gid)


def book(ca):
    return sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True, timeout=20)


class Memory(threading.Thread):
    """Peaks of what each program holds by itself (Pss), and of all together."""

    def __init__(self, ca):
        super().__init__(daemon=True)
        self.ca, self.peaks, self.over = ca, {}, threading.Event()

    def run(self):
        while not self.over.wait(0.2):
            total = 0
            try:
                pids = self.ca.pids()
            except (OSError, AttributeError):
                continue
            for name, pid in pids.items():
                try:
                    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                    # Files that are mapped are the page cache: what is ours is anonymous, and what is shared in memory.
                    kib = sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
                except (OSError, IndexError):
                    continue
                self.peaks[name] = max(self.peaks.get(name, 0), kib)
                total += kib
            self.peaks["all"] = max(self.peaks.get("all", 0), total)


class Killer(threading.Thread):
    """Ends programs of the family with SIGKILL while the revocation runs."""

    def __init__(self, ca, kills, seed):
        super().__init__(daemon=True)
        self.ca, self.left, self.random, self.over, self.killed = ca, kills, random.Random(seed), threading.Event(), []

    def run(self):
        while self.left > 0 and not self.over.wait(self.random.uniform(0.1, 1.5)):
            name = self.random.choice(VICTIMS)
            if name == "supervisor-0":
                whole_family(self.ca)
            else:
                pid = self.ca.pids().get(name)
                if pid is None:
                    continue
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self.killed.append(name)
            self.left -= 1


def whole_family(ca):
    """As a power cut would: all programs at once; then it starts anew."""
    for pid in sorted(ca.pids().values(), reverse=True):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    ca.process.wait()
    ca.process = subprocess.Popen([str(LINTEL), "serve", str(ca.folder)], stdout=subprocess.DEVNULL, stderr=open(ca.log, "a"))


class Watcher(threading.Thread):
    """Every file that is published is whole, signed and newer than the one before, at every moment."""

    def __init__(self, ca):
        super().__init__(daemon=True)
        self.ca, self.over, self.looks, self.numbers, self.wrong = ca, threading.Event(), 0, {}, []

    def look(self, path):
        out = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-crlnumber", "-CAfile",
                              self.ca.folder / "ca" / "tls.pem"], capture_output=True, text=True)
        found = re.search(r"crlNumber=(?:0x)?([0-9A-F]+)", out.stdout)
        number = int(found[1], 16) if found else 0
        if out.returncode != 0 or "verify OK" not in out.stdout + out.stderr or number < self.numbers.get(path, 0):
            self.wrong.append(f"{path}: {out.stdout}{out.stderr}")
        self.numbers[path] = number
        self.looks += 1

    def run(self):
        drawn = random.Random(7)
        while not self.over.wait(0.02):
            files = list((self.ca.folder / "public/crl/tls").glob("*.crl"))
            if files:
                self.look(drawn.choice(files))


def cpu_seconds(ca):
    spent = {}
    for name, pid in ca.pids().items():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        spent[name] = (int(fields[11]) + int(fields[12])) / TICK
    return spent


NEWEST = """SELECT count(*), coalesce(sum(c.entries), 0) FROM crl c WHERE c.issuer = ?1 AND {which} AND
c.number = (SELECT max(n.number) FROM crl n WHERE n.issuer = c.issuer AND n.shard = c.shard) {also}"""
CHECKED = """AND EXISTS (SELECT 1 FROM crl_check k WHERE k.issuer = c.issuer AND k.shard = c.shard AND k.good = 1 AND
k.number = c.number)"""


def entries(db, issuer, which, also=""):
    return db.execute(NEWEST.format(which=which, also=also), (issuer,)).fetchone()[1]


class Steps:
    """When what was reached, in seconds since the approval."""

    def __init__(self, ca, mass):
        self.ca, self.mass, self.expected, self.times, self.begun = ca, mass, None, {}, time.time()

    def look(self):
        with book(self.ca) as db:
            issuer = db.execute("SELECT id FROM issuer WHERE name = 'tls'").fetchone()[0]
            status, done = db.execute("SELECT status, revoked + already + held FROM mass WHERE id = ?",
                                      (int(self.mass[1:]),)).fetchone()
            if status in ("paused", "stopped"):
                sys.exit(f"the mass revocation is {status}: {db.execute('SELECT why FROM mass').fetchall()}")
            self.reached("all are in the book", status == "done")
            if "all are in the book" in self.times:
                if self.expected is None:
                    self.expected = db.execute("SELECT count(*) FROM revocation WHERE issuer = ? AND shard > 0",
                                               (issuer,)).fetchone()[0]
                self.reached("every part is signed and in the book", entries(db, issuer, "c.shard > 0") >= self.expected)
                self.reached("every part was fetched back", entries(db, issuer, "c.shard > 0", CHECKED) >= self.expected)
                self.reached("the complete CRL was fetched back", entries(db, issuer, "c.shard = 0", CHECKED) >= self.expected)
        return done

    def reached(self, what, so):
        if so and what not in self.times:
            self.times[what] = round(time.time() - self.begun, 2)


def freeze(ca, scope):
    begun = time.time()
    mass = ca.json("revoke", "--scope", scope, "--reason", "superseded", "--cause", "validation-unreliable", "--yes",
                   timeout=600)
    assert mass["status"] == "proposed", mass
    return mass, time.time() - begun


def scope_of(ca, wanted):
    """An expression for about that many: a part of the accounts, or all."""
    with book(ca) as db:
        accounts = db.execute("SELECT account, count(*) FROM certificate GROUP BY account ORDER BY account").fetchall()
        last, sum_ = 0, 0
        for account, n in accounts:
            if account != 0:
                last, sum_ = account, sum_ + n
                if wanted != "all" and sum_ >= int(wanted):
                    break
        return f"account in {accounts[0][0] if accounts[0][0] else 1}..{last} and not expired"


def load(ca, args, dns_port, into):
    command = [LINTEL, "bench", "acme", "--url", ca.directory, "--ca", ca.root, "--http-port", ca.http01_port, "--dns-port",
               dns_port, "--clients", 200, "--seconds", 3600, "--rate", args.rate, "--json"]
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    into["process"] = process
    return process


def end_load(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return json.loads(out) if out.strip() else {"error": err}


def run(ca, args, dns_port, result, orders):
    for name in ("berta", "carl"):
        ca.lintel("operator", "add", name, "--role", "approver", check=False)
    scope = args.scope or scope_of(ca, args.revoke)
    mass, took = freeze(ca, scope)
    result.update({"scope": scope, "members": mass["count"], "batches": mass["batches"], "frozen and sealed, s": round(took, 1)})
    with book(ca) as db:
        before = db.execute("SELECT count(*) FROM revocation").fetchone()[0]
    memory, watcher = Memory(ca), Watcher(ca)
    if not args.no_load:
        load(ca, args, dns_port, orders)
        time.sleep(args.warm)
    ca.lintel("approve", mass["plan"], "--operator", "berta", "--yes")
    memory.start()
    cpu = cpu_seconds(ca)
    steps = Steps(ca, mass["id"])
    ca.lintel("approve", mass["plan"], "--operator", "carl", "--yes")
    killer = Killer(ca, args.kills, args.seed)
    if args.kills:
        watcher.start()
        killer.start()
    end = time.time() + 900
    wanted = {"every part was fetched back"} if not args.no_load else {"every part was fetched back",
                                                                      "the complete CRL was fetched back"}
    while not wanted <= steps.times.keys() and time.time() < end:
        time.sleep(0.1)
        try:
            steps.look()
        except sqlite3.OperationalError:
            pass
    spent = {n: round(s - cpu.get(n, 0), 1) for n, s in cpu_seconds(ca).items() if s - cpu.get(n, 0) >= 0.1}
    if not args.no_load:
        acme = end_load(orders["process"])
        result["orders"] = {k: acme.get(k) for k in ("certificates", "certificates_per_second", "errors", "begun_late",
                                                     "error_kinds")}
        result["order, ms"] = acme.get("steps", {}).get("total")
        result["longest order of each second, ms"] = [round(ms) for ms in acme.get("worst_ms_by_second", [])]
        result["finalize, ms"] = acme.get("steps", {}).get("finalize")
        result["request, ms"] = acme.get("steps", {}).get("request")
        while "the complete CRL was fetched back" not in steps.times and time.time() < end:
            time.sleep(0.2)
            steps.look()
    killer.over.set()
    watcher.over.set()
    memory.over.set()
    result["seconds from the approval"] = steps.times
    result["CPU s"] = spent
    result["peak memory, MB"] = {k: v // 1024 for k, v in sorted(memory.peaks.items()) if v >= 10240}
    if args.kills:
        watcher.join()
        result["killed"] = killer.killed
        result["published files read meanwhile"] = watcher.looks
        assert not watcher.wrong, watcher.wrong[:3]
    check(ca, mass, before, args, result)


def check(ca, mass, before, args, result):
    with book(ca) as db:
        now = db.execute("SELECT count(*) FROM revocation").fetchone()[0]
        row = db.execute("SELECT revoked, already, held, status FROM mass WHERE id = ?", (int(mass["id"][1:]),)).fetchone()
    assert row[3] == "done" and sum(row[:3]) == mass["count"], row
    assert now == before + row[0], (now, before, row)
    result["revoked, already, held"] = list(row[:3])
    if not args.openssl:
        return
    found = set()
    for path in (ca.folder / "public/crl/tls").glob("*.crl"):
        done = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-text", "-CAfile",
                               ca.folder / "ca/tls.pem"], capture_output=True, text=True, check=True)
        assert "verify OK" in done.stdout + done.stderr, path
        found |= {line.split(":")[1].strip().lower().zfill(32) for line in done.stdout.splitlines() if "Serial Number" in line}
    with book(ca) as db:
        listed = {row[0].hex() for row in db.execute("SELECT serial FROM revocation WHERE shard > 0")}
    assert found == listed, (len(found), len(listed))
    result["serials of all parts, read by OpenSSL"] = len(found)


def main():
    args = arguments()
    folder = Path(tempfile.mkdtemp(prefix="lintel-bench-mass-", dir=args.work))
    folder.chmod(0o755)
    dns_port, http01_port = free_port(socket.SOCK_DGRAM), free_port()
    result = {"load of the machine": os.getloadavg()[0]}
    ca = set_up(args, folder, dns_port, http01_port)
    os.sync()  # the first checkpoint would write what the copy has left in memory
    orders = {}
    try:
        ca.start()
        run(ca, args, dns_port, result, orders)
        if args.kills:
            ca.stop()
            audit = ca.lintel("audit", "verify", "--offline", check=False, timeout=600)
            result["audit"] = audit.stdout.strip().splitlines()[-1:]
    finally:
        if orders and orders["process"].poll() is None:
            orders["process"].kill()
        if ca.process is not None and ca.process.poll() is None:
            ca.stop()
        result["load of the machine at the end"] = os.getloadavg()[0]
        if not args.keep:
            shutil.rmtree(folder)
    if args.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:40} {json.dumps(value)}")


if __name__ == "__main__":
    main()

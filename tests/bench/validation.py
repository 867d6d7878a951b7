#!/usr/bin/env python3
"""What validation costs, and whom it keeps waiting.

    tests/bench/validation.py [--seconds 10] [--pending 1000] [--accounts 50] [--rate 100] [--json]

Prints the CPU time that a name costs at the primary (all processes, the validator's workers with them): of full orders with
16 names less that of orders with one, and of the validator alone; first with plain DNS, then with names of a zone that knotd
has signed and libunbound validates. Then the latency of ACME requests at a given rate, first alone, then while so many
validations hang in a web server that takes the connection and says nothing.
"""
import argparse
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from acmeclient import Client  # noqa: E402
from conftest import LINTEL, Ca, free_port, wait_for  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
REQUESTS_IN_A_FLOW = 6
SILENT = "127.0.0.2"


def ticks(pid, reaped):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(f) for f in fields[11:15 if reaped else 13])


def cpu_seconds(ca):
    """By role, user and system together; workers that have ended count for who made them, and so do those that live."""
    spent = {}
    for name, pid in ca.pids().items():
        role = name.split("-")[0]
        total = ticks(pid, role == "validator")
        if role == "validator":
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                try:
                    total += ticks(child, False)
                except OSError:
                    pass  # it ends as we look: counted by its parent the next time
        spent[role] = spent.get(role, 0) + total / TICK
    return spent


def bench(ca, http_port, dns_port, clients, seconds, names=1, rate=None, suffix="example.com"):
    command = [LINTEL, "bench", "acme", "--url", ca.directory, "--ca", ca.root, "--http-port", http_port,
               "--clients", clients, "--seconds", seconds, "--names", names, "--suffix", suffix, "--json"]
    command += ["--dns-port", dns_port] if dns_port else []
    command += ["--rate", rate] if rate else []
    out = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=seconds + 120)
    if not out.stdout.strip():
        raise SystemExit(f"{command}\n{out.stdout}\n{out.stderr}\n{ca.log_tail()}")
    return json.loads(out.stdout)


class Knot:
    """example.com, signed, with a wildcard that leads to loopback; names below silent.example.com lead to who says nothing."""

    def __init__(self, folder):
        self.port = free_port(socket.SOCK_DGRAM)
        self.folder = folder
        folder.mkdir()
        (folder / "example.com.zone").write_text(f"""$ORIGIN example.com.
$TTL 3600
@ SOA ns hostmaster 1 3600 900 604800 300
@ NS ns
ns A 127.0.0.1
* A 127.0.0.1
*.silent A {SILENT}
""")
        (folder / "knot.conf").write_text(f"""
server:
  listen: 127.0.0.1@{self.port}
  rundir: {folder}
log:
  - target: {folder}/knot.log
    any: warning
database:
  storage: {folder}
policy:
  - id: p
    algorithm: ecdsap256sha256
    single-type-signing: on
zone:
  - domain: example.com
    file: {folder}/example.com.zone
    zonefile-sync: -1
    dnssec-signing: on
    dnssec-policy: p
""")
        self.process = subprocess.Popen([shutil.which("knotd") or "/usr/sbin/knotd", "-c", folder / "knot.conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the signed zone", self.anchor)

    def anchor(self):
        out = subprocess.run([shutil.which("keymgr") or "/usr/sbin/keymgr", "-c", self.folder / "knot.conf", "example.com",
                              "ds"], capture_output=True, text=True)
        rows = [r for r in out.stdout.splitlines() if " DS " in r]
        return rows[0] + "\n" if rows else None

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Silence:
    """Takes connections and says nothing."""

    def __init__(self, port):
        self.held = []
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((SILENT, port))
        self.socket.listen(4096)
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            self.held.append(self.socket.accept()[0])


def family(folder, http_port, resolver, anchor=None):
    folder.mkdir()
    ca = Ca(folder, resolver, http_port)
    text = (ca.folder / "lintel.yaml").read_text().replace("accounts-per-address: 1000/1h", "accounts-per-address: none")
    if anchor:
        (ca.folder / "anchor").write_text(anchor)
        text = text.replace("dnssec: none", "dnssec: root\n  trust-anchor: anchor")
    (ca.folder / "lintel.yaml").write_text(text)
    return ca.start()


def cost(ca, http_port, dns_port, seconds):
    """CPU seconds of one more name in an order."""
    each = {}
    errors = 0
    for names in (1, 16):
        before = cpu_seconds(ca)
        run = bench(ca, http_port, dns_port, 8, seconds, names=names)
        after = cpu_seconds(ca)
        each[names] = {r: 1000 * (after[r] - before.get(r, 0)) / max(1, run["certificates"]) for r in after}
        errors += run["errors"]
        assert run["certificates"] > 0, run
    result = {r: (each[16][r] - each[1][r]) / 15 for r in each[16]}
    before = cpu_seconds(ca)
    alone = bench(ca, http_port, dns_port, 100, seconds, rate=50)  # an account every 2 s: each time another worker
    after = cpu_seconds(ca)
    return {"CPU ms a name, all processes": round(sum(result.values()), 3),
            "of which": ", ".join(f"{r} {ms:.3f}" for r, ms in sorted(result.items(), key=lambda r: -r[1]) if ms > 0.001),
            "validator, ms a name": round(each[16]["validator"] / 16, 3),
            "validator, ms a name, a worker each": round(1000 * (after["validator"] - before["validator"]) / alone["certificates"], 3),
            "errors": errors}


def states(ca):
    """What DNSSEC said of the names that were found valid."""
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        return {r[0] for r in book.execute("SELECT DISTINCT dnssec FROM evidence WHERE ok = 1")}


def hang(ca, count, accounts):
    """So many challenges are asked for, at once as far as this client can."""
    def one(number):
        client = Client(ca.directory, ca.root)
        client.register()
        urls = []
        names = [f"n{i}-{number}-{os.getpid()}.silent.example.com" for i in range(count // accounts)]
        for url in client.order(*names)[1]["authorizations"]:
            challenges = client.post(url, None).json()["challenges"]
            urls.append(next(c["url"] for c in challenges if c["type"] == "http-01"))
        return client, urls

    def go(prepared):
        for url in prepared[1]:
            prepared[0].post(url, {})

    with ThreadPoolExecutor(8) as pool:
        prepared = list(pool.map(one, range(accounts)))
        began = time.monotonic()
        list(pool.map(go, prepared))
    return time.monotonic() - began


def waiting(ca, http_port, options):
    silence = Silence(http_port)
    rate = max(1, options.rate // REQUESTS_IN_A_FLOW)
    alone = bench(ca, http_port, None, 50, options.seconds, rate=rate)
    took = hang(ca, options.pending, options.accounts)
    wait_for("the validations", lambda: len(silence.held) >= min(options.pending, 1) or None, 5)
    loaded = bench(ca, http_port, None, 50, options.seconds, rate=rate)
    return {"validations that hang": options.pending, "asked for in, s": round(took, 1),
            "connections that they held": len(silence.held),
            "ACME requests/s": round(loaded["steps"]["request"]["count"] / options.seconds, 1),
            "p99 ms, alone": alone["steps"]["request"]["p99_ms"], "p99 ms, meanwhile": loaded["steps"]["request"]["p99_ms"],
            "p50 ms, meanwhile": loaded["steps"]["request"]["p50_ms"],
            # A read of an authorization that is under way is held for a second: where validations wait, see the steps.
            "p99 ms of new orders, challenges": f'{loaded["steps"]["new-order"]["p99_ms"]}, {loaded["steps"]["challenge"]["p99_ms"]}',
            "certificates meanwhile": loaded["certificates"], "validation p99 ms, meanwhile": loaded["steps"]["validation"]["p99_ms"],
            "errors": loaded["errors"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--pending", type=int, default=1000)
    parser.add_argument("--accounts", type=int, default=50, help="that the pending ones belong to")
    parser.add_argument("--rate", type=int, default=100, help="ACME requests a second")
    parser.add_argument("--only", choices=["plain", "signed", "pending"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lintel-bench-"))
    folder.chmod(0o755)
    http_port, dns_port = free_port(), free_port(socket.SOCK_DGRAM)
    result = {}
    knot = Knot(folder / "knot")
    try:
        if options.only in (None, "plain"):
            ca = family(folder / "plain", http_port, dns_port)
            result["plain DNS"] = cost(ca, http_port, dns_port, options.seconds)
            ca.stop()
        if options.only != "plain":
            ca = family(folder / "signed", http_port, knot.port, knot.anchor())
            if options.only != "pending":
                result["signed zone"] = cost(ca, http_port, None, options.seconds)
                assert states(ca) == {"secure"}, states(ca)
            if options.only != "signed":
                result["pending"] = waiting(ca, http_port, options)
            ca.stop()
    finally:
        knot.stop()
        shutil.rmtree(folder)
    if options.json:
        print(json.dumps(result))
        return
    for title, rows in result.items():
        print(title)
        for name, value in rows.items():
            print(f"  {name:36} {value}")


if __name__ == "__main__":
    main()

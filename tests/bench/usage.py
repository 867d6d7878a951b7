"""How long an in-use scan of many endpoints takes.

    LINTEL_BIN=build/lintel python3 tests/bench/usage.py --endpoints 10000

Starts a farm of TLS servers, each on an address of its own with a certificate of its own (tests/bench/tls_farm.c), writes
those certificates into the book of a fresh CA and their addresses into usage/targets, and has `lintel usage scan` look at
all of them. Prints the time from the request to the last observation in the book, and what processor time was spent by
whom."""
import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from conftest import LINTEL, Ca, free_port  # noqa: E402

FARM = LINTEL.parent / "tests/bench/tls_farm"
HZ = os.sysconf("SC_CLK_TCK")


class Farm:
    """Real TLS servers: rows are (name, address, port, serial, sha256, notAfter in seconds)."""

    def __init__(self, folder, count, port=None):
        self.port = port or free_port()
        path = Path(folder) / "farm.tsv"
        self.process = subprocess.Popen([FARM, str(count), str(self.port), path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.rows = [line.split("\t") for line in path.read_text().splitlines()]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


def targets(ca, rows):
    """The farm's addresses, instead of what the DNS says."""
    folder = ca.folder / "usage"
    folder.mkdir(exist_ok=True)
    (folder / "targets").write_text("".join(f"{r[0]} {r[1]}:{r[2]}\n" for r in rows))


def allow(ca):
    path = ca.folder / "lintel.yaml"
    path.write_text(path.read_text() + "usage:\n  scan: true\n")


def fill(ca, rows, account=0):
    """Certificates as an import would bring them."""
    owner = (ca.folder / "book").stat()
    db = sqlite3.connect(ca.folder / "book/lintel.db")
    issuer = db.execute("SELECT id FROM issuer WHERE name = 'tls'").fetchone()[0]
    now = int(time.time() * 1e6)
    for i, (name, _, _, serial, sha256, not_after) in enumerate(rows):
        db.execute(f"INSERT INTO certificate VALUES ({','.join('?' * 26)})", (
            issuer, bytes.fromhex(serial), 0, "bulk", 1, bytes.fromhex(sha256), bytes(32), 2, 256, now - 10**6,
            int(not_after) * 10**6, now - 10**6, account, 0, i.to_bytes(32, "big"), 1, "", "", 1, "", 0, 0, 0, 0, 0, 0))
        db.execute("INSERT INTO certificate_name VALUES (?, 'dns', ?, ?, 0, 0)",
                   (".".join(reversed(name.split("."))), issuer, bytes.fromhex(serial)))
    db.commit()
    db.close()
    for path in (ca.folder / "book").glob("lintel.db*"):
        os.chown(path, owner.st_uid, owner.st_gid)


def spent(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=10000)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lintel-bench-usage-") as folder:
        ca = Ca(Path(folder), free_port(), free_port())
        farm = Farm(folder, arguments.endpoints)
        allow(ca)
        ca.start()
        ca.stop()
        fill(ca, farm.rows)
        targets(ca, farm.rows)
        ca.start()
        try:
            begin = time.monotonic()
            scan = json.loads(ca.lintel("usage", "scan", "kind = bulk", "--rate", str(arguments.rate), "--concurrency",
                                        str(arguments.concurrency), "--yes", "--json", timeout=600).stdout)
            took = time.monotonic() - begin
            used = {name: spent(pid) for name, pid in ca.pids().items() if name.split("-")[0] in ("courier", "registrar", "reader")}
            used["farm"] = spent(farm.process.pid)
            print(f"{scan['looked']} endpoints in {took:.1f} s, {scan['looked'] / took:.0f} a second: "
                  f"{scan['served']} showed a certificate, {scan['ours']} of them one of the book, {scan['failed']} none")
            print("processor: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in used.items()))
            print(ca.lintel("scope", "kind = bulk and replacement = in_use", "--count").stdout.strip(), "are in use")
        finally:
            ca.stop()
            farm.stop()
    print(f"peak memory of any process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()

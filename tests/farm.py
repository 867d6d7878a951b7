"""Servers for in-use scans, and a CA that knows their certificates."""
import os
import sqlite3
import subprocess
import time
from pathlib import Path

from conftest import LINTEL, free_port

FARM = LINTEL.parent / "tests/bench/tls_farm"


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

#!/usr/bin/env python3
"""Renewal information (RFC 9773) at the size of a large CA.

    tests/bench/ari.py [--certificates 1000000] [--incidents 0,100,1000] [--seconds 8] [--json]

Fills the book of a fresh CA with rows for so many certificates, opens so many incidents (each has set the window of a
thousand certificates, with a page of its own), starts the family, and says how long the map took to be written and how
long after its start the first answer came. Then nghttp2's h2load asks for 20,000 different certificates, half of them with an
incident, over TLS on connections that stay open: HTTP/1.1 and HTTP/2. Server and load generator share the machine's cores.
"""
import argparse
import base64
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography import x509

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from conftest import Ca, free_port, wait_for  # noqa: E402

US = 1000000
DAY = 86400 * US
ASKED = 20000
EACH = 1000  # certificates of an incident
TICK = os.sysconf("SC_CLK_TCK")

# In the order of the table's key, so that its pages are written once.
FILL = """
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
INSERT INTO certificate SELECT ?2, CAST(serial_(i) AS BLOB), 0, 'x509', 1, randomblob(32), randomblob(32),
  2, 256, ?3 - (i % 60) * 86400000000, ?3 + (30 + i % 60) * 86400000000, ?3 - (i % 60) * 86400000000, i % 100000, 0,
  randomblob(32), 1, '', '', 1, 'http-01', 0, 0, 0, 0, 0, 0 FROM n
"""


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def fill(ca, count, incidents):
    """The rows; returns identifiers to ask for."""
    started = time.monotonic()
    now = int(time.time() - 3600) * US
    with sqlite3.connect(ca.folder / "book" / "lintel.db") as book:
        step = 2 ** 32 // (count + 1)
        book.create_function("serial_", 1, lambda i: b"\7" + (i * step).to_bytes(4, "big") + os.urandom(11))
        book.execute("PRAGMA synchronous = OFF")
        book.execute("PRAGMA cache_size = -400000")
        indexes = book.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'certificate' "
                               "AND sql IS NOT NULL").fetchall()
        for name, _ in indexes:
            book.execute(f"DROP INDEX {name}")
        issuer, der = book.execute("SELECT id, certificate FROM issuer WHERE offline = 0 ORDER BY id DESC").fetchone()
        book.execute(FILL, (count, issuer, now))
        for _, sql in indexes:
            book.execute(sql)
        rows = book.execute("SELECT serial FROM certificate WHERE issuer = ?", (issuer,)).fetchall()
        step = max(1, len(rows) // max(1, incidents * EACH))
        told = [r[0] for r in rows[::step][:incidents * EACH]]
        book.executemany("INSERT INTO renewal_window VALUES (?, ?, ?, ?, ?, ?)",
                         ((issuer, s, now + DAY, now + 2 * DAY, f"https://ca.example/incident/2026-{i % incidents}", now)
                          for i, s in enumerate(told)))
        key_id = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        asked = told[::max(1, len(told) // (ASKED // 2))][:ASKED // 2]
        asked += [r[0] for r in rows[::max(1, len(rows) // (ASKED - len(asked)))]][:ASKED - len(asked)]
    return [f"{b64(key_id)}.{b64(s)}" for s in asked], time.monotonic() - started


def cpu_seconds(ca, role):
    return sum(sum(int(f) for f in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])
               for name, pid in ca.pids().items() if name.startswith(role)) / TICK


def h2load(ca, urls, seconds, *options):
    before = cpu_seconds(ca, "gateway")
    command = ["h2load", *options, "-c", "32", "-t", "1", "-D", str(seconds), "--warm-up-time", "1", "-i", str(urls)]
    out = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60).stdout
    spent = cpu_seconds(ca, "gateway") - before
    rate = float(re.search(r"finished in .*?, ([\d.]+) req/s", out)[1])
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    bad = sum(int(codes[i]) for i in (2, 3, 4))
    assert bad == 0 and int(codes[1]) > 0, out
    return rate, 1e6 * spent / (int(codes[1]) * (seconds + 1) / seconds)


def measure(folder, count, incidents, seconds):
    ca = Ca(folder, free_port(socket.SOCK_DGRAM), free_port())
    ids, took = fill(ca, count, incidents)
    started = time.monotonic()
    ca.start()
    try:
        base = ca.folder / "public" / "ari" / "base"
        wait_for("the map", base.exists, 600)
        written = time.monotonic() - started
        publisher = cpu_seconds(ca, "publisher")
        urls = folder / "urls"
        urls.write_text("\n".join(f"{ca.url}/acme/renewal-info/{i}" for i in ids) + "\n")
        probe = ["curl", "-s", "--cacert", str(ca.root), f"{ca.url}/acme/renewal-info/{ids[0]}"]
        answer = wait_for("an answer", lambda: "suggestedWindow" in (t := subprocess.run(probe, capture_output=True,
                                                                                         text=True).stdout) and t, 20)
        assert ("explanationURL" in answer) == (incidents > 0), answer
        h1, h1_us = h2load(ca, urls, seconds, "--h1")
        h2, h2_us = h2load(ca, urls, seconds, "-m", "32")
        return {"certificates": count, "incidents": incidents, "rows made in, s": round(took, 1),
                "map written after, s": round(written, 1), "publisher's CPU, s": round(publisher, 1),
                "map, MB": round(base.stat().st_size / 1e6, 1),
                "HTTP/1.1 polls/s": round(h1), "gateways' CPU us a poll": round(h1_us, 1),
                "HTTP/2 polls/s": round(h2), "HTTP/2 gateways' CPU us a poll": round(h2_us, 1)}
    finally:
        ca.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--certificates", type=int, default=1000000)
    parser.add_argument("--incidents", default="0,100,1000")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = []
    for incidents in map(int, options.incidents.split(",")):
        folder = Path(tempfile.mkdtemp(prefix="lintel-bench-"))
        folder.chmod(0o755)
        try:
            results.append(measure(folder, options.certificates, incidents, options.seconds))
        finally:
            shutil.rmtree(folder)
        if not options.json:
            print("\n".join(f"{name:32} {value}" for name, value in results[-1].items()), end="\n\n", flush=True)
    if options.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How long it takes until every subscriber of an incident has a notice, and the world its list:

    lintel drill load /var/tmp/book --certificates 3048289 --shape caa
    tests/bench/notices.py /var/tmp/book [SUBSCRIBERS]

Gives the certificates of that scratch book to so many subscribers (default 250,000), freezes all of them as a list, as a plan
does, then serves the drill and watches the book. The book is used up."""
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

LINTEL = os.environ.get("LINTEL_BIN", Path(__file__).parents[2] / "build" / "lintel")
FIRST = 10_000_000


def prepare(path, subscribers):
    book = sqlite3.connect(path, isolation_level=None)
    now = time.time_ns() // 1000
    book.execute("PRAGMA synchronous = OFF")
    book.execute("BEGIN")
    book.executemany("INSERT INTO account (id, thumbprint, spki, alg, status, contacts, created_us, address) "
                     "VALUES (?1, ?2, ?2, 'ES256', 'valid', ?3, 0, '')",
                     ((FIRST + i, b"bench %d" % i, f'["mailto:n{i}@sub{i % 9973}.example"]') for i in range(subscribers)))
    book.execute("UPDATE certificate SET account = abs(random()) % ?1 + ?2 WHERE copy = 0", (subscribers, FIRST))
    book.execute("INSERT INTO mass_member SELECT 1, 0, issuer, serial, 0 FROM certificate WHERE copy = 0")
    book.execute("INSERT INTO notice_batch VALUES (1, 'incident 1', 'affected', 1, '{\"deadline\":\"soon\",\"why\":\"because\"}', "
                 "'collecting', -1, 0, x'', 0, 0, 0, 0, 0, 0, 0, ?1, 'bench', 0, 0)", (now,))
    book.execute("INSERT INTO notice_list VALUES (1, 1, 1, 'CAA', 'Replace them', 0, 1, ?1, 'bench', 0, 0, 0, x'')", (now,))
    book.execute("COMMIT")
    book.close()


def watch(path, seconds=600):
    begun, seen = time.monotonic(), {}
    book = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    while time.monotonic() - begun < seconds and len(seen) < 3:
        time.sleep(0.1)
        status, certificates, notices = book.execute("SELECT status, certificates, notices FROM notice_batch").fetchone()
        published, rows, size = book.execute("SELECT published_us, rows, bytes FROM notice_list").fetchone()
        for what, done, said in (("gone through", status != "collecting", f"{certificates} certificates"),
                                 ("written", status in ("sending", "done"), f"{notices} notices"),
                                 ("published", published > 0, f"{rows} lines, {size >> 20} MiB")):
            if done and what not in seen:
                seen[what] = time.monotonic() - begun
                print(f"{what:13} {seen[what]:6.1f} s  {said}", flush=True)


def main():
    folder, subscribers = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 250_000
    prepare(folder / "book" / "lintel.db", subscribers)
    family = subprocess.Popen([LINTEL, "drill", "serve", folder], stdout=subprocess.DEVNULL)
    try:
        watch(folder / "book" / "lintel.db")
    finally:
        family.send_signal(signal.SIGINT)
        family.wait(30)


if __name__ == "__main__":
    main()

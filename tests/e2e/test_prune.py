"""What need not be kept is dropped month by month: shown first, killed at any moment, and what must stay stays."""
import os
import random
import signal
import sqlite3
import subprocess
import time

import pytest
from conftest import LINTEL, Webroot
from test_cli import issue, serial_of, verify

MANY = 20000
YEAR = 365 * 86400
EPOCH_2020 = 1577836800
KILLS = int(os.environ.get("LINTEL_TEST_KILLS", "8"))


def fill(ca, count, years):
    """Certificates, orders and authorizations of so many years ago, and a segment of evidence for each of two months."""
    book = sqlite3.connect(ca.folder / "book" / "lintel.db")
    issuer = book.execute("SELECT id FROM issuer WHERE name = 'tls'").fetchone()[0]
    then = int(time.time()) - years * YEAR
    us = then * 10**6
    first = ((then - EPOCH_2020) << 31) + 1
    book.execute("INSERT INTO account (id, thumbprint, spki, alg, status, contacts, created_us, address) VALUES (1, x'01', x'', 'x',"
                 " 'valid', '[]', 0, '') ON CONFLICT DO NOTHING")
    book.execute("INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) VALUES (77, 'http-01', 'r', 'b', '', 'p')"
                 " ON CONFLICT DO NOTHING")
    book.executemany(f"INSERT INTO certificate VALUES ({','.join('?' * 26)})", (
        (issuer, bytes.fromhex(f"10{i:030x}"), 0, "bulk", 1, bytes.fromhex(f"{i:064x}"), bytes.fromhex(f"{i + 7:064x}"), 1, 256, us,
         us + 90 * 86400 * 10**6, us + i, 1, 0, b"1", 1, "", "", 1, "", 77, us, us, 0, 0, 0) for i in range(count)))
    book.executemany("INSERT INTO certificate_der VALUES (?, ?, 0, ?)", ((issuer, bytes.fromhex(f"10{i:030x}"), b"0" * 900)
                                                                         for i in range(count)))
    book.executemany("INSERT INTO ca_order (id, account, status, profile, identifiers, name_set_sha256, created_us, expires_us) VALUES"
                     " (?, 1, 'valid', 'tls-server', '[]', x'01', ?, 0)", ((first + i, us) for i in range(count)))
    book.executemany("INSERT INTO authorization (id, account, identifier_type, identifier, wildcard, status, created_us, expires_us,"
                     " validated_us) VALUES (?, 1, 'dns', 'a.example', 0, 'valid', ?, 0, ?)", ((first + i, us, us) for i in range(count)))
    book.executemany("INSERT INTO evidence (authorization_id, checked_us, dimension, ok, identifier_type, identifier, dnssec, statement,"
                     " segment, position, length, sha256) VALUES (?, ?, 77, 1, 'dns', 'a.example', '', '', 1, 56, 100, ?)",
                     ((first + i, us, bytes.fromhex(f"{i:064x}")) for i in range(count)))
    book.commit()
    book.close()


def counts(ca):
    book = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True)
    n = {t: book.execute(f"SELECT count(*) FROM {t}").fetchone()[0]
         for t in ("ca_order", "authorization", "certificate", "certificate_der", "evidence")}
    n["frames"] = book.execute("SELECT count(*) FROM evidence WHERE segment <> 0").fetchone()[0]
    n["hashes"] = book.execute("SELECT count(*) FROM evidence WHERE sha256 IS NOT NULL").fetchone()[0]
    n["roots"] = dict(book.execute("SELECT kind, hex(sha256) FROM retention WHERE dropped > 0"))
    book.close()
    return n


@pytest.fixture
def old(fresh_ca, tmp_path):
    ca = fresh_ca.start()
    web = Webroot(tmp_path / "webroot", ca.http01_port)
    issue(ca, web, "young.example.com")
    web.stop()
    ca.young = serial_of(ca, "young.example.com")
    ca.stop()
    fill(ca, MANY, 4)
    yield ca
    if ca.process is not None:
        ca.stop()


def test_shown_then_dropped(old):
    ca = old
    before = counts(ca)
    shown = ca.json("store", "prune")
    assert shown["done"] is False and shown["due"] == 4 * MANY
    assert {m["kind"] for m in shown["months"] if m["state"] == "due" and m["records"]} == \
        {"orders", "authorizations", "evidence", "certificates"}
    assert all(m["duty"].startswith("CABF-BR 5.") for m in shown["months"])
    assert "add --yes" in ca.lintel("store", "prune").stdout
    assert counts(ca) == before
    assert ca.json("store", "prune", "--years", "7")["due"] == 0
    done = ca.json("store", "prune", "--yes", timeout=300)
    assert done["done"] is True and done["dropped"] == 4 * MANY and done["stopped"] is False
    after = counts(ca)
    for table in ("ca_order", "authorization", "certificate_der", "frames"):
        assert after[table] == before[table] - MANY, table
    for table in ("certificate", "evidence", "hashes"):
        assert after[table] == before[table], table
    again = ca.json("store", "prune", "--yes")
    assert again["dropped"] == 0 and counts(ca) == after
    ca.start()
    assert ca.json("cert", "show", ca.young, "--evidence")["status"] == "valid"
    gone = ca.json("cert", "show", f"10{3:030x}")
    assert gone["status"] == "expired"
    assert ca.lintel("event", "list", "--kind", "retention.dropped", "--json").stdout.count("CABF-BR 5.") == 4  # empty months are not told
    running = verify(ca, "store", "prune", "--yes")
    assert running.returncode == 1 and "the family runs" in running.stderr
    assert ca.json("store", "prune")["due"] == 0  # looking is allowed


def test_killed_at_any_moment(old, tmp_path):
    ca = old
    book = ca.folder / "book/lintel.db"
    whole = book.read_bytes()
    ca.lintel("store", "prune", "--yes", timeout=300)
    want = counts(ca)
    for name in ("lintel.db", "lintel.db-wal", "lintel.db-shm"):
        (ca.folder / "book" / name).unlink(missing_ok=True)
    book.write_bytes(whole)
    env = {**os.environ, "LINTEL_DIR": str(ca.folder)}
    for _ in range(KILLS):
        p = subprocess.Popen([LINTEL, "store", "prune", "--yes"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            p.wait(random.random())
        except subprocess.TimeoutExpired:
            p.send_signal(signal.SIGKILL)
            p.wait()
    ca.lintel("store", "prune", "--yes", timeout=300)
    assert counts(ca) == want  # the hashes over all that went are the same, too


@pytest.mark.parametrize("line,status", [(["--years", "x"], 2), (["--years", "1000"], 2), (["--minutes", "-1"], 2), (["now"], 2)])
def test_what_is_refused(fresh_ca, line, status):
    assert verify(fresh_ca, "store", "prune", *line).returncode == status

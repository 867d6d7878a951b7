"""Parts of a CRL: fixed at issuance, in the distribution point, published one by one, and fetched back; OpenSSL and Go
read each, and their union is the book."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from acmeclient import Client, b64
from conftest import Webroot, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import serialization

SHARDS = 4


def settings(ca, shards):
    path = ca.folder / "lintel.yaml"
    lines = [line for line in path.read_text().splitlines() if "crl-shards" not in line and "fetch-back" not in line]
    at = next(i for i, line in enumerate(lines) if line.strip() == "- name: tls")
    lines.insert(at + 1, f"    crl-shards: {shards}")
    lines.insert(lines.index("crl:") + 1, "  fetch-back: true")
    path.write_text("\n".join(lines) + "\n")


def files(ca):
    folder = ca.folder / "public" / "crl" / "tls"
    return {int(p.stem): p for p in folder.glob("*.crl")} if folder.is_dir() else {}


@pytest.fixture
def sharded(fresh_ca, tmp_path):
    settings(fresh_ca, SHARDS)
    fresh_ca.start()
    wait_for("all parts", lambda: len(files(fresh_ca)) == SHARDS)
    web = Webroot(tmp_path / "webroot", fresh_ca.http01_port)
    yield fresh_ca
    web.stop()
    if fresh_ca.process is not None:
        fresh_ca.stop()


@pytest.fixture
def user(sharded, tmp_path):
    client = Client(sharded.directory, sharded.root, tmp_path / "webroot" / ".well-known" / "acme-challenge")
    client.register()
    return client


def issue(user, name):
    return x509.load_pem_x509_certificate(user.issue(name).encode())


def address(cert):
    points = cert.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    return points[0].full_name[0].value


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "application/pkix-crl"
        return x509.load_der_x509_crl(answer.read())


def revoke(user, cert):
    der = cert.public_bytes(serialization.Encoding.DER)
    assert user.post(user.directory["revokeCert"], {"certificate": b64(der), "reason": 4}).status == 200


def is_on(cert, url=None):
    return fetch(url or address(cert)).get_revoked_certificate_by_serial_number(cert.serial_number) is not None


def book(ca, query, *values):
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as db:
        return db.execute(query, values).fetchall()


def serials_in_book(ca):
    return {row[0].hex() for row in book(ca, "SELECT r.serial FROM revocation r JOIN issuer i ON i.id = r.issuer "
                                             "WHERE i.name = 'tls'")}


def union_is_the_book(ca):
    """By OpenSSL, each file verified; every serial on one part alone."""
    found = []
    for path in files(ca).values():
        done = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-text", "-CAfile",
                               ca.folder / "ca" / "tls.pem"], capture_output=True, text=True)
        assert done.returncode == 0 and "verify OK" in done.stderr + done.stdout, done.stderr
        assert "Issuing Distribution Point: critical" in done.stdout
        assert f"crl/tls/{path.name}" in done.stdout and "Only User Certificates" in done.stdout
        found += [line.split(":")[1].strip().lower() for line in done.stdout.splitlines() if "Serial Number" in line]
    assert len(found) == len(set(found))
    return set(found) == serials_in_book(ca)


def fetched_back(ca):
    rows = book(ca, "SELECT shard, good, due_us IS NULL, detail FROM crl_check")
    return len(rows) > SHARDS and all(good and done for _, good, done, _ in rows)


def test_a_certificate_has_its_part(sharded, user):
    certs = [issue(user, f"s{i}.example.com") for i in range(8)]
    parts = [address(c) for c in certs]
    base = f"http://localhost:{sharded.http_port}/crl/tls/"
    for cert, url in zip(certs, parts):
        assert url.startswith(base) and 1 <= int(url[len(base):-4]) <= SHARDS
        shard = book(sharded, "SELECT shard FROM certificate WHERE serial = ?",
                     cert.serial_number.to_bytes(16, "big"))[0][0]
        assert url == f"{base}{shard}.crl"
        point = fetch(url).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
        assert point.critical and point.value.only_contains_user_certs
        assert point.value.full_name[0].value == url  # byte for byte
    assert len(set(parts)) > 1
    for cert in certs[:5]:
        revoke(user, cert)
    for cert in certs[:5]:
        wait_for("the part has it", lambda: is_on(cert))
        wait_for("the complete one has it", lambda: is_on(cert, base[:-1] + ".crl"))
    assert not any(is_on(cert) for cert in certs[5:])
    wait_for("the union", lambda: union_is_the_book(sharded))
    wait_for("everything fetched back", lambda: fetched_back(sharded))
    assert sharded.json("event", "list", "--kind", "crl.fetched")["events"]
    for point in (base[:-1] + ".crl",):
        with pytest.raises(x509.ExtensionNotFound):
            fetch(point).extensions.get_extension_for_class(x509.IssuingDistributionPoint)


def test_parts_can_grow(sharded, user):
    first = [issue(user, f"a{i}.example.com") for i in range(3)]
    settings(sharded, 2 * SHARDS)
    sharded.process.send_signal(signal.SIGHUP)
    wait_for("new parts", lambda: len(files(sharded)) == 2 * SHARDS)

    def reaches_them():
        return int(address(issue(user, "grown.example.com")).rsplit("/", 1)[1][:-4]) > SHARDS

    wait_for("a certificate on a new part", reaches_them, 60)
    settings(sharded, 1)  # less for new certificates; what old ones point to stays
    sharded.process.send_signal(signal.SIGHUP)
    wait_for("one part", lambda: address(issue(user, "less.example.com")).endswith("/crl/tls/1.crl"))
    sharded.stop()
    sharded.start()
    user.close()
    for cert in first:
        revoke(user, cert)
        wait_for("the old part has it", lambda: is_on(cert))
    assert len(files(sharded)) == 2 * SHARDS
    wait_for("the union", lambda: union_is_the_book(sharded))


def test_a_killed_publisher_forgets_nothing(sharded, user):
    certs = [issue(user, f"k{i}.example.com") for i in range(6)]
    for cert in certs:
        revoke(user, cert)
        os.kill(wait_for("a publisher", lambda: sharded.pids().get("publisher-0")), signal.SIGKILL)
        for path in files(sharded).values():  # valid at every moment
            x509.load_der_x509_crl(path.read_bytes())
    wait_for("the union", lambda: union_is_the_book(sharded), 60)
    wait_for("everything fetched back", lambda: fetched_back(sharded), 60)
    numbers = book(sharded, "SELECT issuer, number FROM crl ORDER BY issuer, number")
    assert len(numbers) == len(set(numbers))


def test_a_file_that_is_changed_is_told(sharded, user):
    wait_for("everything fetched back", lambda: fetched_back(sharded), 30)
    path = files(sharded)[1]
    cert = next(c for c in (issue(user, f"c{i}.example.com") for i in range(40)) if address(c).endswith("/1.crl"))
    os.kill(sharded.pids()["courier-0"], signal.SIGSTOP)
    revoke(user, cert)
    wait_for("the part has it", lambda: is_on(cert))
    old = path.read_bytes()
    path.write_bytes(old[:-3] + bytes([old[-3] ^ 1]) + old[-2:])
    os.kill(sharded.pids()["courier-0"], signal.SIGCONT)
    wait_for("the event", lambda: any(e["body"].get("shard") == 1 for e in
                                      sharded.json("event", "list", "--kind", "crl.not-fetched")["events"]), 30)


@pytest.mark.skipif(shutil.which("go") is None, reason="no Go here")
def test_go_reads_every_part(sharded, user, tmp_path):
    for i in range(4):
        revoke(user, issue(user, f"g{i}.example.com"))
    wait_for("the union", lambda: union_is_the_book(sharded))
    complete = sharded.folder / "public" / "crl" / "tls.crl"  # comes after its parts
    wait_for("the complete one", lambda: len(x509.load_der_x509_crl(complete.read_bytes())) == len(serials_in_book(sharded)))
    program = tmp_path / "crl"
    subprocess.run(["go", "build", "-o", program, "."], check=True, cwd=Path(__file__).parent / "go-crl",
                   env={**os.environ, "GOFLAGS": "-mod=mod"}, timeout=300)
    paths = [str(p) for p in files(sharded).values()]
    out = subprocess.run([program, sharded.folder / "ca" / "tls.pem", *paths, complete],
                         capture_output=True, text=True, check=True)
    found = json.loads(out.stdout)
    parts = {s.zfill(32) for path in paths for s in found[path]}
    assert parts == serials_in_book(sharded) == {s.zfill(32) for s in found[str(complete)]}


def crl_findings(ca):
    found = json.loads(ca.lintel("doctor", "--json", check=False).stdout)["findings"]
    return [(f["level"], f["text"]) for f in found if f["what"] == "CRLs" and "tls" in f["text"]]


def checked(ca):
    done = ca.lintel("crl", "check", "--issuer", "tls", "--json", check=False)
    answer = json.loads(done.stdout)
    assert (done.returncode == 0) == (answer["bad"] == 0) and done.returncode in (0, 6)
    return answer


def test_what_is_on_no_part(sharded, user):
    """As a certificate from before there were parts: on the complete CRL alone. Where it should be on a part, that is told."""
    certs = [issue(user, f"n{i}.example.com") for i in range(3)]
    revoke(user, certs[0])

    def copy(serial):
        with sqlite3.connect(sharded.folder / "book/lintel.db", timeout=20) as db:
            db.execute("CREATE TEMP TABLE t AS SELECT * FROM certificate WHERE serial = ? AND copy = 0",
                       (certs[1].serial_number.to_bytes(16, "big"),))
            db.execute("UPDATE t SET serial = ?, sha256 = ?, shard = 0", (serial, serial * 2))
            db.execute("INSERT INTO certificate SELECT * FROM t")

    def union():
        answer = checked(sharded)
        row = answer["unions"][0]
        assert (row["issuer"], row["parts"]) == ("tls", SHARDS)
        return row["union"], row["unparted"], answer["entries"], answer["bad"]

    copy(b"\x11" * 16)
    sharded.lintel("revoke", "11" * 16, "--yes")
    wait_for("the union", lambda: union() == ("equal", 1, 2, 0), 30)
    assert f"{SHARDS} parts, with 1 entries that are on none, is" in sharded.lintel("crl", "check", "--issuer", "tls").stdout
    with sqlite3.connect(sharded.folder / "book/lintel.db", timeout=20) as db:  # of a part that nobody makes
        db.execute("UPDATE revocation SET shard = ? WHERE serial = ?", (SHARDS + 5, b"\x11" * 16))
    assert union() == ("wrong", 0, 1, 1)
    done = sharded.lintel("crl", "check", "--issuer", "tls", check=False)
    assert done.returncode == 6 and f"it has 2 entries, its {SHARDS} parts and what is on none together 1" in done.stdout


def entries_of_the_book_alone(ca, cert):
    """With no publisher: the book has an entry that no CRL has, first from before they were made, then from since."""
    serial = cert.serial_number.to_bytes(16, "big")
    shard = int(address(cert).rsplit("/", 1)[1][:-4])
    assert checked(ca)["bad"] == 0
    with sqlite3.connect(ca.folder / "book/lintel.db", timeout=20) as db:
        db.execute("INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, by_whom, "
                   "sequence) SELECT c.issuer, c.shard, c.serial, 4, c.issued_us, c.issued_us, c.not_after_us, 'test', 1 "
                   "FROM certificate c WHERE c.serial = ?", (serial,))
    bad = [(row["shard"], row["wrong"]) for row in checked(ca)["crls"] if not row["good"]]
    assert {s for s, _ in bad} == {0, shard} and all("entries, the book" in wrong for _, wrong in bad)
    with sqlite3.connect(ca.folder / "book/lintel.db", timeout=20) as db:  # recorded since: it waits for the next
        db.execute("UPDATE revocation SET recorded_us = ? WHERE serial = ?", (int(time.time() * 10**6), serial))
    answer = checked(ca)
    assert answer["bad"] == 0 and {row["shard"] for row in answer["crls"] if row["waiting"] == 1} == {0, shard}
    with sqlite3.connect(ca.folder / "book/lintel.db", timeout=20) as db:
        db.execute("DELETE FROM revocation WHERE serial = ?", (serial,))


def with_its_part_alike(certs):
    """One that is not alone on its part, and the others: revoking these makes that part anew, after that one was issued."""
    one = next(c for i, c in enumerate(certs) if address(c) in [address(other) for other in certs[:i]])
    return one, [c for c in certs if c is not one]


def test_check_holds_files_against_the_book(sharded, user):
    left, others = with_its_part_alike([issue(user, f"h{i}.example.com") for i in range(SHARDS + 2)])
    for cert in others:
        revoke(user, cert)
    wait_for("the union", lambda: union_is_the_book(sharded))
    wait_for("calm", lambda: sum(row["waiting"] for row in checked(sharded)["crls"]) == 0, 30)
    answer = checked(sharded)
    assert answer["bad"] == 0 and answer["good"] == SHARDS + 1 and answer["entries"] == 5
    assert {row["state"] for row in answer["crls"]} == {"fresh"}
    wait_for("calm", lambda: f"the union of {SHARDS} parts is the complete CRL" in
             sharded.lintel("crl", "check", "--issuer", "tls").stdout)
    status = sharded.json("status")["book"]["crl_parts"]
    assert [(p["issuer"], p["parts"], p["late"], p["broken"], p["entries"]) for p in status] == [("tls", SHARDS, 0, 0, 5)]
    assert f"{SHARDS} parts, 5 entries" in sharded.lintel("status").stdout
    assert [level for level, _ in crl_findings(sharded)] == ["ok"]
    # A file that was changed, one that is missing, one that is an older one.
    whole = {shard: path.read_bytes() for shard, path in files(sharded).items()}
    for shard, path in files(sharded).items():
        path.write_bytes(whole[shard][:-1] + bytes([whole[shard][-1] ^ 1]))
    begun = time.monotonic()
    told = sharded.lintel("crl", "check", "--issuer", "tls", check=False).stdout
    assert all(f"BAD      tls/{shard}.crl" in told for shard in whole)
    assert time.monotonic() - begun < 5 * SHARDS  # they are waited for together: five seconds, not five each
    for shard in set(whole) - {1}:
        files(sharded)[shard].write_bytes(whole[shard])
    assert [row["shard"] for row in checked(sharded)["crls"] if not row["good"]] == [1]
    path = files(sharded)[1]
    path.write_bytes(b"")
    assert "bad" in [level for level, text in crl_findings(sharded) if "tls/1.crl" in text] or \
        "warning" in [level for level, text in crl_findings(sharded) if "tls/1.crl" in text]
    path.write_bytes(whole[1])
    publisher = sharded.pids()["publisher-0"]
    os.kill(publisher, signal.SIGSTOP)
    try:
        entries_of_the_book_alone(sharded, left)
    finally:
        os.kill(publisher, signal.SIGCONT)
    assert sharded.lintel("crl", "check", "--issuer", "nobody", check=False).returncode == 3
    rules = sharded.json("crl", "check", "--rules")
    assert {("crl", 4 * 86400), ("crl-with-ocsp", 7 * 86400), ("entry", 86400)} <= {(r["what"], r["limit_s"]) for r in rules}
    metrics = urllib.request.urlopen(f"http://localhost:{sharded.operator_port}/metrics", timeout=10).read().decode()
    for name in ("overdue", "broken", "oldest_this_update_seconds", "first_next_update_seconds", "unpublished_seconds"):
        assert f'lintel_crl_{name}{{' in metrics

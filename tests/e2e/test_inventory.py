"""The inventory: lists of an expression in any order, export that streams, counts, and certificates of elsewhere that
come into the book: from then on they are found, counted, listed on CRLs, revoked and asked about like all others."""
import base64
import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
from acmeclient import Client
from conftest import LINTEL, wait_for
from postgres import Postgres, programs


@pytest.fixture
def user(ca, webroot):
    client = Client(ca.directory, ca.root, webroot.challenges)
    client.register()
    return client


@pytest.fixture
def three(ca, user):
    """Three certificates below a domain of their own."""
    domain = f"i{os.urandom(4).hex()}.example.com"
    for i in range(3):
        user.issue(f"n{i}.{domain}", *(f"m{k}.{domain}" for k in range(i)))
    return domain


def test_lists_of_an_expression(ca, three):
    rows = ca.json("cert", "list", "--scope", "names >= 2", "--suffix", three)["certificates"]
    assert sorted(len(r["names"]) for r in rows) == [2, 3]
    for order, key, down in (("issued", "issued", False), ("-issued", "issued", True), ("expires", "not_after", False),
                             ("-expires", "not_after", True), ("serial", "serial", False)):
        listed = ca.json("cert", "list", "--scope", "valid", "--suffix", three, "--order", order, "--limit", 2)
        rows = listed["certificates"]
        assert listed["count"] == 3 and len(rows) == 2, order
        rest = ca.json("cert", "list", "--scope", "valid", "--suffix", three, "--order", order, "--limit", 2,
                       "--cursor", listed["next"])
        rows += rest["certificates"]
        assert rest["next"] is None and len({r["serial"] for r in rows}) == 3, order
        assert [r[key] for r in rows] == sorted((r[key] for r in rows), reverse=down), order
    text = ca.lintel("cert", "list", "--suffix", three, "--all").stdout
    assert len(text.splitlines()) == 4
    everything = ca.json("cert", "list", "--all")
    issued = [r["issued"] for r in everything["certificates"]]
    assert everything["count"] == len(issued) >= 3 and issued == sorted(issued, reverse=True)


@pytest.mark.parametrize("options, says", [
    (["--scope", "namez > 2"], "there is no such field"),
    (["--scope", "names > 2 )"], "byte"),
    (["--scope", "valid", "--issuer", 'x" or valid'], "is no value"),
    (["--scope", "valid", "--issuer", "nobody"], "nobody"),
    (["--scope", "valid", "--order", "names"], "order"),
])
def test_wrong_questions(ca, options, says):
    for verb in ("list", "export", "stats"):
        if verb == "stats" and "--order" in options:
            continue
        r = ca.lintel("cert", verb, *options, check=False)
        assert r.returncode in (1, 2) and says in r.stderr, (verb, r.stderr)


def test_as_people_write_them(ca, three):
    """Names in capitals or with the dot of DNS, numbers as openssl and browsers show them."""
    whole = ca.json("cert", "list", "--suffix", three)["certificates"]
    for name in (three.upper(), f"{three}.", f"*.{three.capitalize()}"):
        assert len(ca.json("cert", "list", "--suffix", name)["certificates"]) == 3, name
    for name in (f"N1.{three}".upper(), f"n1.{three}."):
        assert len(ca.json("cert", "list", "--name", name)["certificates"]) == 1, name
        assert len(ca.json("cert", "find", name)["certificates"]) == 1, name
    assert len(ca.json("cert", "find", f"*.{three.upper()}")["certificates"]) == 3
    serial = whole[0]["serial"]
    colons = ":".join(serial[i:i + 2] for i in range(0, len(serial), 2))
    for text in (colons, colons.upper(), colons.replace(":", " "), f"0x{serial}", serial.lstrip("0")):
        assert [r["serial"] for r in ca.json("cert", "find", text)["certificates"]] == [serial], text
        assert [r["serial"] for r in ca.json("cert", "list", "--serial", text)["certificates"]] == [serial], text
        assert ca.json("cert", "show", text)["serial"] == serial
        assert f"would revoke {serial}" in ca.lintel("revoke", text, "--reason", "superseded").stdout
    assert json.loads(ca.lintel("cert", "export", "--serial", colons, "--json").stdout)[0]["serial"] == serial


@pytest.mark.parametrize("options, says", [
    (["find", ""], "empty"), (["list", "--suffix", ""], "--suffix: an empty value"), (["list", "--name", ""], "--name"),
    (["list", "--account", ""], "--account"), (["list", "--cursor", "garbage"], ""), (["list", "--serial", "zz"], ""),
    (["list", "--name", "b\u00fccher.example"], "xn--"), (["find", "no name.example"], "no host name"),
])
def test_bad_filters_are_bad_usage(ca, options, says):
    r = ca.lintel("cert", *options, check=False)
    assert r.returncode == 2 and says in r.stderr and r.stdout == "", r.stderr


def test_export(ca, three, tmp_path):
    whole = ca.json("cert", "list", "--suffix", three, "--order", "issued")["certificates"]
    table = list(csv.DictReader(io.StringIO(ca.lintel("cert", "export", "--suffix", three, "--order", "issued").stdout)))
    assert [r["serial"] for r in table] == [r["serial"] for r in whole]
    assert [r["names"].split() for r in table] == [r["names"] for r in whole]
    assert {r["method"] for r in table} == {"http-01"} and {r["revoked"] for r in table} == {""}
    lines = ca.lintel("cert", "export", "--suffix", three, "--format", "jsonl", "--der").stdout.splitlines()
    assert sorted(json.loads(line)["serial"] for line in lines) == sorted(r["serial"] for r in whole)
    array = json.loads(ca.lintel("cert", "export", "--suffix", three, "--json").stdout)
    assert len(array) == 3 and "der" not in array[0]
    out = tmp_path / "out.pem"
    assert ca.lintel("cert", "export", "--suffix", three, "--format", "pem", "--output", out).stdout == ""
    assert out.read_text().count("BEGIN CERTIFICATE") == 3 and not (tmp_path / "out.pem.partial").exists()
    der = base64.b64decode(json.loads(lines[0])["der"])
    shown = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-serial"], input=der, capture_output=True)
    assert shown.stdout.decode().strip().split("=")[1].lower().lstrip("0") == json.loads(lines[0])["serial"].lstrip("0")
    assert json.loads(ca.lintel("cert", "export", "--suffix", "nothing.example", "--json").stdout) == []
    before = ca.lintel("cert", "export", "--suffix", three, "--at", "2020-01-01").stdout
    assert len(before.splitlines()) == 1
    assert ca.lintel("cert", "export", "--format", "pem", "--der", check=False).returncode == 2
    assert ca.lintel("cert", "export", "--output", tmp_path / "no" / "where", check=False).returncode == 2


def test_stats(ca, three):
    ca.lintel("revoke", ca.json("cert", "list", "--suffix", three)["certificates"][0]["serial"], "--reason", "superseded",
              "--yes")
    stats = ca.json("cert", "stats", "--suffix", three)
    groups = {by: {g["value"]: g["count"] for g in s["groups"]} for by, s in stats.items()}
    assert groups["status"] == {"valid": 2, "revoked": 1}
    assert groups["issuer"] == {"tls": 3} and groups["profile"] == {"tls-server": 3}
    assert groups["method"] == {"http-01": 3} and groups["key_type"] == {"p256": 3}
    assert sum(groups["expires:month"].values()) == 3 and sum(groups["replacement"].values()) == 3
    text = ca.lintel("cert", "stats", "--suffix", three).stdout
    assert text.startswith("3 certificates as of ") and "66.7 %" in text
    assert list(ca.json("cert", "stats", "--suffix", three, "--by", "names")) == ["names"]
    assert ca.lintel("cert", "stats", "--by", "nothing", check=False).returncode != 0


def test_rows_that_are_refused(ca, tmp_path):
    """Where each stands is said; a dry run refuses no less; and no CRL is stopped by what came in."""
    head = "serial,issuer,not_before,not_after,names,revoked,reason"
    dates = "2024-01-01T00:00:00Z,2027-01-01T00:00:00Z"
    rows = [f"0c01,tls,{dates},a.hist.example,,", f"0c02,nobody,{dates},b.hist.example,,",
            f"0c03,tls,{dates},c.hist.example,2025-01-01T00:00:00Z,certificateHold",
            f"0c04,tls,2027-01-01,2024-01-01,d.hist.example,,", f"0c05,tls,{dates},e.hist.example,2099-01-01,superseded",
            f"00,tls,{dates},f.hist.example,,", f"0c07,tls,{dates},\"g.hist.example,=1+1\",,", "0c08,tls,a,b",
            f"0c09,tls,{dates},h.hist.example,2025-01-01T00:00:00Z,superseded"]
    table = tmp_path / "a.csv"
    table.write_text("\n".join([head, *rows]) + "\n")
    dry = ca.lintel("cert", "import", table, check=False)
    done = ca.lintel("cert", "import", table, "--yes", check=False)
    for r in (dry, done):
        assert r.returncode == 6 and "7 refused" in r.stdout, r.stdout + r.stderr
        assert [line.split(":")[1] for line in r.stderr.splitlines() if "a.csv:" in line] == list("3456789"), r.stderr
    assert "2 added" in done.stdout and "1 revoked" in done.stdout
    shown = ca.lintel("cert", "show", "0c01").stdout
    assert "unknown: brought in by" in shown and "()" not in shown and "build ," not in shown and "order" not in shown, shown
    other = tmp_path / "b.csv"
    other.write_text(f"{head}\n0c01,tls,{dates},a.hist.example,,\n0c01,tls,{dates},completely.other.example,,\n"
                     "0c01,tls,2020-01-01,2029-01-01,a.hist.example,,\n")
    r = ca.lintel("cert", "import", other, "--yes", check=False)
    assert r.returncode == 6 and "1 were there" in r.stdout and "b.csv:3: the book has another" in r.stderr \
        and "b.csv:4: the book has another" in r.stderr, r.stdout + r.stderr

    def crl():
        return subprocess.run(["openssl", "crl", "-inform", "der", "-in", ca.folder / "public/crl/tls.crl", "-noout", "-text"],
                              capture_output=True, text=True).stdout
    wait_for("the CRL", lambda: "Serial Number: 0C09" in crl() and "Serial Number: 0C03" not in crl(), 30)


# ---- certificates of elsewhere ----

class Elsewhere:
    """A CA that openssl is."""

    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        folder.mkdir()
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
                 "-out", "ca.pem", "-subj", f"/CN={name}", "-days", "3650")
        self.run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "leaf.key")

    def run(self, *args):
        subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True)

    def issue(self, serial, *names):
        (self.folder / "ext").write_text("basicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\nsubjectAltName="
                                         + ",".join(f"DNS:{n}" for n in names) + "\n")
        self.run("req", "-new", "-key", "leaf.key", "-subj", "/", "-out", "leaf.csr")
        out = f"{serial:x}.pem"
        self.run("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", str(serial),
                 "-days", "30", "-extfile", "ext", "-out", out)
        return self.folder / out


@pytest.fixture
def elsewhere(tmp_path):
    return Elsewhere(tmp_path / "old", f"Elsewhere {os.urandom(3).hex()}")


def test_whole_certificates_of_another_ca(ca, elsewhere, tmp_path):
    tag = os.urandom(3).hex()
    inbox = tmp_path / "inbox"
    (inbox / "deep").mkdir(parents=True)
    a = elsewhere.issue(0x1001, f"a.{tag}.example", f"www.a.{tag}.example")
    b = elsewhere.issue(0x1002, f"b.{tag}.example")
    c = elsewhere.issue(0x1003, f"c.{tag}.example")
    (inbox / "bundle.pem").write_text("some text\n" + a.read_text() + b.read_text())
    subprocess.run(["openssl", "x509", "-in", c, "-outform", "der", "-out", inbox / "deep" / "c.der"], check=True)
    (inbox / "notes.txt").write_text("nothing to see\n")
    (inbox / "broken.pem").write_text(a.read_text().replace("M", "N", 40))
    name = f"old-{tag}"
    issuer = f"{name}={elsewhere.folder / 'ca.pem'}"

    unknown = ca.lintel("cert", "import", inbox, check=False)
    assert unknown.returncode == 6 and "its issuer is not known" in unknown.stderr
    dry = ca.lintel("cert", "import", inbox, "--issuer", issuer, "--json", check=False)
    said = json.loads(dry.stdout)
    assert dry.returncode == 6 and said["certificates"] == 3 and said["refused"] >= 1 and not said["done"]
    assert f"{inbox}/broken.pem" in dry.stderr
    assert ca.json("cert", "list", "--suffix", f"{tag}.example")["certificates"] == []

    (inbox / "broken.pem").unlink()
    done = ca.json("cert", "import", inbox, "--issuer", issuer, "--note", "history", "--yes")
    assert (done["added"], done["already"], done["refused"], done["issuers"]) == (3, 0, 0, {name: 3})
    again = ca.json("cert", "import", inbox, "--yes")
    assert (again["added"], again["already"]) == (0, 3)
    assert [i["note"] for i in ca.json("cert", "imports")["imports"] if i["import"] == done["import"]] == ["history"]

    rows = ca.json("cert", "list", "--suffix", f"{tag}.example")["certificates"]
    assert {r["profile"] for r in rows} == {"imported"} and {r["issuer"] for r in rows} == {name}
    shown = ca.json("cert", "show", "1001", "--issuer", name)
    assert shown["evidence_status"] == "unknown" and shown["import"] == done["import"] and shown["import_form"] == "der"
    assert "evidence    unknown" in ca.lintel("cert", "show", "1001", "--issuer", name).stdout
    assert int(ca.lintel("scope", f"suffix = {tag}.example and imported and unproven").stdout) == 3
    assert int(ca.lintel("scope", f"suffix = {tag}.example and not imported").stdout) == 0
    groups = ca.json("cert", "stats", "--suffix", f"{tag}.example", "--by", "profile")["profile"]["groups"]
    assert groups == [{"value": "imported", "count": 3}]
    bundle = ca.lintel("cert", "export", "--suffix", f"{tag}.example", "--format", "pem").stdout
    assert bundle.count("BEGIN CERTIFICATE") == 3
    assert ca.json("cert", "show", "1001", "--issuer", name)["pem"].strip() == a.read_text().strip()
    # Its own kind of key twice, a number twice: both are kept.
    other = Elsewhere(tmp_path / "other", elsewhere.name)
    twin = other.issue(0x1001, f"twin.{tag}.example")
    wrong = ca.lintel("cert", "import", twin, check=False)
    assert wrong.returncode == 6 and "did not sign it" in wrong.stderr
    audit = ca.lintel("audit", "verify", check=False)
    assert "certificate " + name not in audit.stdout + audit.stderr


def test_a_table_of_our_own_history(fresh_ca, tmp_path):
    """Serial numbers and dates: on the CRL by way of the journal, with renewal information, revocable, in the audit."""
    ca = fresh_ca.start()
    table = tmp_path / "history.csv"
    table.write_text("Serial #,Issuer,Not before,Not after,dNSNames,Revocation date,Revocation reason\n"
                     '0A:0B:0C:01,tls,2026-06-01,2037-06-01T00:00:00Z,"www.hist.example, hist.example",2026-07-01 10:00:00,'
                     "superseded\n"
                     '0x0a0b0c02,tls,2026-06-01,2037-06-01,other.hist.example,,\n'
                     "0a0b0c03,nobody,2026-06-01,2037-06-01,,,\n"
                     "0a0b0c04,tls,2026-36-01,2037-06-01,,,\n"
                     ",tls,2026-06-01,2037-06-01,,,\n")
    done = json.loads(ca.lintel("cert", "import", table, "--yes", "--json", check=False).stdout)
    assert (done["rows"], done["added"], done["revoked"], done["refused"]) == (2, 2, 1, 3)
    wait_for("the journal", lambda: ca.json("cert", "show", "0a0b0c01")["status"] == "revoked", 30)
    shown = ca.json("cert", "show", "0a0b0c01")
    assert shown["revocation"]["revoked"] == "2026-07-01T10:00:00Z" and shown["import_form"] == "row"
    assert shown["sha256"] == "" and shown["subject"] is None
    assert ca.lintel("cert", "show", "0a0b0c01", "--pem", check=False).returncode == 3
    ca.lintel("revoke", "0a0b0c02", "--reason", "superseded", "--yes")

    def crl():
        out = subprocess.run(["openssl", "crl", "-inform", "der", "-in", ca.folder / "public/crl/tls.crl", "-noout", "-text"],
                             capture_output=True, text=True)
        return out.stdout
    wait_for("the CRL", lambda: "0A0B0C01" in crl() and "0A0B0C02" in crl(), 30)
    ski = subprocess.run(["openssl", "x509", "-in", ca.folder / "ca/tls.pem", "-noout", "-ext", "subjectKeyIdentifier"],
                         capture_output=True, text=True).stdout.split("\n")[1].strip().replace(":", "")
    part = [base64.urlsafe_b64encode(bytes.fromhex(h)).decode().rstrip("=") for h in (ski, "0a0b0c01")]

    def known():
        url = f"{ca.url}/acme/renewal-info/{part[0]}.{part[1]}"
        return subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", ca.root, url],
                              capture_output=True, text=True).stdout == "200"
    wait_for("renewal information", known, 40)
    assert ca.lintel("audit", "verify", check=False).returncode == 0
    ca.stop()


@pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed")
def test_on_postgresql(fresh_ca, elsewhere, tmp_path):
    ca = fresh_ca
    server = Postgres()
    try:
        assert ca.json("store", "migrate", "--to", server.url, "--yes")["done"]
        with open(ca.folder / "lintel.yaml", "a") as f:
            f.write(f"store: {server.url}\n")
        (ca.folder / "book" / "lintel.db").rename(ca.folder / "old.db")
        ca.start()
        bundle = tmp_path / "bundle.pem"
        bundle.write_text("".join(elsewhere.issue(0x2000 + i, f"n{i}.pg.example", f"m{i}.pg.example").read_text()
                                  for i in range(3)))
        done = ca.json("cert", "import", bundle, "--issuer", f"old={elsewhere.folder / 'ca.pem'}", "--yes")
        assert (done["added"], done["already"]) == (3, 0)
        assert ca.json("cert", "import", bundle, "--yes")["already"] == 3
        table = tmp_path / "t.csv"
        table.write_text("serial,issuer,not_before,not_after,names,revoked,reason\n"
                         "0a0b0c01,tls,2026-06-01,2037-06-01,t.pg.example,2026-07-01,superseded\n")
        assert ca.json("cert", "import", table, "--yes")["revoked"] == 1
        wait_for("the journal", lambda: ca.json("cert", "show", "0a0b0c01")["status"] == "revoked", 30)
        for order, key, down in (("expires", "not_after", False), ("-issued", "issued", True), ("serial", "serial", False)):
            first = ca.json("cert", "list", "--scope", "imported", "--order", order, "--limit", 3)
            rest = ca.json("cert", "list", "--scope", "imported", "--order", order, "--limit", 3, "--cursor", first["next"])
            rows = first["certificates"] + rest["certificates"]
            assert len(rows) == 4 and len({r["serial"] for r in rows}) == 4
            if order != "serial":
                assert [r[key] for r in rows] == sorted((r[key] for r in rows), reverse=down)
        assert ca.lintel("cert", "export", "--scope", "imported", "--format", "pem").stdout.count("BEGIN") == 3
        groups = ca.json("cert", "stats", "--scope", "imported", "--by", "issuer")["issuer"]["groups"]
        assert {g["value"]: g["count"] for g in groups} == {"old": 3, "tls": 1}
        assert ca.json("cert", "stats", "--scope", "imported")["status"]["count"] == 4
        ca.stop()
    finally:
        server.stop()


def test_killed_in_the_middle(fresh_ca, tmp_path):
    """kill -9 of the registrar and of the command: the same command once more, and every row is there, once."""
    ca = fresh_ca.start()
    table = tmp_path / "many.csv"
    rows = 6000
    table.write_text("serial,issuer,not_before,not_after,names\n"
                     + "".join(f"{0x7000000 + i:08x},tls,2026-06-01,2037-06-01,n{i}.many.example\n" for i in range(rows)))
    env = {**os.environ, "LINTEL_DIR": str(ca.folder)}
    command = [str(LINTEL), "cert", "import", str(table), "--yes", "--json"]
    first = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    counted = lambda: int(ca.lintel("scope", "imported").stdout)
    wait_for("a beginning", lambda: counted() > 0, 30, 0.02)
    first.kill()
    first.wait()
    assert 0 < counted() < rows

    def kill_twice():
        for _ in range(2):
            time.sleep(0.2)
            pid = ca.pids().get("registrar-0")
            if pid:
                os.kill(pid, signal.SIGKILL)
            time.sleep(1.5)
    killer = threading.Thread(target=kill_twice)
    killer.start()
    codes = []
    for _ in range(5):
        again = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        codes.append(again.returncode)
        if again.returncode == 0:
            break
    killer.join()
    assert codes[-1] == 0, again.stderr
    wait_for("the readers", lambda: counted() == rows, 30)
    assert ca.json("cert", "export", "--scope", "imported") and len(ca.json("cert", "export", "--scope", "imported")) == rows
    last = ca.json("cert", "import", table, "--yes")
    assert (last["added"], last["already"]) == (0, rows)
    assert ca.lintel("audit", "verify", check=False).returncode == 0
    ca.stop()


def test_bench_inventory(tmp_path):
    """A small one: everything it asks is answered; kept, it is a CA that can be served."""
    folder = tmp_path / "book"
    out = subprocess.run([str(LINTEL), "bench", "inventory", "--certificates", "3000", "--folder", str(folder), "--keep", "--json"],
                         capture_output=True, text=True, timeout=120)
    assert out.returncode in (0, 6), out.stderr
    said = json.loads(out.stdout)
    assert said["certificates"] == 3000 and len(said["expressions"]) == 40 and 7 < said["names"] / 3000 < 8.5
    assert {e["name"]: e["count"] for e in said["expressions"]}["issuer"] == 3000
    again = subprocess.run([str(LINTEL), "bench", "inventory", "--folder", str(folder), "--json"], capture_output=True, text=True)
    assert [e["count"] for e in json.loads(again.stdout)["expressions"]] == [e["count"] for e in said["expressions"]]
    with sqlite3.connect(folder / "book" / "lintel.db") as book:  # every account is one that somebody may have to call
        assert book.execute("SELECT count(*) FROM account WHERE id NOT IN (SELECT account FROM readiness)").fetchone() == (0,)
        assert book.execute("SELECT count(*) FROM readiness").fetchone()[0] > 0
    other = tmp_path / "ca"
    subprocess.run([str(LINTEL), "init", str(other)], check=True, capture_output=True)
    refused = subprocess.run([str(LINTEL), "bench", "inventory", "--folder", str(other)], capture_output=True, text=True)
    assert refused.returncode != 0 and "did not make" in refused.stderr

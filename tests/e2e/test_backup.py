"""A backup of a family at work, put back: whole or not there, and nothing that was said since is forgotten."""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
from cryptography import x509
from conftest import LINTEL, Webroot, wait_for
from postgres import Postgres, programs
from test_cli import crl_serials, issue, serial_of, verify
from test_crl_shards import settings
from test_mass import approve, fill, propose
from test_postgres import move_to

KILLS = int(os.environ.get("LINTEL_TEST_KILLS", "8"))
MANY = 12000


@pytest.fixture
def working(fresh_ca, tmp_path):
    """A family with two approvers beside the admin, and somebody who issues."""
    ca = fresh_ca
    for name in ("berta", "carl"):
        ca.lintel("operator", "add", name, "--role", "approver")
    ca.web = Webroot(tmp_path / "webroot", ca.http01_port)
    ca.start()
    yield ca
    ca.web.stop()
    if ca.process is not None:
        ca.stop()


def reconcile(ca, tmp_path, *choices):
    """With the signatures of two."""
    script = tmp_path / f"back-{random.randrange(10**9)}.script"
    ca.lintel("ceremony", "plan", script, "--restore", *choices)
    for who in ("berta", "carl"):
        ca.lintel("ceremony", "sign", script, "--operator", who, "--yes")
    return ca.json("restore", "--reconcile", "--script", script, "--yes", *choices, timeout=200)


def refuses_to_start(ca, words):
    at = len(ca.log.read_text()) if ca.log.exists() else 0
    family = subprocess.Popen([LINTEL, "serve", ca.folder], stdout=subprocess.DEVNULL, stderr=open(ca.log, "a"))
    wait_for("the refusal", lambda: words in ca.log.read_text()[at:], 15)
    family.kill()
    family.wait()
    wait_for("the lock", lambda: verify(ca, "restore", "--reconcile").returncode == 0, 15)


def crl_number(ca, path="tls.crl"):
    out = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", ca.folder / "public/crl" / path, "-noout", "-crlnumber"],
                         capture_output=True, text=True, check=True).stdout
    return int(out.split("=")[1], 16)


def test_made_while_it_issues(working, tmp_path):
    ca = working
    going = True
    made = []

    def go_on():
        while going:
            name = f"n{len(made)}.example.com"
            issue(ca, ca.web, name)
            made.append(name)

    worker = threading.Thread(target=go_on)
    worker.start()
    wait_for("some", lambda: len(made) >= 2)
    there = made[0]
    for i in range(3):
        said = ca.json("backup", tmp_path / f"b{i}")
        assert said["journal_last"] >= said["acknowledged"] > 0 and said["keys"] is False
        deep = ca.json("backup", "verify", tmp_path / f"b{i}", "--deep", folder_flag=False)
        assert deep["ok"] is True and deep["files"] == said["files"]
        book = sqlite3.connect(f"file:{tmp_path}/b{i}/book/lintel.db?mode=ro", uri=True)
        assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert book.execute("SELECT count(*) FROM certificate").fetchone()[0] >= 1
        # every frame that a row names is in the segments of the copy
        for number, length in book.execute("SELECT number, length FROM evidence_segment"):
            assert (tmp_path / f"b{i}" / "evidence" / f"{number:06}.seg").stat().st_size >= length
        book.close()
    going = False
    worker.join()
    files = {str(p.relative_to(tmp_path / "b0")) for p in (tmp_path / "b0").rglob("*") if p.is_file()}
    assert {"MANIFEST", "book/lintel.db", "journal/signer.log", "lintel.yaml", "ca/root.pem", "operators/admin.json",
            "public/crl/root.crl"} <= files, files
    assert not [f for f in files if f.startswith(("keys/", "secrets/", "tls/", "run/")) or f.endswith(".key")], files
    assert not [p for p in (tmp_path / "b0").rglob("*") if p.stat().st_mode & 0o077]
    assert serial_of(ca, there)


def test_what_is_no_backup(working, tmp_path):
    ca = working
    issue(ca, ca.web, "a.example.com")
    good = tmp_path / "good"
    ca.lintel("backup", good, "--with-keys")
    assert (good / "keys/tls.key").exists() and (good / "secrets/seal.key").exists()
    assert not (good / "secrets/passphrase").exists()
    again = verify(ca, "backup", good)
    assert again.returncode == 1 and "holds a backup already" in again.stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    assert "not empty" in verify(ca, "backup", tmp_path / "full").stderr
    assert "no MANIFEST" in verify(ca, "backup", "verify", tmp_path / "full").stderr
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "UNFINISHED").write_text("")
    assert "never finished" in verify(ca, "backup", "verify", tmp_path / "begun").stderr
    assert verify(ca, "backup", tmp_path / "begun").returncode == 0  # gone on with
    for file in ("book/lintel.db", "journal/signer.log", "evidence/000001.seg", "ca/root.pem"):
        bad = tmp_path / "bad"
        shutil.copytree(good, bad)
        with open(bad / file, "r+b") as f:
            f.seek(100)
            byte = f.read(1)
            f.seek(100)
            f.write(bytes([byte[0] ^ 1]))
        said = verify(ca, "backup", "verify", bad)
        assert said.returncode == 1 and file in said.stderr, said.stderr
        assert file in verify(ca, "restore", bad, "--yes").stderr
        os.truncate(bad / file, 50)
        assert "bytes" in verify(ca, "backup", "verify", bad).stderr
        (bad / file).unlink()
        assert "missing" in verify(ca, "backup", "verify", bad).stderr
        shutil.rmtree(bad)
    manifest = good / "MANIFEST"
    text = manifest.read_text()
    manifest.write_text(text.replace("\nkeys=yes", "\nkeys=no"))
    assert "changed" in verify(ca, "backup", "verify", good).stderr
    manifest.write_text(text.replace("ca/root.pem", "../root.pem"))
    assert verify(ca, "restore", good, "--yes").returncode != 0
    manifest.write_text(text)
    running = verify(ca, "restore", good, "--yes")
    assert running.returncode == 1 and "the family runs" in running.stderr
    assert verify(ca, "restore").returncode == 2 and verify(ca, "restore", good, "--reconcile").returncode == 2
    assert verify(ca, "restore", good, "--revoke-lost").returncode == 2


def test_a_new_folder(working, tmp_path):
    """Everything is gone but the backup, the passphrase and the journal's copy on another disk."""
    ca = working
    issue(ca, ca.web, "kept.example.com")
    serial = serial_of(ca, "kept.example.com")
    ca.stop()
    ca.lintel("backup", tmp_path / "b", "--with-keys")  # without a family, too
    passphrase = (ca.folder / "secrets/passphrase").read_bytes()
    shutil.rmtree(ca.folder)
    shown = ca.json("restore", tmp_path / "b")
    assert shown["done"] is False and shown["new_folder"] is True and not (ca.folder / "book").exists()
    said = ca.lintel("restore", tmp_path / "b", "--yes").stdout
    assert "LOOK: the journal is the backup's" in said
    (ca.folder / "secrets/passphrase").write_bytes(passphrase)
    refuses_to_start(ca, "was not reconciled")
    done = ca.json("restore", "--reconcile", "--yes")  # nothing to decide: nobody need sign
    assert done["done"] is True and done["lost"] == done["revocations"] == done["published"] == 0
    ca.start()
    assert ca.json("cert", "show", serial)["status"] == "valid"
    issue(ca, ca.web, "again.example.com")
    assert ca.json("audit", "verify")["ok"] is True


def test_nothing_is_forgotten(working, tmp_path):
    """Issued, revoked one by one and in batches since the backup: all of it is back, by journal and CRLs."""
    ca = working
    issue(ca, ca.web, "early.example.com")
    early = serial_of(ca, "early.example.com")
    ca.stop()
    fill(ca, MANY)
    ca.start()
    sealed = propose(ca, "--scope", "kind = bulk and account = 1", "--reason", "superseded")
    held = f"10{1:030x}"
    ca.lintel("backup", tmp_path / "b")
    # from here on the backup knows nothing
    ca.lintel("hold", "add", held, "--reason", "restraining order", "--reference", "7", "--yes")
    issue(ca, ca.web, "late.example.com")
    late = serial_of(ca, "late.example.com")
    ca.lintel("revoke", early, "--reason", "keyCompromise", "--yes")
    approve(ca, sealed)
    ca.json("mass", "show", sealed["id"], "--watch", timeout=120)
    young = propose(ca, "--scope", "kind = bulk and account = 2", "--reason", "cessationOfOperation")
    approve(ca, young)
    ca.json("mass", "show", young["id"], "--watch", timeout=120)
    want = 1 + 2 * MANY // 3 - 1  # one of them is held
    wait_for("the CRL", lambda: len(crl_serials(ca)) == want, 30)
    before, number = set(crl_serials(ca)), crl_number(ca)
    ca.stop()

    put = ca.json("restore", tmp_path / "b", "--yes")
    assert put["own_journal"] is True and put["records_behind"] > 0
    kept = [p.name for p in (ca.folder / "book").iterdir() if ".before-" in p.name]
    assert len([k for k in kept if not k.endswith("-wal")]) == 1
    refuses_to_start(ca, "was not reconciled")
    shown = ca.json("restore", "--reconcile")
    assert shown["revocations"] == 1 and shown["batches"] == 2 and shown["lost"] >= 1 and shown["missing"] == 0, shown
    assert shown["batch_members"] + shown["published"] >= MANY * 2 // 3 - 1
    assert verify(ca, "restore", "--reconcile", "--yes").returncode == 4
    done = reconcile(ca, tmp_path, "--revoke-lost")
    assert done["done"] is True and done["lost_revoked"] == shown["lost"]
    ca.start()
    assert ca.json("cert", "show", early)["status"] == "revoked"
    assert verify(ca, "cert", "show", late).returncode == 3
    wait_for("a new CRL", lambda: crl_number(ca) > number, 20)
    assert before | {late} <= set(crl_serials(ca))
    assert held not in crl_serials(ca)  # by an order that is younger than the backup
    assert held in ca.lintel("hold", "list", "--json").stdout
    assert ca.json("status")["book"]["certificates"] >= MANY
    issue(ca, ca.web, "again.example.com")
    # the key of the compromised one gets no certificate again
    book = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True)
    assert book.execute("SELECT count(*) FROM key_block").fetchone()[0] == 1
    assert book.execute("SELECT status, revoked FROM mass WHERE id = ?", (int(sealed["id"][1:]),)).fetchone()[1] > 0
    book.close()


def part_serials(path):
    """Serial numbers on a CRL, and the CRL's number."""
    crl = x509.load_der_x509_crl(path.read_bytes())
    return {f"{r.serial_number:032x}" for r in crl}, crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def parts(ca):
    return {int(p.stem): part_serials(p) for p in (ca.folder / "public/crl/tls").glob("*.crl")}


@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_parts_of_a_crl(working, tmp_path, journal):
    """Each revocation comes back to the part that its certificate names; where even the journal is the backup's, the
    published parts are all that knows of it."""
    ca = working
    ca.stop()
    settings(ca, 4)
    ca.start()
    wait_for("all parts", lambda: len(parts(ca)) == 4, 20)
    early = []
    for n in range(6):
        issue(ca, ca.web, f"early{n}.example.com")
        early.append(serial_of(ca, f"early{n}.example.com"))
    ca.lintel("backup", tmp_path / "b")
    issue(ca, ca.web, "late.example.com")
    late = serial_of(ca, "late.example.com")
    for serial in [*early, late]:
        ca.lintel("revoke", serial, "--reason", "superseded", "--yes")
    wait_for("all of them", lambda: set().union(*(s for s, _ in parts(ca).values())) == {*early, late}, 20)
    wait_for("the complete one", lambda: {*early, late} <= part_serials(ca.folder / "public/crl/tls.crl")[0], 90)
    before = parts(ca)
    ca.stop()
    if journal == "lost":
        shutil.rmtree(ca.folder / "journal")
    ca.lintel("restore", tmp_path / "b", "--yes")
    shown = ca.json("restore", "--reconcile")
    if journal == "lost":
        assert shown["published"] == 7 and shown["revocations"] == 0, shown
    else:
        assert shown["revocations"] == 7 and shown["published"] == 0 and shown["lost"] >= 1, shown
    assert reconcile(ca, tmp_path)["done"] is True
    ca.start()
    wait_for("newer parts", lambda: all(parts(ca)[n][1] > before[n][1] for n in before if before[n][0]), 60)
    after = parts(ca)
    for n, (serials, number) in before.items():
        assert serials <= after[n][0], n
        assert after[n][1] >= number
    for serial in early:
        assert ca.json("cert", "show", serial)["status"] == "revoked"
    assert {*early, late} <= part_serials(ca.folder / "public/crl/tls.crl")[0]
    issue(ca, ca.web, "again.example.com")
    assert ca.json("audit", "verify")["ok"] is True


def test_members_that_nobody_names(working, tmp_path):
    """Journaled, and neither book, evidence nor CRL has them: it is said, and only two people go on."""
    ca = working
    ca.stop()
    fill(ca, MANY)
    ca.start()
    wait_for("a CRL", lambda: (ca.folder / "public/crl/tls.crl").exists(), 20)
    first = crl_number(ca)
    ca.lintel("backup", tmp_path / "b")
    young = propose(ca, "--scope", "kind = bulk", "--reason", "superseded")
    approve(ca, young)
    ca.json("mass", "show", young["id"], "--watch", timeout=120)
    wait_for("the CRL", lambda: len(crl_serials(ca)) == MANY, 60)
    ca.stop()
    crl = ca.folder / "public/crl/tls.crl"
    published = crl.read_bytes()
    shutil.copy(tmp_path / "b/public/crl/tls.crl", crl)  # an old copy, as after a disk was lost
    ca.lintel("restore", tmp_path / "b", "--yes")
    assert crl_number(ca) == first
    sealed = ca.json("restore", "--reconcile")  # what was sealed is among the evidence, which is younger than the book
    assert sealed["missing"] == 0 and sealed["batch_members"] == MANY and sealed["published"] == 0, sealed
    shutil.rmtree(ca.folder / "evidence")
    (ca.folder / "evidence").mkdir()
    shown = ca.json("restore", "--reconcile")
    assert shown["batches"] == 2 and shown["missing"] == MANY
    assert "MISSING" in ca.lintel("restore", "--reconcile").stdout
    script = tmp_path / "without.script"
    ca.lintel("ceremony", "plan", script, "--restore")
    for who in ("berta", "carl"):
        ca.lintel("ceremony", "sign", script, "--operator", who, "--yes")
    refused = verify(ca, "restore", "--reconcile", "--script", script, "--yes")
    assert refused.returncode == 4 and "--forget-missing" in refused.stderr
    assert verify(ca, "restore", "--reconcile", "--script", script, "--forget-missing", "--yes").returncode == 4
    crl.write_bytes(published)  # somebody finds the last one
    assert verify(ca, "restore", "--reconcile", "--script", script, "--yes").returncode == 4  # another choice than was signed
    found = ca.json("restore", "--reconcile")
    assert found["missing"] == 0 and found["published"] == MANY
    crl.write_bytes(published[:-10] + b"0123456789")
    damaged = verify(ca, "restore", "--reconcile")
    assert damaged.returncode == 1 and "public/crl/tls.crl" in damaged.stderr
    crl.write_bytes(published)
    assert reconcile(ca, tmp_path)["done"] is True
    ca.start()
    wait_for("all of them", lambda: len(crl_serials(ca)) == MANY, 30)


@pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed")
def test_a_book_on_a_server(working, tmp_path):
    """Read row by row while it issues; put back into an empty database, and into nothing that holds a book."""
    ca = working
    server = Postgres()
    try:
        ca.stop()
        move_to(ca, server.url)
        (ca.folder / "book/lintel.db").unlink()
        ca.start()
        issue(ca, ca.web, "early.example.com")
        early = serial_of(ca, "early.example.com")
        made = ca.json("backup", tmp_path / "b")
        assert made["store"] == "postgresql"
        assert ca.json("backup", "verify", tmp_path / "b", "--deep")["ok"] is True
        ca.lintel("revoke", early, "--reason", "superseded", "--yes")
        wait_for("the CRL", lambda: early in crl_serials(ca), 20)
        ca.stop()
        full = verify(ca, "restore", tmp_path / "b", "--yes")
        assert full.returncode == 1 and "there is a book already" in full.stderr
        server.sql("CREATE DATABASE again", "postgres")
        path = ca.folder / "lintel.yaml"
        path.write_text(path.read_text().replace(server.url, server.url.replace("/book?", "/again?")))
        assert "/again?" in path.read_text()
        put = ca.json("restore", tmp_path / "b", "--yes")
        assert put["done"] is True and put["own_journal"] is True
        shown = ca.json("restore", "--reconcile")
        assert shown["revocations"] == 1
        assert reconcile(ca, tmp_path)["done"] is True
        assert ca.json("store", "prune")["due"] == 0
        assert ca.json("store", "prune", "--yes")["done"] is True
        ca.start()
        assert ca.json("cert", "show", early)["status"] == "revoked"
        issue(ca, ca.web, "late.example.com")
        ca.stop()
    finally:
        server.stop()


def test_a_mirror_that_goes_further(working, tmp_path):
    """The disk of the folder is lost, the journal's mirror is not: what only it knows is asked for."""
    ca = working
    ca.stop()
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    mirror.chmod(0o777)
    path = ca.folder / "lintel.yaml"
    path.write_text(path.read_text() + f"journal-mirror: {mirror}\n")
    ca.start()
    issue(ca, ca.web, "early.example.com")
    early = serial_of(ca, "early.example.com")
    ca.lintel("backup", tmp_path / "b", "--with-keys")
    ca.lintel("revoke", early, "--reason", "superseded", "--yes")
    wait_for("the CRL", lambda: early in crl_serials(ca), 20)
    ca.stop()
    elsewhere = {name: (ca.folder / name).read_bytes() for name in ("secrets/passphrase", "operators/berta.key", "operators/carl.key")}
    shutil.rmtree(ca.folder)
    ca.lintel("restore", tmp_path / "b", "--yes")
    for name, kept in elsewhere.items():
        (ca.folder / name).write_bytes(kept)
    refused = verify(ca, "restore", "--reconcile", "--yes")
    assert refused.returncode == 4 and "the mirror" in refused.stderr, refused.stderr
    shutil.copy(mirror / "signer.log", ca.folder / "journal/signer.log")
    assert ca.json("restore", "--reconcile")["revocations"] == 1
    assert reconcile(ca, tmp_path)["done"] is True
    ca.start()
    assert ca.json("cert", "show", early)["status"] == "revoked"
    wait_for("the CRL", lambda: early in crl_serials(ca), 20)
    assert ca.json("audit", "verify")["ok"] is True


def test_another_cas_journal(working, tmp_path, dns):
    from conftest import Ca, free_port
    ca = working
    issue(ca, ca.web, "a.example.com")
    ca.stop()
    ca.lintel("backup", tmp_path / "b")
    other = Ca(tmp_path / "other", dns.port, free_port()) if (tmp_path / "other").mkdir() is None else None
    other.start()
    wait_for("its journal", lambda: (other.folder / "journal/signer.log").stat().st_size > 2048, 10)
    other.stop()
    refused = verify(other, "restore", tmp_path / "b", "--yes")
    assert refused.returncode == 1 and "another CA's" in refused.stderr
    assert not list((other.folder / "book").glob("*.before-*"))


def kill_soon(command, most, **kw):
    """True when it ended by itself."""
    p = subprocess.Popen([str(LINTEL), *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kw)
    try:
        return p.wait(random.random() * most) == 0
    except subprocess.TimeoutExpired:
        p.send_signal(signal.SIGKILL)
        p.wait()
        return False


def test_killed_at_any_moment(working, tmp_path):
    ca = working
    issue(ca, ca.web, "early.example.com")
    early = serial_of(ca, "early.example.com")
    ca.stop()
    fill(ca, MANY)
    ca.start()
    env = {**os.environ, "LINTEL_DIR": str(ca.folder)}
    target = tmp_path / "b"
    for _ in range(KILLS):
        if kill_soon(["backup", target], 0.4, env=env):
            assert verify(ca, "backup", "verify", target, "--deep").returncode == 0
            shutil.rmtree(target)
        elif (target / "MANIFEST").exists():
            assert verify(ca, "backup", "verify", target, "--deep").returncode == 0
            shutil.rmtree(target)
        else:
            assert verify(ca, "backup", "verify", target).returncode != 0
    ca.lintel("backup", target) if not (target / "MANIFEST").exists() else None
    assert verify(ca, "backup", "verify", target, "--deep").returncode == 0
    ca.lintel("revoke", early, "--reason", "superseded", "--yes")
    wait_for("the CRL", lambda: early in crl_serials(ca), 20)
    ca.stop()
    truth = len(list((ca.folder / "evidence").iterdir()))
    for _ in range(KILLS):
        kill_soon(["restore", target, "--yes"], 0.5, env=env)
        book = ca.folder / "book/lintel.db"
        if book.exists():  # the old one or the new one, whole
            c = sqlite3.connect(book)
            assert c.execute("PRAGMA quick_check").fetchone() == ("ok",)
            assert c.execute("SELECT count(*) FROM certificate").fetchone()[0] > MANY
            marked = c.execute("SELECT count(*) FROM meta WHERE key = 'book.put-back'").fetchone()[0]
            revoked = c.execute("SELECT count(*) FROM revocation").fetchone()[0]
            assert (marked, revoked) in ((0, 1), (1, 0))
            c.close()
    ca.lintel("restore", target, "--yes")
    assert len(list((ca.folder / "evidence").iterdir())) == truth
    script = tmp_path / "s"
    ca.lintel("ceremony", "plan", script, "--restore")
    for who in ("berta", "carl"):
        ca.lintel("ceremony", "sign", script, "--operator", who, "--yes")
    for _ in range(KILLS):
        kill_soon(["restore", "--reconcile", "--script", script, "--yes"], 0.2, env=env)
    ca.lintel("restore", "--reconcile", "--script", script, "--yes")
    ca.start()
    assert ca.json("cert", "show", early)["status"] == "revoked"
    assert ca.lintel("event", "list", "--kind", "book.reconciled", "--json").stdout.count("signed_by") == 1


def test_a_list_that_looks_alike_explains_nothing(working, tmp_path):
    """Two mass revocations of one date and reason: the first is known and published, the second nobody names. What the
    first has on the CRL is not the second's."""
    ca = working
    ca.stop()
    fill(ca, 3000)
    ca.start()
    ca.lintel("backup", tmp_path / "b")
    dated = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    kind = ("--reason", "keyCompromise", "--cause", "key-compromise", "--dated-back-to", dated)
    first = propose(ca, "--scope", "kind = bulk and account = 1", *kind)
    approve(ca, first)
    ca.json("mass", "show", first["id"], "--watch", timeout=120)
    wait_for("the CRL", lambda: len(crl_serials(ca)) == 1000, 60)
    published = (ca.folder / "public/crl/tls.crl").read_bytes()
    evidence = {p: p.stat().st_size for p in (ca.folder / "evidence").iterdir()}
    assert evidence
    second = propose(ca, "--scope", "kind = bulk and account = 2", *kind)
    approve(ca, second)
    ca.json("mass", "show", second["id"], "--watch", timeout=120)
    ca.stop()
    (ca.folder / "public/crl/tls.crl").write_bytes(published)
    for path in (ca.folder / "evidence").iterdir():  # lost with the disk: what was written last
        if path in evidence:
            os.truncate(path, evidence[path])
        else:
            path.unlink()
    ca.lintel("restore", tmp_path / "b", "--yes")
    shown = ca.json("restore", "--reconcile")
    assert shown["batches"] == 2 and shown["batch_members"] == 1000 and shown["published"] == 0, shown
    assert shown["missing"] == 1000, shown
    assert reconcile(ca, tmp_path, "--forget-missing")["done"] is True
    book = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True)
    told = dict(book.execute("SELECT kind, subject FROM event WHERE kind LIKE 'restore.%'"))
    book.close()
    assert told == {"restore.sealed": f"mass {first['id']}", "restore.missing": f"mass {second['id']}"}, told
    audit = json.loads(verify(ca, "audit", "verify", "--json").stdout)["findings"]
    assert audit and {f["what"] for f in audit} == {"certificate"}, audit[:5]  # rows without bytes; of the journal nothing is open


def test_who_was_removed_stays_removed(working, tmp_path):
    """Onto the CA's own folder, no key of an operator, profile or policy comes back; into a new one all of them do."""
    ca = working
    issue(ca, ca.web, "settled.example.com")
    wait_for("a CRL", lambda: (ca.folder / "public/crl/tls.crl").exists(), 20)
    ca.lintel("backup", tmp_path / "b")
    ca.lintel("operator", "remove", "carl", "--yes")
    ca.stop()
    shown = ca.json("restore", tmp_path / "b")
    assert shown["left_out"] == ["operators/carl.json"], shown
    said = ca.lintel("restore", tmp_path / "b", "--yes").stdout
    assert "operators/carl.json" in said
    assert not (ca.folder / "operators/carl.json").exists()
    shown = ca.json("restore", "--reconcile")
    assert verify(ca, "restore", "--reconcile", "--yes").returncode == 0, shown
    assert "carl" not in ca.lintel("operator", "list").stdout
    new = tmp_path / "new"
    subprocess.run([LINTEL, "restore", tmp_path / "b", "--dir", new], check=True, capture_output=True)
    assert not new.exists()  # nothing was written
    subprocess.run([LINTEL, "restore", tmp_path / "b", "--dir", new, "--yes"], check=True, capture_output=True)
    assert (new / "operators/carl.json").exists()


def test_what_the_examiner_remembers(working, tmp_path):
    """Halts and blocked keys that are younger than the backup come back into the book, where they can be seen and lifted."""
    ca = working
    ca.lintel("backup", tmp_path / "b")
    ca.lintel("halt", "--profile", "tls-server", "--reason", "for a look")
    key = "7c" * 32
    ca.lintel("key", "block", key, "--reason", "leaked", "--yes")
    ca.stop()
    ca.lintel("restore", tmp_path / "b", "--yes")
    shown = ca.json("restore", "--reconcile")
    assert shown["halts"] == 1 and shown["blocked_keys"] == 1, shown
    reconcile(ca, tmp_path)
    ca.start()
    assert "tls-server" in ca.lintel("halt", "list").stdout
    book = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True)
    assert book.execute("SELECT hex(spki_sha256), reason FROM key_block").fetchall() == [(key.upper(), "leaked")]
    book.close()
    assert ca.json("audit", "verify")["ok"] is True


def test_a_backup_is_files(working, tmp_path):
    """A pipe would be waited for, and a link leads elsewhere: both are refused by name."""
    ca = working
    ca.stop()
    ca.lintel("backup", tmp_path / "b")
    shutil.copytree(tmp_path / "b", tmp_path / "pipe")
    (tmp_path / "pipe/ca/root.pem").unlink()
    os.mkfifo(tmp_path / "pipe/ca/root.pem")
    shutil.copytree(tmp_path / "b", tmp_path / "link")
    shutil.rmtree(tmp_path / "link/operators")
    (tmp_path / "link/operators").symlink_to(tmp_path / "b/operators")
    for name, said in (("pipe", "ca/root.pem of the backup is no regular file"), ("link", "operators of the backup is no folder")):
        for words in (("backup", "verify", tmp_path / name), ("restore", tmp_path / name)):
            out = subprocess.run([LINTEL, *words, "--dir", ca.folder], capture_output=True, text=True, timeout=20)
            assert out.returncode != 0 and said in out.stderr, out

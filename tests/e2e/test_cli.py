"""The command line against a running family: inventory, halts and their lifting by signed approvals, operators,
audit, ceremony; exit statuses; help and completion for every verb."""
import json
import re
import subprocess

import pytest
from acmeclient import Client
from conftest import LINTEL, ROOT, wait_for

VERBS = [line.split("  ")[1].strip() for line in
         subprocess.run([LINTEL, "--help"], capture_output=True, text=True).stdout.splitlines()
         if re.match(r"  [a-z]+( [a-z-]+){0,2}  +\S", line) and not line.strip().startswith("lintel")]


def issue(ca, webroot, *names):
    client = Client(ca.directory, ca.root, webroot.challenges)
    client.register()
    return client.issue(*names)


def verify(ca, *args, **kw):
    return ca.lintel(*args, check=False, **kw)


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example(verb):
    out = subprocess.run([LINTEL, *verb.split(), "--help"], capture_output=True, text=True)
    assert out.returncode == 0
    assert f"lintel {verb}" in out.stdout.split("examples:")[1], out.stdout
    assert "--json" in out.stdout and "--dir DIR" in out.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_the_manual_knows_every_option(verb):
    """docs/man is written by hand; it must not fall behind the tables that --help is made from."""
    pages = [p.read_text().replace("\\-", "-") for p in (ROOT / "docs" / "man").glob("*.1")]
    page = [p for p in pages if f".Ss lintel {verb}\n" in p]
    assert len(page) == 1, verb
    section = page[0].split(f".Ss lintel {verb}\n")[1].split("\n.Ss ")[0]
    out = subprocess.run([LINTEL, *verb.split(), "--help"], capture_output=True, text=True).stdout
    for option in re.findall(r"^  --(\S+)", out.split("options:")[1], re.M):
        assert option in ("dir", "json", "help") or f".It Fl -{option}" in section, option


def test_the_index_knows_every_verb_and_page():
    index = (ROOT / "docs" / "man" / "lintel.1").read_text()
    listed = {verb.strip() for line in re.findall(r"^\.Ic (.*)$", index, re.M) for verb in line.split(" , ")}
    assert not set(VERBS) - listed, set(VERBS) - listed
    for page in (ROOT / "docs" / "man").glob("lintel-*.[15]"):
        name, section = page.name.rsplit(".", 1)
        assert f".Xr {name} {section}" in index.split(".Sh SEE ALSO")[1], page.name


def test_all_verbs_of_the_book_are_there():
    for verb in ("init", "serve", "status", "doctor", "config check", "cert list", "cert show", "revoke", "account list",
                 "halt", "resume", "operator add", "approve", "audit verify", "bench acme", "ceremony run"):
        assert verb in VERBS


@pytest.mark.parametrize("line,status", [
    (["nothing"], 2), (["cert"], 2), (["cert", "show"], 2), (["cert", "list", "--nothing"], 2),
    (["cert", "list", "--limit", "x"], 2), (["cert", "list", "--issued-from", "soon"], 2), (["cert", "list", "--dir", "/nonexistent"], 5), (["cert", "show", "zz"], 2),
    (["--version"], 0), (["--help"], 0), (["init"], 2), (["config", "check", "--dir", "/nonexistent"], 2),
])
def test_exit_statuses(ca, line, status):
    r = verify(ca, *line)
    assert r.returncode == status, r.stderr
    assert status == 0 or (r.stderr.startswith("lintel") and r.stderr.count("\n") == 1), r.stderr


def test_errors_as_json(ca):
    r = verify(ca, "cert", "show", "00", "--json")
    assert r.returncode == 3
    assert json.loads(r.stderr)["error"] == "not-found"


def test_completion_is_a_script(ca, tmp_path):
    script = tmp_path / "completion"
    script.write_text(ca.lintel("completion", "bash").stdout)
    ask = f"""source {script}; COMP_WORDS=(lintel cert li); COMP_CWORD=2; _lintel; echo "${{COMPREPLY[@]}}"
              COMP_WORDS=(lintel cert list --stat); COMP_CWORD=3; _lintel; echo "${{COMPREPLY[@]}}"
              COMP_WORDS=(lintel cert list --status re); COMP_CWORD=4; _lintel; echo "${{COMPREPLY[@]}}"
              COMP_WORDS=(lintel doc); COMP_CWORD=1; _lintel; echo "${{COMPREPLY[@]}}" """
    out = subprocess.run(["bash", "-c", ask], capture_output=True, text=True).stdout.split("\n")
    assert out[:4] == ["list", "--status", "revoked", "doctor"]


@pytest.fixture
def certificate(ca, webroot):
    return issue(ca, webroot, "cli.example.com", "cli.example.org")


def serial_of(ca, name):
    return ca.json("cert", "list", "--name", name)["certificates"][0]["serial"]


def test_inventory(ca, certificate):
    serial = serial_of(ca, "cli.example.com")
    for how in (["--suffix", "example.org"], ["--serial", serial], ["--issuer", "tls", "--status", "valid"],
                ["--profile", "tls-server"]):
        assert serial in ca.lintel("cert", "list", "--all", *how).stdout
    for text in ("cli.example.com", "*.example.org", serial):
        assert serial in ca.lintel("cert", "find", text).stdout
    shown = ca.json("cert", "show", serial)
    assert {n["name"] for n in shown["names"]} == {"cli.example.com", "cli.example.org"}
    for name in shown["names"]:
        check = name["checks"][-1]
        assert check["ok"] is True and check["method"] == "http-01" and check["statement"]["addresses"]
    assert [c["issuer"] for c in shown["chain"]] == ["tls", "root"]
    pem = ca.lintel("cert", "show", serial, "--pem").stdout
    assert pem.count("BEGIN CERTIFICATE") == 3
    assert verify(ca, "cert", "find", "nobody.example.net").returncode == 3
    account = shown["account"]
    assert serial in ca.lintel("cert", "list", "--account", account, "--all").stdout
    assert ca.json("account", "show", account)["certificates"] >= 1
    assert account in ca.lintel("account", "list", "--all").stdout


def test_pages(ca, certificate):
    first = ca.json("cert", "list", "--limit", "1")
    assert len(first["certificates"]) == 1 and first["next"]
    second = ca.json("cert", "list", "--limit", "1", "--cursor", first["next"])
    assert second["certificates"][0]["serial"] != first["certificates"][0]["serial"]
    everything = ca.json("cert", "list", "--all")["certificates"]
    assert len({c["serial"] + c["issuer"] for c in everything}) == len(everything) >= 2
    assert ca.json("cert", "list", "--issued-from", "2026-01-01", "--all")["certificates"] == everything
    assert ca.json("cert", "list", "--issued-until", "2026-01-01")["certificates"] == []


def test_revoke_shows_before_it_does(ca, certificate):
    serial = serial_of(ca, "cli.example.com")
    assert "would revoke" in ca.lintel("revoke", serial, "--reason", "superseded").stdout
    assert ca.json("revoke", serial)["done"] is False
    assert ca.json("cert", "show", serial)["status"] == "valid"
    ca.lintel("revoke", serial, "--reason", "superseded", "--yes")
    shown = ca.json("cert", "show", serial)
    assert shown["status"] == "revoked" and shown["revocation"]["reason_name"] == "superseded"
    again = verify(ca, "revoke", serial, "--yes")
    assert again.returncode == 1 and "already" in again.stderr
    events = ca.json("event", "list", "--subject", f"certificate tls {serial}")["events"]
    assert {"certificate.issued", "certificate.revoked"} <= {e["kind"] for e in events}


def test_a_halt_is_lifted_by_two_others(ca, webroot):
    for name in ("berta", "carl"):
        if verify(ca, "operator", "add", name, "--role", "approver").returncode == 0:
            wait_for(name, lambda: name in ca.lintel("event", "list", "--kind", "operator.added").stdout, 5)
    ca.lintel("halt", "--name-suffix", "halted.example.com", "--reason", "test")
    with pytest.raises(Exception):
        issue(ca, webroot, "www.halted.example.com")
    issue(ca, webroot, "not-halted.example.com")
    assert "would propose" in ca.lintel("resume", "--name-suffix", "halted.example.com").stdout
    plan = ca.json("resume", "--name-suffix", "halted.example.com", "--yes")["id"]
    own = verify(ca, "approve", plan, "--yes")
    assert own.returncode == 4 and "others must sign" in own.stderr
    early = verify(ca, "plan", "run", plan)
    assert early.returncode == 4 and "approvals" in early.stderr
    wrong = verify(ca, "approve", plan, "--operator", "berta", "--key", ca.folder / "operators/carl.key", "--yes")
    assert wrong.returncode != 0
    assert "1 of 2" in ca.lintel("approve", plan, "--operator", "berta", "--yes").stdout
    assert verify(ca, "approve", plan, "--operator", "berta", "--yes").returncode == 1
    assert "done" in ca.lintel("approve", plan, "--operator", "carl", "--yes").stdout
    assert ca.json("plan", "show", plan)["status"] == "done"
    lifted = [h for h in ca.json("halt", "list")["halts"] if h["value"] == "halted.example.com"]
    assert lifted[-1]["lifted"] and lifted[-1]["lifted_plan"] == plan
    issue(ca, webroot, "www.halted.example.com")


def test_a_key_is_blocked_and_unblocked(ca, webroot, certificate):
    key = ca.json("cert", "show", serial_of(ca, "cli.example.com"))["spki_sha256"]
    other = "ab" * 32
    assert "would block" in ca.lintel("key", "block", other, "--reason", "x").stdout
    ca.lintel("key", "block", other, "--reason", "leaked", "--yes")
    assert other in ca.lintel("event", "list", "--kind", "key.blocked", "--json").stdout
    assert other in ca.lintel("key", "unblock", other).stdout
    plan = ca.json("key", "unblock", other, "--yes")["id"]
    for name in ("berta", "carl"):
        if verify(ca, "operator", "add", name, "--role", "approver").returncode == 0:
            wait_for(name, lambda: name in ca.lintel("event", "list", "--kind", "operator.added").stdout, 5)
        last = ca.lintel("approve", plan, "--operator", name, "--yes")
    assert "done" in last.stdout
    assert verify(ca, "key", "block", key[:-1], "--reason", "x").returncode == 2


@pytest.mark.parametrize("line", [["nothing"], ["halt.lift"], ["halt.lift", "x=y"], ["halt.lift", "halt=a", "b=c"],
                                  ["lint.exception", "rule=a", "profile=b"], ["halt.lift", "halt"], ["restore", "=x"]])
def test_plans_that_are_no_plans(ca, line):
    assert verify(ca, "plan", "propose", *line).returncode == 2


def test_operators_come_and_go(ca):
    ca.lintel("operator", "add", "dora", "--role", "viewer")
    assert "dora" in ca.lintel("operator", "list").stdout
    wait_for("dora", lambda: "operator dora" in ca.lintel("event", "list", "--kind", "operator.added").stdout, 5)
    weak = verify(ca, "halt", "--all", "--reason", "x", "--operator", "dora")
    assert weak.returncode == 4 and "role" in weak.stderr
    assert verify(ca, "operator", "add", "dora", "--role", "viewer").returncode == 1
    assert verify(ca, "operator", "add", "Dora!", "--role", "viewer").returncode == 2
    assert verify(ca, "operator", "add", "emil").returncode == 2
    assert "would remove" in ca.lintel("operator", "remove", "dora").stdout
    ca.lintel("operator", "remove", "dora", "--yes")
    wait_for("dora gone", lambda: "operator dora" in ca.lintel("event", "list", "--kind", "operator.removed").stdout, 5)


def test_status_doctor_audit(ca, certificate):
    status = ca.json("status")
    assert status["family"]["ready"] is True and status["book"]["certificates"] >= 1
    assert "registrar-0" in ca.lintel("status").stdout
    findings = ca.json("doctor")["findings"]
    assert not [f for f in findings if f["level"] == "bad"], findings
    audit = ca.json("audit", "verify")
    assert audit["ok"] is True and audit["events"] > 10 and audit["certificates"] >= 1


def test_offline_verbs_refuse_while_the_family_runs(ca, tmp_path):
    script = tmp_path / "crl.script"
    ca.lintel("ceremony", "plan", script, "--crl")
    r = verify(ca, "ceremony", "run", script, "--yes")
    assert r.returncode == 1 and "the family runs" in r.stderr


def test_ceremony(fresh_ca, tmp_path):
    ca = fresh_ca
    ca.lintel("operator", "add", "berta", "--role", "approver")
    script = tmp_path / "tls2.script"
    ca.lintel("ceremony", "plan", script, "--ca", "tls2", "--common-name", "Second TLS CA")
    assert "CN=Second TLS CA" in ca.lintel("ceremony", "show", script).stdout
    run = ["ceremony", "run", script, "--yes"]
    assert verify(ca, *run).returncode == 4
    ca.lintel("ceremony", "sign", script, "--yes")
    one = verify(ca, *run)
    assert one.returncode == 4 and "1 of 2" in one.stderr
    wrong = verify(ca, "ceremony", "sign", script, "--operator", "berta", "--key", ca.folder / "operators/admin.key",
                   "--yes")
    assert wrong.returncode == 2
    ca.lintel("ceremony", "sign", script, "--operator", "berta", "--yes")
    kept = script.read_text()
    script.write_text(kept.replace("name=tls2", "name=tls3"))
    assert verify(ca, *run).returncode == 4
    script.write_text(kept)
    ca.lintel(*run)
    made = ca.folder / "ca/tls2.pem"
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", ca.root, made], check=True, capture_output=True)
    made.unlink()
    ca.lintel(*run)  # again: only the file was missing
    assert made.exists()
    crl = tmp_path / "crl.script"
    ca.lintel("ceremony", "plan", crl, "--crl", "--revoke-ca", "tls2:5")
    for who in ("admin", "berta"):
        ca.lintel("ceremony", "sign", crl, "--operator", who, "--yes")
    ca.lintel("ceremony", "run", crl, "--yes")
    out = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", ca.folder / "public/crl/root.crl", "-noout", "-text",
                          "-CAfile", ca.root], capture_output=True, text=True)
    assert "Cessation Of Operation" in out.stdout and "verify OK" in out.stderr
    audit = ca.json("audit", "verify")
    assert audit["ok"] is True, audit


@pytest.mark.parametrize("line", [["--ca", "tls"], ["--ca", "x"], ["--ca", "x", "--common-name", "X", "--profile", "tls-server"],
                                  ["--ca", "x", "--common-name", "X", "--profile", "ca-root"], [], ["--ca", "x", "--crl"],
                                  ["--ca", "../x", "--common-name", "X"], ["--crl", "--days", "400"],
                                  ["--crl", "--revoke-ca", "nobody:4"], ["--crl", "--revoke-ca", "tls:6"],
                                  ["--crl", "--issuer", "tls"]])
def test_ceremony_plans_that_are_refused(fresh_ca, tmp_path, line):
    r = verify(fresh_ca, "ceremony", "plan", tmp_path / "s", *line)
    assert r.returncode != 0 and not (tmp_path / "s").exists(), r.stdout


def test_a_book_from_a_backup_is_reconciled(fresh_ca, tmp_path, dns):
    """The signer refuses a book that is behind its journal; two people bring it up again."""
    import shutil
    from conftest import Webroot
    ca = fresh_ca
    web = Webroot(tmp_path / "webroot", ca.http01_port)
    ca.lintel("operator", "add", "berta", "--role", "approver")
    ca.start()
    issue(ca, web, "early.example.com")
    early = serial_of(ca, "early.example.com")
    ca.stop()
    backup = tmp_path / "backup"
    shutil.copytree(ca.folder / "book", backup)
    ca.start()
    issue(ca, web, "late.example.com")
    late = serial_of(ca, "late.example.com")
    ca.lintel("revoke", early, "--reason", "superseded", "--yes")
    ca.stop()
    shutil.rmtree(ca.folder / "book")
    shutil.copytree(backup, ca.folder / "book")

    ca.process = subprocess.Popen([LINTEL, "serve", ca.folder], stdout=subprocess.DEVNULL, stderr=open(ca.log, "a"))
    wait_for("the refusal", lambda: "restore --reconcile" in ca.log.read_text(), 10)
    ca.process.kill()
    ca.process.wait()
    ca.process = None
    wait_for("the lock", lambda: verify(ca, "restore", "--reconcile").returncode == 0, 10)

    shown = ca.json("restore", "--reconcile")
    assert shown["done"] is False and shown["revocations"] == 1 and shown["lost"] >= 1
    assert verify(ca, "restore", "--reconcile", "--yes").returncode == 4
    script = tmp_path / "back.script"
    ca.lintel("ceremony", "plan", script, "--restore", "--revoke-lost")
    go = ["restore", "--reconcile", "--script", script, "--yes"]
    ca.lintel("ceremony", "sign", script, "--yes")
    assert verify(ca, *go, "--revoke-lost").returncode == 4
    ca.lintel("ceremony", "sign", script, "--operator", "berta", "--yes")
    assert verify(ca, *go).returncode == 4  # another choice than the one that was signed
    done = ca.json(*go, "--revoke-lost")
    assert done["done"] is True and done["lost_revoked"] == shown["lost"]

    ca.start()
    assert ca.json("cert", "show", early)["status"] == "revoked"
    assert verify(ca, "cert", "show", late).returncode == 3
    assert late in ca.lintel("event", "list", "--kind", "restore.lost", "--json").stdout
    issue(ca, web, "again.example.com")
    wait_for("both on the CRL", lambda: all(s in crl_serials(ca) for s in (early, late)), 10)
    web.stop()
    ca.stop()


def crl_serials(ca):
    out = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", ca.folder / "public/crl/tls.crl", "-noout", "-text"],
                         capture_output=True, text=True).stdout
    return [s.lower() for s in re.findall(r"Serial Number: (\w+)", out)]


def test_answers_larger_than_a_message(fresh_ca):
    """A page of 1,000 certificates with 60 names each crosses the walls in pieces and arrives whole."""
    import sqlite3
    ca = fresh_ca
    names = [[f"com.example.host{c}.name{n:02}-{'x' * 20}" for n in range(60)] for c in range(1200)]
    with sqlite3.connect(ca.folder / "book/lintel.db") as book:
        for c, row in enumerate(names):
            serial = b"\x0c" + c.to_bytes(8, "big")
            book.execute("INSERT INTO certificate VALUES (2, ?, 0, 'x509', 1, ?, ?, 2, 256, 1, 2, ?, 0, 0, x'00', 60, 'r', 'b',"
                         " 1, 'http-01', 1, 1, 0, 1, 0, 1)", (serial, serial, serial, 1000000 * (c + 1)))
            book.executemany("INSERT INTO certificate_name VALUES (?, 'dns', 2, ?, 0, 0)", [(n, serial) for n in row])
    book.close()
    ca.start()
    page = ca.json("cert", "list", "--limit", "1000", "--issued-until", "2000-01-01")
    assert len(page["certificates"]) == 1000 and all(len(c["names"]) == 60 for c in page["certificates"])
    everything = ca.json("cert", "list", "--all", "--suffix", "host7.example.com")
    assert len(everything["certificates"]) == 1
    assert len(ca.json("cert", "list", "--all", "--issuer", "tls")["certificates"]) == 1200
    ca.stop()

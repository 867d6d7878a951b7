"""Many certificates revoked as one plan: shown, frozen, approved by a second person, killed in the middle, published."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
import urllib.request

import pytest
from conftest import wait_for

MANY = int(os.environ.get("LINTEL_TEST_MASS", "12000"))
KEY = "ab" * 32


def fill(ca, count, key=KEY):
    """Certificates as an import would bring them: rows without bytes."""
    book = sqlite3.connect(ca.folder / "book" / "lintel.db")
    issuer = book.execute("SELECT id FROM issuer WHERE name = 'tls'").fetchone()[0]
    now = int(time.time() * 1e6)
    rows = ((issuer, bytes.fromhex(f"10{i:030x}"), 0, "bulk", 1, bytes.fromhex(f"{i:064x}"), bytes.fromhex(key), 1, 256,
             now - 10**6, now + 90 * 86400 * 10**6, now - 10**6, i % 3, 0, bytes.fromhex(f"{i:064x}"), 1, "", "", 1, "", 0, 0, 0,
             0, 0, 0) for i in range(count))
    book.executemany(f"INSERT INTO certificate VALUES ({','.join('?' * 26)})", rows)
    book.commit()
    book.close()


@pytest.fixture
def bulk(fresh_ca):
    ca = fresh_ca.start()
    for name in ("berta", "carl"):
        ca.lintel("operator", "add", name, "--role", "approver")
    ca.stop()
    fill(ca, MANY)
    ca.start()
    yield ca
    if ca.process is not None:
        ca.stop()


def serials(ca):
    url = f"http://localhost:{ca.http_port}/crl/tls.crl"
    der = urllib.request.urlopen(url, timeout=20).read()
    text = subprocess.run(["openssl", "crl", "-inform", "DER", "-noout", "-text"], input=der, capture_output=True, check=True)
    return {line.split(":")[1].strip() for line in text.stdout.decode().splitlines() if "Serial Number:" in line}


def status(ca, mass):
    return ca.json("mass", "show", mass)


def propose(ca, *options):
    return ca.json("revoke", *options, "--yes", timeout=120)


def approve(ca, mass):
    """The last approval that is wanted runs the plan."""
    ca.lintel("approve", mass["plan"], "--operator", "berta", "--yes")
    assert status(ca, mass["id"])["status"] == "proposed"
    ca.lintel("approve", mass["plan"], "--operator", "carl", "--yes")
    assert status(ca, mass["id"])["status"] != "proposed"


def test_shown_approved_and_published(bulk):
    held = f"10{7:030x}"
    bulk.lintel("hold", "add", held, "--reason", "restraining order", "--reference", "case 7", "--yes")
    shown = bulk.json("revoke", "--scope", "kind = bulk", "--tier", "account = 1", "--reason", "superseded")
    assert shown["count"] == MANY and shown["already"] == 0
    assert [g["count"] for g in shown["by_account"]["groups"]] == [MANY // 3] * 3
    assert sum(g["count"] for g in shown["by_profile"]["groups"]) == MANY
    assert shown["expected_seconds"] > 0 and "clocks" not in shown  # no cause, no clock
    assert [t["count"] for t in shown["tiers"]] == [MANY // 3, MANY - MANY // 3]
    mass = propose(bulk, "--scope", "kind = bulk", "--tier", "account = 1", "--reason", "superseded", "--cause",
                   "validation-unreliable")
    assert mass["status"] == "proposed" and mass["count"] == MANY and mass["plan"]
    assert [t["count"] for t in status(bulk, mass["id"])["tiers"]] == [MANY // 3, MANY - MANY // 3]  # told apart in one walk
    again = propose(bulk, "--scope", "kind = bulk", "--tier", "account = 1", "--reason", "superseded", "--cause",
                    "validation-unreliable")
    assert again["id"] == mass["id"]  # asked twice, made once
    alone = bulk.lintel("mass", "start", mass["id"], "--yes", check=False)
    assert alone.returncode == 4 and "second person" in alone.stderr
    approve(bulk, mass)
    done = bulk.json("mass", "show", mass["id"], "--watch", timeout=120)
    assert done["status"] == "done", done
    assert (done["revoked"], done["held"]) == (MANY - 1, 1)
    wait_for("the CRL", lambda: len(serials(bulk)) == MANY - 1, 60, 1)
    assert held.upper().lstrip("0") not in serials(bulk)
    refused = bulk.lintel("hold", "add", held, "--reason", "again", "--reference", "case 7", "--yes", check=False)
    assert refused.returncode != 0 and "held already" in refused.stderr


def test_killed_in_the_middle(bulk):
    mass = propose(bulk, "--scope", "kind = bulk", "--reason", "superseded")
    approve(bulk, mass)
    for victim in ("registrar-0", "signer-0", "examiner-0"):
        if status(bulk, mass["id"])["status"] in ("checking", "running"):
            old = bulk.pids().get(victim)
            if old is not None:
                os.kill(old, signal.SIGKILL)
            wait_for("its successor", lambda: bulk.pids().get(victim) not in (None, old), 30)
            wait_for("an answer", lambda: bulk.lintel("mass", "list", check=False).returncode == 0, 30)
    done = bulk.json("mass", "show", mass["id"], "--watch", timeout=180)
    assert done["status"] == "done" and done["revoked"] == MANY, done
    wait_for("the CRL", lambda: len(serials(bulk)) == MANY, 60, 1)


def test_a_key(bulk):
    mass = propose(bulk, "--spki", KEY, "--reason", "keyCompromise", "--cause", "key-compromise")
    assert mass["count"] == MANY
    blocked = sqlite3.connect(f"file:{bulk.folder}/book/lintel.db?mode=ro", uri=True)
    assert blocked.execute("SELECT count(*) FROM key_block").fetchone()[0] == 1  # before anybody approves
    bulk.lintel("mass", "stop", mass["id"], "--yes")
    assert status(bulk, mass["id"])["status"] == "stopped"
    late = bulk.lintel("mass", "resume", mass["id"], "--yes", check=False)
    assert late.returncode != 0


def one(i):
    return f"10{i:030x}"


def test_clocks_of_one(bulk):
    known = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200))
    words = ("revoke", one(5), "--cause", "not-issued-per-rules", "--aware", known)
    shown = bulk.lintel(*words).stdout
    assert "22 h" in shown or "21 h" in shown, shown
    assert "as superseded" in shown  # the cause's reason
    bulk.lintel(*words, "--yes")
    clock = bulk.json("cert", "show", one(5))["clocks"][0]
    assert clock["cause"] == "not-issued-per-rules" and clock["aware"] == known and clock["must"] > clock["should"] > known
    late = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2 * 86400))
    words = ("revoke", one(6), "--cause", "misuse", "--aware", late, "--yes")
    refused = bulk.lintel(*words, check=False)
    assert refused.returncode != 0 and "run out" in refused.stderr
    bulk.lintel(*words, "--late-because", "the report was found late")
    assert "found late" in bulk.lintel("cert", "show", one(6)).stdout


def test_a_compromised_certificate_takes_its_key_along(bulk):
    """The others of its key are a plan; it needs approvals, as there are many."""
    dated = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    bulk.lintel("revoke", one(1), "--cause", "key-compromise", "--dated-back-to", dated, "--yes")
    mass = wait_for("the plan", lambda: next((m for m in bulk.json("mass", "list")["masses"] if m["status"] == "proposed"), None))
    assert mass["count"] == MANY and mass["cause"] == "key-compromise" and mass["plan"]
    again = bulk.lintel("revoke", one(1), "--cause", "key-compromise", "--yes", check=False)
    assert again.returncode != 0 and "revoked already" in again.stderr
    book = sqlite3.connect(f"file:{bulk.folder}/book/lintel.db?mode=ro", uri=True)
    assert book.execute("SELECT count(*) FROM revocation").fetchone()[0] == 1


def test_a_court_protects_no_key(bulk):
    """Shown before it is done: what is refused, and what is done all the same."""
    bulk.lintel("hold", "add", one(3), "--reason", "restraining order", "--reference", "case 7", "--yes")
    for words in (("--reason", "superseded"), ("--reason", "keyCompromise")):
        shown = bulk.lintel("revoke", one(3), *words, check=False)
        assert shown.returncode == 4 and "case 7 (restraining order)" in shown.stderr
        assert ("blocks its key" in shown.stderr) == ("keyCompromise" in words)
    plain = bulk.lintel("revoke", one(3), "--reason", "superseded", "--yes", check=False)
    assert plain.returncode == 4 and "lintel hold list" in plain.stderr and "key is blocked" not in plain.stderr
    book = sqlite3.connect(f"file:{bulk.folder}/book/lintel.db?mode=ro", uri=True)
    assert book.execute("SELECT count(*) FROM key_block").fetchone()[0] == 0
    lost = bulk.lintel("revoke", one(3), "--reason", "keyCompromise", "--yes", check=False)
    assert lost.returncode == 4 and "Its key is blocked" in lost.stderr and "held by admin" in lost.stderr
    assert book.execute("SELECT count(*) FROM key_block").fetchone()[0] == 1
    assert bulk.json("cert", "show", one(3))["clocks"][0]["cause"] == "key-compromise"
    mass = wait_for("the plan", lambda: next((m for m in bulk.json("mass", "list")["masses"] if m["status"] == "proposed"), None))
    assert mass["count"] == MANY and mass["cause"] == "key-compromise"
    colons = ":".join(KEY[i:i + 2] for i in range(0, 64, 2)).upper()
    again = propose(bulk, "--spki", colons, "--reason", "keyCompromise")
    assert again["id"] == mass["id"] and again["must"]  # the same key, and its clock
    approve(bulk, mass)
    done = bulk.json("mass", "show", mass["id"], "--watch", timeout=120)
    assert (done["revoked"], done["held"]) == (MANY - 1, 1), done


def test_no_date_before_the_certificate(bulk):
    for yes in ((), ("--yes",)):
        for what, why in ((("--spki", KEY), f"{MANY} of the certificates are younger"), (("--scope", "kind = bulk"), f"{MANY} of the certificates are younger"),
                          ((one(2),), "older than the certificate")):
            old = bulk.lintel("revoke", *what, "--reason", "keyCompromise", "--dated-back-to", "2020-01-01T00:00:00Z", *yes,
                              check=False)
            assert old.returncode == 1 and why in old.stderr, (old.stdout, old.stderr)
    assert bulk.json("mass", "list")["masses"] == []


def test_another_order_is_not_lost(bulk):
    """Who asks again with tiers is told of the draft that has none; approvers would sign that one."""
    mass = propose(bulk, "--scope", "kind = bulk", "--reason", "superseded")
    other = bulk.lintel("revoke", "--scope", "kind = bulk", "--reason", "superseded", "--tier", "account = 1", "--stop-after", "0",
                        "--yes", check=False)
    assert other.returncode == 1 and mass["id"] in other.stderr and "another list of tiers" in other.stderr, other
    bulk.lintel("mass", "stop", mass["id"], "--yes")
    tiered = propose(bulk, "--scope", "kind = bulk", "--reason", "superseded", "--tier", "account = 1", "--stop-after", "0")
    assert tiered["id"] != mass["id"] and tiered["stop_after"] == 0


def test_how_many_alone_is_configured(bulk):
    bulk.stop()
    path = bulk.folder / "lintel.yaml"
    path.write_text(re.sub(r"^  revoke-alone:.*$", f"  revoke-alone: {MANY}", path.read_text(), flags=re.M))
    bulk.start()
    mass = propose(bulk, "--scope", "kind = bulk", "--reason", "superseded", "--tier", "readiness")
    assert mass["status"] == "proposed" and not mass["plan"]
    done = bulk.json("mass", "start", mass["id"], "--yes", timeout=120)
    assert done["status"] == "done" and done["revoked"] == MANY


@pytest.mark.parametrize("words,why", [
    ([one(2), "--cause", "boredom"], "no cause"),
    ([one(2), "--reason", "superseded", "--cause", "key-compromise"], "reason of key-compromise is keyCompromise"),
    ([one(2), "--reason", "superseded", "--dated-back-to", "2026-01-01T00:00:00Z"], "dated back"),
    ([one(2), "--aware", "2026-01-01T00:00:00Z"], "go with --cause"),
    ([one(2), "--cause", "misuse", "--aware", "2036-01-01T00:00:00Z"], "future"),
    ([one(2), "--cause", "misuse", "--aware", "yesterday"], "write it as"),
    (["--scope", "kind = ", "--reason", "superseded"], "byte"),
    (["--scope", "kind = bulk", "--reason", "superseded", "--dated-back-to", "2020-01-01T00:00:00Z"], "dated back"),
    (["--scope", "kind = bulk", "--reason", "superseded", "--cause", "boredom"], "no cause"),
    (["--scope", "kind = bulk", "--spki", KEY], "give one of"),
    (["--spki", "abc"], "SHA-256"),
    ([f"10{1:030x}", "--tier", "account = 1"], "goes with"),
    ([f"10{1:030x}", "--scope", "kind = bulk"], "give one of"),
    (["--spki", KEY + "ab"], "SHA-256"),
    (["--spki", "ab:" * 31 + "a:b"], "SHA-256"),
    (["--scope", "kind = bulk", "--tier", "account = 1", "--stop-after", "1"], "nothing comes behind"),
    (["--spki", KEY, "--stop-after", "0"], "nothing comes behind"),
    (["--scope", "kind = bulk", "--reason", "certificateHold"], "certificateHold"),
])
def test_refused(ca, words, why):
    result = ca.lintel("revoke", *words, "--yes", check=False)
    assert result.returncode != 0 and why in result.stderr, json.dumps([result.stdout, result.stderr])

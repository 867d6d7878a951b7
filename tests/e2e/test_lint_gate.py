"""The gate: nothing is signed that breaks a rule, but for a dated exception that two operators signed."""
import datetime
import os
import re
import signal
import time

import pytest
from acmeclient import AcmeError, Client
from conftest import Webroot, wait_for


def change_profile(ca, name, old, new):
    path = ca.folder / "profiles" / f"{name}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    r = ca.lintel("config", "check", check=False)
    assert r.returncode in (0, 6), r.stdout + r.stderr  # 6: public, and nothing is issued by it


def events(ca, kind):
    return ca.json("event", "list", "--kind", kind, "--limit", "100")["events"]


@pytest.fixture
def client(fresh_ca):
    """Of a CA whose profile makes what no public CA may: contentCommitment in a TLS certificate."""
    change_profile(fresh_ca, "tls-server", "key-usage: [digitalSignature]", "key-usage: [digitalSignature, contentCommitment]")
    fresh_ca.start()
    for name in ("berta", "carl"):
        fresh_ca.lintel("operator", "add", name, "--role", "approver")
    root = Webroot(fresh_ca.folder.parent / "webroot", fresh_ca.http01_port)
    client = Client(fresh_ca.directory, fresh_ca.root, root.challenges)
    client.register()
    yield client
    root.stop()


def refused(client, name, **payload):
    with pytest.raises(AcmeError) as caught:
        client.issue(name, **payload)
    return caught.value.problem


def except_rule(ca, rule, seconds, approvers=("berta", "carl"), profile="tls-server"):
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    expires = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    plan = ca.json("plan", "propose", "lint.exception", f"rule={rule.replace(' ', '_')}", f"profile={profile}",
                   f"expires={expires}", "--yes")["id"]
    for who in approvers:
        ca.lintel("approve", plan, "--operator", who, "--yes")
    return plan


def test_refusal_exception_expiry(fresh_ca, client):
    problem = refused(client, "no.example.com")
    assert problem["type"].endswith(":badCSR"), problem
    assert "The certificate was refused: " in problem["detail"]
    event = events(fresh_ca, "certificate.refused")[0]["body"]
    assert event["refusal"] == "lint" and event["profile"] == "tls-server"
    assert re.fullmatch(r"lintel-[\d-]+\+[0-9a-f]{12}", event["rule_set"])
    stopping = [f for f in event["findings"] if f["result"] in ("error", "fatal")]
    assert stopping and stopping[0] == event["findings"][0], "what stops comes first"
    for f in stopping:
        assert f["rule"] and f["message"] and f["path"] and f["citation"] and f["offset"] > 0, f
    assert stopping[0]["rule"] in problem["detail"]

    # One of two approvals is none; the other profile is untouched by it all.
    rules = sorted({f["rule"] for f in stopping})
    for rule in rules[:-1]:
        except_rule(fresh_ca, rule, 3600)
    except_rule(fresh_ca, rules[-1], 3600, approvers=("berta",))
    assert rules[-1] in refused(client, "one.example.com")["detail"]
    client.issue("short.example.com", profile="tls-server-short")

    # All excepted: signed, and the certificate says under which exceptions.
    seconds = 8
    end = time.monotonic() + seconds
    except_rule(fresh_ca, rules[-1], seconds)
    wait_for("the exception", lambda: events(fresh_ca, "lint.exception") and len(events(fresh_ca, "lint.exception")) == len(rules))
    client.issue("excepted.example.com")
    issued = events(fresh_ca, "certificate.issued")[0]["body"]
    assert sorted(issued["excepted"]) == rules and issued["rule_set"] == event["rule_set"]
    serial = events(fresh_ca, "certificate.issued")[0]["subject"].rsplit(" ", 1)[1]
    shown = fresh_ca.json("cert", "show", serial)
    assert {f["rule"] for f in shown["findings"] if f.get("excepted")} == set(rules)
    assert f"error {rules[0]} (by an exception)" in fresh_ca.lintel("cert", "show", serial).stdout
    told = events(fresh_ca, "lint.exception")
    assert {e["body"]["rule"] for e in told} == set(rules)
    assert all(len(e["body"]["approvals"]) == 2 and e["body"]["expires"] for e in told)

    # The inventory agrees with the verdict at issuance, and still says that it is a failing one.
    done = fresh_ca.lintel("lint", "--inventory", check=False)
    assert done.returncode == 1 and "0 differ" in done.stdout and "1 of these passed by exceptions" in done.stdout, done

    time.sleep(max(0, end - time.monotonic()) + 1)
    assert rules[-1] in refused(client, "late.example.com")["detail"]
    fresh_ca.lintel("audit", "verify", timeout=120)
    fresh_ca.stop()


def test_a_profile_is_judged_as_what_it_says(fresh_ca):
    """The same certificate, judged as OV: then it lacks an organization and its policy."""
    change_profile(fresh_ca, "tls-server", "lint-profile: tls-dv", "lint-profile: tls-ov")
    fresh_ca.start()
    root = Webroot(fresh_ca.folder.parent / "webroot", fresh_ca.http01_port)
    client = Client(fresh_ca.directory, fresh_ca.root, root.challenges)
    client.register()
    refused(client, "ov.example.com")
    event = events(fresh_ca, "certificate.refused")[0]["body"]
    assert event["refusal"] == "lint" and event["findings"]
    root.stop()
    fresh_ca.stop()


@pytest.mark.parametrize("old,new,words", [
    ("lint-profile: tls-dv", "lint-profile: private", "lint-profile"),
    ("lint-profile: tls-dv", "lint-profile: smime", "lint-profile"),
    ("lint-profile: tls-dv", "lint-profile: tls-xx", "tls-xx"),
])
def test_a_lint_profile_that_cannot_be(fresh_ca, old, new, words):
    """Of a profile that browsers trust."""
    change_profile(fresh_ca, "tls-server", "public: false", "public: true ")
    with pytest.raises(AssertionError) as caught:
        change_profile(fresh_ca, "tls-server", old, new)
    assert words in str(caught.value)


def test_a_ceremony_is_judged(fresh_ca, tmp_path):
    """CA certificates are not the examiner's, and are judged all the same: by who plans, shows and signs them."""
    plan = ["ceremony", "plan", tmp_path / "tls2.script", "--ca", "tls2", "--profile", "ca-tls", "--common-name", "Second"]
    good = fresh_ca.lintel("ceremony", "plan", tmp_path / "tls2.script", "--ca", "tls1", "--common-name", "First").stdout
    assert "linter: error" not in good and "ceremony of" in good
    (tmp_path / "tls2.script").unlink()
    change_profile(fresh_ca, "ca-tls", "extended-key-usage: [serverAuth]", "extended-key-usage: [serverAuth, emailProtection]")
    bad = fresh_ca.lintel(*plan, check=False)
    assert bad.returncode == 4 and "--accept-findings" in bad.stderr and "linter: error" in bad.stdout, bad
    assert not (tmp_path / "tls2.script").exists()
    known = fresh_ca.lintel(*plan, "--accept-findings").stdout
    assert "linter: error" in known
    assert "linter: error" in fresh_ca.lintel("ceremony", "show", tmp_path / "tls2.script").stdout
    crl = fresh_ca.lintel("ceremony", "plan", tmp_path / "crl.script", "--crl").stdout
    assert "linter: error" not in crl


def test_an_exception_for_no_rule(fresh_ca):
    fresh_ca.start()
    done = fresh_ca.lintel("plan", "propose", "lint.exception", "rule=e_no_such_rule", "profile=tls-server",
                           "expires=2026-12-24T00:00:00Z", "--yes", check=False)
    assert done.returncode == 2 and "lintel lint --list" in done.stderr, done
    blank = fresh_ca.lintel("plan", "propose", "lint.exception", "rule=e_excessively_backdated", "profile=tls-server",
                            "expires=2026-12-24T00:00:00Z")
    assert "e_excessively_backdated" in blank.stdout
    fresh_ca.stop()


def test_a_good_crl_passes(fresh_ca):
    """What our own publisher makes breaks no rule; tests/unit/ca/test_examine_crl.c has one that does."""
    fresh_ca.start()
    wait_for("the CRL", lambda: (fresh_ca.folder / "public" / "crl" / "tls.crl").exists())
    assert events(fresh_ca, "crl.refused") == []
    fresh_ca.stop()


def test_rules_survive_a_kill(fresh_ca, client):
    """The examiner that comes back judges as the one before did, exceptions included."""
    problem = refused(client, "before.example.com")
    rules = sorted({f["rule"] for f in events(fresh_ca, "certificate.refused")[0]["body"]["findings"]
                    if f["result"] in ("error", "fatal")})
    for rule in rules:
        except_rule(fresh_ca, rule, 3600)
    client.issue("excepted.example.com")
    os.kill(fresh_ca.pids()["examiner-0"], signal.SIGKILL)
    client.issue("again.example.com")
    assert problem["detail"]
    fresh_ca.stop()

"""The policy of names and CAA in a running family: a row refuses by its name, a risk waits, CAA is asked."""
import sqlite3
import subprocess

import pytest
from acmeclient import AcmeError, Client, b64
from conftest import LINTEL, Ca, Webroot, free_port, wait_for
from cryptography.hazmat.primitives.asymmetric import ec
from test_acme import csr_with

POLICY = """
rows:
  - {id: brand, action: deny, suffix: brand.example.com, reason: Ask our own desk.}
  - {id: risk, action: review, word: bank, reason: High risk.}
"""


@pytest.fixture
def strict(tmp_path, dns):
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    ca = Ca(tmp_path, dns.port, free_port(), "--caa-identity", "ca.example.net")
    (ca.folder / "policy").mkdir(exist_ok=True)
    (ca.folder / "policy" / "names.yaml").write_text(POLICY)
    ca.start()
    web = Webroot(tmp_path / "webroot", ca.http01_port)
    user = Client(ca.directory, ca.root, web.challenges)
    user.register()
    yield ca, user
    web.stop()
    ca.stop()


def rows(ca, sql):
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        return book.execute(sql).fetchall()


def test_policy_and_caa(strict):
    ca, user = strict
    with pytest.raises(AcmeError) as caught:
        user.order("www.brand.example.com")
    assert caught.value.kind == "rejectedIdentifier" and "policy row brand" in str(caught.value)
    user.issue("www.example.com")
    ((word, when),) = rows(ca, "SELECT caa, caa_us FROM evidence WHERE identifier = 'www.example.com' AND ok = 1")
    assert word == "permitted" and when > 0
    ((oldest,),) = rows(ca, "SELECT oldest_caa_us FROM certificate WHERE order_id <> 0")
    assert oldest == when


def finalized(user, name):
    """An order up to its CSR; its URL."""
    url, order = user.order(name)
    for a in order["authorizations"]:
        user.prove(a)
    user.post(order["finalize"], {"csr": b64(csr_with([name], ec.generate_private_key(ec.SECP256R1())))})
    return url


def test_a_person_releases_a_risk(strict):
    ca, user = strict
    assert ca.json("order", "list", "--waiting")["orders"] == []
    url = finalized(user, "my-bank.example.com")
    assert user.post(url, None).json()["status"] == "processing"
    (row,) = ca.json("order", "list", "--waiting")["orders"]
    assert row["rule"] == "risk" and row["identifiers"] == [["dns", "my-bank.example.com"]]
    assert row["account"] == user.kid.rsplit("/", 1)[1]
    assert "1 orders wait for a person" in ca.lintel("status").stdout
    shown = ca.lintel("order", "release", row["id"]).stdout
    assert "my-bank.example.com: valid" in shown and "add --yes" in shown
    assert user.post(url, None).json()["status"] == "processing"  # it was only shown
    # nobody signs for what waits for nobody, nor for what is no order
    for other in ("1", "99999999999999999999", "x"):
        assert ca.lintel("order", "release", other, "--yes", check=False).returncode != 0
    plan = ca.json("order", "release", row["id"], "--yes")
    assert plan["action"] == "order.release" and plan["status"] == "done" and len(plan["approvals"]) == 1
    assert user.poll(url, ("valid", "invalid"))["status"] == "valid"
    assert ca.json("order", "list", "--waiting")["orders"] == []
    assert ca.json("order", "show", row["id"])["serial"]
    assert "wait for a person" not in ca.lintel("status").stdout
    assert ca.lintel("order", "release", row["id"], "--yes", check=False).returncode != 0
    kinds = rows(ca, "SELECT kind FROM event WHERE kind IN ('plan.proposed', 'plan.approved', 'order.released') "
                     "ORDER BY sequence")
    assert kinds == [("plan.proposed",), ("plan.approved",), ("order.released",)]


def test_a_risk_is_released_by_an_approver_alone(strict):
    ca, user = strict
    ca.lintel("operator", "add", "clerk", "--role", "operator")
    wait_for("the clerk", lambda: any(o["name"] == "clerk" for o in ca.json("operator", "list")["operators"]))
    finalized(user, "her-bank.example.com")
    (row,) = ca.json("order", "list", "--waiting")["orders"]
    out = ca.lintel("order", "release", row["id"], "--yes", "--operator", "clerk").stdout
    assert "clerk is no approver" in out
    assert len(ca.json("order", "list", "--waiting")["orders"]) == 1
    (plan,) = ca.json("plan", "list")["plans"]
    refused = ca.lintel("approve", plan["id"], "--operator", "clerk", "--yes", check=False)
    assert refused.returncode != 0 and "not the role" in refused.stderr
    ca.lintel("approve", plan["id"], "--yes")  # the other one: admin
    assert ca.json("order", "list", "--waiting")["orders"] == []


def test_config_check_reads_the_policy(fresh_ca):
    ca = fresh_ca
    policy = ca.folder / "policy" / "names.yaml"
    policy.parent.mkdir(exist_ok=True)
    policy.write_text(POLICY)
    assert ca.json("config", "check")["policy_rows"] == 2
    config = ca.folder / "lintel.yaml"
    text = config.read_text()
    config.write_text(text.replace("order-lifetime: 7d", "order-lifetime: 2h"))
    assert any("row risk waits for a person" in w for w in ca.json("config", "check")["warnings"])
    config.write_text(text)
    for bad, said in ((POLICY.replace("deny", "refuse"), "policy/names.yaml:3"),
                      ("rows:\n  - {id: a, action: deny, profile: tls-sever, reason: Typed wrongly.}\n", "tls-sever"),
                      ("default: review\n", "policy/names.yaml")):
        policy.write_text(bad)
        result = ca.lintel("config", "check", check=False)
        assert result.returncode != 0 and said in result.stderr, result.stderr
    policy.unlink()
    (ca.folder / "perspectives").mkdir(exist_ok=True)
    (ca.folder / "perspectives" / "eu.json").write_text('{"name": "us"}')
    result = ca.lintel("config", "check", check=False)
    assert result.returncode != 0 and "eu.json" in result.stderr


def test_bad_policy_does_not_start(tmp_path, dns):
    ca = Ca(tmp_path, dns.port, free_port())
    (ca.folder / "policy").mkdir(exist_ok=True)
    (ca.folder / "policy" / "names.yaml").write_text("rows:\n  - {id: a, action: refuse, name: a.b, reason: x}\n")
    ca.process = subprocess.Popen([str(LINTEL), "serve", str(ca.folder)], stdout=subprocess.DEVNULL, stderr=open(ca.log, "a"))
    try:
        # Not the first time, and not when it tries again.
        wait_for("the second refusal", lambda: ca.log_tail(500).count("policy/names.yaml:2") > 1)
        assert not ca.healthy()
    finally:
        ca.process.kill()
        ca.process.wait()

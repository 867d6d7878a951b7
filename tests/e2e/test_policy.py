"""The policy of names and CAA in a running family: a row refuses by its name, a risk waits, CAA is asked."""
import sqlite3

import pytest
from acmeclient import AcmeError, Client
from conftest import Ca, Webroot, free_port

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


def test_bad_policy_does_not_start(tmp_path, dns):
    ca = Ca(tmp_path, dns.port, free_port())
    (ca.folder / "policy").mkdir(exist_ok=True)
    (ca.folder / "policy" / "names.yaml").write_text("rows:\n  - {id: a, action: refuse, name: a.b, reason: x}\n")
    with pytest.raises(AssertionError, match="policy/names.yaml:2"):
        ca.start()
    ca.process.kill()
    ca.process.wait()

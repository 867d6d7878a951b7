"""What is known of clients, and what falls with what, in PostgreSQL: it moves there with the book, is answered alike, and goes on."""
import pytest
from conftest import wait_for
from postgres import Postgres, programs
from test_postgres import move_to
from test_readiness import Place

pytestmark = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed")


@pytest.fixture
def server():
    s = Postgres()
    yield s
    s.stop()


def answers(ca, accounts):
    """Everything that is asked but how many certificates the CA's own services have: they get new ones when they start."""
    rows = [r for r in ca.json("ca", "blast-radius")["rows"] if r["kind"] not in ("key", "issuer", "hsm", "build") and r["name"] != "service"]
    asked = {"radius": rows, "list": ca.json("readiness", "list")["subscribers"],
             "worklist": ca.json("readiness", "worklist")["worklist"], "holdouts": ca.json("holdout", "list")}
    for account in accounts:
        asked[account] = ca.json("readiness", "show", account)
    for tier in ("automatic", "unattended", "reachable", "by-hand", "hold-out"):
        asked[tier] = ca.json("scope", f"tier = {tier} and valid and profile != service", "--list")["certificates"]
    return asked


def agree(ca):
    """Two ways to count the same."""
    rows = {(r["kind"], r["name"]): r["falls"] for r in ca.json("ca", "blast-radius")["rows"]}
    assert rows["issuer", "tls"] == int(ca.lintel("scope", "issuer = tls and valid", "--count").stdout)
    for profile in ("tls-server", "service"):
        assert rows["profile", profile] == int(ca.lintel("scope", f"profile = {profile} and valid", "--count").stdout)


def test_it_moves_and_goes_on(tmp_path, server):
    site = Place(tmp_path)
    ca = site.ca
    try:
        site.zone.set()
        sure, held, plain = (site.client() for _ in range(3))
        pem = sure.issue("www.example.com")
        sure.ask(pem)
        wait_for("the poll", lambda: site.show(sure.account)["polls"] >= 1)
        held.issue("shop.example.com")
        plain.issue("example.com")
        site.proven("www.example.org", subscriber="Hospital")
        ca.json("readiness", "set", held.account, "--cannot-tolerate", "a ventilator")
        ca.json("readiness", "contact", plain.account, "it@example.com", "--verified")
        ca.lintel("readiness", "call", held.account, "--who", "+49 30 1234", "--outcome", "will-replace")
        ca.lintel("holdout", "add", "--domain", "shop.example.com", "--who", "counsel", "--reason", "a court")
        link = ca.json("readiness", "link", plain.account)["url"]
        accounts = [c.account for c in (sure, held, plain)]
        serial = ca.json("scope", "valid and issuer = tls", "--list", "--limit", 1)["certificates"][0]["serial"]
        ca.lintel("revoke", serial, "--reason", "superseded", "--yes")
        wait_for("the revocation", lambda: ca.json("cert", "show", serial)["status"] == "revoked")
        before = answers(ca, accounts)
        ca.stop()
        move_to(ca, server.url)
        ca.start()
        after = answers(ca, accounts)
        assert after == before
        assert len({r["kind"] for r in after["radius"]}) >= 3
        agree(ca)

        assert site.page(link)[0] == 200
        for c in (sure, held, plain):
            c.nonce = None
            c.close()
        second = sure.issue("www.example.com")
        sure.ask(second)
        wait_for("the next poll", lambda: site.show(sure.account)["polls"] >= 2)
        ca.json("readiness", "set", held.account, "--tolerates", "moved")
        ca.json("readiness", "contact", plain.account, "it@example.com", "--bounced", "left")
        assert site.show(plain.account)["tier"] == "by-hand"
        site.proven("example.org", subscriber="Hospital")
        assert ca.lintel("audit", "verify").returncode == 0
    finally:
        site.stop()

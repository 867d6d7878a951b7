"""The book in PostgreSQL: moved there, a family that issues and revokes on it, a server that goes away and comes back, and the way home."""
import json
import os
import signal

import pytest

from acmeclient import Client
from conftest import Webroot, wait_for
from postgres import Postgres, programs

pytestmark = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed")


@pytest.fixture
def server():
    s = Postgres()
    yield s
    s.stop()


@pytest.fixture
def webroot(fresh_ca, tmp_path):
    w = Webroot(tmp_path / "webroot", fresh_ca.http01_port)
    yield w
    w.stop()


def move_to(ca, where):
    answer = ca.json("store", "migrate", "--to", where, "--yes")
    assert answer["done"]
    path = ca.folder / "lintel.yaml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("store:")]
    if where != "folder":
        lines.append(f"store: {where}")
    path.write_text("\n".join(lines) + "\n")
    return answer


def of_clients(ca):
    return [c for c in ca.json("cert", "list")["certificates"] if c["profile"] != "service"]


def test_a_book_moves_there_and_back(fresh_ca, server, webroot):
    ca = fresh_ca
    ca.start()
    client = Client(ca.directory, ca.root, webroot.challenges)
    client.register()
    client.issue("first.example.com")
    ca.stop()
    counted = ca.json("store", "migrate", "--to", server.url)
    assert not counted["done"] and counted["rows"] > 20
    there = move_to(ca, server.url)
    assert there["rows"] == counted["rows"]
    (ca.folder / "book" / "lintel.db").rename(ca.folder / "old.db")

    ca.start()
    client.close()
    client.nonce = None
    client.issue("second.example.com")  # the account and its proofs came along
    assert len(of_clients(ca)) == 2
    serial = of_clients(ca)[0]["serial"]
    ca.lintel("revoke", serial, "--reason", "superseded", "--operator", "admin", "--yes")
    wait_for("the revocation", lambda: ca.json("cert", "show", serial)["status"] == "revoked")
    assert server.sql("SELECT count(*) FROM revocation") == "1"
    ca.stop()
    assert not ca.json("audit", "verify")["findings"]

    back = move_to(ca, "folder")
    assert back["rows"] > there["rows"]
    ca.start()
    assert len(of_clients(ca)) == 2
    ca.stop()
    assert not ca.json("audit", "verify")["findings"]


def test_a_server_that_goes_away(fresh_ca, server, webroot):
    """Killed as by a power cut: nothing is answered that is not in the book, nothing is held, and all goes on by itself."""
    ca = fresh_ca
    move_to(ca, server.url)
    ca.start()
    client = Client(ca.directory, ca.root, webroot.challenges)
    client.register()
    client.issue("before.example.com")
    server.kill()
    wait_for("the registrar's end", lambda: "registrar-0" not in ca.pids() or not family(ca)["ready"])
    server.start()
    wait_for("the family", lambda: family(ca)["ready"], 60)
    assert not family(ca)["held"]

    def issued():
        try:
            client.close()
            client.nonce = None
            return client.issue("after.example.com")
        except Exception as e:
            assert not isinstance(e, AssertionError)
            return None

    wait_for("a certificate again", issued, 60)
    ca.stop()
    assert not ca.json("audit", "verify")["findings"]


def family(ca):
    return json.loads((ca.folder / "run" / "status.json").read_text())


def test_what_is_refused(fresh_ca, server):
    ca = fresh_ca
    move_to(ca, server.url)
    refused = ca.lintel("store", "migrate", "--to", server.url, check=False)
    assert refused.returncode == 2 and "there already" in refused.stderr
    path = ca.folder / "lintel.yaml"
    text = path.read_text().replace(f"store: {server.url}\n", "")
    path.write_text(text)
    refused = ca.lintel("store", "migrate", "--to", server.url, "--yes", check=False)
    assert refused.returncode != 0 and "a book already" in refused.stderr
    for bad in ("mysql://x/y", "postgresql://u:secret@h/b", "postgresql://h/b?password=x"):
        path.write_text(text + f'store: "{bad}"\n')
        refused = ca.lintel("config", "check", check=False)
        assert refused.returncode == 2 and "store" in refused.stderr and "secret" not in refused.stderr

"""Three families on three hosts (network namespaces) issue at the same time on one PostgreSQL, and everything goes wrong that a network and a
machine can do. What must hold: what a client got is in the book, no serial and no order is used twice, each host's chain and journal are
sound, CRL numbers grow, and the others go on."""
import signal
import subprocess
import time

import pytest
from cryptography import x509

from acmeclient import AcmeError, Client, certificates
from conftest import wait_for
from families import Families, Issuing, inside, usable

pytestmark = pytest.mark.skipif(not usable, reason="needs root, ip and a PostgreSQL server")


@pytest.fixture
def stage(tmp_path):
    made = Families(tmp_path)
    yield made
    made.close()


def holder(stage, lease):
    return stage.server.sql(f"SELECT h.name FROM lease l JOIN host h ON h.id = l.host WHERE l.name = '{lease}'")


def revoke(stage, family, serial):
    """With the operator's key, which is on the first host alone."""
    key = stage.families[0].folder / "operators" / "admin.key"
    family.lintel("revoke", serial, "--reason", "superseded", "--operator", "admin", "--key", key, "--yes")


def crl_number(path):
    wait_for(f"{path}", path.exists, 30)  # a host without the lease copies it when it is there
    crl = x509.load_der_x509_crl(path.read_bytes())
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number, len(crl)


def settled(stage, clients):
    """Nobody orders any more: what they have is in the book, once."""
    for c in clients:
        c.end()
    serials = [certificates(pem)[0].serial_number for c in clients for pem in c.got]
    assert len(set(serials)) == len(serials)
    there = {int(s, 16) for s in stage.server.sql("SELECT encode(serial, 'hex') FROM certificate").split()}
    assert set(serials) <= there
    wait_for("open intents to end", lambda: stage.server.sql("SELECT count(*) FROM intent_open") == "0", 60)
    assert stage.server.sql("SELECT count(*) FROM (SELECT order_id FROM certificate WHERE order_id <> 0 GROUP BY order_id HAVING count(*) > 1) d") == "0"


def sound(stage):
    for f in stage.families:
        f.stop()
    for f in stage.families:
        assert not f.json("audit", "verify")["findings"]
    numbers = stage.server.sql("SELECT shard, encode(number, 'hex') FROM crl JOIN issuer i ON i.id = crl.issuer WHERE i.name = 'tls' "
                               "ORDER BY sequence").splitlines()
    assert numbers


def test_three_families(stage):
    main, b, c = stage.families
    clients = [Issuing(f, stage.webroot, Client, f.name) for f in stage.families]
    try:
        for each in clients:
            each.goes_on()
        assert {h["name"] for h in main.json("host", "list")["hosts"]} == {"main", "b", "c"}
        assert holder(stage, "crl") == "main"

        # What one host has validated is good at another: the account, its proofs, their evidence.
        with inside(b.namespace):
            client = Client(b.directory, b.root, stage.webroot.challenges)
            client.register()
            client.issue("shared.example.com")
        with inside(c.namespace):
            client.close()
            client.nonce = None
            pem = client.issue("shared.example.com")
        # Revoked at one host, on the CRL that another makes, in the files of the third.
        serial = f"{certificates(pem)[0].serial_number:032x}"
        revoke(stage, c, serial)
        for f in stage.families:
            wait_for(f"the CRL of {f.name}", lambda f=f: crl_number(f.folder / "public" / "crl" / "tls.crl")[1] == 1, 30)

        # One is killed: the others go on.
        c.kill()
        for each in clients[:2]:
            each.goes_on()
        c.start()
        clients[2].goes_on()

        # One is cut off, in the middle of whatever it does.
        stage.hosts.cable(1, "down")
        clients[0].goes_on()
        clients[2].goes_on()
        time.sleep(12)
        stage.hosts.cable(1, "up")
        clients[1].goes_on(60)

        # The one that publishes sleeps past its lease.
        asleep = main.pids()
        for pid in asleep.values():
            subprocess.run(["kill", "-STOP", str(pid)], check=True)
        before, _ = crl_number(b.folder / "public" / "crl" / "tls.crl")
        wait_for("another publisher", lambda: holder(stage, "crl") in ("b", "c"), 40)
        clients[1].goes_on()
        again = [x["serial"] for x in b.json("cert", "list", "--name", "b-0.example.com")["certificates"]][0]
        revoke(stage, b, again)
        wait_for("its CRL", lambda: crl_number(b.folder / "public" / "crl" / "tls.crl")[1] == 2, 40)
        assert crl_number(b.folder / "public" / "crl" / "tls.crl")[0] > before
        for pid in asleep.values():
            subprocess.run(["kill", "-CONT", str(pid)], check=True)
        clients[0].goes_on(60)
        wait_for("the sleeper to copy", lambda: crl_number(main.folder / "public" / "crl" / "tls.crl")[1] == 2, 40)
        assert holder(stage, "crl") != "main"

        # The server dies under load, with commits on their way.
        stage.server.kill()
        stage.server.start()
        for each in clients:
            each.goes_on(90)
    finally:
        for each in clients:
            each.over.set()
    settled(stage, clients)
    counts = stage.server.sql("SELECT chain, count(*) FROM event WHERE kind = 'certificate.issued' GROUP BY chain ORDER BY chain").splitlines()
    assert len(counts) == 3
    wait_for("the same CRL everywhere", lambda: len({crl_number(f.folder / "public" / "crl" / "tls.crl") for f in stage.families}) == 1)
    sound(stage)
    print(counts, [(x.name, len(x.got), x.failed, x.last) for x in clients])


def halted(family, client):
    """What its own client is told."""
    with inside(family.namespace):
        client.close()
        client.nonce = None
        with pytest.raises(AcmeError) as refused:
            client.issue("halt.example.com")
    return "halted" in str(refused.value.problem).lower()


def issues(family, client):
    try:
        with inside(family.namespace):
            client.close()
            client.nonce = None
            return client.issue("halt.example.com")
    except AcmeError:
        return None


def test_a_halt_is_for_all(tmp_path):
    """Decided at one host, in force at the other within a second, in registrar and examiner; lifted at the other, by signatures that each
    examiner verifies."""
    def staff(ca):
        for name in ("berta", "carl"):
            ca.lintel("operator", "add", name, "--role", "approver")

    stage = Families(tmp_path, ("main", "b"), prepare=staff)
    try:
        main, b = stage.families
        keys = main.folder / "operators"
        clients = {}
        for f in stage.families:
            with inside(f.namespace):
                clients[f.name] = Client(f.directory, f.root, stage.webroot.challenges)
                clients[f.name].register()
                clients[f.name].issue("halt.example.com")
        main.lintel("halt", "--name-suffix", "halt.example.com", "--reason", "a test", "--key", keys / "admin.key")
        wait_for("b to halt", lambda: halted(b, clients["b"]), 5)
        assert halted(main, clients["main"])
        wait_for("b's examiner", lambda: "halt.example.com" in (b.folder / "examiner" / "halts").read_text(), 5)
        b.lintel("resume", "--name-suffix", "halt.example.com", "--yes", "--key", keys / "admin.key")
        plan = next(p["id"] for p in b.json("plan", "list")["plans"] if p["status"] == "proposed")
        for name in ("berta", "carl"):
            b.lintel("approve", plan, "--operator", name, "--yes", "--key", keys / f"{name}.key")
        wait_for("b to issue", lambda: issues(b, clients["b"]), 10)
        wait_for("main to issue", lambda: issues(main, clients["main"]), 10)
        assert "lifted" in (main.folder / "examiner" / "halts").read_text()
    finally:
        stage.close()

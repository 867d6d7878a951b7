"""Who uses certificates: scans over real TLS servers, what follows for each certificate, kill -9 in the middle, and what
is refused."""
import json
import os
import signal
import socket
import sqlite3
import ssl
import threading
import time

import pytest
from acmeclient import Client, certificates
from conftest import Webroot, free_port, wait_for
from cryptography.hazmat.primitives import serialization
from farm import Farm, allow, fill, targets
from postgres import Postgres, programs

MANY = 600


class Site:
    """A TLS server that shows what it was given last."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.context = None
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, daemon=True).start()

    def show(self, chain, key):
        (self.folder / "site.pem").write_text(chain)
        (self.folder / "site.key").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "site.pem", self.folder / "site.key")
        self.context = context

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1)
            except OSError:
                pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits there
        self.listener.close()


def serial_of(pem):
    return f"{certificates(pem)[0].serial_number:032x}"


def scan(ca, expression, *options, **kw):
    return ca.json("usage", "scan", expression, "--rate", "2000", *options, "--yes", **kw)


def replacement(ca, serial):
    return [state for state in ("in_use", "deployed", "not_seen", "silent")
            if ca.lintel("scope", f"serial = {serial} and replacement = {state}", "--count").stdout.strip() == "1"]


@pytest.fixture
def scanning(fresh_ca):
    """A CA that may look."""
    allow(fresh_ca)
    yield fresh_ca
    if fresh_ca.process is not None:
        fresh_ca.stop()


@pytest.fixture(params=["folder", "postgresql"])
def stored(request, scanning):
    """The same with the book in a folder, and on a server."""
    if request.param == "folder":
        yield scanning
        return
    if programs() is None:
        pytest.skip("no PostgreSQL server is installed")
    server = Postgres()
    assert scanning.json("store", "migrate", "--to", server.url, "--yes")["done"]
    path = scanning.folder / "lintel.yaml"
    path.write_text(path.read_text() + f"store: {server.url}\n")
    yield scanning
    if scanning.process is not None:
        scanning.stop()
    server.stop()


def test_issued_seen_replaced_deployed(stored, tmp_path):
    ca = stored
    site = Site(tmp_path)
    web = Webroot(tmp_path / "webroot", ca.http01_port)
    (ca.folder / "usage").mkdir()
    (ca.folder / "usage" / "targets").write_text(f"www.example.com 127.0.0.1:{site.port}\nshop.example.com -\n")
    ca.start()
    user = Client(ca.directory, ca.root, web.challenges)
    user.register()
    old_pem = user.issue("www.example.com")
    old, old_key = serial_of(old_pem), user.leaf_key
    shop = serial_of(user.issue("shop.example.com"))
    assert replacement(ca, old) == ["silent"]

    site.show(old_pem, old_key)
    seen = scan(ca, "profile = tls-server")
    assert seen["status"] == "done" and seen["certificates"] == seen["count"]
    assert (seen["looked"], seen["served"], seen["ours"], seen["skipped"]) == (1, 1, 1, 1)
    assert replacement(ca, old) == ["in_use"] and replacement(ca, shop) == ["silent"]
    endpoint = ca.json("usage", "endpoints", "www.example.com")["endpoints"][0]
    assert endpoint["serial"] == old and endpoint["issuer"] == "tls" and endpoint["port"] == 443
    assert len(ca.json("usage", "endpoints", "--suffix", "example.com")["endpoints"]) == 2
    assert ca.json("usage", "endpoints", "--issuer", "tls", "--serial", old)["endpoints"] == [endpoint]

    new_pem = user.issue("www.example.com")
    new, new_key = serial_of(new_pem), user.leaf_key
    assert replacement(ca, old) == ["in_use"]  # it is what the server shows, whatever was issued since
    third = user.issue("www.example.com")
    assert replacement(ca, new) == ["not_seen"]
    site.show(third, user.leaf_key)
    again = scan(ca, "serial = " + old)
    assert again["count"] == 1 and again["ours"] == 1
    assert replacement(ca, old) == ["deployed"] and replacement(ca, new) == ["deployed"]
    assert replacement(ca, serial_of(third)) == ["in_use"]
    shown = ca.json("cert", "show", old)
    assert shown["replacement"] == "deployed" and shown["replaced_by"][0]["serial"] == new
    assert [s["event"] for s in shown["replacement_steps"]] == ["seen", "left"]
    assert "replaced and deployed" in ca.lintel("cert", "show", old).stdout
    listed = {c["serial"]: c["replacement"] for c in ca.json("cert", "list", "--suffix", "example.com")["certificates"]}
    assert listed == {old: "deployed", new: "deployed", serial_of(third): "in_use", shop: "silent"}
    looks = ca.json("usage", "history", "www.example.com")["looks"]
    assert [look["serial"] for look in looks] == [serial_of(third), old]

    site.stop()
    gone = scan(ca, "profile = tls-server")
    assert gone["failed"] == 1 and gone["served"] == 0
    assert replacement(ca, serial_of(third)) == ["in_use"]  # silence proves nothing
    assert ca.json("usage", "endpoints", "www.example.com")["endpoints"][0]["outcome"] == "refused"
    assert len(ca.json("usage", "list")["scans"]) == 3
    kinds = [e["kind"] for e in ca.json("event", "list", "--all")["events"]]
    assert kinds.count("usage.started") == 3 and kinds.count("usage.done") == 3
    ca.lintel("audit", "verify")
    assert new_key is not None
    web.stop()


def test_by_the_dns(scanning, tmp_path):
    """Where usage/targets says nothing, the names' addresses are asked for."""
    ca = scanning
    site = Site(tmp_path)
    web = Webroot(tmp_path / "webroot", ca.http01_port)
    ca.start()
    user = Client(ca.directory, ca.root, web.challenges)
    user.register()
    pem = user.issue("a.example.com", "b.example.com")
    site.show(pem, user.leaf_key)
    seen = scan(ca, "suffix = example.com", "--port", str(site.port), "--port", "1", "--timeout", "3000")
    assert (seen["looked"], seen["ours"], seen["failed"]) == (4, 2, 2)
    endpoints = ca.json("usage", "endpoints", "--suffix", "example.com")["endpoints"]
    assert sorted((e["name"], e["port"], e["outcome"]) for e in endpoints) == sorted(
        (name, port, outcome) for name in ("a.example.com", "b.example.com")
        for port, outcome in ((1, "refused"), (site.port, "served")))
    assert ca.json("usage", "history", "a.example.com")["looks"][0]["address"] == "127.0.0.1"
    site.stop()
    web.stop()


def one(ca, query):
    db = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True)
    try:
        return db.execute(query).fetchone()[0]
    finally:
        db.close()


def wait_for_looks(ca, least):
    """Says how the scan stands and what the log ends with when they do not come."""
    try:
        wait_for(f"{least} looks", lambda: one(ca, "SELECT looked FROM usage_scan") >= least, 60)
    except AssertionError as why:
        row = one(ca, "SELECT json_object('status', status, 'why', why, 'looked', looked, 'failed', failed, 'certificates',"
                      " certificates, 'at', hex(at_serial)) FROM usage_scan")
        raise AssertionError(f"{why}: {row}\n{ca.log_tail(20)}") from why


def test_killed_in_the_middle(scanning, tmp_path):
    """courier, registrar, reader, then all of the family: every endpoint is seen, and none twice."""
    ca = scanning
    farm = Farm(tmp_path, MANY)
    ca.start()
    ca.stop()
    fill(ca, farm.rows)
    targets(ca, farm.rows)
    ca.start()
    started = ca.json("usage", "scan", "kind = bulk", "--rate", "120", "--no-wait", "--yes")
    looked = lambda: one(ca, "SELECT looked FROM usage_scan")  # noqa: E731
    for victim, after in (("courier-0", 60), ("registrar-0", 150), ("reader-0", 240), ("courier-0", 300)):
        wait_for_looks(ca, after)
        assert looked() < MANY
        os.kill(ca.pids()[victim], signal.SIGKILL)
    wait_for_looks(ca, 400)
    for pid in ca.pids().values():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    ca.process.wait(20)
    assert looked() < MANY
    ca.start()
    done = ca.json("usage", "show", started["id"], "--watch", timeout=120)
    assert done["status"] == "done" and done["certificates"] == MANY
    assert (done["looked"], done["served"], done["ours"], done["failed"]) == (MANY, MANY, MANY, 0)
    assert one(ca, "SELECT count(*) FROM usage_observation") == MANY
    assert one(ca, "SELECT count(*) FROM certificate_truth WHERE state = 1") == MANY
    assert ca.lintel("scope", "kind = bulk and replacement = in_use", "--count").stdout.strip() == str(MANY)
    farm.stop()


def test_paused_resumed_stopped(scanning, tmp_path):
    ca = scanning
    farm = Farm(tmp_path, 100)
    ca.start()
    ca.stop()
    fill(ca, farm.rows)
    targets(ca, farm.rows)
    ca.start()
    id_ = ca.json("usage", "scan", "kind = bulk", "--rate", "20", "--concurrency", "4", "--no-wait", "--yes")["id"]
    wait_for("some looks", lambda: one(ca, "SELECT looked FROM usage_scan") > 5)
    refused = ca.lintel("usage", "scan", "kind = bulk", "--yes", check=False)
    assert refused.returncode == 1 and id_ in refused.stderr  # one at a time
    assert ca.json("usage", "pause", id_)["status"] == "paused"
    time.sleep(0.3)  # what was open at the courier ends
    before = ca.json("usage", "show", id_)["looked"]
    time.sleep(0.5)
    assert ca.json("usage", "show", id_)["looked"] == before < 100
    assert ca.json("usage", "resume", id_, "--no-wait")["status"] == "counting"  # answered at once
    ca.json("usage", "pause", id_)
    done = ca.json("usage", "resume", id_, timeout=60)
    assert done["status"] == "done" and done["looked"] == 100
    assert one(ca, "SELECT count(*) FROM usage_observation") == 100
    assert ca.lintel("usage", "stop", id_, check=False).returncode == 1  # it is over
    assert "usage stop" in ca.lintel("usage", "stop", "x1", check=False).stderr
    farm.stop()


def test_refused(scanning):
    ca = scanning
    ca.start()
    shown = ca.json("usage", "scan", "valid")
    assert shown["done"] is False and "would connect" in shown["would"]
    assert ca.json("usage", "list")["scans"] == []
    bad = ca.lintel("usage", "scan", "issuer = nobody", "--yes", check=False)
    assert "there is no issuer" in bad.stderr + ca.lintel("usage", "list").stdout + json.dumps(ca.json("usage", "list"))
    for options in (["--rate", "0"], ["--rate", "2001"], ["--port", "0"], ["--port", "x"], ["--timeout", "30001"]):
        result = ca.lintel("usage", "scan", "valid", *options, "--yes", check=False)
        assert result.returncode == 2 and options[0] in result.stderr, options
    wrong = ca.lintel("usage", "scan", "valid and nothing = 1", "--yes", check=False)
    assert wrong.returncode == 2 and " " * 12 + "^" in wrong.stderr and "there is no such field" in wrong.stderr
    for filters in (["--serial", "0a"], ["--issuer", "tls"], ["--issuer", "nobody", "--serial", "0a"], ["--serial", "xyz"],
                    ["www.example.com", "--suffix", "example.com"], ["--issuer", "tls", "--serial", "0a", "www.example.com"],
                    ["--cursor", "nonsense"]):
        assert ca.lintel("usage", "endpoints", *filters, check=False).returncode not in (0, 5), filters
    assert ca.json("usage", "endpoints", "--issuer", "tls", "--serial", "0a")["endpoints"] == []
    assert ca.json("usage", "history", "nobody.example.com")["looks"] == []
    assert ca.lintel("usage", "show", "u1", check=False).returncode == 3
    (ca.folder / "usage" / "targets").write_text("www.example.com\n")
    os.kill(ca.pids()["courier-0"], signal.SIGKILL)
    wait_for("the line", lambda: "usage/targets:1" in ca.log_tail(200))
    paused = scan(ca, "valid")  # it does not go out without its exceptions
    assert paused["status"] == "paused" and "usage/targets:1" in paused["why"] and paused["looked"] == 0
    (ca.folder / "usage" / "targets").write_text("")
    ca.process.send_signal(signal.SIGHUP)
    wait_for("its end", lambda: ca.lintel("usage", "resume", paused["id"], check=False).returncode == 0
             and ca.json("usage", "show", paused["id"])["status"] == "done")


def test_not_without_a_decision(fresh_ca):
    ca = fresh_ca.start()
    refused = ca.lintel("usage", "scan", "valid", "--yes", check=False)
    assert refused.returncode != 0 and "usage: {scan: true}" in refused.stderr
    assert not any(name.startswith("courier") for name in ca.pids())

"""ACME beyond RFC 8555's middle, in running families: pausing and its page, pre-authorization, subdomains (RFC 9444),
records that stay, dates, used proofs, and a key that changes while orders run."""
import base64
import copy
import datetime
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import ssl
import subprocess
import threading
import time

import pytest
from acmeclient import AcmeError, Client, b64
from conftest import LINTEL, Webroot, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def rows(ca, sql):
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        return book.execute(sql).fetchall()


def leaf(chain):
    return x509.load_pem_x509_certificate(chain.encode())


def refusal(call):
    with pytest.raises(AcmeError) as caught:
        call()
    return caught.value


# Pausing

@pytest.fixture
def strict(fresh_ca, tmp_path):
    """Three failures are enough."""
    config = fresh_ca.folder / "lintel.yaml"
    config.write_text(config.read_text().replace("pausing:\n  failures: 20\n", "pausing:\n  failures: 3\n"))
    fresh_ca.start()
    web = Webroot(tmp_path / "webroot", fresh_ca.http01_port)
    user = Client(fresh_ca.directory, fresh_ca.root, web.challenges)
    user.register()
    yield fresh_ca, user
    web.stop()
    fresh_ca.stop()


def fail(user, name, times=1):
    """Orders whose answer is not there."""
    for _ in range(times):
        _, order = user.order(name)
        authorization = user.post(order["authorizations"][0], None).json()
        user.post(next(c for c in authorization["challenges"] if c["type"] == "http-01")["url"], {})
        assert user.poll(order["authorizations"][0], ("valid", "invalid"))["status"] == "invalid"


def fetch(ca, url, method="GET", body=None, headers=FORM):
    connection = http.client.HTTPSConnection("localhost", ca.https_port, timeout=15,
                                             context=ssl.create_default_context(cafile=str(ca.root)))
    connection.request(method, url.removeprefix(ca.url), body, headers if body is not None else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def link(error):
    return re.search(r"https://\S+/acme/resume/[A-Za-z0-9_-]+", str(error))[0]


def test_a_client_that_only_fails_is_paused_and_resumes(strict):
    ca, user = strict
    fail(user, "gone.example.com", 3)
    error = refusal(lambda: user.order("gone.example.com", "www.example.com"))
    assert (error.kind, error.status) == ("rateLimited", 429)
    assert [s["identifier"]["value"] for s in error.problem["subproblems"]] == ["gone.example.com"]
    user.issue("www.example.com")  # the others are not touched
    (row,) = ca.json("pause", "list")["pauses"]
    assert (row["identifier"], row["failures"]) == ("gone.example.com", 3) and row["account"] in user.kid
    url = link(error)

    answer, page = fetch(ca, url)
    assert answer.status == 200 and "gone.example.com" in page and "www.example.com" not in page
    assert answer.headers["Content-Type"].startswith("text/html") and answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert "default-src 'none'" in policy and f"'sha256-{hash}'" in policy
    assert "<script" not in page and "src=" not in page
    assert all(re.fullmatch(r"/[a-z-]*|#[a-z]+", where) for where in re.findall(r'href="([^"]*)"', page)), "nothing from elsewhere"
    assert fetch(ca, url, "HEAD")[1] == ""
    # Looking is not resuming; neither is anything but the page's own form.
    assert fetch(ca, url, "POST", "do=resume", {"Content-Type": "text/plain"})[0].status == 415
    assert fetch(ca, url, "POST", "do=resume&x=1")[0].status == 400
    assert fetch(ca, url, "POST", "do=look")[0].status == 404
    assert fetch(ca, url[:-8] + "AAAAAAAA", "POST", "do=resume")[0].status == 404
    assert refusal(lambda: user.order("gone.example.com")).kind == "rateLimited"

    answer, page = fetch(ca, url, "POST", "do=resume")
    assert answer.status == 200 and "Resumed" in page
    assert ca.json("pause", "list")["pauses"] == []
    user.issue("gone.example.com")
    assert fetch(ca, url)[0].status == 404
    kinds = [k for (k,) in rows(ca, "SELECT kind FROM event ORDER BY sequence")]
    assert kinds.count("name.paused") == 1 and kinds.count("account.resumed") == 1


def test_an_operator_resumes_after_a_power_cut(strict):
    ca, user = strict
    fail(user, "gone.example.com", 3)
    fail(user, "else.example.com", 3)
    account = user.kid.rsplit("/", 1)[1]
    for pid in ca.pids().values():
        os.kill(pid, signal.SIGKILL)
    ca.process.wait()
    ca.start()
    user.close()
    assert refusal(lambda: user.order("gone.example.com")).kind == "rateLimited"
    said = ca.lintel("pause", "resume", account, "gone.example.com", check=False)
    assert "would let" in said.stdout + said.stderr and len(ca.json("pause", "list", "--account", account)["pauses"]) == 2
    assert ca.json("pause", "resume", account, "gone.example.com", "--yes")["resumed"] == 1
    user.issue("gone.example.com")
    assert refusal(lambda: user.order("else.example.com")).kind == "rateLimited"
    assert ca.lintel("pause", "resume", account, "gone.example.com", "--yes", check=False).returncode != 0
    assert ca.json("pause", "resume", account, "--yes")["resumed"] == 1
    user.issue("else.example.com")
    text = ca.lintel("pause", "list").stdout
    assert "ACCOUNT" in text and "example.com" not in text
    assert ca.lintel("audit", "verify", check=False).returncode in (0, 2)  # refused while it runs, or whole


# Pre-authorization (7.4.1)

@pytest.fixture
def user(ca, webroot):
    client = Client(ca.directory, ca.root, webroot.challenges)
    client.register()
    return client


def ahead(user, name, kind="dns", **identifier):
    answer = user.post(user.directory["newAuthz"], {"identifier": {"type": kind, "value": name, **identifier}})
    assert answer.status == 201
    return answer.headers["Location"], answer.json()


def test_pre_authorization(user):
    url, authorization = ahead(user, "Ahead.example.com")
    assert authorization["status"] == "pending" and authorization["identifier"]["value"] == "ahead.example.com"
    assert user.post(url, None).json()["challenges"] == authorization["challenges"]
    assert user.prove(url)["status"] == "valid"
    order_url, order = user.order("ahead.example.com")
    assert order["status"] == "ready" and order["authorizations"] == [url]
    user.issue("ahead.example.com")
    assert refusal(lambda: ahead(user, "*.example.com")).kind == "malformed"
    unwilling = refusal(lambda: ahead(user, "co.uk"))
    assert (unwilling.kind, unwilling.status) == ("rejectedIdentifier", 403)
    assert refusal(lambda: ahead(user, "host.local")).kind == "rejectedIdentifier"
    assert refusal(lambda: ahead(user, "192.0.2.1", "ip", subdomainAuthAllowed=True)).kind == "malformed"
    assert refusal(lambda: user.post(user.directory["newAuthz"], {})).kind == "malformed"
    gone, _ = ahead(user, "gone.example.com")
    assert user.post(gone, {"status": "deactivated"}).json()["status"] == "deactivated"


def test_what_the_directory_says(user):
    assert user.directory["meta"]["subdomainAuthAllowed"] is True
    assert user.directory["newAuthz"].endswith("/acme/new-authz")


# Dates, proofs used again (7.1.3, 7.4)

def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_not_before_and_not_after(user):
    now = datetime.datetime.utcnow().replace(microsecond=0)
    begin, end = now - datetime.timedelta(minutes=30), now + datetime.timedelta(days=3)
    _, order = user.order("dates.example.com", notBefore=stamp(begin), notAfter=stamp(end))
    assert (order["notBefore"], order["notAfter"]) == (stamp(begin), stamp(end))
    cert = leaf(user.issue("dates.example.com", notBefore=stamp(begin), notAfter=stamp(end)))
    assert cert.not_valid_before == begin
    assert abs((cert.not_valid_after - end).total_seconds()) <= 1
    for wrong in ({"notAfter": stamp(now + datetime.timedelta(days=3650))}, {"notAfter": stamp(begin)},
                  {"notBefore": stamp(now - datetime.timedelta(days=30))}, {"notBefore": "tomorrow"}, {"notAfter": 7},
                  {"notBefore": stamp(end), "notAfter": stamp(begin)}):
        assert refusal(lambda: user.order("dates.example.com", **wrong)).kind == "malformed", wrong


def test_a_proof_is_used_again_by_its_account_alone(ca, user, webroot):
    url, order = user.order("again.example.com", "fresh.example.com")
    for authorization in order["authorizations"]:
        user.prove(authorization)
    _, second = user.order("again.example.com", "other.example.com")
    assert len(set(second["authorizations"]) & set(order["authorizations"])) == 1 and second["status"] == "pending"
    _, third = user.order("again.example.com", "fresh.example.com", profile="tls-server-short")
    assert third["status"] == "ready" and set(third["authorizations"]) == set(order["authorizations"])
    _, wildcard = user.order("*.again.example.com")  # proven by a file: not good for that
    assert not set(wildcard["authorizations"]) & set(order["authorizations"])
    other = Client(ca.directory, ca.root, webroot.challenges)
    other.register()
    assert other.order("again.example.com")[1]["status"] == "pending"
    user.post(order["authorizations"][0], {"status": "deactivated"})
    assert user.order("again.example.com", "fresh.example.com")[1]["status"] == "pending"


# A key that changes while orders run (7.3.5)

class Shared(Client):
    """Several connections of one account; whoever is refused because of the key takes the newest."""

    def __init__(self, first):
        self.__dict__ = copy.copy(first.__dict__)
        self.connection = self.nonce = None
        self.first = first

    def post(self, url, payload, **kw):
        for _ in range(20):
            self.key = self.first.key
            try:
                return super().post(url, payload, **kw)
            except AcmeError as e:
                if self.key is self.first.key and e.kind not in ("unauthorized", "malformed"):
                    raise
                self.refused = getattr(self, "refused", 0) + 1
                time.sleep(0.05)
        raise AssertionError("refused with every key")


def change_key(user):
    old, new = user.key, ec.generate_private_key(ec.SECP256R1())
    url = user.directory["keyChange"]
    inner = user.sign(url, {"account": user.kid, "oldKey": user.jwk()}, key=new, kid=False, nonce=None)
    assert Client.post(user, url, inner).status == 200
    user.key = new
    return old


def test_key_change_under_load(ca, user):
    halt, made, errors = threading.Event(), [], []

    def work(index):
        client = Shared(user)
        count = 0
        while not halt.is_set():
            name = f"k{index}-{count}.example.com"
            try:
                url, order = client.order(name)
                made.append((name, url))
                # http-01 is answered with the key of the moment; a change in between spoils that one proof.
                if client.prove(order["authorizations"][0])["status"] == "valid":
                    client.post(order["finalize"], {"csr": b64(client.csr([name])[0])})
                    assert client.poll(url, ("valid", "invalid"))["status"] == "valid"
            except Exception as e:
                errors.append(f"{name}: {e!r}")
            count += 1
        client.close()

    threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(6)]
    for t in threads:
        t.start()
    wait_for("the first orders", lambda: len(made) > 12, 30)
    old_keys = []
    for _ in range(8):
        before = len(made)
        old_keys.append(change_key(user))
        for old in old_keys:  # from the answer on, none of them is any good
            stranger = Shared(user)
            stranger.key = old
            answer = stranger.send(user.kid, stranger.sign(user.kid, None, key=old))
            assert answer.status in (400, 401, 403) and b"badNonce" not in answer.body, answer.body
            stranger.close()
        wait_for("orders with the new key", lambda: len(made) > before + 6, 30)
    halt.set()
    for t in threads:
        t.join(60)
    assert errors == [], errors[:3]
    account = int(user.kid.rsplit("/", 1)[1])
    book = dict(rows(ca, f"SELECT id, status FROM ca_order WHERE account = {account}"))
    told = {int(url.rsplit("/", 1)[1]) for _, url in made}
    assert len(told) == len(made) and told <= set(book), "an order that was answered is not in the book"
    assert not [s for i, s in book.items() if s == "processing"]
    assert sum(1 for i in told if book[i] == "valid") >= 12  # all but those whose proof a change spoiled
    assert rows(ca, f"SELECT count(*) FROM event WHERE kind = 'account.key-changed' AND subject = 'account {account}'") \
        == [(8,)]


# In an internet of its own: names of a signed zone, a public profile, five perspectives.

def dns01(net, user, url):
    authorization = user.post(url, None).json()
    challenge = next(c for c in authorization["challenges"] if c["type"] == "dns-01")
    digest = b64(hashlib.sha256(f"{challenge['token']}.{user.thumbprint()}".encode()).digest())
    owner = f"_acme-challenge.{authorization['identifier']['value']}."
    net.update(f"add {owner} 60 TXT \"{digest}\"")
    try:
        user.post(challenge["url"], {})
        return user.poll(url, ("valid", "invalid"), 60)
    finally:
        net.update(f"del {owner} TXT")


@pytest.fixture
def outside(net):
    user = Client(net.authority.directory, net.authority.root)
    user.register()
    yield user
    user.close()


def finish(user, url, names):
    order = user.post(url, None).json()
    user.post(order["finalize"], {"csr": b64(user.csr(names)[0])})
    order = user.poll(url, ("valid", "invalid"), 60)
    assert order["status"] == "valid", order.get("error")
    return leaf(user.post(order["certificate"], None).body.decode())


def test_subdomains(net, outside, tmp_path):
    user = outside
    names = ["a.below.example.com", "*.b.below.example.com", "x.y.below.example.com"]
    answer = user.post(user.directory["newOrder"], {"identifiers": [
        {"type": "dns", "value": n, "ancestorDomain": "below.example.com"} for n in names]})
    url, order = answer.headers["Location"], answer.json()
    (proof,) = order["authorizations"]
    authorization = user.post(proof, None).json()
    assert authorization["identifier"]["value"] == "below.example.com" and authorization["subdomainAuthAllowed"] is True
    assert {c["type"] for c in authorization["challenges"]} <= {"dns-01", "dns-account-01", "dns-persist-01"}
    assert dns01(net, user, proof)["status"] == "valid"
    cert = finish(user, url, names)
    got = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert sorted(got) == sorted(names)
    shown = net.authority.json("cert", "show", f"{cert.serial_number:x}", "--evidence")
    assert sorted(n["name"] for n in shown["names"]) == sorted(names)
    # The next one needs no proof; its CAA is still asked by its own name.
    url, order = user.order("later.below.example.com")
    assert order["status"] == "ready" and order["authorizations"] == [proof]
    net.update("add forbidden.below.example.com. 60 CAA 0 issue \"other.example.org\"")
    try:
        bad, order = user.order("x.forbidden.below.example.com")
        assert order["status"] == "ready"
        user.post(order["finalize"], {"csr": b64(user.csr(["x.forbidden.below.example.com"])[0])})
        order = user.poll(bad, ("valid", "invalid"), 60)
        assert order["status"] == "invalid" and order["error"]["type"].endswith(":caa"), order
    finally:
        net.update("del forbidden.below.example.com. CAA")
    finish(user, url, ["later.below.example.com"])
    # Whoever checks the book finds each frame where its row says.
    copy = tmp_path / "copy"
    shutil.copytree(net.authority.folder, copy, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    said = subprocess.run([LINTEL, "audit", "verify", "--dir", copy], capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stdout + said.stderr
    # Another account that proves the domain above may revoke; one that does not may not.
    other = Client(net.authority.directory, net.authority.root)
    other.register()
    der = b64(cert.public_bytes(serialization.Encoding.DER))
    assert refusal(lambda: other.post(other.directory["revokeCert"], {"certificate": der})).kind == "unauthorized"
    assert dns01(net, other, ahead(other, "below.example.com")[0])["status"] == "valid"  # for that name alone
    assert refusal(lambda: other.post(other.directory["revokeCert"], {"certificate": der})).kind == "unauthorized"
    assert dns01(net, other, ahead(other, "below.example.com", subdomainAuthAllowed=True)[0])["status"] == "valid"
    assert other.post(other.directory["revokeCert"], {"certificate": der}).status == 200
    other.close()
    user.post(proof, {"status": "deactivated"})
    assert user.order("after.below.example.com")[1]["status"] == "pending"


@pytest.mark.parametrize("name,domain", [
    ("a.example.com", "example.org"), ("a.example.com", "a.example.com"), ("a.example.com", "com"),
    ("aexample.com", "example.com"), ("a.example.com", "*.example.com"), ("a.example.com", ""), ("a.example.com", 7)])
def test_ancestors_that_are_none(user, name, domain):
    order = {"identifiers": [{"type": "dns", "value": name, "ancestorDomain": domain}]}
    if domain == "":
        assert user.post(user.directory["newOrder"], order).status == 201
    else:
        assert refusal(lambda: user.post(user.directory["newOrder"], order)).kind in ("malformed", "rejectedIdentifier")


def persist(net, user, name, record):
    """An authorization that a record which stays shall prove."""
    url, order = user.order(name)
    authorization = user.post(order["authorizations"][0], None).json()
    challenge = next(c for c in authorization["challenges"] if c["type"] == "dns-persist-01")
    assert challenge["issuer-domain-names"] == ["ca.example.org"] and "token" not in challenge
    user.post(challenge["url"], {})
    return url, user.poll(order["authorizations"][0], ("valid", "invalid"), 60)


def test_a_record_that_stays(net, outside):
    user = outside
    right = f"ca.example.org; accounturi={user.kid}"
    net.update(f"add _validation-persist.stays.example.com. 3000 TXT \"{right}\"",
               f"add _validation-persist.wide.example.com. 20000 TXT \"{right}; policy=wildcard\"",
               f"add _validation-persist.past.example.com. 60 TXT \"{right}; persistUntil=1700000000\"",
               f"add _validation-persist.other.example.com. 60 TXT \"ca.example.org; accounturi={user.kid}0\"")
    url, proof = persist(net, user, "stays.example.com", right)
    assert proof["status"] == "valid", proof
    finish(user, url, ["stays.example.com"])
    assert user.order("stays.example.com")[1]["status"] == "ready"
    # Wildcards and names below need the record to say so; it is looked for above the name as well.
    url, proof = persist(net, user, "*.wide.example.com", right)
    assert proof["status"] == "valid", proof
    finish(user, url, ["*.wide.example.com"])
    assert user.order("*.wide.example.com")[1]["status"] == "ready"
    url, proof = persist(net, user, "deep.down.wide.example.com", right)
    assert proof["status"] == "valid", proof
    finish(user, url, ["deep.down.wide.example.com"])
    for name, words in {"*.stays.example.com": "policy=wildcard", "below.stays.example.com": "policy=wildcard",
                        "past.example.com": "persistUntil", "other.example.com": "another account",
                        "nothing.example.com": "no TXT record"}.items():
        url, proof = persist(net, user, name, right)
        assert proof["status"] == "invalid", name
        error = next(c for c in proof["challenges"] if c["type"] == "dns-persist-01")["error"]
        assert error["type"].endswith(":unauthorized") and words in error["detail"], (name, error)

"""A CA that browsers are to trust: what it refuses, and a certificate by five perspectives' own signatures. In an
internet of its own, from the root servers down, without any test flag."""
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
from datetime import datetime, timezone

import pytest
from acmeclient import AcmeError, Client, b64
from conftest import LINTEL, Webroot, wait_for
from internet import WEB, Internet, usable

pytestmark = pytest.mark.skipif(not usable(), reason="needs root, network namespaces and knotd")


@pytest.fixture
def net(tmp_path):
    place = Internet(tmp_path)
    place.undo.append((web := Webroot(tmp_path / "web", 80, WEB)).stop)
    place.web = web
    yield place
    place.stop()


def client(net, ca):
    user = Client(ca.directory, ca.root, net.web.challenges)
    user.register()
    return user


def rows(ca, sql, *args):
    book = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True)
    found = book.execute(sql, args).fetchall()
    book.close()
    return found


def events(ca, kind):
    return [json.loads(body) for (body,) in rows(ca, "SELECT body FROM event WHERE kind = ? ORDER BY sequence", kind)]


def findings(ca):
    said = json.loads(ca.lintel("doctor", "--json", check=False).stdout)["findings"]
    return {(f["level"], f["text"]) for f in said if f["what"] == "public"}


def refused(net, ca, *words):
    with pytest.raises(AcmeError) as e:
        client(net, ca).order("www.example.com")
    assert e.value.kind == "invalidProfile", e.value.problem
    for word in words:
        assert word in e.value.problem["detail"], e.value.problem
    assert rows(ca, "SELECT count(*) FROM ca_order") == [(0,)]
    said = ca.json("status")["public"]
    assert said["issues"] is False and said["profiles"] == ["tls-server", "tls-server-short"]
    text = ca.lintel("status").stdout
    for word in words:
        assert any(word in lack for lack in said["lacks"]) and word in text
        assert any(level == "bad" and word in line and "tls-server, tls-server-short" in line
                   for level, line in findings(ca))
    check = ca.lintel("config", "check", "--json", check=False)
    assert check.returncode == 6 and json.loads(check.stdout)["ok"] is False
    for word in words:
        assert any(word in w and "tls-server, tls-server-short" in w for w in json.loads(check.stdout)["warnings"])
    assert "NOTHING IS ISSUED by profile tls-server, tls-server-short" in text
    log = ca.log.read_text()
    assert "nothing is issued by a public profile" in log and "tls-server, tls-server-short" in log


def test_no_perspective_no_certificate(net):
    refused(net, net.ca(perspectives=False, public=True), "0 remote perspectives", "CABF-BR 3.2.2.9")


def test_too_few(net):
    """Three: enough until June of 2026; then four are wanted, and from the middle of December on five."""
    least = 4 if datetime.now(timezone.utc) < datetime(2026, 12, 15, tzinfo=timezone.utc) else 5
    refused(net, net.ca(perspectives=3), "3 remote perspectives in 3 regions", f"{least} in 2 regions are the least")


def test_no_name_for_caa(net):
    def change(folder):
        path = folder / "lintel.yaml"
        text = path.read_text()
        path.write_text(text.replace('caa-identities: ["ca.example.org"]', "caa-identities: []"))
        assert path.read_text() != text
    refused(net, net.ca(change=change), "acme.caa-identities is empty")


def test_no_dnssec(net):
    def change(folder):
        path = folder / "lintel.yaml"
        text = path.read_text()
        path.write_text(text.replace("\n  dnssec: root", "\n  dnssec: none")
                        .replace("allow-private: false", "allow-private: true"))
    refused(net, net.ca(change=change), "validation.dnssec is none", "allow-private")


@pytest.mark.parametrize("before, after, words", [
    ("http-port: 80", "http-port: 8080", "validation.http-port is 8080"),
    ("http-port: 80", "http-port: 80\n  https-port: 8443", "validation.https-port is 8443"),
    ("allow-private: false", "allow-private: true", "validation.allow-private is true"),
    ("http-port: 80", "http-port: 80\n  trust-anchor: own.ds", "validation.trust-anchor names a file of its own"),
])
def test_no_test_flag(net, before, after, words):
    def change(folder):
        (folder / "own.ds").write_text(net.anchor + "\n")
        path = folder / "lintel.yaml"
        assert path.read_text().count(before) == 1
        path.write_text(path.read_text().replace(before, after))
    refused(net, net.ca(change=change), words)


def test_init_wants_a_name(tmp_path):
    r = subprocess.run([LINTEL, "init", tmp_path / "ca", "--public"], capture_output=True, text=True)
    assert r.returncode != 0 and "--caa-identity" in r.stderr and not (tmp_path / "ca" / "lintel.yaml").exists()


def test_what_is_missing_comes(net):
    """The files are taken up by a reload: refused before it, issued after."""
    ca = net.ca()
    hidden = ca.folder / "perspectives" / "view-0.json"
    also = ca.folder / "perspectives" / "view-1.json"
    kept = {path: path.read_text() for path in (hidden, also)}
    for path in kept:
        path.unlink()
    ca.process.send_signal(1)
    user = client(net, ca)

    def refuses():
        try:
            user.order("a.example.com")
        except AcmeError as e:
            return e.kind == "invalidProfile"
        return False
    wait_for("the refusal", refuses)
    for path, text in kept.items():
        path.write_text(text)
    ca.process.send_signal(1)
    wait_for("orders", lambda: not refuses())
    assert "BEGIN CERTIFICATE" in user.issue("www.example.com")


def test_issued(net):
    ca = net.ca()
    user = client(net, ca)
    chain = user.issue("www.example.com", "mail.example.com", "www.example.org")
    assert "BEGIN CERTIFICATE" in chain
    assert [e["corroboration"] for e in events(ca, "authorization.valid")] == ["5/5"] * 3
    assert rows(ca, "SELECT least_quorum FROM certificate WHERE order_id <> 0") == [(6,)]
    assert ca.json("status")["public"] == {"profiles": ["tls-server", "tls-server-short"], "issues": True,
                                             "lacks": [], "soon": ""}
    assert not [f for f in findings(ca) if f[0] == "bad"]
    # One that is silent may be, two may not.
    net.views[0].stop()
    assert "BEGIN CERTIFICATE" in user.issue("a.example.com")
    assert events(ca, "authorization.valid")[-1]["corroboration"] == "4/5"
    net.views[1].stop()
    url, order = user.order("b.example.com")
    assert user.prove(order["authorizations"][0])["status"] == "invalid"
    assert "corroboration" in ca.log.read_text() and "3/5" in ca.log.read_text()
    net.views[1].start()
    net.views[0].start()


def longer(folder):
    path = folder / "lintel.yaml"
    path.write_text(path.read_text().replace("authorization-lifetime: 7h", "authorization-lifetime: 9d"))


def age(ca):
    """Nine hours go by for what is known of CAA."""
    ca.stop()
    book = sqlite3.connect(ca.folder / "book" / "lintel.db")
    book.execute("UPDATE evidence SET caa_us = caa_us - 9 * 3600 * 1000000")
    book.commit()
    book.close()
    ca.start()


def test_caa_is_asked_again_of_all(net):
    """Nine hours later, as far as the book knows: CAA of each name, by every perspective, and the examiner counts their
    signatures. Then two of them see a record that forbids."""
    ca = net.ca(change=longer)
    user = client(net, ca)
    names = ["www.example.com", "mail.example.com", "www.example.org"]
    user.issue(*names)

    age(ca)
    user.close()  # the connection is gone with the gateway
    assert user.order(*names)[1]["status"] == "ready"
    assert "BEGIN CERTIFICATE" in user.issue(*names)
    checked = events(ca, "caa.checked")
    assert sorted(e["identifier"] for e in checked) == sorted(names)
    assert {e["corroboration"] for e in checked} == {"5/5"} and {e["outcome"] for e in checked} == {"permitted"}
    assert len(rows(ca, "SELECT 1 FROM evidence AS e JOIN dimension AS d ON d.id = e.dimension WHERE d.method = 'caa'")) == 3
    # Forbidden meanwhile.
    age(ca)
    user.close()
    net.update("update add mail.example.com. 60 CAA 0 issue \";\"")
    with pytest.raises(AcmeError) as e:
        user.issue(*names)
    assert e.value.kind == "caa" and "mail.example.com" in e.value.problem["detail"]
    assert [e["outcome"] for e in events(ca, "caa.checked") if e["identifier"] == "mail.example.com"][-1] == "forbidden"
    # Two perspectives are silent: no answer is no permission.
    net.update("update delete mail.example.com. CAA")
    age(ca)
    user.close()
    for view in net.views[:2]:
        view.stop()
    with pytest.raises(AcmeError) as e:
        user.issue("www.example.com")
    assert e.value.kind == "serverInternal" and "203.0.114" not in str(e.value.problem), e.value.problem
    assert events(ca, "caa.checked")[-1]["corroboration"] == "3/5"
    for view in net.views[:2]:
        view.start()


def prove_by_dns(net, user, url):
    """dns-01 in the signed zone, as its owner does it."""
    authorization = user.post(url, None).json()
    challenge = next(c for c in authorization["challenges"] if c["type"] == "dns-01")
    value = b64(hashlib.sha256(f"{challenge['token']}.{user.thumbprint()}".encode()).digest())
    name = f"_acme-challenge.{authorization['identifier']['value']}."
    net.update(f"update delete {name} TXT", f'update add {name} 60 TXT "{value}"')
    user.post(challenge["url"], {})
    answer = user.poll(url, ("valid", "invalid"))
    assert answer["status"] == "valid", answer


def test_wildcard_and_names_below(net):
    """The examiner finds the signatures about the domain that was proven, and those about CAA of each name below."""
    ca = net.ca()
    user = client(net, ca)
    url, order = user.order("*.example.com")
    prove_by_dns(net, user, order["authorizations"][0])
    assert "BEGIN CERTIFICATE" in user.issue("*.example.com")
    names = ["a.b.example.com", "c.example.com"]
    answer = user.post(user.directory["newOrder"], {"identifiers": [
        {"type": "dns", "value": n, "ancestorDomain": "example.com"} for n in names]})
    order = answer.json()
    assert len(order["authorizations"]) == 1, order
    prove_by_dns(net, user, order["authorizations"][0])
    url = answer.headers["Location"]
    assert user.poll(url, ("ready",))
    csr, _ = user.csr(names)
    user.post(order["finalize"], {"csr": b64(csr)})
    done = user.poll(url, ("valid", "invalid"))
    assert done["status"] == "valid", done
    checked = {e["identifier"]: e["corroboration"] for e in events(ca, "caa.checked")}
    assert checked == {"a.b.example.com": "5/5", "c.example.com": "5/5"}
    # CAA of one name below forbids: the domain's own permits, and that is not enough.
    net.update('update add d.example.com. 60 CAA 0 issue "other.example"')
    names = ["d.example.com"]
    url, order = user.order(*names)
    assert order["status"] == "ready"
    csr, _ = user.csr(names)
    user.post(order["finalize"], {"csr": b64(csr)})
    done = user.poll(url, ("valid", "invalid"))
    assert done["status"] == "invalid" and done["error"]["type"].endswith(":caa"), done


def test_the_examiner_counts_by_itself(net):
    """Two perspectives have other keys now: by the registrar's book five corroborated, by the examiner's files the
    signatures of two are no one's. Nothing is issued, and the name is proven anew."""
    ca = net.ca()
    user = client(net, ca)
    user.issue("www.example.com")
    for view in net.views[:2]:
        view.stop()
        (view.folder / "key.pem").unlink()
        view.lintel("init", view.folder.parent / f"{view.name}-new", "--name", view.name, "--url", "https://a", "--rir",
                    "RIPE", "--latitude", 1, "--longitude", 1)
        (view.folder.parent / f"{view.name}-new" / "key.pem").rename(view.folder / "key.pem")
        view.start()
        (ca.folder / "perspectives" / f"{view.name}.json").write_text(json.dumps(view.describe()))
    ca.process.send_signal(1)
    wait_for("the new files", lambda: ca.log.read_text().count("judging by") > 1)
    with pytest.raises(AcmeError) as e:
        user.issue("www.example.com")
    assert e.value.kind == "unauthorized" and "3 of 5 perspectives corroborate control" in e.value.problem["detail"]
    assert events(ca, "certificate.refused")[-1]["refusal"] == "evidence"
    url, order = user.order("www.example.com")
    assert order["status"] == "pending"
    assert "BEGIN CERTIFICATE" in user.issue("www.example.com")


def test_killed_while_caa_is_asked(net):
    """kill -9 of the registrar, then of the courier, while the perspectives are asked for CAA: all of it is asked again,
    and the order that was accepted is finished."""
    ca = net.ca(change=longer)
    user = client(net, ca)
    user.issue("www.example.com", "mail.example.com")
    for victim in ("registrar-0", "courier-0"):
        age(ca)
        user.close()
        url, order = user.order("www.example.com", "mail.example.com")
        assert order["status"] == "ready"
        frozen = [pid for view in net.views for pid in (view.process.pid, *children(view))]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        csr, _ = user.csr(["www.example.com", "mail.example.com"])
        assert user.post(order["finalize"], {"csr": b64(csr)}).json()["status"] == "processing"
        os.kill(ca.pids()[victim], signal.SIGKILL)
        for pid in reversed(frozen):
            os.kill(pid, signal.SIGCONT)
        ca.wait_ready()
        user.close()
        done = user.poll(url, ("valid", "invalid"), 90)
        assert done["status"] == "valid", done
    assert {e["outcome"] for e in events(ca, "caa.checked")} == {"permitted"}
    issued = rows(ca, "SELECT count(*) FROM certificate WHERE order_id <> 0")[0][0]
    assert issued == rows(ca, "SELECT count(*) FROM ca_order WHERE status = 'valid'")[0][0]
    assert ca.lintel("audit", "verify").returncode == 0


def children(view):
    path = f"/proc/{view.process.pid}/task/{view.process.pid}/children"
    return [int(pid) for pid in open(path).read().split()]

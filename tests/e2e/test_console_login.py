"""Who gets into the console, and who does not: links, passkeys, sessions, what they sign; with an authenticator that lies where it can."""
import json
import os
import signal
import sqlite3
import ssl
from datetime import datetime, timedelta, timezone

import pytest
from browser import AUTHENTICATOR, context_of, look
from conftest import Ca, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from passkey import PRESENT, VERIFIED, Console, Passkey, Refused, b64, new_key, sha256
from postgres import Postgres, programs
from test_postgres import move_to

ROLES = {"vera": ["viewer"], "otto": ["operator"], "paul": ["approver"], "ada": ["approver"], "rita": ["auditor"], "ines": ["intake"]}


class Staff:
    def __init__(self, folder):
        self.ca = Ca(folder, None, 1)
        self.init_link = None
        self.passkeys = {}

    def link(self, name, *args):
        return self.ca.json("operator", "passkey", name, *args)["link"]

    def examined(self):
        path = self.ca.folder / "examiner" / "passkeys"
        return path.read_text() if path.exists() else ""

    def enroll(self, name, passkey=None, link=None):
        passkey = passkey or Passkey()
        link = link or self.link(name)

        def taken():
            try:
                return self.console().enroll(link, passkey)
            except Refused as e:
                if "this link is not for" in e.detail:
                    return None  # SIGHUP is on its way
                raise
        taken = wait_for(f"{name}'s passkey", taken)
        wait_for("the examiner", lambda: b64(passkey.id) in self.examined())
        self.passkeys[name] = passkey
        return taken

    def console(self):
        return Console(self.ca.operator_port)

    def inside(self, name):
        c = self.console()
        c.log_in(self.passkeys[name])
        return c


@pytest.fixture(scope="module")
def staff(tmp_path_factory):
    folder = tmp_path_factory.mktemp("login")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    s = Staff(folder)
    for name, roles in ROLES.items():
        s.ca.lintel("operator", "add", name, *(x for r in roles for x in ("--role", r)))
    s.ca.start()
    for name in ROLES:
        s.enroll(name)
    yield s
    s.ca.stop()


def refused(status, act, *args, **kw):
    with pytest.raises(Refused) as caught:
        act(*args, **kw)
    assert caught.value.status == status, str(caught.value)
    return caught.value


def write(db, sql):
    with sqlite3.connect(db) as book:
        assert book.execute(sql).rowcount > 0, sql
    book.close()


def events(staff, kind):
    return [e for e in staff.ca.json("event", "list", "--kind", kind, "--limit", "200")["events"]]


# ---- logging in ----

def test_a_session(staff):
    c = staff.console()
    said = c.log_in(staff.passkeys["otto"])
    assert said["operator"] == "otto" and said["roles"] == ["operator"] and said["method"] == "passkey"
    assert {p.strip() for p in c.set_cookie.split(";")[1:]} == {"HttpOnly", "SameSite=Strict", "Path=/api/v1", "Max-Age=3600"}
    assert c.get("session") == said
    assert c.get("certificates")["certificates"]  # our own, for the gateways
    halt = c.change("halts", {"kind": "name-suffix", "value": "login.example", "reason": "a test"})
    assert halt["operator"] == "otto"
    event = next(e for e in events(staff, "halt.added") if "login.example" in json.dumps(e))
    assert "otto" in json.dumps(event)
    c.change("session/leave")
    assert refused(401, c.get, "session").type.endswith("session")
    assert refused(401, c.change, "halts", {"kind": "name-suffix", "value": "late.example", "reason": "late"}).type.endswith("session")


def test_nobody_reads_without_a_session(staff):
    c = staff.console()
    for path in ("certificates", "events", "operators", "plans", "overview", "session", "sessions"):
        assert refused(401, c.get, path).status == 401
    c.cookie = b64(bytes(32))
    assert refused(401, c.get, "certificates").type.endswith("session")


LIES = [
    ("another site's page", {"origin": "https://evil.example"}),
    ("another program's page on localhost", {"origin": "http://localhost:1"}),
    ("a page inside another", {"cross": True}),
    ("the answer of a making", {"kind": "create"}),
    ("nobody was there", {"flags": VERIFIED}),
    ("nobody was recognised", {"flags": PRESENT}),
    ("for another nonce", {"said_nonce": "another"}),
    ("for another key", {"said_key": new_key()}),
    ("for another host", {"rp": "ca.example"}),
    ("members in another order", {"client_data": b'{"origin":"http://localhost","type":"webauthn.get","challenge":"","crossOrigin":false}'}),
    ("data that is cut off", {"head": sha256("localhost") + b"\x05\x00"}),
    ("a credential where an answer belongs", {"flags": PRESENT | VERIFIED | 0x40}),
]


@pytest.fixture(scope="module")
def liar(staff):
    staff.ca.lintel("operator", "add", "lars", "--role", "operator")
    passkeys = [Passkey(counts=False), Passkey(counts=False)]  # failures are counted by passkey: ten a minute
    for passkey in passkeys:
        staff.enroll("lars", passkey)
    return passkeys


@pytest.mark.parametrize("number", range(len(LIES)), ids=[name for name, _ in LIES])
def test_lies(staff, liar, number):
    passkey, how, c = liar[number % 2], LIES[number][1], staff.console()
    assert refused(403, c.log_in, passkey, **how).detail == "that does not log anybody in; the log says why"
    assert c.log_in(passkey)["operator"] == "lars"


def test_another_key_signs(staff):
    c, passkey = staff.console(), staff.passkeys["otto"]
    stranger = Passkey()
    stranger.id = passkey.id
    refused(403, c.log_in, stranger)
    assert "does not verify" in json.dumps(events(staff, "session.refused")[0])
    refused(403, c.log_in, Passkey())  # nobody's


def test_replay(staff):
    c = staff.console()
    jws = c.login_request(staff.passkeys["otto"])
    c.send("/api/v1/sessions", jws)
    assert refused(400, c.send, "/api/v1/sessions", jws).type.endswith("badNonce")
    inside = staff.inside("otto")
    path = "/api/v1/halts"
    jws = inside.sign(path, {"kind": "name-suffix", "value": "again.example", "reason": "r"}, inside.key, kid=f"session:{inside.session}")
    inside.send(path, jws)
    assert refused(400, inside.send, path, jws).type.endswith("badNonce")


def test_fixation(staff):
    """Whatever cookie was there before: the one that counts is drawn by the family, and belongs to one key."""
    c = staff.console()
    c.cookie = b64(b"chosen by somebody else, 32 long")
    planted = c.cookie
    c.log_in(staff.passkeys["otto"])
    assert c.cookie != planted
    assert refused(401, c.get, "session", cookie=planted).status == 401
    first = c.cookie
    other = staff.inside("paul")
    stolen = staff.console()
    stolen.cookie, stolen.session, stolen.key = first, c.session, other.key  # a cookie reads; another's key changes nothing
    assert stolen.get("session")["operator"] == "otto"
    assert refused(403, stolen.change, "halts", {"kind": "name-suffix", "value": "x.example", "reason": "r"}).status == 403


def test_a_copied_passkey(staff):
    passkey = staff.passkeys["rita"]
    staff.inside("rita")
    passkey.count -= 1  # the copy is where the original was before
    refused(403, staff.console().log_in, passkey)
    assert "counter has not grown" in json.dumps(events(staff, "session.refused")[0])
    passkey.count += 5
    assert staff.console().log_in(passkey)["operator"] == "rita"


def test_passkeys_that_do_not_count(staff):
    synced = Passkey(counts=False)
    staff.enroll("vera", synced)
    for _ in range(2):
        assert staff.console().log_in(synced)["operator"] == "vera"


@pytest.mark.parametrize("passkey", [Passkey(kind="EdDSA"), Passkey(kind="RS256"), Passkey(extensions=b"\xa1kcredProtect\x02")],
                         ids=["EdDSA", "RS256", "extensions"])
def test_other_authenticators(staff, liar, passkey):
    staff.enroll("lars", passkey)
    assert staff.console().log_in(passkey)["operator"] == "lars"
    answer = staff.console().login_request(passkey, head=sha256("localhost") + bytes([PRESENT | VERIFIED | 0x80, 0, 0, 1, 0]) + b"\xa1kcredProtect\x02")
    assert json.loads(staff.console().send("/api/v1/sessions", answer)[1])["operator"] == "lars"
    refused(403, staff.console().log_in, passkey, said_nonce="another")


def test_intake_has_no_business_here(staff):
    refused(403, staff.console().log_in, staff.passkeys["ines"])


# ---- client certificates ----

def certificate_of(staff, name, path):
    """Self-signed: it is the key that counts."""
    key = serialization.load_pem_private_key((staff.ca.folder / "operators" / f"{name}.key").read_bytes(), None)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    cert = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256()))
    path.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


def over_tls(staff, certificate=None):
    context = ssl.create_default_context(cafile=staff.ca.root)
    if certificate:
        context.load_cert_chain(certificate)
    return Console(staff.ca.operator_port, context=context)


def test_client_certificates(staff, tmp_path):
    staff.ca.lintel("operator", "add", "clara", "--role", "operator", "--role", "approver", "--key-type", "p256")
    c = over_tls(staff, certificate_of(staff, "clara", tmp_path / "clara.pem"))
    refused(403, c.log_in_by_certificate)  # nobody has said that she may
    staff.ca.lintel("operator", "certificate", "clara")
    wait_for("her file", lambda: refused_or_none(c.log_in_by_certificate) is None)
    assert c.get("session")["method"] == "certificate" and "Secure" in c.set_cookie
    assert c.change("halts", {"kind": "name-suffix", "value": "clara.example", "reason": "r"})["operator"] == "clara"
    refused(403, over_tls(staff).log_in_by_certificate)  # no certificate was shown
    refused(403, staff.console().log_in_by_certificate)  # nor TLS
    staff.ca.lintel("operator", "certificate", "clara", "--no")
    wait_for("her file", lambda: refused_or_none(c.log_in_by_certificate) == 403)
    d = over_tls(staff)
    assert d.log_in(staff.passkeys["otto"])["operator"] == "otto" and "Secure" in d.set_cookie


# ---- what a session may ----

READS = {
    "certificates": {"viewer", "operator", "approver", "auditor"},
    "plans": {"viewer", "operator", "approver", "auditor"},
    "events": {"operator", "approver", "auditor"},
    "sessions": {"operator", "auditor"},
    "passkeys": {"operator", "auditor"},
}


@pytest.mark.parametrize("name", ["vera", "otto", "paul", "rita"])
def test_roles(staff, name):
    c, role = staff.inside(name), ROLES[name][0]
    for path, readers in READS.items():
        if role in readers:
            c.get(path)
        else:
            assert "has not the role" in refused(403, c.get, path).detail
    change = ("halts", {"kind": "name-suffix", "value": f"{name}.example", "reason": "r"})
    if role in ("operator", "approver"):
        c.change(*change)
    else:
        assert "has not the role" in refused(403, c.change, *change).detail
    if role != "operator":
        refused(403, c.change, "key-blocks", {"spki-sha256": "00" * 32, "text": "r"})


def test_how_people_are_reached(staff):
    """Neither lists nor events nor the requests kept with them tell an approver; they are told that something happened."""
    staff.ca.lintel("problem", "open", "--channel", "phone", "--contact", "finder@example.org", "--text", "call me: 555-0100", "--title", "a call")
    of = {name: wait_for("the event", lambda name=name: staff.inside(name).get("events?name=problem.received&der=1")["events"]) for name in ("paul", "rita")}
    assert of["rita"][0]["body"]["contact"] == "finder@example.org" and "attachment" in of["rita"][0]
    assert of["paul"][0]["body"] == {"withheld": True} and of["paul"][0]["has_attachment"] and of["paul"][0]["hash"] == of["rita"][0]["hash"]
    assert "finder" not in str(of["paul"]) and "attachment" not in of["paul"][0]


def test_questions_by_post_come_from_our_script(staff):
    c = staff.inside("otto")
    refused(403, c.ask, "POST", "/api/v1/scope/count", "status = valid", {"Content-Type": "text/plain"})
    c.ask("POST", "/api/v1/scope/count", "status = valid", {"Content-Type": "text/plain", "X-Lintel": "1"})


def test_an_operators_own_key_stays_where_it_is(staff):
    """The console takes no change that an operator's own key signed, and the socket none of a session."""
    c = staff.inside("otto")
    path = "/api/v1/halts"
    jws = c.sign(path, {"kind": "all", "reason": "r"}, new_key(), kid="operator:otto")
    assert "session:ID" in refused(400, c.send, path, jws).detail


def test_nothing_but_the_session_it_names(staff):
    c = staff.inside("otto")
    payload = {"kind": "name-suffix", "value": "wrong.example", "reason": "r"}
    for header in ({"kid": "session:" + "A" * 22}, {"kid": "session:"}, {"kid": "12"}, {"url": "lintel:/api/v1/key-blocks"}):
        assert refused_any(c.change, "halts", payload, **header) in (400, 401, 403)
    jws = json.loads(c.sign("/api/v1/halts", payload, c.key, kid=f"session:{c.session}"))
    jws["payload"] = b64(json.dumps({**payload, "value": "other.example"}).encode())
    assert refused_any(c.send, "/api/v1/halts", json.dumps(jws)) in (400, 401, 403)


def refused_any(act, *args, **kw):
    with pytest.raises(Refused) as caught:
        act(*args, **kw)
    return caught.value.status


def test_sessions_end(staff):
    c = staff.inside("vera")
    row = next(r for r in staff.ca.json("operator", "sessions")["sessions"] if r["session"] == c.session)
    assert row["state"] == "open" and row["operator"] == "vera"
    staff.ca.lintel("operator", "sessions", "--end", c.session)
    refused(401, c.get, "session")
    refused(401, c.change, "session/leave")
    assert staff.ca.lintel("operator", "sessions", "--end", c.session, check=False).returncode != 0


def test_roles_are_those_of_now(staff):
    """What the operators' files say counts at once, for who is inside as well."""
    path = staff.ca.folder / "operators" / "temp.json"
    staff.ca.lintel("operator", "add", "temp", "--role", "auditor")
    staff.enroll("temp")
    c = staff.inside("temp")
    c.get("events")
    row = json.loads(path.read_text())
    path.write_text(json.dumps({**row, "roles": ["viewer"]}))
    staff.ca.process.send_signal(1)
    wait_for("the viewer's view", lambda: refused_or_none(c.get, "events") == 403)
    assert c.get("session")["roles"] == ["viewer"]
    staff.ca.lintel("operator", "remove", "temp", "--yes")
    wait_for("the end of the session", lambda: refused_or_none(c.get, "session") == 401)
    refused(403, staff.console().log_in, staff.passkeys["temp"])


def refused_or_none(act, *args):
    try:
        act(*args)
    except Refused as e:
        return e.status
    return None


def test_a_namesake(staff):
    """Who comes after somebody under the same name has not their passkeys, nor their sessions."""
    staff.ca.lintel("operator", "add", "nora", "--role", "approver")
    staff.enroll("nora")
    c = staff.inside("nora")
    staff.ca.lintel("operator", "remove", "nora", "--yes")
    wait_for("the end of the session", lambda: refused_or_none(c.get, "session") == 401)
    (staff.ca.folder / "operators" / "nora.key").unlink()
    staff.ca.lintel("operator", "add", "nora", "--role", "approver")
    first = staff.passkeys["nora"]
    staff.enroll("nora")
    assert staff.inside("nora").get("session")["operator"] == "nora"
    assert refused(401, c.get, "session") and refused(401, c.change, "session/leave")
    refused(403, staff.console().log_in, first)


def test_a_passkey_is_taken_back(staff):
    passkey = Passkey()
    made = staff.enroll("vera", passkey)
    c = staff.console()
    c.log_in(passkey)
    staff.ca.lintel("operator", "passkey", "vera", "--take-back", made["passkey"])
    wait_for("the end of the session", lambda: refused_or_none(c.get, "session") == 401)
    refused(403, staff.console().log_in, passkey)


def test_short_sessions(tmp_path):
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    tmp_path.parent.parent.chmod(0o755)
    s = Staff(tmp_path)
    conf = s.ca.folder / "lintel.yaml"
    text = conf.read_text()
    assert "session: 1h" in text
    conf.write_text(text.replace("session: 1h", "session: 60s"))
    # The clock cannot be moved for one family; what has expired is made by moving its row, as time would.
    s.ca.start()
    try:
        s.enroll("admin")
        c = s.inside("admin")
        assert "Max-Age=60" in c.set_cookie
        s.ca.stop()
        write(s.ca.folder / "book" / "lintel.db", "UPDATE console_session SET expires_us = opened_us")
        s.ca.start()
        refused(401, c.get, "session")
        refused(401, c.change, "session/leave")
        assert s.inside("admin").get("session")["operator"] == "admin"
    finally:
        s.ca.stop()


# ---- links ----

def test_a_link_works_once(staff):
    link = staff.link("vera")
    staff.enroll("vera", Passkey(), link)
    assert "was used" in refused(403, staff.console().enroll, link, Passkey()).detail


def test_links_of_others(staff):
    link = staff.link("vera")
    wait_for("the link", lambda: "signed" in refused(403, staff.console().enroll, link, Passkey(), statement="x").detail)
    c, passkey = staff.console(), Passkey()
    assert "not for otto" in refused(403, c.enroll, link, passkey, operator="otto").detail
    assert refused(403, c.enroll, link, passkey, key=new_key()).status == 403
    assert refused_any(c.enroll, link, passkey, rp="ca.example") in (400, 403)
    assert refused_any(c.enroll, link, passkey, origin="http://localhost:1") in (400, 403)
    passkey.flags = PRESENT
    assert refused(400, c.enroll, link, passkey).status == 400
    otto = staff.passkeys["otto"]
    assert refused_any(c.enroll, link, otto) in (403, 409)  # one that is somebody's already
    row = json.loads((staff.ca.folder / "operators" / "vera.json").read_text())
    assert link.rpartition(".")[2] not in json.dumps(row)  # the secret is in the link alone


def test_links_expire(staff):
    link = staff.link("vera", "--hours", "1")
    path = staff.ca.folder / "operators" / "vera.json"
    row = json.loads(path.read_text())
    for e in row["enrolments"]:
        e["expires"] = "2026-01-01T00:00:00Z"
    path.write_text(json.dumps(row))
    staff.ca.process.send_signal(1)
    wait_for("its end", lambda: "has expired" in refused(403, staff.console().enroll, link, Passkey(), statement="x").detail)


def test_strange_authenticator_data(staff):
    link, c = staff.link("vera"), staff.console()

    class Odd(Passkey):
        def __init__(self, data):
            super().__init__()
            self.data = data

        def made(self):
            return self.data(super().made())
    for data in (lambda d: d[:60], lambda d: d + b"\x00", lambda d: d[:87] + b"\xba\xff\xff\xff\xff" + d[92:], lambda d: d[:-10] + b"\xff" * 10, lambda d: b"\x00", lambda d: d[:53] + b"\xff\xff" + d[55:],
                 lambda d: d.replace(b"\x03\x26", b"\x03\x38"), lambda d: bytes(1024)):
        assert refused_any(c.enroll, link, Odd(data)) in (400, 403)


def test_killed(staff):
    """Whoever dies over it: a session is in the book, and a passkey comes to the examiner when it is back."""
    passkey, pids = Passkey(), staff.ca.pids()
    link = staff.link("vera")
    wait_for("the link", lambda: "signed" in refused(403, staff.console().enroll, link, Passkey(), statement="x").detail)
    os.kill(pids["examiner-0"], signal.SIGSTOP)
    staff.console().enroll(link, passkey)
    os.kill(pids["examiner-0"], signal.SIGKILL)
    c = staff.console()
    c.log_in(passkey)
    os.kill(pids["registrar-0"], signal.SIGKILL)
    wait_for("the examiner", lambda: b64(passkey.id) in staff.examined())
    wait_for("the registrar", lambda: refused_or_none(c.change, "session/leave") in (None, 401))
    assert refused(401, c.get, "session").status == 401
    wait_for("all programs", staff.ca.ready)


# ---- approvals ----

def propose(staff, name):
    staff.ca.lintel("halt", "--name-suffix", name, "--reason", "a test")
    staff.ca.lintel("resume", "--name-suffix", name, "--yes")
    return next(p["id"] for p in staff.ca.json("plan", "list")["plans"] if p["status"] == "proposed")


def test_approvals_by_passkey(staff):
    """Two people approve in their browsers; the examiner, which believes nobody, lifts the halt."""
    plan = propose(staff, "lifted.example")
    paul, ada, otto = staff.inside("paul"), staff.inside("ada"), staff.inside("otto")
    assert "has not the role" in refused(403, otto.approve, plan, staff.passkeys["otto"]).detail
    for how in ({"text": "lintel-approval-v1\nplan=p0\n"}, {"origin": "https://evil.example"}, {"flags": PRESENT}, {"kind": "create"}):
        assert refused(403, paul.approve, plan, staff.passkeys["paul"], **how).status == 403
    assert "no passkey of paul" in refused(403, paul.approve, plan, staff.passkeys["ada"]).detail
    assert paul.approve(plan, staff.passkeys["paul"])["status"] == "proposed"
    assert refused(409, paul.approve, plan, staff.passkeys["paul"]).status == 409
    assert ada.approve(plan, staff.passkeys["ada"])["status"] == "approved"
    ada.change(f"plans/{plan}/run")
    wait_for("the examiner", lambda: ada.get(f"plans/{plan}")["status"] == "done")
    assert "lifted" in (staff.ca.folder / "examiner" / "halts").read_text()


def test_an_approval_is_for_one_plan(staff):
    one, two = propose(staff, "one.example"), None
    paul = staff.inside("paul")
    said = paul.statement(paul.get(f"plans/{one}"))
    two = propose(staff, "two.example")
    two = two if two != one else next(p["id"] for p in staff.ca.json("plan", "list")["plans"] if p["status"] == "proposed" and p["id"] != one)
    refused(403, paul.approve, two, staff.passkeys["paul"], text=said)
    assert paul.approve(one, staff.passkeys["paul"])["status"] == "proposed"


@pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed")
def test_on_a_server(tmp_path):
    """The same book in PostgreSQL: sessions and passkeys move there, and go on."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    server, s = Postgres(), Staff(tmp_path)
    s.ca.start()
    try:
        s.enroll("admin")
        c = s.inside("admin")
        s.ca.stop()
        move_to(s.ca, server.url)
        s.ca.start()
        assert c.get("session")["operator"] == "admin"
        plan = propose(s, "server.example")
        assert c.approve(plan, s.passkeys["admin"])["approvals"]
        s.enroll("admin")
        assert s.inside("admin").get("sessions")["sessions"][0]["state"] == "open"
        c.change("session/leave")
        assert not s.ca.json("audit", "verify")["findings"]
    finally:
        s.ca.stop()
        server.stop()


# ---- a real browser ----

def test_in_chromium(staff, chromium):
    """The pages as a person meets them; what the browser keeps, and what it does not give away."""
    with context_of(chromium) as page:
        journey(staff, page)


def journey(staff, page):
    cdp, origin = page.context.new_cdp_session(page), f"http://localhost:{staff.ca.operator_port}"
    cdp.send("WebAuthn.enable")
    device = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]

    page.goto(f"{origin}/console/certificates?x=1")  # nobody is logged in
    page.wait_for_url("**/console/login?next=*")
    look(page, "login")
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.locator("#log-in").click()
    page.get_by_text("No passkey was used").wait_for()
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})

    page.goto(f"{origin}/console/enroll#admin.AAAA")
    page.get_by_text("This link is cut off").wait_for()
    link = staff.link("otto")
    page.goto("about:blank")
    page.goto(link)
    page.locator("#enroll").wait_for()
    assert page.url == f"{origin}/console/enroll"  # the secret is not in the history
    look(page, "enroll")
    page.locator("#enroll").click()
    page.get_by_text("The link is used up").wait_for()
    page.locator("#log-in").click()
    page.wait_for_url("**/console/")
    assert page.evaluate("document.cookie") == ""
    kept = page.evaluate("""async () => {
      const open = indexedDB.open("lintel");
      const db = await new Promise((done) => { open.onsuccess = () => done(open.result); });
      const asked = db.transaction("session").objectStore("session").get("now");
      const entry = await new Promise((done) => { asked.onsuccess = () => done(asked.result); });
      const key = entry.keys.privateKey;
      return [key.extractable, await crypto.subtle.exportKey("pkcs8", key).then(() => "given away", (e) => e.name)];
    }""")
    assert kept == [False, "InvalidAccessError"]
    session = page.evaluate("async () => (await fetch('/api/v1/session')).json()")
    assert session["operator"] == "otto"

    again = page.context.new_page()  # another tab has the same session
    again.goto(f"{origin}/console/")
    again.get_by_text("Logged in as").first.wait_for(state="attached")
    staff.ca.lintel("operator", "sessions", "--end", session["session"])
    page.goto(f"{origin}/console/events")
    page.wait_for_url("**/console/login?next=*")
    page.locator("#log-in").click()
    page.wait_for_url("**/console/events")


def test_too_many_attempts(staff):
    mine, c = Passkey(), staff.console()
    staff.enroll("vera", mine)
    for _ in range(10):
        refused(403, c.log_in, mine, flags=PRESENT)
    late = refused(429, c.log_in, mine)
    assert 0 < int(late.headers["Retry-After"]) <= 61
    assert staff.inside("otto").get("session")["operator"] == "otto"  # nobody else waits
    for _ in range(80):
        try:
            c.log_in(Passkey())
        except Refused as e:
            if e.status == 429:
                break
    else:
        raise AssertionError("strangers may try for ever")
    assert staff.inside("otto").get("session")["operator"] == "otto"


def test_audit(staff):
    """What was signed in sessions and by passkeys is verified again, offline, out of the book."""
    staff.ca.stop()
    said = staff.ca.json("audit", "verify")
    assert not said.get("findings"), said
    assert said["passkeys"] > 0 and said["sessions"] > 0 and said["passkey_approvals"] >= 3, said
    lines = staff.ca.folder.parent / "events.jsonl"
    staff.ca.lintel("audit", "export", "--out", lines)
    assert staff.ca.json("audit", "verify", "--export", lines)["approvals"] >= 3
    text = lines.read_text()
    line = next(t for t in text.splitlines() if '"client_data"' in t)
    lines.write_text(text.replace(line, line.replace("count=", "count=9")))
    assert lines.read_text() != text
    assert staff.ca.lintel("audit", "verify", "--export", lines, check=False).returncode != 0
    db = staff.ca.folder / "book" / "lintel.db"
    copy = staff.ca.folder.parent / "lintel.db"
    with sqlite3.connect(db) as book:
        book.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    book.close()
    copy.write_bytes(db.read_bytes())
    for change in ("UPDATE console_passkey SET operator = 'otto' WHERE operator = 'paul'",
                   "UPDATE console_session SET spki = (SELECT spki FROM console_passkey LIMIT 1)",
                   "UPDATE approval SET operator = 'rita' WHERE passkey IS NOT NULL AND operator = 'ada'"):
        write(db, change)
        assert staff.ca.lintel("audit", "verify", check=False).returncode != 0, change
        for suffix in ("-wal", "-shm"):
            db.with_name(db.name + suffix).unlink(missing_ok=True)
        db.write_bytes(copy.read_bytes())
    staff.ca.start()

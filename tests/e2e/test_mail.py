"""The methods by mail: contacts in the DNS, letters through a real Postfix, and the page that they lead to."""
import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from conftest import wait_for
from postfix import Postfix, missing
from test_enroll import Site

pytestmark = pytest.mark.skipif(missing() != "", reason=missing())

LINK = re.compile(r"https://\S+/validate/([A-Za-z0-9_-]+)")


def configure(ca, port, sender="ca@ca.example", scheme="smtp"):
    path = ca.folder / "lintel.yaml"
    text = re.sub(r"(?m)^mail:\n(  .*\n)*", "", path.read_text())
    path.write_text(text + f"mail:\n  relay: {scheme}://127.0.0.1:{port}\n  from: {sender}\n")


class Office(Site):
    """A site whose CA writes letters."""

    def __init__(self, folder):
        super().__init__(folder, "--caa-identity", "ca.example.net")
        self.postfix = Postfix(folder / "postfix", tls=True)
        configure(self.ca, self.postfix.port)
        self.prepare()
        self.ca.start()
        self.tls = ssl.create_default_context(cafile=str(self.ca.root))

    def prepare(self):
        """Before the family starts."""

    def records(self, *lines):
        """Whole lines, as unbound takes them."""
        self.zone.records = list(lines)
        self.zone.write()
        self.zone.process.send_signal(signal.SIGHUP)
        wait_for("the new records", self.zone.is_there)

    def again(self, e, what, condition):
        """Asks again until it comes true: the resolver remembers for some seconds what was not there."""
        def look():
            return condition() or self.ca.lintel("enroll", "check", e["id"], "--no-wait", check=False) and None
        return wait_for(what, look, step=1.0)

    def letter(self, e, to=None, count=1):
        """The letters of one enrolment that have arrived, the first of them."""
        self.again(e, "somebody to write to", lambda: self.tokens(e))
        tokens = {row[0] for row in self.tokens(e)}

        def arrived():
            found = [m for m in self.postfix.letters(to) if digest(link(m)) in tokens]
            return found if len(found) >= count else None

        return wait_for(f"{count} letters; {self.postfix.log()[-2000:]}", arrived)[0]

    def tokens(self, e):
        """What the book has of the values that are still good: their digests."""
        return self.rows("SELECT m.token_sha256 FROM mail AS m JOIN order_authorization AS oa ON oa.authorization_id = "
                         "m.authorization_id WHERE oa.order_id = ? AND m.token IS NOT NULL", int(e["id"]))

    def mails(self, e):
        return self.rows("SELECT m.recipient, m.status, m.attempts, m.error FROM mail AS m JOIN order_authorization AS "
                         "oa ON oa.authorization_id = m.authorization_id WHERE oa.order_id = ? ORDER BY m.id",
                         int(e["id"]))

    def show(self, e):
        return self.ca.json("enroll", "show", e["id"])

    def page(self, token, data=None, kind="application/x-www-form-urlencoded", path="/validate/"):
        body = None if data is None else urllib.parse.urlencode(data).encode()
        request = urllib.request.Request(f"{self.ca.url}{path}{token}", data=body)
        if body is not None:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=20) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def events(self, kind, e):
        rows = self.rows("SELECT v.body FROM event AS v WHERE v.kind = ? ORDER BY v.sequence", kind)
        ids = {str(r[0]) for r in self.rows("SELECT authorization_id FROM order_authorization WHERE order_id = ?",
                                            int(e["id"]))}
        mine = {str(r[0]) for r in self.rows("SELECT id FROM mail WHERE authorization_id IN (%s)" % ",".join(ids))}
        return [b for b in (json.loads(r[0]) for r in rows) if b.get("mail") in mine]

    def stop(self):
        super().stop()
        self.postfix.stop()


def link(letter):
    return LINK.search(letter.get_content())[1]


def digest(token):
    return hashlib.sha256(token.encode()).digest()


def challenge(e, name=None):
    n = next(n for n in e["names"] if name is None or n["name"] == name)
    return n["challenges"][0]


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    made = Office(tmp_path_factory.mktemp("mail"))
    yield made
    made.stop()


def test_constructed(office):
    e = office.request("www.example.com", subscriber="Mail & Co", args=("--method", "email-constructed", "--contact",
                                                                        "hostmaster@example.com"))
    assert e["status"] == "pending"
    letter = office.letter(e)
    text = letter.get_content()
    assert letter["To"] == "hostmaster@example.com" and "ca@ca.example" in letter["From"]
    assert letter["Subject"] == "Approve a certificate for www.example.com?" and letter["Auto-Submitted"] == "auto-generated"
    assert "www.example.com" in text and "Mail & Co" in text and "BR 2.2.6 3.2.2.4.4" in text
    token = link(letter)
    assert len(token) >= 22
    assert "with ESMTPS" in letter["Received"]  # the relay offers TLS, so it is used
    wait_for("the relay's word", lambda: office.mails(e) == [("hostmaster@example.com", "sent", 1, None)])
    shown = office.ca.lintel("enroll", "show", e["id"]).stdout
    assert "letter to hostmaster@example.com: sent" in shown
    assert token not in shown + json.dumps(office.show(e))  # it belongs to who was written to

    for _ in range(3):  # filters look at links; that approves nothing
        status, html, headers = office.page(token)
        assert status == 200 and "www.example.com" in html and "Mail &#38; Co" in html and "hostmaster@example.com" in html
        assert "script" not in html and "default-src 'none'" in headers["Content-Security-Policy"]
    assert office.show(e)["status"] == "pending" and office.mails(e)[0][1] == "sent"

    status, html, _ = office.page(token, {"do": "approve"})
    assert status == 200 and "Approved" in html
    wait_for("the certificate", lambda: office.show(e)["status"] == "valid")
    assert office.mails(e)[0][1] == "approved" and office.tokens(e) == []
    (method, ruleset, ok), = office.rows(
        "SELECT d.method, d.rule_set, v.ok FROM evidence AS v JOIN dimension AS d ON d.id = v.dimension JOIN "
        "order_authorization AS oa ON oa.authorization_id = v.authorization_id WHERE oa.order_id = ?", int(e["id"]))
    assert (method, ruleset, ok) == ("email-constructed", "BR 2.2.6 3.2.2.4.4", 1)
    assert office.events("mail.approved", e)[0]["why"].startswith("on the page, from 127.0.0.1")

    story = office.ca.lintel("cert", "show", office.show(e)["serial"], "--evidence").stdout
    assert "hostmaster@example.com, by the link of a letter of 20" in story and "from 127.0.0.1" in story, story
    assert token not in story

    status, _, _ = office.page(token, {"do": "approve"})  # once
    assert status == 404
    assert office.page(token)[0] == 404


def test_every_letter_has_a_value_of_its_own(office):
    e = office.request("shop.example.com", subscriber="five", args=("--method", "email-constructed"))
    wait_for("both boxes that are there", lambda: [m[1] for m in office.mails(e)].count("sent") == 2)
    # administrator, webmaster and postmaster are no boxes here: the relay refuses them for good.
    wait_for("the others", lambda: [m[1] for m in office.mails(e)].count("refused") == 3)
    assert all("5.1.1" in m[3] for m in office.mails(e) if m[1] == "refused")
    assert {m[0] for m in office.mails(e)} == {f"{local}@example.com" for local in (
        "admin", "administrator", "webmaster", "hostmaster", "postmaster")}
    tokens = [r[0] for r in office.tokens(e)]
    assert len(set(tokens)) == 2
    first, second = office.letter(e, "admin@example.com"), office.letter(e, "hostmaster@example.com")
    assert {digest(link(first)), digest(link(second))} == set(tokens)
    status, html, _ = office.page(link(second), {"do": "decline"})
    assert status == 200 and "Declined" in html
    after = office.show(e)
    assert after["status"] == "invalid" and "declined" in after["error"]["detail"]
    assert office.page(link(first), {"do": "approve"})[0] == 404  # the other one is withdrawn
    assert sorted(m[1] for m in office.mails(e)) == ["declined", "refused", "refused", "refused", "withdrawn"]


def test_a_contact_in_caa(office):
    office.records('example.com. 0 IN CAA 0 contactemail "security@example.com"',
                   'example.com. 0 IN CAA 0 issue "ca.example.net"')
    e = office.request("deep.www.example.com", subscriber="caa", args=("--method", "email-caa-contact"))
    token = link(office.letter(e, "security@example.com"))
    assert office.page(token, {"do": "approve"})[0] == 200
    wait_for("the certificate", lambda: office.show(e)["status"] == "valid")


def test_a_contact_that_is_gone_when_it_answers(office):
    office.records('example.com. 0 IN CAA 0 contactemail "security@example.com"')
    e = office.request("www.example.com", subscriber="gone", args=("--method", "email-caa-contact"))
    token = link(office.letter(e, "security@example.com"))
    office.records('example.com. 0 IN CAA 0 contactemail "admin@example.com"')
    assert office.page(token, {"do": "approve"})[0] == 200
    error = wait_for("the validator's word", lambda: challenge(office.show(e)).get("error"))
    assert "does not hold the address security@example.com any more" in error["detail"]
    assert office.show(e)["status"] == "pending"
    office.records('example.com. 0 IN CAA 0 contactemail "security@example.com"')
    office.again(e, "the certificate", lambda: office.show(e)["status"] == "valid")  # it was a slip; the approval stands


def test_a_contact_in_txt(office):
    office.records('_validation-contactemail.example.com. 0 IN TXT "security@example.com"')
    e = office.request("shop.example.com", subscriber="txt", args=("--method", "email-txt-contact"))
    token = link(office.letter(e, "security@example.com"))
    assert office.page(token, {"do": "approve"})[0] == 200
    wait_for("the certificate", lambda: office.show(e)["status"] == "valid")


@pytest.mark.parametrize("record, method, words", [
    ('example.com. 0 IN CAA 0 contactemail "security@example.com, admin@example.com"', "email-caa-contact", "no mail address"),
    ('example.com. 0 IN CAA 0 contactemail "mailto:security@example.com"', "email-caa-contact", "no mail address"),
    ('example.com. 0 IN CAA 0 iodef "mailto:security@example.com"', "email-caa-contact", "no mail address"),
    ('_validation-contactemail.example.com. 0 IN TXT "Security <security@example.com>"', "email-txt-contact", "no mail address"),
    ('www.example.com. 0 IN TXT "security@example.com"', "email-txt-contact", "no mail address"),
    ('example.org. 0 IN CAA 0 contactemail "security@example.com"', "email-caa-contact", "no CAA record"),
])
def test_nobody_to_write_to(office, record, method, words):
    office.records(record)
    before = len(office.postfix.letters())
    e = office.request("www.example.com", subscriber="nobody", args=("--method", method))
    error = wait_for("the validator's word", lambda: challenge(office.show(e)).get("error"))
    assert words in error["detail"], error
    assert office.mails(e) == [] and len(office.postfix.letters()) == before
    office.ca.lintel("enroll", "cancel", e["id"], "--yes")


def test_links_that_lead_nowhere(office):
    office.records()
    e = office.request("www.example.com", subscriber="links", args=("--method", "email-constructed", "--contact",
                                                                    "admin@example.com"))
    token = link(office.letter(e))
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    for bad in (other, "x", token + "A", "..%2f" + token, ""):
        assert office.page(bad)[0] in (400, 404), bad
        assert office.page(bad, {"do": "approve"})[0] in (400, 404), bad
    assert office.page(token, {"do": "maybe"})[0] == 404
    assert office.page(token, {"do": "approve", "name": "evil.example"})[0] == 400
    assert office.page(token, {"do": "approve"}, kind="text/plain")[0] == 415
    assert office.page(token, {"do": "approve"}, path="/acme/resume/")[0] == 404
    assert office.mails(e)[0][1] == "sent"
    office.ca.lintel("enroll", "cancel", e["id"], "--yes")
    assert office.page(token)[0] == 404
    assert office.page(token, {"do": "approve"})[0] == 404


def test_a_name_that_caa_forbids(office):
    office.records('example.com. 0 IN CAA 0 issue ";"')
    e = office.request("www.example.com", subscriber="forbidden", args=("--method", "email-constructed", "--contact",
                                                                        "admin@example.com"))
    assert office.page(link(office.letter(e)), {"do": "approve"})[0] == 200
    error = wait_for("the validator's word", lambda: challenge(office.show(e)).get("error"))
    assert error["type"].endswith("caa") and office.show(e)["status"] == "pending"
    office.ca.lintel("enroll", "cancel", e["id"], "--yes")
    office.records()


def test_a_wildcard(office):
    e = office.request("*.example.com", subscriber="star", args=("--method", "email-constructed", "--contact",
                                                                 "admin@example.com"))
    letter = office.letter(e)
    assert letter["Subject"] == "Approve a certificate for *.example.com?"
    assert "every name directly below" in office.page(link(letter))[1]
    assert office.page(link(letter), {"do": "approve"})[0] == 200
    wait_for("the certificate", lambda: office.show(e)["status"] == "valid")


def test_the_relay_is_away_and_lintel_is_killed(office):
    """A letter is a row: it leaves when there is a relay again, unchanged, whoever was killed meanwhile."""
    office.postfix.pause()
    e = office.request("www.example.com", subscriber="away", args=("--method", "email-constructed", "--contact",
                                                                   "hostmaster@example.com"))
    wait_for("a failure", lambda: office.mails(e)[0][3])
    recipient, status, attempts, error = office.mails(e)[0]
    assert (status, attempts) == ("queued", 1) and "127.0.0.1" in error
    wait_for("the alarm", lambda: [x["what"] for x in office.ca.json("status")["family"]["silent"]] == ["mail relay"])
    doctor = office.ca.lintel("doctor", check=False)
    assert doctor.returncode == 6 and "mail relay: no answer since" in doctor.stdout and "letters wait" in doctor.stdout
    value = office.tokens(e)[0][0]
    for pid in office.ca.pids().values():
        os.kill(pid, signal.SIGKILL)
    office.ca.process.kill()
    office.ca.process.wait(20)
    office.postfix.start()
    with sqlite3.connect(office.ca.folder / "book" / "lintel.db") as book:  # the minute until the next attempt goes by
        ((pause,),) = book.execute("SELECT (due_us - created_us) / 1000000 FROM mail WHERE token_sha256 = ?", (value,))
        assert 60 <= pause < 90
        book.execute("UPDATE mail SET due_us = due_us - 60000000 WHERE token_sha256 = ?", (value,))
    office.ca.start()
    assert office.tokens(e)[0][0] == value

    def arrived():
        return next((m for m in office.postfix.letters() if digest(link(m)) == value), None)

    try:
        letter = wait_for("the letter", arrived, 90)
    except AssertionError:
        raise AssertionError(f"{office.mails(e)}\n{office.postfix.log()[-4000:]}\n{office.ca.log_tail()}") from None
    assert office.ca.json("status")["family"]["silent"] == []
    token = link(letter)
    assert letter["To"] == "hostmaster@example.com"
    assert office.page(token, {"do": "approve"})[0] == 200
    wait_for("the certificate", lambda: office.show(e)["status"] == "valid")


def test_a_relay_that_nobody_vouches_for(office):
    """smtps means a certificate that counts; a letter waits rather than go to anybody."""
    office.ca.stop()
    configure(office.ca, office.postfix.tls_port, scheme="smtps")
    office.ca.start()
    e = office.request("www.example.com", subscriber="smtps", args=("--method", "email-constructed", "--contact",
                                                                    "admin@example.com"))
    wait_for("a failure", lambda: office.mails(e) and office.mails(e)[0][3])
    (_, status, _, error), = office.mails(e)
    assert status == "queued" and "certificate" in error, error
    assert not [m for m in office.postfix.letters() if digest(link(m)) == office.tokens(e)[0][0]]
    office.ca.lintel("enroll", "cancel", e["id"], "--yes")
    office.ca.stop()
    configure(office.ca, office.postfix.port)
    office.ca.start()


class Rogue:
    """A relay that answers each line by a table; what it says is a stranger's."""

    def __init__(self, answers, greeting=b"220 rogue ESMTP\r\n"):
        self.answers, self.greeting = answers, greeting
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            try:
                with c, c.makefile("rb") as lines:
                    c.sendall(self.greeting)
                    for line in lines:
                        word = line[:4].upper()
                        if word in self.answers:
                            if self.answers[word] is None:
                                break
                            c.sendall(self.answers[word])
            except OSError:
                pass

    def stop(self):
        self.socket.close()


FINE = {b"EHLO": b"250 rogue\r\n", b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n", b"DATA": b"354 go on\r\n",
        b".\r\n": b"250 taken\r\n", b"QUIT": b"221 bye\r\n"}


@pytest.mark.parametrize("change, greeting, status, words", [
    ({}, None, "sent", ""),
    ({b".\r\n": b"554 5.7.1 looks like spam\r\n"}, None, "refused", "554 5.7.1 looks like spam"),
    ({b".\r\n": b"451 4.3.0 disk full\r\n"}, None, "queued", "451 4.3.0 disk full"),
    ({b"RCPT": b"550-5.1.1 nobody\r\n550 5.1.1 of that name\r\n"}, None, "refused", "5.1.1"),
    ({b"MAIL": b"550 5.7.1 not from you\r\n"}, None, "queued", "not from you"),  # people mend that
    ({b"EHLO": b"502 no\r\n", b"HELO": b"502 no\r\n"}, None, "queued", ""),
    ({b"DATA": None}, None, "queued", ""),
    ({b".\r\n": None}, None, "queued", ""),
    ({}, b"554 go away\r\n", "queued", ""),
    ({}, b"\x00\xff" * 4000 + b"\r\n", "queued", ""),
    ({}, b"220-" + b"a" * 3000000, "queued", ""),
    ({b"RCPT": b"550 \x1b[2J\x07<script>\xff" + b"x" * 5000 + b"\r\n"}, None, "refused", "550 ?[2J?<script>?"),
    ({b"RCPT": b"250 ok\r\n250 ok\r\n250 ok\r\n"}, None, "queued", ""),
])
def test_a_relay_that_says_anything(office, change, greeting, status, words):
    rogue = Rogue({**FINE, **change}, *([greeting] if greeting else []))
    office.ca.stop()
    configure(office.ca, rogue.port)
    office.ca.start()
    courier = office.ca.pids()["courier-0"]
    e = office.request("www.example.com", subscriber=f"rogue {rogue.port}", args=(
        "--method", "email-constructed", "--contact", "admin@example.com"))
    try:
        def settled():
            (_, now, _, error), = office.mails(e)
            return (now, error or "") if now != "queued" or error else None

        now, error = wait_for("the relay's word", settled, 40)
        assert now == status and words in error, (now, error)
        assert len(error) < 400 and error.isprintable()
        assert office.ca.pids()["courier-0"] == courier  # it has not even stumbled
    finally:
        rogue.stop()
        office.ca.lintel("enroll", "cancel", e["id"], "--yes")
        office.ca.stop()
        configure(office.ca, office.postfix.port)
        office.ca.start()


def test_not_in_acme(office):
    """Nobody can have letters sent by ordering a name."""
    from acmeclient import Client
    user = Client(office.ca.directory, office.ca.root, office.web.challenges)
    user.register()
    _, order = user.order("www.example.com")
    authorization = user.post(order["authorizations"][0], None).json()
    assert not any(c["type"].startswith("email") for c in authorization["challenges"])


def test_without_a_relay(office, tmp_path):
    result = office.ca.lintel("config", "check", check=False)
    assert result.returncode == 0, result.stderr
    path = office.ca.folder / "lintel.yaml"
    good = path.read_text()
    for relay, sender, words in (("http://127.0.0.1", "ca@ca.example", "mail.relay"), ("smtp://", "ca@ca.example", "mail.relay"),
                                 ("smtp://h/x", "ca@ca.example", "mail.relay"), ("smtp://h", "ca", "mail.from"),
                                 ("smtp://h", "CA <ca@ca.example>", "mail.from"), ("smtp://h", "", "mail.from"),
                                 ("", "ca@ca.example", "mail.relay")):
        path.write_text(re.sub(r"(?m)^mail:\n(  .*\n)*", f"mail:\n  relay: \"{relay}\"\n  from: \"{sender}\"\n", good))
        result = office.ca.lintel("config", "check", check=False)
        assert result.returncode != 0 and words in result.stderr + result.stdout, (relay, sender, result.stderr)
    path.write_text(re.sub(r"(?m)^mail:\n(  .*\n)*", "", good))
    office.ca.stop()
    office.ca.start()
    assert "courier-0" not in office.ca.pids()
    assert "sends no mail" in office.refused("request", office.csr("www.example.com"), "--subscriber", "x", "--method",
                                             "email-constructed")


def test_the_courier_maps_the_libraries_of_the_table(office):
    from test_libraries import allowed, mapped
    if "courier-0" not in office.ca.pids():
        office.ca.stop()
        configure(office.ca, office.postfix.port)
        office.ca.start()
    libraries, files = mapped(office.ca.pids()["courier-0"], "courier")
    assert libraries == allowed()["courier"][0] and files <= allowed()["courier"][1]

"""What the incident desk says to people and machines: through a real Postfix and to a real HTTP server; who is on call; what anybody
may look up of an incident."""
import base64
import csv
import hashlib
import hmac
import http.server
import json
import os
import re
import signal
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from acmeclient import Client
from conftest import Ca, Dns, Webroot, free_port, wait_for
from postfix import Postfix, missing

pytestmark = pytest.mark.skipif(missing() != "", reason=missing())


class Hook:
    """Keeps what it is given; answers with the statuses of its list, then 204."""

    def __init__(self, statuses=()):
        self.requests = []
        self.statuses = list(statuses)
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                hook.requests.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/in"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Desk:
    def __init__(self, folder):
        for part in (folder, folder.parent, folder.parent.parent):  # Postfix and the roles' own users pass through
            part.chmod(0o755)
        self.postfix = Postfix(folder / "postfix")
        self.dns = Dns(folder)
        self.web = Webroot(folder / "web", free_port())
        self.ca = Ca(folder, self.dns.port, self.web.port)
        path = self.ca.folder / "lintel.yaml"
        path.write_text(path.read_text() + f"mail:\n  relay: smtp://127.0.0.1:{self.postfix.port}\n  from: ca@ca.example\n"
                                           "hooks:\n  send: true\n")
        self.ca.start()
        self.tls = ssl.create_default_context(cafile=str(self.ca.root))

    def stop(self):
        self.ca.stop()
        for part in (self.web, self.dns, self.postfix):
            part.stop()

    def notice(self, number):
        return self.ca.json("notice", "show", number)

    def send(self, *to, about="incident 900", title="Hello", text="One.\nTwo."):
        return self.ca.json("notice", "send", "--about", about, *to, "--title", title, "--text", text, "--yes")["id"]

    def page(self, path, **fields):
        body = urllib.parse.urlencode(fields).encode() if fields else None
        url = path if path.startswith("https") else self.ca.url + path
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), context=self.tls) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def letter(self, to, subject):
        return wait_for(f"a letter; {self.postfix.log()[-600:]}",
                        lambda: next((m for m in self.postfix.letters(to) if subject in m["Subject"]), None))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    made = Desk(tmp_path_factory.mktemp("notice"))
    try:
        yield made
    finally:
        made.stop()


def test_a_letter_and_its_proof(desk):
    dry = desk.ca.lintel("notice", "send", "--about", "incident 900", "--mail", "admin@example.com", "--title", "x", "--text", "y")
    assert "would send a notice" in dry.stdout
    number = desk.send("--mail", "admin@example.com", title="Grüße an alle, die Zertifikate von uns haben, und an andere")
    sent = wait_for("the relay", lambda: desk.notice(number)["status"] == "sent" and desk.notice(number))
    letter = desk.letter("admin@example.com", "Grüße an alle")
    assert letter["Message-ID"] == f"<notice-{number}.{sent['token']}@localhost>"
    assert letter.get_content().startswith("One.\nTwo.\n") and "about incident 900" in letter.get_content()
    assert sent["said"].startswith("250 ") and letter["Received"].split(" id ")[1].split(";")[0].split()[0] in sent["said"]
    told = desk.ca.json("event", "list", "--all")["events"]
    proof = [e for e in told if e["kind"] == "notice.sent" and e["subject"] == "incident 900"]
    assert proof and proof[0]["body"]["said"] == sent["said"]
    assert "Subject: [(the CA)] Grüße" in desk.ca.lintel("notice", "show", number).stdout


def test_a_letter_that_comes_back(desk):
    number = desk.send("--mail", "nobody@example.com")
    back = wait_for("the refusal", lambda: desk.notice(number)["status"] == "bounced" and desk.notice(number))
    assert "5.1.1" in back["said"]
    assert desk.ca.lintel("notice", "returned", number, "--token", "00", check=False).returncode == 3
    later = desk.send("--mail", "admin@example.com", title="Goes first")
    wait_for("the relay", lambda: desk.notice(later)["status"] == "sent")
    assert desk.ca.lintel("notice", "returned", later, "--token", "00", check=False).returncode == 3
    desk.ca.lintel("notice", "returned", later, "--token", desk.notice(later)["token"], "--status", "5.2.1", "--words", "full")
    assert desk.notice(later)["said"] == "returned: 5.2.1 full"
    desk.ca.lintel("notice", "again", later)
    wait_for("the relay", lambda: desk.notice(later)["status"] == "sent")


def test_a_delivery_report(desk):
    """As a relay sends it days later, by the pipe that takes all mail of the desk; nobody else's word counts."""
    number = desk.send("--mail", "security@example.com", title="To somebody who left")
    wait_for("the relay", lambda: desk.notice(number)["status"] == "sent")
    letter = desk.letter("security@example.com", "To somebody who left")
    report = ("From: MAILER-DAEMON@mail.example.net\r\nTo: <ca@ca.example>\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
              "Message-ID: <{0}@mail.example.net>\r\nAuto-Submitted: auto-replied\r\n"
              "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"b\"\r\n\r\n--b\r\n"
              "Content-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
              "Reporting-MTA: dns; mail.example.net\r\n\r\nFinal-Recipient: rfc822; security@example.com\r\nAction: failed\r\n"
              "Status: 5.2.1\r\nDiagnostic-Code: smtp; 550 5.2.1 mailbox closed\r\n\r\n--b\r\n"
              "Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: {1}\r\n\r\n--b--\r\n")
    forged = re.sub(r"\.[0-9a-f]+@", ".0000000000000000@", letter["Message-ID"])
    desk.ca.lintel("problem", "ingest", input=report.format("1", forged))
    desk.ca.lintel("problem", "ingest", input=report.format("2", letter["Message-ID"]))
    back = wait_for("the report", lambda: desk.notice(number)["status"] == "bounced" and desk.notice(number))
    assert back["said"].startswith("returned: 5.2.1") and "mailbox closed" in back["said"]


def test_what_is_restricted_is_not_listed(desk):
    number = desk.ca.json("incident", "open", "A hole", "--restricted", "--source", "person")["id"]
    sent = desk.send("--mail", "security@example.com", about=f"incident {number}", title="A hole")
    listed = desk.ca.json("notice", "list", "--about", f"incident {number}")["notices"]
    assert [n for n in listed if n["id"] == sent] and not any("to" in n or "said" in n for n in listed)
    shown = desk.ca.lintel("notice", "show", sent, check=False)
    assert shown.returncode != 0 and "restricted" in shown.stderr


def test_hooks(desk):
    hook, gone = Hook([503]), Hook([410])
    try:
        added = desk.ca.json("hook", "add", "pager", hook.url)
        desk.ca.lintel("hook", "add", "gone", gone.url)
        number = desk.send("--hook", "pager", title="To a machine")
        refused = desk.send("--hook", "gone")
        wait_for("410", lambda: desk.notice(refused)["status"] == "refused")
        assert desk.notice(refused)["said"] == "127.0.0.1: status 410"
        wait_for("503, then 204", lambda: desk.notice(number)["status"] == "sent", 30)
        assert len(hook.requests) == 2 and desk.notice(number)["attempts"] == 2
        secret = base64.b64decode(added["secret"].removeprefix("whsec_"))
        for path, headers, body in hook.requests:
            fields = {k.lower(): v for k, v in headers.items()}
            signed = f"{fields['webhook-id']}.{fields['webhook-timestamp']}.".encode() + body
            mac = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
            assert path == "/in" and fields["webhook-signature"] == f"v1,{mac}"
            said = json.loads(body)
            assert said["type"] == "message" and said["data"]["title"] == "To a machine" and said["about"] == "incident 900"
        assert hook.requests[0][1]["webhook-id"] == hook.requests[1][1]["webhook-id"]
        assert added["secret"] not in desk.ca.lintel("event", "list", "--all", "--json").stdout
        desk.ca.lintel("hook", "remove", "gone", "--yes")
        assert desk.ca.lintel("notice", "send", "--about", "x", "--hook", "gone", "--title", "t", "--text", "t", "--yes",
                              check=False).returncode == 3
    finally:
        hook.stop()
        gone.stop()


def test_an_alarm_until_somebody_has_it(desk):
    desk.ca.lintel("oncall", "set", "ann", "--place", 1, "--mail", "security@example.com")
    desk.ca.lintel("oncall", "set", "bob", "--place", 2, "--mail", "admin@example.com", "--hook", "pager")
    desk.ca.lintel("oncall", "set", "--turn", "7d", "--step", "1m")
    assert desk.ca.json("oncall", "show")["on_call"] == "ann"
    desk.ca.lintel("oncall", "override", "bob", "--until", "2099-01-01", "--why", "swapped")
    assert desk.ca.json("oncall", "show")["on_call"] == "bob"
    assert desk.ca.json("oncall", "show", "--at", "2099-06-01")["on_call"] in ("ann", "bob")
    desk.ca.lintel("oncall", "test", "--severity", "critical", "--yes")
    letter = desk.letter("admin@example.com", "critical alarm")
    link = re.search(r"https://\S+/oncall/\S+", letter.get_content())[0]
    status, html = desk.page(link)
    assert status == 200 and "Yes, I have it" in html
    assert desk.ca.json("oncall", "alarms")["alarms"][0]["status"] == "calling"  # who only looks has said nothing
    status, html = desk.page(link, do="ack")
    assert status == 200 and "is answered" in html
    alarm = desk.ca.json("oncall", "alarms")["alarms"][0]
    assert alarm["status"] == "acknowledged" and "its link" in alarm["by"]
    assert "acknowledged by its link" in desk.ca.lintel("oncall", "ack", alarm["id"]).stdout
    assert desk.page(link[:-1] + ("y" if link[-1] == "x" else "x"))[0] == 404
    assert desk.ca.lintel("oncall", "ack", 99, check=False).returncode == 3


@pytest.fixture(scope="module")
def incident(desk):
    """Five certificates of two subscribers, one of which is told by a machine; all but one are of the scope."""
    first = Client(desk.ca.directory, desk.ca.root, desk.web.challenges)
    first.register("mailto:hostmaster@example.com")
    second = Client(desk.ca.directory, desk.ca.root, desk.web.challenges)
    answer = second.post(second.directory["newAccount"], {"termsOfServiceAgreed": True})
    second.kid = answer.headers["Location"]
    for name in ("a.example.com", "b.example.com", "c.example.com"):
        first.issue(name)
    second.issue("d.example.com")
    second.issue("out.example.org")
    number = desk.ca.json("incident", "open", "Names of example.com", "--source", "post-issuance", "--cause", "caa-unreliable")["id"]
    desk.ca.lintel("incident", "scope", number, "suffix = example.com and not expired", "--yes")
    desk.ca.lintel("incident", "plan", number, "--yes")
    return number, first, second


def test_everybody_is_told_and_may_look(desk, incident):
    number, first, second = incident
    hook = Hook()
    desk.ca.lintel("hook", "add", "platform", hook.url, "--account", second.kid.rsplit("/", 1)[1])
    desk.ca.lintel("incident", "notify", number, "--why", "a name was not checked", "--publish", "--yes")
    for role in ("registrar-0", "publisher-0"):
        os.kill(desk.ca.pids()[role], signal.SIGKILL)
    wait_for("the family", lambda: desk.ca.lintel("notice", "many", check=False).returncode == 0)
    letter = desk.letter("hostmaster@example.com", "3 of your certificates")
    account = first.kid.rsplit("/", 1)[1]
    assert "why:      a name was not checked" in letter.get_content()
    assert f"{desk.ca.url}/affected/account/{account}" in letter.get_content()
    many = wait_for("all of them", lambda: next((b for b in desk.ca.json("notice", "many")["batches"]
                                                 if b["about"] == f"incident {number}" and b["status"] == "done"), None))
    assert (many["certificates"], many["accounts"], many["notices"], many["unreached"], many["sent"]) == (4, 2, 2, 0, 2)
    told = json.loads(hook.requests[0][2])
    assert told["type"] == "affected" and told["data"]["certificates"] == "1" and told["data"]["why"] == "a name was not checked"
    hook.stop()
    assert len([m for m in desk.postfix.letters("hostmaster@example.com") if "3 of your" in m["Subject"]]) == 1
    listed = wait_for("the list", lambda: next((e for e in desk.ca.json("notice", "lists")["lists"] if e["published"]), None))
    status, text = desk.page(f"/affected/{number}.csv")
    assert status == 200 and hashlib.sha256(text.encode()).hexdigest() == listed["sha256"]
    rows = list(csv.DictReader(text.splitlines()[1:]))
    hit = {c["serial"] for c in desk.ca.json("cert", "list", "--suffix", "example.com", "--all")["certificates"]}
    assert {r["serial"] for r in rows} == hit and len(rows) == listed["rows"] == 4
    row = next(r for r in rows)
    for path in (f"certificate/{row['serial']}", f"certificate/{row['sha256']}", f"account/{account}", f"incident/{number}"):
        status, html = desk.page(f"/affected/{path}")
        assert status == 200 and "a name was not checked" in html, path
        assert "script" not in html
    status, html = desk.page("/affected", q="B.example.com")
    assert status == 200 and "Yes: certificates must be replaced" in html and "not replaced" in html
    status, text = desk.page(f"/affected/account/{account}.json")
    looked = json.loads(text)
    assert len(looked["certificates"]) == 3 and looked["incidents"][0]["of_account"] == 3


def test_what_is_in_no_list_is_not_told(desk, incident):
    number, _, second = incident
    out = desk.ca.json("cert", "list", "--suffix", "example.org", "--all")["certificates"][0]
    for asked in (out["serial"], "out.example.org", "00ff", "no.example.net", "1234567"):
        status, html = desk.page("/affected", q=asked)
        assert status == 200 and "in no list" in html and out["serial"] not in html, asked
    for path, status in (("/affected", 200), ("/affected/", 200), ("/affected/certificate/zz", 400), ("/affected/account/x", 400),
                         ("/affected/nothing", 404), ("/affected/9999.csv", 404), ("/affected/../ca/root.csv", 400),
                         (f"/affected/{number}.csv/x", 404), ("/affected?x=1", 404)):
        assert desk.page(path)[0] == status, path
    assert desk.page("/affected", q="")[0] == 400
    desk.ca.lintel("notice", "withdraw", number, "--yes")
    assert "No incident has a list" in desk.page("/affected")[1]
    wait_for("the file to go", lambda: desk.page(f"/affected/{number}.csv")[0] == 404)
    assert desk.page("/affected", q="x" * 400)[0] == 400
    assert desk.ca.lintel("audit", "verify").returncode == 0

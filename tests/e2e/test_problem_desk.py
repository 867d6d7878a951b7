"""The problem desk, as reporters and operators meet it: letters by a pipe, the public form, the API, notes of calls; what
becomes of them, and that nothing is lost."""
import base64
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from email.message import EmailMessage
from pathlib import Path

import pytest
from acmeclient import Client
from conftest import LINTEL, Ca, Dns, Webroot, free_port, wait_for
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from postfix import Postfix, missing

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import proof_vectors as made  # noqa: E402


class Site:
    def __init__(self, folder):
        for part in (folder, *folder.parents[:3]):
            part.chmod(0o755)
        self.dns = Dns(folder)
        self.port = free_port()
        self.webroot = Webroot(folder / "webroot", self.port)
        self.ca = Ca(folder, self.dns.port, self.port)
        self.postfix = None
        if not missing():
            self.postfix = Postfix(folder / "postfix", boxes=("owner", "reporter", "problems"))
            path = self.ca.folder / "lintel.yaml"
            path.write_text(path.read_text() + f"mail:\n  relay: smtp://127.0.0.1:{self.postfix.port}\n  from: ca@ca.example\n")
        self.ca.start()
        self.ca.lintel("operator", "add", "mail", "--role", "intake")
        os.kill(self.ca.process.pid, signal.SIGHUP)
        self.client = Client(self.ca.directory, self.ca.root, self.webroot.challenges)
        self.client.register("mailto:owner@example.com")
        self.tls = ssl.create_default_context(cafile=str(self.ca.root))

    def stop(self):
        self.ca.stop()
        if self.postfix is not None:
            self.postfix.stop()
        self.webroot.stop()
        self.dns.stop()

    def ingest(self, raw, *options, check=True, operator="mail"):
        p = subprocess.run([str(LINTEL), "problem", "ingest", "--json", "--operator", operator, *options], input=raw,
                           capture_output=True, env={**os.environ, "LINTEL_DIR": str(self.ca.folder)}, timeout=60)
        assert not check or p.returncode == 0, p.stderr
        return json.loads(p.stdout)["reports"][0]["id"] if p.returncode == 0 else p

    def show(self, number):
        return self.ca.json("problem", "show", number)

    def settled(self, number):
        return wait_for(f"problem {number} to be read", lambda: (s := self.show(number))["reading"] in ("done", "failed", "none") and s)

    def page(self, url, **fields):
        data = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            with urllib.request.urlopen(url, data, timeout=20, context=self.tls) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    built = Site(tmp_path_factory.mktemp("desk"))
    yield built
    built.stop()


def letter(body, subject="a problem", sender="reporter@example.com", **heads):
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = sender, "problems@example.com", subject
    m["Message-ID"] = f"<{os.urandom(8).hex()}@example.com>"
    for name, value in heads.items():
        m[name.replace("_", "-")] = value
    m.set_content(body)
    return m


def serial_of(chain):
    from cryptography import x509
    return format(x509.load_pem_x509_certificate(chain.encode()).serial_number, "032x")


def test_a_letter_its_triage_and_its_findings(site):
    serial = serial_of(site.client.issue("a.example.com"))
    number = site.ingest(bytes(letter(f"The certificate with serial {serial} breaks BR 7.1.2.7.6.")))
    report = site.settled(number)
    assert (report["status"], report["kind"], report["channel"]) == ("open", "report", "mail")
    assert report["contact"] == "reporter@example.com"
    assert [a["known"] for a in report["about"] if a["kind"] == "serial"] == [True]
    clock = report["clocks"][0]
    assert (clock["duty"], clock["status"]) == ("cpr-findings", "open")

    triage = site.ca.json("problem", "triage", number, "--record", "looked at")
    assert triage["certificates_known"] == 1
    one = triage["certificates"][0]
    assert one["certificate"]["serial"] == serial and one["certificate"]["build"] and one["certificate"]["rule_set"]
    checks = one["certificate"]["names"][0]["checks"]
    assert checks and checks[0]["method"] == "http-01"
    clause = one["clauses"][0]
    assert clause["clause"] == "CABF-BR 7.1.2.7.6" and clause["rules"]
    assert {r["then"] for r in clause["rules"]} == {"no finding"}
    assert {r["now"] for r in clause["rules"]} <= {"pass", "NA", "NE"}

    assert "would" in site.ca.lintel("problem", "findings", number, "--decision", "none", "--text", "All is well.").stdout
    assert site.show(number)["status"] == "open"
    early = site.ca.lintel("problem", "close", number, "--text", "done", check=False)
    assert early.returncode != 0 and "findings" in early.stderr
    # Waiting for somebody stops no clock.
    site.ca.lintel("problem", "wait", number, "--on", "requester", "--text", "asked the owner")
    waiting = site.show(number)
    assert waiting["status"] == "waiting-requester"
    assert (waiting["clocks"][0]["due"], waiting["clocks"][0]["status"]) == (clock["due"], "open")
    site.ca.lintel("problem", "findings", number, "--decision", "none", "--text", "Issued as the rules say.", "--yes")
    if site.postfix is None:
        pytest.skip("no mail server: what follows are letters")
    wait_for("findings to be delivered", lambda: site.show(number)["told"], 30)
    report = site.show(number)
    assert report["clocks"][0]["status"] == "met"
    findings = [n for n in report["notices"] if "findings" in n["kind"]]
    assert {n["to"] for n in findings} == {"reporter@example.com", "owner@example.com"}
    assert all(n["status"] == "sent" and n["said"] for n in findings)  # the proof: what the relay said
    to_filer = [m for m in site.postfix.letters() if m["To"] == "reporter@example.com"]
    assert any(f"problem {number}" in m["Subject"] and "received" in m["Subject"] for m in to_filer)
    assert any("Issued as the rules say." in m.get_content() for m in to_filer)
    site.ca.lintel("problem", "close", number, "--text", "nothing is open")
    assert site.show(number)["status"] == "closed"


@pytest.mark.skipif(bool(missing()), reason="no mail server")
def test_the_page_of_a_case_and_its_thread(site):
    number = site.ingest(bytes(letter("www.example.com has a certificate that nobody of us asked for")))
    site.settled(number)
    letter_ = wait_for("the acknowledgement", lambda: [m for m in site.postfix.letters() if f"problem {number}:" in m["Subject"]])[0]
    url = re.search(r"https://\S+/problem/\S+", letter_.get_content())[0]
    status, page = site.page(url)
    assert status == 200 and f"problem {number}" in page and "nobody of us asked for" in page
    assert site.page(url, do="say", text="It is our shop, too.")[0] == 200
    site.ca.lintel("problem", "reply", number, "--text", "Which shop?", "--wait")
    assert site.show(number)["status"] == "waiting-reporter"
    question = wait_for("the question", lambda: [m for m in site.postfix.letters() if "Which shop?" in m.get_content()])[0]
    # An answer to it by mail is a word in the thread, and no case of its own.
    answer = letter("The one in the market.", "Re: " + question["Subject"], In_Reply_To=question["Message-ID"])
    follow = site.ingest(bytes(answer))
    assert site.settled(follow)["kind"] == "follow-up"
    thread = site.show(number)
    assert thread["status"] == "open"
    assert [w["text"].strip() for w in thread["thread"] if w["kind"] == "follow-up"] == \
        ["It is our shop, too.", "The one in the market."]
    # The same from a stranger hides nothing: it is a report.
    stranger = letter("I guess numbers.", "Re: x", "other@example.com", In_Reply_To=question["Message-ID"])
    assert site.settled(site.ingest(bytes(stranger)))["kind"] == "report"
    guessed = re.sub(r"\.[0-9a-f]+@", ".0000000000000000@", question["Message-ID"])
    assert site.settled(site.ingest(bytes(letter("As if I were them.", "Re: x", In_Reply_To=guessed))))["kind"] == "report"
    assert site.page(url + "x")[0] == 404


def test_a_reporter_shows_that_a_domain_is_theirs(site):
    number = site.ca.json("problem", "open", "--channel", "phone", "--text", "says that b.example.com is theirs",
                          "--about", "b.example.com", "--reporter", "A. Nobody")["id"]
    words = site.ca.json("problem", "domain", number, "--name", "b.example.com", "--method", "website-change")["words"]
    value = re.search(r"with (\S+);", words)[1]
    site.ca.lintel("problem", "domain-check", number, "--name", "b.example.com")
    assert not site.show(number)["domains"][0]["proven"]
    place = site.webroot.folder / ".well-known" / "pki-validation"
    place.mkdir(exist_ok=True)
    (place / "lintel.txt").write_text(value)

    def proven():
        site.ca.lintel("problem", "domain-check", number, "--name", "b.example.com", check=False)
        return site.show(number)["domains"][0]["proven"]
    wait_for("the validator", proven, 20, 0.5)
    assert site.show(number)["authority"] == "domain"
    refused = site.ca.lintel("problem", "domain", number, "--name", "not a name", check=False)
    assert refused.returncode != 0


def test_what_is_worth_little_is_ranked_and_kept(site):
    spam = site.settled(site.ingest(bytes(letter("Cheap loans for all of you, my friends, write now!"))))
    takedown = site.settled(site.ingest(bytes(letter("Phishing! Take down https://bad.example/login at once."))))
    serial = serial_of(site.client.issue("c.example.com"))
    first = site.settled(site.ingest(bytes(letter(f"serial {serial} is misissued", sender="one@example.com"))))
    second = site.settled(site.ingest(bytes(letter(f"please look at serial {serial}", sender="two@example.com"))))
    broken = site.settled(site.ingest(b"\x00\x01 no letter at all"))
    assert takedown["kind"] == "takedown"
    assert spam["rank"] < takedown["rank"] < broken["rank"] < second["rank"] < first["rank"]
    assert second["same_as"] == first["id"]
    for one in (spam, takedown, first, second, broken):  # each has its clock, whatever it is worth
        assert one["clocks"][0]["status"] == "open"
    site.ca.lintel("problem", "edit", second["id"], "--cause", "key-compromise")
    assert "key" in site.show(second["id"])["rank_why"]
    # Findings of the first are given to who filed the same.
    site.ca.lintel("problem", "findings", first["id"], "--decision", "revoke", "--text", "It is so.", "--yes", "--same")
    assert site.show(second["id"])["decision"] == "revoke"
    listed = site.ca.json("problem", "list", "--status", "open")["problems"]
    assert [p["rank"] for p in listed] == sorted((p["rank"] for p in listed), reverse=True)


def test_the_same_letter_twice_is_one_report(site):
    raw = bytes(letter("serial 0123456789abcdef0123456789abcdef is wrong"))
    assert site.ingest(raw) == site.ingest(raw)


def test_a_large_letter_with_a_proof_is_acted_on_in_time(site, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    plain, client = Client.csr, site.client
    client.csr = lambda names, key_=None: plain(names, key)
    try:
        serial = serial_of(client.issue("d.example.com"))
    finally:
        del client.csr
    m = letter("The key is public, see the request.")
    m.add_attachment(made.request(key, "kca=v1 This Key Is Compromised", True), maintype="application", subtype="pkcs10",
                     filename="proof.csr")
    m.add_attachment(os.urandom(10 * 1024 * 1024), maintype="application", subtype="octet-stream", filename="big.bin")
    number = site.ingest(bytes(m))
    begun = time.monotonic()
    wait_for("it to be revoked", lambda: site.ca.json("cert", "show", serial)["status"] == "revoked", 5)
    assert time.monotonic() - begun < 5
    report = site.show(number)
    assert report["rank"] == 100 and report["decision"] == "revoke"
    assert {f["name"] for f in report["files"]} == {"proof.csr", "big.bin"}
    raw = subprocess.run([str(LINTEL), "problem", "raw", str(number)], capture_output=True, check=True,
                         env={**os.environ, "LINTEL_DIR": str(site.ca.folder)}).stdout
    assert raw == bytes(m)


def test_a_private_key_is_not_kept(site):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret = pem.decode().splitlines()[1]
    m = letter("found this on a public page")
    m.add_attachment(pem, maintype="application", subtype="octet-stream", filename="key.pem")
    number = site.ingest(bytes(m))
    report = site.settled(number)
    assert report["kept_sha256"] and report["raw_sha256"] != report["kept_sha256"]
    kept = site.ca.lintel("problem", "raw", number).stdout
    assert secret not in kept and base64.b64encode(secret.encode()).decode() not in kept and "SHA-256" in kept
    assert secret not in json.dumps(report)


def test_the_form(site):
    status, page = site.page(f"{site.ca.url}/problem")
    assert status == 200 and "<form" in page and "<script" not in page
    fields = {"do": "report", "about": "e.example.com", "cause": "misuse", "clause": "", "name": "", "authority": "other",
              "contact": "", "text": "It is misused, serial 0123456789abcdef0123456789abcdee."}
    status, page = site.page(f"{site.ca.url}/problem", **fields)
    assert status == 200
    number = int(re.search(r"problem (\d+)", page)[1])
    link = re.search(r"https://localhost:\d+/problem/[\w-]+", page)[0]
    assert site.page(link)[0] == 200
    report = site.settled(number)
    assert (report["channel"], report["cause"], report["status"]) == ("form", "misuse", "open")
    # A key that is added to the case later, in words: verified, and not kept.
    secret = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
    status, page = site.page(link, do="say", text=f'here: {{"kty":"OKP","crv":"Ed25519","d":"{secret}"}}')
    assert status == 200 and "private key removed" in page and secret not in page
    assert secret not in json.dumps(site.show(number)) and len(site.show(number)["thread"]) == len(report["thread"]) + 2
    for i in range(10):  # however much somebody writes, the page is there, and the newest on it
        status, page = site.page(link, do="say", text="x" * 8191 + "\u00e4" + "x" * 21000)
        assert status == 200 and "Added." in page and "\u2026" in page
    site.ca.lintel("problem", "reply", number, "--text", "We look at it.")
    assert "We look at it." in site.page(link)[1]
    assert (report["title"], [w["text"] for w in report["thread"] if w["kind"] == "report"]) == \
        ("e.example.com", ["e.example.com\n\n" + fields["text"] + "\n"])
    # A key in the wrong field is a key; the browser has joined its lines.
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    status, page = site.page(f"{site.ca.url}/problem", **{**fields, "about": " ".join(pem.split("\n")), "text": "x"})
    report = site.settled(int(re.search(r"problem (\d+)", page)[1]))
    assert report["kept_sha256"] and "private key removed" in report["title"]
    for secret in pem.splitlines()[1:3]:
        assert secret not in json.dumps(report) + site.ca.lintel("problem", "raw", report["id"]).stdout
    # A program sends the same form, and is answered in JSON.
    ask = urllib.request.Request(f"{site.ca.url}/problem", urllib.parse.urlencode({**fields, "text": "by a program"}).encode(),
                                 {"Accept": "application/json"})
    with urllib.request.urlopen(ask, timeout=20, context=site.tls) as answer:
        said = json.load(answer)
    assert said["rows"]["Case"].startswith("problem ") and said["rows"]["Link"].startswith("https://")
    for wrong in ({"contact": "no address"}, {"cause": "nonsense"}, {"authority": "king"}, {"text": "", "about": ""}):
        assert site.page(f"{site.ca.url}/problem", **{**fields, **wrong})[0] == 400
    assert site.page(f"{site.ca.url}/problem", **fields, more="x")[0] == 400
    assert site.page(f"{site.ca.url}/problem?x=1")[0] == 404


def test_our_own_report_goes_through_every_channel(site):
    site.ca.lintel("problem", "channel", "add", "form", "--minutes", "5")
    site.ca.lintel("problem", "channel", "add", "api")
    assert site.ca.lintel("problem", "channel", "add", "pigeon", check=False).returncode != 0
    site.ca.lintel("problem", "probe", "form", "--ca", site.ca.root)
    site.ca.lintel("problem", "probe", "api")

    def arrived():
        return all(c["arrived"] for c in site.ca.json("problem", "channel", "list")["channels"] if c["name"] in ("form", "api"))
    wait_for("our own reports", arrived)
    last = site.ca.json("problem", "list", "--limit", "1")["problems"][0]
    assert (last["kind"], last["status"]) == ("probe", "closed")
    if site.postfix is not None:
        site.ca.lintel("problem", "channel", "add", "mail problems@example.com")
        raw = wait_for("the daily letter", lambda: [m for m in site.postfix.letters("problems@example.com") if "probe" in m["Subject"]])[0]
        assert site.settled(site.ingest(bytes(raw)))["kind"] == "probe"
    # Somebody else's word is no probe.
    assert site.settled(site.ingest(bytes(letter("lintel-probe:AAAAAAAAAAAAAAAAAAAAAA"))))["kind"] == "report"


def test_the_key_of_the_mail_server_can_do_nothing_else(site):
    for verb in (["note", "1", "--text", "x"], ["close", "1", "--text", "x"], ["edit", "1", "--cause", "misuse"]):
        refused = site.ca.lintel("problem", *verb, "--operator", "mail", check=False)
        assert refused.returncode != 0 and "mail" in refused.stderr, refused


def test_a_mailroom_that_dies_loses_nothing(site):
    numbers = []
    for i in range(12):
        if i % 3 == 0:
            pid = wait_for("a mailroom", lambda: [p for name, p in site.ca.pids().items() if name.startswith("mailroom")])[0]
            os.kill(pid, signal.SIGKILL)
        numbers.append(site.ingest(bytes(letter(f"report {i} about x{i}.example.com and nothing else"))))
    for number in numbers:
        assert site.settled(number)["reading"] == "done"


def test_it_exits_75_until_the_report_is_in_the_book(site):
    raw = bytes(letter("serial 0123456789abcdef0123456789abcd00 is wrong"))
    site.ca.stop()
    refused = site.ingest(raw, check=False)
    assert refused.returncode == 75 and b"serve" in refused.stderr
    site.ca.start()
    assert site.settled(site.ingest(raw))["status"] == "open"
    assert site.ingest(b"", check=False).returncode == 75
    assert site.ingest(raw, operator="nobody", check=False).returncode == 75
    found = site.ca.lintel("audit", "verify", check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_many_at_once(tmp_path_factory):
    """tests/bench/desk.py, smaller: none lost, every genuine proof acted on in time, all clocks right."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
    import argparse

    import desk
    said = desk.run(tmp_path_factory.mktemp("many"), argparse.Namespace(reports=150, pipes=3, keys=4, big=1))
    assert said["exit_statuses"] == [0] * 3 and said["answered_with_a_case"] == 150
    assert said["lost"] == 0 and said["clocks_wrong"] == 0
    assert said["acted_on"] == said["genuine_proofs"] == said["proven_first_rank"] == 4 and said["slowest_proof_s"] < 5

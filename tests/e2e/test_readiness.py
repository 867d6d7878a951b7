"""Who can replace certificates in time: what is seen of clients, what operators say, what subscribers see of it and do by a link,
what falls with what, and caps."""
import re
import signal
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest
from acmeclient import Client, b64, certificates
from conftest import LINTEL, wait_for
from cryptography import x509
from test_enroll import Site

LINK = re.compile(r"https://\S+/acme/(?:reissue|contact)/[A-Za-z0-9_-]+")


class Agent(Client):
    """A client that says what it is, and asks for renewal information."""

    agent = "lego-cli/4.14.2 xenolf-acme/4.14.2 (release; linux; amd64)"

    def request(self, method, url, body=None, headers=None):
        return super().request(method, url, body, {"User-Agent": self.agent, **(headers or {})})

    def certid(self, pem):
        leaf = certificates(pem)[0]
        key = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        serial = leaf.serial_number
        return f"{b64(key)}.{b64(serial.to_bytes(serial.bit_length() // 8 + 1, 'big'))}"

    def ask(self, pem):
        url = f"{self.directory['renewalInfo']}/{self.certid(pem)}"
        return wait_for("renewal information", lambda: self.request("GET", url).status == 200)

    @property
    def account(self):
        return self.kid.rsplit("/", 1)[1]


class Place(Site):
    def __init__(self, folder, *args):
        super().__init__(folder, *args)
        path = self.ca.folder / "lintel.yaml"
        path.write_text(re.sub(r"(?m)^acme:\n", "acme:\n  terms-of-service: https://ca.example/terms\n  terms-version: \"2026-03\"\n"
                               "  terms-revocation-clause: true\n", path.read_text(), count=1))
        if "terms-version" not in path.read_text():
            path.write_text(path.read_text() + "acme:\n  terms-of-service: https://ca.example/terms\n  terms-version: \"2026-03\"\n"
                                               "  terms-revocation-clause: true\n")
        self.ca.start()
        self.tls = ssl.create_default_context(cafile=str(self.ca.root))

    def client(self):
        made = Agent(self.ca.directory, self.ca.root, self.web.challenges)
        made.register()
        return made

    def show(self, account):
        return self.ca.json("readiness", "show", account)

    def page(self, url, **fields):
        body = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), context=self.tls) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def proven(self, *names, subscriber):
        """An enrolment that is issued."""
        e = self.request(*names, subscriber=subscriber)
        self.put(e)
        return self.check(e)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Place(tmp_path_factory.mktemp("ready"))
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def bare(site):
    site.zone.set()


def test_a_client_that_asks_and_follows_is_automatic(site):
    user = site.client()
    first = site.show(user.account)
    assert first["tier"] == "by-hand" and first["terms"] == "2026-03" and first["clause"] is True
    assert first["facts"] == ["clause"]
    pem = user.issue("www.example.com")
    for _ in range(3):
        user.ask(pem)
    polled = wait_for("the polls", lambda: (lambda e: e if e["polls"] >= 3 else None)(site.show(user.account)))
    assert polled["client"] == "lego-cli/4.14.2" and polled["tier"] == "by-hand"  # anybody may ask
    (row,) = polled["polled_certificates"]
    assert row["polls"] == polled["polls"] and row["client"] == "lego-cli/4.14.2"

    assert site.ca.lintel("scope", "tier = automatic", "--count").stdout.strip() == "0"
    user.issue("www.example.com", replaces=user.certid(pem))
    after = site.show(user.account)
    assert after["tier"] == "automatic" and after["renewals"] == 1 and after["told"] == after["renewed"]
    assert set(after["facts"]) == {"asks", "follows", "renews", "clause"}
    assert site.ca.lintel("scope", "tier = automatic and valid", "--count").stdout.strip() == "2"
    assert site.ca.lintel("scope", "polled >= now-1h and client = \"lego-cli/4.14.2\"", "--count").stdout.strip() == "1"
    events = site.ca.json("event", "list", "--subject", f"account {user.account}")["events"]
    assert [e["body"]["to"] for e in events if e["kind"] == "readiness.tier"] == ["automatic"]
    listed = site.ca.json("readiness", "list", "--tier", "automatic")["subscribers"]
    assert [e["account"] for e in listed] == [user.account]
    assert user.account in site.ca.lintel("readiness", "list").stdout


def test_the_account_sees_it(site):
    user = site.client()
    account = user.post(user.kid, None)
    link = next(v for v in account.headers.get_all("Link") if "/acme/readiness" in v)
    url = re.match(r"<(.*?)>", link)[1]
    assert url == f"{user.kid}/readiness"
    seen = user.post(url, None).json()
    assert seen["tier"] == "by-hand" and seen["terms"] == "2026-03" and seen["termsHaveRevocationClause"] is True
    assert "RFC 9773" in seen["advice"] or "ACME" in seen["advice"]
    assert seen["renewalInfoRequests"] == 0 and "renewed" not in seen and seen["cannotTolerateRevocation"] is False
    other = site.client()
    assert other.send(url, other.sign(url, None)).status in (401, 403)
    assert user.request("GET", url).status == 405


def test_what_operators_say(site):
    user = site.client()
    user.issue("shop.example.com")
    ca = site.ca
    assert ca.json("readiness", "set", user.account, "--cannot-tolerate", "a ventilator")["tier"] == "hold-out"
    assert ca.lintel("scope", "cannot_tolerate and suffix = shop.example.com", "--count").stdout.strip() == "1"
    assert user.post(f"{user.kid}/readiness", None).json()["cannotTolerateRevocation"] is True
    assert ca.json("readiness", "set", user.account, "--tolerates", "moved")["tier"] == "by-hand"
    assert ca.json("readiness", "contact", user.account, "it@example.com", "--verified")["tier"] == "reachable"
    assert ca.json("readiness", "contact", user.account, "it@example.com", "--bounced", "left")["tier"] == "by-hand"
    assert ca.lintel("readiness", "contact", user.account, "nonsense", "--verified", check=False).returncode == 1
    assert ca.lintel("readiness", "show", "1", check=False).returncode == 3

    work = ca.json("readiness", "worklist", "--due")["worklist"]
    (mine,) = [w for w in work if w["account"] == user.account]
    assert mine["certificates"] == 1 and mine["next_end"] and mine["called"] is None
    ca.lintel("readiness", "call", user.account, "--who", "+49 30 1234", "--outcome", "will-replace", "--note", "by noon",
              "--again", "2099-01-01T00:00:00Z")
    assert user.account not in [w["account"] for w in ca.json("readiness", "worklist", "--due")["worklist"]]
    (mine,) = [w for w in ca.json("readiness", "worklist")["worklist"] if w["account"] == user.account]
    assert mine["outcome"] == "will-replace" and mine["again"] == "2099-01-01T00:00:00Z"
    assert "by noon" in ca.lintel("readiness", "show", user.account).stdout
    refused = ca.lintel("readiness", "call", user.account, "--who", "x", "--outcome", "maybe", check=False)
    assert refused.returncode == 2 and "reached" in refused.stderr


def test_hold_outs_by_name(site):
    user = site.client()
    user.issue("deep.www.example.org")
    ca = site.ca
    added = ca.json("holdout", "add", "--domain", "www.example.org", "--who", "Ms Miller, CIO", "--reason", "change freeze")
    assert ca.lintel("scope", "hold_out", "--count").stdout.strip() == "1"
    assert ca.lintel("scope", "tier = by-hand and not hold_out and suffix = example.org", "--count").stdout.strip() == "0"
    assert ca.json("holdout", "list")["holdouts"][0]["name"] == "www.example.org"
    ca.lintel("holdout", "lift", added["id"])
    assert ca.lintel("scope", "hold_out", "--count").stdout.strip() == "0"
    assert ca.lintel("holdout", "lift", added["id"], check=False).returncode == 3
    whole = ca.json("holdout", "add", "--account", user.account, "--who", "their lawyer", "--reason", "refuses")
    assert whole["tier"] == "hold-out"
    assert [e["account"] for e in ca.json("readiness", "worklist", "--tier", "hold-out")["worklist"]] == [user.account]
    both = ca.lintel("holdout", "add", "--account", user.account, "--domain", "a.example", "--who", "x", "--reason", "y",
                     check=False)
    assert both.returncode == 2
    ca.lintel("holdout", "lift", whole["id"])


def test_a_link_for_who_cannot_automate(site):
    done = site.proven("www.example.com", "example.com", subscriber="Hospital")
    assert done["status"] == "valid"
    account = done["account"]
    shown = site.show(account)
    assert shown["tier"] == "by-hand" and "manual" in shown["facts"] and shown["subscriber"] == "Hospital"
    made = site.ca.json("readiness", "link", account)
    url = made["url"]
    assert LINK.fullmatch(url)
    status, html = site.page(url)
    assert status == 200 and "Hospital" in html and "by-hand" in html and "<textarea" in html and "www.example.com" in html
    status, html = site.page(url, do="reissue", csr="nonsense")
    assert status == 400 and "BEGIN" in html
    first = site.csr("www.example.com").read_text()
    second = site.csr("example.com", "www.example.com").read_text()
    strange = site.csr("shop.example.com").read_text()
    status, html = site.page(url, do="reissue", csr=f"{first}\r\n{second}{strange}".replace("\n", "\r\n"))
    assert status == 200 and "Some were not taken" in html and "no certificate for shop.example.com" in html
    wait_for("both certificates", lambda: site.rows("SELECT count(*) FROM certificate WHERE account = ?", int(account))[0][0] == 3)
    assert site.show(account)["links"][0]["requests"] == 1
    assert site.page(url[:-4] + "AAAA")[0] == 404
    assert site.page(url, do="nonsense")[0] == 404
    # What the book keeps of the link opens nothing.
    assert url.rsplit("/", 1)[1] not in "".join(str(r) for r in site.rows("SELECT * FROM reissue_link"))


def test_many_requests_of_a_folder(site, tmp_path):
    assert site.proven("www.example.org", "example.org", subscriber="Folder")["status"] == "valid"
    folder = tmp_path / "requests"
    folder.mkdir()
    for i in range(4):
        (folder / f"{i}.csr").write_bytes(site.csr("www.example.org").read_bytes())
    (folder / "notes.txt").write_text("not a request")
    (folder / "broken.pem").write_text("nothing")
    log = tmp_path / "done.tsv"
    dry = site.ca.lintel("readiness", "upload", folder, "--subscriber", "Folder")
    assert "5 certificate requests" in dry.stdout and not log.exists()
    first = site.ca.lintel("readiness", "upload", folder, "--subscriber", "Folder", "--log", log, "--yes", check=False)
    assert first.returncode == 6 and "4 brought in, 0 were before, 1 refused" in first.stdout
    again = site.ca.lintel("readiness", "upload", folder, "--subscriber", "Folder", "--log", log, "--yes", "--json", check=False)
    assert again.returncode == 6 and '"before": 4' in again.stdout.replace('":4', '": 4')
    assert len(log.read_text().splitlines()) == 4


def test_an_upload_that_is_killed_is_begun_again(site, tmp_path):
    assert site.proven("example.org", subscriber="Killed")["status"] == "valid"
    folder = tmp_path / "requests"
    folder.mkdir()
    for i in range(12):
        (folder / f"{i:02}.csr").write_bytes(site.csr("example.org").read_bytes())
    log = tmp_path / "done.tsv"
    command = [str(LINTEL), "readiness", "upload", str(folder), "--subscriber", "Killed", "--log", str(log), "--yes"]
    env = {"LINTEL_DIR": str(site.ca.folder), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    wait_for("some of them", lambda: log.exists() and len(log.read_text().splitlines()) >= 3, step=0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(log.read_text().splitlines())
    assert before < 12
    site.ca.lintel("readiness", "upload", folder, "--subscriber", "Killed", "--log", log, "--yes")
    assert len(log.read_text().splitlines()) == 12
    made = site.rows("SELECT count(*) FROM enrolment e JOIN subscriber s ON s.account = e.account WHERE s.name = 'Killed'")
    assert made[0][0] in (13, 14)  # the one that was asked for when it died may be there twice


def test_what_falls_with_what(site):
    answer = site.ca.json("ca", "blast-radius")
    rows = {(r["kind"], r["name"]): r for r in answer["rows"]}
    valid = int(site.ca.lintel("scope", "valid", "--count").stdout)
    assert rows["issuer", "tls"]["falls"] == int(site.ca.lintel("scope", "issuer = tls and valid", "--count").stdout)
    assert rows["perspective", "primary"]["falls"] > 0
    assert ("hsm", "files below keys/ (no HSM)") in rows
    keys = [r["certificates"] for r in answer["rows"] if r["kind"] == "key"]
    assert max(keys) == valid  # the root's
    assert sum(rows["issuer", "tls"]["tiers"].values()) == rows["issuer", "tls"]["certificates"]
    serial = site.ca.json("scope", "issuer = tls and valid", "--list", "--limit", 1)["certificates"][0]["serial"]
    site.ca.lintel("revoke", serial, "--reason", "superseded", "--yes")
    after = {(r["kind"], r["name"]): r for r in site.ca.json("ca", "blast-radius", "--by", "issuer")["rows"]}
    assert after["issuer", "tls"]["falls"] == rows["issuer", "tls"]["falls"] - 1
    assert all(kind == "issuer" for kind, _ in after)
    assert "primary" in site.ca.lintel("ca", "blast-radius").stdout


def test_a_registrar_that_dies_goes_on(site):
    """What was written down is there; what was only counted may be lost, and is counted on."""
    user = site.client()
    pem = user.issue("www.example.com")
    user.ask(pem)
    wait_for("the poll", lambda: site.show(user.account)["polls"] >= 1)
    site.ca.json("readiness", "contact", user.account, "it@example.com", "--verified")
    import os
    os.kill(site.ca.pids()["registrar-0"], signal.SIGKILL)
    wait_for("the family", lambda: site.ca.lintel("readiness", "set", user.account, "--tolerates", "x", check=False).returncode == 0)
    user.ask(pem)
    wait_for("the next poll", lambda: site.show(user.account)["polls"] >= 2)
    assert site.show(user.account)["tier"] == "reachable"
    assert site.ca.lintel("audit", "verify").returncode == 0


def test_a_cap_warns_before_it_is_reached(fresh_ca, tmp_path):
    from conftest import Webroot
    web = Webroot(tmp_path / "cap-web", fresh_ca.http01_port)
    try:
        fresh_ca.start()
        user = Client(fresh_ca.directory, fresh_ca.root, web.challenges)
        user.register()
        for i in range(4):
            user.issue(f"n{i}.example.com")
        fresh_ca.stop()
        path = fresh_ca.folder / "lintel.yaml"
        path.write_text(re.sub(r"(?m)^(  - name: tls\n)", r"\1    cap: 5\n", path.read_text()))
        assert "cap: 5" in path.read_text()
        fresh_ca.start()
        caps = wait_for("the count", lambda: [c for c in fresh_ca.json("status")["book"]["caps"] if c["issuer"] == "tls"])
        assert caps[0]["valid"] == 4 and caps[0]["percent"] == 80
        assert "CAP NEAR" in fresh_ca.lintel("status").stdout
        (finding,) = [f for f in fresh_ca.json("doctor", check=False)["findings"] if f["what"] == "cap"]
        assert finding["level"] == "warning" and "80%" in finding["text"]
        (event,) = [e for e in fresh_ca.json("event", "list", "--subject", "issuer tls")["events"] if e["kind"].startswith("issuer.cap")]
        assert event["kind"] == "issuer.cap-near" and event["body"]["valid"] == 4
        assert "cap of tls: 4 of 5, 80%: near" in fresh_ca.lintel("ca", "blast-radius").stdout
    finally:
        web.stop()

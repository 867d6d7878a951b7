"""Enrolment without ACME: a certificate request that a person brings, random values that another one puts where they
are asked for; the same validator, evidence, policy and examiner as for ACME."""
import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess

import pytest
from acmeclient import AcmeError, Client
from conftest import Ca, Webroot, free_port, wait_for
from internet import WEB
from test_corroboration import World



class Zone:
    """A real unbound whose records change while it runs."""

    def __init__(self, folder):
        self.port = free_port(socket.SOCK_DGRAM)
        self.folder = folder
        self.records = []
        self.write()
        self.process = subprocess.Popen(["unbound", "-d", "-c", folder / "unbound.conf"])
        wait_for("unbound", self.is_there)

    def write(self):
        self.serial = getattr(self, "serial", -1) + 1
        data = [f'marker.example.com. 0 IN TXT "{self.serial}"', *self.records]
        for zone in ("example.com", "example.org"):
            for name in (zone, f"www.{zone}", f"shop.{zone}", f"deep.www.{zone}"):
                data.append(f"{name}. 0 IN A 127.0.0.1")
        lines = "\n".join(f"  local-data: '{line}'" for line in data)
        (self.folder / "unbound.conf").write_text(f"""
server:
  interface: 127.0.0.1
  port: {self.port}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{self.folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{self.folder}/unbound.log"
  module-config: "iterator"
  do-ip6: no
  local-zone: "example.com." static
  local-zone: "example.org." static
{lines}
  local-zone: "." static
remote-control:
  control-enable: no
""")

    def is_there(self):
        """Does it answer with what was written last?"""
        name = b"".join(bytes([len(label)]) + label for label in (b"marker", b"example", b"com", b""))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.5)
            s.sendto(b"\x12\x34\x01\x00\x00\x01" + bytes(6) + name + b"\x00\x10\x00\x01", ("127.0.0.1", self.port))
            try:
                answer = s.recv(512)
            except OSError:
                return False
        text = str(self.serial).encode()
        return answer.endswith(bytes([len(text)]) + text)

    def set(self, *records):
        """Presentation form without TTL: 'name TXT value' or 'name CNAME target'."""
        self.records = []
        for record in records:
            name, kind, value = record.split(" ", 2)
            self.records.append(f"{name}. 0 IN {kind} " + (f'"{value}"' if kind == "TXT" else f"{value}."))
        self.write()
        self.process.send_signal(signal.SIGHUP)
        wait_for("the new records", self.is_there)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Site:
    """A family, its zone, its web server, and a drawer of certificate requests."""

    def __init__(self, folder, *init_args):
        for parent in (folder, folder.parent, folder.parent.parent):
            parent.chmod(0o755)
        (folder / "dns").mkdir()
        self.folder = folder
        self.zone = Zone(folder / "dns")
        self.ca = Ca(folder, self.zone.port, free_port(), *init_args)
        self.web = Webroot(folder / "web", self.ca.http01_port)
        self.file = folder / "web" / ".well-known" / "pki-validation" / "lintel.txt"
        self.file.parent.mkdir(parents=True)
        self.count = 0

    def csr(self, *names, key=None, extra=()):
        self.count += 1
        path = self.folder / f"{self.count}.csr"
        san = ",".join((f"IP:{n}" if n[0].isdigit() or ":" in n else f"DNS:{n}") for n in names)
        new = ["-newkey", *(key or ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])]
        subprocess.run(["openssl", "req", "-new", "-nodes", *new, "-keyout", f"{path}.key", "-subj", "/", "-out", path,
                        *(["-addext", f"subjectAltName={san}"] if names else []), *extra],
                       check=True, capture_output=True)
        return path

    def request(self, *names, subscriber="Example Ltd", args=(), **kw):
        return self.ca.json("enroll", "request", self.csr(*names), "--subscriber", subscriber, *args, **kw)

    def refused(self, *args, status=None):
        """The words of a refusal, from a request for www.example.com or whatever args bring."""
        result = self.ca.lintel("enroll", *args, check=False)
        assert result.returncode not in (0, 6), result.stdout
        assert status is None or result.returncode == status, result.stderr
        return result.stderr

    def check(self, e, *args):
        """The enrolment after a look; with the exit status."""
        result = self.ca.lintel("enroll", "check", e["id"], *args, "--json", check=False, timeout=120)
        assert result.returncode in (0, 6), result.stderr
        after = json.loads(result.stdout)
        assert (result.returncode == 6) == (after["status"] == "pending")
        return after

    def put(self, *enrolments):
        self.zone.set(*(f"{place(n)['where']} TXT {place(n)['value']}" for e in enrolments for n in e["names"]
                        if n["status"] == "pending"))

    def rows(self, sql, *args):
        with sqlite3.connect(f"file:{self.ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
            return book.execute(sql, args).fetchall()

    def stop(self):
        self.web.stop()
        try:
            self.ca.stop()
        finally:
            self.zone.stop()


def place(name, method="dns-change"):
    return next(c for c in name["challenges"] if c["method"] == method)


def one(e, name):
    return next(n for n in e["names"] if n["name"] == name)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("enroll"), "--caa-identity", "ca.example.net")
    try:
        made.ca.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def bare(site):
    """Each test begins without a record and without a file."""
    site.zone.set()
    site.file.unlink(missing_ok=True)


def test_by_a_record(site, tmp_path):
    e = site.request("www.example.com", "example.com", args=("--contact", "it@example.com"))
    assert e["status"] == "pending" and e["subscriber"] == "Example Ltd" and e["contact"] == "it@example.com"
    for name in e["names"]:
        c = place(name)
        assert c["where"] == f"_lintel.{name['name']}" and c["section"] == "3.2.2.4.7" and len(c["value"]) >= 32
    values = [c["value"] for n in e["names"] for c in n["challenges"]]
    assert len(set(values)) == 4
    words = site.ca.lintel("enroll", "show", e["id"]).stdout
    assert all(v in words for v in values) and f"lintel enroll check {e['id']}" in words

    missed = site.check(e, "--method", "dns-change")
    assert missed["status"] == "pending"
    assert [c["value"] for n in missed["names"] for c in n["challenges"]] == values
    assert place(one(missed, "example.com"))["error"]["type"] in ("unauthorized", "dns")

    site.put(e)
    done = site.check(e)
    assert done["status"] == "valid" and done["serial"]
    chain = tmp_path / "chain.pem"
    site.ca.lintel("enroll", "fetch", e["id"], "--out", chain)
    assert chain.read_text() == site.ca.lintel("enroll", "fetch", e["id"]).stdout
    assert subprocess.run(["openssl", "verify", "-CAfile", site.ca.root, "-untrusted", chain, chain]).returncode == 0
    text = subprocess.run(["openssl", "x509", "-in", chain, "-noout", "-ext", "subjectAltName"], capture_output=True,
                          text=True).stdout
    assert "DNS:www.example.com" in text and "DNS:example.com" in text
    ((worst, least),) = site.rows("SELECT worst_method, oldest_caa_us FROM certificate WHERE hex(serial) = ?",
                                  done["serial"].upper())
    assert worst == "dns-change" and least > 0
    assert site.rows("SELECT count(*) FROM evidence WHERE ok = 0 AND identifier = 'example.com'")[0][0] >= 1


def test_forms_of_a_request(site, tmp_path):
    """PEM with text around it, the old label, DER, standard input."""
    pem = site.csr("deep.www.example.com").read_text()
    der = tmp_path / "csr.der"
    der.write_bytes(ssl.PEM_cert_to_DER_cert(pem.replace("CERTIFICATE REQUEST", "CERTIFICATE")))
    old = tmp_path / "old.csr"
    old.write_text("Certificate Request:\n  by hand\n" + pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"))
    for path, more in ((der, {}), (old, {}), ("-", {"input": pem})):
        e = json.loads(site.ca.lintel("enroll", "request", path, "--subscriber", "forms", "--json", **more).stdout)
        assert e["status"] == "pending", path


def test_the_underscore_is_not_lost(site):
    """What cost 83,267 certificates in 2024: a random value in a place that anybody in a shared zone could have made."""
    e = site.request("shop.example.com", subscriber="underscore", args=("--method", "dns-change"))
    c = place(e["names"][0])
    assert c["where"].startswith("_") and c["where"].endswith(".shop.example.com")
    plain = c["where"].removeprefix("_")
    for records in ([f"{plain} TXT {c['value']}"], [f"shop.example.com TXT {c['value']}"],
                    [f"{c['value']}.shop.example.com TXT {c['value']}"],
                    [f"{plain} CNAME {c['value']}.example.org", f"{c['value']}.example.org TXT x"],
                    [f"_{c['value']}.shop.example.com CNAME dcv.example.org", "dcv.example.org TXT x"]):
        site.zone.set(*records)
        assert site.check(e)["status"] == "pending", records
    site.zone.set(f"{c['where']} CNAME {c['value']}.example.org", f"{c['value']}.example.org TXT x")
    assert site.check(e)["status"] == "valid"


def test_values_that_are_nearly_right(site):
    e = site.request("shop.example.com", subscriber="nearly", args=("--method", "dns-change"))
    c = place(e["names"][0])
    for value in (c["value"][:-1], c["value"] + "x", c["value"].swapcase(), " " + c["value"], "lintel=" + c["value"]):
        site.zone.set(f"{c['where']} TXT {value}")
        after = site.check(e)
        assert after["status"] == "pending" and place(after["names"][0])["error"]["type"] == "incorrectResponse", value
    site.zone.set(f"{c['where']} TXT another", f"{c['where']} TXT {c['value']}")
    assert site.check(e)["status"] == "valid"


def test_by_a_file(site):
    e = site.request("www.example.org", subscriber="by file", args=("--method", "website-change"))
    (c,) = e["names"][0]["challenges"]
    assert c["where"] == "http://www.example.org/.well-known/pki-validation/lintel.txt" and c["section"] == "3.2.2.4.18"
    assert c["value"] not in c["where"]
    for text in ("", c["value"][:-1], f"<p>{c['value']}</p>\n"):
        site.file.write_text(text)
        assert site.check(e)["status"] == "pending", text
    site.file.write_text(f"of another enrolment\n{c['value']}\n")
    assert site.check(e)["status"] == "valid"


def test_one_way_or_the_other(site):
    """Without --method the subscriber chooses; a check tries what was offered."""
    e = site.request("www.example.org", subscriber="chooses")
    assert [c["method"] for c in e["names"][0]["challenges"]] == ["dns-change", "website-change"]
    site.file.write_text(place(e["names"][0], "website-change")["value"] + "\n")
    done = site.check(e)
    assert done["status"] == "valid"
    assert [c["status"] for c in done["names"][0]["challenges"]] == ["pending", "valid"]


def test_each_name_in_its_own_way(site):
    e = site.request("www.example.org", "example.org", subscriber="mixed",
                     args=("--method", "website-change", "--method", "example.org=dns-change"))
    assert [c["method"] for c in one(e, "example.org")["challenges"]] == ["dns-change"]
    assert [c["method"] for c in one(e, "www.example.org")["challenges"]] == ["website-change"]
    site.file.write_text(one(e, "www.example.org")["challenges"][0]["value"])
    half = site.check(e, "--name", "www.example.org")
    assert half["status"] == "pending" and one(half, "www.example.org")["status"] == "valid"
    c = place(one(e, "example.org"))
    site.zone.set(f"{c['where']} TXT {c['value']}")
    assert site.check(e)["status"] == "valid"


def test_wildcards_by_the_dns_alone(site):
    e = site.request("*.example.com", subscriber="wild")
    (c,) = e["names"][0]["challenges"]
    assert c["method"] == "dns-change" and c["where"] == "_lintel.example.com"
    assert "cannot be proven" in site.refused("request", site.csr("*.example.com"), "--subscriber", "wild", "--method",
                                              "website-change")
    site.put(e)
    assert site.check(e, "--name", "*.example.com")["status"] == "valid"


def test_addresses(site):
    e = site.request("9.9.9.9", "2620:fe::fe", subscriber="address")
    for n, host in (("9.9.9.9", "9.9.9.9"), ("2620:fe::fe", "[2620:fe::fe]")):
        (c,) = one(e, n)["challenges"]
        assert c["method"] == "website-change" and c["section"] == "3.2.2.5.1"
        assert c["where"] == f"http://{host}/.well-known/pki-validation/lintel.txt"
    assert "cannot be proven" in site.refused("request", site.csr("9.9.9.9"), "--subscriber", "address", "--method",
                                              "dns-change")
    assert "loopback" in site.refused("request", site.csr("127.0.0.1"), "--subscriber", "address", status=4)


def test_proofs_are_used_again_for_the_same_subscriber(site):
    first = site.request("www.example.com", subscriber="again")
    site.put(first)
    assert site.check(first)["status"] == "valid"
    site.zone.set()
    second = site.request("www.example.com", subscriber="again")
    assert second["status"] == "valid" and second["serial"] not in ("", first["serial"])
    assert second["account"] == first["account"]
    assert second["names"][0]["authorization"] == first["names"][0]["authorization"]
    more = site.request("www.example.com", "shop.example.com", subscriber="again")
    assert more["status"] == "pending" and one(more, "www.example.com")["status"] == "valid"
    other = site.request("www.example.com", subscriber="somebody else")
    assert other["status"] == "pending" and other["account"] != first["account"]
    assert place(other["names"][0])["value"] != place(first["names"][0])["value"]


def test_a_value_is_good_for_its_own_enrolment(site):
    """Random values are unique to the request: what one subscriber was told proves nothing for another."""
    a = site.request("shop.example.com", subscriber="A", args=("--method", "dns-change"))
    b = site.request("shop.example.com", subscriber="B", args=("--method", "dns-change"))
    site.put(a)
    assert site.check(b)["status"] == "pending"
    site.put(a, b)
    assert site.check(b)["status"] == "valid" and site.check(a)["status"] == "valid"


def test_held_until_somebody_says_so(site):
    e = site.request("deep.www.example.com", subscriber="held", args=("--hold",))
    assert "not ready" in site.refused("issue", e["id"])
    site.put(e)
    ready = site.check(e)
    assert ready["status"] == "ready" and ready["hold"]
    assert "nothing waits" in site.refused("check", e["id"])
    assert site.ca.json("enroll", "issue", e["id"])["status"] == "valid"
    assert site.refused("issue", e["id"])


def test_cancelled(site):
    e = site.request("shop.example.com", subscriber="cancelled", args=("--method", "dns-change"))
    site.put(e)
    assert "would cancel" in site.ca.lintel("enroll", "cancel", e["id"]).stdout
    assert site.ca.json("enroll", "show", e["id"])["status"] == "pending"
    gone = site.ca.json("enroll", "cancel", e["id"], "--reason", "asked for twice", "--yes")
    assert gone["status"] == "invalid" and "asked for twice" in gone["error"]["detail"]
    assert gone["names"][0]["status"] == "deactivated" and "value" not in gone["names"][0]["challenges"][0]
    for verb in (["check", e["id"]], ["issue", e["id"]], ["cancel", e["id"], "--yes"], ["fetch", e["id"]]):
        assert site.refused(*verb)


def test_lists(site):
    e = site.request("shop.example.com", subscriber="in the list")
    mine = site.ca.json("enroll", "list", "--subscriber", "in the list")["enrollments"]
    assert [row["id"] for row in mine] == [e["id"]] and mine[0]["identifiers"] == [["dns", "shop.example.com"]]
    assert not site.ca.json("enroll", "list", "--subscriber", "nobody")["enrollments"]
    every = site.ca.json("enroll", "list", "--limit", "1", "--all")["enrollments"]
    ids = [row["id"] for row in every]
    assert len(set(ids)) == len(ids) > 1 and ids == sorted(ids, key=int, reverse=True) and ids[0] == e["id"]
    assert all(row["status"] == "pending" for row in
               site.ca.json("enroll", "list", "--status", "pending", "--all")["enrollments"])
    assert "in the list" in site.ca.lintel("enroll", "list").stdout


def test_requests_that_are_refused(site, tmp_path):
    csr = site.csr("www.example.com")
    before = site.rows("SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM ca_order), "
                       "(SELECT count(*) FROM subscriber)")
    for text in ("", "no request", csr.read_text().replace("CERTIFICATE REQUEST", "CERTIFICATE")):
        bad = tmp_path / "bad.csr"
        bad.write_text(text)
        site.refused("request", bad, "--subscriber", "x", status=2)
    bad.write_bytes(b"0\x03\x02\x01\x01")
    site.refused("request", bad, "--subscriber", "x")
    body = csr.read_bytes().split(b"\n")
    body[2] = body[2][:10] + (b"A" if body[2][10:11] != b"A" else b"B") + body[2][11:]
    bad.write_bytes(b"\n".join(body))
    site.refused("request", bad, "--subscriber", "x")
    for text in ("", "x", csr.read_text() * 200):
        result = site.ca.lintel("enroll", "request", "-", "--subscriber", "x", check=False, input=text)
        assert result.returncode in (1, 2) and result.stderr, text[:10]
    plain = ["--subscriber", "x"]
    for args, says in (
            ([csr], "--subscriber"),
            ([csr, "--subscriber", ""], "subscriber"),
            ([csr, "--subscriber", "a\nb"], "subscriber"),
            ([csr, *plain, "--contact", "nobody"], "contact"),
            ([csr, *plain, "--contact", "a@b@c"], "contact"),
            ([csr, *plain, "--method", "http-01"], "no method by hand"),
            ([csr, *plain, "--method", "caa"], "no method by hand"),
            ([csr, *plain, "--method", "example.com=dns-change"], "no name"),
            ([csr, *plain, "--method", "="], "--method"),
            ([csr, *plain, "--profile", "none"], "profile"),
            ([csr, *plain, "--profile", "service"], "profile"),
            ([site.csr("com"), *plain], "com"),
            ([site.csr("localhost.onion"), *plain], "onion"),
            ([site.csr("a.example"), *plain], "example"),
            ([site.csr(), *plain], "names nothing"),
            ([site.csr("www.example.com", key=["rsa:1024"]), *plain], "1024"),
            ([site.csr("www.example.com", extra=["-addext", "tlsfeature=status_request"]), *plain], "must-staple"),
            ([site.csr("www.example.com", extra=["-addext", "basicConstraints=CA:TRUE"]), *plain], "CA"),
    ):
        assert says in site.refused("request", *args), args
    assert before == site.rows("SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM ca_order), "
                               "(SELECT count(*) FROM subscriber)")


def test_a_blocked_key(site):
    csr = site.csr("www.example.com")
    spki = subprocess.run(f"openssl req -in {csr} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum",
                          shell=True, capture_output=True, text=True).stdout.split()[0]
    site.ca.lintel("key", "block", spki, "--reason", "compromised", "--yes")
    assert "block" in site.refused("request", csr, "--subscriber", "blocked")


def test_who_is_not_there(site):
    for verb in ("show", "check", "issue", "fetch"):
        assert "no enrolment" in site.refused(verb, "4711", status=3)
    assert site.refused("show", "x", status=2)
    e = site.request("shop.example.com", subscriber="there")
    assert "no name" in site.refused("check", e["id"], "--name", "www.example.com", "--method", "dns-change")
    assert site.refused("check", e["id"], "--method", "email-constructed")


def test_no_client_has_the_account(site):
    """The account of a subscriber has no key: nothing that is signed reaches it, whatever its address."""
    e = site.request("shop.example.com", subscriber="no key")
    client = Client(site.ca.directory, site.ca.root)
    client.register()
    client.kid = f"{site.ca.url}/acme/account/{e['account']}"
    with pytest.raises(AcmeError) as caught:
        client.order("www.example.com")
    assert caught.value.kind == "accountDoesNotExist"
    account = site.ca.json("account", "show", e["account"])
    assert account["status"] == "valid" and account["subscriber"] == "no key" and account["alg"] == ""
    assert "no key" in site.ca.lintel("account", "list").stdout


def test_policy_wants_to_see_it(tmp_path):
    site = Site(tmp_path)
    (site.ca.folder / "policy").mkdir(exist_ok=True)
    (site.ca.folder / "policy" / "names.yaml").write_text(
        "rows:\n  - {id: brand, action: deny, name: www.example.com, reason: Ask us.}\n"
        "  - {id: risk, action: review, word: shop, reason: High risk.}\n")
    try:
        site.ca.start()
        assert "policy row brand" in site.refused("request", site.csr("www.example.com"), "--subscriber", "x", status=4)
        e = site.request("shop.example.com", args=("--method", "dns-change"))
        site.put(e)
        waits = site.check(e)
        assert waits["status"] == "processing" and (waits["review"], waits["rule"]) == ("waiting", "risk")
        assert f"lintel order release {e['id']}" in site.ca.lintel("enroll", "show", e["id"]).stdout
        site.ca.lintel("order", "release", e["id"], "--yes")
        wait_for("the certificate", lambda: site.ca.json("enroll", "show", e["id"])["status"] == "valid")
    finally:
        site.stop()


def test_limits_of_failed_checks(tmp_path):
    site = Site(tmp_path)
    yaml = site.ca.folder / "lintel.yaml"
    yaml.write_text(re.sub(r"(?m)^  failures-per-name:.*$", "  failures-per-name: 2/1h", yaml.read_text()))
    try:
        site.ca.start()
        e = site.request("shop.example.com", args=("--method", "dns-change"))
        for _ in range(2):
            assert site.check(e)["status"] == "pending"
        assert "Too many" in site.refused("check", e["id"])
        site.put(e)
        assert "Too many" in site.refused("check", e["id"])
    finally:
        site.stop()


def test_halts_and_restarts(tmp_path):
    """A halt hinders what would have followed by itself; kill -9 of the registrar loses nothing."""
    site = Site(tmp_path)
    try:
        site.ca.start()
        e = site.request("shop.example.com", "www.example.com", args=("--method", "dns-change"))
        os.kill(site.ca.pids()["registrar-0"], signal.SIGKILL)
        site.put(e)
        wait_for("a registrar that takes the check", lambda: site.ca.lintel(
            "enroll", "check", e["id"], "--no-wait", check=False).returncode == 0)
        os.kill(site.ca.pids()["registrar-0"], signal.SIGKILL)

        def valid():
            shown = site.ca.lintel("enroll", "show", e["id"], "--json", check=False)  # who tells of it may begin again as well
            told = json.loads(shown.stdout) if shown.returncode == 0 else {"status": ""}
            return told if told["status"] == "valid" else None

        done = wait_for("the certificate", valid, 60)
        assert len(site.rows("SELECT serial FROM certificate WHERE order_id = ?", int(e["id"]))) == 1 and done["serial"]
        csr = site.csr("www.example.org")
        taken = wait_for("a registrar that takes the request", lambda: (lambda r: r if r.returncode == 0 else None)(
            site.ca.lintel("enroll", "request", csr, "--subscriber", "later", "--method", "dns-change", "--json", check=False)))
        later = json.loads(taken.stdout)
        site.ca.lintel("halt", "--name-suffix", "example.org", "--reason", "a test")
        assert "halted" in site.refused("request", site.csr("example.org"), "--subscriber", "halted")
        site.put(later)
        assert site.check(later)["status"] == "ready"
        assert "halted" in site.refused("issue", later["id"])
        assert site.rows("SELECT count(*) FROM event WHERE kind = 'enrolment.hindered'") == [(1,)]
    finally:
        site.stop()
    assert site.ca.lintel("audit", "verify").returncode == 0


@pytest.mark.parametrize("hijacked,good", [((2,), True), ((0, 1), False)])
def test_perspectives_decide(tmp_path, hijacked, good):
    """The same corroboration as for ACME: what the primary perspective sees alone is not enough."""
    for part in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        part.chmod(0o755)
    world = World(tmp_path, hijacked=hijacked)
    try:
        csr = tmp_path / "www.csr"
        subprocess.run(["openssl", "req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
                        tmp_path / "www.key", "-subj", "/", "-addext", "subjectAltName=DNS:www.example.com", "-out", csr],
                       check=True, capture_output=True)
        e = world.ca.json("enroll", "request", csr, "--subscriber", "seen by many", "--method", "website-change")
        file = world.victim.folder / ".well-known" / "pki-validation" / "lintel.txt"
        file.parent.mkdir(parents=True)
        file.write_text(e["names"][0]["challenges"][0]["value"])
        after = json.loads(world.ca.lintel("enroll", "check", e["id"], "--json", check=False, timeout=120).stdout)
        assert after["status"] == ("valid" if good else "pending")
        if good:
            assert world.events("authorization.valid")[-1]["corroboration"] == "4/5"
        else:
            assert "3 of 5" in after["names"][0]["challenges"][0]["error"]["detail"]
    finally:
        world.stop()


def request_of(folder, *names):
    san = ",".join((f"IP:{n}" if n[0].isdigit() else f"DNS:{n}") for n in names)
    subprocess.run(["openssl", "req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
                    folder / "key.pem", "-subj", "/", "-addext", f"subjectAltName={san}", "-out", folder / "csr.pem"],
                   check=True, capture_output=True)
    return folder / "csr.pem"


def test_as_in_production(net, tmp_path):
    """A public profile, five perspectives, signed zones from the root down, no test flag; an address as well."""
    ca = net.authority
    e = ca.json("enroll", "request", request_of(tmp_path, "hand.example.com", "*.hand.example.com", WEB), "--subscriber",
                "By Hand Ltd", "--method", "dns-change", "--method", f"{WEB}=website-change")
    web = Webroot(tmp_path / "web", 80, WEB)
    try:
        names = [c for n in e["names"] for c in n["challenges"] if c["method"] == "dns-change"]
        assert [c["where"] for c in names] == ["_lintel.hand.example.com"] * 2
        net.update(*(f"add {c['where']}. 0 TXT {c['value']}" for c in names))
        file = tmp_path / "web" / ".well-known" / "pki-validation" / "lintel.txt"
        file.parent.mkdir(parents=True)
        file.write_text(next(c["value"] for n in e["names"] for c in n["challenges"] if c["what"] == "file") + "\n")
        done = json.loads(ca.lintel("enroll", "check", e["id"], "--json", timeout=120).stdout)
        assert done["status"] == "valid"
        story = ca.json("cert", "show", done["serial"], "--evidence")
        methods = {n["name"]: [(c["method"], c["dnssec"]) for c in n["checks"] if c["ok"]] for n in story["names"]}
        assert methods["hand.example.com"] == methods["*.hand.example.com"] == [("dns-change", "secure")]
        assert methods[WEB][0][0] == "website-change"
        assert "5/5" in ca.lintel("cert", "show", done["serial"], "--evidence").stdout
    finally:
        web.stop()
        net.update("del _lintel.hand.example.com. TXT")

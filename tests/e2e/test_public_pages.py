"""The pages for everybody, as a stranger meets them: what they say and may do, forms with files, and the lines to copy, which
are run as they stand."""
import base64
import hashlib
import html
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

import pytest
import test_clients_servers as servers
from acmeclient import Client
from browser import look, stranger
from clients import run, verify
from conftest import Ca, Dns, Webroot, free_port, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from internet import WEB

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import proof_vectors as made  # noqa: E402

PAGES = ("/", "/status", "/hierarchy", "/get-certificates", "/affected", "/problem", "/key")
REPORT = {"do": "report", "about": "", "cause": "", "clause": "", "name": "", "authority": "other", "contact": "", "text": ""}


class Site:
    def __init__(self, folder):
        for part in (folder, *folder.parents[:3]):
            part.chmod(0o755)
        self.dns = Dns(folder)
        self.http01 = free_port()
        self.webroot = Webroot(folder / "webroot", self.http01)
        self.ca = Ca(folder, self.dns.port, self.http01).start()
        self.tls = ssl.create_default_context(cafile=str(self.ca.root))
        self.client = Client(self.ca.directory, self.ca.root, self.webroot.challenges)
        self.client.register("mailto:owner@example.com")

    def stop(self):
        self.ca.stop()
        self.webroot.stop()
        self.dns.stop()

    def ask(self, path, body=None, method=None, **headers):
        url = path if path.startswith("http") else self.ca.url + path
        request = urllib.request.Request(url, body, {k.replace("_", "-"): v for k, v in headers.items()}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.tls) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read().decode()

    def post(self, path, fields, files=(), boundary="xYz"):
        """As a browser sends a form with files. files: name of the field, of the file, its bytes."""
        parts = [f'Content-Disposition: form-data; name="{n}"\r\n\r\n{v}'.encode() for n, v in fields.items()]
        parts += [f'Content-Disposition: form-data; name="{n}"; filename="{f}"\r\nContent-Type: application/octet-stream\r\n\r\n'
                  .encode() + data for n, f, data in files]
        body = b"".join(b"--" + boundary.encode() + b"\r\n" + p + b"\r\n" for p in parts) + f"--{boundary}--\r\n".encode()
        status, _, text = self.ask(path, body, Content_Type=f"multipart/form-data; boundary={boundary}")
        return status, text

    def certificate(self, name):
        """A leaf, and its key."""
        chain = self.client.issue(name)
        return x509.load_pem_x509_certificate(chain.encode()), self.client.leaf_key

    def state(self, cert):
        return self.ca.json("cert", "show", f"{cert.serial_number:032x}")["status"]

    def report(self, page):
        number = int(re.search(r"problem (\d+)", page)[1])
        link = re.search(r"https://localhost:\d+/problem/[\w-]+", page)[0]
        return link, wait_for(f"problem {number} to be read", lambda: (
            s := self.ca.json("problem", "show", number))["reading"] in ("done", "failed", "none") and s)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    built = Site(tmp_path_factory.mktemp("public"))
    yield built
    built.stop()


class Well(HTMLParser):
    """Every tag is closed, ids are there once, labels and links within the page lead to what is there."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.wanted, self.classes = [], [], set(), set()
        self.feed(page)
        assert self.open == [], self.open
        assert len(self.ids) == len(set(self.ids)), self.ids
        assert self.wanted <= set(self.ids), self.wanted - set(self.ids)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        assert tag not in ("script", "img", "link", "iframe", "object"), tag
        assert not any(k.startswith("on") or k == "style" for k in a), a
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)
        self.ids += [a["id"]] if "id" in a else []
        self.wanted |= {a["for"]} if "for" in a else set()
        self.wanted |= set(a.get("aria-describedby", "").split())
        self.wanted |= {a["href"][1:]} if a.get("href", "").startswith("#") else set()
        self.classes |= set((a.get("class") or "").split())

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def pre(page, name):
    """Lines to copy, as they stand on the page."""
    return html.unescape(re.search(rf'<pre id="{name}"[^>]*>(.*?)</pre>', page, re.S)[1])


# ---- what everybody may look at ----

def test_pages(site):
    for path in PAGES:
        status, headers, page = site.ask(path)
        assert status == 200, path
        Well(page)
        policy = headers["Content-Security-Policy"]
        style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=style.encode(), capture_output=True).stdout
        assert f"style-src 'sha256-{base64.b64encode(digest).decode()}'" in policy and "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy and "script" not in policy and "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Set-Cookie"] is None
        forms = path in ("/affected", "/problem", "/key")
        assert headers["Cache-Control"] == "no-store" if forms else "max-age" in headers["Cache-Control"]
        assert site.ask(path, method="HEAD")[0] == 200
        assert site.ask(path, b"x", method="PUT")[0] == 405
    for path in PAGES[:4]:
        assert site.ask(path, b"")[0] == 405
    for path in PAGES:  # without TLS they lead to where there is some
        said = run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", f"http://127.0.0.1:{site.ca.http_port}{path}"])
        assert said == f"308 {site.ca.url}{path}"
    assert site.ask("/nothing")[0] == 404


def test_status(site):
    site.certificate("status.example.com")

    def counted():  # each notary keeps what it was told for some seconds
        status, headers, text = site.ask("/status.json")
        assert status == 200 and headers["Access-Control-Allow-Origin"] == "*" and headers["Content-Type"] == "application/json"
        known = json.loads(text)
        fresh = known["crls"] and all(c["state"] == "fresh" for c in known["crls"])
        return fresh and {"issue", "crl"} <= {d["service"] for d in known["days"]} and known
    known = wait_for("a minute to be counted", counted)
    today = next(d for d in known["days"] if d["service"] == "issue")
    assert today["good_minutes"] >= 1 and today["bad_minutes"] == 0 and today["working"] and today["ago"] == 0
    assert today["day"] == known["since"] == known["now"][:10]
    page = wait_for("the page to say so", lambda: "100.00 %" in (text := site.ask("/status")[2]) and text)
    assert "Everything works" in page and "No incident is published." in page
    # An incident that nobody has published is nobody's.
    number = site.ca.json("incident", "open", "Nobody knows of this", "--source", "person", "--cause", "key-compromise")["id"]
    site.ca.json("incident", "open", "Nor of this", "--source", "person", "--cause", "key-compromise", "--restricted")
    for path in (*PAGES, "/status.json", f"/affected/incident/{number}"):
        assert "obody knows of this" not in site.ask(path)[2] and "Nor of this" not in site.ask(path)[2]


def test_hierarchy(site):
    page = site.ask("/hierarchy")[2]
    found = re.findall(r'href="(/ca/[\w-]+\.crt)".*?fingerprint</th><td>([0-9a-f]{64})<.*?(-----BEGIN CERTIFICATE-----.*?END CERTIFICATE-----)',
                       page, re.S)
    assert len(found) == len(site.ca.json("issuer", "list")["issuers"]) >= 2
    for path, fingerprint, pem in found:
        with urllib.request.urlopen(site.ca.url + path, context=site.tls) as answer:
            der = answer.read()
        assert hashlib.sha256(der).hexdigest() == fingerprint
        assert x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex() == fingerprint
    assert page.index("/ca/root.crt") < page.index("/ca/tls.crt")


# ---- forms with files ----

def der_of(request):
    return x509.load_pem_x509_csr(request).public_bytes(serialization.Encoding.DER)


def test_a_report_with_a_proof_in_a_file(site):
    """Reported without a script, verified by machine, revoked, and the page of the case says so."""
    cert, key = site.certificate("proven.example.com")
    pem = cert.public_bytes(serialization.Encoding.PEM).decode()
    status, page = site.post("/problem", {**REPORT, "about": pem, "text": "The key is on a public page.", "cause": "key-compromise"},
                             [("file", "proof.der", der_of(made.request(key, "Proof of Key Compromise for Lintel"))),
                              ("file", "photo.bin", bytes(range(256)) * 8), ("file", "", b"")])
    assert status == 200, page
    Well(page)
    link, report = site.report(page)
    wait_for("the certificate to be revoked", lambda: site.state(cert) == "revoked")
    assert hashlib.sha256(cert.public_bytes(serialization.Encoding.DER)).hexdigest() in json.dumps(report["about"])
    raw = site.ca.lintel("problem", "raw", report["id"]).stdout
    assert "--- file proof.der," in raw and "BEGIN CERTIFICATE REQUEST" in raw and "BEGIN FILE" in raw
    page = wait_for("the page to say so", lambda: "revoked on" in (text := site.ask(link)[2]) and text)
    Well(page)
    assert f"Certificate {cert.serial_number:032x}" in page


def test_a_private_key_in_a_file_is_not_kept(site):
    cert, key = site.certificate("lost.example.com")
    for form in (serialization.Encoding.DER, serialization.Encoding.PEM):
        secret = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        status, page = site.post("/problem", {**REPORT, "text": f"found it, {form}"}, [("file", "key", secret)])
        assert status == 200
        _, report = site.report(page)
        raw = site.ca.lintel("problem", "raw", report["id"]).stdout
        lines = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()).decode().splitlines()[1:-1]
        assert report["kept_sha256"] and not any(line in raw + json.dumps(report) for line in lines)
    wait_for("the certificate to be revoked", lambda: site.state(cert) == "revoked")


def test_a_proof_at_once(site):
    cert, key = site.certificate("key.example.com")
    secret = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    status, page = site.post("/key", {"do": "prove", "proof": "", "contact": ""}, [("file", "ec.der", secret)])
    assert status == 200 and "it is proven" in page
    wait_for("the certificate to be revoked", lambda: site.state(cert) == "revoked")
    assert site.post("/key", {"do": "prove", "proof": "", "contact": ""}, [("file", "a", b"\x30\x03\x02\x01\x00")])[0] == 400


def test_more_for_a_case(site):
    cert, key = site.certificate("later.example.com")
    status, page = site.post("/problem", {**REPORT, "about": f"{cert.serial_number:032x}", "text": "I shall send a proof"})
    link, _ = site.report(page)
    assert "not revoked" in site.ask(link)[2]
    proof = made.request(key, "Proof of Key Compromise for Lintel")
    status, page = site.post(link, {"do": "say", "text": "here"}, [("file", "proof.csr", proof)])
    assert status == 200 and "Added." in page and "BEGIN CERTIFICATE REQUEST" in page
    wait_for("the certificate to be revoked", lambda: site.state(cert) == "revoked")


def test_forms_that_are_refused(site):
    good = {**REPORT, "text": "x"}
    count = len(site.ca.json("problem", "list", "--all")["problems"])
    assert site.post("/problem", {**good, "contact": "no address"})[0] == 400
    status, page = site.post("/problem", {**good, "contact": "<b>\"", "text": "</textarea><script>"})
    assert status == 400 and "<b>" not in page and "<script" not in page and "something to put right" in page
    Well(page)
    assert site.post("/problem", {**good, "other": "x"})[0] == 400
    assert site.post("/problem", good, [("other", "a", b"x")])[0] == 400
    assert site.post("/problem", good, [("file", "a", b"x")] * 9)[0] == 413
    assert site.post("/problem", good, [("file", "a", b"x" * 70000)])[0] == 413
    assert site.post("/problem", good, boundary="x" * 71)[0] == 400
    assert site.post("/affected", {"q": "1"})[0] == 415  # takes no files
    for body in (b"", b"--x--\r\n", b"--x\r\n\r\n\r\n--x--\r\n", b'--x\r\nContent-Disposition: form-data; name="do"\r\n\r\nreport\r\n',
                 b"hello\r\n--x--\r\n"):
        assert site.ask("/problem", body, Content_Type="multipart/form-data; boundary=x")[0] == 400, body
    assert site.ask("/problem", b"{}", Content_Type="application/json")[0] == 415
    status, headers, text = site.ask("/problem", b"x" * 70000, Content_Type="multipart/form-data; boundary=x")
    assert (status, headers["Content-Type"]) == (413, "application/problem+json")
    # A program gets a problem document, a person something to read.
    for accept, kind in (("*/*", "application/problem+json"), ("text/html,*/*;q=0.8", "text/html; charset=utf-8")):
        status, headers, page = site.ask("/problem", b"--x--\r\n", Content_Type="multipart/form-data; boundary=x", Accept=accept)
        assert (status, headers["Content-Type"]) == (400, kind) and "a form without parts" in page
    Well(page)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<b>" not in site.ask("/no<b>thing", Accept="text/html")[2]
    assert len(site.ca.json("problem", "list", "--all")["problems"]) == count


# ---- lines to copy ----

def lines_for(ca, client, name):
    with urllib.request.urlopen(f"{ca.url}/get-certificates", context=ssl.create_default_context(cafile=str(ca.root))) as answer:
        page = answer.read().decode()
    text = pre(page, client)
    trust = pre(page, f"{client}-trust")
    assert "www.example.org" in text and "/path/to/root.pem" in trust
    return text.replace("www.example.org", name), trust.replace("/path/to/root.pem", str(ca.root))


def env_of(trust):
    name, value = re.fullmatch(r"export (\w+)=(\S+)\n", trust).groups()
    return {**os.environ, name: value}


@pytest.mark.skipif(not shutil.which("certbot"), reason="certbot is not installed")
def test_certbot_as_it_is_written(site, tmp_path):
    site.webroot.stop()  # its own server listens there
    try:
        line, trust = lines_for(site.ca, "certbot", "certbot.example.org")
        # What a test adds: a port of its own, and folders.
        run(shlex.split(line) + ["--non-interactive", "--http-01-port", site.http01, "--http-01-address", "127.0.0.1", "--config-dir",
                                 tmp_path / "c", "--work-dir", tmp_path / "w", "--logs-dir", tmp_path / "l"], env=env_of(trust))
    finally:
        site.webroot = Webroot(site.webroot.folder, site.http01)
    live = tmp_path / "c" / "live" / "certbot.example.org"
    assert "DNS:certbot.example.org" in verify(site.ca, live / "cert.pem", live / "chain.pem")


@pytest.mark.skipif(not shutil.which("lego"), reason="lego is not installed")
def test_lego_as_it_is_written(site, tmp_path):
    site.webroot.stop()
    try:
        line, trust = lines_for(site.ca, "lego", "lego.example.org")
        words = shlex.split(line)
        run(words[:-1] + ["--http.port", f"127.0.0.1:{site.http01}", "--path", tmp_path] + words[-1:], env=env_of(trust))
    finally:
        site.webroot = Webroot(site.webroot.folder, site.http01)
    found = tmp_path / "certificates"
    assert "DNS:lego.example.org" in verify(site.ca, found / "lego.example.org.crt", found / "lego.example.org.issuer.crt")


@pytest.mark.skipif(not shutil.which("acme.sh"), reason="acme.sh is not installed")
def test_acme_sh_as_it_is_written(site, tmp_path):
    site.webroot.stop()
    try:
        line, trust = lines_for(site.ca, "acme-sh", "acme-sh.example.org")
        run(shlex.split(line) + ["--httpport", site.http01, "--home", tmp_path], env=env_of(trust))
    finally:
        site.webroot = Webroot(site.webroot.folder, site.http01)
    assert next(tmp_path.glob("acme-sh.example.org*/fullchain.cer")).exists()


def test_apache_as_it_is_written(net, tmp_path):
    """What a test adds is where its files and addresses are."""
    ca, name = net.authority, "apache-page.example.com"
    lines, trust = lines_for(ca, "apache", name)
    servers.open_to_all(tmp_path)
    (tmp_path / "www").mkdir()
    config = tmp_path / "apache.conf"
    config.write_text("\n".join([
        f"ServerRoot {tmp_path}", f"PidFile {tmp_path}/pid", f"ErrorLog {tmp_path}/error.log", "LogLevel warn md:debug",
        f"DefaultRuntimeDir {tmp_path}", f"Mutex file:{tmp_path}", f"DocumentRoot {tmp_path}/www", f"MDStoreDir {tmp_path}/md",
        *(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in servers.MODULES),
        "User www-data", "Group www-data", "ServerName localhost", f"Listen {WEB}:80", f"Listen {WEB}:443",
        "MDInitialDelay 0", "MDCheckInterval 1s", lines, trust, f"<VirtualHost {WEB}:80>", f"  ServerName {name}", "</VirtualHost>",
        f"<VirtualHost {WEB}:443>", f"  ServerName {name}", "  SSLEngine on", "</VirtualHost>", ""]))
    process = subprocess.Popen(["apache2", "-f", config, "-D", "FOREGROUND"])
    try:
        def done():
            assert process.poll() is None, (tmp_path / "error.log").read_text()
            staged = tmp_path / "md" / "staging" / name / "job.json"
            if staged.exists() and '"finished": true' in staged.read_text():
                process.send_signal(signal.SIGUSR1)
            return servers.served(name, ca.root)
        pem = wait_for("Apache's certificate", done, 40, 0.3)
    finally:
        process.terminate()
        process.wait(20)
    names = x509.load_pem_x509_certificate(pem.encode()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == [name]


# ---- in a browser ----

@pytest.fixture
def plain(chromium):
    """Nobody's browser, with scripts switched off: that is how the pages have to work."""
    with stranger(chromium, script=False) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        yield page


def test_pages_are_looked_at(site, chromium):
    """Both themes, phone and desktop, and nothing that axe objects to. Its script needs a context that lets one in."""
    cert, key = site.certificate("looked.example.com")
    _, case = site.post("/problem", {**REPORT, "about": f"{cert.serial_number:032x}", "text": "looked at"})
    link, _ = site.report(case)
    with stranger(chromium) as page:
        for path in (*PAGES, link):
            page.goto(site.ca.url + path if path.startswith("/") else path)
            look(page, "public-" + ("case" if path == link else path.strip("/") or "front"))
        page.goto(f"{site.ca.url}/problem")
        page.get_by_label("Your mail address").fill("nonsense")
        page.get_by_role("button", name="Send the report").click()
        page.wait_for_selector("[role=alert]")
        look(page, "public-problem-refused")


def test_a_file_that_is_too_large(site, plain):
    """What was refused says so, and what was written is there when one goes back."""
    plain.goto(f"{site.ca.url}/problem")
    plain.get_by_label("What happened").fill("See the file.")
    plain.get_by_label("Files").set_input_files([{"name": "big", "mimeType": "application/zip", "buffer": b"x" * 2000000}])
    plain.get_by_role("button", name="Send the report").click()
    assert plain.locator("h1").inner_text() == "Content Too Large"
    plain.go_back()
    assert plain.get_by_label("What happened").input_value() == "See the file."


def test_a_report_without_scripts(site, plain):
    """A stranger reports a compromised key: from the front page to the certificate that is revoked."""
    cert, key = site.certificate("journey.example.com")
    page = plain
    page.goto(site.ca.url)
    page.get_by_role("link", name="Report a problem with a certificate").first.click()
    page.get_by_label("What happened").fill("It is in a public repository.\nSince yesterday.")
    page.get_by_label("Your mail address").fill("nonsense")
    page.get_by_role("button", name="Send the report").click()
    page.get_by_role("link", name="That is no mail address. Leave it empty if you have none.").click()
    assert page.get_by_label("What happened").input_value() == "It is in a public repository.\nSince yesterday."
    page.get_by_label("Your mail address").fill("")
    page.get_by_label("Which certificates").fill(cert.public_bytes(serialization.Encoding.PEM).decode())
    page.get_by_label("Files").set_input_files([
        {"name": "proof.der", "mimeType": "application/pkcs10", "buffer": der_of(made.request(key, "Proof of Key Compromise for Lintel"))},
        {"name": "where.txt", "mimeType": "text/plain", "buffer": "found at line 7".encode()}])
    page.get_by_role("button", name="Send the report").click()
    assert page.title().startswith("Thank you")
    page.locator("main a").first.click()
    assert page.title().startswith("Your report")

    def says():
        page.reload()
        return "revoked on" in page.locator("main").inner_text()
    wait_for("the page to say that it is revoked", says)
    assert site.state(cert) == "revoked"
    assert "found at line 7" in page.locator("main").inner_text()
    page.get_by_label("What do you want to add").fill("Thank you.")
    page.get_by_role("button", name="Add it").click()
    assert "Added." in page.locator(".box").inner_text()


def test_by_keyboard(site, plain):
    """The first stop leads past the menu, every stop is seen, and the form is sent with Enter."""
    page = plain
    page.goto(f"{site.ca.url}/affected")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("name") == "q"
    page.keyboard.type("www.example.com")
    page.keyboard.press("Enter")
    page.wait_for_url("**/affected")
    assert page.title().startswith("No: it is not affected")


def test_files_are_downloaded(site, plain):
    plain.goto(f"{site.ca.url}/hierarchy")
    with plain.expect_download(timeout=10000) as started:
        plain.get_by_role("link", name="Download root.crt").click()
    der = Path(started.value.path()).read_bytes()
    assert x509.load_der_x509_certificate(der) == x509.load_pem_x509_certificate(site.ca.root.read_bytes())


def test_what_nobody_has_looked_at_is_not_said_to_work(fresh_ca):
    """The last word of a family that was away is no word of now; whoever looks again says so."""
    ca = fresh_ca.start()

    def told():
        context = ssl.create_default_context(cafile=str(ca.root))
        with urllib.request.urlopen(f"{ca.url}/status.json", context=context, timeout=10) as answer:
            return next((d for d in json.loads(answer.read())["days"] if d["service"] == "issue"), None)
    assert wait_for("a minute to be counted", told)["working"]
    registrar = ca.pids()["registrar-0"]
    os.kill(registrar, signal.SIGSTOP)
    try:
        with sqlite3.connect(ca.folder / "book" / "lintel.db", timeout=20) as book:
            book.execute("UPDATE uptime_day SET last_minute = last_minute - 10")
        wait_for("the page to say so", lambda: (said := told()) and not said["working"])
    finally:
        os.kill(registrar, signal.SIGCONT)
    wait_for("somebody to look again", lambda: (said := told()) and said["working"])

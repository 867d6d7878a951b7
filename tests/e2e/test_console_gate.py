"""The console's door: what it serves and with which words to the browser, whom it lets ask, by TLS or not, and its stream of events. Who may
read and change what is in test_console_login.py."""
import gzip
import hashlib
import http.client
import json
import re
import socket
import ssl
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Ca, wait_for
from passkey import Console, Passkey, Refused, b64, jwk, new_key

DIST = Path(__file__).resolve().parents[2] / "web" / "dist"
POLICY = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "form-action 'self'",
          "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"}
STREAMS = 64


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gate")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    ca = Ca(folder, None, 1)
    config = ca.folder / "lintel.yaml"
    config.write_text(config.read_text().replace("gateways: 2", "gateways: 1"))  # so that its places can be counted
    ca.start()
    passkey, console = Passkey(), Console(ca.operator_port)
    console.enroll(ca.json("operator", "passkey", "admin")["link"], passkey)
    wait_for("the examiner", lambda: (path := ca.folder / "examiner" / "passkeys").exists() and b64(passkey.id) in path.read_text())
    ca.passkey = passkey
    yield ca
    ca.stop()


def inside(ca):
    c = Console(ca.operator_port)
    c.log_in(ca.passkey)
    return c


@pytest.fixture(scope="module")
def reader(gate):
    return inside(gate)


def fetch(ca, path, method="GET", port=None, context=None, body=None, source=None, **headers):
    head = {"Host": "localhost", **{k.replace("_", "-"): v for k, v in headers.items()}}
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    more = {"context": context} if context else {}
    with closing(kind("localhost" if context else "127.0.0.1", port or ca.operator_port, timeout=15, source_address=source, **more)) as c:
        c.request(method, path, body, head)
        answer = c.getresponse()
        answer.content = answer.read()
        return answer


def trusting(ca):
    return ssl.create_default_context(cafile=str(ca.root))


# ---- what it serves ----

def test_a_page_and_its_headers(gate):
    for path in ("/console/", "/console/enroll", "/console/incidents/7"):
        answer = fetch(gate, path)
        assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.content == (DIST / "index.html").read_bytes()
        assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY
        expected = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
                    "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY", "Cache-Control": "no-cache"}
        assert {k: answer.headers[k] for k in expected} == expected
        assert "geolocation=()" in answer.headers["Permissions-Policy"]
    page = answer.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=|<style|javascript:", page), "nothing inline: the policy forbids it"
    assert not re.search(r"(?:src|href)=\"(?!/console/|#|data:)", page), "nothing from elsewhere"
    for path in ("/", "/console"):
        answer = fetch(gate, path)
        assert (answer.status, answer.headers["Location"]) == (308, "/console/")
    assert fetch(gate, "/console/none.js").status == 404
    assert fetch(gate, "/console/", "POST").status == 405
    assert fetch(gate, "/console/%2e%2e/metrics").status == 400


def test_every_file_as_it_was_built(gate):
    listed = [line.split(maxsplit=1) for line in (DIST / "SHA256SUMS").read_text().splitlines()]
    assert listed
    for digest, name in listed:
        name = name.removeprefix("*").removeprefix("./")
        plain, packed = fetch(gate, f"/console/{name}"), fetch(gate, f"/console/{name}", Accept_Encoding="br, gzip")
        assert hashlib.sha256(plain.content).hexdigest() == digest and plain.headers["Content-Encoding"] is None
        assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.content) == plain.content
        for_ever = "immutable" in plain.headers["Cache-Control"]
        assert for_ever == bool(re.search(r"-[A-Z0-9]{8}\.\w+$", name)), name
        assert plain.headers["ETag"] != packed.headers["ETag"] and "accept-encoding" in plain.headers["Vary"].lower()
        assert "Content-Security-Policy" in plain.headers and plain.headers["X-Content-Type-Options"] == "nosniff"
        again = fetch(gate, f"/console/{name}", If_None_Match=plain.headers["ETag"])
        assert (again.status, again.content) == (304, b"")
        head = fetch(gate, f"/console/{name}", "HEAD")
        assert head.headers["Content-Length"] == str(len(plain.content)) and head.content == b""


# ---- who may ask ----

def test_not_on_the_public_side(gate):
    for path in ("/console/", "/api/v1/status", "/api/v1/live", "/api/v1/nonce", "/metrics"):
        assert fetch(gate, path, port=gate.https_port, context=trusting(gate)).status == 404, path
        assert fetch(gate, path, port=gate.http_port).status == 404, path


@pytest.mark.parametrize("headers, status", [
    ({}, 200),
    ({"Host": "localhost:9"}, 200),
    ({"Host": "127.0.0.1"}, 200),
    ({"Host": "[::1]:14001"}, 200),
    ({"Host": "evil.example"}, 421),  # whose name leads to us: DNS rebinding
    ({"Host": "localhost.evil.example"}, 421),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
    ({"Sec-Fetch-Site": "none"}, 200),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),  # another port of localhost
    ({"Host": "localhost:7", "Origin": "http://localhost:7"}, 200),
    ({"Origin": "http://localhost:1"}, 403),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
], ids=str)
def test_no_other_sites_page(gate, reader, headers, status):
    asks = [("GET", "session", None, {}), ("POST", "scope/count", "valid", {"X-Lintel": "1", "Content-Type": "text/plain"})]
    for method, path, body, more in asks + ([("GET", "live", None, {})] if status != 200 else []):  # a stream that is let in does not end
        try:
            answer, _ = reader.ask(method, f"/api/v1/{path}", body, {**more, **headers})
            assert (answer.status, status) == (200, 200)
            assert answer.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin" and answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Access-Control-Allow-Origin"] is None
        except Refused as e:
            assert e.status == status, (method, path, str(e))
    metrics = fetch(gate, "/metrics", **headers)
    assert metrics.status == status
    assert status != 200 or (metrics.headers["X-Content-Type-Options"], metrics.headers["Cross-Origin-Resource-Policy"]) == ("nosniff", "same-origin")


def test_bodies_are_bounded(gate, reader):
    with pytest.raises(Refused) as caught:
        reader.ask("POST", "/api/v1/lint", b"x" * 70000, {"X-Lintel": "1", "Content-Type": "application/octet-stream"})
    assert caught.value.status == 413
    assert fetch(gate, "/problem", "POST", gate.https_port, trusting(gate), body=b"x" * 70000).status == 413


# ---- by TLS ----

def test_the_same_port_by_tls(gate, tmp_path):
    url = f"https://localhost:{gate.operator_port}"
    run = subprocess.run(["curl", "-sf", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{ssl_verify_result}", "--cacert", gate.root,
                          f"{url}/console/"], capture_output=True, text=True)
    assert run.stdout == "2 0", run.stderr
    gate.lintel("operator", "certificate", "admin")
    key = gate.folder / "operators" / "admin.key"
    subprocess.run(["openssl", "req", "-x509", "-key", key, "-subj", "/CN=whoever", "-days", "1", "-out", tmp_path / "c.pem"], check=True,
                   capture_output=True)
    context = trusting(gate)
    context.load_cert_chain(tmp_path / "c.pem", key)

    def log_in(context):
        c = Console(gate.operator_port)
        request = sign_by_certificate(c)
        return fetch(gate, "/api/v1/sessions", "POST", context=context, body=request, Content_Type="application/jose+json",
                     Host=f"localhost:{gate.operator_port}")
    answer = wait_for("SIGHUP", lambda: (a := log_in(context)).status == 201 and a)
    assert json.loads(answer.content)["operator"] == "admin" and "; Secure" in answer.headers["Set-Cookie"]
    assert log_in(trusting(gate)).status == 403  # no certificate
    other = trusting(gate)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "o.key",
                    "-subj", "/CN=admin", "-days", "1", "-out", tmp_path / "o.pem"], check=True, capture_output=True)
    other.load_cert_chain(tmp_path / "o.pem", tmp_path / "o.key")
    assert log_in(other).status == 403  # its name is nothing


def sign_by_certificate(console):
    key = new_key()
    return console.sign("/api/v1/sessions", {"rp": "localhost", "certificate": True}, key, jwk=jwk(key))


# ---- the stream ----

class Stream:
    def __init__(self, console):
        self.socket = socket.create_connection(("127.0.0.1", console.port), timeout=20)
        self.socket.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nCookie: {console.cookie_name}={console.cookie}\r\n\r\n".encode())
        self.text = b""

    def until(self, want):
        while want not in self.text:
            part = self.socket.recv(65536)
            assert part, f"the stream ended before {want}: {self.text[-500:]}"
            self.text += part
        return self.text

    def document(self):
        """The next one."""
        self.until(b"event: overview\n")
        self.text = self.text.partition(b"event: overview\n")[2]
        self.until(b"\n\n")
        event, _, self.text = self.text.partition(b"\n\n")
        return json.loads(b"".join(line.removeprefix(b"data: ") for line in re.sub(rb"\r\n[0-9a-f]+\r\n", b"", event).split(b"\n")))

    def close(self):
        self.socket.close()


def metric(ca, name):
    return sum(float(m[1]) for m in re.finditer(rf"^{name}(?:{{[^}}]*}})? ([\d.e+]+)$", fetch(ca, "/metrics").content.decode(), re.M))


def test_live(gate, reader):
    leaver = inside(gate)
    with closing(Stream(reader)) as a, closing(Stream(leaver)) as b:
        head = a.until(b"\r\n\r\n").lower()
        assert b"200 ok" in head and b"content-type: text/event-stream" in head and b"cache-control: no-store" in head
        a.document(), b.document()
        reader.change("halts", {"kind": "name-suffix", "value": "live.example", "reason": "a test"})
        for s in (a, b):  # one document for both
            wait_for("the halt", lambda s=s: "live.example" in json.dumps(s.document()), step=0)
        leaver.change("session/leave")
        b.until(b"event: end\ndata: session\n\n")
        reader.change("halts", {"kind": "name-suffix", "value": "more.example", "reason": "a test"})
        wait_for("the other halt", lambda: "more.example" in json.dumps(a.document()), step=0)
    with pytest.raises(Refused) as caught:
        leaver.get("live")
    assert caught.value.status == 401


def test_so_many_streams_and_no_more(gate, reader):
    wait_for("the others to be gone", lambda: metric(gate, "lintel_console_streams") == 0)
    console = reader
    streams = [Stream(console) for _ in range(STREAMS)]
    try:
        for s in streams:
            s.document()
        late = Stream(console)
        assert b" 503 " in late.until(b"\r\n") and b"retry-after: 10" in late.until(b"\r\n\r\n").lower()
        late.close()
        assert fetch(gate, "/acme/directory", port=gate.https_port, context=trusting(gate)).status == 200
        assert gate.json("status")  # the command line has its own way in
        wait_for("the metrics", lambda: metric(gate, "lintel_console_streams") == STREAMS)
        questions = metric(gate, "lintel_queries_total")
        console.change("halts", {"kind": "name-suffix", "value": "many.example", "reason": "a test"})
        for s in streams:
            wait_for("the halt", lambda s=s: "many.example" in json.dumps(s.document()), step=0)
        assert metric(gate, "lintel_queries_total") - questions <= 10  # not one for each
        streams.pop().close()
        wait_for("a place", lambda: metric(gate, "lintel_console_streams") == STREAMS - 1)
        with closing(Stream(console)) as again:
            again.document()
    finally:
        for s in streams:
            s.close()


# ---- forms that anybody may send ----

def test_one_sender_takes_no_more_than_its_share(gate):
    context = trusting(gate)

    def post(source):
        return fetch(gate, "/problem", "POST", gate.https_port, context, body="do=send&text=", source=(source, 0), Accept="text/html",
                     Content_Type="application/x-www-form-urlencoded")
    for number in range(60):
        answer = post("127.0.0.9")
        if answer.status == 429:
            break
    assert answer.status == 429 and 20 <= number < 50
    assert answer.headers["Retry-After"] == "10" and b"Please wait" in answer.content and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert post("127.0.0.10").status != 429
    assert fetch(gate, "/acme/directory", port=gate.https_port, context=context, source=("127.0.0.9", 0)).status == 200
    assert metric(gate, "lintel_http_forms_refused_total") >= 1


# ---- beyond this machine ----

def test_another_address_and_name(gate):
    """Last: the family is started anew."""
    gate.stop()
    config = gate.folder / "lintel.yaml"
    text = config.read_text().replace(f'operator: "127.0.0.1:{gate.operator_port}"', f'operator: "0.0.0.0:{gate.operator_port}"')
    assert "0.0.0.0" in text
    config.write_text(text.replace("  name: localhost\n  session", "  name: console.ca.example\n  session"))
    gate.start()
    plain = fetch(gate, "/metrics")
    assert plain.status == 400 and b"only TLS" in plain.content
    curl = ["curl", "-s", "--cacert", str(gate.root), "--resolve", f"console.ca.example:{gate.operator_port}:127.0.0.1", "-w", "\n%{http_code}"]

    def served():
        run = subprocess.run([*curl, f"https://console.ca.example:{gate.operator_port}/console/"], capture_output=True, text=True)
        return run.returncode == 0 and run.stdout.endswith("\n200")
    wait_for("a certificate with the console's name", served)
    run = subprocess.run([*curl, "-H", "Host: other.example", f"https://console.ca.example:{gate.operator_port}/console/"],
                         capture_output=True, text=True)
    assert run.stdout.endswith("\n421")

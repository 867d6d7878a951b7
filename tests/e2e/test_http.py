"""The public listener against senders that bend HTTP: the 17 probes, slow clients, and what caches are told."""
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest
from acmeclient import Client
from conftest import wait_for

GOOD = b"GET /acme/directory HTTP/1.1\r\nHost: localhost\r\n\r\n"


def talk(ca, data, tls=True, wait=3.0):
    raw = socket.create_connection(("127.0.0.1", ca.https_port if tls else ca.http_port), timeout=wait)
    if tls:
        context = ssl.create_default_context(cafile=str(ca.root))
        raw = context.wrap_socket(raw, server_hostname="localhost")
    with raw:
        try:
            raw.sendall(data)
        except OSError:
            pass
        answer = b""
        try:
            while b"\r\n\r\n" not in answer:
                part = raw.recv(65536)
                if not part:
                    break
                answer += part
        except OSError:
            pass
        return answer


def status(answer):
    m = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return int(m[1]) if m else None


def post(headers, body=b""):
    return b"POST /acme/new-order HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n" + body


PROBES = {
    "both framings": (post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), {400}),
    "two lengths": (post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello"), {400}),
    "same length twice": (post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), {400}),
    "length with plus": (post(b"Content-Length: +5\r\n", b"hello"), {400}),
    "length with blank": (post(b"Content-Length: 5 5\r\n", b"hello"), {400}),
    "negative length": (post(b"Content-Length: -1\r\n"), {400}),
    "xchunked": (post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), {400, 501}),
    "chunked not last": (post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"), {400, 501}),
    "blank before colon": (b"GET /acme/directory HTTP/1.1\r\nHost : localhost\r\n\r\n", {400}),
    "bare LF": (b"GET /acme/directory HTTP/1.1\nHost: localhost\n\n", {400}),
    "NUL in a value": (b"GET /acme/directory HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", {400}),
    "no Host": (b"GET /acme/directory HTTP/1.1\r\n\r\n", {400}),
    "two Hosts": (b"GET /acme/directory HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", {400}),
    "chunk size 0x5": (post(b"Transfer-Encoding: chunked\r\n", b"0x5\r\nhello\r\n0\r\n\r\n"), {400, 501}),
    "long header": (b"GET /acme/directory HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200000 + b"\r\n\r\n", {431}),
    "HTTP/9.9": (b"GET /acme/directory HTTP/9.9\r\nHost: localhost\r\n\r\n", {505}),
    "folded header": (b"GET /acme/directory HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", {400}),
    "large body": (post(b"Content-Length: 10000000\r\n"), {413}),
    "dot segments": (b"GET /acme/../acme/directory HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 404}),
    "crl escape": (b"GET /crl/../../keys/tls.key HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 404}),
    "crl escape, encoded": (b"GET /crl/%2e%2e/%2e%2e/keys/tls.key HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 404}),
}


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_probe(ca, probe, tls):
    data, expected = PROBES[probe]
    assert status(talk(ca, data, tls)) in expected
    assert status(talk(ca, GOOD)) == 200


def test_slow_clients_hold_nothing(ca):
    """200 connections that send a byte now and then; everybody else is served meanwhile."""
    context = ssl.create_default_context(cafile=str(ca.root))
    slow = []
    for i in range(200):
        s = socket.create_connection(("127.0.0.1", ca.https_port), timeout=5)
        s.sendall(b"\x16\x03") if i % 2 else None
        if i % 2 == 0:
            try:
                s = context.wrap_socket(s, server_hostname="localhost")
                s.sendall(b"GET /acme/dir")
            except OSError:
                continue
        slow.append(s)
    times = []
    for _ in range(50):
        start = time.monotonic()
        assert status(talk(ca, GOOD)) == 200
        times.append(time.monotonic() - start)
    assert sorted(times)[45] < 0.5

    def all_closed():
        left = 0
        for s in slow:
            s.settimeout(0.01)
            try:
                left += s.recv(65536) != b""  # an answer first, then the end
            except (TimeoutError, ssl.SSLWantReadError):
                left += 1
            except OSError:
                pass
        return left == 0

    wait_for("the slow ones to be closed", all_closed, 40, 1.0)


def test_http2(ca):
    out = subprocess.run(["curl", "-s", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--cacert",
                          str(ca.root), ca.directory], capture_output=True, text=True).stdout
    assert out == "2 200"


@pytest.mark.parametrize("version,good", [("--tls-max 1.1", False), ("--tlsv1.2 --tls-max 1.2", True), ("--tlsv1.3", True)])
def test_tls_versions(ca, version, good):
    done = subprocess.run(["curl", "-s", *version.split(), "-o", "/dev/null", "--cacert", str(ca.root), ca.directory])
    assert (done.returncode == 0) == good


def test_caching_of_crl_and_certificate(ca):
    for name, kind in (("crl/tls.crl", "application/pkix-crl"), ("ca/tls.crt", "application/pkix-cert")):
        url = f"http://127.0.0.1:{ca.http_port}/{name}"
        out = subprocess.run(["curl", "-si", "-o", "-", url], capture_output=True).stdout
        head = out.split(b"\r\n\r\n")[0].decode().lower()
        assert head.startswith("http/1.1 200"), head
        assert f"content-type: {kind}" in head
        assert "cache-control:" in head and "max-age=" in head and "last-modified:" in head
        etag = re.search(r'^etag: (.*)$', head, re.M)[1].strip()
        again = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"If-None-Match: {etag}", url],
                               capture_output=True, text=True).stdout
        assert again == "304"
        assert subprocess.run(["curl", "-sI", "-o", "/dev/null", "-w", "%{http_code}", url], capture_output=True,
                              text=True).stdout == "200"


def test_nonce_replays_in_parallel(ca):
    """10,000 copies of one signed request over many connections and all gateways: exactly one is taken."""
    client = Client(ca.directory, ca.root)
    client.register()
    import json
    body = json.dumps(client.sign(client.kid, {"contact": ["mailto:once@example.com"]})).encode()
    path = client.kid.split(str(ca.https_port), 1)[1].encode()
    request = (b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose+json\r\nContent-Length: "
               + str(len(body)).encode() + b"\r\n\r\n" + body)
    taken, refused, other = [], [], []

    def worker(n):
        context = ssl.create_default_context(cafile=str(ca.root))
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", ca.https_port), timeout=30), server_hostname="localhost")
        f = s.makefile("rb")
        for _ in range(n):
            s.sendall(request)
            line = f.readline()
            length = 0
            while (header := f.readline()) not in (b"\r\n", b""):
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            content = f.read(length)
            if b" 200 " in line:
                taken.append(1)
            elif b"badNonce" in content:
                refused.append(1)
            else:
                other.append(line + content)
        s.close()

    threads = [threading.Thread(target=worker, args=(625,)) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert len(taken) == 1, (len(taken), len(refused), other[:3])
    assert len(taken) + len(refused) == 10000, other[:3]

#!/usr/bin/env python3
"""OCSP at the size of a large CA.

    tests/bench/ocsp.py [--certificates 1000000] [--revoke 0] [--seconds 8] [--json]

Fills the book of a fresh CA with rows for so many certificates, starts the family with `ocsp: true` for their issuer, and says
how long it took until every one had its answers signed and published (two for each certificate: CertIDs by SHA-1 and by SHA-256). Then
nghttp2's h2load asks for 20,000 different certificates by GET, over plain HTTP on connections that stay open. With --revoke so
many are revoked in the book at once, and it says how long until the last of them is answered "revoked". Server and load
generator share the machine's cores.
"""
import argparse
import base64
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

sys.path.insert(0, str(Path(__file__).resolve().parent))
from ari import ASKED, DAY, US, cpu_seconds, fill, h2load  # noqa: E402,F401
from conftest import Ca, free_port, wait_for  # noqa: E402


def prepare(ca):
    """OCSP for the issuer that `fill` has its certificates of."""
    with sqlite3.connect(ca.folder / "book" / "lintel.db") as book:
        name, der = book.execute("SELECT name, certificate FROM issuer WHERE offline = 0 ORDER BY id DESC").fetchone()
    config = ca.folder / "lintel.yaml"
    line = f"certificate: ca/{name}.pem\n"
    text = config.read_text()
    assert line in text
    config.write_text(text.replace(line, f"{line}    ocsp: true\n"))
    profile = (ca.folder / "profiles" / "ocsp-tls.yaml").read_text()
    (ca.folder / "profiles" / "ocsp-bench.yaml").write_text(
        profile.replace("name: ocsp-tls", "name: ocsp-bench").replace("issuer: tls", f"issuer: {name}"))
    return x509.load_der_x509_certificate(der)


def request_of(issuer):
    name, key = hashes.Hash(hashes.SHA1()), hashes.Hash(hashes.SHA1())
    name.update(issuer.subject.public_bytes())
    public = issuer.public_key()
    if hasattr(public, "curve"):
        bits = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    else:
        bits = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    key.update(bits)
    name, key = name.finalize(), key.finalize()

    def build(serial):
        made = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, int.from_bytes(serial, "big"), hashes.SHA1())
        return made.build().public_bytes(serialization.Encoding.DER)
    return build


def answer(ca, der):
    out = subprocess.run(["curl", "-s", "-H", "content-type: application/ocsp-request", "--data-binary", "@-",
                          f"http://127.0.0.1:{ca.http_port}/ocsp"], input=der, capture_output=True).stdout
    made = ocsp.load_der_ocsp_response(out) if out else None
    good = made is not None and made.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL
    return made.certificate_status.name if good else None


def counted(ca, name):
    text = subprocess.run(["curl", "-s", f"http://127.0.0.1:{ca.operator_port}/metrics"], capture_output=True, text=True).stdout
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


def rss_mb(ca, role):
    """At its worst, of private memory and mapped files together."""
    return max(int(next(line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                        if line.startswith("VmHWM"))) / 1024 for name, pid in ca.pids().items() if name.startswith(role))


def revoke(ca, build, count):
    """In slices, as the registrar writes them: what is told apart by its time must be there at that time."""
    with sqlite3.connect(ca.folder / "book" / "lintel.db", timeout=60) as book:
        issuer = book.execute("SELECT max(issuer) FROM certificate WHERE profile = 1").fetchone()[0]
        serials = [r[0] for r in book.execute("SELECT serial FROM certificate WHERE issuer = ? AND worst_method = 'http-01' "
                                              "ORDER BY serial LIMIT ?", (issuer, count))]
        for at in range(0, len(serials), 10000):
            now = int(time.time()) * US
            book.executemany("INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
                             "by_whom, sequence) VALUES (?, 0, ?, 4, ?, ?, ?, 'bench', 0)",
                             ((issuer, s, now, now, now + 90 * DAY) for s in serials[at:at + 10000]))
            book.commit()
    started = time.monotonic()
    wait_for("the last to be revoked", lambda: all(answer(ca, build(s)) == "REVOKED" for s in (serials[0], serials[-1])),
             1200, 0.5)
    return time.monotonic() - started


def measure(folder, options):
    ca = Ca(folder, free_port(socket.SOCK_DGRAM), free_port())
    build = request_of(prepare(ca))
    ids, took = fill(ca, options.certificates, 0)
    serials = [base64.urlsafe_b64decode(i.split(".")[1] + "==") for i in ids]
    started = time.monotonic()
    ca.start()
    try:
        base = ca.folder / "public" / "ocsp" / "base"
        wait_for("the answers", base.exists, 1800, 0.2)
        written = time.monotonic() - started
        signer, publisher = cpu_seconds(ca, "ocsp"), cpu_seconds(ca, "publisher")
        wait_for("an answer", lambda: answer(ca, build(serials[0])) == "GOOD", 20)
        urls = folder / "urls"
        urls.write_text("\n".join(f"http://127.0.0.1:{ca.http_port}/ocsp/" +
                                  urllib.parse.quote(base64.b64encode(build(s)).decode(), safe="") for s in serials) + "\n")
        before = counted(ca, "lintel_ocsp_answers_total")
        rate, us = h2load(ca, urls, options.seconds, "--h1")
        assert counted(ca, "lintel_ocsp_answers_total") - before >= rate * options.seconds * 0.95  # signed ones, no errors
        result = {"certificates": options.certificates, "rows made in, s": round(took, 1),
                  "all signed and published after, s": round(written, 1),
                  "signatures/s": round(2 * options.certificates / written),
                  "ocsp-signer's CPU, s": round(signer, 1), "publisher's CPU, s": round(publisher, 1),
                  "ocsp-signer's memory, MB": round(rss_mb(ca, "ocsp"), 1),
                  "file, MB": round(base.stat().st_size / 1e6, 1),
                  "answers/s": round(rate), "gateways' CPU us an answer": round(us, 1)}
        if options.revoke:
            result[f"{options.revoke} revoked, all answered after, s"] = round(revoke(ca, build, options.revoke), 1)
        return result
    finally:
        ca.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--certificates", type=int, default=1000000)
    parser.add_argument("--revoke", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lintel-bench-"))
    folder.chmod(0o755)
    try:
        result = measure(folder, options)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(result) if options.json else "\n".join(f"{name:42} {value}" for name, value in result.items()))


if __name__ == "__main__":
    main()

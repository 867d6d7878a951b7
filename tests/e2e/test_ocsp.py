"""OCSP as relying parties ask it: by GET and POST, of a family whose issuer `tls` has `ocsp: true`."""
import base64
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from acmeclient import Client, b64
from conftest import Ca, Webroot, free_port, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID


@pytest.fixture(scope="module")
def family(tmp_path_factory, dns):
    folder = tmp_path_factory.mktemp("ocsp")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    port = free_port()
    web = Webroot(tmp_path_factory.mktemp("ocsp-web"), port)
    ca = Ca(folder, dns.port, port)
    config = ca.folder / "lintel.yaml"
    text = config.read_text()
    assert "certificate: ca/tls.pem\n" in text
    config.write_text(text.replace("certificate: ca/tls.pem\n", "certificate: ca/tls.pem\n    ocsp: true\n"))
    profile = ca.folder / "profiles" / "tls-server.yaml"
    profile.write_text(profile.read_text().replace("  issuer-url: true\n", "  issuer-url: true\n  ocsp-url: true\n"))
    ca.start()
    ca.client = Client(ca.directory, ca.root, web.challenges)
    ca.client.register()
    ca.issuer = x509.load_pem_x509_certificate((ca.folder / "ca" / "tls.pem").read_bytes())
    ca.ocsp = f"http://127.0.0.1:{ca.http_port}/ocsp"
    yield ca
    ca.stop()
    web.stop()


def http(url, data=None, content_type="application/ocsp-request"):
    request = urllib.request.Request(url, data, {"Content-Type": content_type} if data is not None else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def question(ca, serial, algorithm=None):
    algorithm = algorithm or hashes.SHA1()
    name = hashes.Hash(algorithm)
    name.update(ca.issuer.subject.public_bytes())
    key = hashes.Hash(algorithm)
    key.update(ca.issuer.public_key().public_bytes(serialization.Encoding.X962,
                                                   serialization.PublicFormat.UncompressedPoint))
    built = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name.finalize(), key.finalize(), serial, algorithm)
    return built.build().public_bytes(serialization.Encoding.DER)


def ask(ca, serial, algorithm=None):
    status, headers, body = http(ca.ocsp, question(ca, serial, algorithm))
    assert status == 200 and headers["content-type"] == "application/ocsp-response"
    return ocsp.load_der_ocsp_response(body), headers


def is_answered(ca, serial, wanted):
    """By every gateway: each takes up new answers in its own time, and who comes next may be the other's."""
    def look():
        answers = [ask(ca, serial)[0] for _ in range(10)]
        return all(a.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL and a.certificate_status == wanted for a in answers)
    return look


def issue(ca, name):
    return x509.load_pem_x509_certificate(ca.client.issue(name).encode())


def check_signature(ca, answer):
    responder = answer.certificates[0]
    ca.issuer.public_key().verify(responder.signature, responder.tbs_certificate_bytes,
                                  ec.ECDSA(responder.signature_hash_algorithm))
    responder.public_key().verify(answer.signature, answer.tbs_response_bytes,
                                  ec.ECDSA(answer.signature_hash_algorithm))


def test_good_in_a_moment(family):
    cert = issue(family, "good.example.com")
    wait_for("an authoritative answer", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    aia = cert.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    urls = [d.access_location.value for d in aia if d.access_method == AuthorityInformationAccessOID.OCSP]
    assert len(urls) == 1 and urls[0].endswith("/ocsp")
    for algorithm in (hashes.SHA1(), hashes.SHA256()):
        answer, headers = ask(family, cert.serial_number, algorithm)
        assert answer.certificate_status == ocsp.OCSPCertStatus.GOOD
        assert answer.serial_number == cert.serial_number and answer.hash_algorithm.name == algorithm.name
        length = (answer.next_update_utc - answer.this_update_utc).total_seconds()
        assert 8 * 3600 <= length <= 10 * 86400
        check_signature(family, answer)
        assert "max-age" in headers["cache-control"] and headers["expires"] and headers["last-modified"]


def test_the_responder_is_one(family):
    cert = issue(family, "responder.example.com")
    wait_for("an answer", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    answer, _ = ask(family, cert.serial_number)
    responder = answer.certificates[0]
    usage = responder.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    assert list(usage) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    assert responder.issuer == family.issuer.subject and responder.public_key().curve.name == "secp256r1"
    assert "ocsp-tls" in family.lintel("cert", "list", "--json").stdout  # it stands in the book like any other


def test_revoked(family):
    cert = issue(family, "revoked.example.com")
    der = cert.public_bytes(serialization.Encoding.DER)
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    family.client.post(family.client.directory["revokeCert"], {"certificate": b64(der), "reason": 4})
    revoked = is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.REVOKED)
    wait_for("revoked, whichever gateway is asked", revoked, 15)
    answer, _ = ask(family, cert.serial_number, hashes.SHA256())
    assert answer.certificate_status == ocsp.OCSPCertStatus.REVOKED
    assert answer.revocation_reason == x509.ReasonFlags.superseded
    check_signature(family, answer)


def test_never_issued(family):
    answer, headers = ask(family, 0x1234567890abcdef)
    assert answer.certificate_status == ocsp.OCSPCertStatus.UNKNOWN
    assert (answer.next_update_utc - answer.this_update_utc).total_seconds() <= 900
    assert headers["cache-control"] == "no-store"
    check_signature(family, answer)


def test_get_in_all_spellings(family):
    cert = issue(family, "get.example.com")
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    text = base64.b64encode(question(family, cert.serial_number)).decode()
    for path in (text, urllib.parse.quote(text, safe=""), urllib.parse.quote(text, safe="/"), "/" + text):
        status, _, body = http(f"{family.ocsp}/{path}")
        assert status == 200, path
        assert ocsp.load_der_ocsp_response(body).certificate_status == ocsp.OCSPCertStatus.GOOD
    # Whatever serial: base64 with two slashes in a row, and with a plus.
    for _ in range(60):
        serial = x509.random_serial_number()
        text = base64.b64encode(question(family, serial)).decode()
        status, _, body = http(f"{family.ocsp}/{text}")
        assert status == 200 and ocsp.load_der_ocsp_response(body).response_status in (
            ocsp.OCSPResponseStatus.SUCCESSFUL, ocsp.OCSPResponseStatus.TRY_LATER)


@pytest.mark.parametrize("body, wanted", [
    (b"", "MALFORMED_REQUEST"),
    (b"\x30\x00", "MALFORMED_REQUEST"),
    (b"GET / HTTP/1.1", "MALFORMED_REQUEST"),
    (b"\x30\x82\xff\xff" + b"a" * 100, "MALFORMED_REQUEST"),
    (b"0" * 5000, "MALFORMED_REQUEST"),
])
def test_what_is_no_request(family, body, wanted):
    status, headers, answer = http(family.ocsp, body)
    assert status == 200 and headers["cache-control"] == "no-store"
    assert ocsp.load_der_ocsp_response(answer).response_status == ocsp.OCSPResponseStatus[wanted]


def test_another_issuer(family):
    der = bytearray(question(family, 5))
    der[30] ^= 1  # a byte of the name's hash
    _, _, body = http(family.ocsp, bytes(der))
    assert ocsp.load_der_ocsp_response(body).response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_wrong_ways_to_ask(family):
    assert http(family.ocsp, question(family, 5), "text/plain")[0] == 415
    assert http(f"{family.ocsp}/%41%42")[0] in (200, 400)
    assert http(f"{family.ocsp}/../crl/tls.crl")[0] == 400


def test_openssl_verifies(family, tmp_path):
    cert = issue(family, "openssl.example.com")
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    for extra in ([], ["-sha256"], ["-no_nonce"]):
        got = subprocess.run(["openssl", "ocsp", *extra, "-issuer", str(family.folder / "ca" / "tls.pem"),
                              "-cert", str(leaf), "-url", family.ocsp, "-CAfile", str(family.root)],
                             capture_output=True, text=True, timeout=20)
        assert "Response verify OK" in got.stderr and ": good" in got.stdout, got.stdout + got.stderr


def test_our_linter_has_nothing_against_it(family, tmp_path):
    cert = issue(family, "lint.example.com")
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    _, _, body = http(family.ocsp, question(family, cert.serial_number))
    file = tmp_path / "answer.ocsp"
    file.write_bytes(body)
    got = family.lintel("lint", str(file), check=False)
    assert "error" not in got.stdout.lower(), got.stdout


def test_it_maps_what_the_signer_maps(family):
    from test_libraries import allowed, mapped
    libraries, files = mapped(family.pids()["ocsp-0"], "ocsp-signer")
    assert libraries == allowed()["ocsp-signer"][0] and files <= allowed()["ocsp-signer"][1]


def test_new_keys_after_a_kill(family):
    """The responder's keys die with their process: what was signed goes on, and the next has others."""
    cert = issue(family, "kill.example.com")
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    before, _ = ask(family, cert.serial_number)
    pid = family.pids()["ocsp-0"]
    subprocess.run(["kill", "-9", str(pid)], check=True)
    again, _ = ask(family, cert.serial_number)
    assert again.certificate_status == ocsp.OCSPCertStatus.GOOD  # signed ahead: nobody is missing
    other = issue(family, "after.example.com")
    wait_for("an answer by the new key", is_answered(family, other.serial_number, ocsp.OCSPCertStatus.GOOD), 20)
    after, _ = ask(family, other.serial_number)
    assert after.responder_key_hash != before.responder_key_hash
    check_signature(family, after)


def test_kills_while_answers_are_signed(family):
    """Publisher and ocsp-signer die in turn while certificates are issued and revoked: in the end all is said, and rightly."""
    wanted = {}
    for i, role in enumerate(["publisher", "ocsp", "publisher", "ocsp"]):
        kept, gone = issue(family, f"kept{i}.example.com"), issue(family, f"gone{i}.example.com")
        subprocess.run(["kill", "-9", str(family.pids()[f"{role}-0"])], check=True)
        der = gone.public_bytes(serialization.Encoding.DER)
        family.client.post(family.client.directory["revokeCert"], {"certificate": b64(der), "reason": 1})
        wanted[kept.serial_number] = ocsp.OCSPCertStatus.GOOD
        wanted[gone.serial_number] = ocsp.OCSPCertStatus.REVOKED
        wait_for(f"another {role}", lambda: f"{role}-0" in family.pids(), 10)
    for serial, status in wanted.items():
        wait_for("the right answer", is_answered(family, serial, status), 30)
        answer, _ = ask(family, serial)
        check_signature(family, answer)


def test_a_restart_keeps_the_answers(family):
    cert = issue(family, "restart.example.com")
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    family.stop()
    family.start()
    family.client.close()
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 20)
    time.sleep(0.2)
    answer, _ = ask(family, cert.serial_number)
    check_signature(family, answer)


def never_issued():
    return f"{int.from_bytes(b'never issued', 'big'):x}"


@pytest.mark.skipif(shutil.which("go") is None, reason="no Go here")
def test_go_believes_it(family, tmp_path):
    """golang.org/x/crypto/ocsp asks by POST and GET, names the issuer by SHA-1 and SHA-256, and verifies."""
    program = tmp_path / "ocsp"
    built = subprocess.run(["go", "build", "-mod=mod", "-o", program, "."], cwd=Path(__file__).parent / "go-ocsp",
                           capture_output=True, text=True, timeout=300)
    if built.returncode != 0 and "dial tcp" in built.stderr:
        pytest.skip("the module is not reached")
    assert built.returncode == 0, built.stderr
    family.client.close()  # it took a while: a connection that was idle is gone
    good, revoked = issue(family, "go-good.example.com"), issue(family, "go-revoked.example.com")
    der = revoked.public_bytes(serialization.Encoding.DER)
    family.client.post(family.client.directory["revokeCert"], {"certificate": b64(der), "reason": 1})
    answered = is_answered(family, good.serial_number, ocsp.OCSPCertStatus.GOOD)
    wait_for("good", answered, 15)
    withdrawn = is_answered(family, revoked.serial_number, ocsp.OCSPCertStatus.REVOKED)
    wait_for("revoked", withdrawn, 15)
    wanted = {f"{good.serial_number:x}": ("good", 0), f"{revoked.serial_number:x}": ("revoked", 1),
              never_issued(): ("unknown", 0)}
    out = subprocess.run([program, family.folder / "ca" / "tls.pem", family.ocsp, *wanted], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    told = json.loads(out.stdout)
    for serial, (status, reason) in wanted.items():
        assert {(t["Method"], t["Hash"]) for t in told[serial]} == {(m, h) for m in ("POST", "GET")
                                                                    for h in ("SHA-1", "SHA-256")}
        assert all(t["Status"] == status and t["Reason"] == reason for t in told[serial]), told[serial]


def findings(ca):
    found = json.loads(ca.lintel("doctor", "--json", check=False).stdout)["findings"]
    return [(f["level"], f["text"]) for f in found if f["what"] == "OCSP"]


def test_doctor_knows_the_fifteen_minutes(family):
    cert = issue(family, "doctor.example.com")
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    assert findings(family) and all(level == "ok" for level, _ in findings(family)), findings(family)
    family.stop()
    delta = family.folder / "public/ocsp/delta"
    base = family.folder / "public/ocsp/base"
    whole = base.read_bytes()
    base.write_bytes(whole[:-1])
    delta.unlink(missing_ok=True)
    assert [level for level, _ in findings(family)] == ["bad"]
    base.unlink()
    assert [level for level, _ in findings(family)] == ["warning"]
    base.write_bytes(whole)
    family.start()
    family.client.close()
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    # The publisher stands still and the certificate grows old: told at half of what is allowed, and beyond.
    publisher = family.pids()["publisher-0"]
    os.kill(publisher, signal.SIGSTOP)

    def made_old(cert, minutes):
        with sqlite3.connect(family.folder / "book/lintel.db", timeout=20) as db:
            db.execute("UPDATE certificate SET issued_us = issued_us - ? WHERE serial = ?",
                       (60 * 10**6 * minutes, cert.serial_number.to_bytes(16, "big")))

    try:
        newest = issue(family, "unanswered.example.com")
        assert all(level == "ok" for level, _ in findings(family))
        made_old(newest, 8)
        assert "warning" in [level for level, _ in findings(family)], findings(family)
        made_old(newest, 8)
        assert "bad" in [level for level, _ in findings(family)], findings(family)
        made_old(newest, -16)
    finally:
        os.kill(publisher, signal.SIGCONT)
    wait_for("good", is_answered(family, newest.serial_number, ocsp.OCSPCertStatus.GOOD), 60)


def copies_of(ca, cert, serials, issued_us):
    """Rows of certificates as this one is, with other numbers."""
    with sqlite3.connect(ca.folder / "book/lintel.db", timeout=20) as db:
        names = [row[1] for row in db.execute("PRAGMA table_info(certificate)")]
        like = list(db.execute("SELECT * FROM certificate WHERE serial = ?", (cert.serial_number.to_bytes(16, "big"),)).fetchone())
        like[names.index("issued_us")] = issued_us
        at = names.index("serial")
        db.executemany(f"INSERT INTO certificate VALUES ({','.join('?' * len(names))})",
                       ([*like[:at], s.to_bytes(16, "big"), *like[at + 1:]] for s in serials))
        return like[names.index("issuer")], like[names.index("not_after_us")]


def test_what_is_committed_late(family):
    """A slow server commits up to a minute after the time in the row: no look may have passed it by."""
    cert = issue(family, "late.example.com")
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    time.sleep(2)
    late = cert.serial_number ^ 0xFFFF
    copies_of(family, cert, [late], int((time.time() - 50) * 1e6))
    wait_for("good", is_answered(family, late, ocsp.OCSPCertStatus.GOOD), 40)


def behind(ca):
    page = urllib.request.urlopen(f"http://127.0.0.1:{ca.operator_port}/metrics", timeout=10).read().decode()
    return max(float(line.split()[1]) for line in page.splitlines() if line.startswith("lintel_ocsp_behind_seconds"))


def test_what_waits_for_the_base_is_behind(family):
    """More revocations than a look takes wait for the next base; while it is not made, OCSP is behind the book."""
    cert = issue(family, "many.example.com")
    wait_for("good", is_answered(family, cert.serial_number, ocsp.OCSPCertStatus.GOOD), 15)
    wait_for("nothing is behind", lambda: behind(family) < 4, 30)
    many = [(cert.serial_number >> 40 << 40) + i for i in range(70000)]
    issuer, not_after = copies_of(family, cert, many, int((time.time() - 400) * 1e6))
    signer = next(pid for name, pid in family.pids().items() if name.startswith("ocsp"))
    os.kill(signer, signal.SIGSTOP)
    try:
        with sqlite3.connect(family.folder / "book/lintel.db", timeout=20) as db:
            now = int(time.time() * 1e6)
            db.executemany("INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, by_whom, sequence) "
                           "VALUES (?, 0, ?, 4, ?, ?, ?, 'test', 0)", ((issuer, s.to_bytes(16, "big"), now, now, not_after) for s in many))
        wait_for("OCSP is behind", lambda: behind(family) > 12, 40)
    finally:
        os.kill(signer, signal.SIGCONT)
    wait_for("revoked", is_answered(family, many[69999], ocsp.OCSPCertStatus.REVOKED), 120)
    wait_for("nothing is behind", lambda: behind(family) < 8, 120)

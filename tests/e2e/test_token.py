"""A CA whose issuing keys live in a PKCS#11 token (SoftHSM): made there by init, used by the token program alone."""
import os
import signal
import subprocess
import time

import pytest
from acmeclient import Client, b64, certificates
from conftest import LINTEL, Ca, Webroot, free_port, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

MODULE = "/usr/lib/softhsm/libsofthsm2.so"


@pytest.fixture
def hsm_ca(tmp_path, dns, monkeypatch):
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "lintel", "--so-pin", "5678", "--pin", "1234"],
                   check=True, capture_output=True)
    pin = tmp_path / "pin"
    pin.write_text("1234\n")
    pin.chmod(0o600)
    ca = Ca(tmp_path, dns.port, free_port(), "--token-module", MODULE, "--pin-file", pin,
            "--pkcs11-uri", "tls=pkcs11:token=lintel;object=tls",
            "--pkcs11-uri", "workload=pkcs11:token=lintel;object=workload")
    # The token program has a user of its own when started as root.
    subprocess.run(["chmod", "-R", "a+rwX", str(tokens)], check=True)
    ca.pin = pin
    yield ca
    if ca.process is not None:
        ca.process.kill()
        ca.process.wait()


def crl_has(ca, serial):
    path = ca.folder / "public" / "crl" / "tls.crl"
    shown = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", str(path), "-noout", "-text", "-CAfile",
                            str(ca.folder / "ca" / "tls.pem")], capture_output=True, text=True)
    return "verify OK" in shown.stderr and f"{serial:X}" in shown.stdout


def test_issue_and_revoke_with_a_token(hsm_ca, tmp_path):
    ca = hsm_ca
    assert not (ca.folder / "keys" / "tls.key").exists()
    ca.start()
    webroot = Webroot(tmp_path / "webroot", ca.http01_port)
    try:
        client = Client(ca.directory, ca.root, webroot.challenges)
        client.register()
        chain = client.issue("token.example.com")
        leaf = certificates(chain)[0]
        issuer = x509.load_pem_x509_certificate((ca.folder / "ca" / "tls.pem").read_bytes())
        assert leaf.issuer == issuer.subject
        issuer.public_key().verify(leaf.signature, leaf.tbs_certificate_bytes, ec.ECDSA(leaf.signature_hash_algorithm))

        # The token program is killed: it comes back, and so does issuance.
        os.kill(ca.pids()["token-0"], signal.SIGKILL)
        client.issue("again.example.com")

        der = leaf.public_bytes(serialization.Encoding.DER)
        assert client.post(client.directory["revokeCert"], {"certificate": b64(der), "reason": 4}).status == 200
        wait_for("the CRL", lambda: crl_has(ca, leaf.serial_number), 10)
    finally:
        webroot.stop()
    ca.stop()


def test_a_wrong_pin_does_not_lock_the_token(hsm_ca):
    ca = hsm_ca
    ca.pin.write_text("9999\n")
    ca.process = subprocess.Popen([str(LINTEL), "serve", str(ca.folder)], stdout=subprocess.DEVNULL,
                                  stderr=open(ca.log, "a"))
    wait_for("the refusal", lambda: "C_Login" in ca.log_tail(200), 20)
    time.sleep(6)  # what is only away is looked for every five seconds
    assert ca.log_tail(500).count("C_Login") == 1
    ca.stop()
    ca.pin.write_text("1234\n")
    ca.start()
    ca.stop()

"""A key that turns out to be compromised, by every way in which somebody can prove it: blocked, all of its certificates
revoked and on the CRL, both sides told; with the time that it took. Proofs are made by openssl and by what is here, for
certificates that the family has really issued."""
import base64
import datetime
import email
import email.message
import email.policy
import email.utils
import hashlib
import json
import os
import re
import signal
import sqlite3
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from acmeclient import AcmeError, Client, b64, certificates
from conftest import Ca, Dns, Webroot, free_port, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from postfix import Postfix, missing

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import proof_vectors as made  # noqa: E402

SECONDS = 5.0  # a genuine proof is acted on in less


class Site:
    """A family with mail, where one subscriber uses a key for several certificates."""

    def __init__(self, folder):
        for part in (folder, *folder.parents[:3]):
            part.chmod(0o755)
        self.folder = folder
        self.dns = Dns(folder)
        self.port = free_port()
        self.webroot = Webroot(folder / "webroot", self.port)
        self.ca = Ca(folder, self.dns.port, self.port)
        self.postfix = None
        if not missing():
            self.postfix = Postfix(folder / "postfix", boxes=("owner", "reporter"))
            path = self.ca.folder / "lintel.yaml"
            path.write_text(path.read_text() + f"mail:\n  relay: smtp://127.0.0.1:{self.postfix.port}\n  from: ca@ca.example\n")
        self.ca.start()
        self.client = Client(self.ca.directory, self.ca.root, self.webroot.challenges)
        self.client.register("mailto:owner@example.com")
        self.count = 0
        self.secrets = []

    def stop(self):
        if self.ca.process is not None:
            self.ca.stop()
        if self.postfix is not None:
            self.postfix.stop()
        self.webroot.stop()
        self.dns.stop()

    def use(self, key, certificates_of_it=2):
        """Certificates of that key; the last of them, PEM."""
        client = self.client
        plain = Client.csr
        client.csr = lambda names, key_=None: plain(names, key)
        try:
            for _ in range(certificates_of_it):
                self.count += 1
                self.name = f"n{self.count}.example.com"
                chain = client.issue(self.name)
        finally:
            del client.csr
        return chain

    def key_of(self, key):
        return hashlib.sha256(made.spki(key)).hexdigest()

    def crl(self):
        der = urllib.request.urlopen(f"http://localhost:{self.ca.http_port}/crl/tls.crl", timeout=20).read()
        return {r.serial_number for r in x509.load_der_x509_crl(der)}

    def letters(self, to):
        found = []
        for path in self.postfix.box.glob("*/*"):
            m = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if to in m["To"]:
                found.append(m)
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made_site = Site(tmp_path_factory.mktemp("proof"))
    yield made_site
    made_site.stop()


def pem_of(key, form=serialization.PrivateFormat.TraditionalOpenSSL):
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def revoked(site, key, count):
    """Seconds from now until all certificates of the key are revoked in the book, and on the CRL."""
    begun = time.monotonic()
    name = site.key_of(key)
    k = wait_for("the key to be settled", lambda: (k := site.ca.json("key", "check", name, check=False))
                 and k.get("proven", {}).get("revoked") and k, 20)
    took = time.monotonic() - begun
    assert k["blocked"] and k["valid"] == 0 and k["proven"]["certificates"] == count
    rows = site.ca.json("cert", "find", "--key", name)["certificates"]
    assert len(rows) == count
    assert {r["revocation"]["reason"] if isinstance(r.get("revocation"), dict) else r["status"] for r in rows} <= \
        {"keyCompromise", "revoked", 1}
    numbers = {int(r["serial"], 16) for r in rows}
    wait_for("the CRL to have them", lambda: numbers <= site.crl(), 20)
    return took, k["proven"]


def prove(site, tmp_path, *parts, options=()):
    names = []
    for i, part in enumerate(parts):
        path = tmp_path / f"part{i}"
        path.write_bytes(part)
        names.append(path)
    return site.ca.json("problem", "prove", *names, "--yes", *options)["proofs"]


# ---- kinds ----


def by_csr(site, key, tmp_path):
    (tmp_path / "key").write_bytes(pem_of(key))
    return [made.openssl("req", "-new", "-key", str(tmp_path / "key"), "-subj", "/CN=Proof of Key Compromise for Lintel")]


def by_nonce_csr(site, key, tmp_path):
    (tmp_path / "key").write_bytes(pem_of(key))
    words = site.ca.json("problem", "nonce")["words"]
    return [made.openssl("req", "-new", "-key", str(tmp_path / "key"), "-subj", f"/CN={words}")]


def by_nonce(site, key, tmp_path):
    (tmp_path / "key").write_bytes(pem_of(key))
    nonce = site.ca.json("problem", "nonce")
    signature = made.openssl("dgst", "-sha256", "-sign", str(tmp_path / "key"), stdin=nonce["words"].encode())
    public = made.openssl("pkey", "-pubout", stdin=pem_of(key)).decode()
    return [json.dumps({"nonce": nonce["nonce"], "public-key": public,
                        "signature": base64.b64encode(signature).decode()}).encode()]


KINDS = {
    "csr": (lambda: rsa.generate_private_key(65537, 2048), by_csr),
    "kca": (lambda: ec.generate_private_key(ec.SECP384R1()),
            lambda s, k, t: [made.request(k, "kca=v1 This Key Is Compromised", True)]),
    "pock": (lambda: ec.generate_private_key(ec.SECP256R1()), lambda s, k, t: [made.pock(k)]),
    "pwnedkeys": (lambda: ec.generate_private_key(ec.SECP256R1()), lambda s, k, t: [made.attestation(k), s.chain.encode()]),
    "nonce": (lambda: ec.generate_private_key(ec.SECP256R1()), by_nonce),
    "nonce-csr": (lambda: rsa.generate_private_key(65537, 2048), by_nonce_csr),
    "private-key": (lambda: rsa.generate_private_key(65537, 2048), lambda s, k, t: [pem_of(k)]),
    "openssh": (lambda: ec.generate_private_key(ec.SECP256R1()),
                lambda s, k, t: [pem_of(k, serialization.PrivateFormat.OpenSSH)]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_proof_of_each_kind(site, tmp_path, kind):
    new, parts_of = KINDS[kind]
    key = new()
    site.chain = site.use(key)
    parts = parts_of(site, key, tmp_path)
    begun = time.monotonic()
    answers = prove(site, tmp_path, *parts)
    wanted = {"nonce-csr": "nonce", "private-key": "nonce", "openssh": "nonce"}.get(kind, kind)
    proof = next(a for a in answers if a["verdict"] == "proven")
    assert proof["kind"] == wanted and proof["outcome"] == "revoking" and proof["certificates"] == 2, answers
    assert proof["spki_sha256"] == site.key_of(key)
    took, row = revoked(site, key, 2)
    print(f"{kind}: {time.monotonic() - begun:.2f} s to the CRL, {row['milliseconds']} ms in the book")
    assert row["milliseconds"] < SECONDS * 1000 and row["proof"] == wanted
    again = prove(site, tmp_path, *parts)
    assert next(a for a in again if a["verdict"] == "proven")["outcome"] in ("known", "nonce")


def test_the_key_signs_for_itself_by_acme(site):
    key = ec.generate_private_key(ec.SECP256R1())
    chain = site.use(key, 3)
    leaf = certificates(chain)[0]
    client = site.client
    url = client.directory["revokeCert"]
    begun = time.monotonic()
    client.post(url, {"certificate": b64(leaf.public_bytes(serialization.Encoding.DER)), "reason": 1}, key=key, kid=False)
    took, row = revoked(site, key, 3)
    print(f"revokeCert: {time.monotonic() - begun:.2f} s to the CRL, {row['milliseconds']} ms in the book")
    assert row["proof"] == "revoke-cert" and row["via"] == "acme" and row["milliseconds"] < SECONDS * 1000
    with pytest.raises(AcmeError) as e:
        site.use(key, 1)
    assert e.value.kind == "badPublicKey" or "blocked" in str(e.value)


def test_both_sides_get_a_letter(site, tmp_path):
    if site.postfix is None:
        pytest.skip(missing())
    key = ec.generate_private_key(ec.SECP256R1())
    site.use(key)
    prove(site, tmp_path, made.pock(key), options=("--filer", "reporter@example.org"))
    name = site.key_of(key)

    def told(to):
        return next((m for m in site.letters(to) if name in m.get_content()), None)

    begun = time.monotonic()
    owner = wait_for("the owner's letter", lambda: told("owner@example.com"), 40)  # after those that are before it
    reporter = wait_for("the reporter's letter", lambda: told("reporter@example.org"), 40)
    print(f"letters: {time.monotonic() - begun:.2f} s")
    assert "2 certificates" in owner.get_content() and "2 certificates" in reporter.get_content()
    events = site.ca.json("event", "list", "--subject", f"key {name}")["events"]
    kinds = [e["kind"] for e in events]
    for kind in ("key.blocked", "proof.accepted", "proof.settled", "notice.written", "clock.opened", "clock.met"):
        assert kind in kinds, kinds
    body = next(e for e in events if e["kind"] == "proof.accepted")["body"]
    assert base64.b64decode(body["evidence"]) == (tmp_path / "part0").read_bytes().rstrip(b"\n")


def form(site, path, **fields):
    """Status and text of a page."""
    data = urllib.parse.urlencode(fields).encode() if fields else None
    context = ssl.create_default_context(cafile=str(site.ca.root))
    try:
        with urllib.request.urlopen(f"{site.ca.url}{path}", data, context=context, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_the_page_for_everybody(site, tmp_path):
    """No account, no operator: the nonce of the page, signed, is enough. So is the key itself, which is not kept."""
    for by in ("nonce", "key"):
        key = ec.generate_private_key(ec.SECP256R1())
        site.use(key)
        name = site.key_of(key)
        status, _ = form(site, f"/key/{name}")
        assert status == 404
        status, page = form(site, "/key")
        assert status == 200
        words = re.search(r"This key is compromised: [\w-]{32}", page)[0]
        (tmp_path / "key").write_bytes(pem_of(key))
        proof = pem_of(key) if by == "key" else made.openssl("req", "-new", "-key", str(tmp_path / "key"), "-subj", f"/CN={words}")
        begun = time.monotonic()
        status, page = form(site, "/key", do="prove", proof=proof.decode(), contact="reporter@example.org")
        assert status == 200 and "proven" in page and name in page, page
        _, row = revoked(site, key, 2)
        print(f"page, {by}: {time.monotonic() - begun:.2f} s to the CRL, {row['milliseconds']} ms in the book")
        assert row["via"] == "form" and row["milliseconds"] < SECONDS * 1000
        status, page = form(site, f"/key/{name}")
        assert status == 200 and "is blocked" in page
    assert form(site, "/key", do="prove", proof="nothing", contact="")[0] == 400
    assert form(site, "/key", do="prove", proof=made.pock(key, serial=2).decode(), contact="")[0] == 400
    plain = x509.load_der_x509_csr(Client.csr(["n1.example.com"], key)[0]).public_bytes(serialization.Encoding.PEM)
    assert form(site, "/key", do="prove", proof=plain.decode(), contact="")[0] == 422
    assert form(site, "/key", do="prove", proof=proof.decode(), contact="not an address")[0] == 400
    assert form(site, "/key", do="prove", proof=proof.decode(), other="x")[0] == 400
    assert form(site, "/key/" + "x" * 64)[0] == 404


# ---- the problem desk ----


def letter(text, *attachments):
    m = email.message.EmailMessage()
    m["From"] = "Reporter <reporter@example.org>"
    m["To"] = "problems@ca.example"
    m["Subject"] = "a key of yours is public"
    m["Message-ID"] = f"<{time.monotonic_ns()}@example.org>"
    m["Date"] = email.utils.format_datetime(datetime.datetime.now(datetime.timezone.utc))
    m.set_content(text)
    for name, data in attachments:
        m.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return m.as_bytes()


def as_mail(*attachments):
    def send(site, parts):
        text = "Hello,\n\nsee below.\n" if attachments else "Hello,\n\n" + "".join(p.decode() for p in parts) + "\n"
        raw = letter(text, *zip(attachments, parts))
        path = site.folder / "letter.eml"
        path.write_bytes(raw)
        site.ca.lintel("problem", "ingest", path)
        path.unlink()
    return send


def as_form(site, parts):
    status, page = form(site, "/problem", do="report", about="", cause="", clause="", name="", authority="",
                        text="".join(p.decode() for p in parts), contact="reporter@example.org")
    assert status == 200, page


def as_phone(site, parts):
    """Who takes the call writes it down, and hands in what is sent later."""
    report = site.ca.json("problem", "open", "--channel", "phone", "--contact", "reporter@example.org", "--reporter", "A. Nobody",
                          "--about", site.name, "--text", "says that the key is public, and sends a proof")
    path = site.folder / "sent.pem"
    path.write_bytes(b"".join(parts))
    site.ca.lintel("problem", "prove", path, "--problem", report["id"], "--filer", "reporter@example.org", "--yes")


DESK = {
    "mail-csr": (as_mail("proof.csr"), by_csr),
    "mail-der": (as_mail("proof.bin"), lambda s, k, t: [made.openssl("req", "-outform", "DER", stdin=by_csr(s, k, t)[0])]),
    "mail-pwnedkeys": (as_mail("a.jws", "chain.pem"), lambda s, k, t: [made.attestation(k), s.chain.encode()]),
    "mail-in-the-text": (as_mail(), lambda s, k, t: [made.pock(k)]),
    "mail-key": (as_mail("leaked.key"), lambda s, k, t: [pem_of(k)]),
    "mail-key-in-the-text": (as_mail(), lambda s, k, t: [pem_of(k)]),
    "form": (as_form, lambda s, k, t: [made.pock(k)]),
    "form-key": (as_form, lambda s, k, t: [pem_of(k)]),
    "phone": (as_phone, lambda s, k, t: [made.pock(k)]),
}


@pytest.mark.parametrize("way", DESK)
def test_a_proof_in_a_problem_report(site, tmp_path, way):
    send, parts_of = DESK[way]
    key = ec.generate_private_key(ec.SECP256R1())
    site.chain = site.use(key)
    parts = parts_of(site, key, tmp_path)
    begun = time.monotonic()
    send(site, parts)
    _, row = revoked(site, key, 2)
    print(f"{way}: {time.monotonic() - begun:.2f} s from sending to the CRL, {row['milliseconds']} ms in the book")
    assert row["via"] == {"phone": "operator admin"}.get(way, way.split("-")[0]) and row["problem"] > 0
    assert time.monotonic() - begun < SECONDS + 1  # with the program that asks, and the CRL
    shown = site.ca.json("problem", "show", row["problem"])
    assert shown["contact"] == "reporter@example.org" and "proof holds" in json.dumps(shown)
    assert shown["decision"] == "revoke" and shown["found"], shown  # findings are written, whoever handed it in
    if "key" in way:
        site.secrets.append(key)  # looked for at the end


def no_secret(site, key, but="nothing"):
    """In no file of the folder: not as it is, nor as it was sent."""
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    lines = [pem_of(key).splitlines()[1]]  # the number is in it; those behind it have the public key
    for path in site.ca.folder.rglob("*"):
        if path.is_file() and path.suffix != but:
            data = path.read_bytes()
            assert secret not in data and not any(line in data for line in lines), path
            assert not any(base64.b64encode(line)[2:-4] in data for line in lines), path


def test_what_proves_nothing(site, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    other = ec.generate_private_key(ec.SECP256R1())
    site.chain = site.use(key)
    name = site.key_of(key)
    # A request that circulates, an attestation of another key, and a key that is none of ours.
    plain = Client.csr(["n1.example.com"], key)[0]
    foreign = json.loads(made.attestation(other))
    head = json.loads(base64.urlsafe_b64decode(foreign["protected"] + "=="))
    head["kid"] = name
    foreign["protected"] = b64(json.dumps(head).encode())
    for part in (plain, json.dumps(foreign).encode() + site.chain.encode(), made.pock(key, serial=2)):
        path = tmp_path / "nothing"
        path.write_bytes(part)
        result = site.ca.lintel("problem", "prove", path, "--yes", check=False)
        assert result.returncode in (3, 4), result.stdout + result.stderr
    (tmp_path / "good").write_bytes(made.pock(key))  # for a report that is none: nothing is done
    assert site.ca.lintel("problem", "prove", tmp_path / "good", "--problem", "99999", "--yes", check=False).returncode == 3
    unknown = prove(site, tmp_path, made.pock(other))
    assert unknown[0]["outcome"] == "unknown-key"
    assert site.ca.json("key", "check", site.key_of(other))["blocked"] is False
    k = site.ca.json("key", "check", name)
    assert k["blocked"] is False and k["valid"] == 2
    # Without --yes it is only shown; from a private key as well.
    path = tmp_path / "leaked.key"
    path.write_bytes(pem_of(key))
    shown = site.ca.lintel("problem", "prove", path)
    assert "revoke its 2 valid certificates; add --yes" in shown.stdout
    assert site.ca.json("key", "check", path)["valid"] == 2


def test_no_private_key_is_kept(site, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    site.use(key, 1)
    prove(site, tmp_path, b"found it here:\n" + pem_of(key))
    revoked(site, key, 1)
    no_secret(site, key)  # it never came here: not even in a log
    site.ca.stop()
    for each in site.secrets:
        no_secret(site, each, but=".db-wal")  # which has it until its pages are used again
    site.client.close()
    site.ca.start()


def test_it_goes_on_after_a_kill(site, tmp_path):
    """The proof is in the book when it is answered: whatever dies then, the rest follows, once."""
    key = ec.generate_private_key(ec.SECP256R1())
    site.use(key)
    name = site.key_of(key)
    prove(site, tmp_path, made.pock(key))
    pids = site.ca.pids()
    for role in ("registrar-0", "signer-0", "publisher-0"):
        os.kill(pids[role], signal.SIGKILL)
    site.ca.wait_ready()
    site.client.close()
    revoked(site, key, 2)
    book = sqlite3.connect(f"file:{site.ca.folder}/book/lintel.db?mode=ro", uri=True)
    wait_for("all to be told", lambda: book.execute("SELECT step FROM key_compromise WHERE spki_sha256 = ?",
                                                    (bytes.fromhex(name),)).fetchone() == (4,), 20)
    kinds = [k for k, in book.execute("SELECT kind FROM event WHERE subject = ?", (f"key {name}",))]
    for kind in ("proof.accepted", "proof.settled", "key.blocked"):
        assert kinds.count(kind) == 1, kinds
    assert book.execute("SELECT count(*) FROM notice WHERE subject = ?", (f"key {name}",)).fetchone()[0] <= 1
    book.close()
    listed = site.ca.json("key", "list", "--all")["proofs"]
    assert len(listed) >= 10 and all(re.fullmatch("[0-9a-f]{64}", k["spki_sha256"]) for k in listed)


def test_the_book_holds(site):
    """Proofs are verified again out of their events."""
    book = sqlite3.connect(f"file:{site.ca.folder}/book/lintel.db?mode=ro", uri=True)
    proofs = book.execute("SELECT count(*) FROM key_compromise").fetchone()[0]
    book.close()
    result = site.ca.json("audit", "verify", timeout=120, check=False)
    assert result["ok"] and result["proofs"] == proofs > 20, result

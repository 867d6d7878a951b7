"""RFC 8555 line by line, as a client sees it: the right answers, and the right refusals."""
import datetime
import json
import re
import ssl
import subprocess

import pytest
from acmeclient import AcmeError, Client, b64
from conftest import wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PREFIX = "urn:ietf:params:acme:error:"


@pytest.fixture
def client(ca, webroot):
    return Client(ca.directory, ca.root, webroot.challenges)


@pytest.fixture
def user(client):
    client.register()
    return client


class refused:
    """The call inside fails with this problem type and this status."""

    def __init__(self, kind, status):
        self.kind, self.status = kind, status

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert isinstance(error, AcmeError), f"expected {self.kind}, got {error!r}"
        assert (error.kind, error.status) == (self.kind, self.status), str(error)
        assert error.problem["type"] == PREFIX + self.kind
        assert error.problem.get("detail")
        return True


# Directory and nonces (7.1.1, 7.2, 6.5)

def test_directory(client):
    d = client.directory
    for name in ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange"):
        assert d[name].startswith("https://")
    assert "meta" in d


def test_new_nonce(client):
    head = client.request("HEAD", client.directory["newNonce"])
    get = client.request("GET", client.directory["newNonce"])
    assert (head.status, get.status) == (200, 204)
    nonces = {a.headers["Replay-Nonce"] for a in (head, get)}
    assert len(nonces) == 2 and all(re.fullmatch(r"[A-Za-z0-9_-]{16,}", n) for n in nonces)
    assert all(a.headers["Cache-Control"] == "no-store" for a in (head, get))
    assert f'<{client.directory["newNonce"].rsplit("/", 1)[0]}/directory>;rel="index"' in head.headers["Link"].replace(" ", "")


def test_nonce_is_good_once(user):
    jws = user.sign(user.kid, None)
    assert user.send(user.kid, jws).status == 200
    again = user.send(user.kid, jws)
    assert again.status == 400 and again.json()["type"] == PREFIX + "badNonce"
    fresh = again.headers["Replay-Nonce"]
    assert user.send(user.kid, user.sign(user.kid, None, nonce=fresh)).status == 200


@pytest.mark.parametrize("nonce", ["", "AAAAAAAAAAAAAAAAAAAAAA", "not base64!", "A" * 2000, 7])
def test_foreign_nonces(user, nonce):
    answer = user.send(user.kid, user.sign(user.kid, None, nonce=nonce))
    assert answer.status == 400
    assert answer.json()["type"] in (PREFIX + "badNonce", PREFIX + "malformed")
    assert answer.headers["Replay-Nonce"]


def test_nonce_of_one_gateway_is_good_through_another(ca, client):
    """Two connections may land on two gateways; the nonce belongs to the host's registrar."""
    nonces = []
    for _ in range(8):
        other = Client(ca.directory, ca.root)
        other.request("HEAD", other.directory["newNonce"])
        nonces.append(other.nonce)
    client.register()
    for nonce in nonces:
        client.close()
        assert client.send(client.kid, client.sign(client.kid, None, nonce=nonce)).status == 200


# Requests (6.2 – 6.4)

def test_get_is_for_directory_and_nonce_only(user):
    url, order = user.order("get.example.com")
    for target in (url, order["authorizations"][0], user.kid):
        answer = user.request("GET", target)
        assert answer.status == 405, target
        assert answer.json()["type"] == PREFIX + "malformed"


def test_content_type(user):
    answer = user.send(user.kid, user.sign(user.kid, None), content_type="application/json")
    assert answer.status == 415


@pytest.mark.parametrize("broken", [
    {"alg": "none"}, {"alg": "HS256"}, {"alg": "RS256"}, {"alg": None}, {"url": None}, {"nonce": None},
    {"url": "https://localhost/other"}, {"crit": ["exp"]}, {"b64": False}, {"kid": None},
])
def test_protected_header(user, broken):
    answer = user.send(user.kid, user.sign(user.kid, None, **broken))
    assert answer.status in (400, 401, 403), answer.body
    problem = answer.json()
    assert problem["type"].startswith(PREFIX)
    if broken.get("alg") in ("none", "HS256"):
        assert problem["type"] == PREFIX + "badSignatureAlgorithm"
        assert "ES256" in problem["algorithms"]
    if broken.get("url"):
        assert problem["type"] == PREFIX + "unauthorized"


def test_kid_and_jwk_together(user):
    answer = user.send(user.kid, user.sign(user.kid, None, jwk=user.jwk()))
    assert answer.status == 400 and answer.json()["type"] == PREFIX + "malformed"


@pytest.mark.parametrize("change", [
    lambda j: {**j, "signature": b64(b"\1" * 64)},
    lambda j: {**j, "signature": j["signature"] + "=="},
    lambda j: {**j, "payload": b64(b'{"status":"deactivated"}')},
    lambda j: {**j, "header": {"alg": "ES256"}},
    lambda j: {"payload": j["payload"], "signatures": [{"protected": j["protected"], "signature": j["signature"]}]},
    lambda j: {k: v for k, v in j.items() if k != "protected"},
    lambda j: [],
    lambda j: "text",
])
def test_broken_jws(user, change):
    answer = user.send(user.kid, change(user.sign(user.kid, None)))
    assert answer.status in (400, 401, 403)
    assert answer.json()["type"] in (PREFIX + "malformed", PREFIX + "unauthorized")
    assert answer.headers["Replay-Nonce"]
    assert user.post(user.kid, None).json()["status"] == "valid"


def test_duplicate_member(user):
    jws = user.sign(user.kid, None)
    body = json.dumps(jws)[:-1] + ', "payload": ""}'
    answer = user.request("POST", user.kid, body, {"Content-Type": "application/jose+json"})
    assert answer.status == 400 and answer.json()["type"] == PREFIX + "malformed"


# Accounts (7.3)

def test_account_life(client):
    made = client.register("mailto:a@example.com")
    assert made.status == 201 and made.json()["status"] == "valid"
    again = client.send(client.directory["newAccount"], client.sign(client.directory["newAccount"], {}, kid=False))
    assert again.status == 200 and again.headers["Location"] == client.kid
    assert again.json()["contact"] == ["mailto:a@example.com"]
    changed = client.post(client.kid, {"contact": ["mailto:b@example.com"]}).json()
    assert changed["contact"] == ["mailto:b@example.com"]
    assert client.post(client.kid, None).json()["contact"] == ["mailto:b@example.com"]
    gone = client.post(client.kid, {"status": "deactivated"}).json()
    assert gone["status"] == "deactivated"
    with refused("unauthorized", 401):
        client.post(client.kid, None, tries=1)
    with refused("unauthorized", 401):
        client.order("after.example.com")


def test_only_return_existing(client):
    with refused("accountDoesNotExist", 400):
        client.post(client.directory["newAccount"], {"onlyReturnExisting": True}, kid=False)
    client.register()
    found = client.post(client.directory["newAccount"], {"onlyReturnExisting": True}, kid=False)
    assert found.status == 200 and found.headers["Location"] == client.kid


def test_unknown_account(user):
    url = user.directory["newOrder"]
    unknown = user.kid.rsplit("/", 1)[0] + "/1"
    answer = user.send(url, user.sign(url, {"identifiers": [{"type": "dns", "value": "x.example.com"}]}, kid=unknown))
    assert answer.status == 400 and answer.json()["type"] == PREFIX + "accountDoesNotExist"


@pytest.mark.parametrize("contact,kind", [
    ("tel:+12025551212", "unsupportedContact"), ("mailto:", "invalidContact"), ("mailto:a@b@c", "invalidContact"),
    ("mailto:a@example.com,b@example.com", "invalidContact"), ("mailto:a@example.com?cc=b@example.com", "invalidContact"),
])
def test_contacts(client, contact, kind):
    with refused(kind, 400):
        client.register(contact)


def test_key_change(user):
    old, new = user.key, ec.generate_private_key(ec.SECP256R1())
    url = user.directory["keyChange"]
    inner = user.sign(url, {"account": user.kid, "oldKey": user.jwk()}, key=new, kid=False, nonce=None)
    assert user.post(url, inner).status == 200
    with pytest.raises(AcmeError):
        user.post(user.kid, None, tries=1)
    user.key = new
    assert user.post(user.kid, None).json()["status"] == "valid"
    inner = user.sign(url, {"account": user.kid, "oldKey": user.jwk(old)}, key=old, kid=False, nonce=None)
    with pytest.raises(AcmeError):
        user.post(url, inner)


def test_key_change_to_a_key_in_use(ca, user):
    other = Client(ca.directory, ca.root)
    other.register()
    url = user.directory["keyChange"]
    inner = user.sign(url, {"account": user.kid, "oldKey": user.jwk()}, key=other.key, kid=False, nonce=None)
    answer = user.send(url, user.sign(url, inner))
    assert answer.status == 409
    assert answer.headers["Location"] == other.kid


# Orders and authorizations (7.4, 7.5)

def test_order_objects(user):
    url, order = user.order("One.Example.com", "two.example.com")
    assert order["status"] == "pending" and order["expires"]
    assert sorted(i["value"] for i in order["identifiers"]) == ["one.example.com", "two.example.com"]
    assert len(order["authorizations"]) == 2
    authorization = user.post(order["authorizations"][0], None).json()
    assert authorization["status"] == "pending"
    challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    assert challenge["status"] == "pending" and len(challenge["token"]) >= 22
    assert user.post(challenge["url"], None).json()["token"] == challenge["token"]
    csr, _ = user.csr(["one.example.com", "two.example.com"])
    with refused("orderNotReady", 403):
        user.post(order["finalize"], {"csr": b64(csr)})
    deactivated = user.post(order["authorizations"][0], {"status": "deactivated"}).json()
    assert deactivated["status"] == "deactivated"
    assert user.poll(url, ("invalid",))["status"] == "invalid"


@pytest.mark.parametrize("name,kinds", [
    ("localhost", ["rejectedIdentifier"]), ("internal.local", ["rejectedIdentifier"]),
    ("*.com", ["rejectedIdentifier"]), ("com", ["rejectedIdentifier"]),
    ("co.uk", ["rejectedIdentifier"]), ("under_score.example.com", ["malformed", "rejectedIdentifier"]),
    ("-bad.example.com", ["malformed", "rejectedIdentifier"]), ("xn--.example.com", ["malformed", "rejectedIdentifier"]),
    ("xn--a.example.com", ["malformed", "rejectedIdentifier"]), ("trailing.example.com.", ["malformed", "rejectedIdentifier"]),
    ("1.0.0.127.in-addr.arpa", ["rejectedIdentifier"]), ("10.0.0.1", ["malformed", "rejectedIdentifier"]),
    ("a" * 64 + ".example.com", ["malformed", "rejectedIdentifier"]), ("", ["malformed", "rejectedIdentifier"]),
    ("b\u00fccher.example.com", ["malformed", "rejectedIdentifier"]), ("exa mple.com", ["malformed", "rejectedIdentifier"]),
])
def test_names_that_are_refused(user, name, kinds):
    with pytest.raises(AcmeError) as caught:
        user.order(name)
    assert caught.value.kind in kinds and caught.value.status in (400, 403), str(caught.value)


def test_a_label_is_taken(user):
    _, order = user.order("xn--bcher-kva.example.com")
    assert order["identifiers"][0]["value"] == "xn--bcher-kva.example.com"


def test_subproblems_name_each_identifier(user):
    with pytest.raises(AcmeError) as caught:
        user.order("good.example.com", "localhost", "internal.local")
    named = {s["identifier"]["value"] for s in caught.value.problem["subproblems"]}
    assert named == {"localhost", "internal.local"}


def test_identifier_types(user):
    with refused("unsupportedIdentifier", 400):
        user.post(user.directory["newOrder"], {"identifiers": [{"type": "email", "value": "a@example.com"}]})
    with refused("malformed", 400):
        user.post(user.directory["newOrder"], {"identifiers": []})
    with refused("malformed", 400):
        user.post(user.directory["newOrder"], {})


def test_orders_list_with_paging(user):
    made = [user.order(f"list{i}.example.com")[0] for i in range(60)]
    url = user.post(user.kid, None).json()["orders"]
    seen = []
    while url:
        answer = user.post(url, None)
        seen += answer.json()["orders"]
        links = dict(reversed(re.search(r'<([^>]+)>;\s*rel="([^"]+)"', l).groups())
                     for l in answer.headers.get_all("Link"))
        url = links.get("next")
        assert len(seen) <= 60
    assert sorted(seen) == sorted(made)


def test_others_see_nothing(ca, user):
    url, order = user.order("mine.example.com")
    stranger = Client(ca.directory, ca.root)
    stranger.register()
    for target in (url, order["authorizations"][0], user.kid, user.kid + "/orders"):
        with pytest.raises(AcmeError) as caught:
            stranger.post(target, None)
        assert caught.value.status in (401, 403, 404), target


def test_wrong_answer_to_the_challenge(user):
    url, order = user.order("wrong.example.com")
    challenge = next(c for c in user.post(order["authorizations"][0], None).json()["challenges"] if c["type"] == "http-01")
    path = user.challenges / challenge["token"]
    path.write_text("something else")
    user.post(challenge["url"], {})
    authorization = user.poll(order["authorizations"][0], ("invalid",))
    failed = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    assert failed["status"] == "invalid"
    assert failed["error"]["type"] in (PREFIX + "unauthorized", PREFIX + "incorrectResponse")
    assert user.poll(url, ("invalid",))["status"] == "invalid"


def test_name_that_does_not_resolve(user):
    _, order = user.order("nowhere.example.net")
    challenge = next(c for c in user.post(order["authorizations"][0], None).json()["challenges"] if c["type"] == "http-01")
    user.post(challenge["url"], {})
    failed = user.poll(order["authorizations"][0], ("invalid",))["challenges"][0]
    assert failed["error"]["type"] == PREFIX + "dns"


# Finalize and certificate (7.4, 7.4.2)

def ready(user, *names):
    url, order = user.order(*names)
    for a in order["authorizations"]:
        assert user.prove(a)["status"] == "valid"
    return url, user.poll(url, ("ready",))


def leaf(chain):
    return x509.load_pem_x509_certificate(chain.encode())


def test_issue_and_chain(ca, user):
    chain = user.issue("chain.example.com", "www.chain.example.com")
    assert chain.count("BEGIN CERTIFICATE") == 2
    cert = leaf(chain)
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert sorted(names) == ["chain.example.com", "www.chain.example.com"]
    life = cert.not_valid_after - cert.not_valid_before
    assert life.total_seconds() + 1 == 90 * 86400
    assert cert.serial_number.bit_length() > 64
    assert cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value


def test_alternate_chain(user):
    url, order = ready(user, "alternate.example.com")
    user.post(order["finalize"], {"csr": b64(user.csr(["alternate.example.com"])[0])})
    answer = user.post(user.poll(url, ("valid",))["certificate"], None)
    assert answer.headers["Content-Type"] == "application/pem-certificate-chain"
    links = [re.search(r'<([^>]+)>;\s*rel="([^"]+)"', l).groups() for l in answer.headers.get_all("Link")]
    alternates = [u for u, rel in links if rel == "alternate"]
    assert alternates
    other = user.post(alternates[0], None).body.decode()
    assert leaf(other) == leaf(answer.body.decode()) and other != answer.body.decode()


def test_short_lived_profile(user):
    cert = leaf(user.issue("short.example.com", profile="tls-server-short"))
    assert (cert.not_valid_after - cert.not_valid_before).total_seconds() + 1 <= 7 * 86400
    with pytest.raises(AcmeError) as caught:
        user.order("x.example.com", profile="no-such-profile")
    assert caught.value.kind in ("invalidProfile", "malformed")


def csr_with(names, key, extra=None):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
    if extra:
        builder = builder.add_extension(extra, True)
    return builder.sign(key, None if key.__class__.__name__.startswith("Ed") else hashes.SHA256()).public_bytes(
        serialization.Encoding.DER)


def test_bad_csrs(ca, user):
    url, order = ready(user, "csr.example.com")
    good = ec.generate_private_key(ec.SECP256R1())
    other = Client(ca.directory, ca.root)
    other.register()
    bad = {
        "another name": csr_with(["other.example.com"], good),
        "one name more": csr_with(["csr.example.com", "other.example.com"], good),
        "empty": b"\x30\x00",
        "account key": csr_with(["csr.example.com"], user.key),
        "another account's key": csr_with(["csr.example.com"], other.key),
        "small RSA": csr_with(["csr.example.com"], rsa.generate_private_key(65537, 1024)),
        "curve": csr_with(["csr.example.com"], ec.generate_private_key(ec.SECP256K1())),
        "garbage": b"garbage",
    }
    broken = bytearray(csr_with(["csr.example.com"], good))
    broken[-1] ^= 1
    bad["signature"] = bytes(broken)
    for what, der in bad.items():
        with pytest.raises(AcmeError) as caught:
            user.post(order["finalize"], {"csr": b64(der)})
        assert caught.value.kind in ("badCSR", "badPublicKey", "malformed"), f"{what}: {caught.value}"
    assert user.poll(url, ("ready", "invalid"))["status"] == "ready"
    ca_csr = csr_with(["csr.example.com"], good, x509.BasicConstraints(ca=True, path_length=None))
    try:
        user.post(order["finalize"], {"csr": b64(ca_csr)})
        chain = user.post(user.poll(url, ("valid",))["certificate"], None).body.decode()
        basic = [e for e in leaf(chain).extensions if isinstance(e.value, x509.BasicConstraints)]
        assert not any(e.value.ca for e in basic)
    except AcmeError as e:
        assert e.kind == "badCSR"


@pytest.mark.parametrize("key", [
    lambda: rsa.generate_private_key(65537, 2048), lambda: rsa.generate_private_key(65537, 4096),
    lambda: ec.generate_private_key(ec.SECP384R1()), lambda: ec.generate_private_key(ec.SECP521R1()),
], ids=["rsa2048", "rsa4096", "p384", "p521"])
def test_leaf_keys(ca, user, key, tmp_path):
    url, order = ready(user, "key.example.com")
    private = key()
    user.post(order["finalize"], {"csr": b64(csr_with(["key.example.com"], private))})
    chain = user.post(user.poll(url, ("valid",))["certificate"], None).body.decode()
    (tmp_path / "chain.pem").write_text(chain)
    subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(ca.root), "-untrusted",
                    str(tmp_path / "chain.pem"), str(tmp_path / "chain.pem")], check=True, capture_output=True)
    assert leaf(chain).public_key().public_numbers() == private.public_key().public_numbers()


# Revocation (7.6)

def der_of(chain):
    end = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(chain[: chain.index(end) + len(end)] + "\n")


def test_revocation_by_account(user):
    der = der_of(user.issue("revoke.example.com"))
    with refused("badRevocationReason", 400):
        user.post(user.directory["revokeCert"], {"certificate": b64(der), "reason": 6})
    assert user.post(user.directory["revokeCert"], {"certificate": b64(der), "reason": 4}).status == 200
    with refused("alreadyRevoked", 400):
        user.post(user.directory["revokeCert"], {"certificate": b64(der), "reason": 4})


def test_revocation_by_certificate_key(ca, user):
    der = der_of(user.issue("bykey.example.com"))
    stranger = Client(ca.directory, ca.root)
    url = stranger.directory["revokeCert"]
    with pytest.raises(AcmeError) as caught:
        stranger.post(url, {"certificate": b64(der)}, kid=False)
    assert caught.value.kind == "unauthorized"
    assert stranger.post(url, {"certificate": b64(der), "reason": 1}, key=user.leaf_key, kid=False).status == 200
    with pytest.raises(AcmeError) as caught:
        csr = csr_with(["bykey.example.com"], user.leaf_key)
        _, order = user.order("bykey.example.com")
        for a in order["authorizations"]:
            user.prove(a)
        user.post(order["finalize"], {"csr": b64(csr)})
    assert caught.value.kind in ("badPublicKey", "badCSR")


def test_a_compromised_key_takes_all_its_certificates_along(ca, user):
    """RFC 8555 7.6, signed by the key itself: blocked, and every certificate of it revoked, without anybody's hand."""
    chains = [user.issue("many0.example.com")]
    for i in (1, 2):
        url, order = user.order(f"many{i}.example.com")
        for a in order["authorizations"]:
            user.prove(a)
        user.post(order["finalize"], {"csr": b64(csr_with([f"many{i}.example.com"], user.leaf_key))})
        user.poll(url, ("valid",))
    stranger = Client(ca.directory, ca.root)
    first = b64(der_of(chains[0]))
    assert stranger.post(stranger.directory["revokeCert"], {"certificate": first, "reason": 1}, key=user.leaf_key,
                         kid=False).status == 200

    def revoked():
        rows = [ca.json("cert", "list", "--name", f"many{i}.example.com")["certificates"][0] for i in range(3)]
        return [r["status"] for r in rows] == ["revoked"] * 3 and {r["revocation"]["reason_name"] for r in rows} == {
            "keyCompromise"}
    wait_for("the others", revoked, 20, 0.2)
    done = next(m for m in ca.json("mass", "list")["masses"] if m["created_by"] == "acme")
    assert done["status"] == "done" and done["count"] == 3 and done["already"] == 1 and not done["plan"]


def test_revocation_by_who_holds_the_names(ca, user, webroot):
    der = der_of(user.issue("shared.example.com"))
    other = Client(ca.directory, ca.root, webroot.challenges)
    other.register()
    with refused("unauthorized", 403):
        other.post(other.directory["revokeCert"], {"certificate": b64(der)})
    other.issue("shared.example.com")
    assert other.post(other.directory["revokeCert"], {"certificate": b64(der)}).status == 200


def test_revocation_of_a_foreign_certificate(ca, user):
    foreign = ssl.PEM_cert_to_DER_cert(ca.root.read_text())
    with pytest.raises(AcmeError) as caught:
        user.post(user.directory["revokeCert"], {"certificate": b64(foreign)})
    assert caught.value.status in (403, 404)


# The book knows

def test_inventory_has_the_evidence(ca, user):
    serial = format(leaf(user.issue("evidence.example.com")).serial_number, "032x")
    shown = ca.json("cert", "show", serial, "--evidence")
    name = next(n for n in shown["names"] if n["name"] == "evidence.example.com")
    assert name["checks"][0]["method"] == "http-01"
    listed = ca.json("cert", "list", "--name", "evidence.example.com")
    assert serial in json.dumps(listed)
    wait_for("the event", lambda: serial in ca.lintel("event", "list", "--json").stdout, 5)


# Renewal information (RFC 9773)

def certid(chain):
    cert = leaf(chain)
    aki = cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    serial = cert.serial_number
    return b64(aki) + "." + b64(serial.to_bytes(serial.bit_length() // 8 + 1, "big"))


def renewal(user, name):
    answer = user.request("GET", user.directory["renewalInfo"] + "/" + name)
    return answer, answer.json()["suggestedWindow"] if answer.status == 200 else None


def test_renewal_information(user):
    chain = user.issue("renewal.example.com")
    cert = leaf(chain)
    answer, window = renewal(user, certid(chain))  # at once: the gateway waits until it knows
    assert answer.status == 200
    start, end = (datetime.datetime.strptime(window[k], "%Y-%m-%dT%H:%M:%SZ") for k in ("start", "end"))
    life = cert.not_valid_after - cert.not_valid_before
    assert cert.not_valid_before + life * 0.6 < start < end < cert.not_valid_before + life * 0.7
    assert 21600 <= int(answer.headers["Retry-After"]) <= 22500
    user.post(user.directory["revokeCert"], {"certificate": b64(der_of(chain)), "reason": 4})
    now = datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    wait_for("a window in the past", lambda: renewal(user, certid(chain))[1]["end"] < now)


@pytest.mark.parametrize("name, status", [
    ("", 400), ("x", 400), ("AA.", 400), (".AA", 400), ("AA.gQ", 400), ("AA==.AA", 400), ("AA.AA", 404),
    ("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", 404)])
def test_renewal_information_of_nothing(user, name, status):
    assert renewal(user, name)[0].status == status


def test_replacement(ca, user, webroot):
    old = user.issue("replaced.example.com", "other.replaced.example.com")
    name = certid(old)
    new = user.issue("replaced.example.com", replaces=name)
    assert leaf(new).serial_number != leaf(old).serial_number
    with refused("alreadyReplaced", 409):
        user.order("replaced.example.com", replaces=name)
    user.order("replaced.example.com")
    with refused("malformed", 400):
        user.order("else.example.com", replaces=certid(new))
    stranger = Client(ca.directory, ca.root, webroot.challenges)
    stranger.register()
    with refused("malformed", 400):
        stranger.order("replaced.example.com", replaces=certid(new))
    _, order = user.order("replaced.example.com", replaces=certid(new))
    assert order["replaces"] == certid(new)


@pytest.mark.parametrize("name", ["x", "AA.AA", "AA.gQ", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", 7])
def test_replacement_of_nothing(user, name):
    with refused("malformed", 400):
        user.order("nothing.example.com", replaces=name)


def test_an_order_that_failed_replaces_nothing(user):
    old = user.issue("again.example.com")
    url, order = user.order("again.example.com", "wrong.again.example.com", replaces=certid(old))
    for a in order["authorizations"]:
        if user.post(a, None).json()["status"] != "valid":
            user.post(a, {"status": "deactivated"})
    user.poll(url, ("invalid",))
    user.issue("again.example.com", replaces=certid(old))

"""External account binding (RFC 8555 7.3.4): keys made by an operator, accounts bound to them, and their limits."""
import base64
import hashlib
import hmac
import json

import pytest
from acmeclient import AcmeError, Client, b64


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
def client(ca, webroot):
    return Client(ca.directory, ca.root, webroot.challenges)


def key(ca, *options):
    return ca.json("eab", "create", "a customer", *options)


def binding(client, k, secret=None, hash="sha256", url=None, jwk=None, **header):
    protected = {"alg": {"sha256": "HS256", "sha384": "HS384", "sha512": "HS512"}[hash], "kid": k["kid"],
                 "url": url or client.directory["newAccount"]}
    protected.update(header)
    head = b64(json.dumps(protected).encode())
    payload = b64(json.dumps(jwk or client.jwk()).encode())
    mac = hmac.new(secret or unb64(k["hmac_key"]), f"{head}.{payload}".encode(), getattr(hashlib, hash)).digest()
    return {"protected": head, "payload": payload, "signature": b64(mac)}


def kind_of(call):
    with pytest.raises(AcmeError) as caught:
        call()
    return caught.value.kind


@pytest.mark.parametrize("hash", ["sha256", "sha384", "sha512"])
def test_an_account_is_bound(ca, client, hash):
    k = key(ca)
    assert len(unb64(k["hmac_key"])) == 32
    sent = binding(client, k, hash=hash)
    account = client.post(client.directory["newAccount"], {"termsOfServiceAgreed": True,
                                                           "externalAccountBinding": sent}, kid=False).json()
    assert account["externalAccountBinding"] == sent
    row = next(r for r in ca.json("eab", "list", "--all")["keys"] if r["kid"] == k["kid"])
    assert row["accounts"] == 1 and row["note"] == "a customer" and k["hmac_key"] not in json.dumps(row)


def test_bindings_that_are_refused(ca, client):
    k = key(ca)
    bad = {
        "another secret": (binding(client, k, secret=bytes(32)), "unauthorized"),
        "no such key": (binding(client, dict(k, kid="none")), "unauthorized"),
        "another URL": (binding(client, k, url=client.directory["newOrder"]), "malformed"),
        "another account's key": (binding(client, k, jwk=Client(ca.directory, ca.root).jwk()), "malformed"),
        "a nonce": (binding(client, k, nonce="AAAA"), "malformed"),
        "no MAC": (dict(binding(client, k), signature=""), "malformed"),
        "a cut MAC": (dict(binding(client, k), signature=binding(client, k)["signature"][:20]), "unauthorized"),
        "no algorithm": (binding(client, k, alg="none"), "malformed"),
        "an algorithm of keys": (binding(client, k, alg="ES256"), "malformed"),
        "a text": ("binding", "malformed"),
    }
    for what, (value, kind) in bad.items():
        got = kind_of(lambda: client.register(externalAccountBinding=value))
        assert got == kind, f"{what}: {got}"
    assert next(r for r in ca.json("eab", "list", "--all")["keys"] if r["kid"] == k["kid"])["accounts"] == 0


def test_a_key_for_one_account(ca, client):
    k = key(ca, "--accounts", "1")
    client.register(externalAccountBinding=binding(client, k))
    other = Client(ca.directory, ca.root)
    assert kind_of(lambda: other.register(externalAccountBinding=binding(other, k))) == "unauthorized"


def test_names_profiles_and_quota(ca, client):
    k = key(ca, "--domain", "customer.example.com", "--profile", "tls-server-short", "--orders-per-day", "2")
    client.register(externalAccountBinding=binding(client, k))
    short = {"profile": "tls-server-short"}
    assert kind_of(lambda: client.order("customer.example.com")) == "unauthorized"
    for names in (["example.com"], ["notcustomer.example.com"], ["a.customer.example.com", "b.example.com"]):
        assert kind_of(lambda: client.order(*names, **short)) == "rejectedIdentifier"
    client.issue("a.customer.example.com", "customer.example.com", **short)
    client.order("c.customer.example.com", **short)
    assert kind_of(lambda: client.order("d.customer.example.com", **short)) == "rateLimited"


def test_revoked_keys(ca, client):
    k = key(ca)
    client.register(externalAccountBinding=binding(client, k))
    chain = client.issue("bound.example.com")
    assert "would revoke" in ca.lintel("eab", "revoke", k["kid"]).stdout
    ca.lintel("eab", "revoke", k["kid"], "--yes")
    assert kind_of(lambda: client.order("bound.example.com")) == "unauthorized"
    other = Client(ca.directory, ca.root)
    assert kind_of(lambda: other.register(externalAccountBinding=binding(other, k))) == "unauthorized"
    assert ca.lintel("eab", "revoke", k["kid"], "--yes", check=False).returncode != 0
    assert chain


@pytest.mark.parametrize("options", [["--domain", "Example.com"], ["--domain", "a b"], ["--profile", ""], ["--profile", "nope"],
                                     ["--expires", "2020-01-01"], ["--expires", "soon"], ["--accounts", "-1"]])
def test_keys_that_are_refused(ca, options):
    assert ca.lintel("eab", "create", "x", *options, check=False).returncode != 0


def test_the_list_says_what_each_is_for(ca):
    bound = key(ca, "--domain", "example.com", "--profile", "tls-server", "--expires", "2099-01-01")
    free = key(ca)
    lines = {line.split()[0]: line for line in ca.lintel("eab", "list").stdout.splitlines()}
    assert "example.com, tls-server" in lines[bound["kid"]] and "2099-01-01" in lines[bound["kid"]]
    assert "anything" in lines[free["kid"]]
    assert ca.lintel("eab", "create", "", check=False).returncode != 0


def test_a_book_without_its_key(fresh_ca):
    """The secrets of a copied book are sealed: without secrets/seal.key they bind nobody, and it is said."""
    fresh_ca.start()
    k = key(fresh_ca)
    assert unb64(k["hmac_key"]) not in (fresh_ca.folder / "book" / "lintel.db").read_bytes()
    assert unb64(k["hmac_key"]) not in (fresh_ca.folder / "book" / "lintel.db-wal").read_bytes()
    fresh_ca.stop()
    path = fresh_ca.folder / "secrets" / "seal.key"
    kept = path.read_text()
    path.unlink()
    fresh_ca.start()
    assert "was sealed with another key" in fresh_ca.log.read_text()
    user = Client(fresh_ca.directory, fresh_ca.root)
    asked = {"termsOfServiceAgreed": True, "externalAccountBinding": binding(user, k)}
    with pytest.raises(AcmeError) as caught:
        user.post(user.directory["newAccount"], asked, kid=False, tries=1)
    assert caught.value.status == 503
    fresh_ca.stop()
    path.write_text(kept)
    fresh_ca.start()
    user = Client(fresh_ca.directory, fresh_ca.root)
    asked = {"termsOfServiceAgreed": True, "externalAccountBinding": binding(user, k)}
    assert user.post(user.directory["newAccount"], asked, kid=False).status == 201
    fresh_ca.stop()


def test_accounts_without_a_key_where_one_is_required(fresh_ca, webroot):
    ca = fresh_ca
    path = ca.folder / "lintel.yaml"
    text = path.read_text()
    assert "\nacme:\n" not in text or "external" not in text
    text = text.replace("\nacme:\n", "\nacme:\n  external-account-required: true\n") if "\nacme:\n" in text \
        else text + "\nacme:\n  external-account-required: true\n"
    path.write_text(text)
    ca.start()
    client = Client(ca.directory, ca.root, webroot.challenges)
    assert client.directory["meta"]["externalAccountRequired"] is True
    assert kind_of(client.register) == "externalAccountRequired"
    client.register(externalAccountBinding=binding(client, key(ca)))

"""An authenticator without a browser, and the console's side of a session: every part of a log-in can be broken by a test. What a real browser
sends is in test_console_login.py as well."""
import base64
import hashlib
import http.client
import json
import os
import struct
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

PRESENT, VERIFIED, CREDENTIAL, EXTENSIONS = 0x01, 0x04, 0x40, 0x80


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).digest()


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def numbers(key):
    n = key.public_key().public_numbers()
    return n.x.to_bytes(32, "big"), n.y.to_bytes(32, "big")


def jwk(key):
    x, y = numbers(key)
    return {"crv": "P-256", "kty": "EC", "x": b64(x), "y": b64(y)}


def thumbprint(key):
    return b64(sha256(json.dumps(jwk(key), separators=(",", ":"))))


def es256(key, data):
    r, s = utils.decode_dss_signature(key.sign(data if isinstance(data, bytes) else data.encode(), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Refused(Exception):
    def __init__(self, status, document, headers):
        super().__init__(f"{status} {document}")
        self.status, self.document, self.headers = status, document, headers
        self.type, self.detail = document.get("type", ""), document.get("detail", "")


class Passkey:
    """One credential. counts=False: it says 0 for ever, as passkeys that are synchronised do."""

    def __init__(self, counts=True, kind="ES256", extensions=b""):
        self.key = {"ES256": new_key, "EdDSA": ed25519.Ed25519PrivateKey.generate, "RS256": lambda: rsa.generate_private_key(65537, 2048)}[kind]()
        self.id, self.count, self.counts, self.kind, self.extensions = os.urandom(32), 0, counts, kind, extensions
        self.rp, self.flags = "localhost", PRESENT | VERIFIED

    def client_data(self, kind, challenge, origin, cross=False):
        return (f'{{"type":"webauthn.{kind}","challenge":"{b64(challenge)}","origin":"{origin}",'
                f'"crossOrigin":{"true" if cross else "false"}}}').encode()

    def head(self, flags):
        self.count += self.counts
        return sha256(self.rp) + bytes([flags]) + struct.pack(">I", self.count)

    def made(self):
        """Authenticator data of its making: an AAGUID of zeros, the id, the key in COSE."""
        flags = self.flags | CREDENTIAL | (EXTENSIONS if self.extensions else 0)
        return self.head(flags) + bytes(16) + struct.pack(">H", len(self.id)) + self.id + self.cose() + self.extensions

    def cose(self):
        if self.kind == "EdDSA":
            raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20" + raw
        if self.kind == "RS256":
            n = self.key.public_key().public_numbers().n.to_bytes(256, "big")
            return b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00" + n + b"\x21\x43\x01\x00\x01"
        x, y = numbers(self.key)
        return b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y

    def sign(self, data):
        if self.kind == "EdDSA":
            return self.key.sign(data)
        if self.kind == "RS256":
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def answer(self, text, origin, **how):
        data = how.get("client_data") or self.client_data(how.get("kind", "get"), sha256(text), origin, how.get("cross", False))
        head = how.get("head") or self.head(how.get("flags", self.flags))
        return {"id": b64(self.id), "authenticator-data": b64(head), "client-data": b64(data),
                "signature": b64(self.sign(head + sha256(data)))}


class Console:
    """One browser's worth of state: a cookie and a key."""

    def __init__(self, port, host="localhost", context=None):
        """context: of ssl; with a client certificate, where one is to be shown."""
        self.port, self.host, self.context = port, host, context
        self.origin = f"{'https' if context else 'http'}://{host}:{port}"
        self.cookie = self.session = self.key = None
        self.cookie_name = f"lintel_session_{port}"

    def ask(self, method, path, body=None, headers=None, cookie=True):
        connection = (http.client.HTTPSConnection(self.host, self.port, timeout=15, context=self.context) if self.context
                      else http.client.HTTPConnection("127.0.0.1", self.port, timeout=15))
        try:
            head = {"Host": f"{self.host}:{self.port}", **(headers or {})}
            if cookie and self.cookie:
                head["Cookie"] = f"{self.cookie_name}={cookie if isinstance(cookie, str) else self.cookie}"
            connection.request(method, path, body, head)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            document = json.loads(text) if text[:1] == b"{" else {"detail": text.decode(errors="replace")}
            raise Refused(answer.status, document, answer.headers)
        return answer, text

    def get(self, path, **kw):
        return json.loads(self.ask("GET", "/api/v1/" + path, **kw)[1])

    def nonce(self):
        return self.ask("GET", "/api/v1/nonce", cookie=False)[0].headers["Replay-Nonce"]

    def sign(self, path, payload, key, **header):
        header = {"alg": "ES256", "nonce": header.pop("nonce", None) or self.nonce(), "url": f"lintel:{path}", **header}
        protected, body = b64(json.dumps(header).encode()), b64(json.dumps(payload).encode())
        return json.dumps({"protected": protected, "payload": body, "signature": b64(es256(key, f"{protected}.{body}"))})

    def send(self, path, jws, **kw):
        return self.ask("POST", path, jws, {"Content-Type": "application/jose+json"}, **kw)

    def change(self, path, payload=None, **header):
        path = "/api/v1/" + path
        return json.loads(self.send(path, self.sign(path, payload or {}, self.key, **{"kid": f"session:{self.session}", **header}), cookie=False)[1])

    # ---- passkeys ----

    def enroll(self, link, passkey, **how):
        operator, _, secret = link.split("#", 1)[1].rpartition(".")
        d = int.from_bytes(unb64(secret)[:32], "big")
        key = how.get("key") or ec.derive_private_key(d, ec.SECP256R1())
        operator, rp, nonce = how.get("operator", operator), how.get("rp", "localhost"), self.nonce()
        challenge = sha256(f"lintel-passkey-create-v1\nnonce={nonce}\noperator={operator}\n")
        statement = f"lintel-passkey-v1\noperator={operator}\nrp={rp}\ncredential={b64(passkey.id)}\nkey={b64(spki(passkey.key))}\n"
        payload = {"operator": operator, "rp": rp, "authenticator-data": b64(passkey.made()),
                   "client-data": b64(passkey.client_data("create", challenge, how.get("origin", self.origin))),
                   "signature": b64(es256(key, how.get("statement", statement)))}
        jws = self.sign("/api/v1/passkeys", payload, key, jwk=jwk(key), nonce=nonce)
        return json.loads(self.send("/api/v1/passkeys", jws)[1])

    def login_request(self, passkey, **how):
        """The JWS, as it would be sent. key: of the session; nonce, rp, text, origin and what Passkey.answer takes can be others."""
        self.key = how.get("key") or new_key()
        nonce, rp = how.get("nonce") or self.nonce(), how.get("rp", "localhost")
        text = f"lintel-session-v1\nnonce={how.get('said_nonce', nonce)}\nrp={rp}\nkey={thumbprint(how.get('said_key', self.key))}\n"
        answer = how.get("answer") or passkey.answer(text, how.get("origin", self.origin),
                                                     **{k: how[k] for k in ("flags", "kind", "cross", "client_data", "head") if k in how})
        return self.sign("/api/v1/sessions", {"rp": rp, "passkey": answer}, self.key, jwk=jwk(self.key), nonce=nonce)

    def log_in(self, passkey, **how):
        return self.opened(*self.send("/api/v1/sessions", self.login_request(passkey, **how)))

    def log_in_by_certificate(self):
        self.key = new_key()
        return self.opened(*self.send("/api/v1/sessions", self.sign("/api/v1/sessions", {"certificate": True}, self.key, jwk=jwk(self.key))))

    def opened(self, answer, text):
        self.set_cookie = answer.headers["Set-Cookie"]
        name, self.cookie = self.set_cookie.split(";")[0].split("=", 1)
        assert name == self.cookie_name
        document = json.loads(text)
        self.session = document["session"]
        return document

    # ---- approvals ----

    def statement(self, plan):
        return (f"lintel-approval-v1\nplan={plan['id']}\naction={plan['action']}\nscope-sha256={plan['scope_sha256']}\ncount={plan['count']}\n"
                f"parameters={plan['parameters_text']}\nexpires={plan['expires']}\nproposer={plan['proposer']}\n")

    def approve(self, plan_id, passkey, text=None, **how):
        plan = self.get(f"plans/{plan_id}")
        answer = passkey.answer(text or self.statement(plan), how.pop("origin", self.origin), **how)
        signed = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return self.change(f"plans/{plan_id}/approvals", {"signed": signed, "passkey": answer})

"""A small ACME client for tests: shows every request and answer, and lets a test break any of them.

It keeps to RFC 8555 by itself (`issue`), and hands out the pieces (`post`, `sign`) for tests that do not.
"""
import base64
import hashlib
import http.client
import json
import ssl
import threading
import time
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificates(pem):
    """The certificates of a chain; Debian 12's library has one at a time."""
    end = "-----END CERTIFICATE-----"
    return [x509.load_pem_x509_certificate((part + end).encode()) for part in pem.split(end)[:-1]]


class AcmeError(Exception):
    def __init__(self, status, problem):
        super().__init__(f"{status} {problem.get('type', '').rsplit(':', 1)[-1]}: {problem.get('detail')}")
        self.status = status
        self.problem = problem
        self.kind = problem.get("type", "").rsplit(":", 1)[-1]


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


class Client:
    def __init__(self, directory, root, challenges=None, source=None):
        self.context = ssl.create_default_context(cafile=str(root))
        self.challenges = challenges
        self.parts = urlsplit(directory)
        self.source = source
        self.connection = None
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.kid = None
        self.nonce = None
        self.directory = self.request("GET", directory).json()

    def request(self, method, url, body=None, headers=None):
        for attempt in (0, 1):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(self.parts.hostname, self.parts.port, timeout=15,
                                                              context=self.context,
                                                              source_address=self.source and (self.source, 0))
            try:
                self.connection.request(method, urlsplit(url).path, body, headers or {})
                answer = self.connection.getresponse()
                data = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
                self.close()
                if attempt:
                    raise
            except Exception:
                self.close()
                raise
        result = Answer(answer.status, answer.headers, data)
        self.nonce = answer.headers.get("Replay-Nonce", self.nonce)
        return result

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def jwk(self, key=None):
        n = (key or self.key).public_key().public_numbers()
        return {"crv": "P-256", "kty": "EC", "x": b64(n.x.to_bytes(32, "big")), "y": b64(n.y.to_bytes(32, "big"))}

    def thumbprint(self, key=None):
        return b64(hashlib.sha256(json.dumps(self.jwk(key), sort_keys=True, separators=(",", ":")).encode()).digest())

    def take_nonce(self):
        if self.nonce is None:
            self.request("HEAD", self.directory["newNonce"])
        nonce, self.nonce = self.nonce, None
        return nonce

    def sign(self, target, payload, key=None, kid=True, **protected):
        """A flattened JWS. kid: True for the account's own, False for the jwk, or another. protected overrides header
        members; a value of None drops the member."""
        header = {"alg": "ES256", "url": target}
        kid = self.kid if kid is True else kid
        header.update({"kid": kid} if kid else {"jwk": self.jwk(key)})
        header.update(protected)
        if "nonce" not in header:
            header["nonce"] = self.take_nonce()
        header = {k: v for k, v in header.items() if v is not None}
        head = b64(json.dumps(header).encode())
        body = "" if payload is None else b64(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
        der = (key or self.key).sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(der)
        return {"protected": head, "payload": body, "signature": b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}

    def send(self, url, jws, content_type="application/jose+json"):
        return self.request("POST", url, json.dumps(jws), {"Content-Type": content_type})

    def post(self, url, payload, ok=(200, 201), tries=4, **kw):
        for left in reversed(range(tries)):
            answer = self.send(url, self.sign(url, payload, **kw))
            if answer.status in ok:
                return answer
            try:
                error = AcmeError(answer.status, answer.json())
            except ValueError:
                error = AcmeError(answer.status, {"detail": repr(answer.body[:200])})
            if not left or (error.kind != "badNonce" and answer.status != 503):
                raise error
            if answer.status == 503:
                time.sleep(0.2)
        raise AssertionError("unreachable")

    def register(self, contact="mailto:test@example.com", tries=4, **payload):
        answer = self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True, "contact": [contact], **payload}, tries=tries)
        self.kid = answer.headers["Location"]
        return answer

    def order(self, *names, **payload):
        answer = self.post(self.directory["newOrder"],
                           {"identifiers": [{"type": "dns", "value": n} for n in names], **payload})
        return answer.headers["Location"], answer.json()

    def poll(self, url, done, seconds=30):
        end = time.monotonic() + seconds
        while True:
            answer = self.post(url, None).json()
            if answer["status"] in done:
                return answer
            if time.monotonic() > end:
                raise AssertionError(f"{url} stays {answer['status']}")
            time.sleep(0.1)

    def prove(self, authorization_url):
        authorization = self.post(authorization_url, None).json()
        if authorization["status"] == "valid":
            return authorization
        challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
        path = self.challenges / challenge["token"]
        path.write_text(f"{challenge['token']}.{self.thumbprint()}")
        try:
            self.post(challenge["url"], {})
            return self.poll(authorization_url, ("valid", "invalid"))
        finally:
            path.unlink(missing_ok=True)

    @staticmethod
    def csr(names, key=None):
        key = key or ec.generate_private_key(ec.SECP256R1())
        request = (x509.CertificateSigningRequestBuilder()
                   .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
                   .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
                   .sign(key, hashes.SHA256()))
        return request.public_bytes(serialization.Encoding.DER), key

    def issue(self, *names, **payload):
        """The whole way; the PEM chain."""
        url, order = self.order(*names, **payload)
        for authorization in order["authorizations"]:
            assert self.prove(authorization)["status"] == "valid"
        order = self.poll(url, ("ready", "valid"))
        csr, self.leaf_key = self.csr(list(names))
        if order["status"] == "ready":
            self.post(order["finalize"], {"csr": b64(csr)})
        order = self.poll(url, ("valid", "invalid"))
        if order["status"] != "valid":
            raise AcmeError(0, order.get("error", {}))
        return self.post(order["certificate"], None).body.decode()


class Load:
    """Threads that issue without end, keep what they were given, and go on through every failure."""

    def __init__(self, directory, root, challenges, threads=4, accounts_ready=True):
        self.arguments = (directory, root, challenges)
        self.certificates = []
        self.errors = []
        self.halt = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(i,), daemon=True) for i in range(threads)]

    def work(self, index):
        client = None
        count = 0
        while not self.halt.is_set():
            try:
                if client is None:
                    client = Client(*self.arguments)
                if client.kid is None:
                    client.register()
                count += 1
                self.certificates.append(client.issue(f"n{count}-{index}-{id(self) & 0xffff:x}.example.com"))
            except Exception as e:
                self.errors.append(repr(e))
                if client is not None:
                    client.close()
                    client.nonce = None
                time.sleep(0.05)

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def stop(self):
        self.halt.set()
        for t in self.threads:
            t.join(60)

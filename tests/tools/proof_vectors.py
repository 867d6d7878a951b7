"""Proofs of key compromise as the usual tools make them, for tests/unit/incident/test_proof.c and as seeds of the
fuzz target: proof_vectors.py OUT. Each is named KIND-KEY; openssl makes what it can make, the rest is built here."""
import base64
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils
from cryptography.x509.oid import NameOID

NONCE = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
WORDS = "This key is compromised: "
PWNED = "The key that signed this CSR has been publicly disclosed. It should not be used for any purpose."
KEYS = {
    "rsa": ["genrsa", "2048"],
    "p256": ["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
    "p384": ["ecparam", "-name", "secp384r1", "-genkey", "-noout"],
    "p521": ["ecparam", "-name", "secp521r1", "-genkey", "-noout"],
    "ed25519": ["genpkey", "-algorithm", "ed25519"],
}


def openssl(*args, stdin=None):
    return subprocess.run(["openssl", *args], input=stdin, check=True, capture_output=True).stdout


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def digest(key):
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def sign(key, message, hash_=hashes.SHA256()):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(hash_))
    return key.sign(message, padding.PKCS1v15(), hash_)


def spki(key, form=serialization.PublicFormat.SubjectPublicKeyInfo):
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def request(key, cn, extension=None, hash_=hashes.SHA256()):
    b = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn, _validate=False)]))
    if extension is not None:
        b = b.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.23"), b"\x01\x01\xff"),
                            critical=extension)
    made = b.sign(key, None if digest(key) is None else hash_)
    return made.public_bytes(serialization.Encoding.PEM)


def pock(key, serial=1, year=1950, cn="-" * 20 + "PROOF OF COMPROMISED KEY" + "-" * 20):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn, _validate=False)])
    day = datetime.datetime(year, 1, 1)
    return (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(serial).not_valid_before(day).not_valid_after(day)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(key, digest(key)).public_bytes(serialization.Encoding.PEM))


def attestation(key, words="This key is pwned!  See https://pwnedkeys.com for more info."):
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        alg, hash_ = {32: ("ES256", hashes.SHA256()), 48: ("ES384", hashes.SHA384()),
                      66: ("ES512", hashes.SHA512())}[size]
    else:
        size, alg, hash_ = 0, "RS256", hashes.SHA256()
    head = b64url(json.dumps({"alg": alg, "kid": hashlib.sha256(spki(key)).hexdigest()}).encode())
    payload = b64url(words.encode())
    made = sign(key, (head + "." + payload).encode(), hash_)
    if size:
        r, s = utils.decode_dss_signature(made)
        made = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    return json.dumps({"payload": payload, "protected": head, "signature": b64url(made)}).encode()


def nonce(key, words=WORDS, with_key=True):
    o = {"nonce": NONCE, "signature": base64.b64encode(sign(key, (words + NONCE).encode())).decode()}
    if with_key:
        o["public-key"] = base64.b64encode(spki(key)).decode()
    return json.dumps(o).encode()


def jwk(key):
    n = key.private_numbers()
    def number(v, size=None):
        return b64url(v.to_bytes(size or (v.bit_length() + 7) // 8, "big"))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        return json.dumps({"kty": "EC", "crv": "P-256", "x": number(n.public_numbers.x, size),
                           "y": number(n.public_numbers.y, size), "d": number(n.private_value, size)}).encode()
    return json.dumps({"kty": "RSA", "n": number(n.public_numbers.n), "e": number(n.public_numbers.e),
                       "d": number(n.d)}).encode()


def compressed(pem):
    return openssl("ec", "-conv_form", "compressed", stdin=pem)


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    index = []

    def put(name, data):
        (out / name).write_bytes(data)

    for name, args in KEYS.items():
        pem = openssl(*args)
        key = serialization.load_pem_private_key(pem, None)
        index.append((name, hashlib.sha256(spki(key)).hexdigest()))
        put(f"private-{name}", pem)
        put(f"pkcs8-{name}", openssl("pkcs8", "-topk8", "-nocrypt", stdin=pem))
        put(f"pkcs8-{name}.der", openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", stdin=pem))
        put(f"openssh-{name}", key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
                                                 serialization.NoEncryption()))
        put(f"encrypted-{name}", openssl("pkcs8", "-topk8", "-passout", "pass:x", stdin=pem))
        (out / "key.tmp").write_bytes(pem)
        put(f"csr-{name}", openssl("req", "-new", "-key", str(out / "key.tmp"), "-subj",
                                   "/CN=Proof of Key Compromise for DigiCert"))
        put(f"csr-{name}.der", openssl("req", "-new", "-key", str(out / "key.tmp"), "-outform", "DER", "-subj",
                                       "/CN=Proof of Key Compromise for DigiCert"))
        put(f"plain-{name}", openssl("req", "-new", "-key", str(out / "key.tmp"), "-subj", "/CN=example.com"))
        put(f"nonce-csr-{name}", openssl("req", "-new", "-key", str(out / "key.tmp"), "-subj", "/CN=" + WORDS + NONCE))
        put(f"pwned-csr-{name}", request(key, PWNED))
        put(f"kca-{name}", request(key, "kca=v1 This Key Is Compromised", True))
        put(f"pock-{name}", pock(key))
        put(f"nonce-{name}", nonce(key))
        if name != "ed25519":
            put(f"pwnedkeys-{name}", attestation(key))
        put(f"certificate-{name}", pock(key, serial=7, year=2026, cn="example.com"))
        if name in ("rsa", "p256"):
            put(f"jwk-{name}", jwk(key))
            put(f"kca-not-critical-{name}", request(key, "kca=v1 This Key Is Compromised", False))
            put(f"kca-bare-{name}", request(key, "kca=v1 This Key Is Compromised"))
            put(f"pock-other-serial-{name}", pock(key, serial=2))
            put(f"pock-other-year-{name}", pock(key, year=1951))
            put(f"pwnedkeys-other-words-{name}", attestation(key, "all is well"))
            put(f"nonce-other-words-{name}", nonce(key, words="something else "))
            put(f"nonce-without-key-{name}", nonce(key, with_key=False))
    rsa = (out / "private-rsa").read_bytes()
    (out / "key.tmp").write_bytes(rsa)
    put("sha1-rsa", openssl("req", "-new", "-sha1", "-key", str(out / "key.tmp"), "-subj",
                            "/CN=Proof of Key Compromise for DigiCert"))
    put("pss-rsa", openssl("req", "-new", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-key", str(out / "key.tmp"),
                           "-subj", "/CN=Proof of Key Compromise for DigiCert"))
    put("old-encrypted-rsa", openssl("rsa", "-aes128", "-traditional", "-passout", "pass:x", stdin=rsa))
    p256 = (out / "private-p256").read_bytes()
    (out / "key.tmp").write_bytes(compressed(p256))
    put("compressed-p256", openssl("req", "-new", "-key", str(out / "key.tmp"), "-subj",
                                   "/CN=Proof of Key Compromise for DigiCert"))
    put("explicit-p256", openssl("ec", "-param_enc", "explicit", stdin=p256))
    (out / "key.tmp").write_bytes((out / "explicit-p256").read_bytes())
    put("explicit-csr-p256", openssl("req", "-new", "-key", str(out / "key.tmp"), "-subj",
                                     "/CN=Proof of Key Compromise for DigiCert"))
    put("k256", openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout"))
    (out / "key.tmp").unlink()
    put("keys.tsv", "".join(f"{n}\t{h}\n" for n, h in index).encode())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

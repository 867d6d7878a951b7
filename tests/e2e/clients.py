"""What the tests of foreign clients share: running them, and judging what they got."""
import base64
import json
import os
import subprocess
from datetime import datetime, timezone

from conftest import wait_for
from cryptography import x509


def openssl(*args, data=None):
    result = subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, text=True)
    assert result.returncode == 0, f"openssl {args}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def serial_of(pem):
    return openssl("x509", "-in", pem, "-noout", "-serial").strip().split("=")[1].lower()


def verify(ca, leaf, chain=None):
    """The chain holds for a TLS server, and the key is not that of a CA."""
    untrusted = ["-untrusted", chain] if chain else []
    openssl("verify", "-purpose", "sslserver", "-x509_strict", "-CAfile", ca.root, *untrusted, leaf)
    text = openssl("x509", "-in", leaf, "-noout", "-text")
    assert "CA:TRUE" not in text
    return text


def run(command, **kw):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, **kw)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def in_book(ca, serial):
    return ca.json("cert", "show", serial, "--evidence")


def on_crl(ca, serial):
    """Revoked, and on the CRL that the public address serves, whose signature OpenSSL checks."""
    def there():
        crl = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{ca.http_port}/crl/tls.crl"], capture_output=True).stdout
        if not crl:
            return False
        done = subprocess.run(["openssl", "crl", "-inform", "DER", "-noout", "-text", "-CAfile",
                               str(ca.folder / "ca" / "tls.pem")], input=crl, capture_output=True)
        assert b"verify OK" in done.stderr, done.stderr
        return serial.upper().encode() in done.stdout
    wait_for("the CRL entry", there)


def judge(ca, leaf, names, method, dnssec="secure", chain=None):
    """The chain, the names, and in the book the method, DNSSEC and all five perspectives for each of them."""
    verify(ca, leaf, chain or leaf)
    shown = in_book(ca, serial_of(leaf))
    assert sorted(n["name"] for n in shown["names"]) == sorted(names)
    for name in shown["names"]:
        last = next(c for c in reversed(name["checks"]) if c["ok"])
        assert (last["method"], last["dnssec"], last["dissenting"]) == (method, dnssec, 0), last
        assert bin(last["agreeing"]).count("1") >= 6, last
    return shown


def renewal_is_due(ca, leaf):
    """Until renewal information (RFC 9773) says so; the gateways hear of changes each second."""
    cert = x509.load_pem_x509_certificate(leaf.read_bytes())
    key = cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    serial = cert.serial_number.to_bytes(cert.serial_number.bit_length() // 8 + 1, "big")
    url = f"{ca.url}/acme/renewal-info/" + ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (key, serial))

    def due():
        window = json.loads(run(["curl", "-sf", "--cacert", ca.root, url]))["suggestedWindow"]
        return datetime.fromisoformat(window["end"]) < datetime.now(timezone.utc)

    wait_for("the renewal window", due)


def binding(ca, *options):
    """kid and HMAC key of a new external account binding."""
    made = ca.json("eab", "create", "a customer", *options)
    return made["kid"], made["hmac_key"]


def bound_accounts(ca, kid):
    return next(r for r in ca.json("eab", "list", "--all")["keys"] if r["kid"] == kid)["accounts"]


def script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def publisher(path, key, server, zone="example.com"):
    """A program: `add NAME VALUE` and `del NAME VALUE` of TXT records, by signed updates of a real server."""
    return script(path, f"""
printf 'server {server}\\nzone {zone}\\nkey hmac-sha256:{key[0]} {key[1]}\\nupdate %s %s. 1 TXT "%s"\\nsend\\nquit\\n' \\
    "$1" "$2" "$3" | knsupdate
""")


def run_seeing(files, command, **kw):
    """In a mount namespace in which the system's files are others: {path: what is read instead}."""
    mounts = "".join(f"mount --bind '{other}' '{path}' && " for path, other in files.items())
    words = " ".join(f"'{a}'" for a in command)
    return run(["unshare", "-rm" if os.getuid() else "-m", "sh", "-c", f"{mounts}exec {words}"], **kw)


def trusting(ca, folder):
    """For programs that ask the system whom to trust, and can be told nothing else."""
    bundle = folder / "bundle.pem"
    bundle.write_text(ca.root.read_text())
    return {"/etc/ssl/certs/ca-certificates.crt": bundle}


def resolving(folder):
    """And for those that ask the system's resolver: the one of our internet."""
    path = folder / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\n")
    return {"/etc/resolv.conf": path}

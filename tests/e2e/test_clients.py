"""Programs that nobody here wrote obtain, renew and revoke certificates, each as its manual says."""
import os
import textwrap
from pathlib import Path

from clients import in_book, on_crl, openssl, run, serial_of, verify


def test_certbot(ca, tmp_path):
    env = {**os.environ, "REQUESTS_CA_BUNDLE": str(ca.root)}
    base = ["certbot", "--non-interactive", "--config-dir", tmp_path / "c", "--work-dir", tmp_path / "w",
            "--logs-dir", tmp_path / "l", "--server", ca.directory]
    run(base + ["certonly", "--standalone", "--http-01-port", ca.http01_port, "--http-01-address", "127.0.0.1",
                "--agree-tos", "-m", "admin@example.com", "-d", "certbot.example.com", "-d", "www.certbot.example.com"],
        env=env)
    live = tmp_path / "c" / "live" / "certbot.example.com"
    text = verify(ca, live / "cert.pem", live / "chain.pem")
    assert "DNS:certbot.example.com" in text and "DNS:www.certbot.example.com" in text
    first = serial_of(live / "cert.pem")
    run(base + ["renew", "--force-renewal", "--no-random-sleep-on-renew", "--http-01-port", ca.http01_port, "--http-01-address", "127.0.0.1"], env=env)
    second = serial_of(live / "cert.pem")
    assert first != second
    shown = in_book(ca, second)
    assert any(n["name"] == "certbot.example.com" for n in shown["names"])
    run(base + ["revoke", "--cert-path", live / "cert.pem", "--reason", "superseded", "--no-delete-after-revoke"], env=env)
    on_crl(ca, second)


def test_lego(ca, tmp_path):
    env = {**os.environ, "LEGO_CA_CERTIFICATES": str(ca.root)}
    base = ["lego", "--server", ca.directory, "--email", "lego@example.com", "--accept-tos", "--domains",
            "lego.example.org", "--http", "--http.port", f"127.0.0.1:{ca.http01_port}", "--path", tmp_path]
    run(base + ["run"], env=env)
    leaf = tmp_path / "certificates" / "lego.example.org.crt"
    chain = tmp_path / "certificates" / "lego.example.org.issuer.crt"
    verify(ca, leaf, chain)
    first = serial_of(leaf)
    run(base + ["renew", "--days", "365", "--no-random-sleep"], env=env)
    second = serial_of(leaf)
    assert first != second
    run(base + ["revoke", "--keep"], env=env)
    on_crl(ca, second)


def test_uacme(ca, webroot, tmp_path):
    """uacme asks the system's trust store, so it runs in a mount namespace in which that store is ours."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(ca.root.read_text())
    hook = tmp_path / "hook"
    hook.write_text(textwrap.dedent(f"""\
        #!/bin/sh
        [ "$2" = http-01 ] || exit 1
        case "$1" in
          begin) printf %s "$5" > "{webroot.challenges}/$4" ;;
          done | failed) rm -f "{webroot.challenges}/$4" ;;
        esac
        """))
    hook.chmod(0o755)

    def uacme(*args):
        command = " ".join(f"'{a}'" for a in ["uacme", "-y", "-a", ca.directory, "-c", tmp_path / "u", "-h", hook, *args])
        return run(["unshare", "-rm" if os.getuid() else "-m", "sh", "-c",
                    f"mount --bind {bundle} /etc/ssl/certs/ca-certificates.crt && {command}"])

    uacme("new", "uacme@example.com")
    uacme("issue", "uacme.example.com")
    leaf = tmp_path / "u" / "uacme.example.com" / "cert.pem"
    verify(ca, leaf, leaf)
    first = serial_of(leaf)
    uacme("-f", "issue", "uacme.example.com")
    second = serial_of(leaf)
    assert first != second
    uacme("revoke", leaf)
    on_crl(ca, second)


def test_dehydrated(ca, webroot, tmp_path):
    config = tmp_path / "config"
    config.write_text(f"""\
CA="{ca.directory}"
CURL_OPTS="--cacert {ca.root}"
BASEDIR="{tmp_path}"
WELLKNOWN="{webroot.challenges}"
CONTACT_EMAIL="dehydrated@example.com"
KEY_ALGO=secp384r1
""")
    run(["dehydrated", "-f", config, "--register", "--accept-terms"])
    run(["dehydrated", "-f", config, "-c", "-d", "dehydrated.example.com"])
    leaf = tmp_path / "certs" / "dehydrated.example.com" / "cert.pem"
    chain = tmp_path / "certs" / "dehydrated.example.com" / "chain.pem"
    verify(ca, leaf, chain)
    first = serial_of(leaf)
    run(["dehydrated", "-f", config, "-c", "-x", "-d", "dehydrated.example.com"])
    second = serial_of(leaf)
    assert first != second
    run(["dehydrated", "-f", config, "-r", leaf])
    on_crl(ca, second)


def test_acme_tiny(ca, webroot, tmp_path):
    account, key, csr = tmp_path / "account.key", tmp_path / "key.pem", tmp_path / "req.csr"
    openssl("genrsa", "-out", account, "2048")
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", "/CN=tiny.example.com", "-addext",
            "subjectAltName=DNS:tiny.example.com", "-out", csr)
    serials = set()
    for _ in range(2):
        pem = run(["acme-tiny", "--quiet", "--account-key", account, "--csr", csr, "--acme-dir", webroot.challenges,
                   "--directory-url", ca.directory, "--disable-check"],
                  env={**os.environ, "SSL_CERT_FILE": str(ca.root)})
        chain = tmp_path / "tiny.pem"
        chain.write_text(pem)
        verify(ca, chain, chain)
        serials.add(serial_of(chain))
    assert len(serials) == 2
    for serial in serials:
        shown = in_book(ca, serial)
        assert [n["name"] for n in shown["names"]] == ["tiny.example.com"]


def test_certbot_revokes_with_the_certificate_key(ca, tmp_path):
    env = {**os.environ, "REQUESTS_CA_BUNDLE": str(ca.root)}
    base = ["certbot", "--non-interactive", "--config-dir", tmp_path / "c", "--work-dir", tmp_path / "w",
            "--logs-dir", tmp_path / "l", "--server", ca.directory]
    run(base + ["certonly", "--standalone", "--http-01-port", ca.http01_port, "--http-01-address", "127.0.0.1",
                "--agree-tos", "-m", "admin@example.com", "-d", "compromised.example.com"], env=env)
    live = tmp_path / "c" / "live" / "compromised.example.com"
    serial = serial_of(live / "cert.pem")
    other = ["certbot", "--non-interactive", "--config-dir", tmp_path / "c2", "--work-dir", tmp_path / "w2",
             "--logs-dir", tmp_path / "l2", "--server", ca.directory]
    run(other + ["revoke", "--cert-path", live / "cert.pem", "--key-path", live / "privkey.pem", "--reason",
                 "keycompromise", "--no-delete-after-revoke"], env=env)
    on_crl(ca, serial)
    assert Path(live / "cert.pem").exists()

"""Web servers that get their own certificates: Apache's mod_md, with profiles and renewal information, and caddy. Each by
every challenge type it has, against a CA as in production."""
import os
import re
import signal
import sqlite3
import subprocess

import pytest
from clients import binding, bound_accounts, judge, on_crl, publisher, script
from conftest import wait_for
from internet import HOSTER, TSIG, WEB


@pytest.fixture
def ca(net):
    return net.authority


def open_to_all(folder):
    for part in (folder, folder.parent, folder.parent.parent):
        part.chmod(0o755)


def served(name, root):
    """The certificate that the server shows for that name, if the root above it is ours."""
    shown = subprocess.run(["openssl", "s_client", "-connect", f"{WEB}:443", "-servername", name, "-verify_return_error",
                            "-CAfile", str(root)], input="", capture_output=True, text=True, timeout=10)
    found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", shown.stdout, re.S)
    return found[0] if found and shown.returncode == 0 else None


# --- Apache ----------------------------------------------------------------------------------------------------------

MODULES = ["mpm_event", "authn_core", "authz_core", "socache_shmcb", "ssl", "md"]


class Apache:
    """MDomain NAME with these directives."""

    def __init__(self, ca, folder, name, *directives):
        open_to_all(folder)
        self.ca = ca
        self.name = name
        self.folder = folder
        self.config = folder / "apache.conf"
        (folder / "www").mkdir()
        self.config.write_text("\n".join([
            f"ServerRoot {folder}", f"PidFile {folder}/pid", f"ErrorLog {folder}/error.log", "LogLevel warn md:debug",
            f"DefaultRuntimeDir {folder}", f"Mutex file:{folder}",
            *(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in MODULES),
            "User www-data", "Group www-data", "ServerName localhost", f"DocumentRoot {folder}/www",
            f"Listen {WEB}:80", f"Listen {WEB}:443", "Protocols http/1.1 acme-tls/1",
            f"MDStoreDir {folder}/md", f"MDCertificateAuthority {ca.directory}", f"MDCACertificateFile {ca.root}",
            "MDContactEmail apache@example.com", "MDCertificateAgreement accepted", "MDPrivateKeys secp256r1",
            "MDInitialDelay 0", "MDCheckInterval 1s", "MDStapling off", *directives,
            f"MDomain {name} manual",
            f"<VirtualHost {WEB}:80>", f"  ServerName {name}", "</VirtualHost>",
            f"<VirtualHost {WEB}:443>", f"  ServerName {name}", "  SSLEngine on", "</VirtualHost>",
            "<Location />", "  Require all granted", "</Location>", ""]))
        self.process = subprocess.Popen(["apache2", "-f", self.config, "-D", "FOREGROUND"])

    def log(self):
        return (self.folder / "error.log").read_text()

    def obtain(self, other_than=None):
        """Until it serves a certificate of ours; a restart puts one to use, as the manual says."""
        staged = self.folder / "md" / "staging" / self.name / "job.json"

        def done():
            assert self.process.poll() is None, self.log()
            if staged.exists() and '"finished": true' in staged.read_text():
                self.process.send_signal(signal.SIGUSR1)
            pem = served(self.name, self.ca.root)
            return pem if pem != other_than else None

        try:
            pem = wait_for("Apache's certificate", done, 40, 0.3)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.log()[-6000:]}") from None
        path = self.folder / "served.pem"
        path.write_text(pem)
        return path, pem

    def chain(self):
        return next((self.folder / "md" / "domains" / self.name).glob("pubcert*.pem"))

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def apache(ca, tmp_path):
    made = []

    def make(name, *directives):
        made.append(Apache(ca, tmp_path, name, *directives))
        return made[-1]

    yield make
    for server in made:
        server.stop()


def test_apache_by_web_with_a_profile_and_a_binding(ca, apache):
    kid, key = binding(ca, "--domain", "apache.example.com", "--profile", "tls-server-short")
    server = apache("apache.example.com", "MDCAChallenges http-01", "MDProfile tls-server-short", "MDProfileMandatory on",
                    f"MDExternalAccountBinding {kid} {key}")
    leaf, _ = server.obtain()
    shown = judge(ca, leaf, ["apache.example.com"], "http-01", chain=server.chain())
    assert shown["profile"] == "tls-server-short"
    assert bound_accounts(ca, kid) == 1


def test_apache_by_tls_alpn(ca, apache):
    server = apache("apache-alpn.example.com", "MDCAChallenges tls-alpn-01")
    leaf, _ = server.obtain()
    judge(ca, leaf, ["apache-alpn.example.com"], "tls-alpn-01", chain=server.chain())


def test_apache_by_dns(ca, apache, tmp_path):
    publish = publisher(tmp_path / "publish", TSIG, HOSTER)
    program = script(tmp_path / "dns01", f"""
case "$1" in
  setup) exec {publish} add "_acme-challenge.$2" "$3" ;;
  teardown) exec {publish} del "_acme-challenge.$2" "$3" ;;
esac
""")
    server = apache("apache-dns.example.com", "MDCAChallenges dns-01", f"MDChallengeDns01 {program}",
                    "MDChallengeDns01Version 2")
    leaf, _ = server.obtain()
    judge(ca, leaf, ["apache-dns.example.com"], "dns-01", chain=server.chain())


def test_apache_renews_when_renewal_information_says_so(ca, apache):
    """The certificate is revoked: its window is in the past, and the server replaces it by itself, saying which."""
    server = apache("apache-ari.example.com", "MDCAChallenges http-01", "MDRenewViaARI on")
    leaf, first = server.obtain()
    old = judge(ca, leaf, ["apache-ari.example.com"], "http-01", chain=server.chain())["serial"]
    ca.lintel("revoke", old, "--reason", "superseded", "--yes")
    on_crl(ca, old)
    leaf, _ = server.obtain(other_than=first)
    new = judge(ca, leaf, ["apache-ari.example.com"], "http-01", chain=server.chain())["serial"]
    assert new != old
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        rows = book.execute("SELECT lower(hex(old_serial)), lower(hex(new_serial)) FROM replacement").fetchall()
    assert (old, new) in rows


# --- caddy -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", ["http-01", "tls-alpn-01"])
def test_caddy(ca, tmp_path, method):
    """Has these two; the others are plug-ins that Debian does not ship. With a binding, and an address by its own name."""
    kid, key = binding(ca)
    name = f"caddy-{method}.example.com"
    off = {"http-01": "disable_tlsalpn_challenge", "tls-alpn-01": "disable_http_challenge"}[method]
    (tmp_path / "Caddyfile").write_text(f"""
{{
    admin off
    storage file_system {tmp_path}/store
    auto_https disable_redirects
    default_bind {WEB}
}}
{name} {{
    tls {{
        issuer acme {ca.directory} {{
            trusted_roots {ca.root}
            email caddy@example.com
            eab {kid} {key}
            {off}
        }}
    }}
    respond "hello"
}}
""")
    env = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    log = tmp_path / "log"
    process = subprocess.Popen(["caddy", "run", "--config", tmp_path / "Caddyfile"], env=env, stderr=open(log, "w"))
    try:
        try:
            pem = wait_for("caddy's certificate", lambda: process.poll() is None and served(name, ca.root), 40, 0.3)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{log.read_text()[-4000:]}") from None
    finally:
        process.terminate()
        process.wait(20)
    (tmp_path / "served.pem").write_text(pem)
    chain = next((tmp_path / "store" / "certificates").glob(f"*/{name}/{name}.crt"))
    judge(ca, tmp_path / "served.pem", [name], method, chain=chain)
    assert bound_accounts(ca, kid) == 1

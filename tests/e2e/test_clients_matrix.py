"""Every challenge type that each of Debian's clients has, external account bindings, wildcards, addresses and revocation,
against a CA as in production: five perspectives, and a DNS that is signed from its root and asked without a forwarder."""
import json
import os
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from clients import (binding, bound_accounts, judge, on_crl, openssl, publisher, resolving, run, run_seeing, script,
                     serial_of, trusting)
from conftest import Webroot, wait_for
from internet import HOSTER, TSIG, WEB, WEB6


@pytest.fixture
def ca(net):
    return net.authority


@pytest.fixture
def dns_program(tmp_path):
    return publisher(tmp_path / "publish", TSIG, HOSTER)


# --- certbot ---------------------------------------------------------------------------------------------------------

class Certbot:
    def __init__(self, ca, folder, name="c", program=("certbot",)):
        self.folder = folder / name
        self.env = {**os.environ, "REQUESTS_CA_BUNDLE": str(ca.root)}
        self.base = [*program, "--non-interactive", "--config-dir", self.folder, "--work-dir", self.folder / "work",
                     "--logs-dir", self.folder / "logs", "--server", ca.directory]
        self.secrets = folder / "rfc2136.ini"
        self.secrets.write_text(f"dns_rfc2136_server = {HOSTER}\ndns_rfc2136_name = {TSIG[0]}\n"
                                f"dns_rfc2136_secret = {TSIG[1]}\ndns_rfc2136_algorithm = HMAC-SHA256\n")
        self.secrets.chmod(0o600)

    def __call__(self, *args):
        return run([*self.base, *args], env=self.env)

    def get(self, *args):
        self("certonly", "--agree-tos", "-m", "admin@example.com", *args)

    def by_web(self):
        return ["--standalone", "--http-01-address", WEB]

    def by_dns(self):
        return ["--dns-rfc2136", "--dns-rfc2136-credentials", self.secrets, "--dns-rfc2136-propagation-seconds", "1"]

    def live(self, name):
        return self.folder / "live" / name / "cert.pem", self.folder / "live" / name / "chain.pem"


def test_certbot_by_web_with_a_binding(ca, tmp_path):
    kid, key = binding(ca, "--domain", "certbot.example.com")
    certbot = Certbot(ca, tmp_path)
    names = ["certbot.example.com", "www.certbot.example.com", "xn--bcher-kva.certbot.example.com"]
    certbot.get(*certbot.by_web(), "--eab-kid", kid, "--eab-hmac-key", key, "-d", ",".join(names))
    leaf, chain = certbot.live("certbot.example.com")
    judge(ca, leaf, names, "http-01", chain=chain)
    assert bound_accounts(ca, kid) == 1
    certbot("revoke", "--cert-path", leaf, "--reason", "cessationofoperation", "--no-delete-after-revoke")
    on_crl(ca, serial_of(leaf))


def test_certbot_keeps_its_account(ca, tmp_path):
    certbot = Certbot(ca, tmp_path)
    certbot("register", "--agree-tos", "-m", "first@example.com")
    assert "first@example.com" in certbot("show_account")
    certbot("update_account", "-m", "second@example.com")
    assert "second@example.com" in certbot("show_account")
    certbot("unregister")
    with pytest.raises(AssertionError, match="(?i)account"):
        certbot("show_account")


def test_certbot_by_dns_for_a_wildcard(ca, tmp_path):
    certbot = Certbot(ca, tmp_path)
    certbot.get(*certbot.by_dns(), "-d", "wild.example.com", "-d", "*.wild.example.com")
    leaf, chain = certbot.live("wild.example.com")
    judge(ca, leaf, ["wild.example.com", "*.wild.example.com"], "dns-01", chain=chain)


# --- lego ------------------------------------------------------------------------------------------------------------

class Lego:
    manners = {
        "http-01": ["--http", "--http.port", f"{WEB}:80"],
        "tls-alpn-01": ["--tls", "--tls.port", f"{WEB}:443"],
        "dns-01": ["--dns", "rfc2136", "--dns.resolvers", "127.0.0.1:53"],
    }

    def __init__(self, ca, folder, program="lego"):
        self.folder = folder
        self.env = {**os.environ, "LEGO_CA_CERTIFICATES": str(ca.root), "RFC2136_NAMESERVER": HOSTER,
                    "RFC2136_TSIG_KEY": TSIG[0], "RFC2136_TSIG_SECRET": TSIG[1], "RFC2136_TSIG_ALGORITHM": "hmac-sha256.",
                    "RFC2136_TTL": "1", "RFC2136_POLLING_INTERVAL": "1", "RFC2136_SEQUENCE_INTERVAL": "1"}
        self.base = [program, "--server", ca.directory, "--email", "lego@example.com", "--accept-tos", "--path", folder]

    def __call__(self, *args):
        return run_seeing(resolving(self.folder), [*self.base, *args], env=self.env)

    def leaf(self, name):
        return self.folder / "certificates" / f"{name}.crt"


@pytest.mark.parametrize("method", sorted(Lego.manners))
def test_lego(ca, tmp_path, method):
    lego = Lego(ca, tmp_path)
    name = f"lego-{method}.example.com"
    lego("--domains", name, *lego.manners[method], "run")
    judge(ca, lego.leaf(name), [name], method)
    lego("--domains", name, "revoke", "--keep", "--reason", "4")
    on_crl(ca, serial_of(lego.leaf(name)))


def test_lego_wildcard_with_a_binding(ca, tmp_path):
    kid, key = binding(ca, "--accounts", "1")
    lego = Lego(ca, tmp_path)
    lego("--eab", "--kid", kid, "--hmac", key, "--domains", "*.lego.example.com", "--domains", "lego.example.com",
         *lego.manners["dns-01"], "run")
    judge(ca, lego.leaf("_.lego.example.com"), ["*.lego.example.com", "lego.example.com"], "dns-01")
    assert bound_accounts(ca, kid) == 1


# --- uacme and ualpn -------------------------------------------------------------------------------------------------

@pytest.fixture
def uacme(ca, tmp_path):
    system = trusting(ca, tmp_path)

    def call(*args, hook="/bin/true"):
        return run_seeing(system, ["uacme", "-y", "-a", ca.directory, "-c", tmp_path / "u", "-h", hook, *args])
    call.leaf = lambda name: tmp_path / "u" / name / "cert.pem"
    return call


def uacme_hook(path, method, begin, done):
    return script(path, f'[ "$2" = {method} ] || exit 1\ncase "$1" in begin) {begin} ;; *) {done} ;; esac\n')


def test_uacme_by_web(ca, uacme, tmp_path):
    web = Webroot(tmp_path / "www", 80, WEB)
    hook = uacme_hook(tmp_path / "hook", "http-01", f'printf %s "$5" > "{web.challenges}/$4"', f'rm -f "{web.challenges}/$4"')
    try:
        uacme("new", "uacme@example.com")
        uacme("issue", "uacme.example.com", "www.uacme.example.com", hook=hook)
        judge(ca, uacme.leaf("uacme.example.com"), ["uacme.example.com", "www.uacme.example.com"], "http-01")
        serial = serial_of(uacme.leaf("uacme.example.com"))
        # Another key for the account; what was issued before is still its own.
        uacme("newkey")
        uacme("revoke", uacme.leaf("uacme.example.com"))
        on_crl(ca, serial)
        for address, server in ((WEB, web), (WEB6, Webroot(tmp_path / "www", 80, WEB6))):
            try:
                uacme("issue", address, hook=hook)
            finally:
                server.stop()
            judge(ca, uacme.leaf(address), [address], "http-01", dnssec="none")
        uacme("update", "other@example.com")
        uacme("deactivate")
        with pytest.raises(AssertionError):
            uacme("-f", "issue", "uacme.example.com", hook=hook)
    finally:
        web.stop()


def test_uacme_by_dns(ca, uacme, dns_program, tmp_path):
    hook = uacme_hook(tmp_path / "hook", "dns-01", f'{dns_program} add "_acme-challenge.$3" "$5"',
                      f'{dns_program} del "_acme-challenge.$3" "$5"')
    uacme("new")
    uacme("issue", "uacme-dns.example.com", "*.uacme-dns.example.com", hook=hook)
    judge(ca, uacme.leaf("uacme-dns.example.com"), ["*.uacme-dns.example.com", "uacme-dns.example.com"], "dns-01")


def test_ualpn_with_a_binding(ca, uacme, tmp_path):
    kid, key = binding(ca)
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen(["ualpn", "-v", "-v", "-b", f"{WEB}@443", "-c", "127.0.0.1@9", "-s", tmp_path / "socket"],
                                  stderr=log, stdout=log)
    try:
        wait_for("ualpn", (tmp_path / "socket").exists)
        hook = uacme_hook(tmp_path / "hook", "tls-alpn-01", f'[ "$(echo "auth $3 $5" | ualpn -s {tmp_path}/socket)" = OK ]',
                          f'echo "unauth $3" | ualpn -s {tmp_path}/socket')
        uacme("-e", f"{kid}:{key}", "new", "ualpn@example.com")
        uacme("issue", "ualpn.example.com", "second.ualpn.example.com", hook=hook)
        judge(ca, uacme.leaf("ualpn.example.com"), ["ualpn.example.com", "second.ualpn.example.com"], "tls-alpn-01")
        assert bound_accounts(ca, kid) == 1
        uacme("issue", WEB, hook=hook)
        judge(ca, uacme.leaf(WEB), [WEB], "tls-alpn-01", dnssec="none")
    finally:
        server.terminate()
        server.wait(10)


# --- dehydrated ------------------------------------------------------------------------------------------------------

class Dehydrated:
    def __init__(self, ca, folder, **more):
        self.folder = folder
        settings = {"CA": ca.directory, "CURL_OPTS": f"--cacert {ca.root}", "BASEDIR": folder,
                    "CONTACT_EMAIL": "dehydrated@example.com", **more}
        (folder / "config").write_text("".join(f'{k}="{v}"\n' for k, v in settings.items()))
        self("--register", "--accept-terms")

    def __call__(self, *args):
        return run(["dehydrated", "-f", self.folder / "config", *args])

    def files(self, name):
        return self.folder / "certs" / name / "cert.pem", self.folder / "certs" / name / "chain.pem"


def test_dehydrated_by_web(ca, tmp_path):
    web = Webroot(tmp_path / "www", 80, WEB)
    try:
        dehydrated = Dehydrated(ca, tmp_path, WELLKNOWN=web.challenges, KEY_ALGO="secp384r1")
        dehydrated("-c", "-d", "dehydrated.example.com")
        leaf, chain = dehydrated.files("dehydrated.example.com")
        judge(ca, leaf, ["dehydrated.example.com"], "http-01", chain=chain)
        serial = serial_of(leaf)
        dehydrated("-r", leaf)
        on_crl(ca, serial)
        (tmp_path / "config").write_text((tmp_path / "config").read_text().replace("dehydrated@", "other@"))
        dehydrated("--account")
    finally:
        web.stop()


def test_dehydrated_by_dns(ca, dns_program, tmp_path):
    hook = script(tmp_path / "hook", f"""
case "$1" in
  deploy_challenge) {dns_program} add "_acme-challenge.$2" "$4" ;;
  clean_challenge) {dns_program} del "_acme-challenge.$2" "$4" ;;
esac
""")
    dehydrated = Dehydrated(ca, tmp_path, CHALLENGETYPE="dns-01", HOOK=hook)
    dehydrated("-c", "-d", "dehydrated-dns.example.com *.dehydrated-dns.example.com")
    leaf, chain = dehydrated.files("dehydrated-dns.example.com")
    judge(ca, leaf, ["dehydrated-dns.example.com", "*.dehydrated-dns.example.com"], "dns-01", chain=chain)


class AlpnServer:
    """What dehydrated's manual asks for: answers acme-tls/1 with the certificate that lies in a folder by the name asked."""

    def __init__(self, folder, address):
        self.socket = socket.create_server((address, 443))
        context = self.context(folder / "alpn", None)

        def chosen(connection, name, _):
            connection.context = self.context(folder / "alpn", name)

        context.sni_callback = chosen

        def serve():
            while True:
                try:
                    raw, _ = self.socket.accept()
                except OSError:
                    return
                try:
                    context.wrap_socket(raw, server_side=True).close()
                except (OSError, ssl.SSLError):
                    raw.close()

        threading.Thread(target=serve, daemon=True).start()

    @staticmethod
    def context(folder, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["acme-tls/1"])
        if name is not None:
            context.load_cert_chain(folder / f"{name}.crt.pem", folder / f"{name}.key.pem")
        return context

    def stop(self):
        self.socket.close()


def test_dehydrated_by_tls_alpn(ca, tmp_path):
    server = AlpnServer(tmp_path, WEB)
    try:
        dehydrated = Dehydrated(ca, tmp_path, CHALLENGETYPE="tls-alpn-01", ALPNCERTDIR=tmp_path / "alpn")
        dehydrated("-c", "-d", "dehydrated-alpn.example.com")
        leaf, chain = dehydrated.files("dehydrated-alpn.example.com")
        judge(ca, leaf, ["dehydrated-alpn.example.com"], "tls-alpn-01", chain=chain)
    finally:
        server.stop()


@pytest.fixture
def bound_only(ca):
    """The same CA, while it takes bound accounts only."""
    path = ca.folder / "lintel.yaml"
    text = path.read_text()

    def switch(text, on):
        path.write_text(text)
        ca.process.send_signal(signal.SIGHUP)
        wait_for("the directory to say so", lambda: json.loads(
            run(["curl", "-sf", "--cacert", ca.root, ca.directory]))["meta"]["externalAccountRequired"] is on)

    switch(text.replace("\nacme:\n", "\nacme:\n  external-account-required: true\n"), True)
    yield ca
    switch(text, False)


def test_dehydrated_with_a_binding(bound_only, tmp_path):
    """It shows one only where the directory asks for it."""
    kid, key = binding(bound_only)
    Dehydrated(bound_only, tmp_path, EAB_KID=kid, EAB_HMAC_KEY=key)
    assert bound_accounts(bound_only, kid) == 1
    (tmp_path / "other").mkdir()
    with pytest.raises(AssertionError, match="(?i)external account"):
        Dehydrated(bound_only, tmp_path / "other")


# --- lacme, whose account key lives in another process ---------------------------------------------------------------

def test_lacme(ca, tmp_path):
    for part in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        part.chmod(0o755)
    name = "lacme.example.com"
    openssl("genpkey", "-algorithm", "RSA", "-out", tmp_path / "account.key")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", tmp_path / "lacme.key")
    (tmp_path / "accountd.conf").write_text(f"privkey = file:{tmp_path}/account.key\n")
    (tmp_path / "lacme.conf").write_text(f"""
[client]
user =
group =
server = {ca.directory}
[webserver]
listen = {WEB}:80
user =
group =
[accountd]
user =
group =
config = {tmp_path}/accountd.conf
""")
    (tmp_path / "certs.conf").write_text(f"""
[lacme]
certificate-key = {tmp_path}/lacme.key
certificate-chain = {tmp_path}/lacme.pem
subject = /CN={name}
subjectAltName = DNS:{name}
CAfile = {ca.root}
""")
    system = trusting(ca, tmp_path)
    base = ["lacme", "--config", tmp_path / "lacme.conf"]
    run_seeing(system, [*base, "account", "--register", "--tos-agreed", "mailto:lacme@example.com"])
    run_seeing(system, [*base, "newOrder", "--config-certs", tmp_path / "certs.conf"])
    judge(ca, tmp_path / "lacme.pem", [name], "http-01")
    serial = serial_of(tmp_path / "lacme.pem")
    run_seeing(system, [*base, "revokeCert", tmp_path / "lacme.pem"])
    on_crl(ca, serial)


# --- acme-tiny, by IPv6 alone ----------------------------------------------------------------------------------------

def test_acme_tiny_of_an_ipv6_host(ca, tmp_path):
    web = Webroot(tmp_path / "www", 80, WEB6)
    account, key, csr = tmp_path / "account.key", tmp_path / "key.pem", tmp_path / "req.csr"
    name = "tiny.six.example.com"
    openssl("genrsa", "-out", account, "2048")
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", f"/CN={name}", "-addext",
            f"subjectAltName=DNS:{name}", "-out", csr)
    try:
        (tmp_path / "tiny.pem").write_text(run(
            ["acme-tiny", "--quiet", "--account-key", account, "--csr", csr, "--acme-dir", web.challenges,
             "--directory-url", ca.directory, "--disable-check"], env={**os.environ, "SSL_CERT_FILE": str(ca.root)}))
    finally:
        web.stop()
    shown = judge(ca, tmp_path / "tiny.pem", [name], "http-01")
    assert WEB6 in str(shown)

"""Clients as their authors publish them today, where the registries of Python and Go are reached: they have what Debian's
do not have yet, as profiles, renewal information and addresses. Skipped by name where they cannot be had."""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
from clients import binding, bound_accounts, judge, on_crl, publisher, renewal_is_due, run, serial_of
from conftest import LINTEL, ROOT
from internet import HOSTER, TSIG, WEB
from test_clients_matrix import Certbot, Lego

CERTBOT = "5.8.0"
KEPT = LINTEL.resolve().parent / "clients"  # so that a second run asks no registry


def fetched(folder, *commands, **env):
    """Each in the registries' own programs; the words of the one that fails are why it is skipped."""
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in commands:
        try:
            result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=240,
                                    env={**os.environ, **env})
        except (OSError, subprocess.TimeoutExpired) as e:
            pytest.skip(f"{folder.name} cannot be had: {e}")
        if result.returncode != 0:
            pytest.skip(f"{folder.name} cannot be had: {(result.stderr.strip() or 'no word').splitlines()[-1][:200]}")
    (folder / "complete").touch()
    return folder


@pytest.fixture(scope="session")
def python():
    folder = KEPT / f"certbot-{CERTBOT}"
    return fetched(folder, [sys.executable, "-m", "venv", folder],
                   [folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", f"certbot=={CERTBOT}",
                    f"certbot-dns-rfc2136=={CERTBOT}"]) / "bin"


@pytest.fixture(scope="session")
def current_lego():
    folder = KEPT / "lego"
    return fetched(folder, ["go", "install", "github.com/go-acme/lego/v4/cmd/lego@latest"],
                   GOBIN=str(folder), GOFLAGS="-mod=mod") / "lego"


@pytest.fixture(scope="session")
def acmez():
    folder = KEPT / "acmez"
    return fetched(folder, ["go", "build", "-C", ROOT / "tests" / "e2e" / "go", "-buildvcs=false", "-o", folder / "acmez", "."],
                   GOTOOLCHAIN="local") / "acmez"


@pytest.fixture
def ca(net):
    return net.authority


@pytest.fixture
def certbot(python, ca, tmp_path):
    return Certbot(ca, tmp_path, program=(python / "certbot",))


def test_certbot_by_dns_with_a_profile_and_a_binding(ca, certbot):
    kid, key = binding(ca)
    certbot.get(*certbot.by_dns(), "--eab-kid", kid, "--eab-hmac-key", key, "--required-profile", "tls-server-short", "-d",
                "now.example.com", "-d", "*.now.example.com")
    leaf, chain = certbot.live("now.example.com")
    shown = judge(ca, leaf, ["now.example.com", "*.now.example.com"], "dns-01", chain=chain)
    assert shown["profile"] == "tls-server-short"
    assert bound_accounts(ca, kid) == 1


def test_certbot_without_a_profile_of_that_name(ca, certbot):
    with pytest.raises(AssertionError, match="nosuch"):
        certbot.get(*certbot.by_web(), "--required-profile", "nosuch", "-d", "noprofile.example.com")


def test_certbot_for_an_address(ca, certbot):
    certbot.get(*certbot.by_web(), "--ip-address", WEB, "--cert-name", "address")
    leaf, chain = certbot.live("address")
    judge(ca, leaf, [WEB], "http-01", dnssec="none", chain=chain)


def test_certbot_renews_when_renewal_information_says_so(ca, certbot):
    """Revoked, its window is in the past; the new one is left alone."""
    certbot.get(*certbot.by_web(), "-d", "ari.example.com")
    leaf, chain = certbot.live("ari.example.com")
    old = judge(ca, leaf, ["ari.example.com"], "http-01", chain=chain)["serial"]
    ca.lintel("revoke", old, "--reason", "superseded", "--yes")
    on_crl(ca, old)
    renewal_is_due(ca, leaf)
    certbot("renew", "--no-random-sleep-on-renew")
    new = judge(ca, leaf, ["ari.example.com"], "http-01", chain=chain)["serial"]
    assert new != old
    certbot("renew", "--no-random-sleep-on-renew")
    assert serial_of(leaf) == new


def test_python_acme(ca, python, tmp_path):
    kid, key = binding(ca, "--profile", "tls-server-short")
    name = "library.example.com"
    out = run([python / "python", ROOT / "tests" / "e2e" / "acme_py.py", ca.directory, name,
               publisher(tmp_path / "publish", TSIG, HOSTER), kid, key, "tls-server-short"],
              env={**os.environ, "REQUESTS_CA_BUNDLE": str(ca.root)})
    said = json.loads(out)
    assert {"dns-01", "http-01", "tls-alpn-01"} <= set(said["offered"]) and "tls-server-short" in said["profiles"]
    paths = [tmp_path / "first.pem", tmp_path / "second.pem"]
    for path, key in zip(paths, ("first", "second")):
        path.write_text(said[key])
    first, second = (judge(ca, p, [name], "dns-01")["serial"] for p in paths)
    assert first != second
    on_crl(ca, first)
    ahead = datetime.fromisoformat(said["renew"]) - datetime.now(timezone.utc)
    assert timedelta(days=1) < ahead < timedelta(days=7), ahead


@pytest.mark.parametrize("method", sorted(Lego.manners))
def test_acmez(ca, acmez, tmp_path, method):
    """The library under caddy; its account has changed its key between the two certificates."""
    kid, key = binding(ca)
    name = f"acmez-{method}.example.com"
    said = json.loads(run([acmez, ca.directory, ca.root, method, name, WEB, publisher(tmp_path / "publish", TSIG, HOSTER),
                           kid, key, "tls-server-short"]))
    paths = [tmp_path / "first.pem", tmp_path / "second.pem"]
    for path, which in zip(paths, ("first", "second")):
        path.write_text(said[which])
    first, second = (judge(ca, p, [name], method) for p in paths)
    assert first["profile"] == second["profile"] == "tls-server-short"
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        rows = book.execute("SELECT lower(hex(old_serial)), lower(hex(new_serial)) FROM replacement").fetchall()
    assert (first["serial"], second["serial"]) in rows
    on_crl(ca, first["serial"])


@pytest.mark.parametrize("method", sorted(Lego.manners))
def test_lego(ca, current_lego, tmp_path, method):
    lego = Lego(ca, tmp_path, current_lego)
    name = f"now-{method}.example.com"
    lego("--domains", name, *lego.manners[method], "run", "--profile", "tls-server-short")
    shown = judge(ca, lego.leaf(name), [name], method)
    assert shown["profile"] == "tls-server-short"

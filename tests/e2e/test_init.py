"""lintel init: the hierarchy as OpenSSL sees it, keys and modes, imports, an offline root, a token, and that a
failed or killed init leaves nothing that looks usable."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest
from conftest import LINTEL

ISSUING = {"tls": "TLS Web Server Authentication", "smime": "E-mail Protection",
           "workload": "TLS Web Server Authentication, TLS Web Client Authentication",
           "document": "1.3.6.1.5.5.7.3.36"}


def lintel(*args, check=True, **kw):
    r = subprocess.run([LINTEL, *map(str, args)], capture_output=True, text=True, timeout=60, **kw)
    if check:
        assert r.returncode == 0, r.stderr
    return r


def openssl(*args, check=True):
    r = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, timeout=60)
    if check:
        assert r.returncode == 0, r.stderr
    return r.stdout + r.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("init") / "ca"
    out = lintel("init", folder, "--name", "Example Trust", "--country", "AT").stdout
    return folder, out


def text(path):
    return openssl("x509", "-in", path, "-noout", "-text")


def test_what_it_chose_is_printed(made):
    folder, out = made
    for word in ("root", "P-384", "P-256", "CN=Example Trust TLS CA,O=Example Trust,C=AT", "14000", "lintel serve"):
        assert word in out


def test_root(made):
    folder, _ = made
    root = text(folder / "ca/root.pem")
    assert "CA:TRUE" in root and "pathlen" not in root
    assert re.search(r"Key Usage: critical\s+Certificate Sign, CRL Sign", root)
    assert "Extended Key Usage" not in root and "Certificate Policies" not in root
    assert "secp384r1" in root


@pytest.mark.parametrize("name", ISSUING)
def test_issuing_cas(made, name):
    folder, _ = made
    ca = text(folder / f"ca/{name}.pem")
    assert re.search(r"Basic Constraints: critical\s+CA:TRUE, pathlen:0", ca)
    assert re.search(r"Key Usage: critical\s+Certificate Sign, CRL Sign", ca)
    assert re.search(rf"Extended Key Usage:\s+{re.escape(ISSUING[name])}", ca)
    assert "URI:http://localhost:14080/crl/root.crl" in ca and "URI:http://localhost:14080/ca/root.crt" in ca
    openssl("verify", "-x509_strict", "-crl_check", "-CAfile", folder / "ca/root.pem", "-CRLfile",
            folder / "public/crl/root.crl", folder / f"ca/{name}.pem")
    assert ("2.23.140.1.2.1" in ca) == (name == "tls")
    assert ("2.23.140.1.5.1.3" in ca) == (name == "smime")


def test_purposes(made):
    folder, _ = made
    want = {"tls": "SSL server CA : Yes", "smime": "S/MIME signing CA : Yes", "document": "SSL server CA : No"}
    for name, line in want.items():
        purposes = openssl("x509", "-in", folder / f"ca/{name}.pem", "-noout", "-purpose")
        assert line in purposes
    assert "S/MIME signing CA : No" in openssl("x509", "-in", folder / "ca/tls.pem", "-noout", "-purpose")


def test_pathlen_holds(made, tmp_path):
    """A CA below an issuing CA, signed with its own key, is no CA for OpenSSL."""
    folder, _ = made
    for step in ([("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "k.pem"),
                  ("req", "-new", "-key", "k.pem", "-subj", "/CN=Evil", "-out", "r.pem")]):
        subprocess.run(["openssl", *step], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n")
    sign = ["x509", "-req", "-in", tmp_path / "r.pem", "-CA", folder / "ca/tls.pem", "-CAkey", folder / "keys/tls.key",
            "-passin", f"file:{folder}/secrets/passphrase", "-extfile", tmp_path / "ext", "-days", "9",
            "-out", tmp_path / "sub.pem"]
    openssl(*sign)
    leaf = ["req", "-new", "-x509", "-key", tmp_path / "k.pem", "-CA", tmp_path / "sub.pem", "-CAkey",
            tmp_path / "k.pem", "-subj", "/CN=leaf", "-days", "5", "-out", tmp_path / "leaf.pem"]
    openssl(*leaf)
    out = openssl("verify", "-CAfile", folder / "ca/root.pem", "-untrusted", folder / "ca/tls.pem", "-untrusted",
                  tmp_path / "sub.pem", tmp_path / "leaf.pem", check=False)
    assert "path length constraint exceeded" in out


def test_first_crl(made):
    folder, _ = made
    crl = openssl("crl", "-inform", "DER", "-in", folder / "public/crl/root.crl", "-CAfile", folder / "ca/root.pem",
                  "-noout", "-text")
    assert "verify OK" in crl and "No Revoked Certificates" in crl and "X509v3 CRL Number" in crl


def test_keys_are_encrypted_and_private(made):
    folder, _ = made
    for key in ["root", *ISSUING, "audit"]:
        path = folder / f"keys/{key}.key"
        assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        openssl("pkey", "-in", path, "-passin", f"file:{folder}/secrets/passphrase", "-noout", "-check")
    for path, mode in {"secrets": 0o700, "secrets/passphrase": 0o600, "keys": 0o700, "operators/admin.key": 0o600,
                       "profiles": 0o755, "lintel.yaml": 0o644, "book": 0o750}.items():
        assert stat.S_IMODE((folder / path).stat().st_mode) == mode, path


def test_the_book_begins_with_what_was_made(made):
    import sqlite3
    folder, _ = made
    book = sqlite3.connect(f"file:{folder}/book/lintel.db?mode=ro", uri=True)
    kinds = [k for (k,) in book.execute("SELECT kind FROM event ORDER BY sequence")]
    assert kinds[0] == "ca.created" and kinds.count("issuer.created") == 5 and kinds.count("operator.added") == 1
    assert kinds.count("profile.added") == 9 and kinds[-1] == "crl.stored"
    assert book.execute("SELECT count(*) FROM issuer WHERE parent = 1").fetchone() == (4,)


def test_config_check_agrees(made):
    folder, _ = made
    said = json.loads(lintel("config", "check", "--dir", folder, "--json").stdout)
    assert said["ok"] is True and said["warnings"] == []
    profile = folder / "profiles" / "tls-server.yaml"
    right = profile.read_text()
    profile.chmod(0o644)
    profile.write_text(re.sub("lint-profile: .*", "lint-profile: tls-ov", right))
    try:
        said = json.loads(lintel("config", "check", "--dir", folder, "--json").stdout)
        assert len(said["warnings"]) == 1 and said["warnings"][0].startswith("profiles/tls-server.yaml: ")
        assert "warning: profiles/tls-server.yaml: " in lintel("config", "check", "--dir", folder).stdout
    finally:
        profile.write_text(right)
    broken = folder / "lintel.yaml"
    kept = broken.read_text()
    broken.write_text(kept.replace("gateways: 2", "gateways: two"))
    try:
        r = lintel("config", "check", "--dir", folder, check=False)
        assert r.returncode == 2 and re.search(r"lintel\.yaml:\d+:\d+: gateways", r.stderr), r.stderr
    finally:
        broken.write_text(kept)


@pytest.mark.parametrize("key, line, word", [
    ("resolver: ", '  resolver: "foo"', "validation.resolver"),
    ("caa-identities: ", '  caa-identities: ["not a domain!"]', "acme.caa-identities"),
    ("https: ", '  https: "999.1.1.1:14000"', "listen.https"),
    ("dnssec: ", "  dnssec: root\n  trust-anchor: missing.ds", "missing.ds"),
    ("dnssec: ", "  dnssec: root\n  trust-anchor: garbage.ds", "garbage.ds:2"),
])
def test_config_check_refuses_what_cannot_work(made, key, line, word):
    folder, _ = made
    path = folder / "lintel.yaml"
    kept = path.read_text()
    (folder / "garbage.ds").write_text("; the key of nobody\nthis is none\n")
    changed, n = re.subn(rf"(?m)^  {key}.*$", line, kept)
    assert n == 1
    path.write_text(changed)
    try:
        r = lintel("config", "check", "--dir", folder, check=False)
        assert r.returncode == 2 and word in r.stderr, (r.returncode, r.stderr)
    finally:
        path.write_text(kept)
        (folder / "garbage.ds").unlink()


def test_config_check_refuses_two_rows_of_one_name(made):
    folder, _ = made
    rows = folder / "policy" / "names.yaml"
    rows.parent.mkdir(exist_ok=True)
    rows.write_text("rows:\n  - {id: a, action: deny, name: a.example.com, reason: x}\n"
                    "  - {id: a, action: deny, name: b.example.com, reason: y}\n")
    try:
        r = lintel("config", "check", "--dir", folder, check=False)
        assert r.returncode == 2 and 'has the id "a" already' in r.stderr, r.stderr
    finally:
        rows.unlink()


@pytest.mark.parametrize("arguments, word", [
    (["--listen", "999.1.1.1"], "999.1.1.1"),
    (["--resolver", "foo"], "foo"),
    (["--caa-identity", "not a domain!"], "not a domain!"),
    (["--public", "--caa-identity", "ca.example.com", "--allow-private"], "allow-private"),
    (["--public", "--caa-identity", "ca.example.com", "--validation-port", "8080"], "8080"),
    (["--public", "--caa-identity", "ca.example.com", "--tls-port", "8443"], "8443"),
])
def test_init_refuses_what_cannot_work(tmp_path, arguments, word):
    folder = tmp_path / "ca"
    r = lintel("init", folder, *arguments, check=False)
    assert r.returncode == 2 and word in r.stderr, (r.returncode, r.stderr)
    assert not (folder / "lintel.yaml").exists()


def test_init_says_what_a_private_network_gives_up(tmp_path):
    said = lintel("init", tmp_path / "ca", "--allow-private", "--resolver", "127.0.0.1@53").stdout
    assert "private addresses may be validated, and DNSSEC is not asked for" in said
    assert "without DNSSEC" in lintel("init", "--help").stdout


def test_doctor_finds_an_open_key(made):
    folder, _ = made
    assert lintel("doctor", "--dir", folder, check=False).returncode == 0
    key = folder / "keys/tls.key"
    key.chmod(0o644)
    try:
        r = lintel("doctor", "--dir", folder, "--json", check=False)
        bad = [f["text"] for f in json.loads(r.stdout)["findings"] if f["level"] == "bad"]
        assert r.returncode == 6 and len(bad) == 1 and "keys/tls.key may be read by others" in bad[0]
    finally:
        key.chmod(0o600)


def test_doctor_finds_a_missing_passphrase(made, tmp_path):
    folder, _ = made
    away = tmp_path / "passphrase"
    shutil.move(folder / "secrets/passphrase", away)
    try:
        r = lintel("doctor", "--dir", folder, check=False)
        assert r.returncode == 6 and "secrets/passphrase" in r.stdout
        (tmp_path / "lintel-passphrase").write_bytes(away.read_bytes())
        lintel("doctor", "--dir", folder, env={**os.environ, "CREDENTIALS_DIRECTORY": str(tmp_path)})
        script = tmp_path / "script"
        plan = ["ceremony", "plan", script, "--dir", folder, "--ca", "extra", "--common-name", "Extra"]
        assert lintel(*plan, check=False).returncode == 2
        lintel(*plan, env={**os.environ, "CREDENTIALS_DIRECTORY": str(tmp_path)})
        openssl("pkey", "-in", folder / "keys/extra.key", "-passin", f"file:{away}", "-noout")
    finally:
        shutil.move(away, folder / "secrets/passphrase")


@pytest.mark.parametrize("wrong", [
    ["--key-type", "dsa"], ["--key-type", "rsa:1024"], ["--root-key-type", "p256"], ["--https-port", "70000"],
    ["--https-port", "1", "--http-port", "1"], ["--country", "Austria"], ["--name", "x" * 80],
    ["--root-offline", "/nonexistent"], ["--import", "tls"], ["--import", "nobody:a:b"],
    ["--import", "tls:/nonexistent:/nonexistent"], ["--pkcs11-uri", "pkcs11:token=x"], ["--token-module", "/nonexistent"],
    ["--passphrase-file", "/nonexistent"], ["--unknown"], ["--host"], ["--resolver", "x", "--resolver", "y"],
])
def test_a_refused_init_leaves_nothing(tmp_path, wrong):
    r = lintel("init", tmp_path / "ca", *wrong, check=False)
    assert r.returncode != 0 and r.stderr.startswith("lintel init: ") and r.stderr.count("\n") == 1
    assert not (tmp_path / "ca").exists()


def test_a_folder_in_use_is_refused(made, tmp_path):
    folder, _ = made
    before = sorted(p for p in folder.rglob("*"))
    assert "already" in lintel("init", folder, check=False).stderr
    assert sorted(p for p in folder.rglob("*")) == before
    (tmp_path / "mine").write_text("x")
    assert "not empty" in lintel("init", tmp_path, check=False).stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_a_killed_init_looks_unusable_and_is_cleared_away(tmp_path):
    folder = tmp_path / "ca"
    for delay in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4):
        p = subprocess.Popen([LINTEL, "init", folder], stdout=subprocess.DEVNULL)
        time.sleep(delay)
        p.send_signal(signal.SIGKILL)
        p.wait()
        if (folder / "lintel.yaml").exists():
            lintel("config", "check", "--dir", folder)
            shutil.rmtree(folder)
            continue
        assert lintel("config", "check", "--dir", folder, check=False).returncode != 0
        leftovers = [p.name for p in folder.iterdir()] if folder.exists() else []
        assert all(name.startswith(".init-") for name in leftovers) or delay > 0.1, leftovers
        if any(not name.startswith(".init-") for name in leftovers):
            shutil.rmtree(folder)  # killed while moving up: init says so, and nothing takes it for a CA
    lintel("init", folder)
    assert not list(folder.glob(".init-*"))


def test_import_root_and_issuing(made, tmp_path):
    folder, _ = made
    passphrase = ["--import-passphrase-file", folder / "secrets/passphrase"]
    lintel("init", tmp_path / "a", "--import", f"root:{folder}/keys/root.key:{folder}/ca/root.pem", *passphrase)
    assert (tmp_path / "a/ca/root.pem").read_bytes() == (folder / "ca/root.pem").read_bytes()
    openssl("verify", "-CAfile", folder / "ca/root.pem", tmp_path / "a/ca/tls.pem")
    both = tmp_path / "above.pem"
    both.write_text((folder / "ca/tls.pem").read_text() + (folder / "ca/root.pem").read_text())
    lintel("init", tmp_path / "b", "--import", f"tls:{folder}/keys/tls.key:{both}", *passphrase)
    assert (tmp_path / "b/ca/tls.pem").read_bytes() == (folder / "ca/tls.pem").read_bytes()
    assert (tmp_path / "b/ca/tls.chain.pem").read_text().count("BEGIN CERTIFICATE") == 2
    openssl("verify", "-CAfile", tmp_path / "b/ca/root.pem", tmp_path / "b/ca/smime.pem")


@pytest.mark.parametrize("what,why", [("tls:keys/smime.key:ca/smime.pem", "extKeyUsage"),
                                      ("tls:keys/smime.key:ca/tls.pem", "not for this key"),
                                      ("root:keys/tls.key:ca/tls.pem", "path length")])
def test_import_refuses(made, tmp_path, what, why):
    folder, _ = made
    name, key, cert = what.split(":")
    r = lintel("init", tmp_path / "ca", "--import", f"{name}:{folder}/{key}:{folder}/{cert}",
               "--import-passphrase-file", folder / "secrets/passphrase", check=False)
    assert r.returncode != 0 and why in r.stderr
    assert not (tmp_path / "ca").exists()


def test_import_below_a_foreign_chain(tmp_path):
    """root, intermediate, issuing CA made by OpenSSL; clients get the whole chain."""
    def run(*args):
        subprocess.run(["openssl", *map(str, args)], cwd=tmp_path, check=True, capture_output=True)
    for name in ("r", "m", "t"):
        run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
    common = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
    (tmp_path / "ca.ext").write_text(common)
    (tmp_path / "tls.ext").write_text(common.replace("CA:TRUE", "CA:TRUE,pathlen:0") + "extendedKeyUsage=serverAuth\n")
    run("req", "-x509", "-new", "-key", "r.key", "-subj", "/CN=Foreign Root", "-days", "900", "-out", "r.pem",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for name, issuer, ext, subject in (("m", "r", "ca", "Foreign Middle"), ("t", "m", "tls", "Foreign TLS")):
        run("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={subject}", "-out", f"{name}.csr")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-extfile",
            f"{ext}.ext", "-days", "800", "-out", f"{name}.pem")
    pem = {n: (tmp_path / f"{n}.pem").read_text() for n in "rmt"}

    def attempt(folder, *order):
        (tmp_path / "chain.pem").write_text("".join(pem[n] for n in order))
        return lintel("init", tmp_path / folder, "--import", f"tls:{tmp_path}/t.key:{tmp_path}/chain.pem", check=False)
    assert "up to the root" in attempt("a", "t", "m").stderr
    assert "did not sign" in attempt("b", "t", "r").stderr
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()
    assert attempt("c", "t", "m", "r").returncode == 0
    import sqlite3
    book = sqlite3.connect(f"file:{tmp_path}/c/book/lintel.db?mode=ro", uri=True)
    chain = book.execute("""WITH RECURSIVE up(id, parent, name) AS (SELECT id, parent, name FROM issuer WHERE name = 'tls'
        UNION ALL SELECT i.id, i.parent, i.name FROM issuer i JOIN up ON i.id = up.parent) SELECT name FROM up""")
    assert [n for (n,) in chain] == ["tls", "tls-above-1", "tls-above-2"]


def test_offline_root(tmp_path):
    safe = tmp_path / "safe"
    safe.mkdir()
    lintel("init", tmp_path / "ca", "--root-offline", safe)
    assert sorted(p.name for p in safe.iterdir()) == ["root.key", "root.passphrase"]
    assert not (tmp_path / "ca/keys/root.key").exists()
    assert "offline: true" in (tmp_path / "ca/lintel.yaml").read_text()
    openssl("pkey", "-in", safe / "root.key", "-passin", f"file:{safe}/root.passphrase", "-noout", "-check")
    r = lintel("init", tmp_path / "again", "--root-offline", safe, check=False)
    assert "already" in r.stderr and not (tmp_path / "again").exists()


@pytest.mark.parametrize(("arguments", "parts"), [
    ([], 0), (["--crl-shards", "16"], 16), (["--crl-shards", "1024"], 1024),
    (["--public", "--caa-identity", "ca.example.com"], 128),
    (["--public", "--caa-identity", "ca.example.com", "--crl-shards", "0"], 0),
])
def test_parts_of_the_crl(tmp_path, arguments, parts):
    lintel("init", tmp_path / "ca", *arguments)
    text = (tmp_path / "ca" / "lintel.yaml").read_text()
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("crl-shards")]
    assert lines == ([f"crl-shards: {parts}"] if parts else [])
    assert ("fetch-back: true" in text) == ("--public" in arguments)
    lintel("config", "check", "--dir", tmp_path / "ca", check=False)


@pytest.mark.parametrize("wrong", ["-1", "1025", "many", ""])
def test_parts_that_cannot_be(tmp_path, wrong):
    assert lintel("init", tmp_path / "ca", "--crl-shards", wrong, check=False).returncode == 2
    assert not (tmp_path / "ca" / "lintel.yaml").exists()


def test_name_constraints_where_asked(tmp_path):
    lintel("init", tmp_path / "ca", "--permit-dns", "example.com", "--permit-dns", "example.org")
    tls = text(tmp_path / "ca/ca/tls.pem")
    assert re.search(r"Name Constraints: critical\s+Permitted:\s+DNS:example.com\s+DNS:example.org", tls)
    assert "Name Constraints" not in text(tmp_path / "ca/ca/smime.pem")


def test_keys_in_a_token(tmp_path):
    modules = [p for p in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
               if os.path.exists(p)]
    assert modules and shutil.which("softhsm2-util"), "softhsm2 is not installed"
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n")
    env = {**os.environ, "SOFTHSM2_CONF": str(conf)}
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "lintel", "--pin", "1234", "--so-pin", "5678"],
                   env=env, check=True, capture_output=True)
    (tmp_path / "pin").write_text("1234\n")
    where = ["--token-module", modules[0], "--pin-file", tmp_path / "pin", "--pkcs11-uri", "pkcs11:token=lintel"]
    lintel("init", tmp_path / "ca", *where, env=env)
    assert [p.name for p in (tmp_path / "ca/keys").iterdir()] == ["audit.key"]
    for name in ISSUING:
        openssl("verify", "-x509_strict", "-CAfile", tmp_path / "ca/ca/root.pem", tmp_path / f"ca/ca/{name}.pem")
    # The same keys, found again and not made anew.
    again = ["--token-module", modules[0], "--pin-file", tmp_path / "pin", "--import",
             f"root:pkcs11:token=lintel;object=lintel-root:{tmp_path}/ca/ca/root.pem"]
    lintel("init", tmp_path / "two", *again, env=env)
    assert "object=lintel-root" in (tmp_path / "two/lintel.yaml").read_text()
    (tmp_path / "pin").write_text("9999\n")
    r = lintel("init", tmp_path / "three", *where, env=env, check=False)
    assert r.returncode != 0 and not (tmp_path / "three").exists()

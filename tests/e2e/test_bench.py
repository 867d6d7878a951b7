"""lintel bench acme: against our own family with its own name server, against Pebble, and against what is no server."""
import json
import os
import shutil
import socket
import subprocess

import pytest
from conftest import LINTEL, ROOT, Ca, free_port, wait_for

STEPS = ["new-order", "authorization", "challenge", "validation", "finalize", "certificate", "request",
         "total"]


def bench(*args, timeout=90):
    return subprocess.run([str(LINTEL), "bench", "acme", *map(str, args)], capture_output=True, text=True, timeout=timeout)


@pytest.fixture(scope="module")
def own_ca(tmp_path_factory):
    """Its resolver is the load generator."""
    folder = tmp_path_factory.mktemp("bench")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    dns_port = free_port(socket.SOCK_DGRAM)
    authority = Ca(folder, dns_port, free_port()).start()
    authority.dns_port = dns_port
    yield authority
    authority.stop()


def against(ca, *args):
    return bench("--url", ca.directory, "--ca", ca.root, "--http-port", ca.http01_port, "--dns-port", ca.dns_port, *args)


def certificates_of(ca):
    return len(ca.json("cert", "list", "--issuer", "tls", "--limit", "1000")["certificates"])


@pytest.mark.parametrize("loop", [["--clients", 3], ["--clients", 10, "--rate", 20]], ids=["closed", "open"])
def test_flows(own_ca, loop):
    before = certificates_of(own_ca)
    done = against(own_ca, "--seconds", 2, *loop, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["errors"] == 0, said
    assert said["certificates"] >= 10
    assert list(said["steps"]) == STEPS
    for step in said["steps"].values():
        assert step["count"] >= said["certificates"]
        assert 0 < step["p50_ms"] <= step["p90_ms"] <= step["p99_ms"] <= step["max_ms"]
    if "--rate" in loop:
        assert 36 <= said["steps"]["new-order"]["count"] <= 41  # begun when they are due, however long the rest takes
    after = certificates_of(own_ca)
    if after < 1000:  # one page: what it counted is what the book has, and at most what was under way at the end
        assert said["certificates"] <= after - before <= said["certificates"] + 10


@pytest.mark.parametrize("script", [
    ["ari.py", "--certificates", 3000, "--incidents", 2, "--seconds", 1],
    ["validation.py", "--only", "pending", "--pending", 40, "--accounts", 4, "--seconds", 1],
], ids=["ari", "validation"])
def test_the_measures_of_documents_run(script):
    """docs/performance.md says what they give at full size; here only that they go on working."""
    done = subprocess.run([str(a) for a in [ROOT / "tests" / "bench" / script[0], *script[1:], "--json"]],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    if script[0] == "ari.py":
        assert said[0]["incidents"] == 2 and said[0]["HTTP/1.1 polls/s"] > 100
    else:
        assert said["pending"]["connections that they held"] == 40 and said["pending"]["errors"] == 0


def test_several_names(own_ca):
    done = against(own_ca, "--seconds", 1, "--clients", 1, "--names", 5)
    assert done.returncode == 0, done.stderr
    assert "errors         0" in done.stdout and "p99" in done.stdout


def test_what_goes_wrong_is_said(own_ca):
    done = against(own_ca, "--seconds", 2, "--clients", 1, "--suffix", "example.invalid", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 5 and said["certificates"] == 0 and said["errors"] > 0
    assert said["error_kinds"] and said["first_error"]


@pytest.mark.parametrize("args,status", [
    ([], 2), (["--url", "ftp://localhost/"], 2), (["--url", "https://localhost:1/dir"], None),
    (["--url", "https://localhost:1/dir", "--clients", "0"], 2), (["--url", "https://localhost:1/dir", "--ca", "/dev/null"], 2),
])
def test_no_server(args, status):
    done = bench(*args)
    assert done.returncode == status if status is not None else done.returncode in (1, 5)
    assert done.stdout == "" and done.stderr.count("\n") == 1


def test_a_stranger_is_not_trusted(own_ca):
    done = bench("--url", own_ca.directory, "--http-port", own_ca.http01_port)
    assert done.returncode == 4
    assert "certificate" in done.stderr


@pytest.mark.skipif(shutil.which("pebble") is None, reason="pebble is not installed")
def test_pebble(tmp_path):
    port, management, http_port, dns_port = free_port(), free_port(), free_port(), free_port(socket.SOCK_DGRAM)
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    config = tmp_path / "pebble.json"
    config.write_text(json.dumps({"pebble": {
        "listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{management}", "certificate": str(cert),
        "privateKey": str(key), "httpPort": http_port, "tlsPort": free_port(), "ocspResponderURL": "",
        "externalAccountBindingRequired": False}}))
    # A third of the nonces is refused, as Pebble does to keep clients honest.
    env = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "30"}
    process = subprocess.Popen(["pebble", "-config", config, "-dnsserver", f"127.0.0.1:{dns_port}"], env=env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with socket.socket() as probe:
            wait_for("pebble", lambda: probe.connect_ex(("127.0.0.1", port)) == 0)
        done = bench("--url", f"https://localhost:{port}/dir", "--ca", cert, "--http-port", http_port, "--dns-port", dns_port,
                     "--clients", 2, "--seconds", 2, "--json")
        said = json.loads(done.stdout)
        assert done.returncode == 0 and said["certificates"] > 5, said
        assert said["errors"] == 0 and said["bad_nonces"] > 0, said
    finally:
        process.kill()
        process.wait()

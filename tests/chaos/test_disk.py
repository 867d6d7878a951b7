"""A full disk and a locked book: clear errors while it lasts, recovery without a hand after it."""
import os
import sqlite3
import subprocess
import time

import pytest
from acmeclient import Client, Load
from conftest import Ca, Webroot, free_port, wait_for
from test_kills import check_the_book, nothing_is_stuck


@pytest.fixture
def small_disk(tmp_path):
    if os.getuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    mount = tmp_path / "disk"
    mount.mkdir()
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0755", "lintel-test", str(mount)], check=True)
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def issues_again(load, seconds=60):
    before = len(load.certificates)
    wait_for("a certificate", lambda: len(load.certificates) > before, seconds)


def refusal(ca):
    """What a newcomer is told: 503 with a problem document that says to come back, or nothing yet."""
    client = Client(ca.directory, ca.root)
    url = client.directory["newAccount"]
    answer = client.send(url, client.sign(url, {"termsOfServiceAgreed": True}))
    if answer.status != 503:
        return False
    assert answer.headers["Content-Type"] == "application/problem+json" and answer.headers["Retry-After"]
    return answer.json()["detail"]


def test_full_disk(small_disk, dns, tmp_path):
    ca = Ca(small_disk, dns.port, free_port())
    ca.log = tmp_path / "serve.log"
    webroot = Webroot(tmp_path / "webroot", ca.http01_port)
    ca.start()
    load = Load(ca.directory, ca.root, webroot.challenges, threads=2).start()
    filler = small_disk / "filler"
    try:
        for _ in range(3):
            issues_again(load)
            with open(filler, "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"\0" * 65536)
                except OSError:
                    pass
            wait_for("a clear refusal", lambda: refusal(ca), 30)
            filler.unlink()
            issues_again(load)
    finally:
        filler.unlink(missing_ok=True)
        load.stop()
        webroot.stop()
    wait_for("open work to end", lambda: nothing_is_stuck(ca), 60)
    check_the_book(ca, load)
    ca.stop()
    ca.lintel("audit", "verify", timeout=300)


def test_locked_book(fresh_ca, tmp_path):
    ca = fresh_ca
    webroot = Webroot(tmp_path / "webroot", ca.http01_port)
    ca.start()
    load = Load(ca.directory, ca.root, webroot.challenges, threads=2).start()
    try:
        for _ in range(3):
            issues_again(load)
            intruder = sqlite3.connect(ca.folder / "book" / "lintel.db", isolation_level=None, timeout=30)
            intruder.execute("BEGIN IMMEDIATE")
            time.sleep(3)
            patient = Client(ca.directory, ca.root)
            assert patient.directory
            intruder.execute("ROLLBACK")
            intruder.close()
            issues_again(load)
    finally:
        load.stop()
        webroot.stop()
    wait_for("open work to end", lambda: nothing_is_stuck(ca), 60)
    check_the_book(ca, load)
    ca.stop()

"""Three faults of the signer in a minute: nothing more is signed until somebody has looked and says so."""
import json
import os
import signal

from acmeclient import Client
from conftest import Webroot, wait_for


def family(ca):
    return json.loads((ca.folder / "run" / "status.json").read_text())


def test_three_faults_hold_issuance(fresh_ca, tmp_path):
    ca = fresh_ca
    webroot = Webroot(tmp_path / "webroot", ca.http01_port)
    ca.start()
    try:
        client = Client(ca.directory, ca.root, webroot.challenges)
        client.register()
        client.issue("before.example.com")
        for _ in range(3):
            assert not family(ca)["held"]
            old = ca.pids()["signer-0"]
            os.kill(old, signal.SIGSEGV)
            wait_for("a new signer", lambda: ca.pids().get("signer-0") not in (None, old) and family(ca)["ready"])
        wait_for("the hold", lambda: family(ca)["held"])
        assert "signer" in family(ca)["hold_reason"]

        def issued(name):
            try:
                client.close()
                client.nonce = None
                return client.issue(name)
            except Exception as e:
                assert not isinstance(e, AssertionError)
                return None

        before = ca.json("cert", "list")
        assert issued("held.example.com") is None
        assert ca.json("cert", "list") == before
        ca.process.send_signal(signal.SIGHUP)
        wait_for("the lift", lambda: not family(ca)["held"])
        wait_for("a certificate again", lambda: issued("after.example.com"), 30)
    finally:
        webroot.stop()
    ca.stop()

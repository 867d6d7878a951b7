"""Clocks and monitoring where the book is on a server: every trigger looks, and nothing fails on the way."""
import pytest
from conftest import wait_for
from postgres import Postgres, programs
from test_duties import ago, clock
from test_postgres import move_to

pytestmark = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed")


def test_they_run_there_as_well(fresh_ca):
    ca = fresh_ca
    server = Postgres()
    try:
        ca.start()
        kept = ca.json("clock", "open", "irg-1", "--subject", "own a", "--start", ago(hours=40), "--evidence", "x")["id"]
        wait_for("the warning", lambda: clock(ca, kept)["warned"] == 50)
        ca.stop()
        move_to(ca, server.url)
        ca.start()
        assert clock(ca, kept)["warned"] == 50
        late = ca.json("clock", "open", "irg-1", "--subject", "own b", "--start", ago(hours=80), "--evidence", "x")["id"]
        wait_for("the breach", lambda: clock(ca, late)["status"] == "breached")
        ca.lintel("clock", "meet", late, "--evidence", "bug 1")
        assert clock(ca, late)["status"] == "late"
        ca.lintel("control", "add", "self-audit", "--owner", "ann", "--every", "90d", "--about", "a sample")
        ca.lintel("control", "done", "self-audit", "--evidence", "report 1")
        ca.lintel("watch", "fact", "cps/tls-server", "of another edition")
        ca.lintel("watch", "run", "17")
        wait_for("the profile", lambda: ca.json("watch", "show", "17")["findings"])
        watches = wait_for("all to look", lambda: (w := ca.json("watch", "list")["watches"]) and all(x["ended"] for x in w) and w)
        assert {w["number"] for w in watches if w["findings"]} <= {16, 17}, watches
        assert "a message failed" not in ca.log.read_text(), ca.log_tail()
        ca.stop()
    finally:
        if ca.process is not None:
            ca.process.kill()
            ca.process.wait()
        server.stop()

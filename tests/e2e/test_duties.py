"""Clocks of duties, reviews that come back and monitoring, through the command line of a running family; killed once."""
import json
import os
import signal
import sqlite3
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest
from acmeclient import Client
from conftest import LINTEL, wait_for

RECORD = {  # revocation due by the rules of the day, and of 2026-11-22
    "le-caa-2020": ("2020-03-05T03:08:00Z", "2020-03-01T03:08:00Z"),
    "le-tls-alpn-2022": ("2022-01-30T16:48:00Z", "2022-01-30T16:48:00Z"),
    "digicert-cname-2024": ("2024-07-30T02:17:59Z", "2024-07-30T02:17:59Z"),
}


def alone(*args, status=0):
    """A verb that needs no CA."""
    r = subprocess.run([LINTEL, *args], capture_output=True, text=True, env={**os.environ, "LINTEL_DIR": "/nonexistent"})
    assert r.returncode == status, (args, r.stdout, r.stderr)
    return r


def ago(**span):
    return (datetime.now(timezone.utc) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("name", RECORD)
def test_the_record_is_judged_by_any_day(name):
    judged = json.loads(alone("duty", "judge", name, "--json").stdout)
    revoke = [next(c for c in v["clocks"] if c["duty"].startswith("revoke-")) for v in judged]
    assert revoke[0]["due"] == RECORD[name][0]
    now = json.loads(alone("duty", "judge", name, "--as-of", "2026-11-22", "--json").stdout)
    assert [c["due"] for c in now[0]["clocks"] if c["duty"].startswith("revoke-")] == [RECORD[name][1]]
    assert RECORD[name][0] in alone("duty", "judge", name).stdout


def test_duties_without_a_ca():
    duties = json.loads(alone("duty", "list", "--json").stdout)
    ids = {d["id"] for d in duties}
    assert {f"irg-{i}" for i in range(1, 12)} <= ids and {"cpr-findings", "microsoft-revoke", "mass-plan-test"} <= ids
    then = {d["id"] for d in json.loads(alone("duty", "list", "--as-of", "2020-02-29", "--json").stdout)}
    assert "irg-1" not in then and "revoke-tls/caa-unreliable" in then
    rows = json.loads(alone("duty", "show", "revoke-tls/caa-unreliable", "--json").stdout)
    assert [(r["aim_s"], r["limit_s"]) for r in rows] == [(86400, 5 * 86400), (86400, 5 * 86400), (0, 86400)]
    starts = {s["source"]: s["at"] for s in json.loads(alone("duty", "list", "--starts", "--json").stdout)}
    assert starts["problem-report"] == "received" and starts["design-review"] == "confirmed" and len(starts) == 8
    for line, status in ((["show", "irg-99"], 3), (["judge", "procert-2020"], 3), (["judge"], 2), (["list", "--as-of", "soon"], 2),
                         (["judge", "--source", "person", "--cause", "misuse", "--received", "2026-01-01"], 3),
                         (["judge", "--source", "rumour", "--cause", "misuse", "--found", "2026-01-01"], 2),
                         (["judge", "--source", "person", "--cause", "coffee", "--found", "2026-01-01"], 3)):
        assert alone("duty", *line, status=status).stderr.startswith("lintel"), line


@pytest.fixture(scope="module")
def desk(ca):
    ca.lintel("operator", "add", "henk", "--role", "approver")
    ca.lintel("operator", "add", "ines", "--role", "operator")
    return ca


def clock(ca, number, *more):
    return ca.json("clock", "show", number, *more)


def test_clocks_run_in_the_book(desk):
    opened = desk.json("clock", "open", "irg-3", "--subject", "own question", "--start", ago(days=6), "--evidence", "comment 4")
    number = opened["id"]
    wait_for("the warning", lambda: clock(desk, number)["warned"] == 75)
    shown = clock(desk, number)
    assert shown["status"] == "open" and shown["percent"] in (84, 85, 86) and 0 < shown["margin_s"] <= 86400
    assert not clock(desk, number, "--as-of", "2020-01-01")["as_of"]["in_force"]
    listed = desk.lintel("clock", "list", "--subject", "own question", "--as-of", "2020-01-01").stdout.splitlines()
    assert "not in force" in listed[-1] and "%" not in listed[-1]  # nothing of today's rule beside it
    assert "respond to the comment" in desk.lintel("clock", "show", number).stdout
    again = desk.json("clock", "open", "irg-3", "--subject", "own question", "--start", shown["start"], "--evidence", "again")
    assert again["id"] == number
    desk.lintel("clock", "meet", number, "--evidence", "comment 5")
    assert clock(desk, number)["status"] == "met"
    events = desk.json("event", "list", "--subject", "own question", "--all")["events"] \
        if "--subject" in desk.lintel("event", "list", "--help").stdout else None
    assert events is None or {"clock.opened", "clock.warned", "clock.met"} <= {e["kind"] for e in events}


def test_what_happens_begins_and_meets(desk):
    for what, comment in (("asked", 4), ("answered", 5)):
        desk.lintel("clock", "happened", f"incident.{what}", "--subject", "own bug", "--evidence", f"comment {comment}")
    clocks = desk.json("clock", "list", "--subject", "own bug")["clocks"]
    assert [(c["duty"], c["status"], c["proof"]) for c in clocks] == [("irg-3", "met", "comment 5")]


def test_a_breached_clock_is_first(desk):
    number = desk.json("clock", "open", "irg-2", "--subject", "own report", "--start", ago(days=20), "--evidence", "bug 1")["id"]
    wait_for("the breach", lambda: clock(desk, number)["status"] == "breached")
    assert desk.json("clock", "list")["clocks"][0]["status"] == "breached"
    assert number in [c["id"] for c in desk.json("clock", "list", "--subject", "own report")["clocks"]]
    for i in range(5):  # pages over states: what was missed, then what runs
        for duty, days in (("irg-2", 20), ("irg-7", 3), ("irg-3", 1)):
            desk.json("clock", "open", duty, "--subject", f"own page{i % 3}", "--start", ago(days=days, minutes=i), "--evidence", "x")
    wait_for("five more", lambda: len(desk.json("clock", "list", "--status", "breached")["clocks"]) >= 6)
    wait_for("late ones", lambda: len(desk.json("clock", "list", "--status", "overdue")["clocks"]) >= 5)
    for more in ([], ["--status", "all"], ["--subject", "own page1"], ["--status", "overdue"]):
        whole = [c["id"] for c in desk.json("clock", "list", "--limit", "1000", *more)["clocks"]]
        assert [c["id"] for c in desk.json("clock", "list", "--limit", "2", "--all", *more)["clocks"]] == whole and len(whole) >= 5
    states = [c["status"] for c in desk.json("clock", "list", "--limit", "1000")["clocks"]]
    assert states == sorted(states, key=["breached", "overdue", "open"].index)
    for watched in (["--limit", "1"], []):  # 16 names the same clocks
        assert desk.json("watch", "show", "16", *watched)["number"] == 16
    r = desk.lintel("clock", "move", number, "--due", "2099-01-01", "--why", "whiteboard")
    assert r.stdout.startswith("would")
    assert desk.lintel("clock", "move", number, "--due", "2099-01-01", "--why", "whiteboard", "--operator", "ines", "--yes",
                       check=False).returncode == 4
    desk.lintel("clock", "move", number, "--due", "2099-01-01", "--why", "whiteboard", "--operator", "henk", "--yes")
    assert clock(desk, number)["status"] == "open"
    desk.lintel("clock", "void", number, "--why", "not ours", "--operator", "henk", "--yes")
    assert clock(desk, number)["status"] == "void"
    fixed = desk.json("clock", "open", "cpr-findings", "--subject", "own fixed", "--start", ago(minutes=1), "--evidence", "x")["id"]
    refused = desk.lintel("clock", "move", fixed, "--due", "2099-01-01", "--why", "x", "--operator", "henk", "--yes", check=False)
    assert refused.returncode != 0 and "CABF-BR 4.9.5" in refused.stderr
    desk.lintel("clock", "void", fixed, "--why", "a test", "--operator", "henk", "--yes")


@pytest.mark.parametrize("line,status", [
    (["clock", "open", "irg-99", "--subject", "own x", "--start", "2026-01-01", "--evidence", "x"], 1),
    (["clock", "open", "irg-1", "--subject", "coffee", "--start", "2026-01-01", "--evidence", "x"], 1),
    (["clock", "open", "irg-1", "--subject", "own x", "--start", "2099-01-01", "--evidence", "x"], 1),
    (["clock", "open", "irg-1", "--subject", "own x", "--start", "2026-01-01"], 2),
    (["clock", "show", "999999"], 3), (["clock", "meet", "999999", "--evidence", "x"], 3), (["clock", "show", "x"], 2),
    (["clock", "list", "--status", "lost"], 2),
    (["clock", "happened", "coffee.made", "--subject", "own x", "--evidence", "x"], 1),
    (["control", "done", "nothing", "--evidence", "x"], 3),
    (["control", "add", "x", "--owner", "ann", "--about", "x", "--every", "often"], 2),
    (["control", "add", "Not A Name", "--owner", "ann", "--about", "x", "--every", "1d"], 1),
    (["watch", "run", "14"], 3), (["watch", "show", "no-such"], 3), (["watch", "run", "12", "--from", "2026-01-01"], 1),
    (["watch", "fact", "moon", "full"], 1), (["watch", "fact", "cps/nothing", "current"], 3),
    (["watch", "settle", "6", "certificate tls 00", "--why", "x"], 3),
])
def test_what_is_refused(desk, line, status):
    r = desk.lintel(*line, check=False)
    assert r.returncode == status and r.stderr.startswith("lintel"), (r.stdout, r.stderr)


def test_controls_come_back(desk):
    desk.lintel("control", "add", "self-audit", "--owner", "ann", "--every", "90d", "--about", "three percent", "--source", "BR 8.7")
    assert desk.lintel("control", "add", "self-audit", "--owner", "ann", "--every", "90d", "--about", "x", check=False).returncode != 0
    desk.lintel("control", "done", "self-audit", "--evidence", "report 2026-4")
    row = next(c for c in desk.json("control", "list")["controls"] if c["name"] == "self-audit")
    assert row["status"] == "live" and row["every_s"] == 90 * 86400 and row["last"]
    clocks = desk.json("clock", "list", "--subject", "control self-audit")["clocks"]
    assert [c["status"] for c in clocks] == ["met", "open"]
    desk.lintel("control", "retire", "self-audit", "--why", "another one", "--operator", "henk", "--yes")
    assert not [c for c in desk.json("clock", "list", "--subject", "control self-audit")["clocks"] if c["status"] == "open"]


def watch(ca, number):
    return ca.json("watch", "show", number, "--limit", 1000)


def looked(ca, numbers, *more):
    """Whole passes that began now."""
    before = {n: watch(ca, n)["ended"] for n in numbers}
    time.sleep(max(0, 1.01 - time.time() % 1))  # times are shown by the second
    for n in numbers:
        ca.lintel("watch", "run", n, *more)
    for n in numbers:
        wait_for(f"trigger {n}", lambda: watch(ca, n)["ended"] not in (None, before[n]))
    return [watch(ca, n) for n in numbers]


def test_nothing_is_wrong_with_what_we_issue(desk, webroot):
    """Real orders, judged by the triggers that look at evidence, CAA and the journal."""
    user = Client(desk.directory, desk.root, webroot.challenges)
    user.register()
    for i in range(3):
        user.issue(f"w{i}.example.com", f"v{i}.example.com")
    listed = desk.json("watch", "list")["watches"]
    assert [w["number"] for w in listed] == [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 19, 20, 21, 22, 23, 24]
    book = sqlite3.connect(desk.folder / "book" / "lintel.db", timeout=20)
    issued = [t for t, in book.execute("SELECT issued_us FROM certificate WHERE order_id <> 0 ORDER BY issued_us")]
    book.close()
    assert len(issued) >= 3
    start = datetime.fromtimestamp(issued[0] / 1e6, timezone.utc)
    wait_for("two seconds", lambda: time.time() * 1e6 - issued[-1] > 2e6)
    for seen in looked(desk, (5, 6, 7), "--from", (start - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")):
        assert seen["findings"] == [] and seen["looked"] >= 3, seen
    for seen in looked(desk, (4, 8, 9, 11, 12, 13, 15, 17, 20, 23, 24)):
        assert seen["findings"] == [], seen


def test_a_trigger_fires_and_ends(desk):
    desk.lintel("watch", "fact", "cps/tls-server", "current")
    assert looked(desk, [17])[0]["findings"] == []
    desk.lintel("watch", "fact", "cps/tls-server", "of another edition")
    seen = looked(desk, [17])[0]
    assert [f["subject"] for f in seen["findings"]] == ["tls-server"] and seen["incident"] > 0
    case = desk.json("incident", "show", seen["incident"])
    assert json.dumps(case).count("trigger 17") >= 1
    desk.lintel("watch", "fact", "cps/tls-server", "current")
    assert looked(desk, [17])[0]["findings"] == [] and watch(desk, 17)["incident"] == seen["incident"]
    assert [f["name"] for f in desk.json("watch", "fact")["facts"]] == ["cps/tls-server"]
    desk.lintel("watch", "fact", "cps/tls-server", "--withdraw")
    assert desk.json("watch", "fact")["facts"] == []
    r = desk.lintel("watch", "switch", "22", "off", "--why", "no plan", "--operator", "ines", "--yes", check=False)
    assert r.returncode == 4
    desk.lintel("watch", "switch", "22", "off", "--why", "no plan", "--operator", "henk", "--yes")
    assert desk.lintel("watch", "run", "22", check=False).returncode != 0


def test_a_restricted_incident_says_only_that_its_clocks_run(desk):
    opened = desk.json("incident", "open", "a flaw", "--source", "person", "--cause", "key-compromise", "--restricted")
    clocks = desk.json("clock", "list", "--subject", f"incident {opened['id']}")["clocks"]
    assert {c["duty"] for c in clocks} >= {"revoke-tls", "irg-1"} and all(c["restricted"] for c in clocks)
    assert not any(c["evidence"] or c["section"] or c["proof"] for c in clocks)
    shown = clock(desk, clocks[0]["id"], "--as-of", "2026-11-22")
    assert shown["words"] == "" and "as_of" not in shown and shown["due"]


def test_killed_and_the_clocks_go_on(fresh_ca):
    ca = fresh_ca.start()
    first = ca.json("clock", "open", "irg-1", "--subject", "own a", "--start", ago(hours=40), "--evidence", "x")["id"]
    wait_for("the warning", lambda: clock(ca, first)["warned"] == 50)
    second = ca.json("clock", "open", "irg-1", "--subject", "own b", "--start", ago(hours=80), "--evidence", "x")["id"]
    for pid in ca.pids().values():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    ca.process.wait()
    ca.start()
    wait_for("the breach", lambda: clock(ca, second)["status"] == "breached")
    assert clock(ca, first)["warned"] == 50 and clock(ca, first)["status"] == "open"
    ca.stop()
    ca.lintel("audit", "verify")
    book = sqlite3.connect(ca.folder / "book" / "lintel.db")
    told = book.execute("SELECT subject, kind, count(*) FROM event WHERE kind LIKE 'clock.%' GROUP BY 1, 2").fetchall()
    assert ("own a", "clock.warned", 1) in told and ("own b", "clock.breached", 1) in told, told

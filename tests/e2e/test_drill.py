"""Drills on the built program: the walls between drill and CA from both sides, one drill with its score, one that broke off,
the tabletop, the calendar and a rehearsal; and each shipped scenario, small."""
import fcntl
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import LINTEL, wait_for
from drills import SCENARIO, record, run

SHIPPED = [s["name"] for s in json.loads(subprocess.run([str(LINTEL), "drill", "list", "--json"], capture_output=True,
                                                        text=True, check=True).stdout)["scenarios"]]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """Loaded once; drills take copies."""
    folder = tmp_path_factory.mktemp("drill") / "book"
    run("load", folder, "--certificates", 500)
    return folder


def supervisor(folder, *args):
    """Starts it by itself, without `lintel`, and waits for its end."""
    libexec = LINTEL.parent / "libexec"
    return subprocess.run([libexec / "lintel-supervisor", folder, *args], capture_output=True, text=True, timeout=20)


def says(folder, text, seconds=20):
    """A family that should not come up is started on a drill's folder; ended as soon as its log says why."""
    process = subprocess.Popen([str(LINTEL), "drill", "serve", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = folder / "drill" / "serve.log"
    try:
        wait_for(text, lambda: log.exists() and text in log.read_text(), seconds)
    finally:
        process.kill()
        process.wait()
    wait_for("the family to go", lambda: "stopped" in log.read_text().splitlines()[-1], 20)


# ---- walls ----

def test_a_drills_folder_is_no_ca(scratch):
    served = subprocess.run([str(LINTEL), "serve", scratch], capture_output=True, text=True, timeout=20)
    assert served.returncode != 0 and "folder of a drill" in served.stderr
    assert "runs under `lintel drill` alone" in supervisor(scratch).stderr


def test_a_ca_is_no_drills_folder(fresh_ca):
    refused = run("serve", fresh_ca.folder, check=False)
    assert refused.returncode == 4 and "no folder of a drill" in refused.stderr
    copied = run("run", SHIPPED[0], "--book", fresh_ca.folder, "--folder", fresh_ca.folder.parent / "copy", check=False)
    assert copied.returncode == 4 and "no folder of `lintel drill load`" in copied.stderr
    with open(os.devnull) as null:  # no clock: not sealed, no memory
        assert supervisor(fresh_ca.folder, "--drill-clock", str(null.fileno())).returncode == 2


def test_a_drills_book_is_served_by_no_ca(scratch, fresh_ca):
    """Somebody copies it: the book says what it is."""
    for end in ("", "-wal", "-shm"):
        if os.path.exists(f"{scratch}/book/lintel.db{end}"):
            shutil.copy(f"{scratch}/book/lintel.db{end}", fresh_ca.folder / "book" / f"lintel.db{end}")
    log = fresh_ca.log
    process = subprocess.Popen([str(LINTEL), "serve", str(fresh_ca.folder)], stdout=subprocess.DEVNULL, stderr=open(log, "a"))
    try:
        wait_for("a refusal", lambda: "this is the book of a drill" in log.read_text(), 20)
    finally:
        process.kill()
        process.wait()


def test_a_cas_book_and_keys_meet_no_drills_clock(scratch, fresh_ca, tmp_path):
    for part, text in (("book/lintel.db", "this is no book of a drill"), ("keys/tls.key", "is no key of a drill")):
        folder = tmp_path / part.replace("/", "-")
        shutil.copytree(scratch, folder, symlinks=True)
        for log in folder.glob("book/lintel.db-*"):
            log.unlink()  # of the book that was there
        shutil.copy(fresh_ca.folder / part, folder / part)
        says(folder, text)


def test_a_drill_has_no_token_and_no_server(scratch, tmp_path):
    folder = tmp_path / "token"
    shutil.copytree(scratch, folder, symlinks=True)
    with open(folder / "lintel.yaml", "a") as f:
        f.write("store: postgresql://localhost/nothing\n")
    refused = run("serve", folder, check=False, timeout=60)
    assert refused.returncode != 0
    assert "a drill has no token and no store on a server" in (folder / "drill" / "serve.log").read_text()


# ---- one drill ----

def test_runs_and_is_scored(scratch, tmp_path):
    (tmp_path / "mass.yaml").write_text(SCENARIO)
    result = run("run", tmp_path / "mass.yaml", "--book", scratch, "--folder", tmp_path / "drill", "--certificates", 500)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "everything revoked" in result.stdout and "5 d" in result.stdout and "Every clock that has ended was met" in result.stdout
    r = record(tmp_path / "drill")
    assert r["passed"] and not r["missed"] and {m["id"] for m in r["measures"]} == {"halted", "revoked", "waited"}
    waited = next(m for m in r["measures"] if m["id"] == "waited")
    assert 24 * 3600e6 <= waited["took_us"] < 24.1 * 3600e6
    text = (tmp_path / "drill" / "drill" / "out" / "test-record.md").read_text()
    assert "Record of a test of the mass revocation plan" in text and "**Outcome:** every target" in text
    again = json.loads(run("score", tmp_path / "drill", "--json").stdout)
    assert again == r
    with sqlite3.connect(f"file:{tmp_path}/drill/book/lintel.db?mode=ro", uri=True) as book:
        revoked, first, last = book.execute("SELECT count(*), min(recorded_us), max(recorded_us) FROM revocation").fetchone()
        assert revoked == int(r["kept"]["revoked"]) > 50
        at = book.execute("SELECT max(time_us) FROM event").fetchone()[0]
    assert at > first + 86000 * 10**6 and last - first < 600 * 10**6  # the day passed in the book, not here


def test_a_folder_is_of_one_drill_and_one_engine(scratch, tmp_path):
    folder = tmp_path / "drill"
    shutil.copytree(scratch, folder)
    (folder / "drill" / "run.json").write_text("{}")
    refused = run("run", SHIPPED[0], "--folder", folder, check=False)
    assert refused.returncode == 1 and "has a drill already" in refused.stderr
    with open(folder / "drill" / "lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = run("serve", folder, check=False)
    assert refused.returncode == 1 and "is being run, or served, already" in refused.stderr


def test_a_missed_clock_is_said(scratch, tmp_path):
    (tmp_path / "late.yaml").write_text(SCENARIO.replace("to: later, within: 25h", "to: later, within: 23h"))
    result = run("run", tmp_path / "late.yaml", "--book", scratch, "--folder", tmp_path / "drill", "--certificates", 500)
    assert result.returncode == 6 and "MISSED" in result.stdout
    assert record(tmp_path / "drill")["missed"] == ["waited"]


def test_what_is_not_expected_stops_it(scratch, tmp_path):
    (tmp_path / "bad.yaml").write_text(SCENARIO.replace("expect: refused", "expect: \"status=done\""))
    result = run("run", tmp_path / "bad.yaml", "--book", scratch, "--folder", tmp_path / "drill", "--certificates", 500,
                 check=False)
    assert result.returncode == 1 and "step alone" in result.stderr
    assert "has not come to its end" in run("score", tmp_path / "drill", check=False).stderr


@pytest.mark.parametrize("bad,why", [("le-caa-1999", "there is no scenario"), ("/nowhere/x.yaml", "x.yaml")])
def test_scenarios_that_are_none(bad, why):
    result = run("run", bad, check=False)
    assert result.returncode in (2, 3) and why in result.stderr


# ---- by people ----

def test_tabletop(tmp_path):
    scenario = json.loads(run("list", "--json").stdout)["scenarios"][0]
    answers = "1\n" * scenario["questions"]
    result = run("tabletop", scenario["name"], "--out", tmp_path / "t.json", input=answers)
    r = json.loads((tmp_path / "t.json").read_text())
    assert r["kind"] == "tabletop" and len(r["answers"]) == scenario["questions"]
    assert len(r["missed"]) == sum(a["choice"] != a["right"] for a in r["answers"])
    assert result.returncode == (6 if r["missed"] else 0)
    assert run("tabletop", scenario["name"], input="1\n", check=False).returncode == 2  # somebody left


def test_calendar_and_record(ca, tmp_path):
    planned = ca.json("drill", "plan", "le-caa-2020", "--owner", "compliance", "--due", "2030-01-01", "--every-days", "365")
    rows = ca.json("drill", "calendar")["dates"]
    assert [r["status"] for r in rows if r["id"] == planned["id"]] == ["planned"]
    clocks = ca.json("clock", "list", "--subject", f"drill-date {planned['id']}")["clocks"]
    assert clocks and clocks[0]["due"] == "2030-01-01T00:00:00Z"
    with open(tmp_path / "r.json", "w") as f:
        json.dump({"scenario": "le-caa-2020", "kind": "simulation", "mode": "", "seed": 0, "certificates": 500, "passed": True,
                   "begun": "2026-11-22T08:00:00Z", "ended": "2026-11-22T08:01:00Z", "missed": [], "measures": []}, f)
    assert "would record" in ca.lintel("drill", "record", tmp_path / "r.json").stdout
    done = ca.json("drill", "record", tmp_path / "r.json", "--date", planned["id"], "--yes")
    assert any(r["id"] == done["id"] and r["passed"] for r in ca.json("drill", "held")["drills"])
    rows = ca.json("drill", "calendar")["dates"]
    assert [r["status"] for r in rows if r["id"] == planned["id"]] == ["held"]
    assert [r["scenario"] for r in rows if r["status"] == "planned"] == ["le-caa-2020"]  # next year's
    assert ca.lintel("drill", "record", tmp_path / "r.json", "--date", planned["id"], "--yes", check=False).returncode == 3
    assert ca.lintel("drill", "plan", "--owner", "x", "--due", "2001-01-01", check=False).returncode == 1
    assert ca.lintel("drill", "react", "m1", check=False).returncode == 4  # no drill's book


REHEARSAL = """
name: rehearsal
title: Who reacts?
what: windows are moved, and go back
steps:
  - {id: dry, run: "drill rehearse 'names = 1 and valid' --certificates 20", expect: "done=false"}
  - {id: begin, keep: "rehearsal=id added=certificates", run: "drill rehearse 'names = 1 and valid' --certificates 20 --hours 24 --yes"}
  - {id: running, run: "drill rehearsal {rehearsal}", expect: "status=running", keep: "count=count reacted=reacted"}
  - {id: none, run: "drill rehearse 'names = 999' --yes", expect: refused}
  - {id: long, run: "drill rehearse 'valid' --hours 9999 --yes", expect: refused}
  - {id: over, at: 25h, run: "drill rehearsal {rehearsal}", until: "status=over"}
  - {id: ended, run: "drill rehearsal {rehearsal} --end", expect: refused}
measures:
  - {id: over, say: over, from: begin, to: over}
"""


def test_rehearsal_moves_windows_and_puts_them_back(scratch, tmp_path):
    (tmp_path / "r.yaml").write_text(REHEARSAL)
    run("run", tmp_path / "r.yaml", "--book", scratch, "--folder", tmp_path / "drill", "--certificates", 500)
    r = record(tmp_path / "drill")
    assert r["passed"] and r["kept"]["count"] == r["kept"]["added"] == "20" and r["kept"]["reacted"] == "0"
    with sqlite3.connect(f"file:{tmp_path}/drill/book/lintel.db?mode=ro", uri=True) as book:
        assert book.execute("SELECT count(*) FROM renewal_window WHERE start_us > 0").fetchone()[0] == 0
        assert book.execute("SELECT count(*), sum(back) FROM drill_rehearsed").fetchone() == (20, 20)
        assert book.execute("SELECT count(*) FROM revocation").fetchone()[0] == 0
        kinds = [k for k, in book.execute("SELECT kind FROM event WHERE kind LIKE 'rehearsal.%' ORDER BY chain, sequence")]
    assert kinds == ["rehearsal.begun", "rehearsal.windows", "rehearsal.over"]


# ---- broken off ----

def test_resumes_after_kill(scratch, tmp_path):
    (tmp_path / "mass.yaml").write_text(SCENARIO)
    folder = tmp_path / "drill"
    args = ["run", tmp_path / "mass.yaml", "--book", scratch, "--folder", folder, "--certificates", 500]
    env = {k: v for k, v in os.environ.items() if k != "LINTEL_DIR"}
    for _ in range(3):
        engine = subprocess.Popen([str(LINTEL), "drill", *map(str, args)], stdout=subprocess.DEVNULL, env=env)
        try:
            engine.wait(random.uniform(0.6, 1.5))
            break
        except subprocess.TimeoutExpired:
            engine.send_signal(signal.SIGKILL)
            engine.wait()
        if (folder / "drill" / "run.json").exists():
            args = ["run", "--resume", folder]
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if not (folder / "drill" / "out" / "record.json").exists():
        time.sleep(0.1)
        run(*args)
    r = record(folder)
    assert r["passed"], r["missed"]
    with sqlite3.connect(f"file:{folder}/book/lintel.db?mode=ro", uri=True) as book:
        masses = book.execute("SELECT status, count, revoked FROM mass").fetchall()
        halts = book.execute("SELECT count(*) FROM halt").fetchone()[0]
    assert len(masses) == 1 and masses[0][0] == "done" and masses[0][1] == masses[0][2] == int(r["kept"]["revoked"])
    assert halts >= 1


# ---- the record ----

def test_shipped(tmp_path):
    """All of them, three at a time: most of a drill is waiting for what is due."""
    def one(name, *options):
        folder = tmp_path / "-".join([name, *map(str, options)])
        said = run("run", name, "--folder", folder, "--certificates", 2000, *options, timeout=200).stdout
        return name, record(folder), said

    with ThreadPoolExecutor(3) as pool:
        started = [pool.submit(one, name) for name in SHIPPED] + [pool.submit(one, "le-caa-2020", "--mode", "with-ari")]
        records = [s.result() for s in started]
    for name, r, said in records:
        running = [c["duty"] for c in r["clocks"] if c["force"] == "MUST" and c["status"] == "open"]
        assert ("Still running:" in said) == bool(running) and "irg-7" not in running, (name, running)
        assert r["passed"], (name, r["missed"], [m for m in r["measures"] if not m["met"]])
        assert not [c for c in r["clocks"] if c["force"] == "MUST" and c["status"] in ("breached", "late") and not c.get("reported")], name

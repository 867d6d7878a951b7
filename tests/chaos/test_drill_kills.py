"""kill -9 of the one who runs a drill, of any program of its family, or of all of it, at random moments: the drill comes to the
end that it comes to by itself. LINTEL_KILLS says how often (10 of 20; 50 in the soak)."""
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

from conftest import LINTEL
from drills import record, run

KILLS = min(50, int(os.environ.get("LINTEL_KILLS", "20")) // 2)
DRILLS = [("le-caa-2020", "as-it-was"), ("le-caa-2020", "with-ari"), ("digicert-cname-2024", None), ("hsm-loss", None),
          ("key-compromise", None)]
VICTIMS = ("registrar-0", "signer-0", "examiner-0", "publisher-0", "reader-0", "notary-0", "courier-0", "supervisor")
ENGINE = "engine"


def end_of(folder, certificates):
    """What must be the same, however often somebody died on the way. Ids and times are each drill's own."""
    with sqlite3.connect(f"file:{folder}/book/lintel.db?mode=ro", uri=True, timeout=20) as book:
        def rows(sql):
            return book.execute(sql).fetchall()
        revoked = hashlib.sha256(repr(rows("SELECT issuer, serial, reason FROM revocation ORDER BY issuer, serial")).encode())
        state = {
            "revoked": revoked.hexdigest(),
            "incidents": rows("SELECT title, status, cause, severity, scope_version, plan_version FROM incident WHERE drill = 1"),
            "scopes": rows("SELECT version, text, count, members_sha256 FROM incident_scope ORDER BY incident, version"),
            "masses": rows("SELECT source, scope, reason, status, count, revoked, held FROM mass ORDER BY id"),
            "halts": rows("SELECT h.kind, h.value FROM halt h JOIN incident_halt i ON i.halt = h.id ORDER BY 1, 2"),
            "holds": rows("SELECT serial, reason FROM revocation_hold ORDER BY serial"),
            "blocked": rows("SELECT spki_sha256, reason FROM key_block ORDER BY 1"),
            "clocks": rows("SELECT c.duty, c.status FROM clock c JOIN incident i ON i.drill = 1 AND c.subject = "
                           "'incident ' || i.id ORDER BY c.duty, c.start_us, c.id"),
            "causes": rows("SELECT title FROM report_cause ORDER BY title"),
            "lessons": rows("SELECT kind, text FROM report_lesson ORDER BY 1, 2"),
            "actions": rows("SELECT title, status FROM incident_action ORDER BY 1"),
            "batches": rows("SELECT kind, certificates FROM notice_batch ORDER BY id"),
        }
    r = record(folder)
    state["missed"] = r["missed"]
    state["measures"] = [m["id"] for m in r["measures"]]
    state["reports"] = sorted(p for p in os.listdir(os.path.join(folder, "drill", "out")))
    assert r["certificates"] == certificates
    return state


def pids(folder):
    with open(os.path.join(folder, "run", "status.json")) as f:
        status = json.load(f)
    return {**{p["name"]: p["pid"] for p in status["processes"]}, "supervisor": status["pid"]}


def strike(drawn, engine, folder):
    """One of them, whoever is there. True: it was the one who runs the drill."""
    victim = drawn.choice((*VICTIMS, ENGINE, ENGINE, ENGINE))
    try:
        pid = engine.pid if victim == ENGINE else pids(folder)[victim]
        if pid > 0:
            os.kill(pid, signal.SIGKILL)
    except (OSError, KeyError, ValueError):
        return False  # it is not there yet, or not any more
    if victim == ENGINE:
        engine.wait()
    return victim == ENGINE


def begin(args, log):
    env = {k: v for k, v in os.environ.items() if k != "LINTEL_DIR"}
    return subprocess.Popen([str(LINTEL), "drill", *map(str, args)], stdout=log, stderr=log, env=env)


def disturbed(drawn, args, folder, kills, log):
    """The drill with so many kills in it; begun again, or resumed, until it is at its end."""
    struck = 0
    engine = begin(args, log)
    while engine.poll() is None:
        time.sleep(drawn.uniform(0.05, 1.2))
        if struck < kills and engine.poll() is None:
            struck += 1
            strike(drawn, engine, folder)
        if engine.poll() is not None and not os.path.exists(os.path.join(folder, "drill", "out", "record.json")):
            if not os.path.exists(os.path.join(folder, "drill", "run.json")):
                shutil.rmtree(folder, ignore_errors=True)  # it had not begun
                engine = begin(args, log)
            else:
                engine = begin(["run", "--resume", folder], log)
    return struck


def test_drills_end_the_same(tmp_path, record_property):
    seed = int(os.environ.get("LINTEL_SEED", random.SystemRandom().randrange(1 << 32)))
    drawn = random.Random(seed)
    struck = 0
    books = {}
    chosen = DRILLS if KILLS >= 25 else drawn.sample(DRILLS, 2)
    for name, mode in chosen:
        shape = "caa" if name == "le-caa-2020" else "clean"
        if shape not in books:
            books[shape] = tmp_path / f"book-{shape}"
            run("load", books[shape], "--certificates", 600, "--shape", shape)
        args = ["run", name, "--certificates", 600, "--book", books[shape], *(["--mode", mode] if mode else [])]
        alone = tmp_path / f"{name}-{mode}-alone"
        run(*args, "--folder", alone)
        wanted = end_of(alone, 600)
        for kills in split(KILLS // len(chosen) or 1, 3):
            folder = tmp_path / f"{name}-{mode}-{struck}"
            with open(tmp_path / "log", "a+") as log:
                struck += disturbed(drawn, [*args, "--folder", folder], folder, kills, log)
                log.seek(0)
                assert os.path.exists(folder / "drill" / "out" / "record.json"), (seed, name, log.read()[-2000:])
            assert end_of(folder, 600) == wanted, (seed, name, mode, folder)
            shutil.rmtree(folder)
    print(f"\n{struck} kills in drills, seed {seed}")
    record_property("kills in drills that came to the same end", struck)


def split(count, at_most):
    """10 as 3, 3, 3, 1: more in one drill would leave nothing of it."""
    return [min(at_most, count - i) for i in range(0, count, at_most)]

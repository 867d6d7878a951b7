"""kill -9 of any process while enrolments are asked for, checked and issued: what an operator was answered is in the
book, a random value is never drawn twice, and everything that was begun can be brought to its end."""
import json
import os
import random
import signal
import time

from conftest import wait_for
from test_enroll import Site

KILLS = int(os.environ.get("LINTEL_KILLS", "20"))
VICTIMS = ("registrar", "notary", "validator", "examiner", "signer", "reader")


def kill_one(ca, chance):
    pids = {name: pid for name, pid in ca.pids().items() if name.startswith(VICTIMS)}
    if pids:
        name = chance.choice(sorted(pids))
        try:
            os.kill(pids[name], signal.SIGKILL)
        except ProcessLookupError:
            pass


def persist(what, *args, ok=(0,)):
    """Asks until it is taken: 5 says that nobody was there to take it."""
    def taken():
        result = what(*args, check=False, timeout=120)
        return result if result.returncode in ok else None
    return wait_for(" ".join(map(str, args)), taken, 90, 0.2)


def test_random_kills(tmp_path):
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    site = Site(tmp_path)
    csr = site.csr("shop.example.com")
    known = []
    try:
        site.ca.start()
        for i in range(KILLS):
            if chance.random() < 0.5:
                kill_one(site.ca, chance)
            result = persist(site.ca.lintel, "enroll", "request", csr, "--subscriber", f"s{i}", "--method", "dns-change",
                             "--json")
            e = json.loads(result.stdout)
            known.append(e["id"])
            site.put(e)
            site.ca.lintel("enroll", "check", e["id"], "--no-wait", check=False)
            time.sleep(chance.uniform(0, 0.05))
            kill_one(site.ca, chance)
        booked = {str(row[0]) for row in site.rows("SELECT order_id FROM enrolment")}
        assert set(known) <= booked  # and what was booked without an answer is whole, too
        for order in booked:
            e = json.loads(persist(site.ca.lintel, "enroll", "show", order, "--json").stdout)
            if e["status"] == "pending":
                site.put(e)
            # 1: it was issued between the two questions
            persist(site.ca.lintel, "enroll", "check", order, ok=(0, 1))
            wait_for(f"the certificate of {order}", lambda: json.loads(
                persist(site.ca.lintel, "enroll", "show", order, "--json").stdout)["status"] == "valid", 90)
        ((values, different),) = site.rows("SELECT count(token), count(DISTINCT token) FROM challenge")
        assert values == different == len(booked)
        ((certificates,),) = site.rows("SELECT count(*) FROM certificate WHERE order_id <> 0")
        assert certificates == len(booked)
        assert site.rows("SELECT count(*) FROM intent_open") == [(0,)]
    finally:
        site.stop()
    assert site.ca.lintel("audit", "verify").returncode == 0

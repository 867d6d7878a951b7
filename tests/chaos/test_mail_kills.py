"""kill -9 of any process while letters are written, sent and answered: each letter that arrives has the value of its own row,
however often it was sent; an approval counts once; and everything that was begun can be brought to its end."""
import json
import os
import random
import time

import pytest
from conftest import wait_for
from postfix import missing
from test_enroll_kills import VICTIMS, kill_one, persist
from test_mail import Office, digest, link

KILLS = int(os.environ.get("LINTEL_KILLS", "12"))

pytestmark = pytest.mark.skipif(missing() != "", reason=missing())


def kill(ca, chance):
    """The courier as well."""
    kill_one(ca, chance)
    if chance.random() < 0.5:
        pid = ca.pids().get("courier-0")
        if pid:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass


def test_random_kills(tmp_path):
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {KILLS} kills of {VICTIMS} and courier")
    chance = random.Random(seed)
    office = Office(tmp_path)
    csr = office.csr("shop.example.com")
    known = []
    try:
        for i in range(KILLS):
            result = persist(office.ca.lintel, "enroll", "request", csr, "--subscriber", f"s{i}", "--method",
                             "email-constructed", "--contact", "hostmaster@example.com", "--json")
            known.append(json.loads(result.stdout)["id"])
            time.sleep(chance.uniform(0, 1.2))  # a tick writes, the courier carries
            kill(office.ca, chance)
        booked = {str(row[0]) for row in office.rows("SELECT order_id FROM enrolment")}
        assert set(known) <= booked
        values = {row[0] for row in office.rows("SELECT token_sha256 FROM mail WHERE token IS NOT NULL")}
        assert len(values) == len(booked)
        # What was under way when the courier died goes out again when its time is up.
        wait_for("every letter", lambda: {digest(link(m)) for m in office.postfix.letters()} == values, 400, 1)
        letters = {}
        for raw in office.postfix.raw():
            head, _, body = raw.partition(b"\n\n")
            name = next(line for line in head.split(b"\n") if line.startswith(b"Message-ID:"))
            letters.setdefault(name, set()).add(body)
        assert len(letters) == len(values) and all(len(bodies) == 1 for bodies in letters.values())
        for token in sorted({link(m) for m in office.postfix.letters()}):
            kill(office.ca, chance)

            def approved():
                try:
                    status = office.page(token, {"do": "approve"})[0]
                except OSError:
                    return None
                # 404: it was written down, and the answer went with whoever was killed.
                return status if status in (200, 404) else None

            wait_for("an answer", approved, 60, 0.2)
        for order in booked:
            def issued():
                e = json.loads(persist(office.ca.lintel, "enroll", "show", order, "--json").stdout)
                return e["status"] == "valid"

            wait_for(f"the certificate of {order}", issued, 120, 0.5)
        assert office.rows("SELECT count(*) FROM mail WHERE status <> 'approved'") == [(0,)]
        ((events,),) = office.rows("SELECT count(*) FROM event WHERE kind = 'mail.approved'")
        assert events == len(booked)
    finally:
        office.stop()
    assert office.ca.lintel("audit", "verify").returncode == 0

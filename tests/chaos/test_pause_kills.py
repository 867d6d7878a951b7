"""kill -9 of the registrar and the notaries while a client fails, is paused and resumes: what the book counts is what
happened, a name is paused exactly when its account has a link, and an answered resumption has happened."""
import http.client
import json
import os
import random
import re
import sqlite3
import ssl
import time

from acmeclient import AcmeError, Client
from conftest import wait_for
from test_kills import kill

KILLS = int(os.environ.get("LINTEL_KILLS", "20")) // 2
FAILURES = 4
NAME = "gone.example.com"


def rows(ca, sql):
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        return book.execute(sql).fetchall()


def post(ca, url):
    connection = http.client.HTTPSConnection("localhost", ca.https_port, timeout=15,
                                             context=ssl.create_default_context(cafile=str(ca.root)))
    try:
        connection.request("POST", url.removeprefix(ca.url), "do=resume",
                           {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


class Zombie:
    """Orders a name that nobody answers for; resumes whenever it is paused."""

    def __init__(self, ca):
        self.ca = ca
        self.client = Client(ca.directory, ca.root)
        self.client.register()
        self.account = int(self.client.kid.rsplit("/", 1)[1])
        self.refused = self.resumed = 0

    def order(self):
        _, order = self.client.order(NAME)
        url = order["authorizations"][0]
        authorization = self.client.post(url, None).json()
        self.client.post(next(c for c in authorization["challenges"] if c["type"] == "http-01")["url"], {})
        self.client.poll(url, ("invalid",), 60)

    def step(self):
        try:
            self.order()
        except AcmeError as e:
            if e.kind != "rateLimited":
                return
            self.refused += 1
            assert "/acme/resume/" in str(e), e
            link = re.search(r"https://\S+/acme/resume/[A-Za-z0-9_-]+", str(e))[0]
            status, page = post(self.ca, link)
            if status == 200 and "Resumed" in page:
                self.resumed += 1
                # Nobody else fails for this account: it is not paused before it has failed again.
                assert self.paused() == [], "an answered resumption did not happen"

    def paused(self):
        return rows(self.ca, f"SELECT identifier FROM name_pause WHERE account = {self.account} AND paused_us IS NOT NULL")


def test_kills_while_a_client_is_paused_and_resumes(fresh_ca, record_property):
    ca = fresh_ca
    config = ca.folder / "lintel.yaml"
    text = config.read_text().replace("pausing:\n  failures: 20\n", f"pausing:\n  failures: {FAILURES}\n")
    config.write_text(text.replace("failures-per-name: 60/1h", "failures-per-name: none"))
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    ca.start()
    zombie = Zombie(ca)
    left = KILLS
    end = time.monotonic() + 120
    next_kill = time.monotonic() + chance.uniform(0.05, 0.6)
    while (left > 0 or zombie.resumed < 3) and time.monotonic() < end:
        if left > 0 and time.monotonic() > next_kill:
            pids = [pid for name, pid in sorted(ca.pids().items()) if name.startswith(("registrar", "notary"))]
            if pids:  # else all of them are between two lives
                left -= kill(chance.choice(pids))
            next_kill = time.monotonic() + chance.uniform(0.1, 1.0)
        try:
            zombie.step()
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            zombie.client.close()
            zombie.client.nonce = None
    assert left == 0 and zombie.resumed >= 3, (left, zombie.resumed)
    record_property("kills", KILLS)

    def settled():
        return rows(ca, "SELECT count(*) FROM challenge WHERE status = 'processing'") == [(0,)]

    wait_for("open work to end", settled, 90)
    events = rows(ca, "SELECT kind, subject, body FROM event ORDER BY chain, sequence")
    failed = resumed = paused = 0
    for kind, subject, body in events:
        if kind == "authorization.invalid" and json.loads(body)["account"] == zombie.account:
            failed += json.loads(body)["error"]["type"] != "serverInternal"
        elif kind == "account.resumed" and subject == f"account {zombie.account}":
            failed, resumed = 0, resumed + 1
        elif kind == "name.paused":
            paused += 1
    counted = rows(ca, f"SELECT failures FROM name_pause WHERE account = {zombie.account}")
    assert counted == ([(failed,)] if failed else []), (counted, failed)
    assert resumed >= zombie.resumed and 0 <= paused - resumed <= 1
    linked = rows(ca, f"SELECT account FROM account_pause WHERE account = {zombie.account}")
    assert bool(linked) == bool(zombie.paused()) == (paused > resumed)
    ca.stop()

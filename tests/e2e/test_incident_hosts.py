"""A host that is cut off while an incident is contained elsewhere: it cannot hear of the halt, so it stops signing by itself within five seconds;
and when the cable is back, it is halted."""
import json
import threading
import time

import pytest
from acmeclient import AcmeError, Client
from conftest import wait_for
from families import Families, inside, usable

pytestmark = pytest.mark.skipif(not usable, reason="needs root, ip and a PostgreSQL server")

NAME = "cut.example.com"
SECONDS = 5


class Ordering(threading.Thread):
    """One name again and again, whose proof is there already: an order needs nobody outside of its host but the book."""

    def __init__(self, family, client):
        super().__init__(daemon=True)
        self.family, self.client, self.over, self.got, self.last = family, client, threading.Event(), [], ""

    def run(self):
        with inside(self.family.namespace):
            while not self.over.is_set():
                try:
                    self.client.issue(NAME)
                    self.got.append(time.time())
                except (AcmeError, AssertionError, OSError, TimeoutError, StopIteration) as e:
                    self.last = str(getattr(e, "problem", e))
                    self.client.close()
                    self.client.nonce = None
                    self.over.wait(0.1)


def contained(ca, number):
    done = ca.lintel("incident", "contain", number, "--all", "--reason", "a test", "--json", check=False)
    return json.loads(done.stdout)["halt"] if done.returncode == 0 else None


def test_a_host_that_cannot_hear_stops(tmp_path):
    stage = Families(tmp_path, ("main", "b"))
    ordering = None
    try:
        main, b = stage.families
        with inside(b.namespace):
            client = Client(b.directory, b.root, stage.webroot.challenges)
            client.register()
            client.issue(NAME)
        ordering = Ordering(b, client)
        ordering.start()
        wait_for("certificates", lambda: len(ordering.got) > 5, 30)
        number = main.json("incident", "open", "everything must stop")["id"]

        stage.hosts.cable(1, "down")  # in the middle of whatever it does
        # What it held in the book, the server lets go after seconds.
        halt = wait_for("the halt", lambda: contained(main, number), 30, 0.2)
        halted_us = int(stage.server.sql(f"SELECT since_us FROM halt WHERE id = '{halt}'"))
        journal = b.folder / "journal" / "signer.log"
        time.sleep(max(0, halted_us / 1e6 + SECONDS - time.time()))
        then, counted = journal.read_bytes(), len(ordering.got)
        time.sleep(SECONDS)  # what is looked at below happens, or does not, in this time
        assert journal.read_bytes() == then  # not one signature, of whatever kind
        stage.hosts.cable(1, "up")

        wait_for("b to hear of it", lambda: "halted" in ordering.last, 60)
        wait_for("open intents to end", lambda: stage.server.sql("SELECT count(*) FROM intent_open") == "0", 60)
        signed = int(stage.server.sql("SELECT count(*) FROM certificate WHERE order_id <> 0"))
        print(f"{signed} certificates, {counted} of them told before the cable was back, {len(ordering.got)} in all")
        assert len(ordering.got) <= signed - 1 and all(t < halted_us / 1e6 + SECONDS for t in ordering.got[:counted])
        assert stage.server.sql(f"SELECT count(*) FROM intent WHERE created_us > {halted_us}") == "0"

        # The rest of an incident, on a book that is on a server.
        ordering.over.set()
        ordering.join(20)
        members = (number, f"name = {NAME}")  # as of a second that is over: what came from the journal with the cable may be younger
        wait_for("the second to be over", lambda: f"would make {signed} certificates" in main.lintel("incident", "scope", *members).stdout)
        scope = main.json("incident", "scope", *members, "--yes")
        assert scope["count"] == signed
        plan = main.json("incident", "plan", number, "--per-hour", "3600", "--yes")
        assert (plan["count"], plan["status"], plan["mass_status"]) == (signed, "set", "proposed")
        shown = main.json("incident", "show", number)
        assert shown["status"] == "replacing" and shown["forecast"]["members"] == signed
        main.lintel("incident", "revoke", number, "--yes")
        wait_for("the end", lambda: main.json("incident", "show", number, "--brief")["status"] == "reporting", 30)
        assert main.json("incident", "show", number, "--brief")["plans"][0]["revoked"] == signed
    finally:
        if ordering is not None:
            ordering.over.set()
            ordering.join(20)
        stage.close()

"""kill -9 of any process, or of the family, at random moments of an incident: contained, scoped, planned, revoked, each is there once, and the end
state is the same as without. LINTEL_KILLS says how often (4 of 20; 20 in the soak)."""
import json
import os
import random
import re
import threading
import time

from conftest import wait_for
from test_mass_kills import EACH, asked, fill, open_book, strike

ROUNDS = max(1, min(10, int(os.environ.get("LINTEL_KILLS", "20")) // 10))


def number(ca, text):
    with open_book(ca) as db:
        return db.execute(text).fetchone()[0]


def incident_of(ca, title):
    """What was answered may be lost: it is in the book, or not."""
    with open_book(ca) as db:
        row = db.execute("SELECT id FROM incident WHERE title = ?", (title,)).fetchone()
    return row[0] if row else None


def opened(ca, title):
    def once():
        if incident_of(ca, title) is None:
            ca.lintel("incident", "open", title, "--cause", "not-issued-per-rules", check=False)
        return incident_of(ca, title)
    return wait_for("the incident", once, 60, 0.2)


def scoped(ca, incident, account):
    def once():
        if number(ca, f"SELECT scope_version FROM incident WHERE id = {incident}") == 0:
            ca.lintel("incident", "scope", incident, f"account = {account}", "--yes", check=False)
        return number(ca, f"SELECT scope_version FROM incident WHERE id = {incident}") == 1
    wait_for("the scope", once, 60, 0.2)


def planned(ca, incident):
    if number(ca, f"SELECT plan_version FROM incident WHERE id = {incident}") == 0:
        ca.lintel("incident", "plan", incident, "--per-hour", "100000", "--no-wait", "--yes", check=False)
    return number(ca, f"SELECT plan_version FROM incident WHERE id = {incident}") > 0


def state(ca, incident):
    return json.loads(asked(ca, "incident", "show", str(incident), "--brief").stdout)


def struck(ca, chance, killed, least, most):
    """Beside what goes on."""
    def one():
        time.sleep(chance.uniform(least, most))
        victims = ca.pids()
        name = chance.choice(sorted(victims))
        killed.append(name)
        strike(ca, name, victims)
    thread = threading.Thread(target=one)
    thread.start()
    return thread


def test_an_incident_goes_on(fresh_ca):
    ca = fresh_ca
    chance = random.Random(int(os.environ.get("LINTEL_SEED", "6")))
    killed = []
    config = ca.folder / "lintel.yaml"
    config.write_text(re.sub(r"^  revoke-alone:.*$", f"  revoke-alone: {EACH}", config.read_text(), flags=re.M))
    ca.start()
    ca.stop()
    fill(ca, ROUNDS)
    ca.start()
    for account in range(1, ROUNDS + 1):
        incident = opened(ca, f"incident of {account}")
        scoped(ca, incident, account)
        thread = struck(ca, chance, killed, 0.0, 0.4)
        wait_for("the plan", lambda: planned(ca, incident), 60, 0.2)
        thread.join()
        wait_for("the windows", lambda: state(ca, incident)["plans"][0]["status"] == "set", 60, 0.2)
        thread = struck(ca, chance, killed, 0.0, 0.3)
        asked(ca, "incident", "revoke", str(incident), "--yes")
        thread.join()

        def over():
            shown = state(ca, incident)
            if shown["plans"][0]["mass_status"] in ("proposed", "paused"):
                ca.lintel("incident", "revoke", incident, "--yes", check=False)
            return shown if shown["status"] == "reporting" else None
        shown = wait_for("the end", over, 90, 0.3)
        plan = shown["plans"][0]
        assert (plan["mass_status"], plan["revoked"], plan["held"], plan["count"]) == ("done", EACH, 0, EACH), plan
        for kind in ("incident.opened", "incident.scoped", "incident.windows", "incident.revoked"):
            assert number(ca, f"SELECT count(*) FROM event WHERE kind = '{kind}' AND subject = 'incident {incident}'") == 1, kind
        assert [c["status"] for c in shown["clocks"] if c["duty"].startswith("revoke-")] == ["met"]
    assert number(ca, "SELECT count(*) FROM revocation") == ROUNDS * EACH
    ca.stop()
    said = ca.lintel("audit", "verify", "--json", check=False, timeout=300).stdout.replace('": "', '":"')
    for what in ("revocation", "journal", "event", "chain", "knot"):  # its certificates have no bytes: it says so
        assert f'"what":"{what}"' not in said, said[:2000]
    print(f"killed {killed}")

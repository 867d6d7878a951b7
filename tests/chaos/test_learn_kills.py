"""kill -9 of registrar and notaries while promises are made, changed and checked, briefs are filed and concerns handed in: what was
answered is in the book once, what was not is there once or not at all, and every row has its event."""
import json
import os
import random
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from conftest import wait_for
from test_kills import kill

KILLS = int(os.environ.get("LINTEL_KILLS", "20")) // 4


class Killer(threading.Thread):
    def __init__(self, ca, seed):
        super().__init__(daemon=True)
        self.ca, self.chance, self.left = ca, random.Random(seed), KILLS

    def run(self):
        while self.left > 0:
            time.sleep(self.chance.uniform(0.1, 0.6))
            pids = [pid for name, pid in sorted(self.ca.pids().items()) if name.startswith(("registrar", "notary"))]
            self.left -= bool(pids) and kill(self.chance.choice(pids))


def concern(ca, link, words):
    """None: nobody knows whether it arrived."""
    body = urllib.parse.urlencode({"do": "file", "text": words}).encode()
    try:
        with urllib.request.urlopen(link, body, timeout=15, context=ssl.create_default_context(cafile=str(ca.root))) as answer:
            return "A case has been opened" in answer.read().decode()
    except (OSError, urllib.error.URLError):
        return None


def test_kills_while_things_are_promised(fresh_ca, record_property):
    ca = fresh_ca
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {KILLS} kills")
    ca.start()
    link = ca.json("concern", "link", "--yes")["url"]
    killer = Killer(ca, seed)
    killer.start()
    answered, filed, n = {}, [], 0
    end = time.monotonic() + 120
    while (killer.left > 0 or n < 20) and time.monotonic() < end:
        n += 1
        done = ca.lintel("action", "add", f"promise {n}", "--kind", "Detect", "--criteria", "c", "--owner", "o", "--due",
                         "2030-01-01", "--json", check=False)
        if done.returncode == 0:
            answered[n] = json.loads(done.stdout)["id"]
            if ca.lintel("action", "complete", answered[n], "--evidence", "e", check=False).returncode == 0:
                ca.lintel("action", "check", answered[n], "--months", "3", "--holds", "--evidence", "e", check=False)
        if n % 5 == 0 and concern(ca, link, f"concern {n}"):
            filed.append(f"concern {n}")
    killer.join(60)
    assert killer.left == 0 and len(answered) >= 5, (killer.left, len(answered))
    record_property("kills", KILLS)
    concern(ca, link, "the last one")
    wait_for("the family", lambda: ca.lintel("concern", "show", "1", check=False).returncode == 0, 60)
    actions = ca.json("action", "list", "--all")["actions"]
    titles = {a["id"]: a["title"] for a in actions}
    assert len(set(titles.values())) == len(titles)
    assert all(titles[i] == f"promise {k}" for k, i in answered.items())
    concerns = [ca.json("concern", "show", c["id"])["words"] for c in ca.json("concern", "list", "--all")["concerns"]]
    assert set(filed) <= set(concerns) and len(concerns) == len(set(concerns))
    for a in actions:
        kinds = [e["kind"] for e in ca.json("event", "list", "--subject", f"action {a['id']}", "--oldest")["events"]]
        assert kinds[0] == "action.added" and kinds.count("action.added") == 1
        assert kinds.count("action.completed") == (a["status"] == "Complete")
    audit = ca.json("audit", "verify")
    assert audit["ok"], audit["findings"]
    ca.stop()

"""kill -9 of registrar and notaries while people write an incident's report: what was answered is there once and as it was written, what was not is
there or not, every row has its event, and the report can be compiled."""
import json
import os
import random
import time

from conftest import wait_for
from test_learn_kills import KILLS, Killer


def test_kills_while_a_report_is_written(fresh_ca, record_property, tmp_path):
    ca = fresh_ca
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    ca.start()
    incident = str(ca.json("incident", "open", "a test")["id"])
    killer = Killer(ca, seed)
    killer.start()
    causes, texts, n = {}, [], 0
    end = time.monotonic() + 120
    while (killer.left > 0 or n < 20) and time.monotonic() < end:
        n += 1
        if chance.random() < 0.5:
            done = ca.lintel("incident", "cause", "add", incident, "--title", f"cause {n}", "--json", check=False)
            if done.returncode == 0:
                causes[json.loads(done.stdout)["cause"]] = f"cause {n}"
        else:
            done = ca.lintel("incident", "write", incident, "--kind", "full", "--section", "summary.description", "--text", f"text {n}", check=False)
        texts = texts + [(n, done.returncode == 0)] if "write" in done.args else texts
    killer.join(60)
    assert killer.left == 0 and causes and any(sure for _, sure in texts), (killer.left, causes)
    record_property("kills", KILLS)
    wait_for("the family", lambda: ca.lintel("incident", "report", incident, "--kind", "full", "--out", tmp_path / "r", check=False).returncode == 0, 60)
    text = (tmp_path / "r" / "full.md").read_text()
    last = max(k for k, sure in texts if sure)
    assert any(f"- **Incident description:** text {k}\n" in text for k, _ in texts if k >= last)
    assert all(f": {title}**\n" in text for title in causes.values())
    kinds = [e["kind"] for e in ca.json("event", "list", "--subject", f"incident {incident}", "--all")["events"]]
    assert kinds.count("report.cause") == text.count("**Contributing Factor #")
    audit = ca.json("audit", "verify")
    assert audit["ok"], audit["findings"]
    ca.stop()

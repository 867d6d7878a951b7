"""What is learned: the promise ledger, reviews, training, the concern box; the plan of BR 5.7.1.2; what goes to an auditor, and is
verified without a book."""
import csv
import hashlib
import json
import re
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest
from acmeclient import Client
from conftest import LINTEL, ROOT, Ca, wait_for

PLAN = ROOT / "data" / "plans" / "mass-revocation.yaml"


@pytest.fixture(scope="module")
def ca(tmp_path_factory, dns, http01_port):
    """One of our own: it logs all that it ever would, and its auditor sees nobody else's certificates."""
    folder = tmp_path_factory.mktemp("learn")
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)
    authority = Ca(folder, dns.port, http01_port)
    config = authority.folder / "lintel.yaml"
    config.write_text(config.read_text().replace("  level: info\n", "  level: debug\n"))
    authority.start()
    yield authority
    authority.stop()


def promise(ca, *more):
    return ca.json("action", "add", "compare all paths in one test", "--kind", "Prevent", "--criteria", "it is in the nightly run",
                   "--owner", "engineering", "--due", "2030-01-19", *more)["id"]


def test_a_promise_is_kept(ca):
    n = promise(ca, "--for", "review 1", "--causes", "1, 2")
    listed = ca.json("action", "list", "--status", "open", "--for", "review 1")["actions"]
    assert [a["id"] for a in listed] == [n] and listed[0]["due"] == "2030-01-19T00:00:00Z" and listed[0]["status"] == "Ongoing"
    ca.lintel("action", "update", str(n), "--words", "in review", "--owner", "platform")
    ca.lintel("action", "delay", str(n), "--due", "2030-02-28", "--words", "needs a ceremony")
    ca.lintel("action", "complete", str(n), "--evidence", "https://ca.example/changes/412")
    shown = ca.json("action", "show", str(n))
    assert shown["status"] == "Complete" and shown["owner"] == "platform" and shown["first_due"] != shown["due"]
    assert [c["months"] for c in shown["checks"]] == [3, 6, 12] and not any(c["done"] for c in shown["checks"])
    ca.lintel("action", "check", str(n), "--months", "3", "--holds", "--evidence", "nightly run")
    text = ca.lintel("action", "show", str(n)).stdout
    assert "after 3 months" in text and "holds" in text
    kinds = [e["kind"] for e in ca.json("event", "list", "--subject", f"action {n}", "--oldest")["events"]]
    assert kinds == ["action.added", "action.updated", "action.delayed", "action.completed", "action.checked"]


@pytest.mark.parametrize("words, status, said", [
    (("add", "x", "--kind", "Prevent", "--criteria", "c", "--owner", "o", "--due", "2020-01-01"), 2, "past"),
    (("add", "x", "--kind", "Avoid", "--criteria", "c", "--owner", "o", "--due", "2030-01-01"), 2, "Prevent"),
    (("add", "x", "--kind", "Prevent", "--owner", "o", "--due", "2030-01-01"), 2, "--criteria"),
    (("add", "x", "--kind", "Prevent", "--criteria", "c", "--owner", "o", "--due", "soon"), 2, "no time"),
    (("complete", "99", "--evidence", "x"), 3, "no promise 99"),
    (("complete", "../x", "--evidence", "x"), 2, "neither a number"),
    (("check", "1", "--months", "3", "--evidence", "x"), 2, "--holds or --fails"),
])
def test_promises_that_are_refused(ca, words, status, said):
    done = ca.lintel("action", *words, check=False)
    assert done.returncode in (status, 1) and said in done.stderr


def test_reviews_and_training(ca, tmp_path):
    wait_for("the recorded incidents", lambda: len(ca.json("review", "sources", "--all")["sources"]) > 10)
    ca.lintel("review", "reviewer", "ann")
    first = wait_for("the first review", lambda: ca.json("review", "list", "--status", "open")["reviews"])[0]
    assert first["reviewer"] == "ann" and first["kind"] == "recorded"
    ca.lintel("review", "source", "bug-1900000", "--title", "Another CA: something", "--link", "https://b.example/1900000")
    assert ca.json("review", "assign", "bug-1900000", "ann")["id"] == first["id"] + 1
    brief = tmp_path / "brief.md"
    brief.write_text("We have the same gap: ä.\n")
    ca.lintel("review", "file", str(first["id"]), str(brief))
    assert ca.json("review", "show", str(first["id"]))["brief"] == brief.read_text()
    assert ca.lintel("review", "file", str(first["id"]), str(brief), check=False).returncode != 0
    ca.lintel("training", "course", "commander", "drill", "--valid-days", "365", "--words", "led one drill")
    ca.lintel("training", "role", "ann", "commander")
    assert ca.json("training", "people")["trainees"][0]["missing"] == ["drill"]
    ca.lintel("training", "record", "ann", "commander", "drill", "--evidence", "drill 3")
    assert ca.json("training", "people")["trainees"][0]["missing"] == []
    assert ca.json("training", "list", "--person", "ann")["trainings"][0]["evidence"] == "drill 3"


def page(ca, url, **fields):
    body = urllib.parse.urlencode(fields).encode() if fields else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, {"User-Agent": "eve's own browser"}),
                                    context=ssl.create_default_context(cafile=str(ca.root))) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_a_concern_names_nobody(ca):
    assert "would make" in ca.lintel("concern", "link").stdout
    link = ca.json("concern", "link", "--yes")["url"]
    status, text = page(ca, link)
    assert status == 200 and "Nobody is told who you are" in text and "<script" not in text
    assert page(ca, link, do="file", text="   ")[0] == 400
    status, text = page(ca, link, do="file", text="The ceremony script was changed by hand.")
    assert status == 200
    own = re.search(r"https://[^<\"]+/concern/[A-Za-z0-9_-]+", text).group(0)
    concern = ca.json("concern", "list")["concerns"][0]
    assert "words" not in concern and concern["incident"] > 0
    shown = ca.json("concern", "show", concern["id"])  # by who made the link
    assert shown["words"] == "The ceremony script was changed by hand."
    ca.lintel("operator", "add", "eve", "--role", "operator")
    wait_for("eve", lambda: "operator eve" in ca.lintel("event", "list", "--kind", "operator.added").stdout)
    hidden = ca.lintel("concern", "show", concern["id"], "--operator", "eve", check=False)
    assert hidden.returncode == 3 and "may see" in hidden.stderr, hidden.stderr
    ca.lintel("concern", "answer", str(concern["id"]), "It was as you said.")
    status, text = page(ca, own)
    assert status == 200 and "It was as you said." in text
    assert page(ca, own, do="file", text="x")[0] == 404
    # Nothing that is kept or logged has the address, the browser, or the words.
    events = ca.json("event", "list", "--subject", f"concern {concern['id']}", "--attachments")["events"]
    received = [e for e in events if e["kind"] == "concern.received"]
    assert len(received) == 1 and not received[0].get("attachment")
    for e in received + ca.json("event", "list", "--subject", f"incident {concern['incident']}")["events"]:
        assert "127.0.0.1" not in json.dumps(e) and "browser" not in json.dumps(e) and "changed by hand" not in json.dumps(e)
    logs = ca.log.read_text()
    assert "/api/v1/concerns" in logs and "/concern/" not in logs and "eve's own" not in logs
    ca.json("concern", "link", "--yes")
    assert page(ca, link, do="file", text="x")[0] == 404


def test_a_plan_is_checked(tmp_path):
    def check(text):
        file = tmp_path / "plan.yaml"
        file.write_text(text)
        done = subprocess.run([LINTEL, "plan", "check", file, "--json", "--as-of", "2026-11-22"], capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    whole = PLAN.read_text()
    assert check(whole)[0] == 0 and check(whole)[1]["findings"] == []
    status, said = check(re.sub(r"(?ms)^training:.*?(?=^#)", "", whole))
    assert status == 6 and [f["id"] for f in said["findings"]] == ["training-missing"]
    status, said = check(whole + "colour: red\n")
    assert status == 2 and re.search(r"plan.yaml:\d+:\d+", said)
    text = subprocess.run([LINTEL, "plan", "check", PLAN, "--as-of", "2026-11-22"], capture_output=True, text=True).stdout
    assert text.count(" ok\n") == 9


def verify(export, *more):
    done = subprocess.run([LINTEL, "audit", "verify", "--export", export, "--json", *more], capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_the_auditors_pack(ca, webroot, tmp_path):
    client = Client(ca.directory, ca.root, webroot.challenges)
    client.register()
    for name in ("a", "b", "c"):
        client.issue(f"{name}.example.com")
    n = promise(ca)
    ca.lintel("action", "complete", str(n), "--evidence", "done")
    halt = ca.json("halt", "--profile", "tls-server-short", "--reason", "test")["id"]
    pack = tmp_path / "pack"
    said = ca.json("audit", "pack", "--out", str(pack), "--sample", "100")
    rows = {f.stem: list(csv.DictReader(f.open())) for f in pack.glob("*.csv")}
    ours = [r for r in rows["samples"] if r["profile"].startswith("tls")]
    assert len(ours) == 3 and said["without_event"] == 0, said
    assert {r["name"] for r in rows["evidence"]} == {"a.example.com", "b.example.com", "c.example.com"}
    assert [r["status"] for r in rows["actions"] if r["action"] == str(n)] == ["Complete"]
    assert [r["halt"] for r in rows["halts"]] == [halt]
    events = {f"{e['chain']} {e['sequence']}": e for e in map(json.loads, (pack / "events.jsonl").open()) if e["type"] == "event"}
    for name, table in rows.items():
        for row in table:
            assert row["event"] in events and row["last event"] in events, (name, row)
    kept = next(r for r in rows["actions"] if r["action"] == str(n))
    assert events[kept["event"]]["kind"] == "action.added" and events[kept["last event"]]["kind"] == "action.completed"
    for line in (pack / "MANIFEST.sha256").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((pack / name).read_bytes()).hexdigest() == digest
    assert "| samples.csv |" in (pack / "README.md").read_text()
    assert ca.lintel("audit", "pack", "--out", str(pack), check=False).returncode != 0
    status, said = verify(pack / "events.jsonl", "--audit-key", ca.folder / "ca" / "audit.pub")
    assert status == 0 and said["whole"] and said["knots"] > 0 and said["jws"] > 5 and said["jws_unknown"] == 0, said


def test_an_export_that_was_changed(ca, tmp_path):
    promise(ca)
    whole = tmp_path / "events.jsonl"
    wait_for("knots", lambda: ca.json("audit", "verify")["knots"] > 0)
    ca.lintel("audit", "export", "--out", str(whole))
    assert ca.lintel("audit", "export").stdout.startswith('{"type":"export"')
    lines = whole.read_text().splitlines(keepends=True)
    assert verify(whole)[0] == 0

    def changed(edit):
        file = tmp_path / "changed.jsonl"
        file.write_text("".join(edit(list(lines))))
        return verify(file, "--audit-key", ca.folder / "ca" / "audit.pub")[0]

    at = next(i for i, line in enumerate(lines) if "action.added" in line)
    knot = next(i for i, line in enumerate(lines) if '"type":"knot"' in line)
    assert changed(lambda l: l[:at] + [l[at].replace("nightly", "weekly")] + l[at + 1:]) == 6
    assert changed(lambda l: l[:at] + l[at + 1:]) == 6
    assert changed(lambda l: l[:at] + [l[at].replace('"key":"', '"key":"AAAA')] + l[at + 1:]) == 6
    assert changed(lambda l: l[:knot] + [re.sub(r'"time_us":1', '"time_us":2', l[knot])] + l[knot + 1:]) == 6
    assert changed(lambda l: l[:-1]) == 6
    other = tmp_path / "other.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "k.pem"], check=True)
    subprocess.run(["openssl", "pkey", "-in", tmp_path / "k.pem", "-pubout", "-out", other], check=True)
    assert verify(whole, "--audit-key", other)[0] == 6
    assert ca.json("audit", "verify")["ok"]

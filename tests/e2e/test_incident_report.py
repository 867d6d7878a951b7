"""Reports of an incident: from "something is wrong" to the closure summary, by the command line; what a person has to write is listed, and what
was written passes our own check. One family for all of it."""
import csv
import hashlib
import json
import re
import sqlite3
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from conftest import LINTEL, wait_for
from test_mass import fill

MANY = 12000
REPORTS = Path(__file__).parent.parent / "unit" / "incident" / "reports"
COLUMNS = ["Precertificate SHA-256 hash", "Certificate SHA-256 hash", "Subject", "Issuer", "Not before", "Not after", "Serial #", "dNSNames",
           "Is revoked?", "Revocation date", "Revocation reason"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory, dns):
    from conftest import Ca, free_port
    folder = tmp_path_factory.mktemp("reports")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    ca = Ca(folder, dns.port, free_port()).start()
    ca.lintel("operator", "add", "berta", "--role", "approver")
    ca.lintel("operator", "add", "carl", "--role", "approver")
    ca.stop()
    fill(ca, MANY)
    book = sqlite3.connect(ca.folder / "book" / "lintel.db")  # not of this second: scopes are of a whole one
    book.execute("UPDATE certificate SET issued_us = issued_us - 3600000000 WHERE kind = 'bulk'")
    book.commit()
    book.close()
    ca.start()
    yield ca
    ca.stop()


def scoped(ca, title, scope, cause="caa-unreliable", confirmed=True):
    opened = ca.json("incident", "open", title, "--source", "post-issuance", "--cause", cause,
                     *(["--found", time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(time.time() - 60))] if confirmed else []))
    ca.lintel("incident", "contain", opened["id"], "--profile", "tls-server", "--reason", "CAA is not checked again")
    ca.lintel("incident", "scope", opened["id"], scope, "--yes")
    return str(opened["id"])


def write(ca, incident, kind, **sections):
    for name, text in sections.items():
        ca.lintel("incident", "write", incident, "--kind", kind, "--section", name.replace("__", ".").replace("_", "-"), "--text", text)


def fill_in(ca, incident):
    """What only people know."""
    ca.lintel("incident", "write", "0", "--kind", "full", "--section", "summary.owner-id", "--text", "A000999")
    write(ca, incident, "preliminary",
          summary__description="CAA was not checked again for every name of an order.\nIt was found by a look at the evidence.")
    write(ca, incident, "full", summary__start="2026-07-25 00:00 UTC")
    ca.lintel("incident", "event", incident, "--at", "2026-07-25", "--text", "the defect was introduced with a release")
    one = ca.json("incident", "cause", "add", incident, "--title", "a loop variable was shared", "--description",
                  "The address of one variable was kept for each name, so that all entries were the last name.", "--timeline", "since 2026-07-25",
                  "--detection", "while looking at evidence", "--interaction", "no test had several names (factor 2)", "--method", "5 whys")
    two = ca.json("incident", "cause", "add", incident, "--title", "tests had one name each", "--description",
                  "The tests were made from the first example of the RFC, and nobody asked for more.", "--timeline", "always", "--detection",
                  "while looking for the cause of factor 1", "--interaction", "it hid factor 1", "--method", "5 whys")
    for question, answer in (("Why was it not found?", "No test had two names."), ("Why not?", "Nobody had asked for one.")):
        ca.lintel("incident", "cause", "why", incident, "--cause", one["cause"], "--question", question, "--answer", answer)
    ca.lintel("incident", "cause", "bone", incident, "--category", "process", "--text", "reviews <look> at one & one file", "--cause", two["cause"])
    actions = [ca.json("action", "add", title, "--for", f"incident {incident}", "--kind", kind, "--criteria", criteria, "--owner", "engineering",
                       "--due", "2030-01-31", "--causes", str(cause))["id"]
               for title, kind, criteria, cause in (
                   ("Forbid shared loop variables by a rule", "Prevent", "the build fails on the old code", one["cause"]),
                   ("Test each check with two and a hundred names", "Detect", "the list of tests is published", two["cause"]),
                   ("Practise revocation of millions within a day", "Mitigate", "the record of the drill is published", two["cause"]))]
    ca.lintel("incident", "lesson", "add", incident, "--kind", "well", "--text", "issuance was stopped at once")
    ca.lintel("incident", "lesson", "add", incident, "--kind", "not-well", "--text", "reviews looked at style alone", "--actions", str(actions[1]))
    return actions


def compiled(ca, incident, kind, folder):
    return ca.json("incident", "report", incident, "--kind", kind, "--out", folder / kind)


@pytest.fixture(scope="module")
def small(desk):
    """The one with a few certificates, which are all there is of one account in the first hundred."""
    incident = scoped(desk, "CAA was not checked again", "kind = bulk and account = 1")
    return incident


def test_what_is_missing_is_marked_and_listed(desk, small, tmp_path):
    report = compiled(desk, small, "preliminary", tmp_path)
    assert report["missing"] == 1 and report["errors"] == 1
    (missing,) = [s for s in report["sections"] if s["state"] == "missing"]
    assert missing["section"] == "summary.description" and missing["owner"].startswith("commander (") and missing["due"]
    text = (tmp_path / "preliminary" / "preliminary.md").read_text()
    assert text.startswith("## Preliminary Incident Report\n\n### Summary\n- **Incident description:** **[To be written by commander (")
    assert "4,000 certificates are affected. We issued nothing for profile tls-server since" in text
    assert "- **Source of incident disclosure:** Self Reported\n" in text
    full = compiled(desk, small, "full", tmp_path)
    assert full["missing"] >= 6 and {s["section"] for s in full["sections"]} >= {"summary.owner-id", "causes", "actions"}
    assert "summary.owner-id\tmissing\tliaison" in (tmp_path / "full" / "sections.tsv").read_text()


def test_a_full_report_passes_its_own_check(desk, small, tmp_path):
    actions = fill_in(desk, small)
    preliminary = compiled(desk, small, "preliminary", tmp_path)
    assert (preliminary["missing"], preliminary["errors"], preliminary["warnings"]) == (0, 0, 0), preliminary["findings"]
    full = compiled(desk, small, "full", tmp_path)
    assert (full["missing"], full["errors"]) == (0, 0), full["findings"]
    text = (tmp_path / "full" / "full.md").read_text()
    assert "- **What didn\u2019t go well:**\n  - reviews looked at style alone (Action Item # 2)\n" in text
    assert "- **Total number of certificates:** 4,000\n" in text and "- **Affected certificate types:** DV: 4,000\n" in text
    assert re.search(r"- 2026-07-25 00:00 UTC: the defect was introduced with a release\n- 20\d\d-\d\d-\d\d \d\d:\d\d UTC: the CA became aware", text)
    assert "issuance was halted for profile tls-server" in text and "1619047" in text
    assert f"| Forbid shared loop variables by a rule | Prevent | Root Cause # 1 | the build fails on the old code | 2030-01-31 | Ongoing |" in text
    with open(tmp_path / "full" / "certificates.csv", newline="") as f:
        rows = list(csv.reader(f))
    assert rows[0] == COLUMNS and len(rows) == 4001 and {r[8] for r in rows[1:]} == {"Planned"}
    assert len({r[1] for r in rows[1:]}) == 4000
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", r[9]) and r[10] == "N/A" for r in rows[1:])  # as it is planned
    drawing = ElementTree.parse(tmp_path / "full" / "fishbone.svg").getroot()
    assert "reviews <look> at one & one file (#2)" in "".join(drawing.itertext())
    assert actions


def test_sign_off_and_hand_over_meet_the_clocks(desk, small, tmp_path):
    full = compiled(desk, small, "full", tmp_path)
    assert full["unsigned"] > 0
    desk.lintel("incident", "sign", small, "--kind", "full", "--section", "summary.start", "--operator", "berta")
    signed = {s["section"]: s for s in compiled(desk, small, "full", tmp_path)["sections"]}["summary.start"]
    assert signed["state"] == "signed" and signed["by"] == "berta"
    write(desk, small, "full", summary__start="2026-07-25 10:00 UTC")
    again = {s["section"]: s for s in compiled(desk, small, "full", tmp_path)["sections"]}["summary.start"]
    assert again["state"] == "written"  # other words, nobody signed them
    refused = desk.lintel("incident", "sign", small, "--kind", "full", "--section", "impact.analysis", check=False)
    assert refused.returncode != 0 and "nobody has written" in refused.stderr
    path = tmp_path / "full" / "full.md"
    compiled(desk, small, "preliminary", tmp_path)
    hand = lambda kind, file, *more, **o: desk.lintel("incident", "handed", small, "--kind", kind, "--where", "https://bugs.example/1", "--file", file, *more, **o)
    empty = tmp_path / "x.md"
    empty.write_text("hello\n")
    first = tmp_path / "preliminary" / "preliminary.md"
    for kind, file, words in (("full", first, "is no full report"), ("preliminary", empty, "is no preliminary report"),
                              ("preliminary", first, "nobody has signed"), ("update", empty, "nothing of incident")):
        refused = hand(kind, file, check=False)
        assert refused.returncode != 0 and words in refused.stderr, (kind, refused.stderr)
    desk.lintel("incident", "sign", small, "--kind", "preliminary", "--section", "summary.description")
    hand("preliminary", first)
    hand("full", path, "--anyway", "signed on paper")
    hand("update", empty)
    book = sqlite3.connect(desk.folder / "book" / "lintel.db")
    clocks = dict(book.execute("SELECT duty, status FROM clock WHERE subject = ?", (f"incident {small}",)))
    (where, digest), *_ = book.execute("SELECT where_to, sha256 FROM report_handed WHERE incident = ? AND kind = 'full'", (small,))
    assert clocks["irg-1"] == "met" and clocks["irg-2"] == "met", clocks
    assert where == "https://bugs.example/1" and digest == hashlib.sha256(path.read_bytes()).digest()


def test_refused(desk, small, tmp_path):
    for args, words in ((("write", small, "--kind", "full", "--section", "weather", "--text", "x"), "no section"),
                        (("report", "99", "--kind", "full", "--out", tmp_path), "no incident"),
                        (("report", "x1", "--kind", "full", "--out", tmp_path), "no number"),
                        (("report", small, "--kind", "full", "--out", "/proc/nowhere"), "/proc/nowhere"),
                        (("cause", "why", small, "--cause", "77", "--question", "q", "--answer", "a"), "no root cause 77"),
                        (("cause", "add", small, "--description", "without a title"), "title"),
                        (("lesson", "drop", small, "--lesson", "77"), "no lesson 77"),
                        (("delay", small, "00ff", "--issuer", "tls", "--reason", "r", "--until", "2027-01-01"), "no such certificate"),
                        (("handed", small, "--kind", "full", "--where", "x", "--file", tmp_path / "none"), "none")):
        result = desk.lintel("incident", *args, check=False)
        assert result.returncode != 0 and words in result.stderr, (args, result.stderr)


def asked(ca, path):
    """The answer of the API socket."""
    answer = subprocess.run(["curl", "-sf", "--unix-socket", ca.folder / "run" / "api.sock", f"http://lintel/api/v1/{path}"], capture_output=True, timeout=60)
    assert answer.returncode == 0, f"{path}: {answer.stderr}"
    return json.loads(answer.stdout)


def same_as_by_the_reader(ca, incident, folder):
    """The console has no folder: a reader compiles for it, by the same library, to the byte."""
    for _ in range(3):  # the time stands in it by the minute
        draft = asked(ca, f"incidents/{incident}/report/delayed")
        compiled(ca, incident, "delayed", folder)
        text = (folder / "delayed" / "delayed.md").read_text()
        if draft["text"] == text:
            break
    assert draft["text"] == text and draft["counted"] and draft["certificates"] == MANY
    assert (draft["missing"], draft["errors"]) == (0, 0) and draft["appendices"] == ["certificates.txt", "delayed.csv"]
    for drawing in draft["drawings"]:
        assert drawing["text"] == (folder / "delayed" / drawing["name"]).read_text()
    for status, name in (("certificates", "certificates.txt"), ("late", "delayed.csv")):
        page = asked(ca, f"incidents/{incident}/report/appendix?status={status}")
        assert page["name"] == name and page["pages"] == 1
        assert page["text"].encode() == (folder / "delayed" / name).read_bytes()
    moments = asked(ca, f"incidents/{incident}/timeline")["timeline"]
    assert [m["at"] for m in moments] == sorted(m["at"] for m in moments)
    assert any("12,000 certificates are affected" in m["text"] for m in moments)


def test_a_delayed_report_with_each_certificate(desk, tmp_path):
    """A frozen list over the limit of the CSV: a list for crt.sh, half of it revoked, the rest with reason and date."""
    incident = scoped(desk, "CAA once more", "kind = bulk")
    fill_in(desk, incident)
    desk.lintel("incident", "plan", incident, "--per-hour", "100000", "--tier", "account = 0", "--yes")
    held, *_ = [s for (s,) in sqlite3.connect(desk.folder / "book" / "lintel.db").execute(
        "SELECT lower(hex(serial)) FROM certificate WHERE kind = 'bulk' AND account = 2 LIMIT 1")]
    desk.lintel("incident", "freeze", incident, held, "--reason", "restraining order", "--reference", "case 7", "--yes")
    revoke = desk.json("incident", "revoke", incident, "--stop-after", "0", "--yes")
    for name in ("berta", "carl"):
        desk.lintel("approve", revoke["plan"], "--operator", name, "--yes")
    wait_for("the first tier", lambda: desk.json("mass", "show", revoke["mass"])["status"] == "paused", 30)
    write(desk, incident, "delayed", summary__description="Delayed revocation of certificates whose CAA was not checked again.",
          delay__reason="not replaced by its subscriber yet",
          impact__analysis="Revocation would harm third parties that rely on two emergency services; that is exceptionally rare.")
    report = compiled(desk, incident, "delayed", tmp_path)
    assert report["errors"] == 0 and report["missing"] == 0, report["findings"]
    folder = tmp_path / "delayed"
    lines = (folder / "certificates.txt").read_text().splitlines()
    assert len(lines) == MANY and all(re.fullmatch(r"https://crt\.sh/\?sha256=[0-9a-f]{64}", line) for line in lines)
    late = list(csv.DictReader(open(folder / "delayed.csv", newline="")))
    assert len(late) == MANY - MANY // 3
    assert {r["Reason"] for r in late} == {"not replaced by its subscriber yet", f"incident {incident}: restraining order"}
    assert [r["Serial #"] for r in late if "restraining order" in r["Reason"]] == [held]
    text = (folder / "delayed.md").read_text()
    assert f"  - Revoked: {MANY // 3:,}\n  - Not yet revoked: {MANY - MANY // 3:,}\n  - Planned but expired: 0\n" in text
    assert "are expected to be revoked" in text and "the scope was determined: 12,000 certificates are affected (version 1)" in text
    assert "deadline" in "".join(ElementTree.parse(folder / "run-off.svg").getroot().itertext())
    same_as_by_the_reader(desk, incident, tmp_path)


def test_closure(desk, small, tmp_path):
    for action in desk.json("action", "list", "--for", f"incident {small}")["actions"]:
        desk.lintel("action", "complete", action["id"], "--evidence", "commit 1")
    closure = compiled(desk, small, "closure", tmp_path)
    assert (closure["missing"], closure["errors"]) == (0, 0), closure["findings"]
    compiled(desk, small, "full", tmp_path)
    both = subprocess.run([LINTEL, "incident", "report", "check", tmp_path / "full" / "full.md", tmp_path / "closure" / "closure.md"],
                          capture_output=True, text=True)
    assert both.returncode == 0, both.stdout


def test_restricted(desk, tmp_path):
    """Who has no role in it does not see it; who has, signs for the question, and that is an event."""
    incident = str(desk.json("incident", "open", "hole in the validator", "--restricted")["id"])
    for options in ((), ("--mine", "--operator", "berta")):
        refused = desk.lintel("incident", "report", incident, "--kind", "preliminary", "--out", tmp_path, *options, check=False)
        assert refused.returncode == 3 and "no incident" in refused.stderr
    assert not (tmp_path / "preliminary.md").exists()
    for path in (f"incidents/{incident}", f"incidents/{incident}/report/full", f"incidents/{incident}/timeline", f"incidents/{incident}/report/appendix"):
        assert subprocess.run(["curl", "-sf", "--unix-socket", desk.folder / "run" / "api.sock", f"http://lintel/api/v1/{path}"], capture_output=True).returncode == 22
    assert desk.json("incident", "report", incident, "--kind", "preliminary", "--out", tmp_path, "--mine")["missing"] == 2
    book = sqlite3.connect(desk.folder / "book" / "lintel.db")
    assert book.execute("SELECT count(*) FROM event WHERE kind = 'report.granted'").fetchone() == (1,)


def test_check_needs_no_folder(tmp_path):
    def check(*args):
        return subprocess.run([LINTEL, "incident", "report", "check", *args], capture_output=True, text=True, cwd=tmp_path, env={})
    good = check("--as-of", "2026-11-22", REPORTS / "full.md", REPORTS / "preliminary.md")
    assert good.returncode == 0 and "0 errors, 0 warnings in 2 files" in good.stdout
    broken = tmp_path / "broken.md"
    broken.write_text((REPORTS / "full.md").read_text().replace("A000999", "A9").replace("| Prevent |", "| Prevention |"))
    bad = check("--as-of", "2026-11-22", "--json", broken)
    found = json.loads(bad.stdout)
    assert bad.returncode == 6 and found["errors"] == 2
    assert {f["id"] for f in found["findings"]} == {"summary/owner-id", "actions/kind"}
    assert all(f["citation"].startswith("CCADB IRG 3.2") and f["line"] > 0 for f in found["findings"])
    warned = tmp_path / "warned.md"
    warned.write_text((REPORTS / "full.md").read_text().replace("- **Additional considerations:** N/A",
                                                                "- **Additional considerations:** There is no security impact."))
    assert check("--as-of", "2026-11-22", warned).returncode == 0
    assert check("--as-of", "2026-11-22", "--strict", warned).returncode == 6
    assert check(tmp_path / "none").returncode == 3
    assert check().returncode == 2
    assert len(check("--rules").stdout.splitlines()) > 70

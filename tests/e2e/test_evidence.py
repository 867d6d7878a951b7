"""Evidence: what cert show tells of each name, and what becomes of it when a segment is torn, damaged or gone."""
import json
import shutil
import sqlite3
import subprocess

import pytest
from acmeclient import AcmeError, Client
from conftest import Webroot, wait_for
from test_corroboration import world  # noqa: F401  (a CA with five perspectives)


def rows(ca, sql, *values):
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        return book.execute(sql, values).fetchall()


def serial_of(ca, name):
    return ca.json("cert", "list", "--name", name)["certificates"][0]["serial"]


def check_of(ca, name):
    shown = ca.json("cert", "show", serial_of(ca, name), "--evidence")
    return shown, next(n for n in shown["names"] if n["name"] == name)["checks"][-1]


def audit(ca, folder=None):
    """Its answer; the status says whether it found something."""
    done = ca.lintel("audit", "verify", "--json", "--dir", folder or ca.folder, check=False, folder_flag=False)
    assert done.returncode in (0, 6), done.stderr
    said = json.loads(done.stdout)
    assert said["ok"] == (done.returncode == 0)
    return said


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 0x40]))


@pytest.fixture
def own(fresh_ca, tmp_path):
    web = Webroot(tmp_path / "webroot", fresh_ca.http01_port)
    fresh_ca.start()
    user = Client(fresh_ca.directory, fresh_ca.root, web.challenges)
    user.register()
    yield fresh_ca, user
    web.stop()


def test_the_whole_story(own):
    ca, user = own
    user.issue("story.example.com", "other.example.com")
    shown, check = check_of(ca, "story.example.com")
    assert check["ok"] and check["method"] == "http-01" and check["integrity"] == "intact"
    rule = check["rule"]
    assert rule["section"] == "3.2.2.4.19" and rule["title"].startswith("Agreed-Upon Change to Website")
    assert rule["in_force_then"] and rule["in_force_now"] and rule["same_version"]
    assert check["rule_set"].startswith("BR ") and check["rule_set"].endswith("3.2.2.4.19")
    assert check["usable_until"] > check["checked"] and check["relied_on"]
    seen = check["statement"]
    assert seen["addresses"] == ["127.0.0.1"] and seen["address_used"].startswith("127.0.0.1")
    assert seen["asked"].startswith("http://") and "/.well-known/acme-challenge/" in seen["asked"]
    assert seen["http_status"] == 200 and len(seen["answer_sha256"]) == 64 and seen["redirects"] == []
    assert seen["resolver"] and seen["build"] and seen["started"] <= seen["finished"]
    assert check["corroboration"] is None and check["problem"] is None
    assert check["frame"]["segment"] == 1 and len(check["frame"]["sha256"]) == 64
    # The rules' words, and the verdicts.
    sections = {r["section"]: r for r in shown["rules"]}
    assert any("Redirects MUST" in t["words"] for t in sections["3.2.2.4.19"]["text"])
    assert all(t["kept_by"].startswith("src/") for r in shown["rules"] for t in r["text"])
    assert "4.2.1" in sections and "3.2.2.8" in sections
    verdicts = {r["rule"]: r for r in shown["judgement"]["rules"]}
    assert verdicts["lintel_issuance_names_validated"]["now"] == "pass"
    assert all(v["then"] == "no finding" and v["now"] in ("pass", "NA") for v in verdicts.values()), verdicts
    assert shown["judgement"]["rule_set_then"] == shown["judgement"]["rule_set_now"] == shown["rule_set"]
    text = ca.lintel("cert", "show", shown["serial"], "--evidence").stdout
    for words in ("proved by http-01", "3.2.2.4.19", "in force then, in force now", "usable until", "connected to",
                  "DNSSEC", "kept in      evidence/000001.seg", "intact", "the rule      CABF-BR", "then no finding"):
        assert words in text, words
    plain = ca.lintel("cert", "show", shown["serial"]).stdout
    assert "proved by" not in plain and "the rule" not in plain


def test_of_a_name_that_was_refused(own):
    ca, user = own
    _, order = user.order("refused.example.com")
    user.challenges = ca.folder / "run"  # nothing is put where it is looked for
    answer = user.prove(order["authorizations"][0])
    assert answer["status"] == "invalid"
    ((authorization,),) = rows(ca, "SELECT authorization_id FROM evidence WHERE identifier = 'refused.example.com'")
    shown = ca.json("evidence", "show", str(authorization))
    assert shown["authorization_status"] == "invalid" and shown["name"] == "refused.example.com"
    check = shown["checks"][-1]
    assert not check["ok"] and check["problem"]["type"] == "unauthorized" and check["statement"]["http_status"] == 404
    text = ca.lintel("evidence", "show", str(authorization)).stdout
    assert "failed by http-01" in text and "unauthorized" in text
    assert ca.lintel("evidence", "show", "1", check=False).returncode == 3
    assert ca.lintel("evidence", "show", "x", check=False).returncode == 2


def test_perspectives_and_their_keys(world):  # noqa: F811
    w = world(hijacked={2})
    w.client().issue("www.example.com")
    ca = w.ca
    shown, check = check_of(ca, "www.example.com")
    c = check["corroboration"]
    assert c["count"] == "4/5" and c["corroborated"] and c["regions"] >= 2
    by_name = {p["name"]: p for p in c["perspectives"]}
    assert [p["agrees"] for p in c["perspectives"]] == [True, True, False, True, True]
    assert by_name["view-2"]["why"] and by_name["view-2"]["statement"]["address_used"].startswith("127.0.0.2")
    for p in c["perspectives"]:
        assert p["signature"] == "verified" and len(p["key_sha256"]) == 64 and p["region"]
        assert p["statement"]["perspective"] == p["name"] and p["statement"]["resolver"]
    text = ca.lintel("cert", "show", shown["serial"], "--evidence").stdout
    assert "4/5 in" in text and "view-2     DISSENTS" in text and "signature verified with key" in text
    assert audit(ca)["statements"] == 5
    ((kept,),) = rows(ca, "SELECT max(length(request)) FROM intent")
    assert kept < 1000  # what was signed is kept once
    # A perspective that is replaced takes nothing from what it signed.
    (ca.folder / "perspectives" / "view-1.json").unlink()
    ca.stop()
    ca.start()
    _, check = check_of(ca, "www.example.com")
    assert all(p["signature"] == "verified" for p in check["corroboration"]["perspectives"])
    # A key in the book that was changed verifies nothing.
    with sqlite3.connect(ca.folder / "book" / "lintel.db") as book:
        book.execute("UPDATE perspective_key SET spki = (SELECT spki FROM perspective_key WHERE name = 'view-0') "
                     "WHERE name = 'view-3'")
    _, check = check_of(ca, "www.example.com")
    assert {p["name"]: p["signature"] for p in check["corroboration"]["perspectives"]}["view-3"] == "wrong"
    assert any("view-3" in f["detail"] for f in audit(ca)["findings"])


def test_damage_is_told(own):
    ca, user = own
    user.issue("damage.example.com")
    _, check = check_of(ca, "damage.example.com")
    before = audit(ca)
    assert before["ok"] and before["evidence"] == rows(ca, "SELECT count(*) FROM evidence")[0][0] == 1
    segment = ca.folder / "evidence" / "000001.seg"
    at = check["frame"]["position"] + check["frame"]["length"] - 3
    flip(segment, at)
    shown, check = check_of(ca, "damage.example.com")
    assert "damaged" in check["integrity"] and "statement" not in check
    assert "CANNOT BE READ" in ca.lintel("cert", "show", shown["serial"], "--evidence").stdout
    assert [f["what"] for f in audit(ca)["findings"]] == ["evidence"]
    flip(segment, at)
    assert audit(ca)["ok"]


def changed(ca, sql):
    """What the audit says of a book that was changed; the change is taken back."""
    with sqlite3.connect(ca.folder / "book" / "lintel.db") as book:
        before = book.execute("SELECT * FROM evidence").fetchall(), book.execute(
            "SELECT serial, oldest_validation_us, least_quorum, worst_dimension FROM certificate").fetchall()
        book.execute(sql)
    said = audit(ca)
    with sqlite3.connect(ca.folder / "book" / "lintel.db") as book:
        book.execute("DELETE FROM evidence")
        book.executemany(f"INSERT INTO evidence VALUES ({','.join('?' * len(before[0][0]))})", before[0])
        book.executemany("UPDATE certificate SET oldest_validation_us = ?2, least_quorum = ?3, worst_dimension = ?4 "
                         "WHERE serial = ?1", before[1])
    return [f["detail"] for f in said["findings"] if f["what"] == "evidence"]


def test_changed_rows_show(own):
    """Whoever may write the book and the segments still meets the events."""
    ca, user = own
    user.issue("one.example.com")
    user.issue("two.example.com")
    ca.stop()
    assert audit(ca)["ok"]
    one = "(SELECT {} FROM evidence WHERE identifier = 'one.example.com')"
    two = "identifier = 'two.example.com'"
    for sql, detail in (
            (f"UPDATE evidence SET identifier = 'x.example.com' WHERE {two}", "another name or method"),
            (f"UPDATE evidence SET sha256 = zeroblob(32) WHERE {two}", "another frame than the book names"),
            (f"UPDATE evidence SET position = position - 1 WHERE {two}", "no frame"),
            (f"UPDATE evidence SET (position, length, sha256) = {one.format('position, length, sha256')} "
             f"WHERE {two}", "another check"),
            (f"UPDATE evidence SET segment = 9 WHERE {two}", "missing"),
            (f"DELETE FROM evidence WHERE {two}", "no evidence that it was proven"),
            ("UPDATE certificate SET oldest_validation_us = oldest_validation_us + 1 WHERE order_id <> 0",
             "oldest validation"),
            ("UPDATE certificate SET least_quorum = 4 WHERE order_id <> 0", "least quorum"),
            ("UPDATE certificate SET worst_dimension = 0 WHERE order_id <> 0", "worst dimension")):
        found = changed(ca, sql)
        assert any(detail in f for f in found), (sql, found)
    # Row and segment agree, and the event of the proof tells of other bytes.
    ((authorization, kept),) = rows(ca, f"SELECT authorization_id, lower(hex(sha256)) FROM evidence WHERE {two}")
    subject = f"authorization {authorization}"
    assert any(kept in body for (body,) in rows(ca, "SELECT body FROM event WHERE subject = ?", subject))
    with sqlite3.connect(ca.folder / "book" / "lintel.db") as book:
        book.execute("UPDATE event SET body = replace(body, ?, ?) WHERE subject = ?", (kept, "00" * 32, subject))
    found = audit(ca)["findings"]
    assert {"evidence", "event-chain"} <= {f["what"] for f in found}, found
    # A proof that no event tells of, as somebody would write it beside the registrar.
    with sqlite3.connect(ca.folder / "book" / "lintel.db") as book:
        book.execute("UPDATE event SET kind = 'authorization.elsewhere' WHERE subject = ?", (subject,))
    assert any("no event of the proof" in f["detail"] for f in audit(ca)["findings"])


def test_a_torn_tail_is_cut(own):
    ca, user = own
    user.issue("torn.example.com")
    segment = ca.folder / "evidence" / "000001.seg"
    whole = segment.stat().st_size
    ca.process.kill()
    ca.process.wait()
    with open(segment, "ab") as f:
        f.write(b"LEFR" + bytes(700))  # what was being written when the power went
    ca.start()
    wait_for("the cut", lambda: segment.stat().st_size == whole)
    user.close()
    user.issue("after.example.com")
    assert segment.stat().st_size > whole and audit(ca)["ok"]
    assert not rows(ca, "SELECT 1 FROM event WHERE kind = 'alarm.evidence'")


def test_a_lost_segment_is_an_alarm(own):
    ca, user = own
    user.issue("lost.example.com")
    serial = serial_of(ca, "lost.example.com")
    ca.stop()
    segment = ca.folder / "evidence" / "000001.seg"
    kept = segment.read_bytes()
    segment.unlink()
    ca.start()
    ((body,),) = rows(ca, "SELECT body FROM event WHERE kind = 'alarm.evidence'")
    assert "000001.seg is missing" in body
    assert any("missing" in f["detail"] for f in audit(ca)["findings"])
    doctor = ca.lintel("doctor", check=False)
    assert "evidence" in doctor.stdout and "000001.seg" in doctor.stdout and doctor.returncode != 0
    user.close()
    user.issue("goes-on.example.com")  # into the next segment
    assert (ca.folder / "evidence" / "000002.seg").exists()
    assert "missing" in next(n for n in ca.json("cert", "show", serial, "--evidence")["names"])["checks"][0]["integrity"]
    segment.write_bytes(kept)
    segment.chmod(0o644)
    assert audit(ca)["ok"]
    assert ca.json("cert", "show", serial, "--evidence")["names"][0]["checks"][0]["integrity"] == "intact"


def test_a_copy_beside_the_running_family(own, tmp_path):
    """The order of docs/operating.md: the book first, then evidence and journal, which only grow."""
    ca, user = own
    for i in range(3):
        user.issue(f"copy{i}.example.com")
    copy = tmp_path / "copy"
    (copy / "book").mkdir(parents=True)
    with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
        with sqlite3.connect(copy / "book" / "lintel.db") as other:
            book.backup(other)
            other.execute("PRAGMA journal_mode = WAL")
    user.issue("later.example.com")
    for part in ("evidence", "journal", "operators", "ca"):
        shutil.copytree(ca.folder / part, copy / part)
    shutil.copy(ca.folder / "lintel.yaml", copy)  # says which host's journal this is
    said = audit(ca, copy)
    assert said["evidence"] == 3 and not [f for f in said["findings"] if f["what"] == "evidence"], said


def registered(user):
    try:
        user.register()
        return True
    except AcmeError:
        return False


def test_registrar_killed_while_it_proves(own):
    """Whatever moment it dies in: rows have their frames."""
    ca, user = own
    for i in range(6):
        url, order = user.order(f"kill{i}.example.com")
        for a in order["authorizations"]:
            user.post(user.post(a, None).json()["challenges"][0]["url"], {}) if i % 2 else None
        subprocess.run(["kill", "-9", str(ca.pids()["registrar-0"])], check=True)
        user = Client(ca.directory, ca.root, user.challenges)
        wait_for("the next registrar", lambda: registered(user), 20)
        user.issue(f"killed{i}.example.com")
    said = audit(ca)
    assert said["ok"] and said["evidence"] == rows(ca, "SELECT count(*) FROM evidence")[0][0] >= 6

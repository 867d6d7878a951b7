"""What is learned, in PostgreSQL: it moves there with the book, goes on, and the auditor gets the same."""
import csv
import re

import pytest
import test_learn
from conftest import wait_for
from postgres import Postgres, programs
from test_postgres import move_to

pytestmark = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed")


def packed(ca, folder):
    said = ca.json("audit", "pack", "--out", str(folder))
    tables = {f.stem: list(csv.DictReader(f.open())) for f in folder.glob("*.csv")}
    status, read = test_learn.verify(folder / "events.jsonl", "--audit-key", ca.folder / "ca" / "audit.pub")
    assert status == 0 and read["whole"], read
    assert said["without_event"] == 0, said
    return tables


def test_it_moves_and_goes_on(fresh_ca, tmp_path):
    server = Postgres()
    ca = fresh_ca
    try:
        ca.start()
        first = test_learn.promise(ca, "--for", "review 1")
        ca.lintel("action", "complete", first, "--evidence", "e")
        ca.lintel("review", "reviewer", "ann")
        review = wait_for("a review", lambda: ca.json("review", "list")["reviews"])[0]["id"]
        link = ca.json("concern", "link", "--yes")["url"]
        assert test_learn.page(ca, link, do="file", text="Something is wrong.")[0] == 200
        ca.stop()
        before = packed(ca, tmp_path / "before")
        move_to(ca, server.url)
        after = packed(ca, tmp_path / "after")
        assert {k: v for k, v in after.items() if k != "samples"} == {k: v for k, v in before.items() if k != "samples"}
        ca.start()
        second = test_learn.promise(ca, "--for", "review 1")
        assert second == first + 1
        ca.lintel("action", "delay", second, "--due", "2031-01-01", "--words", "later")
        ca.lintel("action", "reopen", first, "--due", "2031-01-01", "--words", "again")
        ca.lintel("action", "complete", first, "--evidence", "e")  # its looks are there already, or made anew
        ca.lintel("action", "check", first, "--months", "3", "--fails", "--evidence", "gone")
        brief = tmp_path / "brief"
        brief.write_text("Nothing like it here.")
        ca.lintel("review", "file", review, brief)
        ca.lintel("training", "course", "scribe", "minutes", "--words", "writes minutes")
        ca.lintel("training", "role", "ann", "scribe")
        ca.lintel("training", "record", "ann", "scribe", "minutes", "--evidence", "drill 1")
        status, text = test_learn.page(ca, link, do="file", text="Something else is wrong.")
        own = re.search(r"https://[^<\"]+/concern/[A-Za-z0-9_-]+", text).group(0)
        ca.lintel("concern", "answer", 2, "We know.")
        assert "We know." in test_learn.page(ca, own)[1]
        assert ca.json("concern", "show", 1)["words"] == "Something is wrong."
        assert [a["status"] for a in ca.json("action", "list", "--for", "review 1")["actions"]] == ["Delayed", "Complete"]
        audit = ca.json("audit", "verify")
        assert audit["ok"], audit["findings"]
        tables = packed(ca, tmp_path / "later")
        assert len(tables["actions"]) == 2 and tables["follow-ups"] == [] and len(tables["trainings"]) == 1
        ca.stop()
    finally:
        server.stop()

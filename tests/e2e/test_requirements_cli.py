"""lintel requirements: coverage and diff as a program, the import of editions, and the check that map and tree agree."""
import json
import subprocess
import sys

import pytest
from acmeclient import Client
from conftest import LINTEL, ROOT

COLUMNS = "doc\tsection\ttitle\tline\tkind\tfield\tkeywords\ttext\n"
OLD = [("BR", "7.1.2.7.6", "10", "", "MUST", "The certificate MUST contain a subjectAltName."),
       ("BR", "7.1.2.7.6", "11", "`keyUsage`", "SHOULD,CRIT-Y", "SHOULD | Y | See elsewhere"),
       ("BR", "4.9.1", "20", "", "SHALL", "The CA SHALL revoke the certificate within 24 hours of the report."),
       ("BR", "4.9.2", "30", "", "MUST", "Anybody MUST be able to report a problem."),
       ("SBR", "7.1.4", "40", "", "MUST", "The mailbox MUST be validated.")]
NEW = [OLD[0], OLD[1],
       ("BR", "4.9.1", "21", "", "SHALL", "The CA SHALL revoke the certificate within 12 hours of the report."),
       ("BR", "4.9.3", "31", "", "MUST", "Anybody MUST be able to report a problem."),
       ("BR", "6.3.2", "50", "", "MUST NOT", "Entirely different words MUST NOT be taken for anything above.")]


def edition(path, rows):
    path.write_text(COLUMNS + "".join(f"{d}\t{s}\tT\t{line}\t{'table' if field else 'prose'}\t{field}\t{words}\t{text}\n"
                                      for d, s, line, field, words, text in rows))
    return path


def requirements(*args, **kw):
    return subprocess.run([LINTEL, "requirements", *map(str, args)], capture_output=True, text=True, timeout=60, **kw)


def tool(name, *args):
    return subprocess.run([sys.executable, ROOT / "tools" / name, *map(str, args)], capture_output=True, text=True)


def rows_of(path):
    lines = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    return [dict(zip(lines[0], row)) for row in lines[1:]]


def fill(path, **cells):
    """Changes the cells of one row: by section."""
    lines = path.read_text().splitlines(True)
    section = cells.pop("section")
    head = next(line for line in lines if not line.startswith("#")).rstrip("\n").split("\t")
    for i, line in enumerate(lines):
        row = line.rstrip("\n").split("\t")
        if not line.startswith("#") and row[2] == section:
            for name, value in cells.items():
                row[head.index(name.replace("_", "-"))] = value
            lines[i] = "\t".join(row) + "\n"
            break
    path.write_text("".join(lines))


@pytest.fixture
def old(tmp_path):
    return edition(tmp_path / "old.tsv", OLD)


@pytest.fixture
def new(tmp_path):
    return edition(tmp_path / "new.tsv", NEW)


@pytest.fixture
def table(tmp_path, old):
    made = tool("requirements-import", old, "--edition", "BR=1", "--edition", "SBR=1", "--map", tmp_path / "map.tsv")
    assert made.returncode == 0, made.stderr
    return tmp_path / "map.tsv"


def test_the_map_that_is_built_in():
    shown = json.loads(requirements("coverage", "--json").stdout)["documents"]
    by_name = {d["document"]: d for d in shown}
    rows = rows_of(ROOT / "data" / "requirements.tsv")
    for name in ("BR", "EVG", "SBR"):
        own = [r for r in rows if r["document"] == name]
        d = by_name[name]
        assert d["statements"] == len(own) == sum(s["statements"] for s in d["sections"])
        for status in ("kept", "procedural", "not-applicable", "not-yet"):
            assert d[status] == sum(r["status"] == status for r in own) == sum(s[status] for s in d["sections"])
    assert sum(by_name[d]["statements"] for d in ("BR", "EVG", "SBR")) == 1746
    rfcs = {"RFC 5280", "RFC 6960", "RFC 8555", "RFC 8657", "RFC 8659", "RFC 8737", "RFC 8738", "RFC 9773"}
    assert rfcs <= set(by_name)
    open_rows = [r for r in rows if r["status"] == "not-yet"]
    assert [r for r in open_rows if not r["reason"].startswith("issue ")] == [], "what is not kept yet has an issue"


RFC = """\
RFC 9999                          Examples                     March 2020

1.  Introduction

   The key words "MUST" and "SHOULD" are to be read as in BCP 14.

2.1.  Servers

   Servers SHOULD answer (i.e., within a second).  They MUST NOT
   lie to

Somebody                     Standards Track                    [Page 1]

RFC 9999                          Examples                     March 2020

   anybody.  Nothing is asked of clients.
"""


def test_an_edition_is_made_from_an_rfc(tmp_path):
    (tmp_path / "rfc9999.txt").write_text(RFC)
    made = tool("requirements-from-rfc", tmp_path / "rfc9999.txt")
    assert made.stdout.splitlines()[1:] == [
        "RFC 9999\t2.1\tServers\t9\tprose\t\tSHOULD\tServers SHOULD answer (i.e., within a second).",
        "RFC 9999\t2.1\tServers\t9\tprose\t\tMUST NOT\tThey MUST NOT lie to anybody."]
    (tmp_path / "edition.tsv").write_text(made.stdout)
    args = ("--edition", "RFC 9999=2020", "--map", tmp_path / "map.tsv")
    assert "2 statements of 1 documents" in tool("requirements-import", tmp_path / "edition.tsv", *args).stdout
    assert tool("requirements-from-rfc", tmp_path / "edition.tsv").returncode == 1


def test_coverage(table):
    fill(table, section="4.9.1", status="kept", kept_by="code:src/ca/revoke.c", reason="-")
    fill(table, section="4.9.2", status="procedural", reason="a telephone")
    text = requirements("coverage", "--map", table).stdout
    assert "BR 1 " in text and "1 (25 %)" in text
    few = json.loads(requirements("coverage", "--map", table, "--json", "--document", "BR", "--section", "4.9").stdout)
    assert [s["section"] for s in few["documents"][0]["sections"]] == ["4.9.1", "4.9.2"]
    assert few["documents"][0]["kept_share"] == 0.5
    listed = json.loads(requirements("coverage", "--map", table, "--json", "--status", "procedural").stdout)
    assert [s["reason"] for s in listed["statements"]] == ["a telephone"]
    assert requirements("coverage", "--map", table, "--section", "99").returncode == 3
    assert requirements("coverage", "--map", table.parent / "nothing").returncode == 3


def test_diff_names_every_change_and_what_it_touches(table, old, new):
    fill(table, section="4.9.1", status="kept", kept_by="code:src/x.c rule:e_x", reason="-")
    out = json.loads(requirements("diff", old, new, "--map", table, "--json").stdout)
    assert out["counts"] == {"same": 2, "added": 1, "removed": 1, "reworded": 1, "moved": 1, "moved-reworded": 0}
    by_kind = {c["change"]: c for c in out["changes"]}
    assert by_kind["reworded"]["kept_by"] == ["code:src/x.c", "rule:e_x"] and by_kind["reworded"]["status"] == "kept"
    assert "24 hours" in by_kind["reworded"]["old_text"] and "12 hours" in by_kind["reworded"]["new_text"]
    assert (by_kind["moved"]["old_section"], by_kind["moved"]["new_section"]) == ("4.9.2", "4.9.3")
    assert by_kind["removed"]["document"] == "SBR" and by_kind["removed"]["new_section"] is None
    assert by_kind["added"]["new_section"] == "6.3.2" and by_kind["added"]["rules"], "rules that cite BR 6.3.2"
    assert "tls-server" in by_kind["added"]["profiles"] and "ca-smime" not in by_kind["added"]["profiles"]
    assert "ca-smime" in by_kind["removed"]["profiles"]
    assert {p["certificates"] for p in out["profiles"]} == {None}
    text = requirements("diff", old, new, "--map", table).stdout
    assert "reworded  BR 4.9.1  (line 20 -> 21)" in text and "kept by: code:src/x.c rule:e_x" in text
    assert "5 statements were 5: 1 added, 1 removed, 1 reworded, 1 moved, 2 the same" in text
    same = requirements("diff", old, old).stdout
    assert same == "5 statements were 5: 0 added, 0 removed, 0 reworded, 0 moved, 5 the same\n"


def test_every_statement_of_the_map_is_found_by_its_text(table, old, tmp_path):
    gone = json.loads(requirements("diff", old, edition(tmp_path / "none.tsv", []), "--map", table, "--json").stdout)
    assert [c["status"] for c in gone["changes"]] == ["not-yet"] * len(OLD), "both make the same keys"


def test_diff_counts_live_certificates(ca, webroot, old, new):
    client = Client(ca.directory, ca.root, webroot.challenges)
    client.register()
    client.issue("requirements.example.com")
    out = json.loads(requirements("diff", old, new, "--json", "--dir", ca.folder).stdout)
    counts = {p["profile"]: p["certificates"] for p in out["profiles"]}
    assert counts["tls-server"] == len(ca.json("cert", "list", "--all", "--profile", "tls-server", "--status", "valid")
                                       ["certificates"]) >= 1


def test_bad_editions_are_refused(tmp_path, old):
    bad = tmp_path / "bad.tsv"
    for text, says in (("", "bad.tsv:1"), ("doc\tsection\n", "bad.tsv:1"), (COLUMNS + "BR\t1\n", "bad.tsv:2")):
        bad.write_text(text)
        result = requirements("diff", old, bad)
        assert result.returncode == 1 and says in result.stderr
    assert requirements("diff", old).returncode == 2
    assert requirements("diff", old, tmp_path / "nothing").returncode == 3


# The tools

def test_import_is_idempotent_and_keeps_links(table, old, new):
    before = table.read_bytes()
    assert [r["summary"] for r in rows_of(table)] == ["-", "keyUsage: SHOULD, critical", "-", "-", "-"]
    assert tool("requirements-import", old, "--edition", "BR=1", "--edition", "SBR=1", "--map", table).returncode == 0
    assert table.read_bytes() == before
    fill(table, section="4.9.1", status="kept", kept_by="code:src/ca/revoke.c")
    fill(table, section="4.9.2", status="procedural", reason="a telephone")
    fill(table, section="7.1.4", status="procedural", reason="a mailbox")
    moved = tool("requirements-import", new, "--edition", "BR=2", "--from", old, "--map", table)
    assert moved.returncode == 0, moved.stderr
    rows = {(r["document"], r["section"]): r for r in rows_of(table)}
    assert rows["BR", "4.9.3"]["reason"] == "a telephone", "moved"
    assert rows["BR", "4.9.1"]["status"] == "not-yet" and "look again" in rows["BR", "4.9.1"]["reason"], "reworded"
    assert rows["BR", "4.9.1"]["kept-by"] == "code:src/ca/revoke.c"
    assert rows["BR", "6.3.2"]["status"] == "not-yet"
    assert rows["SBR", "7.1.4"]["reason"] == "a mailbox", "another document is left alone"
    assert ("BR", "4.9.2") not in rows


def test_documents_with_blanks_in_their_names(table, tmp_path):
    rfc = edition(tmp_path / "rfc.tsv", [("RFC 5280", "4.1.2.2", "1", "", "MUST", "The serial number MUST be positive."),
                                         ("RFC 6960", "4.2.1", "2", "", "MUST", "Responses MUST be signed.")])
    made = tool("requirements-import", rfc, "--edition", "RFC 5280=2008", "--edition", "RFC 6960=2013", "--map", table)
    assert made.returncode == 0, made.stderr
    assert tool("check-requirements", table).returncode == 0
    fill(table, section="4.1.2.2", status="kept", kept_by="rule:e_serial_number_not_positive rule:e_excessively%20backdated")
    assert tool("check-requirements", table).returncode == 0, tool("check-requirements", table).stdout
    shown = json.loads(requirements("coverage", "--map", table, "--json", "--document", "RFC 5280").stdout)["documents"]
    assert shown[0]["edition"] == "2008" and shown[0]["kept_share"] == 1.0


def test_import_says_what_it_drops(table, new, tmp_path):
    fill(table, section="7.1.2.7.6", status="kept", kept_by="rule:e_ext_san_missing")
    less = edition(tmp_path / "less.tsv", NEW[2:])
    assert "dropped: BR 7.1.2.7.6" in tool("requirements-import", less, "--edition", "BR=2", "--map", table).stderr
    assert tool("requirements-import", less, "--map", table).returncode == 2, "which edition?"


def test_the_map_and_the_tree_agree():
    result = tool("check-requirements")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("cells,says", [
    ({"status": "kept"}, "kept, but by nothing"),
    ({"status": "done"}, "status \"done\" is none of"),
    ({"status": "procedural"}, "procedural needs a reason"),
    ({"status": "not-applicable"}, "not-applicable needs a reason"),
    ({"status": "kept", "kept_by": "rule:e_there_is_none"}, "rule:e_there_is_none: there is no such rule"),
    ({"status": "kept", "kept_by": "code:src/nothing.c"}, "code:src/nothing.c: there is no such file"),
    ({"status": "kept", "kept_by": "code:src/base/buf.c:lt_buf_nothing"}, "src/base/buf.c has no lt_buf_nothing"),
    ({"status": "kept", "kept_by": "code:../etc/passwd"}, "there is no such file"),
    ({"status": "kept", "kept_by": "test:src/base/buf.c"}, "tests are below tests/"),
    ({"status": "kept", "kept_by": "code:tests/conftest.py"}, "code is not below tests/"),
    ({"status": "kept", "kept_by": "src/base/buf.c"}, "a link is rule:ID"),
    ({"section": "4.9.1", "key": "0123456789abcdef"}, "are not the 4 of edition 1"),
    ({"summary": "one two three four five six seven eight nine ten eleven twelve thirteen"}, "more than 12 words"),
    ({"reason": ""}, "an empty cell is written -"),
])
def test_the_check_finds(table, cells, says):
    assert tool("check-requirements", table).returncode == 0
    fill(table, **{"section": "4.9.2", **cells})
    result = tool("check-requirements", table)
    assert result.returncode == 1 and says in result.stdout, result.stdout


def test_the_check_misses_a_row(table):
    lines = table.read_text().splitlines(True)
    table.write_text("".join(lines[:-2] + lines[-1:]))
    assert "are not the" in tool("check-requirements", table).stdout


def test_good_links_pass(table):
    fill(table, section="4.9.2", status="kept",
         kept_by="code:src/base/buf.c code:src/base/buf.c:lt_buf_add test:tests/conftest.py:free_port")
    result = tool("check-requirements", table)
    assert result.returncode == 0, result.stdout

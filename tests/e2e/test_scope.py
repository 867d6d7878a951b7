"""Scopes on the command line: what an expression means for certificates that were really issued, how errors point, and saved scopes
from version to version."""
import json
import os
import time

import pytest
from acmeclient import Client


@pytest.fixture
def user(ca, webroot):
    client = Client(ca.directory, ca.root, webroot.challenges)
    client.register()
    return client


def count(ca, expression, *options):
    return int(ca.lintel("scope", expression, *options).stdout)


def test_issued_certificates_are_found_by_all_that_is_known_of_them(ca, user):
    user.issue("one.scope.example.com", "two.scope.example.com")
    user.issue("three.scope.example.com", profile="tls-server-short")
    assert count(ca, "suffix = scope.example.com") == 2
    assert count(ca, "name = one.scope.example.com") == 1
    assert count(ca, "suffix = scope.example.com and names = 2") == 1
    assert count(ca, "suffix = scope.example.com and profile = tls-server-short") == 1
    assert count(ca, "suffix = scope.example.com and method = http-01 and quorum >= 1") == 2
    assert count(ca, "suffix = scope.example.com and method = dns-01") == 0
    assert count(ca, "suffix = scope.example.com and caa_unknown and validation_age < 1h and age < 1h") == 2
    assert count(ca, "suffix = scope.example.com and build >= 0.0.1 and validator_build >= 0.0.1 and valid") == 2
    assert count(ca, "suffix = scope.example.com and key_type = p256 and issuer = tls and not revoked") == 2
    assert count(ca, "suffix = scope.example.com", "--at", "2020-01-01") == 0


def test_list_and_pages(ca, user):
    for i in range(3):
        user.issue(f"n{i}.list.example.com")
    whole = ca.json("scope", "suffix = list.example.com", "--list")
    assert whole["count"] == 3 and whole["next"] is None
    assert sorted(row["names"][0] for row in whole["certificates"]) == [f"n{i}.list.example.com" for i in range(3)]
    first = ca.json("scope", "suffix = list.example.com", "--list", "--limit", 2)
    second = ca.json("scope", "suffix = list.example.com", "--list", "--limit", 2, "--cursor", first["next"])
    assert first["certificates"] + second["certificates"] == whole["certificates"]
    paged = ca.json("scope", "suffix = list.example.com", "--list", "--limit", 1, "--all")
    assert paged["certificates"] == whole["certificates"]
    assert "n1.list.example.com" in ca.lintel("scope", "suffix = list.example.com", "--list").stdout


def test_a_revoked_one_moves(ca, user):
    user.issue("gone.example.com")
    serial = ca.json("scope", "name = gone.example.com", "--list")["certificates"][0]["serial"]
    assert count(ca, "name = gone.example.com and valid") == 1
    ca.lintel("revoke", serial, "--reason", "superseded", "--yes")
    assert count(ca, "name = gone.example.com and valid") == 0
    assert count(ca, "name = gone.example.com and revoked and reason = superseded and revoked_at > now-1h") == 1
    assert count(ca, f"serial = {serial} and status = revoked") == 1


@pytest.mark.parametrize("expression, mark, says", [
    ("expired and", 11, "here stands a field"),
    ("issuer = nobody", 9, "there is no issuer"),
    ("expired and profile in {tls-server, no-such}", 36, "there is no profile"),
    ("caa_age > 8", 10, "a duration"),
    ("issued > 2025-02-30", 9, "a day"),
    ("nonsense", 0, "no such field"),
])
def test_errors_point_at_the_character(ca, expression, mark, says):
    result = ca.lintel("scope", expression, check=False)
    assert result.returncode == 2 and says in result.stderr
    lines = result.stderr.splitlines()
    at = next(i for i, line in enumerate(lines) if line == "  " + expression)
    assert lines[at + 1].index("^") == mark + 2


def test_a_value_that_the_book_has_nowhere_is_told(ca, user):
    user.issue(f"v{os.urandom(4).hex()}.example.com")
    for words in (("scope",), ("scope", "--by", "profile"), ("scope", "--list"), ("scope", "--explain"), ("cert", "stats", "--scope"),
                  ("cert", "export", "--scope"), ("revoke", "--reason", "superseded", "--scope")):
        r = ca.lintel(*words[:1], "method = HTTP-01", *words[1:]) if words[0] == "scope" else ca.lintel(*words, "method = HTTP-01")
        assert r.stderr.count('note: the book has no method "HTTP-01"; it has') == 1 and "http-01" in r.stderr, (words, r.stderr)
    assert "note" not in ca.lintel("scope", "method = http-01").stderr
    assert ca.json("scope", "method = HTTP-01")["remarks"] and "remarks" not in ca.json("scope", "method = http-01")


@pytest.mark.parametrize("expression, at", [("(" * 65 + "expired" + ")" * 65, 64), (" or ".join(["expired"] * 301), None)])
def test_over_the_limits_is_bad_usage_too(ca, expression, at):
    r = ca.lintel("scope", expression, check=False)
    assert r.returncode == 2 and "byte" in r.stderr and "^" in r.stderr, r.stderr
    assert at is None or f"byte {at}" in r.stderr


def test_explain(ca):
    answer = ca.json("scope", "caa_age>480m and not expired", "--explain")
    assert answer["scope"] == "caa_age > 8h and not expired"
    assert answer["words"] == ["all of these:",
                               "  age of the oldest check of CAA for its names at issuance is more than 8h",
                               "  it is not so that its notAfter is past"]
    assert "480" not in answer["count_plan"]["sql"] and answer["count_plan"]["values"] == 2
    assert any("certificate_summary" in step for step in answer["count_plan"]["steps"])
    assert "Certificates of which" in ca.lintel("scope", "expired", "--explain").stdout


def test_what_is_typed_never_becomes_sql(ca):
    for value in ["x' OR '1'='1", "x; DROP TABLE certificate", "?1", "@", "#", "%", "x\\\\'--"]:
        assert count(ca, f'finding = "{value}" or perspective = "{value}" or kind = "{value}"') == 0


SETTLED = 2.1  # a result is of a whole second that is over


def save(ca, name, expression, *options):
    time.sleep(SETTLED)
    return ca.json("scope", expression, "--save", name, *options)


def names_of(side):
    return sorted(name for row in side["certificates"] for name in row["names"])


def test_saved_scopes_have_versions(ca, user):
    user.issue("v1.saved.example.com")
    first = save(ca, "my-scope", "suffix = saved.example.com", "--note", "report 17")
    assert (first["version"], first["count"]) == (1, 1)
    time.sleep(SETTLED)
    same = ca.lintel("scope", "suffix=saved.example.com", "--save", "my-scope", check=False)
    assert same.returncode != 0 and "says the same" in same.stderr
    user.issue("v2.other.example.com")
    changed = save(ca, "my-scope", "suffix = other.example.com")
    assert changed["version"] == 2 and changed["count"] == 1
    shown = ca.json("scope", "show", "my-scope")["versions"]
    assert [row["version"] for row in shown] == [2, 1]
    assert shown[-1]["note"] == "report 17" and shown[0]["scope"] == "suffix = other.example.com"
    diff = ca.json("scope", "diff", "my-scope")
    assert [diff[side]["count"] for side in ("added", "removed")] == [1, 1]
    assert names_of(diff["added"]) == ["v2.other.example.com"] and names_of(diff["removed"]) == ["v1.saved.example.com"]
    assert "added: 1" in ca.lintel("scope", "diff", "my-scope").stdout
    # what was true at the moment of saving is still what the book says of it, whatever came after
    user.issue("v3.other.example.com")
    run = ca.json("scope", "run", "my-scope")
    assert run["as_saved"] and run["count_then"] == run["count_saved"] == 1
    assert run["members_sha256_then"] == shown[0]["members_sha256"]
    assert run["count"] == 2
    assert names_of(run["added"]) == ["v3.other.example.com"] and run["removed"]["count"] == 0
    assert "my-scope" in [row["name"] for row in ca.json("scope", "list")["scopes"]]
    assert any(e["kind"] == "scope.saved" for e in ca.json("event", "list", "--subject", "scope my-scope")["events"])


def test_the_same_expression_with_another_result(ca, user):
    """What came and what went between two versions, although not a letter of them differs."""
    for i in range(3):
        user.issue(f"old{i}.moved.example.com")
    expression = "suffix = moved.example.com and not revoked"
    assert save(ca, "moved", expression)["count"] == 3
    gone = ca.json("scope", "name = old1.moved.example.com", "--list")["certificates"][0]["serial"]
    ca.lintel("revoke", gone, "--reason", "superseded", "--yes")
    for i in range(2):
        user.issue(f"new{i}.moved.example.com")
    second = save(ca, "moved", expression)
    assert (second["version"], second["count"]) == (2, 4)
    diff = ca.json("scope", "diff", "moved")
    assert names_of(diff["added"]) == ["new0.moved.example.com", "new1.moved.example.com"]
    assert names_of(diff["removed"]) == ["old1.moved.example.com"]
    now = ca.json("scope", "diff", "moved", "--now")
    assert now["added"]["count"] == now["removed"]["count"] == 0
    back = ca.json("scope", "diff", "moved", "--version", 1, "--against", 2)
    assert (back["added"]["certificates"], back["removed"]["certificates"]) == (
        diff["removed"]["certificates"], diff["added"]["certificates"])
    # one side, a page at a time, and all of it as one document
    first = ca.json("scope", "diff", "moved", "--side", "added", "--limit", 1)
    assert first["count"] == 2 and len(first["certificates"]) == 1
    second = ca.json("scope", "diff", "moved", "--side", "added", "--limit", 1, "--cursor", first["next"])
    assert sorted(names_of(first) + names_of(second)) == names_of(diff["added"])
    whole = ca.json("scope", "diff", "moved", "--side", "added", "--limit", 1, "--all")
    assert names_of(whole) == names_of(diff["added"]) and whole["next"] is None
    since = ca.json("scope", "run", "moved", "--version", 1, "--side", "removed", "--all")
    assert names_of(since) == ["old1.moved.example.com"]
    for words in (["--side", "both"], ["--all"], ["--cursor", "x"], ["--side", "added", "--cursor", "x"]):
        assert ca.lintel("scope", "diff", "moved", *words, check=False).returncode in (1, 2)


def test_what_has_no_history_is_said_to_be_of_now(ca, user):
    user.issue("tiered.example.com")
    time.sleep(SETTLED)
    ca.json("scope", "suffix = tiered.example.com and tier in {automatic, unattended, reachable, by-hand}", "--save", "tiered")
    run = ca.json("scope", "run", "tiered")
    assert run["of_now"] and run["as_saved"] and run["count"] == 1
    ca.json("scope", "suffix = tiered.example.com", "--save", "untiered")
    assert not ca.json("scope", "run", "untiered")["of_now"]


def test_counted_by_a_field(ca, user):
    user.issue("one.by.example.com", "two.by.example.com")
    user.issue("three.by.example.com", profile="tls-server-short")
    of = "suffix = by.example.com"
    by = ca.json("scope", of, "--by", "profile")
    assert {g["value"]: g["count"] for g in by["groups"]} == {"tls-server": 1, "tls-server-short": 1}
    assert by["count"] == 2 and by["group_count"] == 2 and by["others"] == 0 and not by["several"]
    by = ca.json("scope", of, "--by", "method")
    assert by["groups"] == [{"value": "http-01", "count": 2}] and by["several"]
    by = ca.json("scope", of, "--by", "revoked")
    assert by["groups"] == [{"value": "no", "count": 2}]
    by = ca.json("scope", of, "--by", "reason")
    assert by["groups"] == [{"value": None, "count": 2}]
    by = ca.json("scope", of, "--by", "names", "--limit", 1)
    assert by["groups"] == [{"value": "1", "count": 1}] and by["group_count"] == 2 and by["others"] == 1
    by = ca.json("scope", of, "--by", "issued:day")
    assert [g["count"] for g in by["groups"]] in ([2], [1, 1])
    before = ca.json("scope", of, "--by", "profile", "--at", "2020-01-01")
    assert before["count"] == 0 and before["groups"] == []
    shown = ca.lintel("scope", of, "--by", "profile").stdout
    assert shown.splitlines()[0].split() == ["PROFILE", "CERTIFICATES", "SHARE"] and "50.0 %" in shown
    for row in ca.json("scope", "--fields"):  # each field is counted by, or says why not
        result = ca.lintel("scope", of, "--by", row["field"], "--json", check=False)
        assert result.returncode in (0, 2), (row, result.stderr)
        assert result.returncode == 0 or "count by" in result.stderr, result.stderr


@pytest.mark.parametrize("by, says", [
    ("nothing", "no field"), ("serial", "nearly every"), ("issued:week", "day, month or year"), ("caa_age:month", "hour or day"),
    ("issuer:day", "its values"), ("profile; DROP TABLE certificate", "no field"),
])
def test_what_nobody_counts_by(ca, by, says):
    result = ca.lintel("scope", "expired", "--by", by, check=False)
    assert result.returncode == 2 and says in result.stderr


@pytest.mark.parametrize("words, says", [
    (["show", "no-such"], "no scope"),
    (["diff", "no-such"], "there is no scope"),
    (["diff", "no-such", "--side", "added"], "there is no scope"),
    (["run", "no-such", "--version", "3"], "no such version"),
    (["show", "Not A Name"], "a-z"),
])
def test_saved_scopes_that_are_not_there(ca, words, says):
    result = ca.lintel("scope", *words, check=False)
    assert result.returncode in (2, 3) and says in result.stderr


def test_fields_are_listed(ca):
    fields = {row["field"]: row for row in ca.json("scope", "--fields")}
    assert fields["caa_age"]["type"] == "duration" and len(fields) > 40
    assert json.dumps(fields)


def test_a_scope_from_a_file(ca, tmp_path):
    file = tmp_path / "serials"
    file.write_text("serial in {\n" + ",\n".join(f"{n:032x}" for n in range(1, 1500)) + "\n}")
    assert int(ca.lintel("scope", "--file", file).stdout) == 0
    assert ca.lintel("scope", "--file", file, "--save", "Big Name", check=False).returncode != 0

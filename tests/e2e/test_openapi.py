"""The operator API's document is what the programs do: its paths are the tables', its members are what the sources write and read, a
running family's answers look as it says, and it says who may what."""
import json
import re
from pathlib import Path

import jsonschema
import openapi
import pytest
from conftest import Ca, free_port

SRC = Path(__file__).resolve().parents[2] / "src"
ROLES = {"viewer", "operator", "approver", "auditor", "intake"}
# Texts beside members in calls of that form.
WRITTEN = re.compile(r'\bquery_(?:text|cstr|int|id|bool|hex|base64|pem|time|raw|open)\(\s*\w+,\s*"([\w.-]+)"')
# Members that are read of a change, in the files that no table describes.
READ = re.compile(r'(?:ca_api_text|ca_api_count|ca_api_time|ca_api_hash|jose_json_\w+|json_object_get|read_texts|read_text|read_number|read_blob)\(\s*\w+,\s*"([\w-]+)"')
ROW = re.compile(r'\{"[a-z.]+", "([\w-]+)", MEMBER_')


@pytest.fixture(scope="module")
def family(tmp_path_factory, dns):
    """One with something of most kinds in its book."""
    folder = tmp_path_factory.mktemp("openapi")
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)
    ca = Ca(folder, dns.port, free_port()).start()
    ca.lintel("eab", "create", "the web team", "--domain", "web.example.com")
    ca.lintel("halt", "--name-suffix", "example.com", "--reason", "looking into a report")
    ca.lintel("resume", ca.json("halt", "list")["halts"][0]["id"], "--yes")
    ca.lintel("incident", "open", "CAA was not checked again", "--source", "post-issuance", "--cause", "caa-unreliable", "--severity", "high")
    ca.lintel("scope", "valid", "--save", "all")
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def api(family):
    return openapi.Api(family.folder)


@pytest.fixture(scope="module")
def document(api):
    status, kind, body = api.ask("openapi.json")
    assert (status, kind) == (200, "application/json")
    return json.loads(body)


def operations(document):
    return [(path, method, o) for path, methods in document["paths"].items() for method, o in methods.items()]


def names_in(schema, document, seen=None):
    """Every member that a schema names, whatever its depth."""
    if isinstance(schema, list):
        return set().union(*(names_in(s, document, seen) for s in schema)) if schema else set()
    if not isinstance(schema, dict):
        return set()
    found = set(schema.get("properties", {}))
    return found.union(*(names_in(v, document, seen) for v in schema.values()), set())


def answers_of(document):
    return [o["responses"].get("200", o["responses"].get("2XX", {})).get("content", {}).get("application/json", {}).get("schema", {})
            for _, _, o in operations(document)]


def test_it_says_everything_that_the_tables_have(document):
    assert document["x-lintel-wrong"] == []
    assert document["openapi"].startswith("3.1.")
    assert len(operations(document)) > 200
    ids = [o["operationId"] for _, _, o in operations(document)]
    assert len(ids) == len(set(ids))
    for path, method, o in operations(document):
        assert o["summary"][0].isupper() and o["tags"], (method, path)
        assert [p["name"] for p in o["parameters"] if p["in"] == "path"] == re.findall(r"\{(\w+)\}", path)


def test_its_references_lead_somewhere(document):
    for target in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        place = document
        for part in target.split("/"):
            place = place[part]


def test_whoever_may_not_is_named_by_role(document):
    for path, method, o in operations(document):
        roles = set(o.get("x-lintel-roles", []))
        assert roles <= ROLES and "intake" not in roles or method == "post", (method, path)
        if o["security"] == [{"session": []}]:
            assert roles - {"intake"}, (method, path)
        elif o["security"]:
            assert roles and "application/jose+json" in o["requestBody"]["content"], (method, path)
    said = {path.removeprefix("/api/v1/"): set(o["x-lintel-roles"]) for path, method, o in operations(document) if method == "get" and o["security"]}
    assert "viewer" not in said["events"] and "viewer" in said["certificates"]
    assert said["sessions"] == {"operator", "auditor"}


def test_paths_are_those_that_are_answered(document, api):
    """Each path is known to the notary, by that method and by no other; and another path is not."""
    def answered(target, method):
        return any(method in m and re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", p), "/api/v1/" + target) for p, m in document["paths"].items())

    for path, methods in document["paths"].items():
        target = path.removeprefix("/api/v1/").replace("{id}", "1").replace("{serial}", "00")
        if not answered(target, "get"):
            assert api.ask(target)[0] == 405, path
        if not answered(target, "post"):
            assert api.ask(target, "x")[0] == 405, path
        elif "post" in methods and methods["post"]["security"] == [{"signature": []}]:
            status, _, body = api.ask(target, "x")
            assert status == 400 and b"application/jose+json" in body, (path, status, body)
    assert api.ask("nothing")[0] == 404


def test_members_that_sources_write_are_said(document):
    """What a query writes under a name of its own is a member of some answer, and what an answer names is written somewhere."""
    said = names_in(answers_of(document), document)
    sources = {p: p.read_text() for p in [*SRC.glob("ca/query*.c"), *SRC.glob("incident/*_ask.c"), *SRC.glob("incident/overview*.c")]}
    for path, text in sources.items():
        if path.name in ("public_ask.c",):  # of pages for everybody, not of this API
            continue
        assert set(WRITTEN.findall(text)) <= said, path.name
    everything = "".join(p.read_text() for p in SRC.rglob("*.[ch]"))
    written = set(re.findall(r'"([\w.-]+)', everything)) | set(re.findall(r'\\"([\w.-]+)\\"', everything))
    assert said - written <= {"openapi", "info", "paths", "components"}


def test_members_that_sources_read_are_said(document):
    takes = [o["requestBody"]["content"]["application/jose+json"]["x-lintel-payload"] for _, _, o in operations(document)
             if "application/jose+json" in o.get("requestBody", {}).get("content", {})]
    said = names_in(takes, document)
    texts = {p.name: p.read_text() for p in [*SRC.glob("ca/api_*.c"), SRC / "role/notary_login.c"]}
    read = set().union(*(set(READ.findall(t)) | set(ROW.findall(t)) for t in texts.values()))
    assert read - said == set(), "read, and not said"
    by_tables = {f for o in takes if "additionalProperties" in o for f in o.get("properties", {})}
    assert said - read - by_tables - {"message", "path", "was", "rule", "result"} == set()


def test_changes_take_what_it_says_and_nothing_else(document, api):
    """Of every form: a member that nobody knows is refused by its name, and so is one that is missing. Nothing of it changes anything."""
    looked = 0
    for path, _, o in operations(document):
        payload = o.get("requestBody", {}).get("content", {}).get("application/jose+json", {}).get("x-lintel-payload", {})
        if payload.get("additionalProperties") is not False:
            continue
        target = path.removeprefix("/api/v1/").replace("{id}", "999999")
        status, answer = api.change(target, {"no-such-member": 1})
        assert status == 400 and "no-such-member" in answer["detail"], (target, answer)
        for name in payload.get("required", [])[:1]:
            status, answer = api.change(target, {})
            assert status == 400 and f'"{name}" is missing' in answer["detail"], (target, answer)
        looked += 1
    assert looked > 80


CHANGES = [
    ("review-calendar", "", {"within-days": 14}),
    ("reviewers", "", {"name": "rita"}), ("reviewers/{id}/end", "rita", {}),
    ("review-sources", "", {"source": "bug-list", "title": "What others found"}), ("review-sources/end", "", {"source": "bug-list"}),
    ("courses", "", {"role": "desk", "course": "clocks", "words": "Which clock runs when"}),
    ("trainees", "", {"person": "paul", "role": "desk"}), ("trainees/end", "", {"person": "paul", "role": "desk"}),
    ("courses/end", "", {"role": "desk", "course": "clocks"}),
    ("oncall/people", "", {"name": "paul", "mail": "paul@example.org"}), ("oncall/people/{id}/remove", "paul", {}),
    ("drill-dates", "", {"kind": "tabletop", "owner": "desk", "due": "2030-01-01T00:00:00Z"}), ("drill-dates/{id}/drop", "1", {"why": "no"}),
    ("problems", "", {"channel": "phone", "text": "something is wrong", "title": "a call"}), ("problems/{id}/note", "1", {"text": "we look"}),
    ("problems/{id}/link", "1", {"incident": 1}),
    ("incidents/{id}/note", "1", {"words": "so it is"}), ("incidents/{id}/report/assign", "1", {"kind": "full", "section": "summary.description", "role": "desk"}),
    ("halts", "", {"kind": "name-suffix", "value": "example.net", "reason": "r"}),
]


@pytest.mark.parametrize("path, of, payload", CHANGES, ids=[c[0] for c in CHANGES])
def test_changes_answer_as_it_says(document, api, path, of, payload):
    schema = document["paths"]["/api/v1/" + path]["post"]["responses"]["2XX"]["content"]["application/json"]["schema"]
    status, answer = api.change(path.replace("{id}", of), payload)
    assert status < 300, answer
    jsonschema.validate(answer, {**openapi.closed(schema), "components": openapi.closed(document["components"])})


def test_answers_look_as_it_says(document, api):
    answers, asked = openapi.crawl(api, document)
    assert openapi.wrong_in(answers, document) == {}
    assert {"certificates/{serial}", "incidents/{id}", "clocks/{id}", "plans/{id}", "scopes/{id}/run", "overview"} <= asked

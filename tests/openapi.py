"""The operator API's document, and answers held against it: every GET that a family can be asked, and what each must look like."""
import http.client
import json
import re
import socket
from base64 import urlsafe_b64encode
from urllib.parse import quote

import jsonschema
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# Where ids of one path are found: path: (list, its member, key of a row, more of the query).
IDS = {
    "certificates/{serial}": ("certificates", "certificates", "serial", "?issuer={issuer}&evidence=1&der=1"),
    "authorizations/{id}": ("certificates/{serial}", "names", "authorization", ""),
    "accounts/{id}": ("accounts", "accounts", "id", ""),
    "orders/{id}": ("orders", "orders", "id", ""),
    "plans/{id}": ("plans", "plans", "id", ""),
    "crls/{id}": ("issuers", "issuers", "name", ""),
    "enrollments/{id}": ("enrollments", "enrollments", "id", ""),
    "scopes/{id}": ("scopes", "scopes", "name", ""),
    "scopes/{id}/run": ("scopes", "scopes", "name", ""),
    "scopes/{id}/diff": ("scopes", "scopes", "name", "?version=1&against=1"),
    "masses/{id}": ("masses", "masses", "id", ""),
    "readiness/{id}": ("readiness", "subscribers", "account", ""),
    "usage/scans/{id}": ("usage/scans", "scans", "id", ""),
    "keys/{id}": ("certificates", "certificates", "spki_sha256", ""),
    "drills/{id}": ("drills", "drills", "id", ""),
    "rehearsals/{id}": ("rehearsals", "rehearsals", "id", ""),
    "clocks/{id}": ("clocks", "clocks", "id", ""),
    "actions/{id}": ("actions", "actions", "id", ""),
    "reviews/{id}": ("reviews", "reviews", "id", ""),
    "notices/{id}": ("notices", "notices", "id", ""),
    "watches/{id}": ("watches", "watches", "number", ""),
}
LISTED_BY = {"incidents/{id}": ("incidents", "incidents", "id"), "problems/{id}": ("problems", "problems", "id")}
ASKED_WITH = {"usage/history": "?name=example.com", "certificates": "?limit=20", "events": "?limit=50", "inventory": "?limit=3",
              "clocks": "?limit=30", "notices": "?limit=30", "affected": "?name=example.com"}
TEXTS = [("scope/check", "valid"), ("scope/check", "metod = x"), ("scope/count", "valid"), ("scope/count?within=50", "valid"),
         ("scope/groups?by=profile", "valid"), ("scope/list?limit=3", "valid"), ("scope/explain", "valid"), ("scope/run", "valid")]
NOT_ASKED = {"live", "nonce", "session"}  # a stream, a header alone, and what only the console has
NEEDS_MORE = {"incidents/{id}/report/members", "incidents/{id}/report/delayed", "incidents/{id}/report/appendix", "incidents/{id}/forecast"}


class Socket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Api:
    def __init__(self, folder):
        self.folder, self.socket = folder, folder / "run" / "api.sock"

    def ask(self, path, text=None, kind="text/plain"):
        """(status, content type, bytes)."""
        c = Socket(self.socket)
        try:
            c.request("GET" if text is None else "POST", f"/api/v1/{path}", text, {"Content-Type": kind} if text else {})
            answer = c.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read()
        finally:
            c.close()

    def change(self, path, payload, operator="admin"):
        """(status, JSON) of a change that an operator's own key signs, an Ed25519 one."""
        def b64(data):
            return urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()
        key = load_pem_private_key((self.folder / "operators" / f"{operator}.key").read_bytes(), None)
        c = Socket(self.socket)
        try:
            c.request("GET", "/api/v1/nonce")
            nonce = c.getresponse().headers["Replay-Nonce"]
        finally:
            c.close()
        head = b64({"alg": "EdDSA", "kid": f"operator:{operator}", "nonce": nonce, "url": f"lintel:/api/v1/{path}"})
        body = b64(payload)
        signed = {"protected": head, "payload": body, "signature": b64(key.sign(f"{head}.{body}".encode()))}
        status, _, answer = self.ask(path, json.dumps(signed), "application/jose+json")
        return status, json.loads(answer)

    def json(self, path, text=None):
        status, _, body = self.ask(path, text)
        assert status == 200, (path, status, body[:500])
        return json.loads(body)


def rows(answers, listed, member):
    return [row for path, answer in answers if path == listed for row in answer.get(member) or []]


def ids_of(answers, pattern):
    if pattern in IDS:
        listed, member, key, more = IDS[pattern]
    else:
        listed, member, key = next(v for k, v in LISTED_BY.items() if pattern.startswith(k))
        more = ""
    found = {}
    for row in rows(answers, listed, member):
        if row.get(key) not in (None, "", "0", 0):
            found.setdefault(str(row[key]), more.format(**{k: quote(str(v)) for k, v in row.items()}) if more else "")
    return list(found.items())[:4]


def crawl(api, document):
    """(pattern, answer) of every question by GET that this family has an object for, and of the texts."""
    patterns = [p.removeprefix("/api/v1/") for p, methods in document["paths"].items() if "get" in methods]
    answers, asked = [], set()
    for pattern in sorted(patterns, key=lambda p: (p.count("{"), p.startswith("authorizations"), p)):
        if pattern in NOT_ASKED:
            continue
        targets = [(pattern, ASKED_WITH.get(pattern, ""))]
        if "{" in pattern:
            targets = [(pattern.replace("{id}", i).replace("{serial}", i), more) for i, more in ids_of(answers, pattern)]
        for target, more in targets:
            status, _, body = api.ask(target + more)
            if status != 200 and pattern in NEEDS_MORE:
                continue
            assert status == 200, (target, status, body[:300])
            answers.append((pattern, json.loads(body)))
            asked.add(pattern)
    for path, text in [*TEXTS, ("lint?der=1", (api.folder / "ca" / "tls.pem").read_text())]:
        answers.append((path.partition("?")[0] + " POST", api.json(path, text)))
    return answers, asked


def closed(schema):
    """The same, but with no member that it does not name: whatever is added to an answer must be added to the document."""
    if isinstance(schema, dict):
        schema = {k: closed(v) for k, v in schema.items()}
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
    elif isinstance(schema, list):
        schema = [closed(v) for v in schema]
    return schema


def validators(document):
    """pattern: validator of its answer; pattern and " POST" of a text."""
    found = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation["responses"].get("200", {}).get("content", {}).get("application/json")
            if content:
                schema = {**closed(content["schema"]), "components": closed(document["components"])}
                name = path.removeprefix("/api/v1/") + ("" if method == "get" else " POST")
                found[name] = jsonschema.Draft202012Validator(schema)
    return found


def wrong_in(answers, document):
    """What does not look as the document says, by its place."""
    judges = validators(document)
    wrong = {}
    for pattern, answer in answers:
        for e in judges[pattern].iter_errors(answer):
            wrong.setdefault(f"{pattern} {re.sub(r'[0-9]+', 'N', e.json_path)}", e.message[:200])
    return wrong

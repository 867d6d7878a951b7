"""The operator API as an OpenAPI 3.1 document: openapi.py TABLES.json ROOT OUT.json OUT.c OUT.S OUT.d

TABLES.json is what openapi_tables.c says: every path, who may read it, the members of changes, as the notary's own tables have
them; who may change what is in the rows of the registrar (ROLES below). data/openapi/*.api adds what tables do not know: words,
answers, and what is taken where no table says so. A path that one of the two has and the other has not stops the build.

The .api files, line by line; what is indented belongs to what stands above it:

    type Halt = {id: text, kind: text, since: time, lifted: time|null}      a name for a type, for use anywhere below
    group Certificates: what was issued                                     a tag for what follows
    GET certificates                                                        an operation
      Lists certificates by a filter.                                       its summary; more lines are its description
      query cursor limit issuer                                             parameters that it looks at
      body text/plain: the expression                                       a text that is asked about
      takes {issuer?: text, reason: integer}                                members of a change that no table has
      answer {halts: [Halt], next: text|null}                               200; "answer text/event-stream" for what is no JSON

Types: text integer number bool time hex base64 base64url id any, "a word", null, T|T, [T], {name: T, name?: T}, {*: T}, Name."""
import hashlib
import json
import re
import sys
from pathlib import Path

CALLS = ["src/role/registrar_operator.c", "src/incident/*_ops.c"]
SIMPLE = {
    "text": {"type": "string"}, "integer": {"type": "integer"}, "number": {"type": "number"}, "bool": {"type": "boolean"},
    "null": {"type": "null"}, "any": {}, "time": {"$ref": "#/components/schemas/Time"}, "hex": {"$ref": "#/components/schemas/Hex"},
    "base64": {"type": "string", "contentEncoding": "base64"}, "base64url": {"$ref": "#/components/schemas/Base64url"},
    "id": {"$ref": "#/components/schemas/Id"},
}
SCHEMAS = {
    "Time": {"type": "string", "format": "date-time", "description": "RFC 3339, in UTC.",
             "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$"},
    "Hex": {"type": "string", "pattern": "^([0-9a-f]{2})*$"},
    "Base64url": {"type": "string", "pattern": "^[A-Za-z0-9_-]*$", "description": "RFC 4648, without padding."},
    "Id": {"type": "string", "pattern": r"^-?\d+$", "description": "A number of 64 bits; as text, since a JavaScript number has no room for it."},
    "Problem": {
        "type": "object", "required": ["type", "detail", "status"],
        "description": "RFC 9457: what was wrong, where, and what to do.",
        "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "detail": {"type": "string"},
                       "status": {"type": "integer"}, "instance": {"type": "string"}, "subproblems": {"type": "array"}},
    },
    "SignedRequest": {
        "type": "object", "required": ["protected", "payload", "signature"], "additionalProperties": False,
        "description": "A flattened JWS (RFC 7515). The protected header has alg, nonce (of GET nonce), url (\"lintel:\" and the "
                       "path) and kid: \"session:ID\" from the console, \"operator:NAME\" over run/api.sock. The payload is the "
                       "JSON that x-lintel-payload describes.",
        "properties": {name: {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"} for name in ("protected", "payload", "signature")},
    },
}
PARAMETERS = {
    "text": {"type": "string", "maxLength": 512}, "time": SIMPLE["time"], "hex": {"type": "string", "pattern": "^([0-9A-Fa-f]{2})+$"},
    "flag": {"enum": ["0", "1"]}, "id": {"type": "integer", "minimum": 0}, "count": {"type": "integer", "minimum": 0, "maximum": 1000},
    "number": {"type": "integer", "minimum": 0},
}
TOKEN = re.compile(r'\s*(?:([A-Za-z_*][\w.*-]*)|"([^"]*)"|([{}\[\]:,|?]))')
PREFIX = "/api/v1/"


class Wrong(Exception):
    pass


class Types:
    """One type expression, read by descent."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def peek(self):
        m = TOKEN.match(self.text, self.at)
        return (m[0].strip(), m) if m else ("", None)

    def next(self, wanted=None):
        token, m = self.peek()
        if m is None or wanted not in (None, token):
            raise Wrong(f"{wanted or 'a type'} is missing at {self.text[self.at:self.at + 40]!r}")
        self.at = m.end()
        return token

    def whole(self):
        schema = self.alternatives()
        if self.text[self.at:].strip():
            raise Wrong(f"{self.text[self.at:self.at + 40]!r} is left over")
        return schema

    def alternatives(self):
        found = [self.one()]
        while self.peek()[0] == "|":
            self.next()
            found.append(self.one())
        if len(found) == 1:
            return found[0]
        if all(set(f) == {"const"} for f in found):
            return {"enum": [f["const"] for f in found]}
        if all(set(f) == {"type"} for f in found):
            return {"type": [f["type"] for f in found]}
        return {"anyOf": found}

    def one(self):
        token = self.next()
        if token == "[":
            inner = self.alternatives()
            self.next("]")
            return {"type": "array", "items": inner}
        if token == "{":
            return self.members()
        if token.startswith('"'):
            return {"const": token.strip('"')}
        if token[0].isupper():
            return {"$ref": f"#/components/schemas/{token}"}
        if token not in SIMPLE:
            raise Wrong(f"{token!r} is no type")
        return SIMPLE[token]

    def members(self):
        o = {"type": "object"}
        while self.peek()[0] != "}":
            name = self.next().strip('"')
            optional = self.peek()[0] == "?"
            if optional:
                self.next()
            self.next(":")
            schema = self.alternatives()
            if name == "*":
                o["additionalProperties"] = schema
            else:
                o.setdefault("properties", {})[name] = schema
                if not optional:
                    o.setdefault("required", []).append(name)
            if self.peek()[0] == ",":
                self.next()
        self.next("}")
        return o


def blocks(path):
    """(line number, head, [indented lines]), where deeper lines go on with the one above them."""
    found = []
    for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        if depth == 0:
            found.append((n, text, []))
        elif depth > 2 and found[-1][2]:
            found[-1][2][-1] += " " + text
        else:
            found[-1][2].append(text)
    return found


def read(path, schemas, operations, tags):
    tag = None
    for n, head, lines in blocks(path):
        try:
            word, _, rest = head.partition(" ")
            if word == "type":
                name, _, text = " ".join([rest, *lines]).partition("=")
                schemas[name.strip()] = Types(text).whole()
            elif word == "group":
                tag, _, text = rest.partition(": ")
                tags.append({"name": tag, "description": text})
            elif word in ("GET", "POST"):
                if (word, rest) in operations:
                    raise Wrong("stands twice")
                operations[word, rest] = operation(lines, tag)
            else:
                raise Wrong(f"{word!r} begins nothing")
        except Wrong as e:
            sys.exit(f"{path}:{n}: {head}: {e}")


def operation(lines, tag):
    o = {"tag": tag, "words": [], "query": [], "takes": None, "answer": None, "media": "application/json", "body": None}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "query":
            o["query"] = rest.split()
        elif word == "takes":
            o["takes"] = Types(rest).whole()
        elif word == "answer" and rest[0] in "{[" or rest.split("|")[0].strip()[:1].isupper() and word == "answer":
            o["answer"] = Types(rest).whole()
        elif word == "answer":
            o["media"] = rest
        elif word == "body":
            o["body"] = rest.split(": ", 1)
        else:
            o["words"].append(line)
    if not o["words"]:
        raise Wrong("says nothing")
    return o


def field_schema(f):
    kinds = {
        "text": {"type": "string", "maxLength": f["max"]},
        "texts": {"type": "array", "maxItems": 100, "items": {"type": "string", "maxLength": f["max"]}},
        "number": {"type": "integer", "minimum": 0, "maximum": f["max"]},
        "time": SIMPLE["time"], "flag": SIMPLE["bool"],
        "hex": {"type": "string", "pattern": "^([0-9A-Fa-f]{2})+$", "maxLength": 2 * f["max"]},
        "base64url": {**SCHEMAS["Base64url"], "x-lintel-bytes": f["max"]},
        "scope": {"type": "string", "description": "An expression; see POST scope/check."},
        "proofs": {"type": "array", "items": SIMPLE["base64url"]},
    }
    return kinds[f["type"]]


def payload(route, data):
    if route["fields"] is None:
        return data["takes"] or {"type": "object"}
    fields = route["fields"]
    schema = {"type": "object", "additionalProperties": False, "properties": {f["name"]: field_schema(f) for f in fields}}
    needed = [f["name"] for f in fields if f["needed"]]
    return {**schema, "required": needed} if needed else schema


def roles_of_calls(root, used):
    """op: roles, out of the registrar's rows."""
    found = {}
    for path in sorted(p for pattern in CALLS for p in root.glob(pattern)):
        used.append(path)
        text = path.read_text(encoding="utf-8")
        names = dict(re.findall(r"\b([A-Z][A-Z_]*) = ((?:CA_ROLE_\w+[\s|]*)+)", text))
        names |= dict(re.findall(r"#define ([A-Z_]+) \(?((?:CA_ROLE_\w+[\s|]*)+)", text))
        for op, roles in re.findall(r'\{"([a-z]+[.a-z-]*)",\s*([A-Z_|\s]+?),\s*\w+\}', text):
            for name, value in names.items():
                roles = re.sub(rf"\b{name}\b", value, roles)
            found[op] = [r.lower() for r in re.findall(r"CA_ROLE_(\w+)", roles)]
    return found


def path_parameters(path):
    kinds = {"id": {"type": "string", "maxLength": 128, "pattern": "^[0-9A-Za-z._-]+$"},
             "serial": {"type": "string", "maxLength": 40, "pattern": "^([0-9A-Fa-f]{2})+$"}}
    return [{"name": n, "in": "path", "required": True, "schema": kinds[n]} for n in re.findall(r"\{(\w+)\}", path)]


def request_body(route, data):
    kind = route["kind"]
    if kind in ("call", "login"):
        media = {"schema": {"$ref": "#/components/schemas/SignedRequest"}, "x-lintel-payload": payload(route, data)}
        return {"required": True, "content": {"application/jose+json": media}}
    if data["body"]:
        what = {"type": "string", "description": data["body"][1]}
        return {"required": True, "content": {name.strip(): {"schema": what} for name in data["body"][0].split(",")}}
    return None


def describe(route, data, parameters, roles):
    kind, wrong = route["kind"], []
    o = {"operationId": f"{route['what']}" if kind != "query" or route["method"] == "GET" else f"ask.{route['what']}",
         "summary": data["words"][0], "tags": [data["tag"]] if data["tag"] else []}
    if data["words"][1:]:
        o["description"] = " ".join(data["words"][1:])
    body = request_body(route, data)
    o["parameters"] = path_parameters(route["path"])
    for name in data["query"]:
        if name not in parameters:
            wrong.append(f"there is no parameter {name!r}")
            continue
        o["parameters"].append({"name": name, "in": "query", "schema": PARAMETERS[parameters[name]]})
    if kind == "query" and route["method"] == "POST":
        o["parameters"].append({"name": "X-Lintel", "in": "header", "schema": {"type": "string"},
                                "description": "Any value; asked of the console, since no form of another site can send it."})
    if body:
        o["requestBody"] = body
    schema = {"type": "object"} if data["answer"] is None else data["answer"]
    if kind == "call":  # what does not apply is left out
        schema = {k: v for k, v in schema.items() if k != "required"}
    good = {"description": "Done." if kind == "call" else "The answer."}
    if kind == "nonce":
        good["headers"] = {"Replay-Nonce": {"schema": {"type": "string"}}}
    elif data["media"] == "application/json":
        good["content"] = {"application/json": {"schema": schema}}
    else:
        good["content"] = {data["media"]: {}}
    o["responses"] = {"2XX" if kind in ("call", "login", "nonce") else "200": good, "default": {"$ref": "#/components/responses/Problem"}}
    readers = route["readers"] if kind == "query" else roles.get(route["what"], [])
    if kind == "call" and not readers:
        wrong.append("the registrar has no row for it")
    if readers:
        o["x-lintel-roles"] = readers
    o["security"] = {"query": [{"session": []}], "call": [{"signature": []}]}.get(kind, [])
    return o, wrong


def document(tables, schemas, operations, tags, roles):
    parameters = {p["name"]: p["type"] for p in tables["parameters"]}
    routes = {(r["method"], r["path"]): r for r in tables["routes"]}
    undescribed, gone = sorted(routes.keys() - operations.keys()), sorted(operations.keys() - routes.keys())
    wrong = [" ".join(key) + ": not in data/openapi" for key in undescribed] + [" ".join(key) + ": in no table" for key in gone]
    paths = {}
    for key in sorted(routes, key=lambda k: (k[1], k[0])):
        data = operations.get(key) or operation([routes[key]["what"]], None)
        described, why = describe(routes[key], data, parameters, roles)
        wrong += [" ".join(key) + f": {w}" for w in why]
        paths.setdefault(PREFIX + key[1], {})[key[0].lower()] = described
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "openapi": "3.1.0", "x-lintel-wrong": wrong,
        "info": {"title": "Lintel, operator API", "version": "1", "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                 "description": "All that the console and the command line do. Reading asks for a session (the console) or for the right user "
                                "(run/api.sock); changing, for a signature by the operator's key or by the session's. x-lintel-roles: one of "
                                "these roles is needed. Lists come in pages: \"next\" is the cursor of the following one."},
        "servers": [{"url": "/"}], "tags": tags, "paths": paths,
        "components": {
            "schemas": SCHEMAS | dict(sorted(schemas.items())),
            "responses": {"Problem": {"description": "Refused; the document says why.", "content": problem}},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "lintel_session_14001",
                            "description": "POST sessions sets it; the number is the port of listen.operator."},
                "signature": {"type": "http", "scheme": "jws", "description": "The body itself is signed; no cookie is looked at."},
            },
        },
    }


def put(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    tables, root, out_json, out_c, out_s, depfile = (Path(a).resolve() for a in sys.argv[1:])
    used = sorted((root / "data/openapi").glob("*.api"))
    schemas, operations, tags = {}, {}, []
    for path in used:
        read(path, schemas, operations, tags)
    roles = roles_of_calls(root, used)
    text = json.dumps(document(json.loads(tables.read_text()), schemas, operations, tags, roles), separators=(",", ":")) + "\n"
    put(out_json, text)
    put(out_c, '#include "role/notary_openapi.h"\n\nconst size_t notary_openapi_size = ' + f"{len(text.encode())};\n")
    put(out_s, f"""/* SHA-256 {hashlib.sha256(text.encode()).hexdigest()} */
\t.section .rodata
\t.global notary_openapi
notary_openapi:
\t.incbin "{out_json}"
\t.section .note.GNU-stack,"",%progbits
""")
    depfile.write_text(f"{sys.argv[3]}: " + " ".join(map(str, used)) + "\n")


main()

"""The duties as C tables, out of data/duties/*.yaml: duties.py OUT IN...

    revoke.yaml, irg.yaml, …: duties      starts.yaml: when clocks begin      recorded.yaml: old incidents to judge

The files are a small part of YAML that is read here line by line, so that whatever is wrong is told with its file and
line: one mapping "defaults:", then one list; values are plain or quoted, a longer one goes on in deeper lines.

    defaults:
      document: CABF-BR
    duties:
      - id: cpr-findings
        limit: 24h
"""
import os
import re
import sys
from datetime import datetime, timezone

UNITS = {"min": 60, "h": 3600, "d": 86400}
FORCES = ("MUST", "SHOULD")
OWNERS = ("commander", "scribe", "communications", "revocation", "legal", "liaison", "compliance")
INSTANTS = ("received", "found", "confirmed")
SOURCES = ("problem-report", "design-review", "pre-issuance-lint", "post-issuance", "periodic-review", "audit", "monitor",
           "person")
# What a row of each list has: name: (needed, pattern or None)
DATE = r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?"
DURATION = r"\d+(min|h|d)"
FIELDS = {
    "duties": {
        "id": (True, r"[a-z0-9]+([-./][a-z0-9]+)*"), "from": (False, DATE), "until": (False, DATE),
        "start": (True, None), "because": (True, None), "aim": (False, DURATION),
        "limit": (True, DURATION + "|promptly " + DURATION), "force": (True, "|".join(FORCES)),
        "section": (True, None), "words": (True, None), "quote": (False, None), "owner": (True, "|".join(OWNERS)),
        "cause": (False, r"(tls|smime|ca)/[a-z-]+"), "on": (False, r"[a-z]+(\.[a-z-]+)+"),
        "met": (False, r"[a-z]+(\.[a-z-]+)+"),
    },
    "starts": {
        "source": (True, "|".join(SOURCES)), "from": (False, DATE), "until": (False, DATE), "at": (True, "|".join(INSTANTS)),
        "section": (True, None), "words": (True, None),
    },
    "recorded": {
        "name": (True, r"[a-z0-9-]+"), "title": (True, None), "source": (True, "|".join(SOURCES)),
        "cause": (True, r"(tls|smime|ca)/[a-z-]+"), "received": (False, DATE), "found": (False, DATE),
        "confirmed": (False, DATE), "note": (True, None),
    },
}
KEYS = {"duties": "id", "starts": "source", "recorded": "name"}


class Wrong(Exception):
    pass


def fail(path, line, what):
    raise Wrong(f"{path}:{line}: {what}")


def value(path, line, text):
    text = text.strip()
    if text and text[0] in "\"'":
        if len(text) < 2 or text[-1] != text[0]:
            fail(path, line, "a quote that does not end")
        return text[1:-1]
    if text and text[0] in "[{&*!|>%@`":
        fail(path, line, f"{text[:1]}: values here are plain or quoted words")
    return re.sub(r"\s+#.*$", "", text)


def read(path):
    """The list's name, and its rows: each {key: (value, line)}."""
    defaults, rows, name, into, key = {}, [], None, None, None
    with open(path, encoding="utf-8") as f:
        for number, text in enumerate(f, 1):
            if not text.strip() or text.lstrip().startswith("#"):
                continue
            if "\t" in text:
                fail(path, number, "a tabulator; indent with blanks")
            indent, text = len(text) - len(text.lstrip()), text.strip()
            if indent == 0:
                if text == "defaults:":
                    into = defaults
                elif text.endswith(":") and text[:-1] in FIELDS and name is None:
                    name, into = text[:-1], None
                else:
                    fail(path, number, f"{text}: \"defaults:\", or one list: {', '.join(FIELDS)}")
                continue
            deep = 4 if into is not None and into is not defaults else 2
            if indent > deep and key is not None and not text.startswith("- "):
                into[key] = (into[key][0] + " " + text, into[key][1])
                continue
            if name is not None and text.startswith("- ") and indent == 2:
                into = {}
                rows.append((into, number))
                text = text[2:]
            elif into is None or indent != deep:
                fail(path, number, f"indented by {indent}: rows begin with \"- \" behind two blanks, their values behind four")
            made = re.match(r"([a-z]+):(?: (.*))?$", text)
            if not made:
                fail(path, number, f"{text}: no \"name: value\"")
            key = made[1]
            if key in into:
                fail(path, number, f"{key} for the second time in one row")
            into[key] = ((made[2] or "").strip(), number)
    if name is None:
        fail(path, 1, f"no list: {', '.join(FIELDS)}")
    for row in [defaults, *(row for row, _ in rows)]:
        for key, (text, number) in row.items():
            row[key] = (value(path, number, text), number)
    return name, [({**defaults, **row}, line) for row, line in rows]


def check_row(path, name, row, line):
    fields = FIELDS[name]
    for key, (text, at) in row.items():
        if key not in fields:
            fail(path, at, f"{key}: unknown; a row of {name} has {', '.join(fields)}")
        pattern = fields[key][1]
        if text == "":
            fail(path, at, f"{key}: has no value; leave it out")
        if pattern and not re.fullmatch(pattern, text):
            fail(path, at, f"{key}: \"{text}\" is not {pattern}")
        if pattern == DATE:
            instant(path, at, key, text)
    for key, (needed, _) in fields.items():
        if needed and key not in row:
            fail(path, line, f"{key} is missing")
    if name == "duties" and "aim" in row:
        if seconds(row["aim"][0]) >= seconds(row["limit"][0]):
            fail(path, row["aim"][1], "aim: what should be done comes before what must be")
    if name == "recorded" and not any(i in row for i in INSTANTS):
        fail(path, line, f"one of {', '.join(INSTANTS)} is missing")


def instant(path, line, key, text):
    try:
        form = "%Y-%m-%dT%H:%M:%SZ" if "T" in text else "%Y-%m-%d"
        return datetime.strptime(text, form).replace(tzinfo=timezone.utc)
    except ValueError:
        fail(path, line, f"{key}: there is no {text}")


def seconds(text):
    made = re.fullmatch(r"(?:promptly )?(\d+)(min|h|d)", text)
    return int(made[1]) * UNITS[made[2]]


def period(path, row):
    ends = []
    for key, edge in (("from", datetime.min), ("until", datetime.max)):
        ends.append(instant(path, row[key][1], key, row[key][0]) if key in row else edge.replace(tzinfo=timezone.utc))
    return ends


def check_periods(name, rows):
    """No two rows of one key at one time."""
    seen = {}
    for path, row, line in rows:
        begin, end = period(path, row)
        if begin >= end:
            fail(path, row["until"][1], "until: before from")
        key = row[KEYS[name]][0]
        for other_begin, other_end, where in seen.get(key, []):
            if begin < other_end and other_begin < end:
                fail(path, line, f"{key}: in force at the same time as {where}")
        seen.setdefault(key, []).append((begin, end, f"{path}:{line}"))


def load(paths):
    tables = {name: [] for name in FIELDS}
    for path in paths:
        name, rows = read(path)
        for row, line in rows:
            check_row(path, name, row, line)
            tables[name].append((path, row, line))
    for name, rows in tables.items():
        check_periods(name, rows)
    return tables


def literal(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text_of(row, key):
    return literal(row[key][0]) if key in row else '""'


def time_of(row, key):
    text = row[key][0] if key in row else ""
    return literal(text + "T00:00:00Z" if text and "T" not in text else text)


def where(path, line):
    return literal("data/duties/" + os.path.basename(path) + f":{line}")


def duty(path, row, line):
    limit = row["limit"][0]
    force = text_of(row, "force")
    exact = "false" if limit.startswith("promptly") else "true"
    aim = seconds(row["aim"][0]) if "aim" in row else 0
    return ", ".join([text_of(row, "id"), time_of(row, "from"), time_of(row, "until"), text_of(row, "start"),
                      text_of(row, "because"), str(aim), str(seconds(limit)), exact, force, text_of(row, "section"),
                      text_of(row, "words"), text_of(row, "quote"), text_of(row, "owner"), text_of(row, "cause"),
                      text_of(row, "on"), text_of(row, "met"), where(path, line)])


def start(path, row, line):
    return ", ".join([text_of(row, "source"), time_of(row, "from"), time_of(row, "until"),
                      "INCIDENT_" + row["at"][0].upper(), text_of(row, "section"), text_of(row, "words"), where(path, line)])


def recorded(path, row, line):
    instants = ", ".join(time_of(row, i) for i in INSTANTS)
    return ", ".join([text_of(row, "name"), text_of(row, "title"), text_of(row, "source"), text_of(row, "cause"),
                      "{" + instants + "}", text_of(row, "note")])


TABLES = {"duties": ("incident_duty", "incident_duties", "incident_duty_count", duty),
          "starts": ("incident_start", "incident_starts", "incident_start_count", start),
          "recorded": ("incident_recorded", "incident_recorded", "incident_recorded_count", recorded)}


def main():
    out, inputs = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
    try:
        tables = load(inputs)
        for name, rows in tables.items():
            if not rows:
                fail(inputs[0] if inputs else "data/duties", 1, f"no rows of {name}")
    except Wrong as e:
        sys.exit(str(e))
    lines = ['#include "incident/duty.h"', ""]
    for name, (struct, array, count, write) in TABLES.items():
        lines.append(f"const struct {struct} {array}[] = {{")
        lines += ["    {" + write(path, row, line) + "}," for path, row, line in tables[name]]
        lines += ["};", f"const size_t {count} = LT_COUNT({array});", ""]
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))


if __name__ == "__main__":
    main()

"""What we write to people, as a C table: notices.py FOLDER OUT DEPS. A file of FOLDER is FOLDER/KIND.txt:

    Title: what it is for, for lists
    Words: ca certificates        in braces below; a notice without one of them is refused
    Maybe: page                   may be left out; then each paragraph that names it is left out, too
    Subject: [{ca}] {certificates} certificates must be replaced
                                  an empty line, then the text
What stands in braces must be in Words or Maybe, or be one that every notice has. Errors say file:line."""
import re
import sys
from pathlib import Path

HEADS = ("Title", "Words", "Maybe", "Subject")
ALWAYS = ("ca", "host", "to", "about")
WIDTH = 100


def fail(path, line, why):
    sys.exit(f"{path}:{line}: {why}")


def heads(path, lines):
    found = {}
    for number, line in enumerate(lines, 1):
        if not line:
            return found, number
        name, colon, value = line.partition(":")
        if not colon or name not in HEADS:
            fail(path, number, f'"{line[:40]}" does not begin with one of {", ".join(HEADS)}')
        if name in found:
            fail(path, number, f"{name} is there twice")
        found[name] = (value.strip(), number)
    fail(path, len(lines), "there is no text: write it behind an empty line")


def read(path):
    text = path.read_bytes()
    for number, line in enumerate(text.split(b"\n"), 1):
        if any(c < 0x20 or c > 0x7e for c in line):
            fail(path, number, "a letter that is not plain ASCII")
        if len(line) > WIDTH:
            fail(path, number, f"longer than {WIDTH} letters")
        if line != line.rstrip():
            fail(path, number, "ends with a blank")
    lines = text.decode("ascii").split("\n")
    found, end = heads(path, lines)
    for name in HEADS:
        if name not in found and name != "Maybe":
            fail(path, 1, f"{name} is missing")
    words = found["Words"][0].split()
    maybe = found.get("Maybe", ("", 0))[0].split()
    for word in words + maybe:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", word) or word in ALWAYS:
            fail(path, found["Words"][1], f'"{word}" is no word for a template')
    used = set()
    for number, line in enumerate(lines, 1):
        rest = line if number > end else line if line.startswith("Subject:") else ""
        for word in re.findall(r"\{([^{}]*)\}", rest):
            used.add(word)
            if word not in words and word not in maybe and word not in ALWAYS:
                fail(path, number, f'"{{{word}}}" is in neither Words nor Maybe')
            if word in maybe and number <= end:
                fail(path, number, f'"{{{word}}}" may be left out, so the subject cannot have it')
        if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", rest)):
            fail(path, number, "a brace by itself")
    for word in words + maybe:
        if word not in used:
            fail(path, found["Words"][1], f'"{word}" is not used')
    body = "\n".join(lines[end:]).strip("\n") + "\n"
    return path.stem, found["Title"][0], " ".join(words), " ".join(maybe), found["Subject"][0], body


def literal(text):
    parts = text.replace("\\", "\\\\").replace('"', '\\"').split("\n")
    return "\n     ".join(f'"{p}\\n"' for p in parts[:-1]) + (f'"{parts[-1]}"' if parts[-1] or len(parts) == 1 else "")


folder, out, deps = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
inputs = sorted(folder.glob("*.txt"))
with open(out, "w", encoding="ascii") as f:
    f.write('#include "incident/notice_text.h"\n\nconst struct incident_template incident_templates[] = {\n')
    for path in inputs:
        f.write("    {" + ",\n     ".join(literal(part) for part in read(path)) + "},\n")
    f.write("};\nconst size_t incident_template_count = LT_COUNT(incident_templates);\n")
with open(deps, "w", encoding="utf-8") as f:
    f.write(f"{out}: {folder} " + " ".join(str(p) for p in inputs) + "\n")

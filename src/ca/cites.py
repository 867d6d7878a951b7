"""The words of the Baseline Requirements, as comments of the sources cite them, as a C table: cites.py SRC OUT DEPS

    /*= CABF-BR 3.2.2.8 "words" */ in SRC/validate/x.c gives {"3.2.2.8", "words", "src/validate/x.c"}

DEPS names the files for ninja, so that a change makes the table anew."""
import re
import sys
from pathlib import Path

COMMENT = re.compile(r"/\*(=.*?)\*/", re.S)
FORM = re.compile(r"(?m)^=\s*(CABF-[A-Z]+|RFC \d+|[A-Z]\S*) (\S+)\s*")
QUOTE = re.compile(r'"(.*)"', re.S)
ROOMS = ("validate/*.[ch]", "acme/*.[ch]", "ca/*.[ch]", "lint/rules/*.c", "incident/*.[ch]")


def citations(comment):
    """Each with the lines that belong to it."""
    lines = comment.splitlines()
    text = []
    for i, line in enumerate(lines):
        bare = line.strip()
        bare = bare if i == 0 else bare.lstrip("*").strip() if not bare.startswith("*=") else bare[1:]
        text.append(bare)
    whole = "\n".join(text)
    starts = [m for m in FORM.finditer(whole)]
    for m, following in zip(starts, starts[1:] + [None]):
        words = whole[m.end():following.start() if following else len(whole)]
        quote = QUOTE.search(re.sub(r"\s*\n=?\s*", " ", words))
        if quote:
            yield m[1], m[2], quote[1].strip().replace('\\"', '"')


def literal(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def order(row):
    return [int(n) if n.isdigit() else 0 for n in row[0].split(".")], row[2], row[1]


src, out, deps = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
inputs = sorted(p for room in ROOMS for p in src.glob(room))
rows = {}
for path in inputs:
    for comment in COMMENT.finditer(path.read_text(encoding="utf-8")):
        for document, section, quote in citations(comment[1]):
            if document == "CABF-BR" and section[0].isdigit():
                rows.setdefault((section, quote), "src/" + path.relative_to(src).as_posix())
rows = [(section, quote, path) for (section, quote), path in rows.items()]
with open(out, "w", encoding="utf-8") as f:
    f.write('#include "ca/cites.h"\n\nconst struct ca_cite ca_cites[] = {\n')
    for section, quote, path in sorted(rows, key=order):
        f.write(f"    {{{literal(section)}, {literal(quote)}, {literal(path)}}},\n")
    f.write("};\nconst size_t ca_cite_count = LT_COUNT(ca_cites);\n")
with open(deps, "w", encoding="utf-8") as f:
    f.write(f"{out}: " + " ".join(str(p) for p in inputs) + "\n")

"""The scenarios of data/drills as C: embed_drills.py OUT IN... ; `lintel drill` carries them with it."""
import os
import sys


def literal(line):
    """Bytes outside ASCII in octal: three digits, so that nothing behind them belongs to them."""
    text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return '"' + "".join(c if c.isascii() else "".join(f"\\{b:03o}" for b in c.encode()) for c in text) + '\\n"'


out, inputs = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
rows = []
for path in inputs:
    with open(path, encoding="utf-8") as f:
        text = "\n     ".join(literal(line) for line in f.read().splitlines())
    rows.append(f'    {{"{os.path.basename(path).removesuffix(".yaml")}",\n     {text}}},')
with open(out, "w", encoding="ascii") as f:
    f.write('#include "cmd/drill.h"\n\nconst struct drill_shipped drill_shipped[] = {\n')
    f.write("\n".join(rows))
    f.write("\n};\nconst size_t drill_shipped_count = LT_COUNT(drill_shipped);\n")

"""The migrations as C strings: embed.py OUT IN... ; a file is NNNN-name.sql."""
import os
import sys


def literal(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


def without_comment(line):
    return line.split("--")[0].rstrip()


out, inputs = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
rows = []
for number, path in enumerate(inputs, 1):
    name = os.path.basename(path)
    if int(name.split("-")[0]) != number:
        sys.exit(f"{path}: migrations are numbered without gaps, expected {number:04}")
    with open(path, encoding="utf-8") as f:
        lines = [without_comment(line) for line in f]
    text = "\n     ".join(literal(line) for line in lines if line)
    rows.append(f'    {{{number}, "{name}",\n     {text}}},')
with open(out, "w", encoding="ascii") as f:
    f.write('#include "store/internal.h"\n\nconst struct store_migration store_migrations[] = {\n')
    f.write("\n".join(rows))
    f.write("\n};\nconst size_t store_migration_count = LT_COUNT(store_migrations);\n")

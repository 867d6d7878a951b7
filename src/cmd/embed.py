"""The shipped profiles as C: embed.py OUT IN... ; what init copies into a new folder is part of the program."""
import os
import sys


def literal(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


out, inputs = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
rows = []
for path in inputs:
    with open(path, encoding="ascii") as f:
        text = "\n     ".join(literal(line) for line in f.read().splitlines())
    rows.append(f'    {{"{os.path.basename(path)}",\n     {text}}},')
with open(out, "w", encoding="ascii") as f:
    f.write('#include "cmd/init.h"\n\nconst struct init_shipped init_profiles[] = {\n')
    f.write("\n".join(rows))
    f.write("\n};\nconst size_t init_profile_count = LT_COUNT(init_profiles);\n")

"""A text file as a C string: embed_text.py OUT HEADER NAME IN."""
import sys

out, header, name, path = sys.argv[1:]
with open(path, encoding="utf-8") as f:
    lines = f.read().split("\n")


def literal(line):
    """Bytes outside ASCII in octal: three digits, so that nothing behind them belongs to them."""
    text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return '"' + "".join(c if c.isascii() else "".join(f"\\{b:03o}" for b in c.encode()) for c in text) + '\\n"'


with open(out, "w", encoding="ascii") as f:
    f.write(f'#include "{header}"\n\nconst char {name}[] =\n')
    f.write("\n".join("    " + literal(line) for line in lines[:-1]) + ";\n")

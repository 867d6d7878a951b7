"""data/lint/tlds.tsv as rows of C, with days since 1970: tlds.py OUT.c IN.tsv"""

import datetime
import sys


def day(date):
    return (datetime.date.fromisoformat(date) - datetime.date(1970, 1, 1)).days if date else 0


def rows(path):
    last = ""
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            name, delegated, removed = line.rstrip("\n").split("\t")
            if name <= last or not delegated:
                sys.exit(f"{path}: wrong or out of order: {line}")
            last = name
            yield f'    {{"{name}", {day(delegated)}, {day(removed)}}},\n'


def main(out, path):
    with open(out, "w", encoding="ascii") as f:
        f.write('/* Made from data/lint/tlds.tsv. */\n#include "lint/tlds.h"\n\nconst struct lint_tld lint_tlds[] = {\n')
        f.writelines(rows(path))
        f.write("};\nconst size_t lint_tld_count = LT_COUNT(lint_tlds);\n")


main(*sys.argv[1:])

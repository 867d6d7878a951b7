"""The name of the rule set follows the code of the rules: each row changes one thing in a copy of the tree."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src/lint", "data/lint", "data/keys")


@pytest.fixture
def tree(tmp_path):
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / "tree" / folder)
    return tmp_path / "tree"


def hash_of(root, out):
    subprocess.run([ROOT / "tools/rules-hash", out, root, "--deps", f"{out}.d"], check=True)
    return re.fullmatch(r'/\*.*\*/\n#define LINT_RULES_HASH "([0-9a-f]{12})"\n', out.read_text())[1]


# file, what is added to its end, does the name change
ROWS = [
    ("src/lint/rules/issuance.c", b"\nint added;\n", True),
    ("src/lint/rules/common.h", b"\n/* a word */\n", True),
    ("src/lint/ev.c", b"\nint added;\n", True),
    ("src/lint/tlds.py", b"\n", True),
    ("data/lint/tlds.tsv", b"zzzz\t2026-01-01\t\n", True),
    ("data/keys/debian-rsa.bin", b"\0", True),
    ("src/lint/rules/added.c", b"int added;\n", True),
    ("src/lint/rules/added.c~", b"of an editor\n", False),
    ("src/crypto/added.c", b"int added;\n", False),
]


@pytest.mark.parametrize("path, added, changes", ROWS, ids=[r[0] for r in ROWS])
def test_a_change_of_code_is_a_change_of_name(tree, tmp_path, path, added, changes):
    before = hash_of(tree, tmp_path / "before.h")
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    with open(tree / path, "ab") as f:
        f.write(added)
    assert (hash_of(tree, tmp_path / "after.h") != before) == changes


def test_the_place_of_the_tree_is_not_part_of_it(tree, tmp_path):
    assert hash_of(tree, tmp_path / "there.h") == hash_of(ROOT, tmp_path / "here.h")


def test_ninja_is_told_every_file(tree, tmp_path):
    hash_of(tree, tmp_path / "out.h")
    named = (tmp_path / "out.h.d").read_text()
    assert all(str(f) in named for f in tree.rglob("*.[ch]"))
    assert str(tree / "data/lint/tlds.tsv") in named

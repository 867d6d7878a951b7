#!/usr/bin/env python3
"""What evidence costs: bytes of a name in its segment and in the book, with and without perspectives.

    tests/bench/evidence.py [--orders N] [--names N]     LINTEL_BIN: the program (build/lintel)

A family of its own with four perspectives on this machine, each an honest one; then the same without them."""
import argparse
import sqlite3
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]

from test_corroboration import World  # noqa: E402


def pages(book, table):
    return book.execute("SELECT sum(pgsize), sum(payload) FROM dbstat WHERE name = ?", (table,)).fetchone()


def measure(views, orders, names):
    with tempfile.TemporaryDirectory(prefix="lintel-evidence-") as folder:
        folder = Path(folder)
        folder.chmod(0o755)
        world = World(folder, count=views)
        try:
            user = world.client()
            for i in range(orders):
                user.issue(*(f"host{i}-{k}.example.com" for k in range(names)))
        finally:
            world.stop()
        segments = sum(p.stat().st_size for p in (world.ca.folder / "evidence").iterdir())
        with sqlite3.connect(f"file:{world.ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
            rows = book.execute("SELECT count(*) FROM evidence").fetchone()[0]
            taken, payload = pages(book, "evidence")
            intent = book.execute("SELECT avg(length(request)) FROM intent WHERE order_id IS NOT NULL").fetchone()[0]
            dimensions = book.execute("SELECT count(*) FROM dimension").fetchone()[0]
        print(f"{views} perspectives, {rows} names: {segments / rows:.0f} bytes a name in segments, "
              f"{payload / rows:.0f} in the book ({taken / rows:.0f} with the room of its pages), "
              f"{dimensions} dimensions; request of an intent {intent / names:.0f} bytes a name", flush=True)


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--orders", type=int, default=60)
    words.add_argument("--names", type=int, default=8)
    args = words.parse_args()
    for views in (4, 0):
        measure(views, args.orders, args.names)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""tests/bench/mass.py on one PostgreSQL, as packaged, on the same machine: the book is moved there by `lintel store migrate`, which is
timed, and then many certificates are revoked from the last approval to the CRLs that relying parties have.

    tests/bench/postgres_mass.py --revoke 1706505 --no-load
    tests/bench/postgres_mass.py --folder CA3M --scope replaced --no-load   # a copy of a folder that `lintel bench inventory` made
"""
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import mass  # noqa: E402
from conftest import LINTEL  # noqa: E402
from postgres import Postgres  # noqa: E402

server = None


class Answer(list):
    def fetchone(self):
        return self[0] if self else None

    def fetchall(self):
        return self


class Book:
    """What mass.py asks of a book, asked of the server by psql."""

    def __enter__(self):
        return self

    def __exit__(self, *why):
        pass

    def execute(self, sql, values=()):
        left = iter(values)
        sql = re.sub(r"\?(\d*)", lambda m: str(values[int(m[1]) - 1] if m[1] else next(left)), sql)
        sql = re.sub(r"SELECT max\(n\.number\) FROM crl n WHERE ([^)]*)\)", r"SELECT n.number FROM crl n WHERE \1 ORDER BY n.number DESC LIMIT 1)", sql)
        kinds = (lambda v: bytes.fromhex(v[2:]) if v.startswith("\\x") else int(v) if re.fullmatch(r"-?\d+", v) else v)
        return Answer(tuple(kinds(v) for v in line.split("|")) for line in server.sql(sql).splitlines())


def move(ca):
    began = time.monotonic()
    done = ca.json("store", "migrate", "--to", server.url, "--yes", timeout=3600)
    took = time.monotonic() - began
    print(f"{'moved by store migrate':40} {done['rows']} rows, read back and compared, in {took:.0f} s", flush=True)
    (ca.folder / "book" / "lintel.db").unlink()
    path = ca.folder / "lintel.yaml"
    path.write_text(path.read_text() + f"store: {server.url}\n")
    began = time.monotonic()
    server.sql("VACUUM ANALYZE")
    size = int(server.sql("SELECT pg_database_size('book')"))
    print(f"{'vacuum analyze; size':40} {time.monotonic() - began:.0f} s; {size / 1e9:.1f} GB", flush=True)


def spent_by_server():
    """Seconds of CPU of all its processes, those that ended included."""
    total = 0.0
    for pid in [server.process.pid, *map(int, Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split())]:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15])) / mass.TICK  # its own, and of children that ended
    return total


class Steps(mass.Steps):
    """The machine is rarely idle: what the server spends says more of it than the clock."""

    def __init__(self, *args):
        super().__init__(*args)
        self.before = spent_by_server()

    def reached(self, what, so):
        fresh = so and what not in self.times
        super().reached(what, so)
        if fresh:
            print(f"{'CPU of the server until then, s':40} {what}: {spent_by_server() - self.before:.1f}", flush=True)


def main():
    global server
    set_up = mass.set_up

    def moved(*args):
        ca = set_up(*args)
        move(ca)
        return ca

    mass.set_up = moved
    mass.Steps = Steps
    mass.book = lambda ca: Book()
    server = Postgres()
    try:
        print(f"{'server':40} PostgreSQL {server.sql('SHOW server_version')}, {LINTEL}", flush=True)
        mass.main()
    except subprocess.TimeoutExpired as e:
        sys.exit(str(e))
    finally:
        server.stop()


if __name__ == "__main__":
    main()

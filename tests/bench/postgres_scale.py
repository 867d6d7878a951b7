#!/usr/bin/env python3
"""What a book of many certificates costs in one PostgreSQL, for docs/scale.md:

    postgres_scale.py --lintel build/lintel --certificates 1000000

Starts a server of its own with its settings as packaged, makes the program's own schema there, fills it with rows as issuance
writes them, and times what the family asks. The rows are made by the server: how fast the registrar writes is measured by `lintel bench acme`.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from postgres import Postgres  # noqa: E402

DAY = 86400 * 1000000
FILL = [
    ("certificates", """INSERT INTO certificate SELECT 2, int4send((1700000000 + n / 10)::int) || substr(sha256(n::text::bytea), 1, 12), 0, 'x509', 1,
        sha256(('c' || n)::bytea), sha256(('k' || n)::bytea), 1, 256, 1763000000000000 + n * 1000000, 1770776000000000 + n * 1000000,
        1763000000000000 + n * 1000000, n % 5000, n, sha256(('s' || n)::bytea), 1 + n % 14, 'rules-1', '1.4.' || n % 9, 1, 'dns-01',
        1 + n % 40, 1763000000000000 + n * 999000, 1763000000000000 + n * 998000, 3 + n % 3, n % 128, n FROM generate_series({0}::bigint, {1}::bigint) AS n"""),
    ("names, 7.5 each", """INSERT INTO certificate_name SELECT 'com.example.d' || n || '.h' || i, 'dns', 2,
        int4send((1700000000 + n / 10)::int) || substr(sha256(n::text::bytea), 1, 12), 0, n * 16 + i
        FROM generate_series({0}::bigint, {1}::bigint) AS n, generate_series(1, 1 + n % 14) AS i"""),
]
ASKED = [
    ("a certificate by serial", "SELECT profile FROM certificate WHERE issuer = 2 AND serial = (SELECT int4send(1700000123) || "
     "substr(sha256('1234'::bytea), 1, 12)) AND copy = 0"),
    ("names below a suffix, 1,000 rows", "SELECT issuer, serial FROM certificate_name WHERE name >= 'com.example.d77' AND name < 'com.example.d78' "
     "ORDER BY name LIMIT 1000"),
    ("count of a scope: method, oldest CAA, issued in a week", "SELECT count(*) FROM certificate WHERE worst_method = 'dns-01' AND oldest_caa_us < "
     "issued_us - 8 * 3600000000 AND issued_us BETWEEN 1763000000000000 AND 1763604800000000"),
    ("count over all: least quorum and build", "SELECT count(*) FROM certificate WHERE least_quorum < 4 AND build < '1.4.2'"),
    ("next page of expiries, 1,000 rows", "SELECT issuer, serial FROM certificate WHERE not_after_us > 1770776100000000 ORDER BY not_after_us "
     "LIMIT 1000"),
]


def timed(server, sql):
    began = time.monotonic()
    out = server.sql(sql)
    return time.monotonic() - began, out


def spent_in(server, sql):
    """Milliseconds of planning and execution, as the server counts them."""
    return sum(float(line.split()[2]) for line in server.sql(f"EXPLAIN (ANALYZE, TIMING OFF) {sql}").splitlines()
               if line.startswith(("Planning Time", "Execution Time")))


def revoke(server, count):
    """Batches of 10,000 in serial order, each its own transaction, as the registrar writes them."""
    server.sql("CREATE TABLE bench_member AS SELECT issuer, shard, serial, not_after_us, row_number() OVER (ORDER BY issuer, serial) AS n "
               f"FROM certificate ORDER BY issuer, serial LIMIT {count}; CREATE UNIQUE INDEX ON bench_member(n); ANALYZE bench_member")
    server.sql("CREATE PROCEDURE bench_revoke(total bigint) LANGUAGE plpgsql AS $$ BEGIN FOR b IN 0..(total - 1) / 10000 LOOP "
               "INSERT INTO revocation SELECT issuer, shard, serial, 4, 1770000000000000, 1770000000000000, not_after_us, 'plan', b "
               "FROM bench_member WHERE n > b * 10000 AND n <= (b + 1) * 10000; COMMIT; END LOOP; END $$")
    spent, _ = timed(server, f"CALL bench_revoke({count})")
    return spent


def size(server, table):
    return int(server.sql(f"SELECT pg_total_relation_size('{table}')"))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--lintel", default="build/lintel")
    p.add_argument("--certificates", type=int, default=1000000)
    a = p.parse_args()
    server = Postgres()
    try:
        with tempfile.TemporaryDirectory() as folder:
            ca = folder + "/ca"
            subprocess.run([a.lintel, "init", ca, "--host", "localhost"], check=True, capture_output=True)
            subprocess.run([a.lintel, "store", "migrate", "--dir", ca, "--to", server.url, "--yes"], check=True, capture_output=True)
        print(f"{server.sql('SHOW server_version')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {a.certificates} certificates", flush=True)
        for what, sql in FILL:
            spent = 0.0
            for low in range(1, a.certificates, 100000):
                spent += timed(server, sql.format(low, min(low + 99999, a.certificates)))[0]
            print(f"write {what}: {spent:.1f} s", flush=True)
        server.sql("VACUUM ANALYZE")
        for table in ("certificate", "certificate_name"):
            print(f"size {table}: {size(server, table) / a.certificates:.0f} bytes for each certificate", flush=True)
        for what, sql in ASKED:
            times = sorted(spent_in(server, sql) for _ in range(5))
            print(f"ask {what}: {times[2]:.1f} ms", flush=True)
        count = a.certificates * 56 // 100
        spent = revoke(server, count)
        print(f"revoke {count} in batches of 10,000: {spent:.1f} s, {count / spent:.0f}/s", flush=True)
        spent, _ = timed(server, "COPY (SELECT serial, reason, revoked_us FROM revocation WHERE issuer = 2 AND shard = 7 ORDER BY serial) TO '/dev/null'")
        print(f"read one of 128 CRL shards: {spent * 1000:.0f} ms", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()

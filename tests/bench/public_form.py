#!/usr/bin/env python3
"""The public problem form under a flood of posts: tests/bench/public_form.py [--posts 1000] [--seconds 20]

A family of its own; `lintel bench acme` has ACME requests due in an open loop at --rate a second, first alone, then while the problem form
is posted: different reports on 20 connections that stay open, and then each post on a connection of its own (h2load; a TLS handshake each).
All on this machine, so no limit per address counts: as if each post came from another one. Prints what ACME's requests took, what became of the posts, what each
role spent, and how many reports are in the book. On a machine with other work: `chrt -r 2 tests/bench/public_form.py`; the senders then run
below the family and above all else."""
import argparse
import http.client
import json
import multiprocessing
import os
import re
import resource
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from conftest import Dns, free_port  # noqa: E402
from validation import REQUESTS_IN_A_FLOW, bench, cpu_seconds, family  # noqa: E402

CONNECTIONS = 20
TYPE = "application/x-www-form-urlencoded"
FORM = ("name=A.+Reporter&contact=mailto%3Areporter%40example.org&cause=not-issued-per-rules&about=0123456789abcdef0123456789abcdef"
        "&text=" + "This+certificate+has+a+name+that+its+subscriber+does+not+control.+" * 20)


def fresh(ca, posts, seconds):
    """Each post on a connection of its own, ten milliseconds' worth at once."""
    count = posts * seconds
    with tempfile.NamedTemporaryFile("w") as body:
        body.write(FORM + "one")
        body.flush()
        out = subprocess.run(["h2load", "--data", body.name, "--header", f"content-type: {TYPE}", "--h1", "--clients", str(count),
                              "--requests", str(count), "--rate", str(posts // 100), "--rate-period", "10ms", ca.base + "/problem"],
                             capture_output=True, text=True, check=True).stdout
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    seen = dict(zip("2345", map(int, codes.groups())))
    return seen, count - sum(seen.values())


def kept(ca, posts, seconds):
    """On 20 connections that stay open, each post with a text of its own, so that none is another's copy."""
    host, port = re.fullmatch(r"https://(.*):(\d+)", ca.base).groups()
    context = ssl._create_unverified_context()
    seen, lock = {}, threading.Lock()

    def one(number):
        connection = http.client.HTTPSConnection(host, int(port), context=context)
        begun = time.monotonic()
        for i in range(posts // CONNECTIONS * seconds):
            due = begun + (i + number / CONNECTIONS) * CONNECTIONS / posts
            time.sleep(max(0, due - time.monotonic()))
            connection.request("POST", "/problem", FORM + f"{number}-{i}-{os.getpid()}", {"Content-Type": TYPE})
            answer = connection.getresponse()
            answer.read()
            with lock:
                seen[str(answer.status // 100)] = seen.get(str(answer.status // 100), 0) + 1

    threads = [threading.Thread(target=one, args=(n,)) for n in range(CONNECTIONS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return seen, posts // CONNECTIONS * seconds * CONNECTIONS - sum(seen.values())


FLOODS = {"kept": kept, "fresh": fresh}


def flood(kind, ca, o, ret):
    # What is measured is the family: the senders of a real flood take none of its cores.
    if os.sched_getscheduler(0) == os.SCHED_RR:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    else:
        os.nice(10)
    begun = time.monotonic()
    seen, lost = FLOODS[kind](ca, o.posts, o.seconds + 3)
    took = time.monotonic() - begun
    print(json.dumps({"posts answered a second": round(sum(seen.values()) / took), "taken (2xx, 3xx)": seen.get("2", 0) + seen.get("3", 0),
                "refused (4xx)": seen.get("4", 0), "5xx": seen.get("5", 0), "no answer": lost,
                      "CPU s of the senders": round(sum(sum(resource.getrusage(w)[:2]) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)), 1)}), file=ret, flush=True)


def run(ca, folder, http_port, o, kind):
    before = cpu_seconds(ca)
    told = open(folder / f"{kind}.json", "w+")
    process = multiprocessing.Process(target=flood, args=(kind, ca, o, told)) if kind else None
    if process:
        process.start()
        time.sleep(1)
    steps = bench(ca, http_port, None, 50, o.seconds, rate=max(1, o.rate // REQUESTS_IN_A_FLOW))
    after = cpu_seconds(ca)
    request = steps["steps"]["request"]
    result = {"ACME requests/s": round(request["count"] / o.seconds, 1), "p50 ms": request["p50_ms"], "p99 ms": request["p99_ms"],
              "errors": steps["errors"],
              "CPU s by role": {r: round(s - before.get(r, 0), 2) for r, s in sorted(after.items()) if s - before.get(r, 0) >= 0.05}}
    if process:
        process.join(120)
        result |= json.loads((folder / f"{kind}.json").read_text())
    return result


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--posts", type=int, default=1000, help="a second")
    a.add_argument("--rate", type=int, default=100, help="ACME requests a second")
    a.add_argument("--seconds", type=int, default=20)
    o = a.parse_args()
    with tempfile.TemporaryDirectory(prefix="lintel-form-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        dns, http_port = Dns(folder), free_port()
        ca = family(folder / "family", http_port, dns.port)
        try:
            ca.base = ca.directory.removesuffix("/acme/directory")
            result = {kind or "alone": run(ca, folder, http_port, o, kind) for kind in (None, "kept", "fresh")}
            with sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True) as book:
                result["reports in the book"] = book.execute("SELECT count(*) FROM problem").fetchone()[0]
            print(json.dumps(result, indent=1))
        finally:
            ca.stop()
            dns.process.kill()


if __name__ == "__main__":
    main()

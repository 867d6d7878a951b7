#!/usr/bin/env python3
"""An incident over millions of certificates, step by step, on a real family.

    lintel bench inventory --certificates 3048289 --folder CA3M --keep --load-only
    tests/bench/incident.py --folder CA3M --work .

Works on a copy of the folder (or, with --here, on the folder itself): stops a method, counts the scope, freezes the list in its tiers, sets the
windows and waits until the gateways answer with them. --kill: kill -9 of a random program during each step, and it must come to the same end."""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault("LINTEL_BIN", str(Path(__file__).resolve().parents[2] / "build" / "lintel"))
from conftest import free_port, wait_for  # noqa: E402
from mass import Copy, book  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--here", action="store_true", help="no copy: the folder is changed")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--scope", default="not expired")
    parser.add_argument("--method", default="http-01")
    parser.add_argument("--per-hour", type=int, default=400000)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Killer:
    def __init__(self, ca, wanted, seed):
        self.ca, self.wanted, self.chance, self.killed = ca, wanted, random.Random(seed), []

    def beside(self, most):
        def one():
            time.sleep(self.chance.uniform(0, most))
            victims = {n: p for n, p in self.ca.pids().items() if not n.startswith("supervisor")}
            name = self.chance.choice(sorted(victims))
            self.killed.append(name)
            os.kill(victims[name], signal.SIGKILL)
        if self.wanted:
            threading.Thread(target=one, daemon=True).start()


def until(ca, *words):
    """A question to a program that was just killed is asked again."""
    for _ in range(50):
        done = ca.lintel(*words, "--json", check=False, timeout=600)
        if done.returncode in (0, 6):
            return json.loads(done.stdout)
        if done.returncode != 5:
            raise SystemExit(f"{words}: {done.stderr}")
        time.sleep(0.1)
    raise SystemExit(f"{words}: nobody answers")


def base_time(ca):
    return (ca.folder / "public" / "ari" / "base").stat().st_mtime


def main():
    args = arguments()
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        folder = args.folder
        if not args.here:
            subprocess.run(["cp", "-a", "--reflink=auto", args.folder, Path(work) / "ca"], check=True)
            folder = Path(work) / "ca"
        ca = Copy(folder.resolve(), 1, free_port())
        took = {}
        ca.start()
        killer = Killer(ca, args.kill, args.seed)
        try:
            wait_for("the first base of renewal information", lambda: (ca.folder / "public/ari/base").exists(), 300)
            started = time.monotonic()

            def step(name, call, most=1.0):
                killer.beside(most)
                began = time.monotonic()
                answer = call()
                took[name] = time.monotonic() - began
                print(f"{name:44s} {took[name]:8.2f} s", flush=True)
                return answer

            number = until(ca, "incident", "open", "a bench", "--cause", "caa-unreliable")["id"]
            halts = ca.folder / "examiner" / "halts"

            def contained():
                until(ca, "incident", "contain", number, "--method", args.method, "--reason", "a bench")
                wait_for("the examiner", lambda: halts.exists() and args.method in halts.read_text(), 10, 0.01)
            step("contained, in registrar and examiner", contained, 0.1)
            scope = step("scoped: counted, hashed, saved", lambda: until(ca, "incident", "scope", number, args.scope, "--yes"), 3)

            def planned():
                words = ("incident", "plan", number, "--per-hour", args.per_hour, "--explanation", f"{ca.url}/affected/{number}", "--yes")
                done = ca.lintel(*words, "--json", check=False, timeout=600)
                if done.returncode == 0:
                    return json.loads(done.stdout)

                def there():
                    plans = until(ca, "incident", "show", number, "--brief")["plans"]
                    return plans[0] if plans and plans[0]["status"] == "set" else None
                if not until(ca, "incident", "show", number, "--brief")["plans"]:
                    return until(ca, *words)
                return wait_for("the plan", there, 600, 0.2)
            plan = step("planned: frozen, sealed, windows computed", planned, 8)
            set_at = time.time()
            step("windows in what gateways answer with", lambda: wait_for("the base", lambda: base_time(ca) > set_at - 1, 300, 0.05), 5)
            step("forecast: what will be late", lambda: until(ca, "incident", "show", number))
            print(f"{'from contained to windows':44s} {time.monotonic() - started:8.2f} s")
            with book(ca) as db:
                members = db.execute("SELECT count(*) FROM mass_member WHERE mass = ?", (int(plan["mass"][1:]),)).fetchone()[0]
                events = dict(db.execute("SELECT kind, count(*) FROM event WHERE subject = ? GROUP BY kind", (f"incident {number}",)))
            print(f"{scope['count']} in the scope, {plan['count']} in the plan, {members} members; killed {killer.killed}")
            # Certificates of our own listeners may be issued meanwhile: they are of the scope as well.
            assert scope["count"] <= plan["count"] == members <= scope["count"] + 50 and events["incident.windows"] == 1, events
            print(json.dumps({"seconds": took, "count": members, "killed": killer.killed}))
        finally:
            ca.stop()


if __name__ == "__main__":
    main()

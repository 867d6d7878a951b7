"""How long an in-use scan of many endpoints takes.

    LINTEL_BIN=build/lintel python3 tests/bench/usage.py --endpoints 10000

Starts a farm of TLS servers, each on an address of its own with a certificate of its own (tests/bench/tls_farm.c), writes
those certificates into the book of a fresh CA and their addresses into usage/targets, and has `lintel usage scan` look at
all of them. Prints the time from the request to the last observation in the book, and what processor time was spent by
whom."""
import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from conftest import Ca, free_port  # noqa: E402
from farm import Farm, allow, fill, targets  # noqa: E402

HZ = os.sysconf("SC_CLK_TCK")


def spent(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def peak(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=10000)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lintel-bench-usage-") as folder:
        ca = Ca(Path(folder), free_port(), free_port())
        farm = Farm(folder, arguments.endpoints)
        allow(ca)
        ca.start()
        ca.stop()
        fill(ca, farm.rows)
        targets(ca, farm.rows)
        ca.start()
        try:
            begin = time.monotonic()
            scan = json.loads(ca.lintel("usage", "scan", "kind = bulk", "--rate", str(arguments.rate), "--concurrency",
                                        str(arguments.concurrency), "--yes", "--json", timeout=600).stdout)
            took = time.monotonic() - begin
            used = {name: spent(pid) for name, pid in ca.pids().items() if name.split("-")[0] in ("courier", "registrar", "reader")}
            peaks = {name: peak(pid) for name, pid in ca.pids().items() if name in ("courier-0", "registrar-0")}
            used["farm"] = spent(farm.process.pid)
            print(f"{scan['looked']} endpoints in {took:.1f} s, {scan['looked'] / took:.0f} a second: "
                  f"{scan['served']} showed a certificate, {scan['ours']} of them one of the book, {scan['failed']} none")
            print("processor: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in used.items()))
            print("peak memory: " + ", ".join(f"{name} {mib:.0f} MB" for name, mib in peaks.items()))
            print(ca.lintel("scope", "kind = bulk and replacement = in_use", "--count").stdout.strip(), "are in use")
        finally:
            ca.stop()
            farm.stop()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Issuance side by side with Debian's Pebble, in one run, on the same cores, with the same load generator.

    tests/bench/acme.py [--seconds 20] [--json]

Prints certificates a second of both at 4 clients (Pebble deadlocks from about 10) and their ratio; then Lintel alone
at 25 clients with the CPU time of its processes per certificate, and the latency of finalize in an open loop at 70 %
of that capacity. Lintel is durable (synchronous=FULL, journal synced); Pebble keeps all in memory.
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from conftest import LINTEL, Ca, free_port, wait_for  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """By role, user and system together."""
    spent = {}
    for name, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        role = name.split("-")[0]
        spent[role] = spent.get(role, 0) + (int(fields[11]) + int(fields[12])) / TICK
    return spent


def bench(url, root, http_port, dns_port, clients, seconds, rate=None):
    command = [LINTEL, "bench", "acme", "--url", url, "--ca", root, "--http-port", http_port, "--dns-port", dns_port,
               "--clients", clients, "--seconds", seconds, "--json"]
    if rate:
        command += ["--rate", rate]
    out = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=seconds + 120)
    if out.returncode not in (0, 1) or not out.stdout.strip():
        raise SystemExit(f"{command}\n{out.stdout}\n{out.stderr}")
    return json.loads(out.stdout)


class Pebble:
    def __init__(self, folder, http_port, dns_port):
        key, cert = folder / "pebble.key", folder / "pebble.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        self.port, management = free_port(), free_port()
        config = folder / "pebble.json"
        config.write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(cert), "privateKey": str(key), "httpPort": http_port, "tlsPort": free_port(),
            "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        env = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        self.process = subprocess.Popen(["pebble", "-config", config, "-dnsserver", f"127.0.0.1:{dns_port}"], env=env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url, self.root = f"https://localhost:{self.port}/dir", cert
        wait_for("pebble", lambda: self.answers())

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lintel-bench-"))
    folder.chmod(0o755)
    http_port, dns_port = free_port(), free_port(socket.SOCK_DGRAM)
    ca = Ca(folder, dns_port, http_port)
    ca.start()
    pebble = Pebble(folder, http_port, dns_port)
    try:
        result = measure(ca, pebble, http_port, dns_port, options.seconds)
    finally:
        pebble.process.kill()
        ca.stop()
        shutil.rmtree(folder)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:40} {value}")


def measure(ca, pebble, http_port, dns_port, seconds):
    result = {}
    ratios = []
    for _ in range(2):  # A B A B: the machine drifts
        ours = bench(ca.directory, ca.root, http_port, dns_port, 4, seconds)
        theirs = bench(pebble.url, pebble.root, http_port, dns_port, 4, seconds)
        ratios.append((ours["certificates_per_second"], theirs["certificates_per_second"]))
    result["lintel, 4 clients, certificates/s"] = [round(o, 1) for o, _ in ratios]
    result["pebble, 4 clients, certificates/s"] = [round(t, 1) for _, t in ratios]
    result["ratio"] = [round(o / t, 2) for o, t in ratios if t]
    pids = ca.pids()
    before = cpu_seconds(pids)
    full = bench(ca.directory, ca.root, http_port, dns_port, 25, seconds)
    after = cpu_seconds(pids)
    each = {role: 1000 * (after[role] - before[role]) / max(1, full["certificates"]) for role in after}
    result["lintel, 25 clients, certificates/s"] = round(full["certificates_per_second"], 1)
    result["CPU ms per certificate, all processes"] = round(sum(each.values()), 3)
    result["of which"] = ", ".join(f"{role} {ms:.3f}" for role, ms in sorted(each.items(), key=lambda r: -r[1]) if ms > 0.001)
    result["errors at 25 clients"] = full["errors"]
    time.sleep(1)
    open_loop = bench(ca.directory, ca.root, http_port, dns_port, 100, seconds,
                      rate=max(1, int(0.7 * full["certificates_per_second"])))
    result["finalize p99 ms, open loop at 70 %"] = open_loop["steps"]["finalize"]["p99_ms"]
    result["open loop certificates/s"] = round(open_loop["certificates_per_second"], 1)
    return result


if __name__ == "__main__":
    main()

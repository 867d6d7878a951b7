#!/usr/bin/env python3
"""What open consoles cost: tests/bench/live.py [--streams 64] [--seconds 20] [--folder CA]

A family of its own (or a copy of that folder, which may be large), logged in by a passkey; no stream is open, then one, then --streams, while
something changes each second, so that each tick has another document. Prints CPU by role over what the same changes cost without streams, in
percent of a core, and how many documents each stream had."""
import argparse
import json
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from conftest import Ca, wait_for  # noqa: E402
from passkey import Console, Passkey, b64  # noqa: E402
from validation import cpu_seconds  # noqa: E402


class Stream(threading.Thread):
    def __init__(self, console):
        super().__init__(daemon=True)
        self.socket = socket.create_connection(("127.0.0.1", console.port))
        self.socket.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nCookie: {console.cookie_name}={console.cookie}\r\n\r\n".encode())
        self.documents = self.bytes = 0
        self.start()

    def run(self):
        while part := self.socket.recv(1 << 18):
            self.documents += part.count(b"event: overview")
            self.bytes += len(part)


def measure(ca, console, count, seconds):
    streams = [Stream(console) for _ in range(count)]
    wait_for("the streams", lambda: all(s.documents for s in streams))
    seen, before = sum(s.documents for s in streams), cpu_seconds(ca)
    for n in range(seconds):
        console.change("halts", {"kind": "name-suffix", "value": f"c{count}-{n}.example", "reason": "a bench"})
        time.sleep(1)
    after = cpu_seconds(ca)
    result = {"documents": sum(s.documents for s in streams) - seen, "cpu": {r: after[r] - before.get(r, 0) for r in after}}
    for s in streams:
        s.socket.shutdown(socket.SHUT_RDWR)
    return result


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--streams", type=int, default=64)
    a.add_argument("--seconds", type=int, default=20)
    a.add_argument("--folder", type=Path)
    o = a.parse_args()
    with tempfile.TemporaryDirectory(prefix="lintel-live-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        ca = Ca(folder, None, 1)
        if o.folder:
            shutil.rmtree(ca.folder / "book")
            shutil.copytree(o.folder, ca.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("lintel.yaml", "run"))
        config = ca.folder / "lintel.yaml"
        config.write_text(config.read_text().replace("gateways: 2", "gateways: 1"))
        ca.start()
        try:
            passkey, console = Passkey(), Console(ca.operator_port)
            console.enroll(ca.json("operator", "passkey", "admin")["link"], passkey)
            wait_for("the examiner", lambda: (p := ca.folder / "examiner" / "passkeys").exists() and b64(passkey.id) in p.read_text())
            console.log_in(passkey)
            runs = {count: measure(ca, console, count, o.seconds) for count in (0, 1, o.streams)}
            print(json.dumps({f"{count} streams": {
                "documents for each": round(r["documents"] / count, 1),
                "percent of a core, all": round(sum(v - runs[0]["cpu"][k] for k, v in r["cpu"].items()) / o.seconds * 100, 2),
                "for each": round(sum(v - runs[0]["cpu"][k] for k, v in r["cpu"].items()) / o.seconds * 100 / count, 3),
                "of which": {k: round((v - runs[0]["cpu"][k]) / o.seconds * 100, 2) for k, v in r["cpu"].items() if v - runs[0]["cpu"][k] > 0.01},
            } for count, r in runs.items() if count}, indent=1))
        finally:
            ca.stop()


if __name__ == "__main__":
    main()

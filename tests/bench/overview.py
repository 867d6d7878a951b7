#!/usr/bin/env python3
"""How long GET /api/v1/overview takes in a large book, and what it costs the family to be asked every two seconds.

LINTEL_BIN=build/lintel tests/bench/overview.py FOLDER [seconds]

FOLDER: of `lintel bench inventory --folder FOLDER --keep --load-only`, or of `lintel drill load`. Its family is served and stopped; the book stays."""
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

LINTEL = os.environ.get("LINTEL_BIN", "build/lintel")


def ask(folder):
    begun = time.monotonic()
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(f"{folder}/run/api.sock")
        s.sendall(b"GET /api/v1/overview HTTP/1.1\r\nHost: ca\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := s.recv(65536):
            answer += piece
    took = (time.monotonic() - begun) * 1000
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    return took, json.loads(body[body.index(b"{"):body.rindex(b"}") + 1]), len(body)


def ready(folder, process):
    """Milliseconds of the very first answer."""
    first = None
    while True:
        assert process.poll() is None, "serve has ended"
        try:
            took, doc, _ = ask(folder)
            first = took if first is None else first
            if not doc["counts"]["behind"]:
                return first
        except (OSError, AssertionError):
            pass
        time.sleep(0.1)


def processor(process):
    used = {}
    for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        text = Path(f"/proc/{pid}/stat").read_text()
        name, rest = text[text.index("(") + 1:text.index(")")], text[text.index(")") + 2:].split()
        used[name] = used.get(name, 0) + (int(rest[11]) + int(rest[12])) / os.sysconf("SC_CLK_TCK")
    return used


def watched(process, seconds, question):
    before, end = processor(process), time.monotonic() + seconds
    while time.monotonic() < end:
        question()
        time.sleep(2)
    after = processor(process)
    return {name: (after[name] - before[name]) / seconds * 100 for name in after}


def main():
    folder, seconds = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
    verb = ["drill", "serve"] if (folder / "scratch").exists() else ["serve"]
    begun = time.monotonic()
    process = subprocess.Popen([LINTEL, *verb, folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        first = ready(folder, process)
        print(f"served and counted after {time.monotonic() - begun:.1f} s")
        _, doc, size = ask(folder)
        times = sorted(ask(folder)[0] for _ in range(200))
        print(f"{doc['counts']}: {size} bytes; first {first:.1f} ms, then median {statistics.median(times):.1f}, "
              f"p99 {times[197]:.1f}, most {times[-1]:.1f} ms")
        idle = watched(process, seconds, lambda: None)
        asked = watched(process, seconds, lambda: ask(folder))
        for name in sorted(asked):
            if max(idle[name], asked[name]) >= 0.05:
                print(f"{name:16} idle {idle[name]:.2f} %, asked every 2 s {asked[name]:.2f} % of a core")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


if __name__ == "__main__":
    main()

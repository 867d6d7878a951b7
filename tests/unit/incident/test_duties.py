"""What is wrong in data/duties is told at build time, with its file and line: test_duties.py DUTIES.PY DATA-FOLDER"""
import subprocess
import sys
import tempfile
from pathlib import Path

GOOD = """duties:
  - id: a-1
    start: it begins
    because: of an event
    limit: 24h
    force: MUST
    section: CABF-BR 4.9.5
    words: do it
    owner: compliance
starts:
"""
DUTY = GOOD.split("starts:")[0]
STARTS = "starts:\n  - source: audit\n    at: received\n    section: x\n    words: y\n"
RECORDED = ("recorded:\n  - name: a\n    title: b\n    source: audit\n    cause: tls/misuse\n    received: 2020-01-01\n"
            "    note: c\n")

# what is changed in the duty, and the line and words that must come out
BROKEN = [
    (DUTY.replace("    limit: 24h\n", ""), ":2: limit is missing"),
    (DUTY.replace("24h", "24 hours"), ":5: limit: \"24 hours\" is not"),
    (DUTY.replace("24h", "soon"), ":5: limit:"),
    (DUTY.replace("MUST", "must"), ":6: force: \"must\""),
    (DUTY.replace("owner: compliance", "owner: somebody"), ":9: owner:"),
    (DUTY.replace("owner:", "boss:"), ":9: boss: unknown"),
    (DUTY + "    from: 2025-02-30\n", ":10: from: there is no 2025-02-30"),
    (DUTY + "    from: yesterday\n", ":10: from:"),
    (DUTY + "    from: 2026-01-01\n    until: 2025-01-01\n", ":11: until: before from"),
    (DUTY + "    aim: 2d\n", ":10: aim: what should be done"),
    (DUTY + "    cause: smime\n", ":10: cause:"),
    (DUTY + "    words: again\n", ":10: words for the second time"),
    (DUTY + "    quote: \"open\n", ":10: a quote that does not end"),
    (DUTY + "    quote: [a]\n", ":10: [: values here are plain"),
    (DUTY + "    quote:\n", ":10: quote: has no value"),
    (DUTY.replace("a-1", "A 1"), ":2: id:"),
    (DUTY.replace("    start", "\tstart"), ":3: a tabulator"),
    (DUTY.replace("    start", "   start"), ":3: indented by 3"),
    (DUTY.replace("duties:", "dutys:"), ":1: dutys:"),
    (DUTY + DUTY.split("duties:\n")[1], ":10: a-1: in force at the same time as"),
    ("", ":1: no list"),
    (DUTY.replace("    start: it begins", "    start it begins"), ":3: start it begins: no \"name: value\""),
]


def run(generator, folder, duty, starts=STARTS, recorded=RECORDED):
    for name, text in (("a.yaml", duty), ("starts.yaml", starts), ("recorded.yaml", recorded)):
        (folder / name).write_text(text)
    return subprocess.run([sys.executable, generator, folder / "out.c", *folder.glob("*.yaml")], capture_output=True,
                          text=True, check=False)


def main():
    generator, data = sys.argv[1], Path(sys.argv[2])
    bad = 0
    with tempfile.TemporaryDirectory(prefix="lintel-duties-") as name:
        folder = Path(name)
        good = run(generator, folder, DUTY)
        if good.returncode != 0 or "\"a-1\"" not in (folder / "out.c").read_text():
            bad += 1
            print("a whole file was refused:", good.stderr)
        for text, words in BROKEN:
            r = run(generator, folder, text)
            if r.returncode == 0 or "a.yaml" + words not in r.stderr:
                bad += 1
                print(f"wanted a.yaml{words}, got {r.returncode}: {r.stderr.strip()}")
        for starts, recorded, words in ((STARTS.replace("audit", "gossip"), RECORDED, "starts.yaml:2: source:"),
                                        (STARTS, RECORDED.replace("    received: 2020-01-01\n", ""),
                                         "recorded.yaml:2: one of received, found, confirmed is missing")):
            r = run(generator, folder, DUTY, starts, recorded)
            if r.returncode == 0 or words not in r.stderr:
                bad += 1
                print(f"wanted {words}, got {r.stderr.strip()}")
        r = subprocess.run([sys.executable, generator, folder / "out.c", *data.glob("*.yaml")], capture_output=True,
                           text=True, check=False)
        if r.returncode != 0:
            bad += 1
            print("data/duties:", r.stderr)
    print(f"{len(BROKEN) + 4 - bad} held, {bad} did not")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs the suites of ./test, counts every case of every runner, and prints the closing line.

A suite is a row of SUITES. Counting is by what the runners report, case
by case (cmocka's TAP, pytest's junit XML); a runner that dies without a report is one failure.
"""
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
JOBS = str(os.cpu_count() or 2)
ASAN = ROOT / "build-asan"
FUZZ = ROOT / "build-fuzz"
# Files whose worlds fill the machine (three families and a server).
ALONE = ("test_postgres_families.py",)
RELEASE = ROOT / "build"


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.skips = []

    def ok(self, n=1):
        self.passed += n

    def fail(self, what):
        self.failed += 1
        self.failures.append(what)
        print(f"  FAILED  {what}", flush=True)

    def skip(self, what):
        self.skipped += 1
        self.skips.append(what)
        print(f"  skipped {what}", flush=True)


def run(command, **kw):
    return subprocess.run([str(c) for c in command], cwd=ROOT, **kw)


def build(folder, *options, env=None, targets=()):
    """Configures once and builds; the output is shown only when it fails."""
    env = {**os.environ, **(env or {})}
    log = folder.with_suffix(".log")
    with open(log, "w") as out:
        if not (folder / "build.ninja").exists():
            if run(["meson", "setup", folder, *options], env=env, stdout=out, stderr=out).returncode:
                print(log.read_text()[-4000:])
                return False
        if run(["ninja", "-C", folder, "-j", JOBS, *targets], env=env, stdout=out, stderr=out).returncode:
            print(log.read_text()[-6000:])
            return False
    return True


def meson_suite(folder, count, suites, exclude=()):
    """Runs meson tests and counts the TAP lines that cmocka prints."""
    # One more than there are cores: some of them wait most of the time.
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--num-processes", str(int(JOBS) + 1), "--timeout-multiplier", "4"]
    for s in suites:
        command += ["--suite", s]
    for s in exclude:
        command += ["--no-suite", s]
    env = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP", "LINTEL_CORPUS": str(corpus()),
           "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    log = folder / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not log.exists():
        count.fail("meson test gave no report")
        return
    for line in log.read_text().splitlines():
        test = json.loads(line)
        cases = re.findall(r"^(not ok|ok) \d+(?: - (\S+))?(.*)$", test.get("stdout", ""), re.M)
        bad = [c for c in cases if c[0] == "not ok"]
        skip = [c for c in cases if c[0] == "ok" and "# SKIP" in c[2].upper()]
        for c in bad:
            count.fail(f"{test['name']}: {c[1]}")
        for c in skip:
            count.skip(f"{test['name']}: {c[1]}")
        count.ok(len(cases) - len(bad) - len(skip))
        if test["result"] == "SKIP":
            count.skip(test["name"])
        elif test["result"] not in ("OK", "EXPECTEDFAIL") and not bad:
            count.fail(f"{test['name']}: {test['result']}")
            print("\n".join((test.get("stdout", "") + test.get("stderr", "")).splitlines()[-30:]))
        elif bad:
            print("\n".join((test.get("stdout", "") + test.get("stderr", "")).splitlines()[-30:]))
        elif not cases and test["result"] == "OK":
            count.ok()


def corpus():
    return Path(os.environ.get("LINTEL_CORPUS", ROOT.parent / "shared" / "corpus"))


def unit(count, only=None, exclude=()):
    if not build(ASAN, "-Dci=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", env={"CC": "gcc"}):
        count.fail("build with ASan and UBSan")
        return
    meson_suite(ASAN, count, only or [], exclude=[] if only else exclude)


def quick_unit(count):
    """Without the tortures and the tests of whole programs, which take a minute each."""
    unit(count, exclude=("slow",))


def release(count):
    """Walls and whole programs again, as users run them: sanitizers need wider walls."""
    if not build(RELEASE, "-Dtests=true", env={"CC": "gcc"}) or not enable_tests():
        count.fail("release build")
        return
    meson_suite(RELEASE, count, ["sandbox", "role"])


def enable_tests():
    out = subprocess.run(["meson", "introspect", str(RELEASE), "--buildoptions"], capture_output=True, text=True)
    options = {o["name"]: o["value"] for o in json.loads(out.stdout)}
    if options.get("tests"):
        return True
    return run(["meson", "configure", RELEASE, "-Dtests=true"]).returncode == 0 and build(RELEASE)


def clang(count):
    """The second compiler, warnings as errors; the fuzz build is made with it."""
    if build(FUZZ, "-Dci=true", "-Dfuzz=true", "-Dtests=true", "-Db_sanitize=address,undefined", "-Db_lundef=false",
             env={"CC": "clang-14"}):
        count.ok()
        return True
    count.fail("build with clang 14, warnings as errors")
    return False


def fuzz(count, seconds=4, figures=None):
    if not clang(count):
        return
    targets = sorted(p for p in (FUZZ / "tests" / "fuzz").glob("fuzz_*") if p.is_file() and os.access(p, os.X_OK))
    if not targets:
        count.fail("no fuzz target was built")
    running = []
    for target in targets + [None] * int(JOBS):
        if target is not None:
            name = target.name.removeprefix("fuzz_")
            work = FUZZ / "corpus" / name
            work.mkdir(parents=True, exist_ok=True)
            seeds = ROOT / "tests" / "fuzz" / "seeds" / name
            if not seeds.is_dir():
                count.fail(f"fuzz {name}: no seeds in {seeds.relative_to(ROOT)}")
                continue
            log = open(FUZZ / f"{name}.log", "w")
            running.append((name, subprocess.Popen(
                [str(target), f"-max_total_time={seconds}", "-rss_limit_mb=4096", "-timeout=10", "-print_final_stats=1",
                 f"-artifact_prefix={FUZZ}/{name}-", str(work), str(seeds)], stdout=log, stderr=log, cwd=FUZZ)))
        while len(running) >= int(JOBS) or (target is None and running):
            name, process = running.pop(0)
            process.wait()
            text = (FUZZ / f"{name}.log").read_text(errors="replace")
            runs = re.search(r"number_of_executed_units:\s*(\d+)", text)
            if process.returncode == 0 and runs and int(runs[1]) > 0:
                count.ok()
                print(f"  fuzz {name}: {int(runs[1]):,} runs", flush=True)
                if figures is not None:
                    figures.append((f"fuzz {name}", f"{int(runs[1]):,} runs in {seconds} s, no finding"))
            else:
                count.fail(f"fuzz {name} (see {FUZZ.name}/{name}.log)")
                print("\n".join(text.splitlines()[-15:]))


def pytest_file(path, report, folders):
    """One file by a process of its own; what it printed. Two files share nothing: each has its folder for temporary files
    (a common one is closed again by every pytest that starts) and its ports. The folder of a file that failed is kept."""
    folder = folders / str(zlib.crc32(path.stem.encode()) % 10000)  # short: paths of sockets end at 107 bytes
    command = [sys.executable, "-m", "pytest", "-q", "-x" if os.environ.get("FAIL_FAST") else "-q",
               f"--junitxml={report}", "-p", "no:cacheprovider", f"--basetemp={folder}", path]
    env = {**os.environ, "LINTEL_CORPUS": str(corpus())}
    done = run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode == 0:
        shutil.rmtree(folder, ignore_errors=True)
    return done.stdout


def pytest_report(count, report, figures):
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            count.fail(name)
        elif case.find("skipped") is not None:
            count.skip(f"{name}: {case.find('skipped').get('message')}")
        else:
            count.ok()
            said = ", ".join(f"{p.get('value')} {p.get('name')}" for p in case.iter("property"))
            if figures is not None and said:
                figures.append((case.get("name"), said))


def pytest(count, folder, figures=None):
    """The files of a folder, as many at a time as there are cores: most of a test is waiting. The longest come first."""
    if not build(RELEASE, env={"CC": "gcc"}):
        count.fail("release build")
        return
    reports = ROOT / "build" / "pytest" / Path(folder).name
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    folders = Path(tempfile.mkdtemp(prefix="lt-"))
    folders.chmod(0o755)  # the roles' own users pass through
    files = sorted((ROOT / folder).glob("test_*.py"), key=lambda f: -f.stat().st_size)
    for jobs, some in ((int(JOBS), [f for f in files if f.name not in ALONE]), (1, [f for f in files if f.name in ALONE])):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            runs = {pool.submit(pytest_file, f, reports / f"{f.stem}.xml", folders): f for f in some}
            for done in concurrent.futures.as_completed(runs):
                print(f"-- {runs[done].name}\n{done.result().rstrip()}", flush=True)
    for f in files:
        report = reports / f"{f.stem}.xml"
        if report.exists():
            pytest_report(count, report, figures)
        else:
            count.fail(f"{folder}/{f.name} gave no report")
    with contextlib.suppress(OSError):
        folders.rmdir()


def checks(count):
    for script in sorted((ROOT / "tools").glob("check-*")):
        result = run([script], capture_output=True, text=True)
        if result.returncode == 0:
            count.ok()
        else:
            count.fail(script.name)
            print((result.stdout + result.stderr)[-3000:])


SUITES = {
    "checks": checks,
    "unit": unit,
    "release": release,
    "fuzz": fuzz,
    "e2e": lambda count: pytest(count, "tests/e2e"),
    "chaos": lambda count: pytest(count, "tests/chaos"),
}


def soak(count):
    """The long counts; their figures replace the table in docs/reliability.md when nothing failed."""
    figures = []
    fuzz(count, int(os.environ.get("LINTEL_FUZZ_SECONDS", "600")), figures)
    os.environ.setdefault("LINTEL_KILLS", "300")
    pytest(count, "tests/chaos", figures=figures)
    if count.failed:
        return
    page = ROOT / "docs" / "reliability.md"
    head, _, rest = page.read_text().partition("<!-- soak -->")
    tail = rest.partition("<!-- end -->")[2]
    when = time.strftime("%Y-%m-%d", time.gmtime())
    rows = "".join(f"| {name} | {what} |\n" for name, what in figures)
    page.write_text(f"{head}<!-- soak -->\nLast soak: {when}, {os.cpu_count()} cores.\n\n| test | figures |\n| --- | --- |\n{rows}<!-- end -->{tail}")


def main(arguments):
    count = Count()
    if arguments == ["quick"]:
        chosen = ["checks", "quick-unit"]
    else:
        chosen = arguments or list(SUITES)
    rooms = {p.name for p in (ROOT / "tests" / "unit").iterdir() if p.is_dir()}
    for name in chosen:
        start = time.monotonic()
        print(f"== {name}", flush=True)
        if name == "soak":
            soak(count)
        elif name == "quick-unit":
            quick_unit(count)
        elif name in SUITES:
            SUITES[name](count)
        elif name in rooms:
            unit(count, [name])
        else:
            print(f"test: no such suite: {name}. There are: {', '.join([*SUITES, 'soak', *sorted(rooms)])}", file=sys.stderr)
            return 2
        print(f"   {name}: {time.monotonic() - start:.0f} s", flush=True)
    if count.failures:
        print("\nFailed:\n" + "\n".join(f"  {f}" for f in count.failures))
    if count.skips:
        print("\nSkipped:\n" + "\n".join(f"  {s}" for s in count.skips))
    print(f"\n{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return 1 if count.failed or count.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

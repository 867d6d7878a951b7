#!/usr/bin/env python3
"""The supervisor with a family of tiny roles (tiny.c under every name): start, links, crash and backoff, hold, drain,
reload, lock, orphans. Speaks TAP. test_supervisor.py SUPERVISOR TINY"""
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

SUPERVISOR, TINY = map(Path, sys.argv[1:3])
ROLES = ("gateway", "notary", "registrar", "reader", "publisher", "examiner", "signer", "token", "validator", "mailroom")
FAMILY = ("gateway-0", "gateway-1", "notary-0", "notary-1", "registrar-0", "reader-0", "publisher-0", "examiner-0",
          "signer-0", "validator-0", "mailroom-0")


class Family:
    def __init__(self, config="", **words):
        self.top = Path(tempfile.mkdtemp(prefix="lintel-family-"))
        self.top.chmod(0o755)
        self.libexec = self.top / "libexec"
        self.libexec.mkdir()
        for role in ROLES:
            shutil.copy(TINY, self.libexec / f"lintel-{role}")
        self.folder = self.top / "ca"
        for name in ("tiny", "secrets", "keys", "profiles", "operators", "ca"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "tiny").chmod(0o777)
        (self.folder / "secrets" / "passphrase").write_text("correct horse\n")
        (self.folder / "lintel.yaml").write_text(
            'name: Tiny\nlisten:\n  https: "127.0.0.1:0"\n  http: ""\n  operator: ""\n' + config)
        for role, word in words.items():
            self.word(role, word)
        self.log_path = self.top / "log"
        self.options = []
        self.process = None

    def word(self, role, word):
        (self.folder / "tiny" / role).write_text(word)

    def start(self, wait=True, env=None):
        self.process = subprocess.Popen([SUPERVISOR, self.folder, "--libexec", self.libexec, "--log", "json", *self.options],
                                        stdout=subprocess.PIPE, stderr=open(self.log_path, "a"), text=True,
                                        env={**os.environ, **(env or {})})
        if wait:
            self.ready()
        return self

    def ready(self, seconds=30):
        """The one line on standard output, in bounded time: a role that dies at every tick may keep it away for ever."""
        readable, _, _ = select.select([self.process.stdout], [], [], seconds)
        assert readable and self.process.stdout.readline() == "ready\n", self.log_path.read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.top)

    def log(self, message=None):
        lines = [json.loads(line) for line in self.log_path.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if message is None or line["msg"] == message]

    def said(self, role):
        path = self.folder / "tiny" / f"{role}.log"
        return path.read_text().splitlines() if path.exists() else []

    def status(self):
        path = self.folder / "run" / "status.json"
        wait_for("the status file", path.exists)
        return json.loads(path.read_text())

    def pids(self):
        return {p["name"]: p["pid"] for p in self.status()["processes"]}

    def stop(self, expect=0):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        assert code == expect, (code, self.log_path.read_text())


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited for {what}")


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def everybody_starts_with_what_is_theirs():
    with Family().start() as f:
        assert {p["name"] for p in f.status()["processes"]} == set(FAMILY)
        assert all(p["state"] == "ready" and p["seccomp"] for p in f.status()["processes"])
        for role in ROLES:
            if role == "token":
                assert not f.said(role), "no module, no token"
                continue
            first = f.said(role)[0]
            assert f"passphrase={13 if role == 'signer' else 0} " in first, first
            assert f"seal={64 if role == 'registrar' else 0} " in first, first
            # Two listeners (https, api) and the boards of all eleven processes; nobody else gets a socket to listen on.
            assert f"listeners={13 if role == 'gateway' else 0}" in first, first
            line = wait_for("its descriptors", lambda: next((x for x in f.said(role) if x.startswith("fds=")), None))
            fds = dict(x.split(":", 1) for x in line.removeprefix("fds= ").split())
            extra = {n: t for n, t in fds.items() if int(n) > 3}
            assert fds["0"] == fds["1"] == "/dev/null" and fds["3"] == "socket", fds
            expected = {"anon_inode"} | ({"socket", "/memfd"} if role == "gateway" else set())
            assert {t.rstrip() for t in extra.values()} <= expected, (role, fds)
        f.stop()


def the_token_gets_the_pin():
    with Family('token:\n  module: "/usr/lib/none.so"\n  pin-file: "secrets/pin"\n') as f:
        (f.folder / "secrets" / "pin").write_text("123456\n")
        f.start()
        assert "pin=6" in f.said("token")[0] and "passphrase=0" in f.said("token")[0]
        assert "pin=0" in f.said("signer")[0]
        assert "linked token-0" in f.said("signer")
        assert [x for x in f.said("token") if x.startswith("linked")] == ["linked signer-0"]
        f.stop()


def the_key_of_sealed_secrets_is_made_once():
    with Family() as f:
        path = f.folder / "secrets" / "seal.key"
        f.start()
        first = path.read_text()
        assert len(first) == 65 and path.stat().st_mode & 0o777 == 0o600
        f.stop()
        f.start()
        assert path.read_text() == first
        f.stop()


def a_long_configuration_crosses_in_a_memfd():
    with Family("# " + "x" * 100 + "\n" + "# long\n" * 20000) as f:
        f.start()
        f.process.send_signal(signal.SIGHUP)
        size = len((f.folder / "lintel.yaml").read_text())
        wait_for("a long reload", lambda: f"reload {size}" in f.said("gateway") and f"reload {size}" in f.said("signer"))
        f.stop()


def what_needs_a_restart_waits_for_it():
    with Family().start() as f:
        with open(f.folder / "lintel.yaml", "a") as y:
            y.write("gateways: 5\nuid-base: 200000\n")
        f.process.send_signal(signal.SIGHUP)
        wait_for("the warning", lambda: any("change with a restart" in x["msg"] for x in f.log()))
        old = f.pids()["notary-0"]
        uid = os.stat(f"/proc/{old}").st_uid
        os.kill(old, signal.SIGKILL)
        wait_for("notary again", lambda: f.pids()["notary-0"] not in (0, old) and f.status()["ready"])
        assert len({x for x in f.said("notary") if x.startswith("start")}) == 2, "the same uid as before"
        assert len(f.pids()) == len(FAMILY) and uid is not None
        f.stop()


def a_closed_standard_output_kills_nobody():
    with Family() as f:
        f.start(wait=False)
        f.process.stdout.close()
        wait_for("ready", lambda: f.log("ready"))
        time.sleep(0.2)
        assert f.process.poll() is None
        f.stop()


def links_follow_the_table():
    expected = {
        "registrar": {"notary", "reader", "examiner", "validator", "publisher", "mailroom"},
        "reader": {"notary", "registrar", "mailroom"}, "mailroom": {"reader", "registrar"},
        "signer": {"examiner"}, "gateway": {"notary"},
        "notary": {"gateway", "registrar", "reader"}, "examiner": {"registrar", "signer", "publisher"},
        "validator": {"registrar"},
    }
    with Family().start() as f:
        def links():
            return {r: {x.split()[1].split("-")[0] for x in f.said(r) if x.startswith("linked")} for r in expected}

        wait_for("the links", lambda: links() == expected)  # a role is ready before it has read its last link
        f.stop()


def a_killed_role_comes_back_with_fresh_links():
    with Family().start() as f:
        for name in ("registrar-0", "notary-1", "gateway-0", "validator-0"):
            old = f.pids()[name]
            os.kill(old, signal.SIGKILL)
            wait_for(f"{name} again", lambda: f.pids()[name] not in (0, old) and f.status()["ready"])
        assert f.said("examiner").count("linked registrar-0") == 2
        assert f.said("examiner").count("unlinked registrar-0") == 1
        assert f.said("registrar").count("linked notary-1") == 3  # at first, after its own death, after notary-1's
        events = [x for x in f.said("registrar") if x.startswith("event")]
        assert "event registrar-0 crashed" in events and "event notary-1 restarted" in events, events
        assert not f.status()["held"]
        f.stop()


def a_crashing_role_is_restarted_with_backoff():
    with Family(publisher="die").start(wait=False) as f:
        wait_for("six deaths", lambda: len(f.log("a process died")) >= 6)
        waits = [int(x["again_in_ms"]) for x in f.log("a process died")]
        assert waits[:6] == [50, 100, 200, 400, 800, 1600], waits
        assert not f.status()["held"], "a publisher does not hold issuance"
        f.word("publisher", "behave")
        wait_for("health", lambda: f.status()["ready"])
        f.stop()


def three_crashes_of_a_key_role_hold_issuance():
    with Family(signer="die").start(wait=False) as f:
        wait_for("the hold", lambda: f.status()["held"])
        assert f.log("ISSUANCE IS HELD")[0]["level"] == "error"
        wait_for("word to the registrar", lambda: "held" in f.said("registrar"))
        f.word("signer", "behave")
        wait_for("health", lambda: f.status()["ready"])
        assert f.status()["held"], "health alone lifts nothing"
        os.kill(f.pids()["registrar-0"], signal.SIGKILL)
        wait_for("a registrar that is told again", lambda: f.said("registrar").count("held") == 2)
        f.process.send_signal(signal.SIGHUP)
        wait_for("the lift", lambda: "hold lifted" in f.said("registrar") and not f.status()["held"])
        f.stop()


def being_killed_is_no_fault_of_the_program():
    with Family().start() as f:
        for _ in range(4):
            old = f.pids()["signer-0"]
            os.kill(old, signal.SIGKILL)
            wait_for("signer again", lambda: f.pids()["signer-0"] not in (0, old) and f.status()["ready"])
        assert not f.status()["held"]
        for _ in range(3):
            old = f.pids()["signer-0"]
            os.kill(old, signal.SIGSEGV)
            wait_for("signer again", lambda: f.pids()["signer-0"] not in (0, old) and f.status()["ready"])
        assert f.status()["held"]
        f.stop()


def crashes_of_faces_hold_nothing():
    with Family(gateway="die", validator="die").start(wait=False) as f:
        wait_for("deaths", lambda: len(f.log("a process died")) >= 8)
        assert not f.status()["held"]


def drains_faces_first_and_keys_last():
    with Family().start() as f:
        f.stop()
        order = ["gateway", "notary", "publisher", "registrar", "validator", "examiner", "signer"]
        times = [(f.folder / "tiny" / f"{r}.log").stat().st_mtime_ns for r in order]
        assert times == sorted(times), dict(zip(order, times))
        assert all("drained" in f.said(r) for r in order)
        assert not (f.folder / "run" / "api.sock").exists()


def a_stuck_role_is_ended_in_bounded_time():
    with Family(examiner="stuck").start() as f:
        start = time.monotonic()
        f.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert f.process.poll() is None, "it waits for accepted work"
        assert {p["name"] for p in wait_for("the rest", lambda: [p for p in f.status()["processes"] if p["pid"]] if
                [p["name"] for p in f.status()["processes"] if p["pid"]] == ["signer-0", "examiner-0"] else None)}
        f.process.send_signal(signal.SIGTERM)
        assert f.process.wait(5) == 1
        assert time.monotonic() - start < 5


def reload_reaches_everybody():
    with Family().start() as f:
        f.process.send_signal(signal.SIGHUP)
        for role in ("gateway", "notary", "registrar", "examiner", "signer", "validator"):
            wait_for(role, lambda: any(x.startswith("reload ") for x in f.said(role)))
        (f.folder / "lintel.yaml").write_text("nome: wrong\n")
        f.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: f.log("the configuration is refused, the old one stays"))
        assert sum(x.startswith("reload ") for x in f.said("registrar")) == 1
        assert f.status()["ready"]
        f.stop()


def a_liar_is_ended_and_reported():
    with Family(notary="lie").start(wait=False) as f:
        wait_for("the end of a liar", lambda: f.log("ended for misbehaviour"))
        line = f.log("ended for misbehaviour")[0]
        assert line["process"].startswith("notary"), line
        wait_for("the event", lambda: any(re.match(r"event notary-\d misbehaved", x) for x in f.said("registrar")))
        f.word("notary", "behave")
        wait_for("health", lambda: f.status()["ready"])
        f.stop()


def a_role_that_signals_dies():
    with Family(validator="kill").start(wait=False) as f:
        wait_for("its death", lambda: f.log("a process died"))
        assert "its sandbox forbids" in f.log("a process died")[0]["how"]
        f.stop(0)


def one_family_for_one_folder():
    with Family().start() as f:
        second = subprocess.run([SUPERVISOR, f.folder, "--libexec", f.libexec], capture_output=True, text=True)
        assert second.returncode == 1 and "being served already" in second.stderr, second
        assert f.status()["ready"]
        f.stop()


def no_orphans():
    with Family().start() as f:
        pids = [p for p in f.pids().values()]
        f.process.kill()
        f.process.wait()
        wait_for("the end of all", lambda: not any(alive(p) for p in pids), 5)
        f.start()  # the lock went with it
        f.stop()


def a_role_without_start_gives_up():
    for arguments in ([], ["0"]):
        r = subprocess.run([TINY.parent / "tiny"] + arguments, executable=TINY, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, close_fds=True)
        assert r.returncode != 0


def systemd_is_told():
    with Family() as f, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(f.top / "notify"))
        s.settimeout(10)
        f.start(env={"NOTIFY_SOCKET": str(f.top / "notify")})
        assert s.recv(100) == b"READY=1"
        f.process.send_signal(signal.SIGHUP)
        assert s.recv(100) == b"RELOADING=1" and s.recv(100) == b"READY=1"
        f.process.send_signal(signal.SIGTERM)
        assert s.recv(100) == b"STOPPING=1"
        assert f.process.wait(10) == 0


def credentials_come_from_systemd():
    with Family() as f:
        (f.top / "cred").mkdir()
        (f.top / "cred" / "lintel-passphrase").write_text("four")
        (f.top / "cred" / "lintel-seal-key").write_text("sevenly")
        f.start(env={"CREDENTIALS_DIRECTORY": str(f.top / "cred")})
        assert "passphrase=4 " in f.said("signer")[0] and "seal=7 " in f.said("registrar")[0]
        assert not (f.folder / "secrets" / "seal.key").exists()
        f.stop()


def refusals_are_clear():
    def refused(change, code, words):
        with Family() as f:
            change(f)
            r = subprocess.run([SUPERVISOR, f.folder, "--libexec", f.libexec], capture_output=True, text=True, timeout=20)
            assert r.returncode == code and words in r.stderr, r

    refused(lambda f: (f.folder / "lintel.yaml").unlink(), 1, "no such file")
    refused(lambda f: (f.folder / "lintel.yaml").write_text("gateways: many\n"), 2, "lintel.yaml:1")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(1)
        taken = f'name: x\nlisten:\n  https: "127.0.0.1:{s.getsockname()[1]}"\n  http: ""\n  operator: ""\n'
        refused(lambda f: (f.folder / "lintel.yaml").write_text(taken), 2, "in use")
    r = subprocess.run([SUPERVISOR, "/nowhere/at/all"], capture_output=True, text=True)
    assert r.returncode == 2 and "lintel init" in r.stderr


def a_missing_program_is_retried_not_fatal():
    with Family() as f:
        (f.libexec / "lintel-publisher").unlink()
        f.start(wait=False)
        wait_for("two tries", lambda: len(f.log("a process died")) >= 2)
        shutil.copy(TINY, f.libexec / "lintel-publisher")
        f.ready()
        f.stop()


def a_broken_state_ends_the_process():
    with Family(registrar="state").start() as f:
        died = wait_for("its end", lambda: f.log("a process died"))[0]
        assert died["process"] == "registrar-0" and died["how"] == "exit status 1", died
        said = [x for x in f.log("cannot go on") if x["role"] == "registrar-0"][0]
        assert said["code"] == "corrupt" and said["detail"] == "as it was told"
        f.word("registrar", "behave")
        wait_for("health", lambda: f.status()["ready"])
        f.stop()


def a_soft_failure_ends_nothing():
    with Family(registrar="soft").start() as f:
        wait_for("the failure", lambda: f.log("FamilyEvent"))
        assert not f.log("a process died") and f.status()["ready"]
        f.stop()


def without_sandbox_is_said_loudly():
    with Family() as f:
        f.options = ["--no-sandbox"]
        f.start()
        assert f.status()["sandbox"] is False
        assert len(f.log("running WITHOUT its sandbox")) == len(FAMILY)
        f.stop()


def programs_that_the_roles_cannot_reach():
    if os.getuid() != 0:
        return "own users need a start as root"
    with Family() as f:
        f.libexec.chmod(0o700)
        f.start()
        assert f.status()["own_users"] is True
        assert Path(f"/proc/{f.pids()['signer-0']}/comm").read_text() == "lintel-signer\n"
        f.stop()


def owners_as_root():
    if os.getuid() != 0:
        return "own users need a start as root"
    with Family().start() as f:
        owner = {name: (f.folder / name).stat() for name in ("keys", "book", "journal", "examiner", "public", "tls", "secrets")}
        uids = {name: st.st_uid for name, st in owner.items()}
        assert uids["keys"] == uids["journal"] and uids["secrets"] == 0
        assert len({uids[n] for n in ("keys", "book", "examiner", "public", "tls")}) == 5 and 0 not in (uids["keys"], uids["tls"])
        assert owner["keys"].st_mode & 0o7777 == 0o700 and owner["book"].st_mode & 0o7777 == 0o2750
        users = {r: re.search(r"uid=(\d+)", f.said(r)[0])[1] for r in ROLES if f.said(r)}
        assert len(set(users.values())) == len(users) and "0" not in users.values(), users
        groups = {n: Path(f"/proc/{p}/status").read_text() for n, p in f.pids().items()}
        group = {n: re.search(r"^Groups:[ \t]*(.*?)[ \t]*$", t, re.M)[1] for n, t in groups.items()}
        book = str(owner["book"].st_gid)
        assert group["reader-0"] == book and group["publisher-0"] == book and group["gateway-0"] == "", group
        caps = {n: re.search(r"^CapPrm:\s*(\S+)", t, re.M)[1] for n, t in groups.items()}
        assert set(caps.values()) == {"0" * 16}, caps
        f.stop()


def a_closed_parent_is_said_loudly():
    if os.getuid() != 0:
        return "own users need a start as root"
    with Family() as f:
        f.top.chmod(0o700)
        f.start()
        assert f.log("all roles run as one user: theirs cannot reach the CA folder")
        assert f.status()["own_users"] is False
        status = Path(f"/proc/{f.pids()['gateway-0']}/status").read_text()
        assert re.search(r"^CapPrm:\s*0+$", status, re.M), "root in name only"
        f.stop()


TESTS = [v for k, v in list(globals().items()) if callable(v) and getattr(v, "__module__", "") == "__main__"
         and k not in ("Family", "wait_for", "alive") and not isinstance(v, type)]


def main():
    print(f"1..{len(TESTS)}")
    bad = 0
    for number, test in enumerate(TESTS, 1):
        try:
            skip = test()
            print(f"ok {number} - {test.__name__}" + (f" # SKIP {skip}" if skip else ""), flush=True)
        except Exception:
            bad += 1
            print(f"not ok {number} - {test.__name__}", flush=True)
            print("".join("# " + x + "\n" for x in traceback.format_exc().splitlines()), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

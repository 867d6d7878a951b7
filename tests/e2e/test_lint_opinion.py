"""The second opinion: another linter that is asked before the signer, and can only say no."""
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
from acmeclient import AcmeError, Client
from conftest import Webroot, wait_for

def configure(ca, command, **keys):
    lines = ["", "second-opinion:", f"  command: [{', '.join(command)}]"]
    lines += [f"  {key.replace('_', '-')}: {value}" for key, value in keys.items()]
    path = ca.folder / "lintel.yaml"
    path.write_text(path.read_text() + "\n".join(lines) + "\n")
    ca.lintel("config", "check")


def script(folder, text, name="linter", interpreter="/bin/sh"):
    path = folder / name
    path.write_text(f"#!{interpreter}\n{text}\n")
    path.chmod(0o755)
    return str(path)


def events(ca, kind):
    rows = ca.json("event", "list", "--kind", kind, "--limit", "100")
    return rows["events"]


@pytest.fixture
def opinion(fresh_ca):
    """serve(command, …) starts the family with that second opinion and gives a client."""
    roots = []

    def serve(command, **keys):
        configure(fresh_ca, command, **keys)
        fresh_ca.start()
        root = Webroot(fresh_ca.folder.parent / "webroot", fresh_ca.http01_port)
        roots.append(root)
        client = Client(fresh_ca.directory, fresh_ca.root, root.challenges)
        client.register()
        return client

    yield serve
    for root in roots:
        root.stop()


def refused(ca, client, name, words):
    with pytest.raises(AcmeError) as caught:
        client.issue(name)
    told = str(caught.value.problem)
    assert words in told, told
    rows = events(ca, "certificate.refused")
    assert rows and rows[0]["body"]["refusal"] == "second-opinion" and words in rows[0]["body"]["detail"], rows
    return rows[0]["body"]


def test_all_clear(fresh_ca, opinion, tmp_path):
    client = opinion([script(tmp_path, "read first; test \"$first\" = '-----BEGIN CERTIFICATE-----'")])
    for i in range(4):
        client.issue(f"clear{i}.example.com")
    assert "opinion-0" in fresh_ca.pids()
    fresh_ca.stop()


def test_a_finding_by_exit_status(fresh_ca, opinion, tmp_path):
    client = opinion([script(tmp_path, "echo this name is not nice; exit 3")])
    body = refused(fresh_ca, client, "finding.example.com", "this name is not nice")
    assert body["findings"] == [{"rule": "exit-status-3", "result": "error", "message": "this name is not nice", "offset": 0}]
    fresh_ca.stop()


@pytest.mark.parametrize("text,keys,words", [
    ("while true; do :; done", {"timeout": "1s"}, "took longer than 1 s"),
    ("read -t 600 nothing < /dev/zero; while true; do :; done", {"timeout": "1s"}, "took longer than 1 s"),
    ("kill -SEGV $$; exit 0", {"format": "zlint"}, "the second opinion"),
    ("echo all is well", {"format": "zlint"}, "said nothing that zlint would say"),
    ("echo '{}'", {"format": "zlint"}, "said nothing that zlint would say"),
    ("echo '{\"e_x\":{\"result\":\"pass\"}'", {"format": "zlint"}, "said nothing that zlint would say"),
    ("echo '{\"e_x\":{\"result\":\"error\",\"details\":\"bad\"},\"w_y\":{\"result\":\"warn\"}}'", {"format": "zlint"}, "e_x: bad"),
    ("echo '{\"w_y\":{\"result\":\"warn\",\"details\":\"odd\"}}'", {"format": "zlint", "fail_on": "warn"}, "w_y: odd"),
    ("while true; do echo 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234; done",
     {"timeout": "20s"}, "says too much"),
])
def test_what_is_no_all_clear(fresh_ca, opinion, tmp_path, text, keys, words):
    client = opinion([script(tmp_path, text)], **keys)
    refused(fresh_ca, client, "no.example.com", words)
    fresh_ca.stop()


def test_a_crash(fresh_ca, opinion, tmp_path):
    python = shutil.which("python3", path="/usr/bin")
    client = opinion([script(tmp_path, "import ctypes; ctypes.string_at(0)", interpreter=python)])
    refused(fresh_ca, client, "crash.example.com", "ended by signal 11")
    fresh_ca.stop()


def test_warnings_below_the_line(fresh_ca, opinion, tmp_path):
    client = opinion([script(tmp_path, "echo '{\"w_y\":{\"result\":\"warn\"},\"e_x\":{\"result\":\"pass\"}}'", name="zlint")])
    client.issue("below.example.com")
    fresh_ca.stop()


def test_the_walls_around_it(fresh_ca, opinion, tmp_path):
    """It sees no key and no book, reaches nobody, signals nobody, starts nothing and writes nothing."""
    python = shutil.which("python3", path="/usr/bin")
    probe = script(tmp_path, f"""
import os, signal, socket, subprocess, sys
folder = {str(fresh_ca.folder)!r}
found = []
def may(what, act):
    try:
        act()
        found.append(what)
    except OSError:
        pass
may("key", lambda: open(folder + "/keys/tls.key", "rb").read())
may("book", lambda: open(folder + "/book/lintel.db", "rb").read())
may("profile", lambda: open(folder + "/profiles/tls-server.yaml").read())
may("write", lambda: open("/tmp/lintel-opinion-was-here", "w"))
may("inet", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
may("unix", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
may("signal", lambda: os.kill(os.getppid(), 0))
may("start", lambda: os.execv("/bin/ls", ["ls"]) if os.fork() == 0 else None)
may("descriptors", lambda: os.fstat(3))
text = sys.stdin.read()
assert "BEGIN CERTIFICATE" in text and os.getuid() != 0 or os.getuid() == os.geteuid()
print(found)
sys.exit(1 if found else 0)
""", interpreter=python)
    client = opinion([probe])
    client.issue("walls.example.com")
    fresh_ca.stop()


def test_it_maps_what_the_table_says(fresh_ca, opinion, tmp_path):
    from test_libraries import allowed, mapped
    if os.getuid() != 0:
        pytest.skip("the maps of a process that is not dumpable are root's to read")
    opinion([script(tmp_path, "exit 0")])
    libraries, files = mapped(fresh_ca.pids()["opinion-0"], "opinion")
    assert (libraries, files) == allowed()["opinion"]
    fresh_ca.stop()


def test_it_dies_over_a_certificate(fresh_ca, opinion, tmp_path):
    """Killed while it judges: that one is refused; the next one waits for its successor and is asked of it."""
    client = opinion([script(tmp_path, "test -e " + str(tmp_path / "slow") + " || exit 0; while true; do :; done")], timeout="60s",
                     paths=f"[{tmp_path}]")
    (tmp_path / "slow").touch()
    done = []

    def kill():
        wait_for("the command", lambda: any(b"linter" in Path(f"/proc/{p}/cmdline").read_bytes() for p in children(fresh_ca)), 15)
        os.kill(fresh_ca.pids()["opinion-0"], signal.SIGKILL)
        (tmp_path / "slow").unlink()
        done.append(True)

    killer = threading.Thread(target=kill)
    killer.start()
    refused(fresh_ca, client, "died.example.com", "died over it")
    killer.join()
    assert done
    client.issue("after.example.com")
    fresh_ca.stop()


def children(ca):
    try:
        pid = ca.pids()["opinion-0"]
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (KeyError, OSError):
        return []


def test_it_is_not_there(fresh_ca, opinion, tmp_path):
    """A command that is taken away after the start: orders are refused and say so; the book has it."""
    path = Path(script(tmp_path, "exit 0"))
    client = opinion([str(path)])
    client.issue("there.example.com")
    path.unlink()
    refused(fresh_ca, client, "gone.example.com", "cannot be started")
    fresh_ca.stop()


def test_its_process_is_not_there(fresh_ca, opinion, tmp_path):
    """Then nobody was asked, so nothing is refused: orders wait, the book says for what, and all goes on by itself."""
    path = Path(script(tmp_path, "exit 0"))
    client = opinion([str(path)])
    text = path.read_text()
    path.unlink()
    os.kill(fresh_ca.pids()["opinion-0"], signal.SIGKILL)
    done = []
    waiting = threading.Thread(target=lambda: done.append(client.issue("waits.example.com")))
    waiting.start()
    told = wait_for("the event", lambda: events(fresh_ca, "lint.second-opinion"), 15)
    assert told[0]["body"]["refusal"] == "unavailable" and "not there" in told[0]["body"]["detail"]
    assert not done and not events(fresh_ca, "certificate.refused")
    script(tmp_path, text.split("\n", 1)[1])
    waiting.join(40)
    assert done
    fresh_ca.stop()


def test_many_at_once(fresh_ca, opinion, tmp_path):
    client = opinion([script(tmp_path, "i=0; while test $i -lt 20000; do i=$((i+1)); done")], processes="4")
    clients = [Client(fresh_ca.directory, fresh_ca.root, client.challenges) for _ in range(8)]
    for c in clients:
        c.register()
    failed = []

    def work(n, c):
        try:
            for i in range(3):
                c.issue(f"many{n}-{i}.example.com")
        except Exception as e:  # noqa: BLE001 - told below
            failed.append(e)

    threads = [threading.Thread(target=work, args=(n, c)) for n, c in enumerate(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed, failed
    fresh_ca.stop()


def test_only_the_profiles_named(fresh_ca, opinion, tmp_path):
    client = opinion([script(tmp_path, "exit 1")], profiles="[tls-server-short]")
    client.issue("other.example.com")
    with pytest.raises(AcmeError):
        client.issue("short.example.com", profile="tls-server-short")
    fresh_ca.stop()


@pytest.mark.parametrize("keys,words", [
    ({"profiles": "[tls-servr]"}, 'there is no profile "tls-servr"'),
    ({"timeout": "1h"}, "second-opinion.timeout"),
    ({"fail_on": "sometimes"}, "sometimes"),
    ({"processes": "99"}, "second-opinion.processes"),
])
def test_a_configuration_that_cannot_be(fresh_ca, tmp_path, keys, words):
    with pytest.raises(AssertionError) as caught:
        configure(fresh_ca, [script(tmp_path, "exit 0")], **keys)
    assert words in str(caught.value)


@pytest.mark.parametrize("command", ["zlint", "/nowhere/zlint"])
def test_a_command_that_cannot_be(fresh_ca, command):
    with pytest.raises(AssertionError) as caught:
        configure(fresh_ca, [command])
    assert "second-opinion.command" in str(caught.value)


ZLINT = next((p for p in (os.environ.get("ZLINT"), shutil.which("zlint"), "/tmp/zlint") if p and Path(p).exists()), None)


@pytest.mark.skipif(ZLINT is None, reason="there is no zlint here")
def test_with_a_real_zlint(fresh_ca, opinion, tmp_path):
    binary = tmp_path / "zlint"
    shutil.copy(ZLINT, binary)
    binary.chmod(0o755)
    client = opinion([str(binary), '"-"'])
    client.issue("real.example.com")
    client.issue("short.example.com", profile="tls-server-short")
    fresh_ca.stop()

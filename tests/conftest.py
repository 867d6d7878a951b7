"""What every end-to-end test stands on: real programs on loopback, each test run with its own folder and ports.

`ca` is a family served from a fresh folder; `dns` an unbound that answers 127.0.0.1 for all of example.com and
example.org; `webroot` a plain web server on the port that the validator is told to use.
"""
import fcntl
import http.server
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from browser import chromium  # noqa: F401 (a fixture)

ROOT = Path(__file__).resolve().parents[1]
LINTEL = Path(os.environ.get("LINTEL_BIN", ROOT / "build" / "lintel"))


PORTS = Path("/tmp/lintel-test-ports")
held_ports = {}  # port: its locked file, open for as long as this run of tests


def free_port(kind=None):
    """For TCP and UDP, whatever is asked. Below the ports that the kernel gives to connections going out: one of those may be taken between
    our look and the program's start, or while a test has stopped it. Other runs of tests see the lock."""
    low = min(32768, int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]))
    for _ in range(10000):
        port = random.randrange(16000, low)
        if port in held_ports:
            continue
        lock = None
        try:
            lock = port_lock(port)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for each in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, each) as s:
                    s.bind(("", port))
        except OSError:
            if lock is not None:
                os.close(lock)
            continue
        held_ports[port] = lock
        return port
    raise AssertionError(f"no port is free, or {PORTS} is not to be written to")


def port_lock(port):
    """The descriptor of its file, whoever made it: other users run tests as well."""
    try:
        PORTS.mkdir()
        PORTS.chmod(0o1777)
    except FileExistsError:
        pass
    try:
        return os.open(PORTS / str(port), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(PORTS / str(port), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)


def wait_for(what, condition, seconds=20.0, step=0.05):
    """Polls until condition() is true; says what did not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(step)
    raise AssertionError(f"waited {seconds} s for {what}")


class Dns:
    """A real unbound with two local zones; nothing leaves the machine."""

    def __init__(self, folder, address="127.0.0.1", listen="127.0.0.1"):
        self.port = free_port(socket.SOCK_DGRAM)
        conf = folder / "unbound.conf"
        conf.write_text(f"""
server:
  interface: {listen}
  access-control: 10.213.0.0/16 allow
  access-control: 10.99.0.0/24 allow
  port: {self.port}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{folder}/unbound.log"
  module-config: "iterator"
  do-ip6: no
  local-zone: "example.com." redirect
  local-data: "example.com. 60 IN A {address}"
  local-zone: "example.org." redirect
  local-data: "example.org. 60 IN A {address}"
  local-zone: "." static
remote-control:
  control-enable: no
""")
        binary = shutil.which("unbound") or "/usr/sbin/unbound"
        self.process = subprocess.Popen([binary, "-d", "-c", conf])

        def answers():
            query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.2)
                s.sendto(query, (listen, self.port))
                try:
                    return s.recv(512)[:2] == b"\x12\x34"
                except OSError:
                    return False

        wait_for("unbound", answers)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Webroot:
    """Serves files below a folder on the validation port."""

    def __init__(self, folder, port, address="127.0.0.1"):
        self.folder = folder
        self.port = port
        (folder / ".well-known" / "acme-challenge").mkdir(parents=True, exist_ok=True)
        self.challenges = folder / ".well-known" / "acme-challenge"

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(folder))

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            allow_reuse_address = True
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

        self.server = Server((address, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def program_of(pid):
    """Its path; of one that is not dumpable only root sees it, and others what it was called by."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except PermissionError:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]


class Ca:
    """One CA folder and its running family. Without a DNS port it asks the root, and no private address is allowed."""

    def __init__(self, folder, dns_port, http01_port, *init_args):
        self.folder = folder / "ca"
        self.http01_port = http01_port
        if isinstance(dns_port, int):
            dns_port = f"127.0.0.1@{dns_port}"
        private = ["--resolver", dns_port, "--allow-private"] if dns_port else []
        self.https_port, self.http_port, self.operator_port = free_port(), free_port(), free_port()
        self.url = f"https://localhost:{self.https_port}"
        self.directory = f"{self.url}/acme/directory"
        self.root = self.folder / "ca" / "root.pem"
        self.log = folder / "serve.log"
        self.process = None
        self.lintel("init", self.folder, "--host", "localhost", "--https-port", self.https_port,
                    "--http-port", self.http_port, "--operator-port", self.operator_port,
                    "--validation-port", http01_port, *private, *init_args, folder_flag=False)

    def lintel(self, *args, check=True, folder_flag=True, **kw):
        command = [str(LINTEL), *map(str, args)]
        if folder_flag:
            kw.setdefault("env", {**os.environ, "LINTEL_DIR": str(self.folder)})
        result = subprocess.run(command, capture_output=True, text=True, timeout=kw.pop("timeout", 60), **kw)
        if check:
            assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}\n{self.log_tail()}"
        return result

    def json(self, *args, **kw):
        return json.loads(self.lintel(*args, "--json", **kw).stdout)

    def log_tail(self, lines=30):
        return "\n".join(self.log.read_text().splitlines()[-lines:]) if self.log.exists() else ""

    def start(self):
        self.process = subprocess.Popen([str(LINTEL), "serve", str(self.folder)], stdout=subprocess.DEVNULL,
                                        stderr=open(self.log, "a"))
        self.wait_ready()
        return self

    def healthy(self):
        assert self.process.poll() is None, f"serve ended with {self.process.returncode}\n{self.log_tail()}"
        probe = subprocess.run(["curl", "-sf", "--max-time", "2", "--cacert", str(self.root), self.directory],
                               capture_output=True)
        return probe.returncode == 0

    def ready(self):
        """By its supervisor's word: every program has said Ready, which is after its doors were locked. Who answers requests has others
        behind it that may still be starting."""
        try:
            family = json.loads((self.folder / "run" / "status.json").read_text())
        except FileNotFoundError:
            return False
        return family["pid"] == self.process.pid and family["ready"]

    def wait_ready(self, seconds=20):
        end = time.monotonic() + seconds
        try:
            wait_for("the directory", self.healthy, seconds)
            wait_for("all programs", self.ready, max(end - time.monotonic(), 1))
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.log_tail()}") from None

    def stop(self, expect=0):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.process = None
        assert code == expect, f"serve ended with {code}\n{self.log_tail()}"

    def pids(self):
        """pid by "role-instance" of the running family, the supervisor included."""
        found = {"supervisor-0": self.process.pid}
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        counts = {}
        for pid in children:
            try:
                name = program_of(pid)
            except OSError:
                continue
            m = re.search(r"lintel-(\w+)", name)
            if m and m[1] != "supervisor":  # a child that is no program of its own yet
                n = counts.setdefault(m[1], 0)
                counts[m[1]] += 1
                found[f"{m[1]}-{n}"] = int(pid)
        return found


@pytest.fixture(scope="session")
def dns(tmp_path_factory):
    server = Dns(tmp_path_factory.mktemp("dns"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def http01_port():
    return free_port()


@pytest.fixture(scope="session")
def ca(tmp_path_factory, dns, http01_port):
    folder = tmp_path_factory.mktemp("lintel")
    folder.chmod(0o755)
    for parent in (folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    authority = Ca(folder, dns.port, http01_port).start()
    yield authority
    authority.stop()


@pytest.fixture
def fresh_ca(tmp_path, dns):
    """Not started, for tests that break things."""
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    authority = Ca(tmp_path, dns.port, free_port())
    yield authority
    if authority.process is not None:
        authority.process.kill()
        authority.process.wait()


@pytest.fixture
def webroot(tmp_path, http01_port):
    server = Webroot(tmp_path / "webroot", http01_port)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def internet(tmp_path_factory):
    """With a CA in it, `internet.authority`; entered only by `net`."""
    from internet import Internet, usable
    if not usable():
        pytest.skip("an internet of our own needs root, `ip`, unshare and knotd")
    made = Internet(tmp_path_factory.mktemp("internet"))
    try:
        made.resolver()
        made.authority = made.ca()
        made.namespace.leave()
        yield made
    finally:
        made.stop()


@pytest.fixture
def net(internet):
    internet.namespace.enter()
    yield internet
    internet.namespace.leave()

"""A real PostgreSQL server for the tests: a cluster of its own, on a UNIX socket and, where asked, on an address."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from conftest import wait_for

NAME = "book"


def programs():
    """Debian keeps the programs of a server by its version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return found[-1] if found else None


class Postgres:
    def __init__(self, address="", port=5432, inside=()):
        """inside: a command that is put before the server's, such as that of a network namespace."""
        self.bin = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="lintel-pg-", dir="/tmp"))
        self.port, self.address, self.inside = port, address, list(inside)
        self.user = "postgres" if os.geteuid() == 0 else None  # a server refuses to run as root
        if self.user:
            who = pwd.getpwnam(self.user)
            os.chown(self.folder, who.pw_uid, who.pw_gid)
        os.chmod(self.folder, 0o755)
        self.data = self.folder / "data"
        self.as_server([self.bin / "initdb", "-A", "trust", "-U", NAME, "-E", "UTF8", "--locale=C.UTF-8", "-D", self.data])
        with open(self.data / "pg_hba.conf", "a") as f:
            f.write("host all all 10.0.0.0/8 trust\n")
        self.process = None
        self.start()
        self.sql("CREATE DATABASE book", "postgres")

    def as_server(self, command):
        subprocess.run([str(c) for c in command], check=True, user=self.user, group=self.user, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd="/")

    def start(self):
        drop = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []
        self.process = subprocess.Popen(
            [*self.inside, *drop, str(self.bin / "postgres"), "-D", str(self.data), "-k", str(self.folder), "-p", str(self.port),
             "-c", f"listen_addresses={self.address}"], stdout=subprocess.DEVNULL, stderr=open(self.folder.parent / (self.folder.name + ".log"), "a"), cwd="/")
        wait_for("PostgreSQL", self.answers)

    def answers(self):
        ready = [str(self.bin / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def sql(self, text, database="book"):
        done = subprocess.run([str(self.bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p", str(self.port),
                               "-U", NAME, "-d", database, "-c", text], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    @property
    def url(self):
        if self.address:
            return f"postgresql://{NAME}@{self.address}:{self.port}/book"
        return f"postgresql:///book?host={self.folder}&port={self.port}&user={NAME}"

    def kill(self):
        """As a power cut does."""
        self.process.kill()
        self.process.wait(20)
        # Its children notice and go; a new server waits for the last.
        wait_for("the server's end", lambda: subprocess.run(["pgrep", "-f", str(self.data)], capture_output=True,
                                                            check=False).returncode != 0)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # and not SIGTERM, which waits for clients
            self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)
        Path(str(self.folder) + ".log").unlink(missing_ok=True)

"""A CA with five perspectives, as many as the rules want from 2026-12-15 on, each with a DNS view of its own: the
victim's web server is 127.0.0.1, the attacker's 127.0.0.2, and a hijacked view sends everybody there."""
import contextlib
import json
import os
import re
import signal
import sqlite3
import urllib.request

import pytest
from acmeclient import AcmeError, Client
from conftest import LINTEL, Ca, Dns, Webroot, free_port, wait_for
from perspective import Perspective


class World:
    """honest and hijacked are DNS servers; views the perspectives."""

    def __init__(self, folder, count=5, hijacked=(), primary_hijacked=False, libexec=None):
        self.folder = folder
        port = free_port()
        for name in ("honest", "hijacked", "victim", "attacker"):
            (folder / name).mkdir()
        self.honest = Dns(folder / "honest")
        self.hijacked = Dns(folder / "hijacked", "127.0.0.2")
        self.victim = Webroot(folder / "victim", port)
        self.attacker = Webroot(folder / "attacker", port, "127.0.0.2")
        self.ca = Ca(folder, (self.hijacked if primary_hijacked else self.honest).port, port)
        client = self.ca.lintel("perspective", "client").stdout.strip()
        (self.ca.folder / "perspectives").mkdir(exist_ok=True)
        self.views = []
        for i in range(count):
            dns = self.hijacked if i in hijacked else self.honest
            view = Perspective(folder, i, dns.port, port, client).start()
            (self.ca.folder / "perspectives" / f"{view.name}.json").write_text(json.dumps(view.describe()))
            self.views.append(view)
        before = os.environ.pop("LINTEL_LIBEXEC", None)
        if libexec is not None or before is not None:
            os.environ["LINTEL_LIBEXEC"] = str(libexec or before)
        try:
            self.ca.start()
        finally:
            if libexec is not None:
                del os.environ["LINTEL_LIBEXEC"]
            if before is not None:
                os.environ["LINTEL_LIBEXEC"] = before

    def client(self, side=None):
        user = Client(self.ca.directory, self.ca.root, (side or self.victim).challenges)
        user.register()
        return user

    def stop(self):
        """All of it, whatever of it fails."""
        with contextlib.ExitStack() as undo:
            for part in (self.victim, self.attacker, self.honest, self.hijacked, self.ca, *self.views):
                undo.callback(part.stop)

    def events(self, kind):
        book = sqlite3.connect(f"file:{self.ca.folder}/book/lintel.db?mode=ro", uri=True)
        rows = book.execute("SELECT body FROM event WHERE kind = ? ORDER BY sequence", (kind,)).fetchall()
        book.close()
        return [json.loads(row[0]) for row in rows]

    def evidence(self):
        book = sqlite3.connect(f"file:{self.ca.folder}/book/lintel.db?mode=ro", uri=True)
        row = book.execute("SELECT d.perspectives, e.agreeing, e.dissenting, e.segment, e.ok FROM evidence AS e "
                           "JOIN dimension AS d ON d.id = e.dimension ORDER BY e.checked_us DESC LIMIT 1").fetchone()
        book.close()
        return row


@pytest.fixture
def world(tmp_path):
    for part in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        part.chmod(0o755)
    made = []

    def make(**kw):
        made.append(World(tmp_path, **kw))
        return made[-1]

    yield make
    for w in made:
        w.stop()


def test_all_agree(world):
    w = world()
    w.client().issue("www.example.com")
    assert w.events("authorization.valid")[-1]["corroboration"] == "5/5"
    names, agreeing, dissenting, segment, ok = w.evidence()
    assert names == "primary,view-0,view-1,view-2,view-3,view-4" and (agreeing, dissenting, ok) == (63, 0, 1)
    assert segment > 0  # what they signed
    wait_for("the log line", lambda: re.search(r"corroboration.*www.example.com.*5/5",
                                               w.ca.log.read_text()))
    # Every account and name is asked anew; one that did not prove anything gets nothing.
    with pytest.raises(AssertionError):
        w.client(w.attacker).issue("www.example.com")


def test_one_may_be_hijacked(world):
    w = world(hijacked={2})
    w.client().issue("www.example.com")
    said = w.events("authorization.valid")[-1]
    assert said["corroboration"] == "4/5" and list(said["dissent"]) == ["view-2"]
    names, agreeing, dissenting, _, _ = w.evidence()
    assert (agreeing, dissenting) == (0b110111, 0b001000)


def test_two_hijacked_are_too_many(world):
    w = world(hijacked={1, 3})
    user = w.client()
    url, order = user.order("www.example.com")
    answer = user.prove(order["authorizations"][0])
    assert answer["status"] == "invalid"
    error = next(c["error"] for c in answer["challenges"] if "error" in c)
    assert "3 of 5" in error["detail"] and "view-" in error["detail"], error
    assert w.events("authorization.invalid")[-1]["corroboration"] == "3/5"
    _, agreeing, _, _, ok = w.evidence()
    assert agreeing & 1 and not ok


def test_a_hijacked_primary_gets_nothing(world):
    """The attacker answers what the CA itself sees: it believes the proof, and no one else does."""
    w = world(primary_hijacked=True)
    user = w.client(w.attacker)
    url, order = user.order("www.example.com")
    answer = user.prove(order["authorizations"][0])
    assert answer["status"] == "invalid"
    assert w.events("authorization.invalid")[-1]["corroboration"] == "0/5"
    assert not w.events("authorization.valid")
    assert user.poll(url, ("invalid",))["status"] == "invalid"


def test_a_replaced_validator_gets_nothing(world, tmp_path):
    """It says "valid" to everything, and its sentences are perfect."""
    liar = LINTEL.parent / "tests" / "unit" / "role" / "yes_to_all"
    if not liar.exists():
        pytest.skip("the tests are not built")
    libexec = tmp_path / "libexec"
    libexec.mkdir()
    for program in (LINTEL.parent / "libexec").glob("lintel-*"):
        if program.is_file():
            (libexec / program.name).symlink_to(liar if program.name == "lintel-validator" else program)
    w = world(libexec=libexec)
    user = w.client()
    url, order = user.order("www.example.com")
    authorization = user.post(order["authorizations"][0], None).json()
    challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    user.post(challenge["url"], {})  # and nothing is put anywhere
    assert user.poll(order["authorizations"][0], ("valid", "invalid"))["status"] == "invalid"
    assert w.events("authorization.invalid")[-1]["corroboration"] == "0/5"
    assert not w.events("certificate.issued") or all("www.example.com" not in str(e)
                                                     for e in w.events("certificate.issued"))


def silent_since(w, what):
    page = urllib.request.urlopen(f"http://127.0.0.1:{w.ca.operator_port}/metrics", timeout=5).read().decode()
    return int(re.search(rf'^lintel_silent_since_seconds{{[^}}]*what="{what}"[^}}]*}} (\d+)', page, re.M)[1])


def test_silence_is_no_agreement(world):
    """Nor is it the client's failure; and whoever runs the CA is told."""
    w = world()
    assert w.ca.json("status")["family"]["silent"] == []
    for view in w.views[:2]:
        view.stop()
    user = w.client()
    for _ in range(2):
        _, order = user.order("www.example.com")
        authorization = user.prove(order["authorizations"][0])
        assert authorization["status"] == "invalid"
        error = next(c["error"] for c in authorization["challenges"] if "error" in c)
        assert error["type"].endswith(":serverInternal") and error["status"] == 500
        assert "fault of the CA" in error["detail"] and "127.0.0.1" not in error["detail"] and \
            "view-" not in error["detail"]
    book = sqlite3.connect(f"file:{w.ca.folder}/book/lintel.db?mode=ro", uri=True)
    assert book.execute("SELECT count(*) FROM name_pause").fetchone() == (0,)
    book.close()

    def silent():
        return sorted(x["what"] for x in w.ca.json("status")["family"]["silent"])
    wait_for("the alarm", lambda: silent() == ["perspective view-0", "perspective view-1"])
    assert "NO ANSWER     from perspective view-1 since 20" in w.ca.lintel("status").stdout
    doctor = w.ca.lintel("doctor", check=False)
    assert doctor.returncode == 6 and "3 of 5 answer: too few" in doctor.stdout
    assert "perspective view-0: no answer since 20" in doctor.stdout
    assert silent_since(w, "perspective view-0") > 1700000000
    wait_for("the events", lambda: sorted(e["detail"] for e in w.events("family.silent")) ==
             ["perspective view-0", "perspective view-1"])
    w.views[0].start()
    user = w.client()
    user.issue("www.example.com")
    assert w.events("authorization.valid")[-1]["corroboration"] == "4/5"
    wait_for("the end of the alarm", lambda: silent() == ["perspective view-1"])
    wait_for("the event", lambda: [e["detail"] for e in w.events("family.answers")] == ["perspective view-0"])
    assert "too few" not in w.ca.lintel("doctor", check=False).stdout
    assert silent_since(w, "perspective view-0") == 0


def test_silence_is_noticed_by_itself(world):
    """Before anybody needs them."""
    w = world()
    w.views[2].stop()
    wait_for("the alarm", lambda: [x["what"] for x in w.ca.json("status")["family"]["silent"]] == ["perspective view-2"],
             45)
    w.views[2].start()
    wait_for("its end", lambda: w.ca.json("status")["family"]["silent"] == [], 20)


def test_dead_resolver(world):
    """Ours: not the client's failure either."""
    w = world(count=0)
    w.honest.stop()
    user = w.client()
    _, order = user.order("www.example.com")
    challenge = next(c for c in user.post(order["authorizations"][0], None).json()["challenges"] if c["type"] == "http-01")
    user.post(challenge["url"], {})
    wait_for("the alarm", lambda: [x["what"] for x in w.ca.json("status")["family"]["silent"]] == ["resolver"], 30)
    doctor = w.ca.lintel("doctor", check=False)
    assert doctor.returncode == 6 and "resolver: no answer since" in doctor.stdout
    authorization = user.poll(order["authorizations"][0], ("valid", "invalid"), 120)
    error = next(c["error"] for c in authorization["challenges"] if "error" in c)
    assert error["type"].endswith(":serverInternal") and "own resolver" in error["detail"], error
    book = sqlite3.connect(f"file:{w.ca.folder}/book/lintel.db?mode=ro", uri=True)
    assert book.execute("SELECT count(*) FROM name_pause").fetchone() == (0,)
    book.close()


def test_another_key_is_no_perspective(world):
    """A host that took over two addresses, with keys of its own."""
    w = world()
    for view in w.views[:2]:
        view.stop()
        (view.folder / "key.pem").unlink()
        key = w.ca.lintel("perspective", "init", w.folder / f"{view.name}-other", "--name", view.name, "--url",
                          "https://a", "--rir", "RIPE", "--latitude", 1, "--longitude", 1)
        (w.folder / f"{view.name}-other" / "key.pem").rename(view.folder / "key.pem")
        view.start()
    user = w.client()
    _, order = user.order("www.example.com")
    assert user.prove(order["authorizations"][0])["status"] == "invalid"


def test_registrar_dies_while_they_are_asked(world):
    """Nothing of it was written: all of it is asked again."""
    w = world()
    for view in w.views:
        os.kill(view.process.pid, signal.SIGSTOP)
        for pid in children(view):
            os.kill(pid, signal.SIGSTOP)
    user = w.client()
    _, order = user.order("www.example.com")
    authorization = user.post(order["authorizations"][0], None).json()
    challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    (w.victim.challenges / challenge["token"]).write_text(f"{challenge['token']}.{user.thumbprint()}")
    user.post(challenge["url"], {})
    wait_for("the questions", lambda: metric(w, "lintel_corroborations_running") == 5)
    os.kill(w.ca.pids()["registrar-0"], signal.SIGKILL)
    for view in w.views:
        for pid in children(view):
            os.kill(pid, signal.SIGCONT)
        os.kill(view.process.pid, signal.SIGCONT)
    w.ca.wait_ready()
    assert user.poll(order["authorizations"][0], ("valid", "invalid"), 60)["status"] == "valid"


def children(view):
    path = f"/proc/{view.process.pid}/task/{view.process.pid}/children"
    return [int(pid) for pid in open(path).read().split()]


def metric(w, name):
    page = urllib.request.urlopen(f"http://127.0.0.1:{w.ca.operator_port}/metrics", timeout=5).read().decode()
    found = re.search(rf"^{name}{{[^}}]*}} (\d+)", page, re.M)
    return int(found[1]) if found else None

"""Operators, halts and approvals through the CLI, as two people would work."""
import json
import os
import subprocess

import pytest
from acmeclient import AcmeError, Client
from conftest import LINTEL, Webroot, wait_for


@pytest.fixture(scope="module")
def staffed(tmp_path_factory, dns, http01_port):
    from conftest import Ca
    folder = tmp_path_factory.mktemp("staffed")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    ca = Ca(folder, dns.port, http01_port).start()
    for name in ("berta", "carl"):
        ca.lintel("operator", "add", name, "--role", "approver")
    ca.lintel("operator", "add", "vera", "--role", "viewer")
    yield ca
    ca.stop()


@pytest.fixture
def user(staffed, webroot):
    client = Client(staffed.directory, staffed.root, webroot.challenges)
    client.register()
    return client


def halted(user, name, **payload):
    with pytest.raises(AcmeError) as caught:
        user.issue(name, **payload)
    told = str(caught.value.problem).lower()
    assert "issuance is halted" in told and "a test" not in told, told
    return True


def plan_for(ca, *args):
    ca.lintel("resume", *args, "--yes")
    plans = ca.json("plan", "list")
    rows = plans if isinstance(plans, list) else next(v for v in plans.values() if isinstance(v, list))
    return next(p["id"] for p in rows if p["status"] == "proposed")


def approve(ca, plan, who, **kw):
    return ca.lintel("approve", plan, "--operator", who, "--yes", **kw)


@pytest.mark.parametrize("scope,name,payload", [
    (("--name-suffix", "halted.example.com"), "a.halted.example.com", {}),
    (("--profile", "tls-server-short"), "b.example.com", {"profile": "tls-server-short"}),
    (("--issuer", "tls"), "c.example.com", {}),
    (("--all",), "d.example.com", {}),
])
def test_halt_and_resume(staffed, user, scope, name, payload):
    user.issue(name, **payload)
    staffed.lintel("halt", *scope, "--reason", "a test")
    assert halted(user, name, **payload)
    if scope[0] in ("--name-suffix", "--profile"):
        user.issue("elsewhere.example.org")
    plan = plan_for(staffed, *scope)
    assert halted(user, name, **payload)
    approve(staffed, plan, "berta")
    assert halted(user, name, **payload)
    approve(staffed, plan, "carl")
    wait_for("the halt to be lifted", lambda: user.issue(name, **payload), 5)


def test_halt_of_an_account(staffed, user, webroot):
    other = Client(staffed.directory, staffed.root, webroot.challenges)
    other.register()
    account = user.kid.rsplit("/", 1)[1]
    staffed.lintel("halt", "--account", account, "--reason", "a test")
    assert halted(user, "mine.example.com")
    other.issue("theirs.example.com")


@pytest.mark.parametrize("scope,said,status", [
    (("--profile", "tls-servr"), "tls-server", 3),
    (("--issuer", "tsl"), "no such issuer", 3),
    (("--account", "12345"), "no such account", 3),
    (("--name-suffix", "Example.com"), "lower case", 2),
])
def test_a_halt_of_nothing(staffed, scope, said, status):
    done = staffed.lintel("halt", *scope, "--reason", "a test", check=False)
    assert done.returncode == status and said in done.stderr, done


@pytest.mark.parametrize("verb", [("status",), ("event", "list"), ("issuer", "list", "--json")])
def test_a_reader_that_leaves(staffed, verb):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([str(LINTEL), *verb], stdout=write, stderr=subprocess.PIPE, text=True, timeout=20,
                          env={**os.environ, "LINTEL_DIR": str(staffed.folder)})
    os.close(write)
    assert done.stderr == "" and done.returncode == 1, done


def test_one_person_is_not_two(staffed):
    staffed.lintel("halt", "--name-suffix", "once.example.com", "--reason", "a test")
    plan = plan_for(staffed, "--name-suffix", "once.example.com")
    approve(staffed, plan, "berta")
    assert approve(staffed, plan, "berta", check=False).returncode != 0
    assert approve(staffed, plan, "vera", check=False).returncode != 0
    approve(staffed, plan, "admin", check=False)  # the proposer: recorded or not, it does not count
    assert still_proposed(staffed, plan)


def still_proposed(ca, plan):
    shown = ca.json("plan", "show", plan)
    return shown["status"] == "proposed"


def test_a_viewer_may_not_halt(staffed):
    done = staffed.lintel("halt", "--all", "--reason", "no", "--operator", "vera", check=False)
    assert done.returncode != 0
    assert "role" in (done.stdout + done.stderr)


def test_everything_is_an_event(staffed):
    text = staffed.lintel("event", "list", "--limit", "500", "--json").stdout
    kinds = {e["kind"] for e in _rows(json.loads(text))}
    assert any(k.startswith("halt.") for k in kinds) and any(k.startswith("plan.") for k in kinds), kinds
    staffed.lintel("audit", "verify", timeout=120)


def _rows(value):
    return value if isinstance(value, list) else next(v for v in value.values() if isinstance(v, list))


def test_doctor_and_config_check(staffed):
    staffed.lintel("config", "check")
    done = staffed.lintel("doctor", check=False)
    assert done.returncode in (0, 6), done.stderr
    (staffed.folder / "keys").chmod(0o755)
    (staffed.folder / "keys" / "tls.key").chmod(0o644)
    worse = staffed.lintel("doctor", check=False)
    (staffed.folder / "keys" / "tls.key").chmod(0o600)
    (staffed.folder / "keys").chmod(0o700)
    assert worse.returncode == 6 and "tls.key" in worse.stdout + worse.stderr


@pytest.mark.parametrize("change,words", [
    (("gateways: 2", "gateways: many"), "gateways"), (("name:", "nmae:"), "nmae"), (("gateways: 2", "gateways: 100000"), "gateways"),
])
def test_bad_configuration_is_pointed_at(fresh_ca, change, words):
    path = fresh_ca.folder / "lintel.yaml"
    path.write_text(path.read_text().replace(*change))
    done = fresh_ca.lintel("config", "check", check=False)
    assert done.returncode != 0
    assert "lintel.yaml:" in done.stdout + done.stderr and words in done.stdout + done.stderr

"""An incident from "something is wrong" to revoked, on a running family: stopped, counted, planned, asked to be replaced, revoked but for what a
court protects, and issuing again only once a fix was shown to hold."""
import json
import sqlite3
import time
from base64 import urlsafe_b64encode
from datetime import datetime, timezone

import pytest
from acmeclient import AcmeError, Client, certificates
from conftest import Webroot, wait_for
from cryptography import x509

NAMES = 8


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def certid(cert):
    aki = cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return b64(aki) + "." + b64(cert.serial_number.to_bytes(cert.serial_number.bit_length() // 8 + 1, "big"))


def serial(cert):
    return f"{cert.serial_number:032x}"


class Desk:
    """The family, one client, and two who approve."""

    def __init__(self, ca, webroot):
        self.ca = ca
        self.client = Client(ca.directory, ca.root, webroot.challenges)
        self.client.register()

    def issue(self, name):
        return certificates(self.client.issue(name))[0]

    def refused(self, name):
        try:
            self.client.close()
            self.client.nonce = None
            self.client.issue(name)
        except AcmeError as e:
            return str(e.problem)
        except StopIteration:
            return "http-01 is not offered"
        return None

    def fails(self, *args):
        done = self.ca.lintel(*args, check=False)
        assert done.returncode != 0, done.stdout
        return done.returncode, done.stderr

    def window(self, cert):
        answer = self.client.request("GET", self.client.directory["renewalInfo"] + "/" + certid(cert))
        assert answer.status == 200, answer.body
        return answer.json()

    def show(self, incident, *more):
        return self.ca.json("incident", "show", incident, *more)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, dns):
    from conftest import Ca, free_port
    folder = tmp_path_factory.mktemp("incident")
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)
    ca = Ca(folder, dns.port, free_port())
    webroot = Webroot(folder / "webroot", ca.http01_port)
    for name in ("berta", "carl"):
        ca.lintel("operator", "add", name, "--role", "approver")
    ca.lintel("operator", "add", "dora", "--role", "operator")
    ca.start()
    yield Desk(ca, webroot)
    webroot.stop()
    ca.stop()


def test_from_detection_to_revocation(desk):
    ca = desk.ca
    certs = [desk.issue(f"n{i}.incident.example.com") for i in range(NAMES)]
    other = desk.issue("other.example.org")
    before = desk.window(certs[0])["suggestedWindow"]

    # Opened: the clocks run.
    opened = ca.json("incident", "open", "CAA was not checked again", "--source", "post-issuance", "--cause", "caa-unreliable",
                     "--severity", "high")
    number = opened["id"]
    assert opened["status"] == "declared"
    shown = desk.show(number)
    duties = {c["duty"]: c for c in shown["clocks"]}
    assert {"irg-1", "revoke-tls/caa-unreliable"} <= set(duties)
    aware = datetime.fromisoformat(shown["aware"])
    assert (datetime.fromisoformat(duties["irg-1"]["due"]) - aware).total_seconds() == 72 * 3600
    assert (datetime.fromisoformat(shown["must"]) - aware).total_seconds() == 24 * 3600
    assert shown["roles"][0]["role"] == "commander" and shown["roles"][0]["holder"] == "admin"
    ca.lintel("incident", "role", number, "commander", "dora", "--words", "end of my shift")
    roles = desk.show(number)["roles"]
    assert [r["holder"] for r in roles] == ["admin", "dora"] and roles[0]["until"] and not roles[1]["until"]
    assert "no operator" in desk.fails("incident", "role", number, "legal", "nobody")[1]
    ca.lintel("incident", "note", number, "the first call")

    begun = desk.client.order("begun.incident.example.com")[1]

    # Contained by method, in registrar and examiner, within a second.
    halts = ca.folder / "examiner" / "halts"
    began = time.monotonic()
    contained = ca.json("incident", "contain", number, "--method", "http-01", "--reason", "CAA is not checked again")
    halt = contained["halt"]
    assert contained["status"] == "contained"
    wait_for("the examiner", lambda: halts.exists() and "http-01" in halts.read_text(), 5)
    took = time.monotonic() - began
    assert took < 1, took
    assert "not offered" in desk.refused("late.incident.example.com")
    assert "not offered" in desk.refused("n0.incident.example.com")  # what it proved before is no proof now
    with pytest.raises(AcmeError, match="halted"):
        desk.client.prove(begun["authorizations"][0])
    assert "no such method" in desk.fails("incident", "contain", number, "--method", "http-99", "--reason", "x")[1]

    # Scoped, and corrected.
    wrong = "suffix = n0.incident.example.com"
    right = "suffix = incident.example.com and not expired"
    wait_for("the second to be over", lambda: f"would make {NAMES} certificates" in ca.lintel("incident", "scope", number, right).stdout)
    assert "would make 1 certificates" in ca.lintel("incident", "scope", number, wrong).stdout
    first = ca.json("incident", "scope", number, wrong, "--yes")
    assert (first["version"], first["count"], first["status"]) == (1, 1, "scoped")
    assert "wrong" in desk.fails("incident", "scope", number, right, "--yes")[1]
    second = ca.json("incident", "scope", number, right, "--wrong", "one name alone was looked at", "--avoided", "by suffix", "--yes")
    assert (second["version"], second["count"], second["count_before"]) == (2, NAMES, 1)
    assert "irg-7" in {c["duty"] for c in desk.show(number)["clocks"]}
    assert [s["kind"] for s in ca.json("event", "list", "--subject", f"incident {number}")["events"] if "correct" in s["kind"]]

    # Planned: the windows follow from one row.
    assert "lintel incident plan" in desk.fails("incident", "revoke", number, "--yes")[1]
    dry = ca.json("incident", "plan", number, "--per-hour", "3600")
    assert dry["count"] == NAMES and not dry["done"] and dry["after_the_deadline"] == 0
    plan = ca.json("incident", "plan", number, "--per-hour", "3600", "--explanation", "https://ca.example/affected/1", "--yes")
    assert plan["count"] == NAMES and plan["status"] == "set" and plan["mass_status"] == "proposed"
    book = sqlite3.connect(f"file:{ca.folder}/book/lintel.db?mode=ro", uri=True)
    assert book.execute("SELECT count(*) FROM renewal_window").fetchone()[0] == 0  # nothing is written for a certificate
    wait_for("the windows", lambda: desk.window(certs[0]).get("explanationURL") == "https://ca.example/affected/1", 15)
    opens = sorted(desk.window(c)["suggestedWindow"]["start"] for c in certs)
    ends = sorted(desk.window(c)["suggestedWindow"]["end"] for c in certs)
    assert opens[0] < before["start"] and len(set(opens)) == NAMES
    assert opens[0][:19] == plan["first_opens"][:19] and ends[-1][:19] == plan["last_closes"][:19]
    assert datetime.fromisoformat(plan["last_closes"]) < datetime.fromisoformat(shown["must"])
    assert "explanationURL" not in desk.window(other)
    assert desk.show(number)["status"] == "replacing"
    late = ca.json("incident", "plan", number, "--per-hour", "1", "--width-minutes", "1200", "--yes")  # nobody can issue so few
    assert late["version"] == plan["version"] + 1 and late["after_the_deadline"] > 0
    forecast = desk.show(number)["forecast"]
    assert forecast["members"] == NAMES and forecast["after_the_deadline"] == late["after_the_deadline"]
    assert forecast["unrevoked_at_deadline"] == NAMES  # nobody has started it

    # A court protects one of them, exactly.
    held = serial(certs[3])
    assert "--reference" in desk.fails("incident", "freeze", number, held, "--reason", "an order", "--yes")[1]
    frozen = ca.json("incident", "freeze", number, held, "--reason", "restraining order", "--reference", "2:24-cv-00541", "--yes")
    assert (frozen["held"], frozen["already"]) == (1, 0)
    again = ca.json("incident", "freeze", number, held, "--reason", "restraining order", "--reference", "2:24-cv-00541", "--yes")
    assert (again["held"], again["already"]) == (0, 1)

    # Revoked.
    ca.json("incident", "revoke", number, "--yes")
    wait_for("the end", lambda: desk.show(number, "--brief")["status"] == "reporting", 20)
    shown = desk.show(number, "--brief")
    done = shown["plans"][0]
    assert (done["mass_status"], done["revoked"], done["held"]) == ("done", NAMES - 1, 1)
    clock = next(c for c in shown["clocks"] if c["duty"] == "revoke-tls/caa-unreliable")
    assert clock["status"] == "open"  # the order keeps one: late when its time is over, and told to be
    assert "irg-9" in {c["duty"] for c in shown["clocks"]}
    assert [ca.json("cert", "show", serial(c))["status"] for c in certs] == ["valid" if c is certs[3] else "revoked" for c in certs]
    assert ca.json("cert", "show", serial(other))["status"] == "valid"
    assert "halts of it stand" in desk.fails("incident", "close", number, "--yes")[1]

    # Issuing again: with a fix that fails without it, and nothing issued since.
    assert "--fixed" in desk.fails("resume", halt, "--yes")[1]
    build = ca.json("host", "list")["hosts"][0]["build"]
    assert "here runs" in desk.fails("incident", "contain", number, "--fixed", halt, "--build", "9.9.9", "--rule", "e_ca_is_ca")[1]
    assert "no fix" in desk.fails("incident", "contain", number, "--fixed", halt, "--build", build, "--test", "tests/unit/cmd/test_args.c")[1]
    unknown = ca.lintel("incident", "contain", number, "--fixed", halt, "--build", build, "--rule", "e_no_such_rule", check=False)
    assert unknown.returncode == 6 and "no such rule" in unknown.stdout
    assert "lintel incident show" in desk.fails("resume", halt, "--yes")[1]
    proven = ca.json("incident", "contain", number, "--fixed", halt, "--build", build, "--test", "tests/unit/validate/test_caa.c")
    assert proven["clean"] and proven["issued_since"] == 0
    lift = ca.json("resume", halt, "--yes")["id"]
    for name in ("berta", "carl"):
        ca.lintel("approve", lift, "--operator", name, "--yes")
    wait_for("issuance", lambda: desk.refused("again.example.org") is None, 10)
    assert desk.show(number, "--brief")["halts"][0]["lifted"]

    # Closed when nothing is open any more.
    assert "irg-" in desk.fails("incident", "close", number, "--yes")[1]
    assert "there is no" in desk.fails("incident", "step", number, "declare")[1]
    assert not ca.json("audit", "verify")["findings"]


def test_issued_in_spite_of_a_halt(desk):
    """The scope, run again, finds what another way issued: the halt stays."""
    ca = desk.ca
    number = ca.json("incident", "open", "wrong profile")["id"]
    halt = ca.json("incident", "contain", number, "--name-suffix", "spite.example.com", "--reason", "a test")["halt"]
    ca.lintel("incident", "scope", number, "suffix = example.com", "--yes")
    time.sleep(1.1)
    desk.issue("beside.example.com")  # of the scope, and not of the halt
    build = ca.json("host", "list")["hosts"][0]["build"]
    time.sleep(1.1)
    done = ca.lintel("incident", "contain", number, "--fixed", halt, "--build", build, "--test", "tests/unit/ca/test_examine.c", "--json",
                     check=False)
    answer = json.loads(done.stdout)
    assert done.returncode == 6 and not answer["clean"] and answer["issued_since"] == 1
    code, words = desk.fails("resume", halt, "--yes")
    assert code == 4 and "issued in spite of it" in words
    assert 'no "dismiss" from there' in desk.fails("incident", "step", number, "dismiss", "--words", "it was none")[1]


def test_restricted(desk):
    ca = desk.ca
    dora = ("--operator", "dora", "--key", ca.folder / "operators" / "dora.key")
    hidden = ca.json("incident", "open", "a hole in the validator", "--restricted", "--severity", "critical")["id"]
    assert hidden not in [i["id"] for i in ca.json("incident", "list")["incidents"]]
    assert desk.fails("incident", "show", hidden)[0] == 3
    assert [i["id"] for i in ca.json("incident", "list", "--mine")["incidents"]] == [hidden]
    assert ca.json("incident", "list", "--mine", *dora)["incidents"] == []
    assert desk.fails("incident", "show", hidden, "--mine", *dora)[0] == 3
    assert desk.fails("incident", "note", hidden, "I should not", *dora)[0] == 3
    assert "hole" not in ca.lintel("event", "list", "--subject", f"incident {hidden}", "--json").stdout
    ca.lintel("incident", "role", hidden, "legal", "dora")
    assert desk.show(hidden, "--mine", *dora)["title"] == "a hole in the validator"
    ca.lintel("incident", "scope", hidden, "suffix = hole.example.com", "--yes")
    assert "hole" not in ca.lintel("scope", "list", "--json").stdout
    assert desk.show(hidden, "--mine")["scopes"][0]["count"] == 0
    assert "irg-11" in {c["duty"] for c in desk.show(hidden, "--mine")["clocks"]}
    promise = ("action", "add", "close the hole", "--for", f"incident {hidden}", "--kind", "Prevent", "--criteria", "it is closed",
               "--owner", "platform", "--due", "2099-01-31")
    made = ca.json(*promise)["id"]
    assert "hole" not in ca.lintel("action", "list", "--json").stdout and desk.fails("action", "show", made)[0] == 3
    assert "hole" not in ca.lintel("event", "list", "--subject", f"action {made}", "--json").stdout
    halt = ca.json("incident", "contain", hidden, "--name-suffix", "hole.example.com", "--reason", "the hole")["halt"]
    for words in (("halt", "list"), ("event", "list", "--kind", "halt.added")):
        assert "the hole" not in ca.lintel(*words, "--json").stdout
    held = ca.json("incident", "contain", hidden, "--fixed", halt, "--build", ca.json("host", "list")["hosts"][0]["build"],
                   "--test", "tests/unit/validate/test_caa.c")
    assert held["clean"] is True and held["issued_since"] == 0
    ca.lintel("incident", "change", hidden, "--public", "--words", "mitigated")
    assert desk.show(hidden)["title"] == "a hole in the validator"


@pytest.mark.parametrize("args, words", [
    (("open", "x", "--cause", "no-such-cause"), "no cause"),
    (("open", "x", "--aware", "2099-01-01"), "future"),
    (("open", "x", "--aware", "yesterday"), "a time such as"),
    (("open", ""), "empty"),
    (("show", "999"), "there is no incident 999"),
    (("show", "x"), "no incident"),
    (("scope", "1", "suffix = = x"), "byte"),
    (("contain", "1"), "say what to stop"),
    (("contain", "1", "--all", "--profile", "p", "--reason", "x"), "say what to stop"),
    (("freeze", "1", "zz", "--reason", "r", "--reference", "r"), "no serial number"),
    (("freeze", "1", "--reason", "r", "--reference", "r"), "which certificates"),
    (("role", "1", "king", "dora"), "no role"),
    (("step", "1", "contain"), "no step by hand"),
])
def test_refused(desk, args, words):
    assert words in desk.fails("incident", *args)[1]

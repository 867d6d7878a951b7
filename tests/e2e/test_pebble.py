"""A test CA stands in for Pebble: its management face, its tricks, the suites and clients that expect it. And no other
CA does any of that, whatever is written into its folder or environment."""
import json
import os
import shutil
import signal
import socket
import subprocess
import textwrap
import time
from pathlib import Path

import pytest
from acmeclient import AcmeError, Client, b64, certificates
from conftest import LINTEL, Ca, Webroot, free_port, wait_for
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from test_acme import csr_with

TRICKS = {"PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_WFE_NONCEREJECT": "100", "PEBBLE_AUTHZREUSE": "0",
          "PEBBLE_VA_SLEEPTIME": "20"}
SUPERVISOR = Path(os.environ.get("LINTEL_LIBEXEC", LINTEL.parent / "libexec")) / "lintel-supervisor"


class TestCa(Ca):
    """A test CA with its management listener; testing: what its tricks shall be."""

    __test__ = False

    def __init__(self, folder, dns_port, http01_port, *init_args, **testing):
        for parent in (folder, folder.parent, folder.parent.parent):
            parent.chmod(0o755)
        self.management_port = free_port()
        super().__init__(folder, dns_port, http01_port, "--testing", "--management-port", self.management_port,
                         *init_args)
        settings = {"nonce-reject": 0, "authz-reuse": 100, "always-valid": "false", "sleep": 0,
                    **{k.replace("_", "-"): v for k, v in testing.items()}}
        text = self.config.read_text()
        head = text[:text.index("  nonce-reject:")]
        self.config.write_text(head + "".join(f"  {k}: {v}\n" for k, v in settings.items()))

    @property
    def config(self):
        return self.folder / "lintel.yaml"

    def manage(self, path, data=None, port=None):
        """Status, headers and body of the management face, or of another port."""
        command = ["curl", "-s", "--max-time", "20", "-i", "--http1.1", "--cacert", str(self.root)]
        command += ["--data-binary", data] if data is not None else []
        done = subprocess.run([*command, f"https://localhost:{port or self.management_port}{path}"],
                              capture_output=True, check=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), [(h.split(": ", 1)[0].lower(), h.split(": ", 1)[1]) for h in lines[1:]], body.decode()


@pytest.fixture
def made(tmp_path, dns):
    """Makes and starts test CAs; a web server is there for those that look."""
    port = free_port()
    web = Webroot(tmp_path / "webroot", port)
    running = []

    def make(*init_args, env=None, **testing):
        ca = TestCa(tmp_path, dns.port, port, *init_args, **testing)
        before = {k: os.environ.get(k) for k in env or {}}
        os.environ.update(env or {})
        try:
            running.append(ca.start())
        finally:
            for k, v in before.items():
                os.environ.pop(k) if v is None else os.environ.update({k: v})
        return ca

    make.web = web
    make.user = lambda ca, url=None: Client(url or ca.directory, ca.root, web.challenges)
    yield make
    for ca in running:
        ca.stop()
    web.stop()


def registered(made, ca):
    user = made.user(ca)
    user.register()
    return user


def plus(ca, text):
    (ca.folder / "lintel.yaml").write_text((ca.folder / "lintel.yaml").read_text() + text)


# ---- what no other CA does ----

MANAGEMENT = "\ntesting:\n  management: 127.0.0.1:{port}\n  always-valid: true\n"


def refused(ca, *words):
    """By every way to start or look at it."""
    for command in ([LINTEL, "serve", ca.folder], [LINTEL, "config", "check", "--dir", ca.folder], [SUPERVISOR, ca.folder]):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=30)
        assert done.returncode != 0, command
        for word in words:
            assert word in done.stderr + done.stdout, (command, done.stdout, done.stderr)
    doctor = ca.lintel("doctor", check=False)
    assert doctor.returncode != 0 and words[0] in doctor.stdout


def test_production_refuses_the_settings(fresh_ca):
    plus(fresh_ca, MANAGEMENT.format(port=free_port()))
    refused(fresh_ca, "no test CA", "init --testing")


def test_a_mark_is_worth_nothing_elsewhere(fresh_ca, tmp_path, dns):
    (tmp_path / "other").mkdir()
    other = TestCa(tmp_path / "other", dns.port, free_port())
    shutil.copy(other.folder / "testing", fresh_ca.folder / "testing")
    refused(fresh_ca, "not the mark of this CA")
    plus(fresh_ca, MANAGEMENT.format(port=free_port()))
    refused(fresh_ca, "not the mark of this CA")
    (fresh_ca.folder / "testing").write_text("yes\n")
    refused(fresh_ca, "not the mark of this CA")


@pytest.mark.parametrize("line", ["nonce-reject: 5", "authz-reuse: 0", "always-valid: true", "sleep: 3"])
def test_no_trick_without_its_management_face(fresh_ca, line):
    plus(fresh_ca, f"\ntesting:\n  {line}\n")
    done = fresh_ca.lintel("config", "check", check=False)
    assert done.returncode != 0 and "needs management" in done.stderr


@pytest.mark.parametrize("line", ["nonce-reject: 101", "authz-reuse: -1", "always-valid: maybe", "sleep: 31",
                                  "management: 15000", "roots: 2"])
def test_settings_are_read_strictly(tmp_path, dns, line):
    ca = TestCa(tmp_path, dns.port, free_port())
    key = line.split(":")[0]
    kept = [l for l in ca.config.read_text().splitlines() if not l.startswith(f"  {key}:")]
    ca.config.write_text("\n".join([*kept, f"  {line}", ""]))
    assert ca.lintel("config", "check", check=False).returncode != 0


def test_production_ignores_the_environment(fresh_ca, tmp_path, monkeypatch):
    for name, value in TRICKS.items():
        monkeypatch.setenv(name, value)
    web = Webroot(tmp_path / "webroot", fresh_ca.http01_port)
    fresh_ca.start()
    try:
        user = Client(fresh_ca.directory, fresh_ca.root, web.challenges)
        for _ in range(5):
            user.post(user.directory["newAccount"], {"termsOfServiceAgreed": True}, kid=False, tries=1)
        user.register()
        user.issue("www.example.com")                              # looked at, and within seconds
        _, again = user.order("www.example.com")
        assert again["status"] == "ready"                          # proofs are used again
        _, order = user.order("nobody.example.com")
        challenge = next(c for c in user.post(order["authorizations"][0], None).json()["challenges"]
                         if c["type"] == "http-01")
        user.post(challenge["url"], {})                            # nothing stands in the web root
        assert user.poll(order["authorizations"][0], ("valid", "invalid"))["status"] == "invalid"
        for path in ("/dir", "/roots/0", "/cert-status-by-serial/00", "/set-renewal-info/"):
            answer = user.request("GET", fresh_ca.url + path)
            assert answer.status == 404, path
        status = fresh_ca.json("status")["family"]
        assert status["test_ca"] is False and "testing" not in status
        # Nor does it learn to while it runs.
        port = free_port()
        plus(fresh_ca, MANAGEMENT.format(port=port))
        fresh_ca.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "the configuration is refused" in fresh_ca.log.read_text())
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 2)
        assert user.request("GET", fresh_ca.url + "/dir").status == 404
        fresh_ca.stop()
    finally:
        web.stop()


def make_public(ca):
    profile = ca.folder / "profiles" / "tls-server.yaml"
    text = profile.read_text()
    assert "public: false" in text
    profile.write_text(text.replace("public: false", "public: true").replace(", local]", "]")
                       .replace("lint-profile: private", "lint-profile: tls-dv"))


def test_a_test_ca_has_no_public_profile(tmp_path, dns):
    ca = TestCa(tmp_path, dns.port, free_port())
    make_public(ca)
    for command in ([LINTEL, "serve", ca.folder], [LINTEL, "config", "check", "--dir", ca.folder]):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=30)
        assert done.returncode != 0 and "no public profile" in done.stderr
    # With its tricks off, and not by way of the command line: registrar and examiner refuse.
    text = ca.config.read_text()
    ca.config.write_text(text[:text.index("\ntesting:")])
    log = open(tmp_path / "supervisor.log", "w+")
    with subprocess.Popen([SUPERVISOR, ca.folder, "--log", "text"], stdout=subprocess.DEVNULL, stderr=log) as family:
        for role in ("registrar", "examiner"):
            wait_for(f"the words of the {role}", lambda: any(
                role in line and "a test CA has no public profile" in line
                for line in (tmp_path / "supervisor.log").read_text().splitlines()))
        assert b"200" not in subprocess.run(["curl", "-sko", "/dev/null", "--max-time", "2", "-w", "%{http_code}", ca.directory],
                                            capture_output=True).stdout
        family.terminate()


def test_init_says_no(tmp_path):
    def init(*args):
        return subprocess.run([str(LINTEL), "init", str(tmp_path / "x"), *args], capture_output=True, text=True)
    for args in (["--chain-length", "2"], ["--alternate-roots", "1"], ["--management-port", "1"],
                 ["--testing", "--public", "--caa-identity", "ca.example"], ["--testing", "--chain-length", "0"],
                 ["--testing", "--chain-length", "6"], ["--testing", "--alternate-roots", "6"],
                 ["--testing", "--root-offline", str(tmp_path)]):
        done = init(*args)
        assert done.returncode != 0 and not (tmp_path / "x").exists(), args


# ---- the management face ----

def test_management(made):
    ca = made("--alternate-roots", "2", "--chain-length", "3")
    status, headers, root = ca.manage("/roots/0")
    assert status == 200 and ("content-type", "application/pem-certificate-chain; charset=utf-8") in headers
    assert certificates(root) == certificates(ca.root.read_text())
    links = [v for k, v in headers if k == "link"]
    assert links == [f'<https://localhost:{ca.management_port}/roots/{i}>;rel="alternate"' for i in (1, 2)]
    assert len({ca.manage(f"/roots/{i}")[2] for i in range(3)}) == 3
    for path in ("/roots/3", "/roots/-1", "/roots/x", "/roots/", "/roots/00000000000000000000000", "/intermediates/3",
                 "/intermediates/../root", "/", "/acme/directory", "/metrics"):
        assert ca.manage(path)[0] == 404, path
    for path in ("/root-keys/0", "/intermediate-keys/0"):
        status, _, body = ca.manage(path)
        assert status == 404 and "with the signer and nowhere else" in body
    for i in range(3):
        (tls,) = certificates(ca.manage(f"/intermediates/{i}")[2])
        assert tls.subject == certificates(ca.manage("/intermediates/0")[2])[0].subject
    said = ca.lintel("status").stdout
    assert "THIS IS A TEST CA" in said and "management" in said
    assert "THIS IS A TEST CA" in ca.lintel("doctor", check=False).stdout


def test_alternate_chains(made, tmp_path):
    ca = made("--alternate-roots", "1", "--chain-length", "2")
    user = registered(made, ca)
    url, order = user.order("chains.example.com")
    user.prove(order["authorizations"][0])
    user.post(order["finalize"], {"csr": b64(Client.csr(["chains.example.com"])[0])})
    order = user.poll(url, ("valid", "invalid"))
    answer = user.post(order["certificate"], None)
    links = [l.split(">")[0].lstrip("<") for l in answer.headers.get_all("Link") if 'rel="alternate"' in l]
    chains = [answer.body.decode()] + [user.post(l, None).body.decode() for l in links]
    assert [len(certificates(c)) for c in chains] == [3, 4, 3]      # leaf, CA, middle; the same with its root; the other
    assert len({certificates(c)[0] for c in chains}) == 1
    for chain, root in ((chains[0], 0), (chains[1], 0), (chains[2], 1)):
        parts = [c.public_bytes(Encoding.PEM).decode() for c in certificates(chain)]
        (tmp_path / "leaf").write_text(parts[0])
        (tmp_path / "above").write_text("".join(parts[1:]))
        (tmp_path / "root").write_text(ca.manage(f"/roots/{root}")[2])
        subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "root", "-untrusted",
                        tmp_path / "above", tmp_path / "leaf"], check=True, capture_output=True)
    with pytest.raises(AcmeError) as caught:
        user.post(links[-1].rsplit("/", 1)[0] + "/3", None)
    assert caught.value.status == 404


def test_status_by_serial(made):
    ca = made(always_valid="true")
    user = registered(made, ca)
    (leaf, *_) = certificates(believed(user, "status.example.com"))
    serial = f"{leaf.serial_number:x}"
    for text in (serial, serial.upper(), "00" + serial):
        status, _, body = ca.manage(f"/cert-status-by-serial/{text}")
        shown = json.loads(body)
        assert status == 200 and shown["Status"] == "Valid" and shown["Serial"] == serial and "Reason" not in shown
        assert certificates(shown["Certificate"]) == [leaf]
    user.post(user.directory["revokeCert"], {"certificate": b64(leaf.public_bytes(Encoding.DER)), "reason": 4})
    shown = json.loads(ca.manage(f"/cert-status-by-serial/{serial}")[2])
    assert shown["Status"] == "Revoked" and shown["Reason"] == 4 and shown["RevokedAt"].startswith("20")
    for text, status in ((f"{leaf.serial_number + 1:x}", 404), ("xyz", 400), ("", 400), ("1" * 60, 400)):
        assert ca.manage(f"/cert-status-by-serial/{text}")[0] == status, text
    assert ca.manage(f"/cert-status-by-serial/{serial}", data="{}")[0] == 405


def believed(user, *names, **payload):
    """Issued by a CA that is told to believe everything."""
    url, order = user.order(*names, **payload)
    for a in order["authorizations"]:
        found = user.post(a, None).json()
        if found["status"] == "pending":
            user.post(found["challenges"][0]["url"], {})
            assert user.poll(a, ("valid", "invalid"))["status"] == "valid"
    user.poll(url, ("ready",))
    user.post(order["finalize"], {"csr": b64(Client.csr(list(names))[0])})
    order = user.poll(url, ("valid", "invalid"))
    assert order["status"] == "valid", json.dumps(order)
    return user.post(order["certificate"], None).body.decode()


def certid(leaf):
    aki = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    n = leaf.serial_number
    return b64(aki) + "." + b64(n.to_bytes(n.bit_length() // 8 + 1, "big"))


def test_renewal_information_is_set(made):
    ca = made(always_valid="true")
    user = registered(made, ca)
    (leaf, *_) = certificates(believed(user, "ari.example.com"))
    ari = f"{user.directory['renewalInfo']}/{certid(leaf)}"
    # At once, though the map is written each second: what was done before the question is in the answer.
    assert "suggestedWindow" in user.request("GET", ari).json()
    pem = leaf.public_bytes(Encoding.PEM).decode()
    window = '{"suggestedWindow": {"start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"}}'
    for text in (window, "{", "no JSON \\ at all"):
        assert ca.manage("/set-renewal-info/", json.dumps({"Certificate": pem, "ARIResponse": text}))[0] == 200
        answer = user.request("GET", ari)
        assert answer.status == 200 and answer.body.decode() == text and int(answer.headers["Retry-After"]) > 0
    assert ca.manage("/set-renewal-info/", json.dumps({"Certificate": pem, "ARIResponse": ""}))[0] == 200
    assert "suggestedWindow" in user.request("GET", ari).json()
    root = ca.root.read_text()
    for body, status in (("{", 400), ("[]", 400), ("{}", 400), (json.dumps({"Certificate": "x"}), 400),
                         (json.dumps({"Certificate": pem.replace("CERTIFICATE", "PUBLIC KEY")}), 400),
                         (json.dumps({"Certificate": root, "ARIResponse": window}), 404),
                         (json.dumps({"Certificate": pem, "ARIResponse": "x" * 40000}), 413)):
        assert ca.manage("/set-renewal-info/", body)[0] == status, body[:60]
    assert ca.manage("/set-renewal-info/")[0] == 405
    # Not by the public listener, with the same body.
    assert ca.manage("/set-renewal-info/", json.dumps({"Certificate": pem, "ARIResponse": "{"}), ca.https_port)[0] == 404
    assert "suggestedWindow" in user.request("GET", ari).json()


# ---- the tricks ----

def test_always_valid_leaves_its_trace(made):
    ca = made(env={"PEBBLE_VA_ALWAYS_VALID": "1"})
    user = registered(made, ca)
    (leaf, *_) = certificates(believed(user, "nowhere.example.net", "*.nowhere.example.net"))
    shown = json.dumps(ca.json("cert", "show", f"{leaf.serial_number:032x}", "--evidence"))
    assert "nothing was looked at" in shown
    assert ca.json("status")["family"]["testing"]["always_valid"] is True
    assert "BELIEVES EVERYTHING" in ca.lintel("status").stdout


def test_nonces_are_refused(made):
    ca = made(env={"PEBBLE_WFE_NONCEREJECT": "50"})
    user = made.user(ca)
    user.register(tries=40)
    refused = 0
    for _ in range(60):
        answer = user.send(user.kid, user.sign(user.kid, None))
        refused += answer.status == 400 and answer.json()["type"].endswith(":badNonce")
    assert 10 < refused < 50


@pytest.mark.parametrize("reuse, status", [("0", "pending"), ("100", "ready")])
def test_proofs_are_forgotten(made, reuse, status):
    ca = made(always_valid="true", env={"PEBBLE_AUTHZREUSE": reuse})
    user = registered(made, ca)
    believed(user, "again.example.com")
    for _ in range(5):
        _, order = user.order("again.example.com")
        assert order["status"] == status


def test_validation_sleeps(made):
    ca = made(always_valid="true", env={"PEBBLE_VA_SLEEPTIME": "3"})
    user = registered(made, ca)
    seen = set()
    for i in range(8):
        _, order = user.order(f"sleep{i}.example.com")
        found = user.post(order["authorizations"][0], None).json()
        seen.add(user.post(found["challenges"][0]["url"], {}).json()["status"])
        user.poll(order["authorizations"][0], ("valid",), 10)
    assert "processing" in seen


def test_sleep_keeps_nobody_from_stopping(made):
    """What sleeps has not begun: it is asked again at the next start."""
    ca = made(always_valid="true", env={"PEBBLE_VA_SLEEPTIME": "30"})
    user = registered(made, ca)
    pending = []
    for i in range(6):
        _, order = user.order(f"late{i}.example.com")
        found = user.post(order["authorizations"][0], None).json()
        user.post(found["challenges"][0]["url"], {})
        pending.append(order["authorizations"][0])
    begun = time.monotonic()
    ca.stop()                                                      # with status 0
    assert time.monotonic() - begun < 8
    ca.start()                                                     # and without the variable: nothing sleeps any more
    user.close()
    user.nonce = None
    for url in pending:
        assert user.poll(url, ("valid", "invalid"), 20)["status"] == "valid"


def test_a_bad_environment_is_refused(tmp_path, dns, monkeypatch):
    ca = TestCa(tmp_path, dns.port, free_port())
    monkeypatch.setenv("PEBBLE_WFE_NONCEREJECT", "many")
    done = subprocess.run([str(LINTEL), "serve", str(ca.folder)], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and "PEBBLE_WFE_NONCEREJECT" in done.stderr


def test_dir_is_the_directory(made):
    ca = made()
    user = made.user(ca, f"{ca.url}/dir")
    assert user.directory == made.user(ca).directory
    user.register()
    assert user.post(f"{ca.url}/dir", None).json() == user.directory      # POST-as-GET, signed for this URL


def test_profiles_and_names_as_pebble_has_them(made):
    ca = made(always_valid="true")
    user = registered(made, ca)
    assert {"default", "shortlived"} <= set(user.directory["meta"]["profiles"])
    (leaf, *_) = certificates(believed(user, "short.example.com", "localhost", profile="shortlived"))
    assert (leaf.not_valid_after - leaf.not_valid_before).days < 7
    for name in ("blocked-domain.example", "www.blocked-domain.example"):
        with pytest.raises(AcmeError) as caught:
            user.order(name)
        assert caught.value.kind == "rejectedIdentifier"
    with pytest.raises(AcmeError) as caught:
        user.order("x.example.com", profile="nonsense")
    assert caught.value.kind == "invalidProfile"


# ---- what was written for Pebble, unchanged ----

class World:
    """A network of its own, so that suites find the ports they know: Lintel where Pebble stands, challtestsrv beside."""

    def __init__(self, folder):
        self.folder = folder
        for parent in (folder, folder.parent, folder.parent.parent):
            parent.chmod(0o755)

    def enter(self, script, env=None, seconds=400):
        unshare = ["unshare", "-r" if os.getuid() else "--fork", "-n", "-p", "--fork", "--kill-child", "--mount-proc"]
        return subprocess.run([*unshare, "sh", str(script)], capture_output=True, text=True, timeout=seconds,
                              env={**os.environ, **(env or {})})

    def run(self, command, init=(), env=None, cwd=None, before="", servers=True, seconds=400):
        """command runs in it, with $CA the folder of the CA; what it wrote, and its exit status. servers: challtestsrv
        answers challenges too; otherwise only DNS, and the client has ports 5001 and 5002 to itself."""
        script = self.folder / "world.sh"
        script.write_text(textwrap.dedent(f"""\
            cd {self.folder}
            ip link set lo up || exit 97
            export CA={self.folder}/ca
            pebble-challtestsrv {"" if servers else "-http01 '' -https01 '' -tlsalpn01 ''"} > challtestsrv.log 2>&1 &
            {LINTEL} init "$CA" --testing --resolver 127.0.0.1@8053 {" ".join(init)} > /dev/null || exit 98
            sed -i 's/^uid-base: .*/uid-base: 0/' "$CA/lintel.yaml"
            {LINTEL} serve "$CA" --log text > /dev/null 2> {self.folder}/serve.log &
            family=$!
            for i in $(seq 100); do
              curl -sf -o /dev/null --cacert "$CA/ca/root.pem" https://localhost:14000/dir && break
              sleep 0.2
            done
            export LINTEL_DIR="$CA"
            {before}
            cd {cwd or self.folder}
            {command}
            status=$?
            kill -TERM $family
            wait $family || exit 99
            exit $status
            """))
        done = self.enter(script, env, seconds)
        log = self.folder / "serve.log"
        assert done.returncode not in (97, 98, 99), (done, log.read_text()[-3000:] if log.exists() else "")
        return done


@pytest.fixture
def pebble_world(tmp_path):
    if shutil.which("pebble-challtestsrv") is None:
        pytest.skip("pebble-challtestsrv is not installed (package pebble)")
    return World(tmp_path)


def go():
    for folder in ("/usr/local/go/bin", "/usr/lib/go-1.19/bin", "/usr/bin"):
        if os.access(f"{folder}/go", os.X_OK):
            return f"{folder}/go"
    return shutil.which("go")


def module(name, version):
    """The folder of a Go module, or skipped by its name."""
    program = go()
    if program is None:
        pytest.skip(f"{name} {version}: there is no Go here")
    try:
        done = subprocess.run([program, "mod", "download", "-json", f"{name}@{version}"], capture_output=True, text=True,
                              timeout=90, cwd="/")
    except subprocess.TimeoutExpired:
        pytest.skip(f"{name} {version}: the Go module proxy does not answer")
    if done.returncode != 0:
        pytest.skip(f"{name} {version}: not to be had here: {done.stdout.strip()[-200:]}")
    return Path(json.loads(done.stdout)["Dir"])


def outcomes(text):
    """PASS, FAIL and SKIP by the names of Go's tests, those at the top alone."""
    found = {"PASS": [], "FAIL": [], "SKIP": []}
    for line in text.splitlines():
        if line.startswith("--- "):
            word, name = line[4:].split(": ", 1)
            found[word].append(name.split()[0])
    return found


# The client writes "Profile"; what is not written in Go takes names of members as they are (RFC 8259 4).
EGGSAMPLER_DIFFERS = {"TestClient_NewOrderWithProfile"}


def test_eggsampler(pebble_world, tmp_path):
    """Without ACME_DIRECTORY: with it the suite runs nothing and says ok."""
    source = tmp_path / "acme"
    shutil.copytree(module("github.com/eggsampler/acme/v3", "v3.8.1"), source)
    subprocess.run(["chmod", "-R", "u+w", str(source)], check=True)
    built = subprocess.run([go(), "test", "-c", "-o", str(tmp_path / "suite"), "."], cwd=source, capture_output=True,
                           text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    env = {"PEBBLE_WFE_NONCEREJECT": "0"}                           # as Pebble's own CI runs it
    done = pebble_world.run(f"env -u ACME_DIRECTORY {tmp_path}/suite -test.v", ["--alternate-roots", "1"], env,
                            cwd=source)
    found = outcomes(done.stdout)
    assert set(found["FAIL"]) == EGGSAMPLER_DIFFERS, done.stdout[-6000:]
    assert len(found["PASS"]) >= 68 and not found["SKIP"], found


# These obtain what they want, and then look at the paths of URLs, which are the server's own (RFC 8555 7.1).
LEGO_DIFFERS = {"TestChallengeHTTP_Client_Obtain", "TestChallengeHTTP_Client_Registration_QueryRegistration",
                "TestChallengeTLS_Client_Obtain", "TestChallengeTLS_Client_ObtainForCSR"}


def test_lego_e2e(pebble_world, tmp_path):
    """The suite starts "pebble" and builds lego by itself: it gets Lintel for the one and Debian's lego, which is of the
    same version, for the other. Pebble's TLS root is a file of the suite, so ours is put there."""
    source = tmp_path / "lego"
    shutil.copytree(module("github.com/go-acme/lego/v4", "v4.9.1"), source)
    subprocess.run(["chmod", "-R", "u+w", str(source)], check=True)
    built = subprocess.run([go(), "test", "-ldflags=-checklinkname=0", "-c", "-o", str(tmp_path / "suite"), "./e2e"],
                           cwd=source, capture_output=True, text=True, timeout=300)
    if built.returncode != 0:
        pytest.skip(f"lego e2e v4.9.1: does not build with this Go: {built.stderr[-200:]}")
    programs = {
        "bin/pebble": f"""export PATH=/usr/sbin:/usr/bin:/sbin:/bin
            {LINTEL} init {tmp_path}/ca --testing --resolver 127.0.0.1@8053 || exit 1
            sed -i 's/^uid-base: .*/uid-base: 0/' {tmp_path}/ca/lintel.yaml
            cp {tmp_path}/ca/ca/root.pem fixtures/certs/pebble.minica.pem
            exec {LINTEL} serve {tmp_path}/ca --log text""",
        "bin/git": f"echo {source}",
        "go/bin/go": f'cp {shutil.which("lego")} "$3"',
    }
    for name, text in programs.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{textwrap.dedent(text)}\n")
        path.chmod(0o755)
    script = tmp_path / "e2e.sh"
    script.write_text(f"""ip link set lo up
        pebble-challtestsrv -http01 '' -https01 '' -tlsalpn01 '' > {tmp_path}/challtestsrv.log 2>&1 &
        cd {source}/e2e
        PATH={tmp_path}/bin:$PATH GOROOT={tmp_path}/go LEGO_E2E_TESTS=1 {tmp_path}/suite -test.v""")
    done = pebble_world.enter(script)
    found = outcomes(done.stdout)
    assert set(found["FAIL"]) <= LEGO_DIFFERS and len(found["PASS"]) >= 8, done.stdout[-6000:]
    assert len(found["PASS"]) + len(found["FAIL"]) == 12, found
    wrong = [line for line in done.stdout.splitlines() if "Error:  " in line]
    assert all('to match "https://localhost:14000/' in line for line in wrong), wrong


def test_chisel(pebble_world, tmp_path):
    """Pebble's own smoke test, on certbot's library."""
    chisel = module("github.com/letsencrypt/pebble/v2", "v2.10.1") / "test" / "chisel2.py"
    done = pebble_world.run(f"REQUESTS_CA_BUNDLE=$CA/ca/root.pem /usr/bin/python3 {chisel} "
                            "example.letsencrypt.org elpmaxe.letsencrypt.org", env={"PEBBLE_WFE_NONCEREJECT": "0"},
                            servers=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lego_as_for_pebble(pebble_world):
    """http-01, tls-alpn-01, and external account binding under always-valid, as in Pebble's CI."""
    lego = ("LEGO_CA_CERTIFICATES=$CA/ca/root.pem lego --accept-tos --server=https://localhost:14000/dir "
            "--email=pebble-test@example.letsencrypt.org")
    done = pebble_world.run(f"{lego} --path http --domains=http.letsencrypt.org --http --http.port=:5002 run && "
                            f"{lego} --path tls --domains=tls.letsencrypt.org --tls --tls.port=:5001 run && "
                            f"{lego} --path http --domains=http.letsencrypt.org revoke", servers=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lego_with_eab_as_for_pebble(pebble_world):
    lego = ("LEGO_CA_CERTIFICATES=$CA/ca/root.pem lego --accept-tos --server=https://localhost:14000/dir "
            "--email=pebble-test@example.letsencrypt.org --domains=example.letsencrypt.org --http --http.port=:5002")
    before = f"""{LINTEL} eab create pebble --json > $CA/../eab.json || exit 96
            kid=$(jq -r .kid $CA/../eab.json)
            hmac=$(jq -r .hmac_key $CA/../eab.json)"""
    done = pebble_world.run(f'{lego} --eab --kid "$kid" --hmac "$hmac" run', before=before,
                            env={"PEBBLE_VA_ALWAYS_VALID": "1"}, servers=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_certbot_as_for_pebble(pebble_world):
    certbot = ("REQUESTS_CA_BUNDLE=$CA/ca/root.pem certbot --non-interactive --server https://localhost:14000/dir "
               "--config-dir c --work-dir w --logs-dir l")
    hook = ("'curl -sf --data \"{\\\"host\\\":\\\"_acme-challenge.$CERTBOT_DOMAIN.\\\",\\\"value\\\":\\\"$CERTBOT_VALIDATION\\\"}\" "
            "http://localhost:8055/set-txt'")
    done = pebble_world.run(f"{certbot} certonly --manual --preferred-challenges dns --manual-auth-hook {hook} --agree-tos "
                            "-m a@example.letsencrypt.org -d 'wild.letsencrypt.org' -d '*.wild.letsencrypt.org' "
                            "--preferred-chain 'Lintel (TESTING) Alternate 1 Root CA' && "
                            "curl -sf --cacert $CA/ca/root.pem https://localhost:15000/roots/1 > root1.pem && "
                            "openssl verify -CAfile root1.pem -untrusted c/live/wild.letsencrypt.org/chain.pem "
                            "c/live/wild.letsencrypt.org/cert.pem", ["--alternate-roots", "1"],
                            {"PEBBLE_WFE_NONCEREJECT": "0"})  # it asks again once, and one in 400 is refused twice
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("suite, why", [
    ("lego e2e/dnschallenge", "imports every DNS provider there is"),
    ("certbot-ci", "starts its own Pebble, and is in no registry"),
    ("acme4j-it", "needs Maven"),
    ("golang.org/x/crypto/acme TestWithPebble", "builds and starts its own Pebble"),
])
def test_suites_that_are_not_run(suite, why):
    pytest.skip(f"{suite}: {why}")

"""Hostile validations through the whole family and real recursion from the root: name servers that are lame, dead, go in
circles or lie, zones whose signatures expired or are missing, addresses that turn inward. Each row is an order at a CA as
in production, with the problem document that its owner gets to read. What a forwarder shows is in the unit tests."""
import http.server
import sqlite3
import threading
import time

import pytest
from acmeclient import AcmeError, Client
from internet import HOSTER, REGISTRY, WEB, Internet, Zone, presigned, usable
from liar import Liar

pytestmark = pytest.mark.skipif(not usable(), reason="an internet of our own needs root, `ip`, unshare and knotd")

LAME, DEAD, LIAR = "203.0.114.60", "203.0.114.61", "203.0.114.62"
AWAY = "203.0.114.250"  # no way leads there
EVERYWHERE = f"@ A {WEB}\n* A {WEB}\n"

HOSTED = [
    Zone("half.com", f"x A {WEB}\n@ NS ns1\nns1 A {LAME}\n", ns=[HOSTER, LAME]),  # one of its two does not know it
    Zone("nsec.com", EVERYWHERE, sign={"nsec3": "off"}.items()),
    Zone("rsa.com", EVERYWHERE, sign={"algorithm": "rsasha256"}.items()),
    Zone("edwards.com", EVERYWHERE, sign={"algorithm": "ed25519"}.items()),
    Zone("stripped.com", EVERYWHERE, sign=None, ds=f"4711 13 2 {7:064d}"),  # its parent says that it is signed
    Zone("strange.com", EVERYWHERE, sign=None, ds=f"4711 200 2 {7:064d}"),  # by an algorithm that nobody knows
    Zone("alias.com", "sub DNAME example.org.\n"),
    presigned(Zone("expired.com", EVERYWHERE), "20240101000000", "20250101000000"),
    presigned(Zone("early.com", EVERYWHERE), "20400101000000", "20410101000000"),
]
UNSERVED = [
    Zone("lame.com", sign=None, ns=[LAME]),
    Zone("dead.com", sign=None, ns=[DEAD]),
    Zone("away.com", sign=None, ns=[AWAY]),
    Zone("backup.com", sign=None, ns=[REGISTRY]),  # back to the server that sends there
    Zone("liar.com", sign=None, ns=[LIAR]),
]

# name: problem and words in its detail; None: it is valid, and the word is the DNSSEC state
ROWS = {
    # who is asked
    "x.lame.com": ("dns", "lame.com"),
    "x.half.com": (None, "secure"),
    "x.dead.com": ("dns", "dead.com"),
    "x.away.com": ("dns", "away.com"),
    "x.backup.com": ("dns", "backup.com"),
    "www.nobody.com": ("dns", "NXDOMAIN"),
    "www.nobody.zz": ("rejectedIdentifier", ""),
    # where to connect
    "x.both.example.com": (None, "secure"),  # nobody listens at its IPv6 address
    "x.six.example.com": ("connection", "refused"),
    # what is proven
    "x.nsec.com": (None, "secure"),
    "x.rsa.com": (None, "secure"),
    "x.edwards.com": (None, "secure"),
    "x.strange.com": (None, "insecure"),  # RFC 4035 5.2
    "x.sub.alias.com": (None, "insecure"),
    "x.stripped.com": ("dns", "bogus"),
    "x.expired.com": ("dns", "bogus"),
    "x.early.com": ("dns", "bogus"),
    # lies
    "x.fine.liar.com": (None, "insecure"),
    "x.tcok.liar.com": (None, "insecure"),
    "x.noedns.liar.com": (None, "insecure"),
    "tc.liar.com": ("dns", "tc.liar.com"),
    "tcshort.liar.com": ("dns", "tcshort.liar.com"),
    "tcforever.liar.com": ("dns", "tcforever.liar.com"),
    "garbage.liar.com": ("dns", "garbage.liar.com"),
    "wrongid.liar.com": ("dns", "wrongid.liar.com"),
    "otherq.liar.com": ("dns", "otherq.liar.com"),
    "noreply.liar.com": ("dns", "noreply.liar.com"),
    "silent.liar.com": ("dns", "silent.liar.com"),
    "x.down.liar.com": ("dns", "down.liar.com"),
    "x.up.liar.com": ("dns", "up.liar.com"),
    "x.chain.liar.com": ("dns", "chain.liar.com"),
    "x.nxns.liar.com": ("dns", "nxns.liar.com"),
    "x.case.liar.com": (None, "insecure"),
    "nothing.liar.com": ("dns", "neither"),
    # CAA
    "caafails.liar.com": ("dns", "CAA at caafails.liar.com"),
    "caadrops.liar.com": ("dns", "CAA at caadrops.liar.com"),
    "caarefused.liar.com": ("dns", "CAA at caarefused.liar.com"),
    "caashort.liar.com": ("caa", "a CAA tag of 32 bytes"),
    "caaempty.liar.com": ("caa", "a CAA tag of 0 bytes"),
    "caamany.liar.com": ("caa", "larger than any that can be meant"),
    # inward
    "inside.liar.com": ("dns", "loopback"),
    "half.liar.com": (None, "insecure"),  # by the public one of its two addresses
    "flip.liar.com": ("dns", "loopback"),
    # and one that was said to be elsewhere
    "poison.liar.com": (None, "insecure"),
    "victim.example.com": (None, "secure"),
}


class Web:
    """Proves every token, wherever it is asked for. The host flip.liar.com turns its name inward, and sends there."""

    def __init__(self, address, liar, proofs):
        self.requests = []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host = self.headers.get("Host", "")
                web.requests.append((host, self.path))
                if host.startswith("flip."):
                    liar.flipped = True
                    self.send_response(302)
                    self.send_header("Location", f"http://{host}{self.path}?again")
                    self.end_headers()
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(proofs.get(self.path.split("?")[0].rsplit("/", 1)[1], "?").encode())

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256

        self.server = Server((address, 80), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Outcome:
    def __init__(self, problem=None, detail=""):
        self.problem = problem
        self.detail = detail


def ask_all(ca, proofs):
    """All at once, as what hangs shall hang together, and each by an account of its own: a worker serves one account, and
    its resolver would hold against the liar's one name what it heard of another."""
    outcomes, waiting = {}, {}
    for name in ROWS:
        client = Client(ca.directory, ca.root)
        client.register()
        try:
            _, order = client.order(name)
        except AcmeError as e:
            outcomes[name] = Outcome(e.kind, e.problem.get("detail", ""))
            continue
        url = order["authorizations"][0]
        challenge = next(c for c in client.post(url, None).json()["challenges"] if c["type"] == "http-01")
        proofs[challenge["token"]] = f"{challenge['token']}.{client.thumbprint()}"
        client.post(challenge["url"], {})
        waiting[name] = client, url
    end = time.monotonic() + 120
    while waiting and time.monotonic() < end:
        for name, (client, url) in list(waiting.items()):
            authorization = client.post(url, None).json()
            if authorization["status"] in ("valid", "invalid"):
                error = next((c["error"] for c in authorization["challenges"] if "error" in c), {})
                outcomes[name] = Outcome(error.get("type", "").rsplit(":", 1)[-1] or None, error.get("detail", ""))
                del waiting[name]
        time.sleep(0.2)
    for name in waiting:
        outcomes[name] = Outcome("still pending")
    return outcomes


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    net = Internet(tmp_path_factory.mktemp("hostile"), HOSTED, {LAME: []}, UNSERVED, [DEAD, LIAR])
    try:
        liar = Liar(LIAR, WEB)
        net.undo.append(liar.stop)
        ca = net.ca()
        proofs = {}
        inner = Web("127.0.0.1", liar, proofs)
        net.undo.append(inner.stop)
        outer = Web(WEB, liar, proofs)
        net.undo.append(outer.stop)
        net.outcomes = ask_all(ca, proofs)
        net.inner, net.liar, net.authority = inner, liar, ca
        net.namespace.leave()
        yield net
        net.namespace.enter()
    finally:
        net.stop()


@pytest.mark.parametrize("name", ROWS)
def test_row(world, name):
    problem, words = ROWS[name]
    outcome = world.outcomes[name]
    assert outcome.problem == problem, (outcome.problem, outcome.detail)
    if problem is not None:
        assert words in outcome.detail, outcome.detail


def test_nothing_led_inward(world):
    assert world.inner.requests == []


def test_attempts_are_bounded(world):
    """Neither a circle nor a server that says nothing makes us ask without end: six resolvers together, each a few times."""
    assert {label: count for label, count in world.liar.asked.items() if count > 6 * 60} == {}


def test_dnssec_states_are_kept(world):
    with sqlite3.connect(f"file:{world.authority.folder}/book/lintel.db?mode=ro", uri=True) as book:
        kept = dict(book.execute("SELECT identifier, dnssec FROM evidence WHERE ok = 1"))
    assert kept == {name: words for name, (problem, words) in ROWS.items() if problem is None}

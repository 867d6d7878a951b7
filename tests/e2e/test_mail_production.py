"""By mail as in production: a public profile, five perspectives, signed zones from the root down, no test flag."""
import json
import signal
import ssl
import types

import pytest
from conftest import wait_for
from postfix import Postfix, missing
from test_enroll import request_of
from test_mail import Office, configure, link

pytestmark = pytest.mark.skipif(missing() != "", reason=missing())


@pytest.fixture
def desk(net, tmp_path):
    for part in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        part.chmod(0o755)
    ca = net.authority
    before = (ca.folder / "lintel.yaml").read_text()
    postfix = Postfix(tmp_path / "postfix")
    configure(ca, postfix.port)
    reload(ca)
    tls = ssl.create_default_context(cafile=str(ca.root))
    yield types.SimpleNamespace(ca=ca, tls=tls, postfix=postfix, folder=tmp_path)
    (ca.folder / "lintel.yaml").write_text(before)
    reload(ca)
    postfix.stop()


def reload(ca):
    """The courier is there already, for the perspectives."""
    said = ca.log.read_text().count("configuration read again")
    ca.process.send_signal(signal.SIGHUP)
    wait_for("the configuration", lambda: ca.log.read_text().count("configuration read again") > said)


def test_a_contact_under_dnssec(net, desk):
    net.update("add post.example.com. 0 CAA 0 issue \"ca.example.org\"",
               "add post.example.com. 0 CAA 0 contactemail \"security@example.com\"",
               "add _validation-contactemail.example.com. 0 TXT admin@example.com")
    ca = desk.ca
    try:
        for name, method, to in (("www.post.example.com", "email-caa-contact", "security@example.com"),
                                 ("*.two.example.com", "email-txt-contact", "admin@example.com"),
                                 ("three.example.com", "email-constructed", "hostmaster@example.com")):
            e = ca.json("enroll", "request", request_of(desk.folder, name), "--subscriber", f"By {method}", "--method",
                        method, "--contact", to)
            letter = wait_for(f"a letter to {to}", lambda: next(iter(desk.postfix.letters(to)), None))
            assert name in letter["Subject"]
            assert Office.page(desk, link(letter), {"do": "approve"})[0] == 200
            done = wait_for("the certificate", lambda: next(
                (s for s in [ca.json("enroll", "show", e["id"])] if s["status"] == "valid"), None), 60)
            story = ca.json("cert", "show", done["serial"], "--evidence")
            (check,) = [c for n in story["names"] for c in n["checks"] if c["ok"] and c["method"] == method]
            assert check["confirmed"]["by"] == to and check["caa"] == "permitted"
            assert check["dnssec"] == ("" if method == "email-constructed" else "secure")
            assert "perspectives 5/5" in " ".join(ca.lintel("cert", "show", done["serial"], "--evidence").stdout.split())
    finally:
        net.update("del post.example.com. CAA", "del _validation-contactemail.example.com. TXT")


def test_a_name_that_forbids_this_ca(net, desk):
    """The contact may approve what he likes: CAA is the domain's word."""
    net.update("add shut.example.com. 0 CAA 0 issue \"other.example\"",
               "add shut.example.com. 0 CAA 0 contactemail \"security@example.com\"")
    try:
        e = desk.ca.json("enroll", "request", request_of(desk.folder, "shut.example.com"), "--subscriber", "Shut",
                         "--method", "email-caa-contact")
        letter = wait_for("a letter", lambda: next(iter(desk.postfix.letters("security@example.com")), None))
        assert Office.page(desk, link(letter), {"do": "approve"})[0] == 200
        error = wait_for("the outcome", lambda: desk.ca.json("enroll", "show", e["id"])["names"][0]["challenges"][0].get(
            "error"))
        assert json.dumps(error).count("caa") and desk.ca.json("enroll", "show", e["id"])["status"] == "pending"
        desk.ca.lintel("enroll", "cancel", e["id"], "--yes")
    finally:
        net.update("del shut.example.com. CAA")

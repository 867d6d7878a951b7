"""A remote perspective, asked by a client that is not ours: who is let in, what is signed, what happens when a
process of it dies."""
import hashlib
import json
import os
import re
import signal
import ssl
import subprocess
from pathlib import Path

import pytest
from conftest import LINTEL, Webroot, free_port, wait_for
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from perspective import Courier, Perspective
from protobuf import pack, unpack

CONTEXT = b"lintel-perspective-v1\0"
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
PROOF = f"{TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"


@pytest.fixture(scope="module")
def place(tmp_path_factory, dns):
    folder = tmp_path_factory.mktemp("perspective")
    for part in (folder, folder.parent, folder.parent.parent):
        part.chmod(0o755)
    port = free_port()
    web = Webroot(folder / "webroot", port)
    courier = Courier(folder)
    view = Perspective(folder, 0, dns.port, port, courier.spki).start()
    yield view, courier, web
    view.stop()
    web.stop()


def question(view, name="a.example.com", nonce=b"n" * 16, **more):
    fields = {1: 7, 3: nonce, 4: {1: "dns", 2: name}, 5: "http-01", 6: TOKEN, 7: PROOF, 8: 1, 14: view.name}
    fields.update({int(k[1:]): v for k, v in more.items()})
    return pack(fields)


def open_statement(view, courier, body):
    """The fields of the statement, its signature verified with the key that `describe` gives."""
    import base64

    from cryptography.hazmat.primitives.serialization import load_der_public_key
    signed = unpack(body)
    key = load_der_public_key(base64.b64decode(view.describe()["spki"]))
    key.verify(signed[3][0], CONTEXT + signed[1][0], ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(signed[3][0], signed[1][0], ec.ECDSA(hashes.SHA256()))
    assert signed[2] == [view.name.encode()]
    return unpack(signed[1][0])


def test_says_what_it_saw(place):
    view, courier, web = place
    (web.challenges / TOKEN).write_text(PROOF)
    asked = question(view)
    status, body = courier.post(view.port, asked)
    assert status == 200
    v = open_statement(view, courier, body)
    assert v[6] == [1] and v[3] == [b"n" * 16] and v[5] == [b"http-01"]
    assert unpack(v[4][0])[2] == [b"a.example.com"]
    assert v[9] == [b"127.0.0.1"] and v[18] == [view.name.encode()]
    assert v[26] == [hashlib.sha256(asked).digest()]


def test_says_no_as_well(place):
    view, courier, web = place
    (web.challenges / TOKEN).write_text("something else")
    status, body = courier.post(view.port, question(view))
    v = open_statement(view, courier, body)
    assert status == 200 and 6 not in v and unpack(v[7][0])[1]


@pytest.mark.parametrize("body", [
    b"",
    b"\xff\xff\xff",
    pack({3: b"n" * 16}),
], ids=["empty", "noise", "no name"])
def test_refuses_what_is_no_question(place, body):
    view, courier, _ = place
    assert courier.post(view.port, body)[0] == 400


@pytest.mark.parametrize("change", [
    {"f14": "view-1"},
    {"f14": ""},
    {"f3": b"short"},
    {"f3": b"n" * 65},
    {"f5": ""},
    {"f99": 1},
    {"f6": "t" * 20000},
], ids=["another perspective", "no perspective", "short nonce", "long nonce", "no method", "unknown field", "too long"])
def test_refuses_questions(place, change):
    view, courier, _ = place
    assert courier.post(view.port, question(view, **change))[0] == 400


def test_one_path_and_method(place):
    view, courier, _ = place
    assert courier.post(view.port, question(view), path="/v1/other")[0] == 404
    assert courier.post(view.port, b"", method="GET")[0] in (404, 405)


def test_lets_nobody_else_in(place, tmp_path):
    view, courier, _ = place
    stranger = Courier(tmp_path, "stranger")
    assert stranger.post(view.port, question(view)) is None
    assert courier.post(view.port, question(view), show=False) is None
    assert courier.post(view.port, question(view), version=ssl.TLSVersion.TLSv1_2) is None
    assert courier.post(view.port, question(view))[0] == 200


def children(pid):
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            found[Path(f"/proc/{child}/comm").read_text().strip()] = int(child)
        except OSError:
            pass  # ended meanwhile
    return found


def test_walls(place):
    view, _, _ = place
    both = children(view.process.pid)
    assert set(both) == {"lintel-front", "lintel-validato"}
    for name, pid in both.items():
        text = Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^Seccomp:\s+2$", text, re.M) and re.search(r"^NoNewPrivs:\s+1$", text, re.M), name
        if os.getuid() == 0:
            assert not re.search(r"^Uid:\s+0", text, re.M), name


@pytest.mark.parametrize("victim", ["lintel-front", "lintel-validato"])
def test_comes_back(place, victim):
    view, courier, _ = place
    before = children(view.process.pid)
    os.kill(before[victim], signal.SIGKILL)

    def back():
        now = children(view.process.pid)
        return set(now) == set(before) and now[victim] != before[victim]

    wait_for("both again", back)
    wait_for("an answer", lambda: (courier.post(view.port, question(view)) or [0])[0] == 200)


def test_waits_for_a_file_and_can_be_stopped_meanwhile(place, tmp_path, dns):
    _, courier, web = place
    for part in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        part.chmod(0o755)
    view = Perspective(tmp_path, 1, dns.port, web.port, courier.spki).start()
    key = view.folder / "key.pem"
    key.rename(view.folder / "away")
    view.process.send_signal(signal.SIGHUP)
    wait_for("the complaint", lambda: "cannot start the children" in view.log.read_text())
    (view.folder / "away").rename(key)
    wait_for("an answer", lambda: back(view, courier))
    key.unlink()
    view.process.send_signal(signal.SIGHUP)
    wait_for("the complaint", lambda: view.log.read_text().count("cannot start the children") > 1)
    view.stop()


def back(view, courier):
    try:
        return (courier.post(view.port, question(view)) or [0])[0] == 200
    except OSError:
        return False


def test_reload_knows_new_couriers(place, tmp_path):
    view, courier, _ = place
    other = Courier(tmp_path, "other")
    path = view.folder / "perspective.json"
    settings = json.loads(path.read_text())
    settings["clients"].append(other.spki)
    path.write_text(json.dumps(settings))
    view.process.send_signal(signal.SIGHUP)
    wait_for("the new courier", lambda: (other.post(view.port, question(view)) or [0])[0] == 200)
    assert courier.post(view.port, question(view))[0] == 200


def test_is_no_ca(place):
    view, *_ = place
    done = subprocess.run([LINTEL, "serve", view.folder], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and "lintel perspective serve" in done.stderr
    assert not (Path(view.folder) / "secrets").exists()


def test_init_refuses(place, tmp_path):
    view, courier, _ = place
    good = ["--name", "a", "--url", "https://a", "--rir", "RIPE", "--latitude", "1", "--longitude", "1"]
    assert view.lintel("init", view.folder, *good, check=False).returncode != 0
    assert (view.folder / "key.pem").stat().st_mode & 0o777 == 0o600
    for i in range(0, len(good), 2):
        fewer = good[:i] + good[i + 2:]
        assert view.lintel("init", tmp_path / "x", *fewer, check=False).returncode == 2
    for wrong in (["--name", "A"], ["--url", "http://a"], ["--latitude", "north"], ["--client", "AAAA"]):
        assert view.lintel("init", tmp_path / "x", *good, *wrong, check=False).returncode == 2
    assert not (tmp_path / "x").exists()
    assert view.lintel("serve", tmp_path / "none", check=False).returncode == 3

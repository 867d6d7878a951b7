"""The same in network namespaces: one host for each perspective, and in a hijacked network the victim's own address
leads to the attacker, as after a false route. Needs root."""
import json
import os
import subprocess
import sys

import pytest
from acmeclient import Client
from conftest import Ca, Dns, Webroot, free_port
from internet import Namespace
from perspective import Perspective

VICTIM = "10.213.0.1"


def ip(*args):
    return subprocess.run(["ip", *args], capture_output=True, text=True)


def usable():
    probe = f"lintel-probe-{os.getpid()}"
    made = os.getuid() == 0 and ip("netns", "add", probe).returncode == 0
    if made:
        made = ip("-n", probe, "link", "add", "p0", "type", "veth", "peer", "name", "p1").returncode == 0
        ip("netns", "del", probe)
    return made


pytestmark = pytest.mark.skipif(not usable(), reason="network namespaces need root and `ip netns`")


class Networks:
    """Namespace i has 10.213.i.2 and a route to everything by 10.213.i.1, which is here."""

    def __init__(self, count):
        self.names = [f"lintel-view-{os.getpid()}-{i}" for i in range(count)]
        for i, name in enumerate(self.names):
            inside = ["netns", "exec", name, "ip"]
            for command in (["netns", "add", name],
                            ["link", "add", f"lintel-v{i}", "type", "veth", "peer", "name", "eth0", "netns", name],
                            ["addr", "add", f"10.213.{i}.1/24", "dev", f"lintel-v{i}"],
                            ["link", "set", f"lintel-v{i}", "up"],
                            [*inside, "link", "set", "lo", "up"],
                            [*inside, "addr", "add", f"10.213.{i}.2/24", "dev", "eth0"],
                            [*inside, "link", "set", "eth0", "up"],
                            [*inside, "route", "add", "default", "via", f"10.213.{i}.1"]):
                r = ip(*command)
                assert r.returncode == 0, (command, r.stderr)

    def hijack(self, i, folder, port):
        """In that network the victim's address is the attacker's."""
        assert ip("netns", "exec", self.names[i], "ip", "addr", "add", f"{VICTIM}/32", "dev", "lo").returncode == 0
        return subprocess.Popen(["ip", "netns", "exec", self.names[i], sys.executable, "-m", "http.server", "--bind",
                                 VICTIM, "--directory", str(folder), str(port)], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def stop(self):
        for i, name in enumerate(self.names):
            ip("link", "del", f"lintel-v{i}")
            ip("netns", "del", name)


@pytest.fixture
def world(tmp_path):
    for part in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        part.chmod(0o755)
    place = Namespace()  # addresses and names of this run alone
    undo = []

    def make(hijacked):
        networks = Networks(5)
        undo.append(networks.stop)
        port = free_port()
        (tmp_path / "dns").mkdir()
        (tmp_path / "attacker").mkdir()
        dns = Dns(tmp_path / "dns", VICTIM, "10.213.1.1")
        undo.append(dns.stop)
        victim = Webroot(tmp_path / "victim", port, VICTIM)
        undo.append(victim.stop)
        resolver = f"10.213.1.1@{dns.port}"
        ca = Ca(tmp_path, resolver, port)
        client = ca.lintel("perspective", "client").stdout.strip()
        (ca.folder / "perspectives").mkdir(exist_ok=True)
        for i in range(5):
            if i in hijacked:
                attacker = networks.hijack(i, tmp_path / "attacker", port)
                undo.append(lambda p=attacker: (p.terminate(), p.wait()))
            view = Perspective(tmp_path, i, resolver, port, client, f"10.213.{i}.2", networks.names[i]).start()
            undo.append(view.stop)
            (ca.folder / "perspectives" / f"{view.name}.json").write_text(json.dumps(view.describe()))
        ca.start()
        undo.append(ca.stop)
        user = Client(ca.directory, ca.root, victim.challenges)
        user.register()
        return user

    yield make
    try:
        while undo:
            undo.pop()()
    finally:
        place.close()


def test_honest_networks(world):
    assert "BEGIN CERTIFICATE" in world(set()).issue("www.example.com")


def test_one_network_is_hijacked(world):
    assert "BEGIN CERTIFICATE" in world({3}).issue("www.example.com")


def test_two_networks_are_hijacked(world):
    user = world({2, 3})
    _, order = user.order("www.example.com")
    answer = user.prove(order["authorizations"][0])
    assert answer["status"] == "invalid"
    error = next(c["error"] for c in answer["challenges"] if "error" in c)
    assert "Only 3 of 5" in error["detail"]

"""An internet of its own, in a network namespace that has a loopback and no way out.

Root servers stand at the addresses that every resolver carries with it, so libunbound finds everything by itself: a
signed root, signed registries for com and org, a hoster with the customers' zones, and nothing is forwarded. Ports 53,
80 and 443 are the real ones and addresses are public, so that a CA inside runs as in production: no test flag, DNSSEC
from the root down, public profiles with five perspectives.
"""
import ctypes
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

from conftest import LINTEL, Ca, wait_for
from perspective import PLACES, Perspective

CLONE_NEWNET = 0x40000000
CLONE_NEWNS = 0x00020000
CLONE_FS = 0x00000200
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
ROOT_KEY = "/usr/share/dns/root.key"  # where the family finds the key of the DNS root
ROOTS = ["198.41.0.4", "170.247.170.2", "199.9.14.201", "192.33.4.12", "199.7.91.13", "192.203.230.10", "192.5.5.241",
         "192.112.36.4", "198.97.190.53", "192.36.148.17", "192.58.128.30", "193.0.14.129", "199.7.83.42",
         "202.12.27.33"]
REGISTRY = "203.0.114.53"
HOSTER = "203.0.114.54"
WEB = "203.0.114.10"  # where the customers' names lead
WEB6 = "2001:470:0:1::10"
PERSPECTIVES = [f"203.0.114.{20 + i}" for i in range(5)]
WITH_US = ["setpriv", "--pdeathsig", "TERM"]  # it goes when the tests do, however
TSIG = "customer", "bGludGVsIHRlc3RzIGxpbnRlbCB0ZXN0cyBsaW50ZWw="

libc = ctypes.CDLL(None, use_errno=True)
if "/usr/sbin" not in os.environ["PATH"].split(":"):
    os.environ["PATH"] += ":/usr/sbin"  # where servers are, and some clients


def ip(*args):
    return subprocess.run(["ip", *args], capture_output=True, text=True)


def usable():
    """Network namespaces need root, and a signed DNS needs knotd."""
    return os.getuid() == 0 and shutil.which("ip") is not None and Path("/usr/sbin/knotd").exists() and \
        subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0


class Namespace:
    """Between enter and leave this thread, and all that it starts, is in it. Made entered. It has mounts of its own, so
    that the root's key can be another one there (trust)."""

    def __init__(self, *addresses):
        self.home = self.both()
        if libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        self.here = self.both()
        self.mount(None, "/", MS_REC | MS_PRIVATE)
        # The addresses may be ours because no way leads to those who have them out there.
        up = [link["ifname"] for link in json.loads(ip("-j", "link").stdout) if "UP" in link["flags"]]
        assert up == [] and ip("link", "set", "lo", "up").returncode == 0, up
        for address in addresses:
            bits, options = (128, ["nodad"]) if ":" in address else (32, [])
            r = ip("addr", "add", f"{address}/{bits}", "dev", "lo", *options)
            assert r.returncode == 0, r.stderr

    def enter(self):
        self.go(self.here)

    def leave(self):
        self.go(self.home)

    @staticmethod
    def both():
        return [(os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY), flag)
                for kind, flag in (("net", CLONE_NEWNET), ("mnt", CLONE_NEWNS))]

    @staticmethod
    def go(where):
        folder = os.getcwd()
        if libc.unshare(CLONE_FS) != 0:  # threads that were started here have this thread's mounts
            raise OSError(ctypes.get_errno(), "unshare")
        for fd, flag in where:
            if libc.setns(fd, flag) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        os.chdir(folder)

    @staticmethod
    def mount(source, target, flags):
        source = None if source is None else str(source).encode()
        if libc.mount(source, str(target).encode(), None, flags, None) != 0:
            raise OSError(ctypes.get_errno(), "mount", str(target))

    def trust(self, key):
        """This file in place of the world's key of the root, for all that is started here."""
        self.mount(key, ROOT_KEY, MS_BIND)

    def close(self):
        self.leave()
        for fd, _ in self.home + self.here:
            os.close(fd)


class Zone:
    """Lines of a zone file, relative to the name. sign: None for a zone without signatures, else options of its policy;
    ds: what its parent says of it, None for nothing, a line for something else than the truth."""

    def __init__(self, name, records="", sign=(), ds=True, update=False, ns=None):
        self.name = name
        self.records = records
        self.sign = sign
        self.ds = ds if sign is not None or ds is not True else None
        self.update = update
        self.ns = ns  # addresses of its servers where they are not those of the one that has it
        self.period = None  # of its signatures, when they are not made by the server


def presigned(zone, begin, end):
    """Served as it was signed once, from begin to end."""
    zone.period = begin, end
    zone.sign = None
    return zone


class NameServer:
    """A knotd, authoritative for some zones on some addresses."""

    def __init__(self, folder, addresses, zones):
        self.folder = folder
        self.addresses = addresses
        self.zones = zones
        self.process = None
        (folder / "db").mkdir(parents=True)
        self.config = folder / "knot.conf"
        text = ["server:", f"  listen: [{', '.join(f'{a}@53' for a in addresses)}]", f"  rundir: {folder}",
                "  udp-workers: 1", "  tcp-workers: 1", "  background-workers: 1",
                "database:", f"  storage: {folder}/db",
                "log:", "  - target: stderr", "    any: error",
                "key:", f"  - id: {TSIG[0]}", "    algorithm: hmac-sha256", f"    secret: {TSIG[1]}",
                "acl:", "  - id: update", f"    key: {TSIG[0]}", "    action: update",
                "policy:"]
        for i, zone in enumerate(zones):
            if zone.sign is not None:
                options = {"algorithm": "ecdsap256sha256", "nsec3": "on", "nsec3-iterations": "0",
                           "single-type-signing": "on", **dict(zone.sign)}
                text += [f"  - id: p{i}", *(f"    {k}: {v}" for k, v in options.items())]
        text += ["template:", "  - id: default", f"    storage: {folder}", "    zonefile-sync: -1",
                 "    zonefile-load: difference", "    journal-content: all", "zone:"]
        for i, zone in enumerate(zones):
            text += [f"  - domain: {zone.name}", f"    file: {self.file(zone)}"]
            text += ["    dnssec-signing: on", f"    dnssec-policy: p{i}"] if zone.sign is not None else []
            text += ["    acl: update"] if zone.update else []
        self.config.write_text("\n".join(text) + "\n")
        for zone in zones:
            zone.servers = zone.ns or addresses[:1]
            if zone.period:
                zone.key = self.ldns("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone.name).strip()
                zone.ds = (folder / f"{zone.key}.ds").read_text().split("DS", 1)[1].strip()
            if zone.sign is not None:
                algorithm = dict(zone.sign).get("algorithm", "ecdsap256sha256")
                self.keymgr(zone.name, "generate", f"algorithm={algorithm}", "ksk=yes", "zsk=yes")
                if zone.ds is True:
                    line = next(x for x in self.keymgr(zone.name, "ds").splitlines() if " 2 " in x)
                    zone.ds = line.split(" DS ", 1)[1] if " DS " in line else line.split("DS", 1)[1]

    @staticmethod
    def file(zone):
        return "root.zone" if zone.name == "." else f"{zone.name}.zone"

    def keymgr(self, *args):
        r = subprocess.run(["keymgr", "-c", str(self.config), *args], capture_output=True, text=True)
        assert r.returncode == 0, r.stderr
        return r.stdout

    def ldns(self, *args):
        r = subprocess.run(args, cwd=self.folder, capture_output=True, text=True)
        assert r.returncode == 0, r.stderr
        return r.stdout

    def start(self, children):
        for zone in self.zones:
            dot = "" if zone.name == "." else "."
            text = [f"$ORIGIN {zone.name}{dot}", "$TTL 60", "@ SOA ns admin 1 60 60 600 5"]
            for i, address in enumerate(self.addresses):
                text += [f"@ NS ns{i or ''}", f"ns{i or ''} A {address}"]
            for child in children(zone):
                for i, address in enumerate(child.servers):
                    text += [f"{child.name}. NS ns{i or ''}.{child.name}.", f"ns{i or ''}.{child.name}. A {address}"]
                text += [f"{child.name}. DS {child.ds}"] if child.ds else []
            (self.folder / self.file(zone)).write_text("\n".join([*text, zone.records]) + "\n")
            if zone.period:
                self.ldns("ldns-signzone", "-n", "-i", zone.period[0], "-e", zone.period[1], "-f", self.file(zone),
                          self.file(zone), zone.key)
        self.process = subprocess.Popen([*WITH_US, "knotd", "-c", str(self.config)], stderr=open(self.folder / "log", "w"))
        for zone in self.zones:
            wait_for(f"{self.addresses[0]} to answer for {zone.name}; see {self.folder}/log",
                     lambda: authoritative(self.addresses[0], zone.name))

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)


def encode_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.strip(".").split(".") if label) + b"\0"


def authoritative(address, zone):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.3)
        try:
            s.sendto(b"\x47\x11\0\0\0\1\0\0\0\0\0\0" + encode_name(zone) + b"\0\6\0\1", (address, 53))
            answer = s.recv(2048)
        except OSError:
            return False
        return answer[3] & 15 == 0 and answer[2] & 4 and answer[7] > 0


def parent_of(name, zones):
    """The deepest zone above."""
    above = [z for z in zones if z != name and (z == "." or name.endswith(f".{z}"))]
    return max(above, key=lambda z: 0 if z == "." else len(z), default=None)


class Internet:
    """hosted: further zones at the hoster. servers: {address: [Zone]} for further name servers, of which an empty list
    is one that knows no zone at all. unserved: zones that a registry delegates to where nobody has them."""

    def __init__(self, folder, hosted=(), servers=None, unserved=(), addresses=()):
        self.folder = folder
        for part in (folder, folder.parent, folder.parent.parent):
            part.chmod(0o755)
        self.namespace = Namespace(*ROOTS, REGISTRY, HOSTER, WEB, WEB6, *PERSPECTIVES, *(servers or {}), *addresses)
        self.undo = []
        try:
            self.dns = [NameServer(folder / "hoster", [HOSTER], [CUSTOMERS(), PLAIN(), *hosted])]
            self.dns += [NameServer(folder / f"dns-{a}", [a], z) for a, z in (servers or {}).items()]
            self.dns += [NameServer(folder / "registry", [REGISTRY], [Zone("com"), Zone("org")]),
                         NameServer(folder / "root", ROOTS, [Zone(".")])]
            zones = [zone for server in self.dns for zone in server.zones]
            for zone in unserved:
                zone.servers = zone.ns
            names = [z.name for z in zones]
            for server in self.dns:
                self.undo.append(server.stop)
                server.start(lambda parent: [z for z in [*zones, *unserved] if z.name != "." and
                                             parent_of(z.name, names) == parent.name])
            self.anchor = f". DS {self.dns[-1].zones[0].ds}"
            (folder / "root.key").write_text(self.anchor + "\n")
            self.namespace.trust(folder / "root.key")
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """All of it, whatever of it fails."""
        failed = None
        while self.undo:
            try:
                self.undo.pop()()
            except Exception as e:
                failed = failed or e
        self.namespace.close()
        if failed is not None:
            raise failed

    def update(self, *lines, zone="example.com", server=HOSTER):
        """Changes records as their owner does, by a signed update."""
        text = "\n".join([f"server {server}", f"zone {zone}", f"key hmac-sha256:{TSIG[0]} {TSIG[1]}", *lines, "send",
                          "quit"])
        r = subprocess.run(["knsupdate"], input=text + "\n", capture_output=True, text=True, timeout=20)
        assert r.returncode == 0 and "error" not in r.stderr, r.stderr + r.stdout

    def resolver(self):
        """A resolver for programs that ask one: an unbound on 127.0.0.1, which starts at the root as well."""
        folder = self.folder / "resolver"
        folder.mkdir()
        (folder / "root.ds").write_text(self.anchor + "\n")
        (folder / "unbound.conf").write_text(f"""
server:
  interface: 127.0.0.1
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{folder}/log"
  do-ip6: no
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
  trust-anchor-file: "{folder}/root.ds"
remote-control:
  control-enable: no
""")
        process = subprocess.Popen([*WITH_US, "unbound", "-d", "-c", folder / "unbound.conf"])
        self.undo.append(lambda: (process.terminate(), process.wait(10)))

        def answers():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(1)
                try:
                    s.sendto(b"\x47\x11\1\0\0\1\0\0\0\0\0\0" + encode_name("example.com") + b"\0\6\0\1", ("127.0.0.1", 53))
                    answer = s.recv(2048)
                except OSError:
                    return False
                return answer[3] & 15 == 0 and answer[7] > 0

        wait_for("the resolver", answers)

    def ca(self, perspectives=True, caa="ca.example.org", change=None, public=None):
        """A family as in production. change(folder) before it starts; perspectives: all, none, or so many."""
        (self.folder / "authority").mkdir()
        ca = Ca(self.folder / "authority", None, 80, "--caa-identity", caa,
                *(["--public"] if (bool(perspectives) if public is None else public) else []))
        self.views = []
        if perspectives:
            client = ca.lintel("perspective", "client").stdout.strip()
            (ca.folder / "perspectives").mkdir(exist_ok=True)
            for i, address in enumerate(PERSPECTIVES[:None if perspectives is True else perspectives]):
                view = View(self.folder, i, address, client)
                self.views.append(view)
                self.undo.append(view.stop)
                view.start()
                (ca.folder / "perspectives" / f"{view.name}.json").write_text(json.dumps(view.describe()))
        if change is not None:
            change(ca.folder)
        self.undo.append(ca.stop)
        ca.start()
        return ca


class View(Perspective):
    """A perspective that asks the root and refuses private addresses, as all do out there."""

    def __init__(self, folder, index, address, client_spki):
        self.prefix = []
        self.name = f"view-{index}"
        self.folder = folder / self.name
        self.port = 9443
        self.log = folder / f"{self.name}.log"
        self.process = None
        rir, latitude, longitude = PLACES[index]
        self.lintel("init", self.folder, "--name", self.name, "--url", f"https://{address}:{self.port}", "--rir", rir,
                    "--latitude", latitude, f"--longitude={longitude}", "--listen", f"{address}:{self.port}", "--client",
                    client_spki)


def CUSTOMERS():
    """Every name leads to WEB; below six. only by IPv6, below both. by either."""
    return Zone("example.com", f"@ A {WEB}\n* A {WEB}\n*.six AAAA {WEB6}\n*.both A {WEB}\n*.both AAAA {WEB6}\n"
                "@ CAA 0 issue \"ca.example.org\"\n", update=True)


def PLAIN():
    return Zone("example.org", f"@ A {WEB}\n* A {WEB}\n", sign=None, update=True)


__all__ = ["HOSTER", "LINTEL", "REGISTRY", "TSIG", "WEB", "WEB6", "Internet", "NameServer", "Zone", "presigned",
           "usable"]

"""What it costs to count who asks for renewal information: a family, so many certificates, each asked for over keep-alive
connections; printed are questions a second and the processor time of gateways, notaries and registrar for each.

usage: polls.py LINTEL [CERTIFICATES] [ROUNDS]
"""
import base64
import http.client
import os
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("LINTEL_BIN", sys.argv[1])
from conftest import Ca, free_port, program_of, wait_for  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
THREADS = 8


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def processor_ms(ca):
    spent = {}
    children = Path(f"/proc/{ca.process.pid}/task/{ca.process.pid}/children").read_text().split()
    for pid in children:
        role = Path(program_of(int(pid))).name.removeprefix("lintel-")
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        spent[role] = spent.get(role, 0) + (int(fields[11]) + int(fields[12])) * 1000 / TICKS
    return spent


def ask(ca, paths):
    context = ssl.create_default_context(cafile=str(ca.root))
    connection = http.client.HTTPSConnection("localhost", urlsplit(ca.url).port, context=context)
    for path in paths:
        connection.request("GET", path, headers={"User-Agent": "lego-cli/4.14.2 (bench)"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, (answer.status, path)


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        folder.chmod(0o755)
        ca = Ca(folder, None, free_port())
        made = folder / "made"
        subprocess.run([sys.argv[1], "bench", "inventory", "--certificates", str(count), "--folder", str(made), "--keep",
                        "--load-only", "--no-evidence"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ca.folder = made
        text = (made / "lintel.yaml").read_text()
        ports = {"14000": ca.https_port, "14080": ca.http_port, "14001": ca.operator_port}
        for old, new in ports.items():
            text = text.replace(old, str(new))
        (made / "lintel.yaml").write_text(text)
        ca.root = made / "ca" / "root.pem"
        ca.start()
        try:
            with sqlite3.connect(f"file:{made}/book/lintel.db?mode=ro", uri=True) as book:
                (key,) = {row[0] for row in book.execute("SELECT hex(certificate) FROM issuer WHERE name = 'tls'")}
                serials = [row[0] for row in book.execute("SELECT c.serial FROM certificate c JOIN issuer i ON i.id = c.issuer "
                                                        "WHERE i.name = 'tls' AND c.not_after_us > ? LIMIT ?", (time.time_ns() // 1000, count))]
            from cryptography import x509
            issuer = x509.load_der_x509_certificate(bytes.fromhex(key))
            key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
            paths = [f"/acme/renewal-info/{b64(key_id)}.{b64((b'' if s[0] < 128 else bytes(1)) + s)}" for s in serials]
            wait_for("the map", lambda: ready(ca, paths[-1]), 60)
            before, begun = processor_ms(ca), time.monotonic()
            for _ in range(rounds):
                threads = [threading.Thread(target=ask, args=(ca, paths[i::THREADS])) for i in range(THREADS)]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join()
            took = time.monotonic() - begun
            asked = len(paths) * rounds
            wait_for("the counts", lambda: polls(made) >= asked, 60)
            after = processor_ms(ca)
            print(f"{asked} questions for {len(paths)} certificates in {took:.1f} s, {asked / took:.0f} a second")
            for role in ("gateway", "notary", "registrar"):
                print(f"  {role:10} {(after[role] - before[role]) * 1000 / asked:.1f} us of processor each")
        finally:
            ca.stop()


def ready(ca, path):
    try:
        ask(ca, [path])
        return True
    except (AssertionError, OSError):
        return False


def polls(folder):
    with sqlite3.connect(f"file:{folder}/book/lintel.db?mode=ro", uri=True) as book:
        return book.execute("SELECT coalesce(sum(polls), 0) FROM certificate_poll").fetchone()[0]


if __name__ == "__main__":
    main()

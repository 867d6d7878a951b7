"""Remote perspectives for end-to-end tests: `lintel perspective serve` on loopback, each with a DNS view of its own."""
import base64
import json
import signal
import socket
import ssl
import subprocess


from conftest import LINTEL, free_port, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# Far enough from each other.
PLACES = [("RIPE", 52.4, 4.9), ("ARIN", 45.5, -122.7), ("APNIC", 35.7, 139.7), ("LACNIC", -23.5, -46.6),
          ("AFRINIC", -33.9, 18.4), ("ARIN", 40.7, -74.0)]


def spki(key):
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


class Perspective:
    def __init__(self, folder, index, dns_port, http01_port, client_spki, address="127.0.0.1", namespace=None):
        self.prefix = ["ip", "netns", "exec", namespace] if namespace else []
        resolver = f"127.0.0.1@{dns_port}" if isinstance(dns_port, int) else dns_port
        self.name = f"view-{index}"
        self.folder = folder / self.name
        self.port = free_port()
        self.log = folder / f"{self.name}.log"
        self.process = None
        rir, latitude, longitude = PLACES[index]
        self.lintel("init", self.folder, "--name", self.name, "--url", f"https://{address}:{self.port}", "--rir", rir,
                    "--latitude", latitude, f"--longitude={longitude}", "--listen", f"{address}:{self.port}", "--client",
                    client_spki, "--resolver", resolver, "--validation-port", http01_port,
                    "--allow-private")

    def lintel(self, verb, *args, check=True):
        result = subprocess.run([str(LINTEL), "perspective", verb, *map(str, args)], capture_output=True, text=True,
                                timeout=30)
        if check:
            assert result.returncode == 0, result.stdout + result.stderr
        return result

    def describe(self):
        return json.loads(self.lintel("describe", self.folder).stdout)

    def listening(self):
        assert self.process.poll() is None, self.log.read_text()
        return self.log.read_text().count("perspective answers") > self.starts

    def start(self):
        self.starts = self.log.read_text().count("perspective answers") if self.log.exists() else 0
        self.process = subprocess.Popen([*self.prefix, str(LINTEL), "perspective", "serve", str(self.folder), "--log", "text"],
                                        stderr=open(self.log, "a"), stdout=subprocess.DEVNULL)
        wait_for("the perspective", self.listening)
        return self

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(10) == 0, self.log.read_text()
            self.process = None


class Courier:
    """A client as the courier is one: TLS 1.3 with a certificate for its key, by OpenSSL."""

    def __init__(self, folder, name="courier"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "courier")])
        from datetime import datetime, timedelta
        now = datetime(2026, 1, 1)
        cert = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(
            self.key.public_key()).serial_number(1).not_valid_before(now).not_valid_after(
                now + timedelta(days=36500)).sign(self.key, hashes.SHA256())
        self.pem = folder / f"{name}.pem"
        self.pem.write_bytes(
            self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                   serialization.NoEncryption()) + cert.public_bytes(serialization.Encoding.PEM))
        self.spki = spki(self.key)

    def connect(self, port, show=True, version=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = version
        if show:
            context.load_cert_chain(self.pem)
        raw = socket.create_connection(("127.0.0.1", port), timeout=20)
        return context.wrap_socket(raw)

    def post(self, port, body, path="/v1/validate", method="POST", **kw):
        """Status and body; None where the other side ended the connection."""
        try:
            with self.connect(port, **kw) as s:
                s.sendall(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/protobuf\r\n"
                          f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
                answer = b""
                while part := s.recv(65536):
                    answer += part
        except (ssl.SSLError, ConnectionError):
            return None
        head, _, rest = answer.partition(b"\r\n\r\n")
        return (int(head.split()[1]), rest) if head else None

"""A real Postfix on loopback: takes mail on a port of its own, puts it into one folder, and refuses mailboxes that it
does not have."""
import email
import email.policy
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from conftest import free_port, wait_for

DAEMONS = Path("/usr/lib/postfix/sbin")


def missing():
    """Why there can be none here, or an empty string."""
    if not (DAEMONS / "master").exists():
        return "postfix is not installed"
    return "" if os.getuid() == 0 else "postfix needs root"


class Postfix:
    """boxes: local parts that exist; "later" among the refused is put off instead. All in one maildir."""

    def __init__(self, folder, domains=("example.com", "example.org"), boxes=("hostmaster", "admin", "security"),
                 tls=False):
        self.folder = folder
        self.port = free_port()
        self.tls_port = free_port()  # of smtps, where there is TLS at all
        self.box = folder / "boxes" / "all"
        self.running = False
        for part in ("conf", "spool", "data", "boxes"):
            (folder / part).mkdir(parents=True)
        for part in (folder, folder / "conf", folder / "boxes"):
            part.chmod(0o755)
        nobody = pwd.getpwnam("nobody")
        os.chown(folder / "boxes", nobody.pw_uid, nobody.pw_gid)
        os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
        self.write_conf(domains, boxes, nobody)
        if tls:
            self.add_tls()
        self.start()

    def write_conf(self, domains, boxes, nobody):
        conf = self.folder / "conf"
        (conf / "boxes").write_text(f"/^({'|'.join(boxes)})@/ all/\n/^later@/ all/\n")
        (conf / "access").write_text("/^later@/ 450 4.2.1 the box is being moved\n")
        (conf / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {self.folder}/spool
data_directory = {self.folder}/data
daemon_directory = {DAEMONS}
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.net
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
transport_retry_time = 1s
service_throttle_time = 1s
smtpd_recipient_restrictions = check_recipient_access regexp:{conf}/access, permit_mynetworks, reject
virtual_mailbox_domains = {', '.join(domains)}
virtual_mailbox_base = {self.folder}/boxes
virtual_mailbox_maps = regexp:{conf}/boxes
virtual_uid_maps = static:{nobody.pw_uid}
virtual_gid_maps = static:{nobody.pw_gid}
virtual_alias_maps =
alias_maps =
local_recipient_maps =
maillog_file = {self.folder}/mail.log
maillog_file_prefixes = {self.folder}
""")
        (conf / "master.cf").write_text(f"""
127.0.0.1:{self.port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 5 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
smtp unix - - n - - smtp
postlog unix-dgram n - n - 1 postlogd
""")

    def add_tls(self):
        """STARTTLS on one port and TLS from the first byte on another, with a certificate that nobody trusts."""
        conf = self.folder / "conf"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "30", "-subj", "/CN=mail.example.net", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                        conf / "key.pem", "-out", conf / "cert.pem"], check=True, capture_output=True)
        with (conf / "main.cf").open("a") as f:
            f.write(f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {conf}/cert.pem\n"
                    f"smtpd_tls_key_file = {conf}/key.pem\nsmtpd_tls_received_header = yes\n")
        with (conf / "master.cf").open("a") as f:
            f.write("tlsmgr unix - - n 1000? 1 tlsmgr\n"
                    f"127.0.0.1:{self.tls_port} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n")

    def control(self, word):
        return subprocess.run(["postfix", "-c", self.folder / "conf", word], capture_output=True, text=True)

    def start(self):
        for _ in range(3):  # it gives up by itself where its master is not ready within ten seconds
            result = self.control("start")
            if result.returncode == 0:
                break
        self.running = True
        assert result.returncode == 0, result.stderr + result.stdout
        wait_for("postfix", lambda: subprocess.run(["bash", "-c", f"</dev/tcp/127.0.0.1/{self.port}"],
                                                   stderr=subprocess.DEVNULL).returncode == 0)

    def pause(self):
        self.control("stop")
        self.running = False

    def letters(self, to=None):
        """What has arrived, oldest first, taken apart."""
        files = sorted((self.box / "new").glob("*"), key=lambda f: f.stat().st_mtime_ns) if self.box.exists() else []
        read = [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in files]
        return [m for m in read if to is None or m["To"] == to]

    def raw(self):
        files = sorted((self.box / "new").glob("*"), key=lambda f: f.stat().st_mtime_ns)
        return [f.read_bytes() for f in files]

    def log(self):
        path = self.folder / "mail.log"
        return path.read_text() if path.exists() else ""

    def stop(self):
        if self.running:
            self.pause()
        shutil.rmtree(self.folder / "spool", ignore_errors=True)

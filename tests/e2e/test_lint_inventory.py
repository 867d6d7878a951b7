"""The inventory judged again: the same rules find the same, a sample can be drawn again, findings become events.
And POST /api/v1/lint, which judges what an operator hands in."""
import base64
import http.client
import json
import re
import socket

import pytest
from acmeclient import Client
from conftest import Ca, Webroot, wait_for
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


@pytest.fixture(scope="module")
def stocked(tmp_path_factory, dns):
    """A family with 40 certificates of two profiles."""
    from conftest import free_port
    folder = tmp_path_factory.mktemp("stocked")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    ca = Ca(folder, dns.port, free_port())
    ca.start()
    root = Webroot(folder / "webroot", ca.http01_port)
    client = Client(ca.directory, ca.root, root.challenges)
    client.register()
    ca.chains = [client.issue(f"inv{i}.example.com", **({"profile": "tls-server-short"} if i % 2 else {}))
                 for i in range(40)]
    yield ca
    ca.stop()
    root.stop()


def lines(ca, *args, code=0):
    done = ca.lintel("lint", "--inventory", "--json", *args, check=False, timeout=120)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return rows[:-1], rows[-1]["summary"]


def test_no_difference(stocked):
    different, totals = lines(stocked)
    assert different == [] and totals["differing"] == 0 and totals["failing"] == 0, different
    assert totals["judged"] == totals["total"] >= 42  # and those of the gateways
    assert re.fullmatch(r"lintel-[\d-]+\+[0-9a-f]{12}", totals["rule_set"])
    text = stocked.lintel("lint", "--inventory").stdout
    assert "0 differ" in text and totals["rule_set"] in text


def test_cert_show_names_the_rules(stocked):
    _, totals = lines(stocked)
    rows = stocked.json("cert", "list")["certificates"]
    assert all(stocked.json("cert", "show", r["serial"])["rule_set"] == totals["rule_set"] for r in rows[:5])
    assert totals["rule_set"] in stocked.lintel("cert", "show", rows[0]["serial"]).stdout


def test_of_one_profile_and_since(stocked):
    _, short = lines(stocked, "--of", "tls-server-short")
    assert short["judged"] == 20
    _, none = lines(stocked, "--since", "2099-01-01")
    assert none["total"] == 0 and none["judged"] == 0
    _, all_of_them = lines(stocked, "--since", "2020-01-01T00:00:00Z")
    assert all_of_them["judged"] == all_of_them["total"]


@pytest.mark.parametrize("share,least", [("3%", 2), ("10%", 4), ("50%", 21), ("100%", 42), ("0.5%", 1)])
def test_a_sample_is_never_too_small(stocked, share, least):
    _, totals = lines(stocked, "--sample", share)
    assert totals["judged"] >= least and totals["judged"] >= totals["total"] * float(share[:-1]) / 100
    if share != "100%":
        assert totals["judged"] < totals["total"]


def test_a_seed_draws_the_same_again(stocked):
    wanted = ["--at", "2035-01-01", "--sample", "50%"]

    def drawn(seed):
        done = stocked.lintel("lint", "--inventory", "--json", *wanted, "--seed", seed, check=False)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return [r["serial"] for r in rows[:-1]], rows[-1]["summary"]

    one, summary = drawn("c0ffee")
    again, _ = drawn("c0ffee")
    assert one == again and summary["seed"] == "c0ffee"
    assert one, "rules of 2035 find 90 days too long, so that a drawn one is seen"
    assert any(drawn(f"{i:x}")[0] != one for i in range(1, 6))


def test_rules_of_another_day(stocked):
    """From 2029-03-15 on 47 days are the most."""
    done = stocked.lintel("lint", "--inventory", "--json", "--of", "tls-server", "--at", "2030-01-01", check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and len(rows) == 21, done.stdout[:2000]
    assert all(any(f["result"] == "error" for f in r["new"]) for r in rows[:-1])
    assert rows[-1]["summary"]["failing"] == 20


def test_record(stocked):
    args = ("--of", "tls-server", "--at", "2030-01-01", "--record", "--sample", "25%", "--seed", "12ab")
    dry = stocked.lintel("lint", "--inventory", *args, check=False).stdout
    assert "would record" in dry and "--yes" in dry
    assert stocked.json("event", "list", "--kind", "lint.audit")["events"] == []
    done = stocked.lintel("lint", "--inventory", *args, "--yes", check=False)
    assert done.returncode == 1 and "recorded as lint " in done.stdout, done
    audits = stocked.json("event", "list", "--kind", "lint.audit")["events"]
    last = max(audits, key=lambda e: e["body"]["part"])["body"]
    assert (last["seed"], last["sample"], last["operator"], last["judged"]) == ("12ab", "25%", "admin", 5), last
    assert last["at"].startswith("2030-01-01")
    found = stocked.json("event", "list", "--kind", "lint.finding")["events"]
    assert len(found) == 5 and all(e["subject"].startswith("certificate tls ") for e in found)
    assert all(f["rule"] and f["result"] for e in found for f in e["body"]["findings"])
    stocked.lintel("audit", "verify", timeout=120)


def test_who_may_record(stocked):
    stocked.lintel("operator", "add", "vera", "--role", "viewer")
    done = stocked.lintel("lint", "--inventory", "--record", "--yes", "--operator", "vera", check=False)
    assert done.returncode not in (0, 1) and "role" in done.stderr, done


@pytest.mark.parametrize("args,words", [
    (("--sample", "0%"), "--sample"), (("--sample", "101%"), "--sample"), (("--sample", "some"), "--sample"),
    (("--since", "yesterday"), "--since"), (("--at", "2026"), "--at"), (("--of", "tls-servr"), "--of"),
    (("--seed", "XYZ", "--sample", "3%"), "--seed"),
])
def test_what_is_refused(stocked, args, words):
    done = stocked.lintel("lint", "--inventory", *args, check=False)
    assert done.returncode == 2 and words in done.stderr, done


# POST /api/v1/lint

class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


def post(ca, body, kind="application/octet-stream"):
    connection = Unix(ca.folder / "run" / "api.sock")
    connection.request("POST", "/api/v1/lint", body, {"Content-Type": kind})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.fixture(scope="module")
def leaf(stocked):
    return stocked.chains[0].split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"


def test_api_takes_what_the_cli_takes(stocked, leaf, tmp_path):
    der = x509.load_pem_x509_certificate(leaf.encode()).public_bytes(Encoding.DER)
    file = tmp_path / "leaf.pem"
    file.write_text(leaf)
    cli = json.loads(stocked.lintel("lint", "--format", "json", file, check=False).stdout)
    for body in (leaf, der, base64.b64encode(der), base64.encodebytes(der)):
        status, answer = post(stocked, body)
        assert status == 200, answer
        assert {k: answer[k] for k in ("worst", "findings")} == {k: cli[k] for k in ("worst", "findings")}
        assert answer["rule_set"].startswith("lintel-")


def test_api_with_words(stocked, leaf, tmp_path):
    issuer = (stocked.folder / "ca" / "tls.pem").read_text()
    status, answer = post(stocked, json.dumps({"object": leaf, "kind": "certificate", "role": "subscriber",
                                               "profile": "tls-ov", "issuer": issuer}), "application/json")
    assert status == 200 and answer["worst"] == "error", answer
    status, answer = post(stocked, json.dumps({"object": leaf, "profile": "tls-dv", "issuer": issuer}), "application/json")
    assert status == 200 and answer["worst"] in ("pass", "notice", "warn"), answer
    other = (stocked.folder / "ca" / "workload.pem").read_text()
    status, answer = post(stocked, json.dumps({"object": leaf, "issuer": other}), "application/json")
    assert status == 200 and answer["worst"] == "error", answer


def test_api_judges_crls(stocked, tmp_path):
    path = stocked.folder / "public" / "crl" / "tls.crl"
    wait_for("the CRL", path.exists)
    crl = path.read_bytes()
    status, answer = post(stocked, crl)
    assert status == 200 and answer["worst"] in ("pass", "notice", "warn"), answer
    tbs = x509.load_der_x509_crl(crl).tbs_certlist_bytes
    status, answer = post(stocked, json.dumps({"object": base64.b64encode(tbs).decode(), "tbs": True}), "application/json")
    assert status == 200 and answer["worst"] in ("pass", "notice", "warn"), "a bare TBSCertList is no certificate"
    (tmp_path / "cut.crl").write_bytes(crl[:-20])
    cli = json.loads(stocked.lintel("lint", "--format", "json", tmp_path / "cut.crl", check=False).stdout)
    status, answer = post(stocked, crl[:-20])
    assert status == 200 and answer["findings"] == cli["findings"], "cut short, it is a CRL all the same"


def test_api_takes_a_day_and_a_crossed_certificate(stocked, leaf):
    tls = (stocked.folder / "ca" / "tls.pem").read_text()
    for at, status in (("2026-11-21", 200), ("2026-11-21T00:00:00Z", 200), ("2026-02-30", 400), ("soon", 400)):
        assert post(stocked, json.dumps({"object": leaf, "at": at}), "application/json")[0] == status, at
    other = (stocked.folder / "ca" / "workload.pem").read_text()
    for crossed, found in ((tls, False), (other, True)):
        status, answer = post(stocked, json.dumps({"object": tls, "crossed": crossed}), "application/json")
        assert status == 200
        assert ("lintel_issuance_cross_key" in {f["rule"] for f in answer["findings"]}) == found


@pytest.mark.parametrize("body,kind,status", [
    (b"", "application/octet-stream", 400), (b"!!!", "application/octet-stream", 400),
    (b"{}", "application/json", 400), (b"[]", "application/json", 400), (b"{", "application/json", 400),
    (b'{"object":"MAA=","profile":"tls-xx"}', "application/json", 400),
    (b'{"object":"MAA=","what":"x"}', "application/json", 400),
    (b"A" * 70000, "application/octet-stream", 413),
])
def test_api_refuses(stocked, body, kind, status):
    got, answer = post(stocked, body, kind)
    assert got == status, answer


@pytest.mark.parametrize("body", [b"\x30\x00", b"\x30\x80" + b"\x00" * 50, b"\x30\x82\xff\xff" + b"\x30" * 1000])
def test_api_judges_nonsense(stocked, body):
    """What no parser takes has findings, and the reader lives on."""
    status, answer = post(stocked, body)
    assert status == 200 and answer["findings"], answer
    assert answer["worst"] in ("error", "fatal")
    stocked.lintel("status")

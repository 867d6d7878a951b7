"""lintel lint as a program: inputs of every encoding, its three formats, exit statuses, folders in bounded memory and
in order, and zlint's output byte by byte where a zlint can be had."""
import base64
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LINTEL, ROOT

CORPUS = Path(os.environ.get("LINTEL_CORPUS", ROOT.parent / "shared" / "corpus")) / "lint"
ZLINT_MODULE = "github.com/zmap/zlint/v3/cmd/zlint@v3.7.1"  # LINTEL_ZLINT may name a newer one
MENDED = ["e_cert_policy_ov_requires_country", "e_cabf_ecc_allowed_key_usages"]  # judged otherwise since that release
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
GOOD = CORPUS / "probes" / "base" / "dv.pem"
BAD = CORPUS / "zlint" / "39months.pem"


def lint(*args, **kw):
    kw.setdefault("timeout", 300)
    kw.setdefault("text", True)
    return subprocess.run([LINTEL, "lint", *map(str, args)], capture_output=True, **kw)


def der_of(path):
    body = re.search(r"-----BEGIN [^-]+-----(.*?)-----END", path.read_text(), re.S)[1]
    return base64.b64decode(body)


def pem_of(path):
    """Without the text around it."""
    return re.search(rb"-----BEGIN .*?-----END [^-]+-----\n?", path.read_bytes(), re.S)[0].decode()


def objects(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def rules():
    return {r["rule"]: r for r in json.loads(lint("--list", "--json").stdout)["rules"]}


# Inputs

def test_every_encoding_of_the_same_certificate_gives_the_same_findings(tmp_path):
    der = der_of(BAD)
    (tmp_path / "a.der").write_bytes(der)
    (tmp_path / "a.b64").write_text(base64.encodebytes(der).decode())
    (tmp_path / "a.txt").write_text("a certificate:\n\n" + BAD.read_text() + "\nthat was it\n")
    (tmp_path / "crlf.pem").write_bytes(BAD.read_bytes().replace(b"\n", b"\r\n"))
    expected = objects(lint("--format", "json", BAD))[0]["findings"]
    assert expected
    for name in ("a.der", "a.b64", "a.txt", "crlf.pem"):
        assert objects(lint("--format", "json", tmp_path / name))[0]["findings"] == expected, name
    assert objects(lint("--format", "json", "-", input=BAD.read_text()))[0] == \
        {"file": "-", "worst": "error", "findings": expected}
    assert objects(lint("--json", input=BAD.read_text()))[0]["file"] == "-"


def test_a_bundle_is_all_of_its_objects(tmp_path):
    bundle = tmp_path / "bundle.pem"
    crl = next(p for p in sorted((CORPUS / "zlint").glob("*.pem")) if b"BEGIN X509 CRL" in p.read_bytes())
    key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"
    bundle.write_text(GOOD.read_text() + key + pem_of(crl) + BAD.read_text())
    got = objects(lint("--format", "json", bundle))
    assert [o["file"] for o in got] == [f"{bundle}#{n}" for n in (1, 2, 3)]
    assert got[2]["findings"] == objects(lint("--format", "json", BAD))[0]["findings"]
    assert len(lint("--format", "zlint", bundle).stdout.splitlines()) == 1, "zlint judges the first"


def test_a_malformed_certificate_has_findings(tmp_path):
    der = bytearray(der_of(GOOD))
    at = der.index(b"\x17\x0d")  # the first UTCTime
    der[at + 2:at + 4] = b"xx"
    (tmp_path / "broken.der").write_bytes(der)
    result = lint("--format", "json", tmp_path / "broken.der")
    assert result.returncode == 1, result.stderr
    assert any(f["source"] == "X690" for f in objects(result)[0]["findings"])
    cut = tmp_path / "cut.der"
    cut.write_bytes(bytes(der_of(GOOD)[:200]))
    assert lint("--format", "json", cut).returncode == 1
    zlint = lint("--format", "zlint", cut)
    assert zlint.stdout == "" and "cut.der" in zlint.stderr and zlint.returncode == 2


@pytest.mark.parametrize("content,why", [
    (b"", "empty"), (b"hello, world\n", "neither PEM, DER nor base64"),
    (b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "holds no certificate"),
    (b"-----BEGIN CERTIFICATE-----\n####\n-----END CERTIFICATE-----\n", "base64"),
    (b"\x30\x03\x02\x01\x00", "neither PEM, DER nor base64"),
])
def test_what_is_none_is_unreadable(tmp_path, content, why):
    file = tmp_path / "x"
    file.write_bytes(content)
    result = lint(file, GOOD)
    assert result.returncode == 2
    assert result.stderr.startswith(f"lintel lint: {file}: ") and why in result.stderr
    assert f"{GOOD}: " in result.stdout, "the others are judged all the same"
    error = json.loads(lint("--json", file).stderr)
    assert error["file"] == str(file) and error["detail"]


def test_the_kind_can_be_told():
    result = lint("--format", "json", "--kind", "crl", GOOD)
    assert result.returncode == 1 and objects(result)[0]["worst"] in ("error", "fatal")


def test_what_is_to_be_signed(tmp_path):
    der = der_of(GOOD)
    tbs = der[4:4 + 4 + int.from_bytes(der[6:8], "big")]
    (tmp_path / "tbs.der").write_bytes(tbs)
    result = lint("--tbs", "--format", "json", tmp_path / "tbs.der")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_bare_one_is_told_how(tmp_path):
    der = der_of(GOOD)
    (tmp_path / "tbs.der").write_bytes(der[4:4 + 4 + int.from_bytes(der[6:8], "big")])
    result = lint(tmp_path / "tbs.der")
    assert result.returncode == 2 and "--tbs" in result.stderr


def test_complaints_about_one_file_are_bounded(tmp_path):
    file = tmp_path / "x.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\n####\n-----END CERTIFICATE-----\n" * 1000 + GOOD.read_text())
    result = lint("--json", file)
    errors = [json.loads(line) for line in result.stderr.splitlines()]
    assert len(errors) == 21 and errors[-1]["detail"] == "980 more blocks that cannot be read"
    assert result.returncode == 2 and len(objects(result)) == 1
    file.write_text("-----BEGIN CERTIFICATE-----\n" * 200000)
    assert len(lint(file, timeout=5).stderr.splitlines()) == 1


# Statuses and choices

def test_statuses(tmp_path):
    assert lint(GOOD).returncode == 0
    assert lint(BAD).returncode == 1
    assert lint(BAD, "--fail-on", "fatal").returncode == 0
    assert lint(GOOD, tmp_path / "nothing.pem").returncode == 2
    assert lint(BAD, tmp_path / "nothing.pem").returncode == 2
    assert lint(tmp_path).returncode == 0, "an empty folder holds nothing wrong"


@pytest.mark.parametrize("args,says", [
    (["--format", "xml"], "--format"), (["--role", "king"], "--role"), (["--at", "soon"], "--at"),
    (["--include", "e_nothing"], "e_nothing"), (["--exclude", "CABF"], "CABF"), (["--issuer", "/nonexistent"], "--issuer"),
    (["--config", "/nonexistent"], "--config"), (["--pretty"], "--pretty"), (["--jobs", "0"], "--jobs"),
    (["--include", "RFC6960", "--exclude", "RFC6960"], "no rule"), (["--crossed", "/nonexistent"], "--crossed"),
    (["--sample", "3%"], "--sample goes with --inventory"), (["--since", "2026-01-01"], "--since goes with --inventory"),
    (["--seed", "aa"], "--seed goes with"), (["--of", "tls"], "--of goes with"), (["--record"], "--record goes with"),
    (["--yes"], "--yes goes with"), (["--operator", "vera"], "--operator goes with"),
    (["--inventory", "--format", "zlint"], "--format does not go with --inventory"),
    (["--inventory", "--issuer", "x"], "--issuer does not go"), (["--inventory", "--list"], "--list does not go"),
    (["--inventory", "--jobs", "2"], "--jobs does not go"), (["--inventory", "--yes"], "--yes goes with --record"),
])
def test_usage(args, says):
    result = lint(*args, GOOD)
    assert result.returncode == 2 and result.stdout == ""
    assert says in result.stderr and result.stderr.startswith("lintel lint: ")


def test_json_is_a_format():
    result = lint("--json", "--format", "text", GOOD)
    assert result.returncode == 2 and json.loads(result.stderr)["error"] == "usage"


def test_rules_are_chosen():
    found = {f["rule"]: f["source"] for f in objects(lint("--json", BAD))[0]["findings"]}
    one = sorted(found)[0]
    only = objects(lint("--json", "--include", one, BAD))[0]
    assert {f["rule"] for f in only["findings"]} == {one}
    without = objects(lint("--json", "--exclude", f" {one} , ", "--exclude", one, BAD))[0]
    assert {f["rule"] for f in without["findings"]} == set(found) - {one}
    source = found[one]
    of_source = objects(lint("--json", "--include", source, BAD))[0]["findings"]
    assert of_source and {f["source"] for f in of_source} == {source}
    assert lint("--exclude", ",".join(sorted(found)), BAD).returncode == 0


def test_config_is_read_or_refused(tmp_path):
    config = tmp_path / "zlint.toml"
    config.write_text("[e_rsa_fermat_factorization]\nRounds = 5\n")
    assert lint("--config", config, GOOD).returncode == 0
    config.write_text("# mine\n[e_rsa_fermat_factorization]\nTurns = 5\n")
    result = lint("--config", config, GOOD)
    assert result.returncode == 2 and f"{config}:3: " in result.stderr and "Rounds" in result.stderr
    config.write_text("[e_rsa]\n")
    result = lint("--config", config, GOOD)
    assert f"{config}:1: " in result.stderr and "[CABFBaselineRequirementsConfig] CrossSignedCa" in result.stderr


def of_lintel(*args):
    return {f["rule"] for f in objects(lint("--json", "--include", "Lintel", *args))[0]["findings"]}


def test_what_only_an_issuer_knows():
    base = CORPUS / "probes" / "base"
    assert of_lintel(GOOD) == set(), "nothing to compare with"
    assert of_lintel("--issuer", base / "sub.pem", GOOD) == set()
    assert {"lintel_issuance_issuer_name", "lintel_issuance_signature"} <= of_lintel("--issuer", base / "root.pem", GOOD)
    assert of_lintel("--precert", base / "dvpre.pem", GOOD) == set()
    assert of_lintel("--precert", base / "ov.pem", GOOD) != set()
    assert "lintel_issuance_not_before" in of_lintel("--at", "2027-01-01", GOOD)
    assert "lintel_issuance_cross_subject" not in of_lintel("--crossed", base / "sub.pem", base / "sub.pem")
    assert "lintel_issuance_cross_subject" in of_lintel("--crossed", base / "root.pem", base / "sub.pem")
    assert lint("--role", "root", GOOD).returncode == 1 and lint("--role", "subscriber", GOOD).returncode == 0
    assert lint("--profile", "tls-ov", GOOD).returncode == 1, "no organization"


# Formats

def test_json_has_these_members():
    result = lint("--format", "json", BAD, GOOD)
    bad, good = objects(result)
    assert list(bad) == list(good) == ["file", "worst", "findings"]
    assert bad["file"] == str(BAD)
    known = rules()
    for f in bad["findings"]:
        assert list(f) == ["rule", "source", "result", "message", "path", "offset", "length", "asks",
                           "citation"]
        assert f["source"] == known[f["rule"]]["source"] and f["citation"] == known[f["rule"]]["citation"]
        assert f["result"] in ("notice", "warn", "error", "fatal") and f["message"]
        assert 0 <= f["offset"] <= f["offset"] + f["length"] <= len(der_of(BAD))
        assert f["asks"] == known[f["rule"]]["asks"]
    order = ["notice", "warn", "error", "fatal"]
    assert bad["worst"] == max((f["result"] for f in bad["findings"]), key=order.index)


def test_text_is_grouped_by_severity():
    result = lint(BAD)
    findings = objects(lint("--json", BAD))[0]["findings"]
    groups = re.findall(r"^  (\w+):$", result.stdout, re.M)
    words = ["fatal", "errors", "error", "warnings", "warning", "notices", "notice"]
    assert groups == sorted(groups, key=words.index)
    for f in findings:
        assert f"    {f['rule']}\n" in result.stdout and f["citation"] in result.stdout
        assert f"{f['path']}, offset {f['offset']}" in result.stdout
    assert "\033" not in result.stdout, "no colours but on a terminal"
    assert lint(BAD, "--exclude", ",".join({f["rule"] for f in findings})).stdout == f"{BAD}: clean\n"
    assert re.search(r"^2 objects in 2 files: ", lint(BAD, GOOD).stdout, re.M)


def test_a_name_cannot_drive_the_terminal(tmp_path):
    file = tmp_path / "a\033[31m\nb.pem"
    file.write_bytes(GOOD.read_bytes())
    assert lint(file).stdout.startswith(f"{tmp_path}/a\\x1b[31m\\x0ab.pem: ")
    assert objects(lint("--json", file))[0]["file"] == str(file)


def on_terminal(*args, output_too=True):
    """Status, and what a terminal got: standard error, and standard output unless that goes elsewhere."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([LINTEL, "lint", *map(str, args)], stdout=follower if output_too else subprocess.DEVNULL,
                               stderr=follower, stdin=subprocess.DEVNULL,
                               env={k: v for k, v in os.environ.items() if k != "NO_COLOR"})
    os.close(follower)
    said = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        said += part
    os.close(leader)
    return process.wait(), said.decode()


def test_colours_are_for_terminals():
    status, said = on_terminal(BAD)
    assert status == 1 and "\033[31merror" in said
    assert "\033[32mclean" in on_terminal("--include", "Lintel", GOOD)[1]


def test_a_bar_is_for_terminals(thousands):
    folder, names = thousands
    total = 3 * len(names)
    status, said = on_terminal("--jobs", "1", *[folder] * 3, output_too=False)
    bars = re.findall(r"\r\033\[K\[(#*)(-*)\] (\d+) of (\d+) files, \d+/s, \d+ s left, \d+ failed", said)
    assert status == 1 and bars
    assert {int(b[3]) for b in bars} == {total} and {len(b[0]) + len(b[1]) for b in bars} == {30}
    done = [int(b[2]) for b in bars]
    assert done == sorted(done) and done[-1] <= total
    assert said.endswith("\r\033[K"), "nothing of it stays"
    assert lint("--jobs", "1", folder / "00").stderr == ""


def test_the_list_says_all():
    document = json.loads(lint("--list", "--json").stdout)
    assert document["rule_set"]
    assert len({r["rule"] for r in document["rules"]}) == len(document["rules"])
    for r in document["rules"]:
        assert list(r) == ["rule", "source", "citation", "formerly", "level", "effective", "retired", "kinds", "zlint",
                           "asks"]
        assert r["level"] in ("notice", "warn", "error", "fatal"), r
        assert r["asks"] and not r["asks"].endswith("."), r
        assert r["citation"] and r["kinds"], r
        assert r["effective"] is None or re.fullmatch(r"\d{4}-\d\d-\d\d", r["effective"])
    text = lint("--list").stdout
    assert all(f"{r['rule']}\n" in text for r in document["rules"])
    few = json.loads(lint("--list", "--json", "--include", "CABF_EV", "--kind", "certificate").stdout)["rules"]
    assert {r["source"] for r in few} == {"CABF_EV"}


# Folders

@pytest.fixture(scope="module")
def thousands(tmp_path_factory):
    """6,000 files in nested folders: certificates of the corpus again and again."""
    folder = tmp_path_factory.mktemp("many")
    some = sorted((CORPUS / "zlint").glob("*.pem"))[:300] + sorted((CORPUS / "real").rglob("*.pem"))[:100]
    for n in range(15):
        below = folder / f"{n:02}" / "deeper"
        below.mkdir(parents=True)
        for i, path in enumerate(some):
            shutil.copyfile(path, below / f"{i:04}.pem")
    (folder / ".hidden").write_text("passed over")
    (folder / "00" / "link").symlink_to(folder)
    return folder, [f"{folder}/{n:02}/deeper/{i:04}.pem" for n in range(15) for i in range(len(some))]


# A process begins with the peak of the one that it was forked from, so a small one stands between.
MEASURE = """import os, subprocess, sys
p = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(os.wait4(p.pid, 0)[2].ru_maxrss)"""


def peak_kib(*args):
    command = [sys.executable, "-S", "-c", MEASURE, LINTEL, "lint", *map(str, args)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout)


def test_a_folder_comes_out_in_order(thousands):
    folder, names = thousands
    result = lint("--json", "--jobs", "4", folder)
    files = [re.sub(r"#\d+$", "", o["file"]) for o in objects(result)]
    assert list(dict.fromkeys(files)) == names
    assert result.stdout == lint("--json", "--jobs", "1", folder).stdout


@pytest.mark.parametrize("form", ["text", "json", "zlint"])
def test_memory_does_not_grow_with_the_files(thousands, form):
    folder, _ = thousands
    few = peak_kib("--jobs", "4", "--format", form, folder / "01", folder / "02")
    many = peak_kib("--jobs", "4", "--format", form, folder, folder, folder)
    assert many < few + 8 * 1024, (few, many)
    assert many < 64 * 1024


def test_more_words_than_a_plan_has():
    result = lint(*[GOOD] * 200, "--json")
    assert result.returncode == 0 and len(objects(result)) == 200


def test_a_reader_that_leaves_is_no_complaint(thousands):
    folder, _ = thousands
    out = subprocess.run(f"{LINTEL} lint --format zlint {folder} | head -c 10", shell=True, capture_output=True, timeout=60)
    assert out.stderr == b""


# In place of zlint

@pytest.fixture(scope="session")
def zlint(tmp_path_factory):
    given = os.environ.get("LINTEL_ZLINT")
    if given:
        return given
    if shutil.which("go") is None:
        pytest.skip("no zlint: LINTEL_ZLINT names none and there is no go to install it with")
    folder = tmp_path_factory.mktemp("zlint")
    made = subprocess.run(["go", "install", ZLINT_MODULE], env={**os.environ, "GOBIN": str(folder)}, capture_output=True,
                          text=True, timeout=900)
    if made.returncode != 0:
        pytest.skip(f"no zlint: go install {ZLINT_MODULE} failed: {made.stderr[-200:]}")
    return str(folder / "zlint")


@pytest.fixture(scope="session")
def not_there(zlint):
    """Options that leave out what this zlint does not have yet."""
    out = subprocess.run([zlint, "-list-lints-json"], capture_output=True, text=True, timeout=60).stdout
    theirs = {json.loads(line)["name"] for line in out.splitlines() if line}
    newer = sorted(r["rule"] for r in rules().values() if r["zlint"] and r["rule"] not in theirs)
    assert len(theirs) > 400 and len(newer) < 20, newer
    return ["--exclude", ",".join([*newer, *MENDED])] if newer else []


def without_words(line):
    """The same bytes, but for the words of details; where they stand is compared."""
    return re.sub(r',"details":"(?:[^"\\]|\\.)*"', ',"details":""', line)


def without(line, rules):
    """The line without the members of these rules; unchanged, byte for byte, when it has none of them."""
    for rule in rules - {""}:
        line = re.sub(r'"%s":\{"result":"\w+"(,"details":"(?:[^"\\]|\\.)*")?\},?' % re.escape(rule), "", line)
    return line


def zlint_lines(zlint, files):
    """File by file what zlint prints; it gives up at the first that it cannot parse."""
    left, lines = list(files), {}
    while left:
        out = subprocess.run([zlint, *map(str, left)], capture_output=True, text=True, timeout=600).stdout.splitlines()
        lines.update(zip(left, out))
        left = left[len(out) + 1:]
    return lines


def explained():
    """Where zlint is wrong and we say so: (file, rule)."""
    lines = (ROOT / "tests" / "unit" / "lint" / "corpus" / "zlint-wrong.tsv").read_text().splitlines()
    return {tuple(line.split("\t")[:2]) for line in lines if "\t" in line}


def test_the_same_bytes_as_zlint(zlint, not_there):
    files = sorted(p for p in (CORPUS / "zlint").rglob("*") if p.is_file())
    theirs = zlint_lines(zlint, files)
    assert len(theirs) > 1200
    ours = {file: lint("--format", "zlint", *not_there, file).stdout.removesuffix("\n") for file in theirs}
    assert [file.name for file in theirs if not ours[file]] == []
    known, pairs, wrong = explained(), 0, {}
    left_out = set("".join(not_there[1:]).split(","))
    for file, line in theirs.items():
        line = without(line, left_out)
        a, b = json.loads(line), json.loads(ours[file])
        name = str(file.relative_to(CORPUS / "zlint"))
        pairs += len(a)
        if without_words(line) == without_words(ours[file]):
            continue
        assert list(a) == list(b), name
        differ = {r: (a[r]["result"], b[r]["result"]) for r in a if a[r]["result"] != b[r]["result"]}
        assert differ, f"{name}: the same verdicts in other bytes"
        for rule in list(differ):
            if (name, rule) in known or rule == "e_excessively backdated":  # that one asks the clock
                del differ[rule]
        if differ:
            wrong[name] = differ
    assert sum(map(len, wrong.values())) <= pairs // 2000, wrong
    assert len(wrong) <= len(theirs) // 100, wrong


def test_pretty_as_zlint(zlint, not_there):
    def strip(text):
        return re.sub(r',\n  "details": "(?:[^"\\]|\\.)*"', ',\n  "details": ""', text)

    flags = ["-excludeNames", ",".join(MENDED)] if not_there else []
    theirs = subprocess.run([zlint, "-pretty", *flags, BAD], capture_output=True, text=True).stdout
    assert strip(lint("--format", "zlint", "--pretty", *not_there, BAD).stdout) == strip(theirs)


@pytest.fixture
def called_zlint(tmp_path):
    link = tmp_path / "zlint"
    link.symlink_to(Path(LINTEL).resolve())

    def run(*args, **kw):
        return subprocess.run([link, *map(str, args)], capture_output=True, text=True, timeout=60, **kw)
    return run


@pytest.mark.parametrize("flags,ours", [
    ([], []), (["-pretty"], ["--pretty"]), (["--pretty=true", "-format", "pem"], ["--pretty"]),
    (["-pretty=false"], []), (["-format=der"], []),
    (["-includeSources", "RFC5280,CABF_EV"], ["--include", "RFC5280,CABF_EV"]),
    (["-includeNames=e_ext_san_missing"], ["--include", "e_ext_san_missing"]),
    (["-excludeSources", "Community", "-excludeNames", "e_ext_san_missing"],
     ["--exclude", "Community", "--exclude", "e_ext_san_missing"]),
])
def test_under_the_name_of_zlint(called_zlint, flags, ours):
    theirs = called_zlint(*flags, BAD)
    assert theirs.stdout == lint("--format", "zlint", *ours, BAD).stdout and theirs.stdout
    assert theirs.returncode == 0, "whatever is found"
    assert called_zlint(*flags, input=BAD.read_text()).stdout == theirs.stdout
    assert called_zlint(*flags, "--", BAD).stdout == theirs.stdout


def test_what_scripts_ask_of_zlint(called_zlint):
    listed = [json.loads(line) for line in called_zlint("-list-lints-json").stdout.splitlines()]
    assert {r["name"]: r["source"] for r in listed} == {r["rule"]: r["source"] for r in rules().values() if r["zlint"]}
    assert all(list(r) == ["name", "description", "citation", "source"] and all(r.values()) for r in listed)
    assert called_zlint("-version").stdout.startswith("ZLint version lintel-")
    assert "--format" in called_zlint("-h").stdout


def test_what_is_not_done_under_that_name(called_zlint, tmp_path):
    for flags in (["-nothing"], ["-nameFilter", "x"], ["-longSummary"], ["-config"],
                  ["-includeNames", "e_ext_san_missing", "-includeSources", "RFC5280"]):
        result = called_zlint(*flags, BAD)
        assert result.returncode == 1 and result.stdout == "" and flags[0].lstrip("-") in result.stderr
    assert called_zlint(tmp_path / "nothing").returncode == 1

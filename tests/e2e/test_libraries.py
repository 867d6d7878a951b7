"""Each process maps exactly the libraries of libraries.tsv: a parser that creeps into the signer fails here."""
import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import LINTEL, wait_for

TABLE = Path(__file__).with_name("libraries.tsv")


def allowed():
    rows = (line.split("\t") for line in TABLE.read_text().splitlines() if not line.startswith("#"))
    return {role: (set(libraries.split()), set(files.split()) - {"-"}) for role, libraries, files in rows}


def mapped(pid, role):
    libraries, files = set(), set()
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        parts = line.split(maxsplit=5)
        if len(parts) < 6 or not parts[5].startswith(("/", "memfd:")):
            continue
        name = os.path.basename(parts[5].removesuffix(" (deleted)"))
        library = re.match(r"(lib[\w+]+(?:-[a-z]+)?)(?:-[\d.]+)?\.so\b", name)
        if name == f"lintel-{role}" or name.startswith(("ld-linux", "libc.so")):
            continue
        if library:
            libraries.add(library[1])
        else:
            files.add(name.removeprefix("memfd:").removeprefix("lintel-"))
        if "w" in parts[1] and "x" in parts[1]:
            raise AssertionError(f"{role} has memory that is writable and executable: {line}")
    return libraries, files


@pytest.mark.skipif(os.getuid() != 0, reason="the maps of a process that is not dumpable are root's to read")
def test_only_the_libraries_of_the_table(ca):
    table = allowed()
    # Renewal information is mapped when the publisher has made it: before that the gateway has not all that it will have.
    wait_for("the maps", lambda: all({"base", "delta"} <= mapped(pid, "gateway")[1] for name, pid in ca.pids().items()
                                     if name.startswith("gateway")))
    wrong = []
    for name, pid in ca.pids().items():
        role = name.split("-")[0]
        libraries, files = mapped(pid, role)
        if libraries != table[role][0]:
            wrong.append(f"{name}: too many {sorted(libraries - table[role][0])}, too few {sorted(table[role][0] - libraries)}")
        if not files <= table[role][1]:
            wrong.append(f"{name}: maps {sorted(files - table[role][1])}")
    assert not wrong, "\n".join(wrong)


def test_the_command_line_maps_these():
    """While it waits for standard input: whatever verb it is, the program is the same."""
    process = subprocess.Popen([LINTEL, "lint", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)

    def reads():
        """Asleep in a call about descriptor 0: on its way there it may sleep as well."""
        at = Path(f"/proc/{process.pid}")
        return (at / "stat").read_text().split(") ")[1].startswith("S") and (at / "syscall").read_text().split()[1:2] == ["0x0"]

    wait_for("it to read", reads)
    libraries, files = mapped(process.pid, "")
    process.stdin.close()
    assert process.wait(10) == 2
    assert libraries == allowed()["lintel"][0] and files <= {LINTEL.name}


def test_the_signer_parses_nothing():
    libraries, _ = allowed()["signer"]
    assert libraries == {"libcrypto", "libprotobuf-c", "libseccomp"}

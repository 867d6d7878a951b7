"""The other half of losing.c: builds it, wraps registrar and signer with it, and takes back what was not synced."""
import os
import shutil
import struct
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORD = struct.Struct("<QqQQ")
WRAPPED = ("registrar", "signer")


def build(folder):
    library = folder / "losing.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-o", str(library), str(HERE / "losing.c"), "-ldl"], check=True)
    return library


def wrap(libexec, folder):
    """A libexec in which registrar and signer run with the forgetful disk; returns it and the log folder."""
    library = build(folder)
    logs = folder / "logs"
    logs.mkdir()
    logs.chmod(0o777)
    wrapped = folder / "libexec"
    shutil.copytree(libexec, wrapped, ignore=shutil.ignore_patterns("*.p"))
    for role in WRAPPED:
        script = wrapped / f"lintel-{role}"
        script.unlink()
        script.write_text(f"""#!/bin/sh
export LOSING_LOG={logs}/{role}.$$ LOSING_PATHS=book/:journal/:.seg LD_PRELOAD={library}
exec {libexec}/lintel-{role} "$@"
""")
        script.chmod(0o755)
    return wrapped, logs


def records(path):
    data = path.read_bytes()
    at = 0
    found = []
    while at + RECORD.size <= len(data):
        inode, offset, length, size = RECORD.unpack_from(data, at)
        at += RECORD.size
        if at + length > len(data):
            break  # torn: its write never happened
        found.append((inode, offset, size, data[at:at + length]))
        at += length
    return found


def cut_power(ca_folder, logs):
    """Every process is dead. Undo, newest first, all that followed the last sync of its file; returns bytes lost."""
    files = {p.stat().st_ino: p for folder in ("book", "journal", "evidence") for p in (ca_folder / folder).rglob("*") if p.is_file()}
    lost = 0
    for log in sorted(logs.iterdir()):
        found = records(log)
        last_sync = {}
        for i, (inode, offset, _, _) in enumerate(found):
            if offset == -1:
                last_sync[inode] = i
        for i in range(len(found) - 1, -1, -1):
            inode, offset, size, before = found[i]
            if offset == -1 or i < last_sync.get(inode, -1) or inode not in files:
                continue
            with open(files[inode], "r+b") as f:
                f.seek(0, os.SEEK_END)
                lost += max(0, f.tell() - size) + len(before)
                f.seek(offset)
                f.write(before)
                f.truncate(size)
        log.unlink()
    # The WAL index is memory, not disk: a power cut takes it whole.
    for shm in (ca_folder / "book").glob("*-shm"):
        shm.unlink()
    return lost

"""The worst day as README and ./run show it, with programs that were built here: every step of tools/worst-day."""
import os
import re
import socket
import subprocess
from pathlib import Path

from conftest import LINTEL, free_port

ROOT = Path(__file__).resolve().parents[2]


def is_free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def test_found_frozen_approved_revoked_and_fetched_back(tmp_path):
    port = next(p for p in (free_port() for _ in range(20)) if is_free(p + 1) and is_free(p + 80))
    result = subprocess.run([ROOT / "tools" / "worst-day", "--certificates", "4000"], capture_output=True, text=True, timeout=180,
                            env={**os.environ, "LINTEL_BIN": str(LINTEL), "LINTEL_WORST_DAY_DIR": str(tmp_path / "day"),
                                 "LINTEL_WORST_DAY_PORT": str(port)})
    out = result.stdout
    assert result.returncode == 0, out + result.stderr
    hit = int(re.search(r"\n(\d+)\n", out)[1])
    assert hit > 100
    assert f"saved as caa-rechecking, version 1: {hit} certificates" in out
    assert re.search(rf"revoked   {hit - 1}, 0 were already, 1 are held", out), out
    assert re.search(rf"128 parts with {hit - 1} entries were back", out)
    assert f"and both are the book: {hit - 1} entries" in out and "0 are not" in out
    assert "verify OK" in out
    assert "asked again: the same" in out and f"removed: {hit - 1}" in out

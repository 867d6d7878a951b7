"""Power cuts: the family dies at once and everything that was not synced is gone (a killed process alone keeps the
page cache, so plain kills prove no fsync). The proof of the test itself: with syncs that do nothing it must fail."""
import os
import random
import time

from acmeclient import Load
from conftest import LINTEL, Webroot, wait_for
from power import cut_power, wrap
from test_kills import alive, check_the_book, kill, nothing_is_stuck

CUTS = max(3, int(os.environ.get("LINTEL_KILLS", "20")) // 4)


def test_power_cuts(fresh_ca, tmp_path, monkeypatch, record_property):
    ca = fresh_ca
    libexec, logs = wrap(LINTEL.parent / "libexec", tmp_path)
    monkeypatch.setenv("LINTEL_LIBEXEC", str(libexec))
    seed = int(os.environ.get("LINTEL_SEED", time.time_ns() & 0xFFFFFFFF))
    print(f"seed {seed}, {CUTS} cuts")
    chance = random.Random(seed)
    webroot = Webroot(tmp_path / "webroot", ca.http01_port)
    ca.start()
    load = Load(ca.directory, ca.root, webroot.challenges).start()
    lost = 0
    try:
        wait_for("the first certificate", lambda: load.certificates, 30)
        for _ in range(CUTS):
            time.sleep(chance.uniform(0.3, 1.5))
            victims = ca.pids()
            for pid in victims.values():
                kill(pid)
            ca.process.wait()
            wait_for("all of them to end", lambda: not any(alive(p) for p in victims.values()), 10)
            lost += cut_power(ca.folder, logs)
            ca.start()
            before = len(load.certificates)
            wait_for("a certificate after the cut", lambda: len(load.certificates) > before, 60)
    finally:
        load.stop()
        webroot.stop()
    record_property("power cuts", CUTS)
    record_property("certificates held by clients", len(load.certificates))
    record_property("unsynced bytes thrown away", lost)
    assert lost > 0, "nothing was ever unsynced: the forgetful disk was not in place"
    wait_for("open work to end", lambda: nothing_is_stuck(ca), 60)
    check_the_book(ca, load)
    ca.stop()
    ca.lintel("audit", "verify", timeout=300)

#!/usr/bin/env python3
"""How soon the console's overview can be used: tests/bench/console_page.py [--certificates 3048289] [--folder DIR] [--visits 7]

A book of so many certificates (lintel bench inventory; --folder keeps it, or takes one that is there), its family, and Chromium with a passkey.
Each visit is a load of /console/: without a cache, as the first one, and with it. Told: milliseconds from the start of the navigation until the
figures of the book stand on the page and its buttons work, and bytes that went over the wire."""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from browser import FLAGS, console_of, playwright  # noqa: E402
from conftest import LINTEL, Ca, free_port  # noqa: E402

# The page is interactive when the overview's figures are drawn: its modules have run by then, so links, keys and menus work.
WATCH = """() => {
  const see = () => { if (!window.stood && document.querySelector('main .figure-value')) window.stood = performance.now(); };
  new MutationObserver(see).observe(document, { childList: true, subtree: true });
}"""


class Loaded(Ca):
    def __init__(self, folder, certificates):
        self.folder = folder
        self.https_port = free_port()
        if not (folder / "lintel.yaml").exists():
            subprocess.run([str(LINTEL), "bench", "inventory", "--certificates", str(certificates), "--no-evidence", "--folder", str(folder), "--keep",
                            "--load-only", "--port", str(self.https_port)], check=True)
        self.log = folder.parent / "serve.log"
        self.root = folder / "ca" / "root.pem"
        listen = [line.split()[-1].strip('"') for line in (folder / "lintel.yaml").read_text().splitlines() if line.startswith("  https:")][0]
        self.directory = f"https://localhost:{listen.rsplit(':', 1)[1]}/acme/directory"
        self.process = None


def visits(page, count, cached):
    cdp = page.context.new_cdp_session(page)
    cdp.send("Network.enable")
    cdp.send("Network.setCacheDisabled", {"cacheDisabled": not cached})
    wire = []
    cdp.on("Network.loadingFinished", lambda e: wire.append(e["encodedDataLength"]))
    times, sizes = [], []
    for _ in range(count):
        wire.clear()
        page.goto(f"{page.origin}/console/", wait_until="load")
        page.locator("main .figure-value").first.wait_for()
        times.append(page.evaluate("() => window.stood"))
        sizes.append(sum(wire))
    cdp.detach()
    return {"ms_min": round(min(times)), "ms_median": round(statistics.median(times)), "ms_max": round(max(times)), "bytes": round(statistics.median(sizes))}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--certificates", type=int, default=3048289)
    p.add_argument("--folder", type=Path)
    p.add_argument("--visits", type=int, default=7)
    args = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="lintel-page-") as temporary:
        Path(temporary).chmod(0o755)
        family = Loaded((args.folder or Path(temporary) / "ca").resolve(), args.certificates).start()
        try:
            with playwright().sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
                with console_of(browser, family, "admin") as page:
                    page.add_init_script(f"({WATCH})()")
                    counts = page.evaluate("() => fetch('/api/v1/overview').then((r) => r.json()).then((o) => o.counts)")
                    print(json.dumps({"counts": counts, "first": visits(page, args.visits, False), "again": visits(page, args.visits, True)}, indent=1))
                browser.close()
        finally:
            family.stop()


if __name__ == "__main__":
    main()

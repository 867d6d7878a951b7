"""Real Chromium for tests of pages: people with passkeys, strangers, screenshots in both themes and two sizes, and axe.

Playwright comes from PyPI by its exact version into build/venv-browser, axe by web/package-lock.json; where a registry is not reached, or there is
no Chromium, the tests that want them are skipped, and say so."""
import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLAYWRIGHT = "playwright==1.65.2"
VENV = Path(os.environ.get("LINTEL_BROWSER_VENV", ROOT / "build" / "venv-browser"))
SCREENS = Path(os.environ.get("LINTEL_SCREENS", ROOT / "build" / "screens"))
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync"]
AUTHENTICATOR = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
                 "automaticPresenceSimulation": True}
DESKTOP, PHONE = (1440, 900), (390, 844)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WAIT_MS = 20000


def tried(*command, **kw):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


@contextlib.contextmanager
def locked(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def playwright():
    """The module, from its venv; of our own Python, so that its wheel is the right one."""
    place = VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    with locked(VENV.with_suffix(".lock")):
        if not (place / "playwright").exists():
            made = tried(sys.executable, "-m", "venv", VENV)
            made = made if made.returncode else tried(VENV / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "--no-input", PLAYWRIGHT)
            if made.returncode != 0:
                pytest.skip(f"no {PLAYWRIGHT}: {made.stdout.strip()[-300:]}")
    if str(place) not in sys.path:
        sys.path.append(str(place))
    from playwright import sync_api
    return sync_api


@functools.cache
def axe():
    with locked(ROOT / "web" / ".build-lock"):
        if not AXE.exists():
            made = tried("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=ROOT / "web") if shutil.which("npm") else None
            if made is None or made.returncode != 0:
                pytest.skip(f"no axe-core: {made.stdout.strip()[-300:] if made else 'npm is not installed'}")
            shutil.copy(ROOT / "web" / "package-lock.json", ROOT / "web" / "node_modules" / ".installed-lock")  # tools/web-build need not
        return AXE.read_text()


@pytest.fixture(scope="module")
def chromium():
    """One browser for a file of tests."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed")
    axe()
    with playwright().sync_playwright() as p:
        browser = p.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def context_of(browser, **options):
    """A fresh profile with one page. What a page throws fails the test."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}, **options)
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        thrown = []
        page.on("pageerror", lambda e: thrown.append(str(e)))
        yield page
        assert not thrown, thrown
    finally:
        context.close()


@contextlib.contextmanager
def stranger(browser, script=True):
    """Somebody without an account. Public pages forbid every script, so axe needs that to be looked past; script=False: as who has switched it off."""
    with context_of(browser, ignore_https_errors=True, java_script_enabled=script, bypass_csp=script) as page:
        yield page


def enroll(page, link):
    """The operators' files are read again by a signal, which may still be on its way: the link is then tried once more."""
    end = time.monotonic() + WAIT_MS / 1000
    while True:
        page.goto(link)
        page.locator("#enroll").click()
        page.locator("#log-in, .failure").first.wait_for()
        if page.locator("#log-in").count():
            return
        assert time.monotonic() < end, page.locator(".failure").first.text_content()
        page.goto("about:blank")


@contextlib.contextmanager
def console_of(browser, family, who):
    """A page of the console for this operator, by the real link and the real log-in. page.origin: of the console."""
    with context_of(browser, accept_downloads=True) as page:
        cdp = page.context.new_cdp_session(page)
        cdp.send("WebAuthn.enable")
        cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        link = family.json("operator", "passkey", who)["link"]
        page.origin = link.split("/console")[0]
        enroll(page, link)
        page.locator("#log-in").click()
        page.wait_for_url("**/console/")
        yield page


def judged(page, name):
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": axe(), "allowUnsafeEvalBlockedByCSP": True})
    found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", RULES)["violations"]
    said = [f"{v['id']}: {v['help']}: " + "; ".join(n["html"][:160] for n in v["nodes"][:3]) for v in found]
    assert not said, f"{name}: axe\n" + "\n".join(said)
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert over <= 0, f"{name}: {over} pixels wider than its window"


def look(page, name):
    """Screenshots in both themes, for desktop and phone, into build/screens; axe has nothing to say, and nothing is wider than the window."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.evaluate("scrollTo(0, 0)")
    try:
        for size in (DESKTOP, PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.screenshot(path=SCREENS / f"{name}-{theme}-{'desktop' if size == DESKTOP else 'phone'}.png", full_page=True)
                if (size == DESKTOP) == (theme == "light"):
                    judged(page, f"{name}, {theme}, {size[0]} wide")
    finally:
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")

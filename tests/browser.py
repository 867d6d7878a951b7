"""A real Chromium for tests: Debian's, driven by Playwright for Python, with an authenticator of its own for passkeys.

`chromium` (fixture, one for each file); `console_of(chromium, family, name)` is a page of an operator who came in by the real link and passkey;
`look(page, name)` keeps pictures of a page in build/screens (both themes, phone and desktop) and has axe judge it, with no violation allowed.

Playwright comes from PyPI into build/browser, axe with the npm packages that web/package-lock.json names: where a registry is not reached, tests
that need it are skipped, by its name.
"""
import contextlib
import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLAYWRIGHT = "1.65.2"
PYTHON = ROOT / "build" / "browser" / f"playwright-{PLAYWRIGHT}-{sys.implementation.cache_tag}"
SCREENS = ROOT / "build" / "screens"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--force-color-profile=srgb"]
AUTHENTICATOR = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
                 "automaticPresenceSimulation": True}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@contextlib.contextmanager
def alone(name):
    """Two files of tests run at a time; one of them fetches."""
    (ROOT / "build" / "browser").mkdir(parents=True, exist_ok=True)
    with open(ROOT / "build" / "browser" / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch(what, command, **kw):
    try:
        result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=240, **kw)
    except (OSError, subprocess.TimeoutExpired) as e:
        pytest.skip(f"{what} cannot be had: {e}")
    if result.returncode != 0:
        pytest.skip(f"{what} cannot be had: {(result.stderr.strip() or 'no word').splitlines()[-1][:200]}")


def playwright_library():
    with alone("playwright"):
        if not (PYTHON / "complete").exists():
            shutil.rmtree(PYTHON, ignore_errors=True)
            fetch("Playwright", [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-warn-script-location",
                                 "--target", PYTHON, f"playwright=={PLAYWRIGHT}"])
            (PYTHON / "complete").touch()
    if str(PYTHON) not in sys.path:
        sys.path.append(str(PYTHON))
    from playwright.sync_api import sync_playwright
    return sync_playwright


def npm_packages():
    """What web/package-lock.json names, as tools/web-build installs it."""
    with alone("npm"):
        lock, installed = ROOT / "web" / "package-lock.json", ROOT / "web" / "node_modules" / ".installed-lock"
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            fetch("web/package-lock.json", ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=ROOT / "web")
            shutil.copy(lock, installed)
    return ROOT / "web" / "node_modules"


@pytest.fixture(scope="module")
def chromium():
    npm_packages()
    with playwright_library()() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


def authenticator(page):
    """Makes, keeps and shows passkeys by itself, as a person with a key and a finger would. Returns its CDP session and its id."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    return cdp, cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]


@contextlib.contextmanager
def console_of(chromium, family, name, **context_options):
    """A page of that operator, logged in. page.origin: of the console; page.said: what its scripts complained of, which fails the test that
    leaves this block."""
    context = chromium.new_context(viewport=DESKTOP, accept_downloads=True, **context_options)
    page = context.new_page()
    page.set_default_timeout(15000)
    page.said = []
    page.on("pageerror", lambda e: page.said.append(f"{e}"))
    page.on("console", lambda m: page.said.append(m.text) if m.type == "error" and "Failed to load resource" not in m.text else None)
    authenticator(page)
    link = family.json("operator", "passkey", name)["link"]
    page.origin = link.split("/console")[0]
    try:
        page.goto(link)
        page.locator("#enroll").click()
        page.locator("#log-in").click()
        page.wait_for_url("**/console/")
        yield page
        assert not page.said, page.said
    finally:
        context.close()


def judge(page, name):
    """No violation of WCAG 2.2 AA, and nothing that has to be scrolled sideways."""
    if not page.evaluate("() => Boolean(window.axe)"):
        cdp = page.context.new_cdp_session(page)
        cdp.send("Runtime.evaluate", {"expression": AXE.read_text(), "allowUnsafeEvalBlockedByCSP": True})
        cdp.detach()
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)["violations"]
    assert not found, "\n".join(f"{name}: {v['id']}: {v['help']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found)
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{name} is {wide} pixels too wide"


def look(page, name):
    """Four pictures, two of them judged: each theme and each width once."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for device, size, judged in (("desktop", DESKTOP, "light"), ("phone", PHONE, "dark")):
        page.set_viewport_size(size)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=SCREENS / f"{name}-{theme}-{device}.png", full_page=True)
            if theme == judged:
                judge(page, f"{name}, {theme}, {device}")
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")

"""The console's pages about certificates and subscribers, in Chromium with a real log-in: search and expressions in the inventory, a certificate
with its evidence and its revocation, the lint explorer, accounts, EAB keys, readiness. The book is loaded (lintel bench inventory), so that there is
something to look at."""

import json
import re
import ssl
import subprocess
import urllib.parse

import pytest

from browser import console_of, look
from conftest import LINTEL, Ca, free_port, wait_for

CERTIFICATES = 240


class Loaded(Ca):
    """A family over a book of a bench; nothing is asked of the network."""

    def __init__(self, folder):
        self.folder = folder / "ca"
        self.https_port = free_port()
        for _ in range(20):  # the operator's listener and that of CRLs lie 1 and 80 above
            if subprocess.run([str(LINTEL), "bench", "inventory", "--certificates", str(CERTIFICATES), "--folder", str(self.folder), "--keep",
                               "--load-only", "--port", str(self.https_port)], capture_output=True, timeout=120).returncode == 0:
                break
        self.operator_port = self.https_port + 1
        self.root = self.folder / "ca" / "root.pem"
        self.directory = f"https://localhost:{self.https_port}/acme/directory"
        self.log = folder / "serve.log"
        self.process = None

    def api(self, path, text=None, kind="text/plain"):
        """The answer of the API socket, as root has it."""
        more = [] if text is None else ["-X", "POST", "-H", f"Content-Type: {kind}", "--data-binary", "@-"]
        r = subprocess.run(["curl", "-sf", "--unix-socket", str(self.folder / "run" / "api.sock"), *more, f"http://lintel/api/v1/{path}"],
                           input=text, capture_output=True, text=True, timeout=30)
        assert r.returncode == 0, f"{path}: {r.stdout}"
        return json.loads(r.stdout)


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    loaded = Loaded(folder).start()
    yield loaded
    loaded.stop()


@pytest.fixture(scope="module")
def console(family, chromium):
    """A page of admin, who is logged in."""
    with console_of(chromium, family, "admin") as page:
        yield page


@pytest.fixture(scope="module")
def certificate(family):
    """A valid one with several names, whole."""
    for c in family.api("certificates?status=valid&profile=tls-server&limit=100")["certificates"]:
        if len(c["names"]) > 1:
            return family.api(f"certificates/{c['serial']}?issuer={c['issuer']}&evidence=1&der=1")
    raise AssertionError("the book has none")


def go(page, path):
    page.goto(f"{page.origin}/console{path}")
    page.locator("h1").wait_for()


def rows(page):
    return page.locator("main table.grid tbody tr")


def until(page, what, script, arg=None):
    """Playwright's own wait_for_function evaluates text, which the console's CSP forbids."""
    wait_for(what, lambda: page.evaluate(script, arg))


def settled(page):
    """All tables have read what they were to read."""
    until(page, "the table", "() => document.querySelector('main .table') && !document.querySelector('main .table[aria-busy]')")


def asks(page, name, value):
    """The address says it, and so what is shown is of it."""
    until(page, f"{name}={value}", "([n, v]) => new URLSearchParams(location.search).get(n) === v", [name, value])


def shown(page):
    settled(page)
    return rows(page).count()


def search(page, text):
    field = page.get_by_label("Certificate", exact=True)
    field.fill(text)
    field.press("Enter")
    asks(page, "q", text)
    return shown(page)


def test_the_inventory_finds_what_is_typed(console, family, certificate):
    page = console
    go(page, "/inventory")
    assert shown(page) == 50
    page.get_by_role("button", name="Show more").click()
    until(page, "another page", "() => document.querySelectorAll('main table.grid tbody tr').length === 100")
    serials = page.eval_on_selector_all("main tbody code[title]", "list => list.map(e => e.title)")
    assert len(set(serials)) == 100, "a page begins behind the one before"

    name = certificate["names"][0]["name"]
    below = family.api("certificates?" + urllib.parse.urlencode({"suffix": name.removeprefix("*."), "limit": 50}))["certificates"]
    assert search(page, name.removeprefix("*.")) == len(below) > 0
    assert "all below it" in page.locator(".told").inner_text()
    look(page, "inventory")
    assert search(page, certificate["serial"]) == 1
    assert search(page, ":".join(re.findall("..", certificate["serial"].upper()))) == 1
    assert search(page, certificate["sha256"]) == 1
    of_key = len(family.api(f"certificates?limit=50&spki-sha256={certificate['spki_sha256']}")["certificates"])
    assert search(page, certificate["spki_sha256"]) == of_key > 0, "what is no fingerprint is a key's hash"
    assert search(page, "0123456789abcdef0123") == 0
    assert "No certificate fits" in page.locator("main").inner_text()

    page.get_by_role("button", name="Clear").click()
    page.get_by_label("State").select_option("revoked")
    asks(page, "status", "revoked")
    settled(page)
    assert set(page.eval_on_selector_all("main tbody td[data-label=State] .badge", "list => list.map(e => e.innerText.trim().split('\\n').pop())")) == {"revoked"}

    # A whole certificate is found by its fingerprint; a field drops its line ends, so it is caught while it is pasted.
    go(page, "/inventory")
    page.get_by_label("Certificate", exact=True).evaluate("""(field, pem) => { const data = new DataTransfer(); data.setData("text", pem);
        field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})); }""", certificate["pem"])
    asks(page, "q", certificate["sha256"])
    assert shown(page) == 1


def test_an_expression_while_it_is_typed(console, family):
    page = console
    asked = []
    page.on("request", lambda r: asked.append(r.url) if "/api/v1/scope/" in r.url else None)
    go(page, "/inventory?view=scope")
    box = page.get_by_label("Certificates that")
    box.fill("profile = tls-server and issued > now-9x")
    page.locator(".scope-wrong").get_by_text("issued takes a day").wait_for()
    assert page.locator(".scope-back mark").inner_text() == "now-9x"
    assert page.locator(".scope-wrong button").inner_text() == "Character 35"
    assert box.get_attribute("aria-invalid") == "true"
    assert page.locator(".scope-count").inner_text() == ""
    assert not [u for u in asked if "scope/count" in u], "what is no expression is not counted"
    look(page, "inventory-expression")
    page.locator(".scope-wrong button").click()
    assert box.evaluate("e => e.value.slice(e.selectionStart, e.selectionEnd)") == "now-9x"
    # The family counts bytes, people count characters.
    box.fill('subscriber = "Käse" and revoked')
    page.locator(".scope-back mark").get_by_text("ä", exact=True).wait_for()

    box.fill("")
    box.press_sequentially("profile = tls-server and method = dns-01", delay=15)
    page.locator(".scope-words").get_by_text("method that proved one of its names is dns-01").wait_for()
    count = family.api("scope/count", "profile = tls-server and method = dns-01")["count"]
    page.locator(".scope-count b").get_by_text(f"{count:,}", exact=True).wait_for()
    assert len([u for u in asked if "scope/count" in u]) <= 2, "it is not counted at each key"
    assert all("within=" in u for u in asked if "scope/count" in u), "no count of who types holds others up"
    page.get_by_role("button", name="Show them").click()
    assert shown(page) == min(count, 50)
    assert "scope=profile+%3D+tls-server" in page.url

    page.get_by_role("button", name="Save with a name …").click()
    page.get_by_label("Name", exact=True).fill("old-dns")
    page.get_by_role("button", name="Count and save").click()
    page.get_by_text("Saved expressions (1)").click()
    saved = family.api("scopes/old-dns")["versions"][0]
    assert (saved["count"], saved["saved_by"]) == (count, "admin")
    box.fill("")
    page.get_by_role("button", name="old-dns").click()
    assert box.input_value() == "profile = tls-server and method = dns-01"

    page.get_by_text("What can be asked").click()
    page.get_by_role("button", name="caa_age").click()
    assert box.input_value().endswith("caa_age ")


def test_an_expression_becomes_an_incidents_scope(console, family):
    page = console
    scope = "profile = tls-server and method = dns-01 and valid"
    go(page, "/inventory?view=scope&scope=" + urllib.parse.quote(scope))
    page.get_by_role("button", name="Use as an incident's scope …").click()
    if family.api("incidents?status=open")["incidents"]:  # the family opened one by itself
        page.get_by_role("button", name="Go on").click()
    page.get_by_label("What is wrong").fill("dns-01 looked away")
    page.locator("dialog").get_by_text(scope).wait_for()
    page.get_by_role("button", name="Open it: clocks start").click()
    dialog = page.locator("dialog", has_text="Which certificates are affected?")
    dialog.wait_for()
    assert dialog.get_by_label("Certificates that").input_value() == scope
    number = re.search(r"/incidents/(\d+)", page.url)[1]
    count = family.api("scope/count", scope)["count"]
    dialog.locator(".plan-view").get_by_text(f"{count:,} certificate").first.wait_for()
    dialog.get_by_role("button", name="Save as the scope").click()
    dialog.wait_for(state="detached")
    assert family.api(f"incidents/{number}")["incident"]["scopes"][0]["scope"] == scope
    # A second expression may go to the one that is open.
    go(page, "/inventory?view=scope&scope=" + urllib.parse.quote("method = dns-01"))
    page.get_by_role("button", name="Use as an incident's scope …").click()
    page.get_by_label("Incident", exact=True).select_option(number)
    page.get_by_role("button", name="Go on").click()
    dialog.or_(page.locator("dialog", has_text="Correct the scope")).wait_for()
    assert page.locator("dialog").get_by_label("Certificates that").input_value() == "method = dns-01"
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    page.reload()
    page.locator(".scope-version").wait_for()
    assert page.locator("dialog").count() == 0, "it is asked once"


def test_a_certificate_with_its_evidence(console, certificate):
    page = console
    go(page, f"/certificates/{certificate['serial']}?issuer={certificate['issuer']}")
    main = page.locator("main")
    assert certificate["names"][0]["name"] in page.locator("h1").inner_text()
    assert page.locator(".chain li").count() == 3
    page.locator(".names summary").first.click()
    checked = certificate["names"][0]["checks"][0]
    text = page.locator(".check").first.inner_text()
    assert checked["method"] in text and checked["rule"]["section"] in text and "primary" in text
    page.get_by_text("What was asked and answered").first.click()
    assert checked["statement"]["asked"] in page.locator(".check").first.inner_text()
    page.get_by_text("By the rules of today").click()
    page.locator(".lint-view .bytes-row").first.wait_for()
    assert page.locator(".lint-view .finding").count() > 0
    assert "Issued" in main.locator(".timeline").inner_text()
    look(page, "certificate")


def test_a_revocation_is_a_plan_first(console, family, certificate):
    page = console
    path = f"certificates/{certificate['serial']}?issuer={certificate['issuer']}"
    go(page, "/" + path)
    page.get_by_role("button", name="Revoke …").click()
    plan = page.locator("dialog .plan-view")
    plan.get_by_text(certificate["serial"]).wait_for()
    page.get_by_label("Why it must be revoked").select_option("key-compromise")
    plan.get_by_text("Blocks its key for good").wait_for()
    same = family.api("scope/count", f"key = {certificate['spki_sha256']} and status = valid")["count"] - 1
    others = "no other certificate has it" if same == 0 else "1 other certificate of that key" if same == 1 else f"{same:,} other certificates of that key"
    assert others in plan.inner_text()
    page.get_by_label("Why it must be revoked").select_option("not-issued-per-rules")
    plan.get_by_text("Must be revoked by").wait_for()
    assert "CABF-BR 4.9.1.1 (12)" in plan.inner_text()
    assert page.get_by_label("Reason in the CRL").input_value() == "4"
    look(page, "certificate-revoke")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert family.api(path)["status"] == "valid", "a plan changes nothing"

    page.get_by_role("button", name="Revoke …").click()
    page.get_by_label("Why it must be revoked").select_option("not-issued-per-rules")
    plan.get_by_text("Must be revoked by").wait_for()
    page.get_by_role("button", name="Revoke this certificate").click()
    page.locator("h1 .badge").get_by_text("revoked").wait_for()
    now = family.api(path)
    assert now["revocation"]["reason_name"] == "superseded"
    assert now["clocks"][0]["cause"] == "not-issued-per-rules"
    assert page.get_by_role("button", name="Revoke …").count() == 0
    assert "not-issued-per-rules" in page.locator("main").inner_text()
    # The page says by itself when the CRL has it: the first whose number, when the book was read for it, is not before the revocation.
    crl = page.locator(".facts > div", has_text="In its CRL")
    crl.get_by_text("number ").wait_for()
    with_it = family.api(path)["crl"]
    assert with_it["number"] in crl.inner_text()
    listed = [c for c in family.api(f"crls?issuer={certificate['issuer']}&limit=50")["crls"] if c["number"] == with_it["number"]]
    assert listed and listed[0]["entries"] > 0


def test_the_lint_explorer_marks_the_bytes(console, family, certificate, tmp_path):
    page = console
    der = ssl.PEM_cert_to_DER_cert(certificate["pem"])
    judged = family.api("lint?der=1", certificate["pem"])
    finding = next(f for f in judged["findings"] if f["rule"] == "w_sub_cert_aia_contains_internal_names")
    go(page, "/lint")
    look(page, "lint-empty")
    file = tmp_path / "dropped.der"
    file.write_bytes(der)
    page.locator("input[type=file]").set_input_files(str(file))
    page.locator(".lint-view .finding").first.wait_for()
    assert page.locator(".finding").count() == len(judged["findings"])
    page.locator(".finding", has_text=finding["rule"]).get_by_role("button", name=re.compile("Bytes")).click()
    lit = "".join(page.eval_on_selector_all(".bytes .hex mark.here", "list => list.map(e => e.innerText.replace(/\\s/g, ''))"))
    assert bytes.fromhex(lit) == der[finding["offset"]:finding["offset"] + finding["length"]]
    assert "uniformResourceIdentifier" in page.locator(".finding", has_text=finding["rule"]).inner_text()
    page.get_by_text("What stands where").click()
    page.locator(".outline-row", has_text="subjectAltName").first.click()
    lit = "".join(page.eval_on_selector_all(".bytes .hex mark.here", "list => list.map(e => e.innerText.replace(/\\s/g, ''))"))
    assert bytes.fromhex(lit) == bytes.fromhex("0603551d11")
    page.evaluate("() => scrollTo(0, 0)")  # what lies half under the bar is no target
    look(page, "lint")

    page.get_by_label("Certificate, CRL, OCSP answer or request").fill("no certificate at all")
    page.get_by_role("button", name="Judge").click()
    page.get_by_role("alert").get_by_text("neither PEM, DER nor base64").wait_for()
    # What is dropped comes the same way.
    page.locator("main .page-stack").evaluate("""(el, b64) => { const data = new DataTransfer(); data.items.add(new File([Uint8Array.from(atob(b64), c => c.charCodeAt(0))], "x.der"));
        el.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})); }""", judged["der"])
    page.locator(".lint-view .finding").first.wait_for()


def test_keys_for_external_account_binding(console, family):
    page = console
    go(page, "/eab")
    page.get_by_text("No key was made yet").wait_for()
    look(page, "eab-empty")
    page.get_by_role("button", name="Make a key …").first.click()
    page.get_by_label("For whom").fill("customer 4711")
    page.get_by_label("Domains").fill("example.com example.net")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_text("The key is made").wait_for()
    told = page.locator("dialog").inner_text()
    key = family.api("eab")["keys"][0]
    assert key["note"] == "customer 4711" and key["kid"] in told and "example.net" in json.dumps(key["suffixes"])
    assert len(re.findall(r"[A-Za-z0-9_-]{43}", told)) > 0
    page.get_by_role("button", name="I have kept it").click()
    rows(page).get_by_text("customer 4711").wait_for()
    assert not re.search(r"[A-Za-z0-9_-]{43}", page.locator("main").inner_text()), "the secret is shown once"
    look(page, "eab")
    page.get_by_role("button", name="Revoke the key of customer 4711").click()
    page.locator("dialog").get_by_role("button", name="Revoke the key").click()
    wait_for("the key to be revoked", lambda: family.api("eab")["keys"][0]["status"] == "revoked")
    page.locator("main .badge").get_by_text("revoked").wait_for()


def test_subscribers_and_how_ready_they_are(console, family):
    page = console
    go(page, "/accounts")
    assert shown(page) > 3
    look(page, "accounts")
    account = family.api("accounts?limit=1")["accounts"][0]["id"]
    page.get_by_label("Number").fill(account)
    page.get_by_label("Number").press("Enter")
    page.wait_for_url(f"**/console/accounts/{account}")
    page.locator("h1").get_by_text(f"Account {account}").wait_for()
    assert shown(page) > 0
    look(page, "account")

    go(page, "/readiness")
    assert shown(page) > 3
    page.locator(".tier-shares .legend b").first.wait_for()
    look(page, "readiness")
    page.get_by_role("link", name="To call").click()
    page.locator(".tabs [aria-current=page]").get_by_text("To call").wait_for()
    assert shown(page) > 0
    page.get_by_role("link", name="Hold-outs").click()
    page.get_by_text("Nobody is held out").wait_for()

    go(page, f"/readiness/{account}")
    page.get_by_role("button", name="Write a call down …").click()
    page.get_by_label("With whom").fill("Ms. Example")
    page.get_by_label("What came of it").select_option("will-replace")
    page.get_by_label("Note").fill("by Friday")
    page.get_by_role("button", name="Write it down").click()
    page.locator(".timeline").get_by_text("by Friday").wait_for()
    assert family.api(f"readiness/{account}")["calls"][0]["outcome"] == "will-replace"
    look(page, "subscriber")


def test_who_only_reads_is_offered_nothing_else(chromium, family):
    """A viewer sees certificates, and no button that would be refused."""
    family.lintel("operator", "add", "vera", "--role", "viewer")
    valid = family.api("certificates?status=valid&limit=1")["certificates"][0]
    with console_of(chromium, family, "vera") as page:
        go(page, f"/certificates/{valid['serial']}?issuer={valid['issuer']}")
        page.get_by_role("button", name="Download PEM").wait_for()
        assert page.get_by_role("button", name="Revoke …").count() == 0
        assert "do not see events" in page.locator("main").inner_text()
        account = next(a for a in family.api("accounts?limit=100")["accounts"] if a["contacts"])
        assert "@" in json.dumps(account["contacts"])
        for path in (f"/accounts/{account['id']}", f"/readiness/{account['id']}"):
            go(page, path)
            page.locator("main").get_by_text("for operators and auditors").first.wait_for()
            assert "@" not in page.locator("main").inner_text()
        answers = page.evaluate("""async (id) => Promise.all(["accounts", "accounts/" + id, "readiness", "readiness/worklist", "readiness/" + id, "holdouts", "enrollments"]
            .map(async (path) => (await fetch("/api/v1/" + path + "?limit=100")).text()))""", account["id"])
        assert len(answers) == 7 and not any("@" in a for a in answers)
        go(page, "/eab")
        assert page.get_by_role("button", name="Make a key …").count() == 0

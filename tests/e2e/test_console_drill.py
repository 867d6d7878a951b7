"""A drill's book after its end, served to be looked at: a console of its own with a link for a guest, from which nothing is changed; and a book in
which a worst day has happened, for whatever has to be seen in one."""
import json
import os
import signal
import subprocess

import openapi
import pytest
from browser import console_of, look
from conftest import LINTEL, wait_for
from passkey import Console, Passkey, Refused


class Drill:
    def __init__(self, folder):
        self.folder = folder
        self.run("drill", "run", "le-caa-2020", "--certificates", "1000", "--folder", folder, timeout=60)
        self.process = subprocess.Popen([str(LINTEL), "drill", "serve", "--json", str(folder)], stdout=subprocess.PIPE, text=True)
        self.said = json.loads(self.process.stdout.readline())
        self.port = int(self.said["console"].removesuffix("/console/").rpartition(":")[2])

    def run(self, *args, timeout=20):
        return subprocess.run([str(LINTEL), *map(str, args)], env={**os.environ, "LINTEL_DIR": str(self.folder)}, capture_output=True, text=True,
                              check=True, timeout=timeout).stdout

    def json(self, *args):
        return json.loads(self.run(*args, "--json"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)
    drill = Drill(folder / "drill")
    yield drill
    assert drill.stop() == 0


def test_nothing_is_changed_from_it_whoever_is_logged_in(drill):
    assert drill.said["console"].startswith("http://localhost:") and drill.said["link"].startswith(drill.said["console"] + "enroll#guest.")
    halts = openapi.Api(drill.folder).json("halts")
    for link, roles in ((drill.said["link"], ["viewer"]), (drill.json("operator", "passkey", "admin")["link"], ["viewer", "operator", "approver", "auditor"])):
        console, key = Console(drill.port), Passkey()
        wait_for("the operators' files to be read", lambda: enrolled(console, link, key))
        assert console.log_in(key)["roles"] == roles
        assert console.get("overview")["ca"]["drill"] is True
        for path, payload in (("halts", {"kind": "all", "reason": "to see"}), ("incidents/1/note", {"words": "to see"}), ("plans/p1/run", {})):
            with pytest.raises(Refused) as refused:
                console.change(path, payload)
            assert refused.value.status == 403 and "a drill's book, here to look at" in refused.value.document["detail"]
        assert console.get("halts") == halts
        console.change("session/leave")
        with pytest.raises(Refused) as refused:
            console.get("overview")
        assert refused.value.status == 401


def enrolled(console, link, key):
    try:
        return console.enroll(link, key)
    except Refused as e:
        assert e.status == 403
        return None


def test_answers_look_as_the_document_says(drill):
    """Of what takes a day to happen: a mass revocation in tiers, notices, reports and their appendices."""
    api = openapi.Api(drill.folder)
    document = api.json("openapi.json")
    answers, asked = openapi.crawl(api, document)
    assert openapi.wrong_in(answers, document) == {}
    assert {"masses/{id}", "notices/{id}", "incidents/{id}/report/delayed", "incidents/{id}/report/appendix", "actions/{id}"} <= asked


def test_a_guest_sees_the_day_and_that_it_is_a_drill(drill, chromium):
    with console_of(chromium, drill, "guest") as page:
        page.get_by_text("Drill: nothing here is real").wait_for()
        page.locator("main").get_by_text("1 deadline was missed").wait_for()
        page.locator("main").get_by_role("heading", name="Revocation under way").wait_for()
        look(page, "drill-overview")
        page.goto(f"{page.origin}/console/incidents/1")
        page.get_by_role("heading", name="CAA was looked up for one name of several").first.wait_for()
        look(page, "drill-incident")

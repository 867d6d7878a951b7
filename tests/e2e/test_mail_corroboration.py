"""Contacts as remote perspectives see them: the address that approved has to be a contact for them, too."""
import json

import pytest
from conftest import free_port, wait_for
from perspective import Perspective
from postfix import missing
from test_enroll import Zone
from test_mail import Office, challenge, link

pytestmark = pytest.mark.skipif(missing() != "", reason=missing())

CONTACT = '{}. 0 IN CAA 0 contactemail "{}@example.com"'


class Views(Office):
    """Five perspectives; the DNS tells those in `elsewhere` something else than the CA itself."""

    def __init__(self, folder, elsewhere):
        self.elsewhere = elsewhere
        self.views = []
        super().__init__(folder)

    def prepare(self):
        (self.folder / "other").mkdir()
        self.other = Zone(self.folder / "other")
        client = self.ca.lintel("perspective", "client").stdout.strip()
        (self.ca.folder / "perspectives").mkdir(exist_ok=True)
        for i in range(5):
            zone = self.other if i in self.elsewhere else self.zone
            view = Perspective(self.folder, i, zone.port, free_port(), client).start()
            (self.ca.folder / "perspectives" / f"{view.name}.json").write_text(json.dumps(view.describe()))
            self.views.append(view)

    def tell(self, here, there):
        """The contact of example.com in both views of the DNS."""
        self.records(CONTACT.format("example.com", here))
        mine, self.zone = self.zone, self.other
        self.records(CONTACT.format("example.com", there))
        self.zone = mine

    def approve(self, subscriber, by):
        e = self.request("www.example.com", subscriber=subscriber, args=("--method", "email-caa-contact"))
        assert self.page(link(self.letter(e, f"{by}@example.com")), {"do": "approve"})[0] == 200
        return e

    def outcome(self, e):
        rows = self.rows("SELECT body FROM event WHERE kind LIKE 'authorization.%' AND subject = 'authorization ' || "
                         "(SELECT authorization_id FROM order_authorization WHERE order_id = ?) ORDER BY sequence",
                         int(e["id"]))
        return json.loads(rows[-1][0]) if rows else None

    def evidence(self, e):
        return self.rows("SELECT v.ok, v.agreeing, v.dissenting FROM evidence AS v JOIN order_authorization AS oa ON "
                         "oa.authorization_id = v.authorization_id WHERE oa.order_id = ?", int(e["id"]))

    def stop(self):
        for view in self.views:
            view.stop()
        super().stop()
        self.other.stop()


@pytest.fixture
def views(tmp_path):
    made = []

    def make(*elsewhere):
        made.append(Views(tmp_path, elsewhere))
        return made[-1]

    yield make
    for v in made:
        v.stop()


def test_all_see_the_same_contact(views):
    v = views()
    v.tell("security", "security")
    e = v.approve("all", "security")
    wait_for("the certificate", lambda: v.show(e)["status"] == "valid")
    assert v.outcome(e)["corroboration"] == "5/5"
    assert v.evidence(e) == [(1, 0b111111, 0)]


def test_one_that_sees_another_is_told(views):
    v = views(2)
    v.tell("security", "admin")
    e = v.approve("one", "security")
    wait_for("the certificate", lambda: v.show(e)["status"] == "valid")
    said = v.outcome(e)
    assert said["corroboration"] == "4/5" and list(said["dissent"]) == ["view-2"]
    assert "does not hold the address" in said["dissent"]["view-2"]


def test_a_hijacked_view_of_the_ca_is_not_enough(views):
    """Who holds the CA's own view of the DNS gets the letter, and approves: the world does not see his address."""
    v = views(0, 1, 2, 3, 4)
    v.tell("security", "hostmaster")  # "security" is the attacker's
    e = v.approve("hijacked", "security")
    error = wait_for("the outcome", lambda: challenge(v.show(e)).get("error"), 40)
    assert "0 of 5 remote perspectives" in error["detail"], error
    assert v.show(e)["status"] == "pending"
    (ok, agreeing, dissenting), = v.evidence(e)
    assert (ok, dissenting) == (0, 0b111110) and agreeing == 1

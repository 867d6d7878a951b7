"""Letters that ask whether somebody reads them: through a real Postfix, and across deaths of those who write them."""
import os
import signal

import pytest
from conftest import wait_for
from postfix import Postfix, missing
from test_mail import configure
from test_readiness import LINK, Place

pytestmark = pytest.mark.skipif(missing() != "", reason=missing())


class Desk(Place):
    def __init__(self, folder):
        super().__init__(folder)
        self.postfix = Postfix(folder / "postfix", tls=True)
        self.ca.stop()
        configure(self.ca, self.postfix.port)
        self.ca.start()

    def contact(self, account, address):
        return next((c for c in self.show(account)["addresses"] if c["address"] == address), {})

    def link(self, address, count=1, seconds=20):
        letters = wait_for(f"a letter; {self.postfix.log()[-1000:]}",
                           lambda: len(self.postfix.letters(address)) >= count and self.postfix.letters(address), seconds)
        assert len(letters) == count
        return LINK.search(letters[-1].get_content())[0]

    def stop(self):
        super().stop()
        self.postfix.stop()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    made = Desk(tmp_path_factory.mktemp("readymail"))
    try:
        yield made
    finally:
        made.stop()


def test_a_letter_that_is_answered(desk):
    account = desk.client().account
    dry = desk.ca.lintel("readiness", "write", account, "--address", "admin@example.com")
    assert "would write to admin@example.com" in dry.stdout
    desk.ca.lintel("readiness", "write", account, "--address", "admin@example.com", "--yes")
    link = desk.link("admin@example.com")
    assert desk.show(account)["tier"] == "by-hand"  # that it was taken says nothing yet
    status, html = desk.page(link)
    assert status == 200 and "Yes, write here" in html
    assert desk.show(account)["tier"] == "by-hand"  # who only looks has said nothing
    status, html = desk.page(link, do="confirm")
    assert status == 200 and "Thank you" in html
    assert desk.contact(account, "admin@example.com")["verified_by"]
    assert desk.show(account)["tier"] == "reachable"
    assert desk.page(link, do="wrong")[0] == 404  # a link is good for one answer
    assert desk.show(account)["tier"] == "reachable"


def test_a_letter_that_comes_to_the_wrong_one(desk):
    account = desk.client().account
    desk.ca.lintel("readiness", "contact", account, "security@example.com", "--verified")
    assert desk.show(account)["tier"] == "reachable"
    desk.ca.lintel("readiness", "write", account, "--address", "security@example.com", "--yes")
    assert desk.page(desk.link("security@example.com"), do="wrong")[0] == 200
    assert desk.contact(account, "security@example.com")["bounced"]
    assert desk.show(account)["tier"] == "by-hand"


def test_a_box_that_is_not_there(desk):
    account = desk.client().account
    desk.ca.lintel("readiness", "contact", account, "nobody@example.com", "--verified")
    desk.ca.lintel("readiness", "write", account, "--address", "nobody@example.com", "--yes")
    wait_for("the refusal", lambda: desk.contact(account, "nobody@example.com").get("bounced"))
    assert "5.1.1" in desk.contact(account, "nobody@example.com")["bounce"]
    assert desk.show(account)["tier"] == "by-hand"


def test_who_writes_it_dies(desk):
    """The relay is away, then the registrar and the courier die: the letter comes all the same, and once."""
    account = desk.client().account
    desk.postfix.pause()
    desk.ca.lintel("readiness", "write", account, "--address", "hostmaster@example.com", "--yes")
    for role in ("courier-0", "registrar-0"):
        os.kill(desk.ca.pids()[role], signal.SIGKILL)
    wait_for("the family", lambda: desk.ca.lintel("readiness", "list", check=False).returncode == 0)
    desk.postfix.start()
    link = desk.link("hostmaster@example.com", seconds=100)  # it is tried again after a minute
    wait_for("the page", lambda: desk.page(link)[0] == 200)
    assert desk.page(link, do="confirm")[0] == 200
    assert desk.show(account)["tier"] == "reachable"
    assert len(desk.postfix.letters("hostmaster@example.com")) == 1
    assert desk.ca.lintel("audit", "verify").returncode == 0

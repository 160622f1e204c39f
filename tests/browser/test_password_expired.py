"""The SMTP password expired on Friday: people see that, since when and why; once mended, nothing is missing
and nothing comes twice.
"""

import re
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from playwright.sync_api import Page, expect

from tests.browser.conftest import INVITATIONS, Server, invite, set_up, start_server, stop_server
from tests.delivery.conftest import Mailbox, free_port

# A server on loopback may ask for a password without TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
DELIVERY = "/o/northwind/admin/delivery"
GUESTS = ["ada@example.com", "ben@example.com", "cleo@example.com"]


class MailServer:
    """A real SMTP server that wants a password, and what it took."""

    def __init__(self) -> None:
        self.password = b"of-last-week"
        self.refused = 0
        self.mailbox = Mailbox()
        self.controller = Controller(
            self.mailbox,
            hostname="127.0.0.1",
            port=free_port(),
            enable_SMTPUTF8=False,
            authenticator=self.sign_in,
            auth_required=True,
            auth_require_tls=False,
        )

    def sign_in(
        self, server: object, session: object, envelope: object, mechanism: str, data: object
    ) -> object:
        """535 for any other password."""
        assert isinstance(data, LoginPassword)
        right = data.password == self.password
        self.refused += not right
        return AuthResult(success=right, handled=False)

    def url(self, password: str) -> str:
        """What EMAIL_URL is told."""
        return f"smtp://guestlist:{password}@127.0.0.1:{self.controller.port}?tls=none"

    @property
    def message_ids(self) -> list[str]:
        """Of what it took, in the order it came."""
        return [str(self.mailbox.parsed(n)["Message-ID"]) for n in range(len(self.mailbox.received))]


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    server.controller.start()
    yield server
    server.controller.stop()


@pytest.fixture
def running(tmp_path, mail_server) -> Iterator[Server]:
    server = start_server(tmp_path / "data", EMAIL_URL=mail_server.url("of-last-week"))
    yield server
    if server.process.poll() is None:
        stop_server(server)


def reload_until(page: Page, shows: str) -> None:
    """People look again after a moment."""
    for _ in range(60):
        if page.get_by_text(shows).first.is_visible():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{shows} does not show: {page.locator('main').inner_text()}")


def invite_in_vain(page: Page, server: Server) -> None:
    """Three people, by a server whose password has expired; the page says so."""
    set_up(page, server)
    invite(page, server, *GUESTS)
    reload_until(page, "Email sending has failed since")
    banner = page.get_by_role("status").filter(has_text="Email sending has failed")
    expect(banner).to_contain_text(re.compile(r"since \d\d:\d\d: The mail server refused the sign-in: .*535"))
    expect(banner).to_contain_text("Invitations are kept and go out as soon as it works.")
    reload_until(page, "Email deferred")
    expect(page.get_by_text("Email deferred")).to_have_count(3)


def assert_all_is_well(page: Page, server: Server, mail_server: MailServer) -> None:
    """Everybody got one message; no page speaks of trouble any more."""
    page.goto(server.url + INVITATIONS)
    for guest in GUESTS:
        expect(page.get_by_role("link", name=f"Details of {guest}")).to_be_visible()
    for words in ("Email sending has failed", "Email deferred", "Email queued", "Email failed"):
        expect(page.get_by_text(words)).to_have_count(0)
    page.wait_for_timeout(2_000)
    assert sorted(mail_server.mailbox.addresses) == GUESTS
    assert len(set(mail_server.message_ids)) == 3


def test_mended_at_the_mail_server(mail_server, running, person):
    page = person()
    mail_server.password = b"of-this-week"
    invite_in_vain(page, running)
    page.get_by_role("link", name="Show delivery").click()
    expect(page).to_have_url(running.url + DELIVERY)
    expect(page.get_by_role("heading", name="Delivery")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Deferred 3"))).to_be_visible()
    expect(page.get_by_role("cell", name=re.compile("refused the sign-in: .*535"))).to_have_count(3)
    expect(page.get_by_text("It is tried again at")).to_be_visible()
    assert mail_server.message_ids == []
    assert mail_server.refused < 10

    mail_server.password = b"of-last-week"
    page.get_by_role("button", name="Try Again Now").click()
    expect(page.get_by_role("status").filter(has_text="Trying again now.")).to_be_visible()
    reload_until(page, "Sent 3")  # ten seconds after the last try at the earliest
    expect(page.get_by_role("cell", name="Sent", exact=True)).to_have_count(3)
    expect(page.get_by_text("Email sending has failed")).to_have_count(0)
    page.get_by_role("button", name=f"Details of {GUESTS[0]}").click()
    drawer = page.get_by_role("dialog", name=GUESTS[0])
    expect(drawer.get_by_role("listitem").first).to_contain_text(re.compile(r"Sent\s*\d\d:\d\d"))
    shown = drawer.get_by_role("code").inner_text()
    assert shown in mail_server.message_ids
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=f"Details of {GUESTS[0]}")).to_be_focused()
    assert_all_is_well(page, running, mail_server)


def test_mended_in_the_configuration(tmp_path, mail_server, running, person):
    page = person()
    mail_server.password = b"of-this-week"
    invite_in_vain(page, running)
    assert mail_server.message_ids == []
    stop_server(running)
    again = start_server(tmp_path / "data", EMAIL_URL=mail_server.url("of-this-week"))
    try:
        page.goto(again.url + DELIVERY)
        reload_until(page, "Sent 3")
        expect(page.get_by_role("cell", name="Sent", exact=True)).to_have_count(3)
        assert_all_is_well(page, again, mail_server)
    finally:
        stop_server(again)

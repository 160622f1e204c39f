"""The help: for everybody, and true of the product in what can be checked."""

import re
from html.parser import HTMLParser

import pytest
from django.utils import translation

from guestlist import conf
from guestlist.actions import asking, sending
from guestlist.permissions import Permission, english_label
from guestlist.web.help import rendered
from guestlist_server.accounts import address_codes
from tests import catalogues
from tests.actions.test_send_invitations import send
from tests.catalogues import PACKAGES, SOURCE

HELP = SOURCE / "guestlist" / "help" / "use.md"
PICTURES = SOURCE / "guestlist" / "static" / "guestlist" / "help"
INVITATIONS = "/o/northwind/admin/invitations"


class Page(HTMLParser):
    """The ids, links and sources of a page."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links, self.images = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values["href"])
        if tag == "img":
            self.images.append(values)


@pytest.fixture
def shown(client):
    return Page(client.get("/help/").content.decode())


def _answers(html):
    """The anchors of the help that a page links to."""
    return [link.partition("#")[2] for link in Page(html).links if link.startswith("/help/#")]


def test_help_needs_no_account_and_asks_the_database_nothing(client):
    # Without the fixture `db` a query would fail this test.
    response = client.get("/help/")
    assert response.status_code == 200
    assert "Why is there no role?" in response.content.decode()


def test_help_is_there_for_members_and_for_strangers(charlie, mallory, as_user):
    for user in (charlie, mallory):
        assert as_user(user).get("/help/").status_code == 200


def test_help_can_only_be_read(client):
    assert client.post("/help/", {"x": "y"}).status_code == 405


def test_help_loads_and_links_nothing_from_another_host(client):
    html = client.get("/help/").content.decode()
    assert not re.findall(r'(?:src|href)="(?:\w+:|//)[^"]*"', html)
    assert "<script>" not in html
    assert "style=" not in html


def test_help_is_english_where_the_page_is_not(client):
    with translation.override("en"):  # what the request switches to ends with the test
        html = client.get("/help/", headers={"Accept-Language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl">' in html
    assert html.count('lang="en" dir="ltr"') == 2


def test_each_heading_has_an_anchor_of_its_own_and_is_in_the_contents(shown):
    _, contents = rendered()
    anchors = [heading.anchor for section in contents for heading in (section, *section.questions)]
    asked = re.findall(r"^#{2,3} .+$", HELP.read_text(), re.MULTILINE)
    assert len(asked) == len(anchors) > 40
    assert all(re.fullmatch(r"[a-z0-9-]+", anchor) for anchor in anchors)
    assert len(set(shown.ids)) == len(shown.ids)
    assert set(anchors) <= set(shown.ids)
    assert {f"#{anchor}" for anchor in anchors} <= set(shown.links)


def test_links_inside_the_help_lead_to_a_heading(shown):
    inside = {link[1:] for link in shown.links if link.startswith("#")}
    assert len(inside) > 40
    assert inside <= set(shown.ids)


def test_templates_link_only_to_headings_that_exist(shown):
    linked = {
        anchor
        for template in SOURCE.glob("*/jinja2/**/*.html")
        for anchor in re.findall(r"url\('guestlist:help'\) }}#([^\"]*)", template.read_text())
    }
    assert linked >= {"the-table", "inviting", "members", "e-mail-is-not-configured"}
    assert linked <= set(shown.ids)


def test_admins_find_the_answer_from_the_page_they_are_on(organization, alice, as_user, settings):
    browser = as_user(alice)
    assert _answers(browser.get(INVITATIONS).content.decode()) == ["the-table", "inviting"]
    send(organization, alice, "jane@example.com")
    html = browser.get(INVITATIONS).content.decode()
    assert _answers(html) == ["the-table"]
    assert html.count('href="/help/"') == 2  # sidebar and drawer
    assert _answers(browser.get("/o/northwind/admin/members").content.decode()) == ["members"]
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    assert "e-mail-is-not-configured" in _answers(browser.get(INVITATIONS).content.decode())


def test_pictures_exist_say_what_they_show_and_are_small(shown):
    used = {image["src"].rpartition("/")[2] for image in shown.images}
    assert used == {path.name for path in PICTURES.iterdir()}
    for image in shown.images:
        assert image["src"].startswith("/static/guestlist/help/")
        assert len(image["alt"]) > 20
        assert 100 < int(image["height"]) < int(image["width"]) * 2
    sizes = [path.stat().st_size for path in PICTURES.iterdir()]
    assert max(sizes) < 60_000
    assert sum(sizes) < 300_000


def test_every_label_in_bold_is_one_that_people_see():
    texts = {english_label(permission) for permission in Permission}
    for package in PACKAGES:
        for message in catalogues.template(package):
            texts |= set(message.id if isinstance(message.id, tuple) else [message.id])
    bold = set(re.findall(r"\*\*(.+?)\*\*", HELP.read_text()))
    assert len(bold) > 40
    assert bold - texts == set()


def test_numbers_are_those_of_the_rules():
    text = HELP.read_text()
    assert f"Up to {sending.MAX_ADDRESSES:,} at a time" in text
    assert conf.DEFAULTS["INVITATION_LIFETIME"] == "7d"
    assert "After 7 days" in text
    assert asking.ASKED_AGAIN_AFTER.total_seconds() == 24 * 60 * 60
    assert text.count("once in 24 hours") == 2
    assert f"works for {address_codes.LIFETIME.total_seconds() / 60:.0f} minutes" in text
    assert (address_codes.MAX_TRIES, address_codes.MAX_PER_HOUR) == (5, 3)
    assert "five tries" in text
    assert "at most three an hour" in text


def test_answers_name_what_happens_as_the_messages_do():
    """Words in italics are quoted from messages."""
    text = HELP.read_text()
    messages = (SOURCE / "guestlist/actions/batches.py").read_text()
    for quoted in ("already invited, skipped", "already a member, skipped"):
        assert f"*{quoted}*" in text
        assert quoted in messages

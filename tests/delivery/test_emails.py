"""What the invited person gets to read, parsed as their mail program does."""

import re
from html.parser import HTMLParser

import pytest
from django.conf import settings as django_settings

from guestlist.actors import Actor
from guestlist.delivery.emails import message_of
from guestlist.links import invitation_url
from guestlist.models import Delivery, Invitation, Organization
from guestlist.models.invitation import NEVER

pytestmark = pytest.mark.django_db
HOSTILE = "</strong><img src=x onerror=alert(1)><a href=https://evil.test>x</a>"
TEMPLATE = '{{7*7}} {% include "x" %} ${x} %(x)s {0.__class__}'


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def receive(smtp, mailbox, invite, drain):
    """Sends to Jane and gives what arrived: message, text, HTML elements, link."""

    def run(**names):
        invite("Jane@acme.test", actor=names.pop("actor", None))
        if "organization" in names:
            Organization.objects.update(name=names.pop("organization"))
        Invitation.objects.update(**names)
        drain()
        message = mailbox.parsed()
        html = Elements()
        html.feed(message.get_body(("html",)).get_content())
        row = Invitation.objects.get()
        return message, message.get_body(("plain",)).get_content(), html, invitation_url(row.nonce, row.pk)

    return run


def test_an_invitation_says_who_invites_where_and_how_to_decline(receive, mailbox):
    message, text, html, link = receive()
    assert message["Subject"] == "Alice Archer invited you to join Northwind"
    assert message["From"] == django_settings.GUESTLIST["EMAIL_FROM"]
    assert message["To"] == "Jane@acme.test"
    assert message["Reply-To"] == "alice@northwind.test"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == Delivery.objects.get().message_id
    for part in (text, html.text):
        assert "(northwind)" in part
        assert "alice@northwind.test" in part
        assert re.search(r"expires on [A-Z][a-z]+ \d+, \d{4}", part)
    assert set(re.findall(r"https?://\S+", text)) == {link, f"{link}/decline"}
    assert set(html.links) == {link, f"{link}/decline"}
    assert "img" not in html.tags
    assert "script" not in html.tags


def test_the_link_names_the_configured_address_alone(receive, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"URL": "https://guestlist.northwind.test"}
    _, text, _, link = receive()
    assert link.startswith("https://guestlist.northwind.test/i/gli_")
    assert link in text


def test_mail_for_the_operator_says_join_and_answers_nobody(receive):
    message, text, html, _ = receive(actor=Actor.operator())
    assert message["Subject"] == "Join Northwind"
    assert message["Reply-To"] is None
    assert "(northwind)" in text
    assert "(northwind)" in html.text
    assert "Operator" not in text


def test_an_invitation_without_end_says_nothing_about_one(receive):
    _, text, html, _ = receive(expires_at=NEVER)
    assert "expires" not in text + html.text
    assert "9999" not in text + html.text


def test_html_in_names_is_shown_as_text(receive, mailbox, invite):
    _, _, plain, _ = receive()
    mailbox.received.clear()
    Invitation.objects.all().delete()
    name = "</strong><img src=x onerror=alert(1)><b>"
    message, _, html, link = receive(organization=name, invited_by_name=name)
    assert html.tags == plain.tags
    assert set(html.links) == {link, f"{link}/decline"}
    assert "<img src=x onerror=alert(1)>" in html.text
    assert message["Subject"] == f"{name} invited you to join {name}"


def test_a_web_address_in_a_name_never_reaches_a_mail(receive):
    message, text, html, _ = receive(organization="https://evil.test/win", invited_by_name=HOSTILE)
    assert message["Subject"] == "alice@northwind.test invited you to join northwind"
    assert "evil" not in text + html.text + str(html.links)


@pytest.mark.parametrize(
    "name",
    [
        "win-prize.evil.test",
        "www.evil",
        "evil\u2024test",
        "\uff45vil\uff0etest",
        "//evil",
        "x@evil.test",
        "mailto:evil",
    ],
)
def test_nothing_that_a_mail_program_makes_a_link_of_is_left_of_a_name(receive, name):
    message, text, html, link = receive(organization=name, invited_by_name=name)
    assert "vil" not in text + html.text + message["Subject"]
    others = text.replace("alice@northwind.test", "").replace("Jane@acme.test", "")
    linked = set(re.findall(r"https?://\S+|www\.\S+|[\w-]+\.[a-z]{2,}\S*", others))
    assert linked == {link, f"{link}/decline"}


def test_template_language_in_names_is_literal(receive):
    _, text, html, _ = receive(organization=TEMPLATE, invited_by_name=TEMPLATE)
    assert TEMPLATE in text
    assert TEMPLATE in html.text


def test_a_long_name_of_emoji_is_folded_and_decodes(receive, mailbox):
    message, _, _, _ = receive(organization="🎉" * 80, invited_by_name="é" * 150)
    assert message["Subject"].strip() == f"{'é' * 80} invited you to join {'🎉' * 80}"
    assert max(map(len, mailbox.received[0][1].splitlines())) <= 110


def test_line_breaks_in_names_add_no_header(receive):
    message, _, _, _ = receive(organization="North\r\nBcc: x\r\n\r\nhello", invited_by_name="A\nBcc: y")
    assert message["Bcc"] is None
    assert message["Subject"] == "A Bcc: y invited you to join North Bcc: x hello"


def test_control_and_bidi_characters_are_left_out(receive):
    message, text, _, _ = receive(organization="No\u202erth\x07wind\u2066")
    assert message["Subject"].endswith("join Northwind")
    assert "\u202e" not in text


def test_a_look_alike_name_comes_with_the_slug_and_the_inviters_address(receive):
    _, text, html, _ = receive(organization="Аcme")
    for part in (text, html.text):
        assert "Аcme (northwind)" in part
        assert "alice@northwind.test" in part


def test_a_message_is_seven_bit_with_short_lines(smtp, mailbox, invite, drain):
    Organization.objects.update(name="Åäö Ünïcode")
    Invitation.objects.update(invited_by_name="Łukasz")
    invite("jane@straße.test")
    drain()
    address, content = mailbox.received[0]
    assert address == "jane@xn--strae-oqa.test"
    assert content.isascii()
    assert max(map(len, content.splitlines())) <= 110
    assert "Åäö Ünïcode" in mailbox.parsed().get_body(("plain",)).get_content()


def test_an_address_that_the_mailer_would_read_as_another_is_refused(invite):
    invite("jane@acme.test")
    delivery = Delivery.objects.select_related("invitation", "organization").get()
    delivery.invitation.email = "=?utf-8?q?ceo?=@acme.test"
    with pytest.raises(ValueError, match="another"):
        message_of(delivery)

"""Reminders, digests and tests, in an organization's colour and language, and as a project changes them."""

import re
from datetime import timedelta

import pytest
from django.db.models import F

from guestlist.actions.digests import write_digests
from guestlist.actions.domains import add_domain
from guestlist.actions.expiry import expire_due
from guestlist.actions.mail import new_notice, owe
from guestlist.actions.reminders import remind_due
from guestlist.actors import Actor
from guestlist.links import domain_code, invitation_url, unsubscribe_url
from guestlist.models import Delivery, Domain, Invitation, Organization
from guestlist.models.delivery import Kind, State
from tests.actions.test_digests import bounced, expired
from tests.actions.test_domains import verified
from tests.actions.test_join_requests import ask
from tests.actions.test_reminders import pass_time
from tests.conftest import actor_of, make_user
from tests.delivery.test_emails import HOSTILE, TEMPLATE, Elements

pytestmark = pytest.mark.django_db
PAGE = "http://127.0.0.1:8000/o/northwind/admin"


@pytest.fixture
def remind(smtp, mailbox, invite, drain):
    """Invites Jane, lets three days pass, and gives the reminder."""

    def run(**names):
        invite("Jane@acme.test", actor=names.pop("actor", None))
        Organization.objects.update(**{k: v for k, v in names.items() if k != "invited_by_name"})
        Invitation.objects.update(**{k: v for k, v in names.items() if k == "invited_by_name"})
        drain()
        pass_time(timedelta(days=3))
        assert remind_due() == 1
        mailbox.received.clear()
        drain()
        return parts(mailbox)

    return run


@pytest.fixture
def digest(smtp, mailbox, drain):
    """The digest of what is unreported."""

    def run(number=1):
        mailbox.received.clear()
        assert write_digests() == number
        Delivery.objects.owed().exclude(kind=Kind.DIGEST).update(state=State.CANCELED, next_at=None)
        drain()
        return parts(mailbox)

    return run


@pytest.fixture
def test(smtp, mailbox, drain, organization, alice):
    """The test that Alice asks for."""

    def run(**values):
        Organization.objects.update(**values)
        locked = Organization.objects.lock(organization.pk)
        owe([new_notice(locked, Kind.TEST, alice.email, {})])
        drain()
        return parts(mailbox)

    return run


def parts(mailbox):
    message = mailbox.parsed()
    html = Elements()
    html.feed(message.get_body(("html",)).get_content())
    return message, message.get_body(("plain",)).get_content(), html


def styles(message):
    return message.get_body(("html",)).get_content()


def test_a_reminder_has_the_link_the_day_and_the_headers_of_the_invitation(remind):
    message, text, html = remind()
    row = Invitation.objects.get()
    link = invitation_url(row.nonce, row.pk)
    assert message["Subject"] == "Reminder: Alice Archer invited you to join Northwind"
    assert message["To"] == "Jane@acme.test"
    assert message["Reply-To"] == "alice@northwind.test"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"].strip() == f"<{unsubscribe_url(row.nonce, row.pk)}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Message-ID"] == Delivery.objects.get(kind="reminder").message_id
    assert set(re.findall(r"https?://\S+", text)) == set(html.links) == {link, f"{link}/decline"}
    for part in (text, html.text):
        assert "still open" in part
        assert re.search(r"expires on [A-Z][a-z]+ \d+, \d{4}", part)


def test_a_reminder_for_the_operator_says_join(remind):
    message, text, _ = remind(actor=Actor.operator())
    assert message["Subject"] == "Reminder: join Northwind"
    assert message["Reply-To"] is None
    assert "Operator" not in text


def test_a_reminder_that_was_owed_is_not_sent_after_the_end(smtp, mailbox, invite, drain):
    invite("jane@acme.test")
    drain()
    pass_time(timedelta(days=3))
    remind_due()
    Invitation.objects.update(
        invited_at=F("invited_at") - timedelta(days=9), expires_at=F("expires_at") - timedelta(days=9)
    )
    drain()
    assert len(mailbox.received) == 1
    expire_due()
    assert Delivery.objects.get(kind="reminder").state == "canceled"


def test_a_digest_names_what_expired_and_what_came_back(digest, organization, alice):
    expired(organization, alice, *(f"p{number:02}@acme.test" for number in range(22)))
    bounced(organization, alice, "nobody@acme.test", detail="550 5.1.1 <nobody@acme.test> unknown")
    message, text, html = digest()
    assert message["Subject"] == "Northwind: 22 invitations expired, 1 email came back"
    assert message["To"] == "alice@northwind.test"
    assert message["List-Unsubscribe"] is None
    assert set(re.findall(r"https?://\S+", text)) == {f"{PAGE}/invitations?status=expired"}
    assert html.links == [f"{PAGE}/invitations?status=expired"]
    for part in (text, html.text):
        assert "p19@acme.test" in part
        assert "p20@acme.test" not in part
        assert "and 2 more" in part
        assert "550 5.1.1 … unknown" in part


def test_a_digest_of_one_kind_says_only_that(digest, organization, alice):
    bounced(organization, alice, "nobody@acme.test", "noone@acme.test", detail="")
    message, text, html = digest()
    assert message["Subject"] == "Northwind: 2 emails came back"
    assert "expired" not in text
    assert html.links == [f"{PAGE}/invitations?status=pending"]


def test_what_a_strangers_server_says_is_no_link_in_a_digest(digest, organization, alice):
    detail = "550 see https://evil.test/x or www.evil.test </li><a href=https://evil.test>x</a>"
    bounced(organization, alice, "nobody@acme.test", detail=detail)
    _, text, html = digest()
    assert "evil" not in text + html.text + str(html.links)
    assert "550 see" in text


def test_a_test_is_marked_and_leads_to_the_settings(test):
    message, text, html = test()
    assert message["Subject"] == "Test: Alice Archer invited you to join Northwind"
    assert message["To"] == "alice@northwind.test"
    assert message["List-Unsubscribe"] is None
    assert set(re.findall(r"https?://\S+", text)) == set(html.links) == {f"{PAGE}/settings"}
    for part in (text, html.text):
        assert "This is a test. It invites nobody." in part
        assert re.search(r"expires on [A-Z][a-z]+ \d+, \d{4}", part)
    assert "Accept invitation" in html.text


@pytest.mark.parametrize("name", [HOSTILE, TEMPLATE, "https://evil.test/win"])
def test_hostile_names_in_a_reminder_are_harmless(remind, name):
    message, text, html = remind(name=name, invited_by_name=name)
    assert len(set(html.links)) == 2
    assert "img" not in html.tags
    assert "evil" not in text + html.text + str(html.links) + message["Subject"]
    assert TEMPLATE not in name or TEMPLATE in text


@pytest.mark.parametrize("name", [HOSTILE, TEMPLATE, "https://evil.test/win"])
def test_hostile_names_in_a_test_are_harmless(test, name):
    message, text, html = test(name=name)
    assert html.links == [f"{PAGE}/settings"]
    assert "img" not in html.tags
    assert "evil" not in text + html.text + str(html.links) + message["Subject"]
    assert TEMPLATE not in name or TEMPLATE in text


def test_hostile_names_in_a_digest_are_text(digest, organization, alice):
    Organization.objects.update(name="</h1><img src=x onerror=alert(1)>")
    expired(organization, alice, "jane@acme.test")
    _, _, html = digest()
    assert "img" not in html.tags
    assert "<img src=x onerror=alert(1)>" in html.text


@pytest.mark.parametrize(
    ("accent", "text"), [("#ffcc00", "#050505"), ("#7a1f1f", "#ffffff"), ("", "#ffffff")]
)
def test_the_button_has_the_organizations_colour(remind, accent, text):
    message, _, _ = remind(accent=accent)
    button = re.search(r'<a href="[^"]+" style="([^"]+)"', styles(message))[1]
    assert f"background:{accent or '#4a47d6'};" in button
    assert f"color:{text};" in button


def test_a_german_organization_writes_german_with_german_dates(remind):
    message, text, html = remind(language="de")
    assert '<html lang="de" dir="ltr">' in styles(message)
    months = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
    assert re.search(rf"\d+\. ({months}) \d{{4}}", text)
    assert re.search(rf"\d+\. ({months}) \d{{4}}", html.text)


def test_an_arabic_mail_reads_from_the_right(remind):
    message, _, _ = remind(language="ar")
    page = styles(message)
    assert '<html lang="ar" dir="rtl">' in page
    assert "padding-right:12px" in page
    assert "padding-left:12px" not in page
    assert re.search(r'class="link" href="[^"]+" dir="ltr"', page)


def test_an_invitations_own_language_wins(smtp, mailbox, invite, drain):
    invite("jane@acme.test")
    Organization.objects.update(language="de")
    Invitation.objects.update(language="ar")
    drain()
    assert '<html lang="ar"' in styles(mailbox.parsed())


def test_a_project_changes_a_mail_by_its_path(remind, settings, tmp_path):
    """The reminder begins with the invitation, so what changes that changes both."""
    folder = tmp_path / "guestlist" / "email"
    folder.mkdir(parents=True)
    (folder / "invitation.html").write_text(
        '{% extends "@guestlist/guestlist/email/invitation.html" %}\n'
        "{% block why %}{{ super() }}<br>1 Harbour Road, for {{ email }}{% endblock %}\n"
    )
    (folder / "invitation.txt").write_text(
        '{% include "@guestlist/guestlist/email/invitation.txt" %}\n1 Harbour Road\n'
    )
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [engine | {"DIRS": [tmp_path, *engine["DIRS"]]}, *settings.TEMPLATES[1:]]
    _, text, html = remind()
    assert text.rstrip().endswith("1 Harbour Road")
    assert "1 Harbour Road, for Jane@acme.test" in html.text
    assert "decline" in html.text


@pytest.fixture
def code_mail(smtp, mailbox, drain, organization, alice):
    """The mail with the code of a domain that Alice adds."""

    def run(name="Alice Archer", **values):
        Organization.objects.update(**values)
        alice.name = name
        row = add_domain(
            actor=actor_of(alice), organization=organization, domain="acme.test", email="it@acme.test"
        )
        drain()
        return row, *parts(mailbox)

    return run


def test_the_code_of_a_domain_says_who_asks_and_what_it_opens(code_mail):
    row, message, text, html = code_mail()
    assert message["Subject"] == "Your code for acme.test"
    assert message["To"] == "it@acme.test"
    assert message["Reply-To"] is None
    assert message["List-Unsubscribe"] is None
    assert (html.links, re.findall(r"https?://\S+", text)) == ([], [])
    for part in (text, html.text):
        assert domain_code(row.nonce, row.pk) in part
        assert "Alice Archer of Northwind wants to show that acme.test is its domain." in part
        assert "(northwind)" in part


def test_a_web_address_as_a_name_is_left_out_of_the_mail_with_a_code(code_mail):
    _, message, text, html = code_mail("www.evil.test")
    assert "evil" not in text + html.text + str(html.links) + str(message["Subject"])


def test_hostile_names_in_the_mail_with_a_code_are_shown_as_text(smtp, mailbox, drain, organization, alice):
    Organization.objects.update(name=HOSTILE)
    alice.name = HOSTILE
    add_domain(actor=actor_of(alice), organization=organization, domain="acme.test", email="it@acme.test")
    drain()
    _, _, html = parts(mailbox)
    assert html.links == []


def test_a_code_that_is_of_no_use_any_more_is_not_mailed(smtp, mailbox, drain, organization, alice):
    add_domain(actor=actor_of(alice), organization=organization, domain="acme.test", email="it@acme.test")
    Domain.objects.all().delete()
    drain()
    assert mailbox.received == []
    assert Delivery.objects.get().state == "failed"


def test_owners_are_told_how_many_ask_to_join(smtp, mailbox, drain, organization, alice):
    row = verified(organization, mode="request")
    for number in range(2):
        ask(make_user(f"p{number}@acme.test", f"P {number}"), row)
    drain()
    message, text, html = parts(mailbox)
    assert message["To"] == "alice@northwind.test"
    assert message["Subject"] == "2 people ask to join Northwind"
    assert html.links == [f"{PAGE}/requests"]
    assert f"{PAGE}/requests" in text
    assert len(mailbox.received) == 1


def test_one_who_asks_to_join_is_named(smtp, mailbox, drain, organization, alice):
    ask(make_user("jane@acme.test", "Jane Doe"), verified(organization, mode="request"))
    drain()
    assert parts(mailbox)[0]["Subject"] == "jane@acme.test asks to join Northwind"

"""An invitation is mailed in its own language, else in its organization's."""

import pytest
from django.utils import translation

from guestlist import errors
from guestlist.actions.invitations import resend_invitation, send_invitations
from guestlist.addresses import parse_items
from guestlist.models import Invitation, Organization
from guestlist.models.invitation import Status
from guestlist.templating import format_date
from tests.api.conftest import ApiClient, assert_problem
from tests.conftest import actor_of
from tests.web.test_languages import leaks

SENDING = "northwind/invitations"


@pytest.fixture
def key(organization, make_key):
    return ApiClient(make_key(organization))


def texts(mailbox):
    """Subject, text and HTML of what arrived, by address."""
    found = {}
    for number, address in enumerate(mailbox.addresses):
        message = mailbox.parsed(number)
        parts = [message.get_body((kind,)).get_content() for kind in ("plain", "html")]
        found[address] = [str(message["Subject"]), *parts]
    return found


def test_a_german_invitation_of_an_english_organization_arrives_in_german(key, smtp, mailbox, drain):
    for address, language in (("vera@acme.test", "de"), ("jane@acme.test", "")):
        body = {"emails": [address], "language": language} if language else {"emails": [address]}
        assert key("POST", SENDING, body).status_code == 201
    drain()
    german, english = texts(mailbox)["vera@acme.test"], texts(mailbox)["jane@acme.test"]
    assert [leaks(text, "de") for text in german] == [set()] * 3
    assert '<html lang="de"' in german[2]
    expires_at = Invitation.objects.get(key="vera@acme.test").expires_at
    with translation.override("de"):
        date = format_date(expires_at, "long")
    assert date in german[1]
    assert date in german[2]
    assert '<html lang="en"' in english[2]


def test_the_language_of_the_organization_counts_where_none_is_told(key, smtp, mailbox, drain):
    Organization.objects.update(language="de")
    key("POST", SENDING, {"emails": ["vera@acme.test"]})
    key("POST", SENDING, {"emails": ["jane@acme.test"], "language": "en"})
    drain()
    assert '<html lang="de"' in texts(mailbox)["vera@acme.test"][2]
    assert '<html lang="en"' in texts(mailbox)["jane@acme.test"][2]


@pytest.mark.parametrize("path", [SENDING, f"{SENDING}/preview"])
def test_rest_refuses_a_language_that_there_is_not(key, path):
    response = key("POST", path, {"emails": ["vera@acme.test"], "language": "klingon"})
    assert_problem(response, 422, "language_unknown")
    assert response.data["errors"][0]["field"] == "language"
    assert "en, de, ar" in response.data["detail"]
    assert not Invitation.objects.exists()


def test_rest_still_wants_addresses_or_a_text(key):
    for body in ({"language": "de"}, {"emails": ["a@b.test"], "text": "a@b.test", "language": "de"}):
        assert_problem(key("POST", SENDING, body), 422, "invalid_input")
    assert key("POST", SENDING, {"text": "vera@acme.test", "language": "DE"}).status_code == 201
    assert Invitation.objects.get().language == "de"


def test_the_language_of_an_invitation_is_no_part_of_its_resource(key):
    response = key("POST", SENDING, {"emails": ["vera@acme.test"], "language": "de"})
    assert "language" not in response.data["results"][0]["invitation"]


def test_an_expired_invitation_that_is_sent_again_keeps_its_language(organization, alice):
    parsed = parse_items(["vera@acme.test"])
    send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed, language="de")
    old = Invitation.objects.get()
    Invitation.objects.update(status=Status.EXPIRED, ended_at=old.invited_at)
    new = resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=old.pk)
    assert new.pk != old.pk
    assert Invitation.objects.get(pk=new.pk).language == "de"


def test_nothing_is_sent_in_a_language_that_there_is_not(organization, alice):
    parsed = parse_items(["vera@acme.test"])
    with pytest.raises(errors.LanguageUnknown):
        send_invitations(actor=actor_of(alice), organization=organization, parsed=parsed, language="x")
    assert not Invitation.objects.exists()

"""Taking an invited address into the account that one is signed in with."""

import re
from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from guestlist.links import HAND_OVER, invitation_token, new_nonce
from guestlist.models import Invitation, Membership
from guestlist_server.accounts.models import AddressCode, User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, make_user
from tests.web.test_accounts_pages import prove


@pytest.fixture
def invitation(organization, alice):
    return send(organization, alice, "vera@acme.test").outcomes[0].invitation


@pytest.fixture
def token(invitation):
    return invitation_token(invitation.nonce, invitation.pk)


@pytest.fixture
def page(token):
    return f"/accounts/add-address/{token}/"


@pytest.fixture
def vera(organization):
    """Somebody with another address than the one that was invited."""
    return make_user("vera@home.test", "Vera Vance")


@pytest.fixture
def client(vera, as_user):
    return as_user(vera)


def mailed_code():
    return re.search(r"^([A-Z2-9]{4}-[A-Z2-9]{4})$", mail.outbox[-1].body, re.MULTILINE)[1]


def test_who_is_signed_out_is_led_to_sign_in(page):
    assert Client().get(page)["Location"].startswith("/accounts/login/?next=")


def test_it_asks_who_is_there_first(page, client):
    for answer in (
        client.get(page),
        client.post(page, {"send": "1"}),
        client.post(page, {"code": "AAAA-AAAA"}),
    ):
        assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not mail.outbox
    assert not AddressCode.objects.exists()


def test_a_code_from_the_mailbox_adds_the_address_and_leads_to_the_invitation(
    invitation, token, page, client, vera
):
    offer = client.get(f"/i/{token}").content.decode()
    assert f'href="{page}"' in offer
    prove(client)
    warned = client.get(page).content.decode()
    assert "will be able to sign in as you" in warned
    assert "v***@acme.test" in warned
    assert "vera@acme.test" not in warned
    assert not mail.outbox

    assert client.post(page, {"send": "1"})["Location"] == page
    assert mail.outbox[-1].to == ["vera@acme.test"]
    assert not EmailAddress.objects.filter(email="vera@acme.test").exists()
    response = client.post(page, {"code": mailed_code().lower().replace("-", " ")})
    assert response["Location"] == f"/i/{token}"
    added = EmailAddress.objects.get(email="vera@acme.test")
    assert (added.user, added.verified, added.primary) == (vera, True, False)
    assert mail.outbox[-1].to == ["vera@home.test"]
    assert "vera@acme.test was added" in mail.outbox[-1].body
    assert not Membership.objects.filter(user=vera).exists()

    assert "Accept Invitation" in client.get(f"/i/{token}").content.decode()
    client.post(f"/i/{token}")
    assert Membership.objects.get(user=vera).email == "vera@home.test"


def test_five_wrong_codes_end_it_even_for_the_right_one(page, client):
    prove(client)
    client.post(page, {"send": "1"})
    right = mailed_code()
    for _ in range(5):
        assert client.post(page, {"code": "BBBB-BBBB"}).status_code == 422
    assert client.post(page, {"code": right}).status_code == 422
    assert not EmailAddress.objects.filter(email="vera@acme.test").exists()


def test_tries_are_counted_across_sessions(page, client, vera, as_user):
    prove(client)
    client.post(page, {"send": "1"})
    right = mailed_code()
    for _ in range(5):
        other = as_user(vera)
        prove(other)
        other.post(page, {"code": "BBBB-BBBB"})
    assert client.post(page, {"code": right}).status_code == 422


def test_a_code_is_dead_after_fifteen_minutes(page, client):
    prove(client)
    client.post(page, {"send": "1"})
    AddressCode.objects.update(created_at=F("created_at") - timedelta(minutes=15, seconds=1))
    answer = client.post(page, {"code": mailed_code()})
    assert "doesn’t work any more" in answer.content.decode()
    assert not EmailAddress.objects.filter(email="vera@acme.test").exists()


def test_three_codes_an_hour_and_only_the_newest_works(page, client, organization, alice):
    prove(client)
    codes = []
    for _ in range(3):
        client.post(page, {"send": "1"})
        codes.append(mailed_code())
    answer = client.post(page, {"send": "1"})
    assert answer.status_code == 429
    # Another invitation is no way round it.
    other = send(organization, alice, "noor@acme.test").outcomes[0].invitation
    elsewhere = f"/accounts/add-address/{invitation_token(other.nonce, other.pk)}/"
    assert client.post(elsewhere, {"send": "1"}).status_code == 429
    assert len(mail.outbox) == 3
    assert client.post(page, {"code": codes[0]}).status_code == 422
    assert client.post(page, {"code": codes[2]}).status_code == 302
    AddressCode.objects.update(created_at=F("created_at") - timedelta(hours=1))
    assert client.post(elsewhere, {"send": "1"}).status_code == 302


def test_a_code_that_was_not_sent_does_not_count(page, client, monkeypatch):
    def fail(*_):
        raise SMTPServerDisconnected("gone")

    prove(client)
    with monkeypatch.context() as down:
        down.setattr(EmailBackend, "send_messages", fail)
        for _ in range(4):
            assert client.post(page, {"send": "1"}).status_code == 503
    for _ in range(3):
        assert client.post(page, {"send": "1"}).status_code == 302
    assert client.post(page, {"send": "1"}).status_code == 429


def test_a_code_for_one_address_adds_no_other(page, client, organization, alice):
    prove(client)
    client.post(page, {"send": "1"})
    other = send(organization, alice, "noor@acme.test").outcomes[0].invitation
    elsewhere = f"/accounts/add-address/{invitation_token(other.nonce, other.pk)}/"
    assert client.post(elsewhere, {"code": mailed_code()}).status_code == 422


def test_a_code_of_somebody_else_adds_nothing(page, client, as_user, mallory):
    prove(client)
    client.post(page, {"send": "1"})
    thief = as_user(mallory)
    prove(thief)
    assert thief.post(page, {"code": mailed_code()}).status_code == 422


def test_the_code_is_stored_nowhere(page, client):
    prove(client)
    client.post(page, {"send": "1"})
    code = mailed_code()
    rows = str(list(AddressCode.objects.values()))
    assert code not in rows
    assert code.replace("-", "") not in rows


def test_an_address_that_is_somebodys_is_not_offered(token, page, client):
    make_user("vera@acme.test", "The other Vera")
    prove(client)
    assert page not in client.get(f"/i/{token}").content.decode()
    for answer in (client.get(page), client.post(page, {"send": "1"})):
        assert answer["Location"] == f"/i/{token}"
    assert not mail.outbox


def test_who_only_claimed_the_address_loses_it(page, client):
    squatter = User.objects.create_user("vera@acme.test", PASSWORD, name="Squatter")
    EmailAddress.objects.create(user=squatter, email="vera@acme.test", primary=True)
    prove(client)
    client.post(page, {"send": "1"})
    client.post(page, {"code": mailed_code()})
    assert EmailAddress.objects.get(email="vera@acme.test").user.email == "vera@home.test"
    squatter.refresh_from_db()
    assert squatter.email is None


def test_an_unverified_address_of_ones_own_becomes_verified(page, client, vera):
    EmailAddress.objects.create(user=vera, email="vera@acme.test", verified=False)
    prove(client)
    client.post(page, {"send": "1"})
    client.post(page, {"code": mailed_code()})
    assert EmailAddress.objects.get(email="vera@acme.test").verified


@pytest.mark.parametrize("kind", ["hand-over", "revoked", "forged", "mail is off"])
def test_no_other_link_offers_it(invitation, token, client, kind, settings):
    if kind == "hand-over":
        nonce = new_nonce()
        Invitation.objects.filter(pk=invitation.pk).update(hand_over_nonce=nonce)
        token = invitation_token(nonce, invitation.pk, HAND_OVER)
    elif kind == "revoked":
        Invitation.objects.filter(pk=invitation.pk).update(status="revoked", ended_at=Now())
    elif kind == "forged":
        token = f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}"
    else:
        settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    prove(client)
    page = f"/accounts/add-address/{token}/"
    assert client.post(page, {"send": "1"})["Location"] == f"/i/{token}"
    assert page not in client.get(f"/i/{token}").content.decode()
    assert not mail.outbox


def test_a_mail_server_that_is_down_is_told(page, client, monkeypatch):
    def fail(*_):
        raise SMTPServerDisconnected("gone")

    prove(client)
    monkeypatch.setattr(EmailBackend, "send_messages", fail)
    answer = client.post(page, {"send": "1"})
    assert answer.status_code == 503
    assert "mail server doesn’t answer" in answer.content.decode()
    assert not AddressCode.objects.exists()
    assert client.post("/accounts/password/reset/", {"email": "vera@home.test"}).status_code == 503

"""Confirming an address by a code: what is mailed opens nothing, whoever or whatever reads it."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail, signing
from django.db import IntegrityError
from django.test import Client

from guestlist.links import HAND_OVER, invitation_token, new_nonce
from guestlist.models import Invitation, Membership
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, make_user
from tests.web.test_accounts_pages import prove

CODE = "/accounts/confirm-email/"
EMAIL = "/accounts/email/"


def mailed_code():
    return re.search(r"^([A-Z]{4}-[A-Z]{4})$", mail.outbox[-1].body, re.MULTILINE)[1]


def invitation_to(organization, alice, email):
    return send(organization, alice, email).outcomes[0].invitation


def link_to(invitation):
    return f"/i/{invitation_token(invitation.nonce, invitation.pk)}"


def hand_over(invitation):
    nonce = new_nonce()
    Invitation.objects.filter(pk=invitation.pk).update(hand_over_nonce=nonce)
    return f"/i/{invitation_token(nonce, invitation.pk, HAND_OVER)}"


def claim(user, email, **values):
    return EmailAddress.objects.create(user=user, email=email, **values)


@pytest.fixture
def client(mallory, as_user):
    """Mallory, who has just proved who she is."""
    client = as_user(mallory)
    prove(client)
    return client


@pytest.fixture
def open_sign_up(settings):
    settings.GUESTLIST_SIGNUP = "open"


def test_the_mail_to_a_claimed_address_holds_nothing_to_open(client):
    client.post(EMAIL, {"email": "victim@acme.test", "action_add": ""})
    message = mail.outbox[-1]
    assert message.to == ["victim@acme.test"]
    assert "Mallory Mayhem wants to add this address to an account" in message.body
    assert "http" not in message.body
    assert mailed_code()
    assert not EmailAddress.objects.filter(email="victim@acme.test").exists()


def test_no_link_confirms_an_address(mallory, settings):
    claimed = claim(mallory, "victim@acme.test")
    key = signing.dumps(claimed.pk, salt="account")
    for browser in (Client(), Client()):
        for method in (browser.get, browser.head, browser.post):
            assert method(f"{CODE}{key}/").status_code == 404
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = False
    assert Client().post(f"{CODE}{key}/").status_code == 404
    claimed.refresh_from_db()
    assert not claimed.verified


def test_a_code_counts_only_in_the_session_that_asked(client, mallory, as_user):
    client.post(EMAIL, {"email": "victim@acme.test", "action_add": ""})
    code = mailed_code()
    for other in (Client(), as_user(mallory), as_user(make_user("victor@acme.test", "Victor"))):
        assert other.post(CODE, {"code": code}).status_code == 302
    assert not EmailAddress.objects.filter(email="victim@acme.test").exists()
    assert client.post(CODE, {"code": code.lower().replace("-", " ")})["Location"] == EMAIL
    assert EmailAddress.objects.get(email="victim@acme.test").verified


def test_five_wrong_codes_end_it(client):
    client.post(EMAIL, {"email": "victim@acme.test", "action_add": ""})
    code = mailed_code()
    for _ in range(4):
        assert "Incorrect code" in client.post(CODE, {"code": "BBBB-BBBB"}).content.decode()
    client.post(CODE, {"code": "BBBB-BBBB"})
    client.post(CODE, {"code": code})
    assert not EmailAddress.objects.filter(email="victim@acme.test").exists()


def test_a_new_code_ends_the_one_before(client):
    client.post(EMAIL, {"email": "victim@acme.test", "action_add": ""})
    first = mailed_code()
    page = client.get(CODE).content.decode()
    assert "victim<wbr>@acme" in page
    assert "Send New Code" in page
    client.post(CODE, {"action": "resend"})
    assert len(mail.outbox) == 2
    assert client.post(CODE, {"code": first}).status_code == 200
    assert client.post(CODE, {"code": mailed_code()})["Location"] == EMAIL


def test_an_invitation_survives_sign_up_and_its_code(organization, alice, open_sign_up):
    link = link_to(invitation_to(organization, alice, "vera@acme.test"))
    browser = Client()
    assert f'name="next" value="{link}"' in browser.get("/accounts/signup/", {"next": link}).content.decode()
    form = {"name": "Vera Vance", "email": "vera@acme.test", "password1": PASSWORD, "next": link}
    assert browser.post("/accounts/signup/", form)["Location"] == CODE
    assert browser.get("/accounts/profile/").status_code == 302
    assert "Cancel" in browser.get(CODE).content.decode()
    assert browser.post(CODE, {"code": mailed_code()})["Location"] == link
    assert "Accept Invitation" in browser.get(link).content.decode()
    browser.post(link)
    assert Membership.objects.get(user__email="vera@acme.test").email_verified


def test_an_invitation_survives_sign_in_and_its_code(organization, alice):
    """An account that joined by a link that was handed over confirms its address when it signs in."""
    Client().post(
        hand_over(invitation_to(organization, alice, "vera@acme.test")),
        {"name": "Vera Vance", "password": PASSWORD},
    )
    browser = Client()
    form = {"login": "vera@acme.test", "password": PASSWORD, "next": "/organizations"}
    assert browser.post("/accounts/login/", form)["Location"] == CODE
    assert browser.get("/organizations").status_code == 302
    assert browser.post(CODE, {"code": mailed_code()})["Location"] == "/organizations"
    assert browser.get("/organizations").status_code == 200
    assert Membership.objects.get(user__email="vera@acme.test").email_verified


def test_who_typed_a_wrong_address_at_sign_up_turns_back(db, open_sign_up):
    browser = Client()
    form = {"name": "Vera Vance", "email": "vera@acme.tset", "password1": PASSWORD}
    browser.post("/accounts/signup/", form)
    assert browser.get("/accounts/signup/")["Location"] == CODE
    assert browser.post("/accounts/logout/", {"next": "/accounts/login/"})["Location"] == "/accounts/login/"
    assert browser.get("/accounts/signup/").status_code == 200


def test_signing_up_looks_the_same_for_an_address_with_an_account(alice, open_sign_up):
    pages = []
    for email in (alice.email, "nobody@northwind.test"):
        browser = Client()
        form = {"name": "X", "email": email, "password1": PASSWORD}
        assert browser.post("/accounts/signup/", form)["Location"] == CODE
        page = browser.get(CODE).content.decode()
        pages.append(re.sub(r'value="\w{64}"|nonce="[^"]*"', "", page).replace(email.partition("@")[0], ""))
    assert pages[0] == pages[1]
    assert "already" in mail.outbox[0].subject + mail.outbox[0].body


def test_whoever_types_the_code_takes_the_address_from_a_mere_claim(client, mallory):
    squatter = User.objects.create_user("shared@acme.test", PASSWORD, name="Squatter")
    claim(squatter, "shared@acme.test", primary=True)
    client.post(EMAIL, {"email": "shared@acme.test", "action_add": ""})
    assert client.post(CODE, {"code": mailed_code()})["Location"] == EMAIL
    assert EmailAddress.objects.get(email="shared@acme.test").user == mallory
    squatter.refresh_from_db()
    assert squatter.email is None


def test_an_address_that_somebody_confirmed_is_not_taken(client, alice):
    client.post(EMAIL, {"email": alice.email, "action_add": ""})
    assert client.post(CODE, {"code": mailed_code()}).status_code == 200
    assert EmailAddress.objects.get(email=alice.email).user == alice


def test_two_who_confirm_at_once_are_no_error(client, mallory, monkeypatch):
    client.post(EMAIL, {"email": "shared@acme.test", "action_add": ""})

    def lose(*_args, **_named):
        raise IntegrityError

    monkeypatch.setattr("guestlist_server.accounts.adapter.take_from_squatters", lose)
    assert client.post(CODE, {"code": mailed_code()})["Location"] == EMAIL
    assert not EmailAddress.objects.filter(email="shared@acme.test").exists()


@pytest.mark.django_db
def test_without_a_code_on_its_way_there_is_no_page(client, settings):
    assert client.get(CODE)["Location"] == EMAIL
    assert Client().get(CODE)["Location"] == "/accounts/login/"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = False
    assert client.get(CODE)["Location"] == EMAIL


def test_where_mail_is_off_nothing_is_said_to_be_sent(client, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = False
    page = client.post(EMAIL, {"email": "new@evil.test", "action_add": ""}, follow=True).content.decode()
    assert "We sent" not in page
    assert not mail.outbox

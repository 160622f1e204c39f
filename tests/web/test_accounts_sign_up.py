"""Joining as somebody new: password, passkey, and a link that was handed over."""

import json
import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator as Key
from django.contrib.sessions.models import Session
from django.test import Client

from guestlist.links import HAND_OVER, invitation_token, new_nonce
from guestlist.models import Invitation, Membership
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD
from tests.web.authenticator import Authenticator

BEGIN = {"name": "Vera Vance", "email": "vera@acme.test", "password": "", "use_passkey": "1"}


@pytest.fixture
def invitation(organization, alice):
    return send(organization, alice, "vera@acme.test").outcomes[0].invitation


@pytest.fixture
def link(invitation):
    return f"/i/{invitation_token(invitation.nonce, invitation.pk)}"


def hand_over(invitation):
    """Another link to the same invitation, which proves no mailbox."""
    nonce = new_nonce()
    Invitation.objects.filter(pk=invitation.pk).update(hand_over_nonce=nonce)
    return f"/i/{invitation_token(nonce, invitation.pk, HAND_OVER)}"


def options_of(response):
    """The JSON that the page hands to the browser's passkeys."""
    found = re.search(
        r'<script id="passkey-data" type="application/json">(.*?)</script>', response.content.decode()
    )
    return json.loads(found[1])["creation_options"]


def test_reading_the_link_writes_no_session(link, client):
    page = client.get(link).content.decode()
    assert "Use a Passkey Instead" in page
    assert page.count("Accept Invitation") == 1
    assert not Session.objects.exists()


def test_joining_with_a_passkey_needs_no_password(link, client):
    key = Authenticator()
    options = options_of(client.post(link, BEGIN))
    assert not User.objects.filter(email="vera@acme.test").exists()
    response = client.post(link, {"credential": key.create(options)})
    assert response["Location"] == "/o/northwind/"
    user = User.objects.get(email="vera@acme.test")
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    assert key.user_handle.decode() == user.pk.hex
    assert client.get("/o/northwind/").status_code == 200
    assert set(Key.objects.filter(user=user).values_list("type", flat=True)) == {"webauthn", "recovery_codes"}

    # It signs in from then on, and nothing else is asked.
    other = Client()
    asked = other.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()
    form = {"credential": key.get(asked["request_options"]), "next": "/accounts/profile/"}
    assert other.post("/accounts/2fa/webauthn/login/", form)["Location"] == "/accounts/profile/"
    assert "Vera Vance" in other.get("/accounts/profile/").content.decode()


def test_the_name_and_address_of_the_second_post_do_not_matter(link, client):
    options = options_of(client.post(link, BEGIN))
    cheat = {"name": "Mallory", "email": "mallory@evil.test", "credential": Authenticator().create(options)}
    client.post(link, cheat)
    user = User.objects.get(email="vera@acme.test")
    assert user.name == "Vera Vance"
    assert not EmailAddress.objects.filter(email="mallory@evil.test").exists()


@pytest.mark.parametrize("wrong", [{"email": "mallory@evil.test"}, {"name": ""}, {"name": "see evil.test"}])
def test_a_wrong_name_or_address_begins_no_passkey(link, client, wrong):
    response = client.post(link, BEGIN | wrong)
    assert response.status_code == 422
    assert b"passkey-data" not in response.content
    assert b"Create a password" in response.content
    assert not Session.objects.exists()


def test_a_passkey_begun_for_one_invitation_opens_no_other(organization, alice, link, client):
    other = send(organization, alice, "noor@acme.test").outcomes[0].invitation
    options = options_of(client.post(link, BEGIN))
    elsewhere = f"/i/{invitation_token(other.nonce, other.pk)}"
    response = client.post(elsewhere, {"credential": Authenticator().create(options)})
    assert response.status_code == 422
    assert "can’t be used" in response.content.decode()
    assert not Key.objects.exists()


def test_a_passkey_works_once_and_only_in_its_session(link, client):
    credential = Authenticator().create(options_of(client.post(link, BEGIN)))
    assert Client().post(link, {"credential": credential}).status_code == 422
    client.post(link, {"credential": credential})
    assert Client().post(link, {"credential": credential}).status_code in (403, 410)
    assert Key.objects.filter(type="webauthn").count() == 1


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "{}",
        "[]",
        "null",
        "1",
        '"x"',
        "{",
        '{"id": "a", "rawId": "a", "type": "public-key", "response": {}}',
        '{"id": "QQ", "rawId": "QQ", "response": {"clientDataJSON": "e30", "attestationObject": "oA"}}',
        '{"id": "QQ", "rawId": "QQ", "response": {"clientDataJSON": "!", "attestationObject": "____"}}',
    ],
)
def test_what_is_no_passkey_is_refused(link, client, credential):
    client.post(link, BEGIN)
    assert client.post(link, {"credential": credential}).status_code == 422
    assert not User.objects.filter(email="vera@acme.test").exists()


@pytest.mark.parametrize(
    "key", [Authenticator("https://evil.test"), Authenticator(verified=False)], ids=["origin", "unverified"]
)
def test_a_passkey_for_another_site_or_without_its_person_is_refused(link, client, settings, key):
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = "evil" not in key.origin
    assert (
        client.post(link, {"credential": key.create(options_of(client.post(link, BEGIN)))}).status_code == 422
    )
    assert not Key.objects.exists()


def test_a_squatter_loses_the_address_to_a_passkey(link, client):
    squatter = User.objects.create_user("vera@acme.test", PASSWORD, name="Squatter")
    EmailAddress.objects.create(user=squatter, email="vera@acme.test", verified=False, primary=True)
    client.post(link, {"credential": Authenticator().create(options_of(client.post(link, BEGIN)))})
    assert EmailAddress.objects.get(email="vera@acme.test").user.name == "Vera Vance"
    squatter.refresh_from_db()
    assert squatter.email is None
    assert not squatter.has_usable_password()


def test_a_handed_over_link_makes_an_unverified_account(invitation, client, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"
    link = hand_over(invitation)
    assert "Continue with Dummy" not in client.get(link).content.decode()
    client.post(link, {"name": "Vera Vance", "password": PASSWORD})
    user = User.objects.get(email="vera@acme.test")
    assert not EmailAddress.objects.get(user=user).verified
    assert Membership.objects.filter(user=user).exists()
    # Nobody could mail a confirmation, so signing in asks for none.
    again = Client()
    assert again.post("/accounts/login/", {"login": user.email, "password": PASSWORD})["Location"] == "/"


def test_a_handed_over_link_takes_nothing_from_others(invitation, client, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    other = User.objects.create_user("noor@acme.test", PASSWORD, name="Noor")
    EmailAddress.objects.create(user=other, email="vera@acme.test", verified=False)
    link = hand_over(invitation)
    client.post(link, {"name": "Vera Vance", "password": PASSWORD})
    assert EmailAddress.objects.filter(user=other, email="vera@acme.test").exists()

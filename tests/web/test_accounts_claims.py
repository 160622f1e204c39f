"""Addresses that an account only claims: what is said of them, and what is left when they are taken away."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.test import Client

from guestlist.links import HAND_OVER, invitation_token, new_nonce
from guestlist.models import Invitation, Membership
from guestlist_server.accounts import profile
from guestlist_server.accounts.models import User
from guestlist_server.accounts.sign_up import create_verified_user
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, join, make_user

JOIN = {"name": "Vera Vance", "password": PASSWORD}
NOTE = "An account holds this address without having confirmed it."


@pytest.fixture
def invitation(organization, alice):
    return send(organization, alice, "vera@acme.test").outcomes[0].invitation


@pytest.fixture
def link(invitation):
    return f"/i/{invitation_token(invitation.nonce, invitation.pk)}"


@pytest.fixture
def squatter(db):
    """Somebody who claims Vera's address."""
    user = User.objects.create_user("vera@acme.test", PASSWORD, name="Squatter")
    EmailAddress.objects.create(user=user, email="vera@acme.test", primary=True)
    return user


def test_an_address_that_nobody_claims_is_not_said_to_be(link, client):
    assert NOTE not in client.get(link).content.decode()


def test_who_joins_is_told_that_an_account_claims_the_address(link, client, squatter):
    page = client.get(link).content.decode()
    assert NOTE in page
    assert page.index(NOTE) < page.index('name="password"')
    assert f'<a href="/accounts/login/?next={link.replace("/", "%2F")}">sign in with it first</a>' in page
    assert NOTE in client.post(link, {"name": ""}).content.decode()


def test_a_handed_over_link_takes_nothing_and_says_nothing_of_it(invitation, client, squatter, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    nonce = new_nonce()
    Invitation.objects.filter(pk=invitation.pk).update(hand_over_nonce=nonce)
    path = f"/i/{invitation_token(nonce, invitation.pk, HAND_OVER)}"
    assert NOTE not in client.get(path).content.decode()


def test_whose_account_it_is_signs_in_and_adds_the_address(link, client):
    vera = make_user("vera@home.test", "Vera Vance")
    EmailAddress.objects.create(user=vera, email="vera@acme.test")
    assert NOTE in client.get(link).content.decode()
    form = {"login": "vera@home.test", "password": PASSWORD, "next": link}
    assert client.post("/accounts/login/", form)["Location"] == link
    assert "Add This Address" in client.get(link).content.decode()


def test_the_next_address_of_the_account_becomes_its_primary_one(squatter):
    EmailAddress.objects.create(user=squatter, email="claimed@home.test")
    EmailAddress.objects.create(user=squatter, email="own@home.test", verified=True)
    create_verified_user("vera@acme.test", "Vera Vance", PASSWORD)
    squatter.refresh_from_db()
    assert squatter.email == "own@home.test"
    assert EmailAddress.objects.get_primary(squatter).email == "own@home.test"
    assert squatter.has_usable_password()


def test_memberships_show_the_next_address(organization, squatter):
    join(organization, squatter, "Member")
    EmailAddress.objects.create(user=squatter, email="own@home.test", verified=True)
    create_verified_user("vera@acme.test", "Vera Vance", PASSWORD)
    member = Membership.objects.get(user=squatter)
    assert (member.email, member.email_verified) == ("own@home.test", True)


def test_the_address_of_somebody_else_does_not_become_it(link, client, squatter):
    make_user("dora@beta.test", "Dora Dunn")
    EmailAddress.objects.create(user=squatter, email="dora@beta.test")
    assert client.post(link, JOIN)["Location"] == "/o/northwind/"
    squatter.refresh_from_db()
    assert squatter.email is None
    assert User.objects.get(email="dora@beta.test").name == "Dora Dunn"


def test_an_account_without_a_primary_address_signs_in_and_has_its_pages(squatter):
    make_user("dora@beta.test", "Dora Dunn")
    EmailAddress.objects.create(user=squatter, email="dora@beta.test")
    create_verified_user("vera@acme.test", "Vera Vance", PASSWORD)
    browser = Client()
    browser.force_login(User.objects.get(pk=squatter.pk))
    for path in ("profile/", "email/", "password/change/", "2fa/", "sessions/", "3rdparty/"):
        assert browser.get(f"/accounts/{path}").status_code == 200


def test_taking_an_address_leaves_the_rest_of_the_account_as_it_is(squatter, monkeypatch):
    """Another window may have changed it since it was read."""
    EmailAddress.objects.create(user=squatter, email="own@home.test", verified=True)
    delete = EmailAddress.delete

    def delete_later(address, *args, **kwargs):
        User.objects.filter(pk=squatter.pk).update(name="New Name")
        return delete(address, *args, **kwargs)

    monkeypatch.setattr(EmailAddress, "delete", delete_later)
    create_verified_user("vera@acme.test", "Vera Vance", PASSWORD)
    squatter.refresh_from_db()
    assert (squatter.name, squatter.email) == ("New Name", "own@home.test")


def test_saving_the_profile_leaves_a_password_that_was_set_meanwhile(alice, as_user, monkeypatch):
    client, clean = as_user(alice), profile.cleaned_name

    def clean_late(text):
        User.objects.filter(pk=alice.pk).update(password=make_password("another horse battery"))
        return clean(text)

    monkeypatch.setattr(profile, "cleaned_name", clean_late)
    client.post("/accounts/profile/", {"name": "Alice Zimmer", "language": "de", "time_zone": "asia/tokyo"})
    alice.refresh_from_db()
    assert (alice.name, alice.language, alice.time_zone) == ("Alice Zimmer", "de", "Asia/Tokyo")
    assert alice.check_password("another horse battery")

"""Attacks on accounts: swapped sessions, claimed addresses, misused tokens, redirects, forged headers."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client

from guestlist.links import invitation_token
from guestlist.models import Event, Invitation, Membership
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, make_user
from tests.web.authenticator import Authenticator
from tests.web.test_accounts_pages import prove
from tests.web.test_accounts_sign_up import BEGIN, options_of


def link_to(organization, alice, email):
    row = send(organization, alice, email).outcomes[0].invitation
    return f"/i/{invitation_token(row.nonce, row.pk)}"


@pytest.fixture
def link(organization, alice):
    return link_to(organization, alice, "vera@acme.test")


def sign_in(client, email, **values):
    return client.post("/accounts/login/", {"login": email, "password": PASSWORD, **values})


def test_a_used_link_makes_no_second_account_whatever_the_session_says(link, client):
    """T04."""
    client.post(link, BEGIN)
    stolen = client.session["guestlist.passkey_sign_up"]
    client.post(link, {"name": "Vera Vance", "password": PASSWORD})
    thief = Client()
    session = thief.session
    session["guestlist.passkey_sign_up"] = stolen
    session.save()
    thief.cookies["sessionid"] = session.session_key
    assert thief.post(link, {"credential": Authenticator().create(options_of_nothing())}).status_code in (
        403,
        410,
    )
    assert thief.post(link, {"name": "X", "password": PASSWORD}).status_code in (403, 410)
    assert Membership.objects.filter(organization__slug="northwind").count() == 2
    assert User.objects.filter(email="vera@acme.test").count() == 1


def options_of_nothing():
    user = {"id": "QQ", "name": "x", "displayName": "x"}
    return {"publicKey": {"rp": {"id": "127.0.0.1"}, "user": user, "challenge": "QQ"}}


def test_a_state_for_another_invitation_opens_nothing(organization, alice, link, client):
    """T04, across invitations."""
    other = link_to(organization, alice, "noor@acme.test")
    options = options_of(client.post(link, BEGIN))
    session = client.session
    session["guestlist.passkey_sign_up"] |= {
        "invitation": str(Invitation.objects.get(email="noor@acme.test").pk)
    }
    session.save()
    client.post(other, {"credential": Authenticator().create(options)})
    # Whoever writes the server's own sessions gets at most the address that the link proves.
    assert not User.objects.filter(email="vera@acme.test").exists()


def test_claiming_an_address_opens_no_invitation(link, mallory, as_user, mailoutbox):
    """T10."""
    client = as_user(mallory)
    prove(client)
    client.post("/accounts/email/", {"email": "vera@acme.test", "action_add": ""})
    assert not EmailAddress.objects.filter(email="vera@acme.test").exists()
    assert [message.to for message in mailoutbox] == [["vera@acme.test"]]
    client.post("/accounts/email/", {"email": "vera@acme.test", "action_primary": ""})
    mallory.refresh_from_db()
    assert mallory.email == "mallory@evil.test"
    assert client.post(link).status_code == 403
    assert Invitation.objects.get().status == "pending"


def test_a_changed_primary_address_is_told_to_the_old_one(mallory, as_user, mailoutbox):
    """T10."""
    EmailAddress.objects.create(user=mallory, email="new@evil.test", verified=True)
    client = as_user(mallory)
    prove(client)
    client.post("/accounts/email/", {"email": "new@evil.test", "action_primary": ""})
    assert mailoutbox[-1].to == ["mallory@evil.test"]
    assert "new@evil.test" in mailoutbox[-1].body


def test_the_token_of_a_link_is_no_other_credential(link, client):
    """T13."""
    token = link.removeprefix("/i/")
    assert (
        client.get(
            "/api/v1/organizations/northwind", headers={"Authorization": f"Bearer {token}"}
        ).status_code
        == 401
    )
    path = f"/accounts/password/reset/key/1-{token}/"
    assert "This link doesn’t work" in client.get(path).content.decode()
    assert client.post(path).status_code in (200, 302, 404)
    assert client.post(f"/accounts/confirm-email/{token}/").status_code == 404
    for path in (f"/setup/{token}", f"/u/{token}"):
        assert client.get(path).status_code in (404, 410)
    client.cookies["sessionid"] = token
    assert client.get("/accounts/profile/").status_code == 302
    assert not EmailAddress.objects.filter(email="vera@acme.test").exists()


def test_no_other_credential_is_the_token_of_a_link(organization, alice, make_key, as_user, mailoutbox):
    """T13, the other way round."""
    client = as_user(alice)
    client.post("/accounts/password/reset/", {"email": alice.email})
    reset = re.search(r"/key/(\S+?)/", mailoutbox[-1].body)[1]
    for secret in (make_key(organization), client.cookies["sessionid"].value, reset, f"gli_{reset}"):
        assert Client().get(f"/i/{secret}").status_code == 404
        assert client.get(f"/accounts/add-address/{secret}/").status_code == 302


def test_opening_somebodys_link_before_signing_in_changes_nothing(organization, alice, link, client):
    """T16: an image in a page makes the browser open a link; then its owner signs in."""
    make_user("vera@acme.test", "Vera Vance")
    trap = link_to(organization, alice, "trap@evil.test")
    client.get(trap)
    client.head(trap)
    assert "sessionid" not in client.cookies
    assert sign_in(client, "vera@acme.test")["Location"] == "/"
    assert not Membership.objects.filter(user__email="vera@acme.test").exists()
    assert Invitation.objects.filter(status="pending").count() == 2
    assert "trap@evil.test" not in client.get(link).content.decode()


def test_joining_needs_the_page_and_its_csrf_token(link):
    """T16."""
    vera = make_user("vera@acme.test", "Vera Vance")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(vera)
    assert browser.post(link).status_code == 403
    assert Invitation.objects.get().status == "pending"


def test_the_link_signs_nobody_in_and_signing_in_makes_a_new_session(link, client):
    """S05."""
    make_user("vera@acme.test", "Vera Vance")
    page = client.get(link)
    assert "already has an account" in page.content.decode()
    assert client.post(link, {"name": "Vera", "password": PASSWORD}).status_code == 403
    assert not Session.objects.exists()
    client.cookies["sessionid"] = "fixed" * 8
    sign_in(client, "vera@acme.test", next=link)
    first = client.cookies["sessionid"].value
    assert first != "fixed" * 8
    client.post("/accounts/logout/")
    assert not Session.objects.filter(session_key=first).exists()
    assert client.get("/accounts/profile/").status_code == 302


def test_joining_by_passkey_makes_a_new_session(link, client):
    """S05: the session in which the passkey was begun is not the one that is signed in."""
    options = options_of(client.post(link, BEGIN))
    before = client.cookies["sessionid"].value
    client.post(link, {"credential": Authenticator().create(options)})
    assert client.cookies["sessionid"].value != before
    assert not Session.objects.filter(session_key=before).exists()


HOSTILE = [
    "//evil.test",
    "/\\evil.test",
    "https:evil.test",
    "https://evil.test/",
    "javascript:alert(1)",
    "%2f%2fevil.test",
    "/\t/evil.test",
    "@evil.test",
    "\\\\evil.test",
    "http:///evil.test",
    " //evil.test",
]


@pytest.mark.parametrize("target", HOSTILE)
def test_nothing_leads_away(alice, client, target):
    """H04."""
    assert sign_in(client, alice.email, next=target)["Location"] == "/"
    proof = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": target})
    assert proof["Location"].startswith("/accounts/") or proof["Location"] == "/"
    away = client.post("/accounts/logout/", {"next": target})
    assert away["Location"] == "/"


@pytest.mark.parametrize("target", HOSTILE)
def test_neither_a_passkey_nor_a_provider_leads_away(link, client, target):
    """H04."""
    key = Authenticator()
    client.post(link, {"credential": key.create(options_of(client.post(link, BEGIN)))})
    other = Client()
    asked = other.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()
    form = {"credential": key.get(asked["request_options"]), "next": target}
    assert other.post("/accounts/2fa/webauthn/login/", form)["Location"] == "/"
    start = Client()
    back = start.post("/accounts/dummy/login/", {"next": target})["Location"]
    claims = {"id": "7", "email": "x@evil.test", "email_verified": "on"}
    assert f'href="{target}"' not in start.post(back, claims).content.decode()


@pytest.mark.parametrize(
    ("proxies", "header", "shown"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9:4711", "203.0.113.9"),
        (1, "6.6.6.6, [2001:db8::1]:4711", "2001:db8::1"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "6.6.6.6, evil", "127.0.0.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_only_the_trusted_proxies_word_counts(link, client, settings, proxies, header, shown):
    """The audit log and the list of sessions agree on it."""
    settings.GUESTLIST_TRUSTED_PROXIES = proxies
    client.post(link, {"name": "Vera Vance", "password": PASSWORD}, headers={"X-Forwarded-For": header})
    assert Event.objects.filter(type="member.joined").latest("number").ip == shown
    assert shown in client.get("/accounts/sessions/").content.decode()

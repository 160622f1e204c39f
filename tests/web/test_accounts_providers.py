"""Accounts of identity providers: who may join with one, and what is refused."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.db.models.functions import Now

from guestlist.links import invitation_token
from guestlist.models import Invitation, Membership
from guestlist_server.accounts.models import User
from guestlist_server.environment import read
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, make_user
from tests.web.test_accounts_pages import prove

VERA = {
    "id": "7",
    "email": "Vera@acme.test",
    "email_verified": "on",
    "first_name": "Vera",
    "last_name": "Vance",
}


@pytest.fixture
def invitation(organization, alice):
    return send(organization, alice, "vera@acme.test").outcomes[0].invitation


@pytest.fixture
def link(invitation):
    return f"/i/{invitation_token(invitation.nonce, invitation.pk)}"


def come_back(client, claims, **values):
    """Go to the provider and come back as whom it says."""
    start = client.post("/accounts/dummy/login/", values)
    assert parse_qs(urlsplit(start["Location"]).query)["state"]
    return client.post(start["Location"], claims)


def test_the_invitation_offers_the_provider_and_writes_no_session(link, client):
    page = client.get(link).content.decode()
    assert "Continue with Dummy" in page
    assert 'formaction="/accounts/dummy/login/"' in page
    assert not Session.objects.exists()


def test_reading_the_providers_address_goes_nowhere(client, db):
    answer = client.get("/accounts/dummy/login/")
    assert answer.status_code == 200
    assert "Continue with Dummy" in answer.content.decode()
    assert not Session.objects.exists()


def test_who_has_the_invited_address_there_joins(link, client):
    assert come_back(client, VERA, next=link)["Location"] == link
    user = User.objects.get(email="vera@acme.test")
    assert (user.name, user.has_usable_password()) == ("Vera Vance", False)
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == ("vera@acme.test", True, True)
    assert not Membership.objects.filter(user=user).exists()
    assert "Accept Invitation" in client.get(link).content.decode()
    client.post(link)
    assert Membership.objects.filter(user=user).exists()
    # The next time it just signs in.
    client.logout()
    assert come_back(client, VERA, next="/accounts/profile/")["Location"] == "/accounts/profile/"


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "mallory@evil.test"},
        {"email": "vera+x@acme.test"},
        {"email_verified": ""},
        {"email": ""},
    ],
)
def test_another_or_unverified_address_is_refused(link, client, claims):
    answer = come_back(client, VERA | claims, next=link)
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "This is another address" in page
    assert "v***@acme.test" in page
    assert f'href="{link}"' in page
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


def test_without_an_invitation_there_is_no_account(client, db):
    for values in ({}, {"next": "/"}, {"next": "/i/gli_nonsense"}, {"next": "//evil.test/i/gli_x"}):
        answer = come_back(client, VERA, **values)
        assert answer.status_code == 403
        assert "Sign-up is by invitation" in answer.content.decode()
    assert not User.objects.exists()


def test_an_ended_invitation_makes_no_account(invitation, link, client):
    Invitation.objects.filter(pk=invitation.pk).update(status="revoked", ended_at=Now())
    assert come_back(client, VERA, next=link).status_code == 403
    assert not User.objects.filter(email="vera@acme.test").exists()


def test_an_account_is_not_connected_because_the_addresses_are_the_same(link, client):
    vera = make_user("vera@acme.test", "Vera Vance")
    for values in ({"next": link}, {}):
        assert come_back(client, VERA, **values).status_code == 403
    assert not SocialAccount.objects.exists()
    assert "_auth_user_id" not in client.session
    assert vera.has_usable_password()


def test_who_only_claimed_the_address_loses_it(link, client):
    squatter = User.objects.create_user("vera@acme.test", PASSWORD, name="Squatter")
    EmailAddress.objects.create(user=squatter, email="vera@acme.test", primary=True)
    come_back(client, VERA, next=link)
    squatter.refresh_from_db()
    assert squatter.email is None
    assert EmailAddress.objects.get(email="vera@acme.test").user.name == "Vera Vance"


def test_a_hostile_name_is_not_taken_over(link, client):
    come_back(client, VERA | {"first_name": "https://evil.test", "last_name": ""}, next=link)
    assert User.objects.get(email="vera@acme.test").name == "vera"


def test_where_sign_up_is_open_anybody_may_come(client, settings, db):
    settings.GUESTLIST_SIGNUP = "open"
    assert come_back(client, VERA)["Location"] == "/"
    user = User.objects.get(email="vera@acme.test")
    assert EmailAddress.objects.get(user=user).verified


def test_connecting_asks_who_is_there_and_disconnecting_asks_first(alice, as_user, mailoutbox):
    client = as_user(alice)
    assert come_back(client, VERA, process="connect")["Location"] == "/accounts/reauthenticate/"
    assert not SocialAccount.objects.exists()
    prove(client)
    account = SocialAccount.objects.get(user=alice)
    assert mailoutbox[-1].subject == "Account connected"
    assert "Dummy" in client.get("/accounts/3rdparty/").content.decode()
    assert not EmailAddress.objects.filter(email="vera@acme.test").exists()

    asked = client.post("/accounts/3rdparty/", {"account": account.pk})
    assert "Disconnect" in asked.content.decode()
    assert SocialAccount.objects.exists()
    client.post("/accounts/3rdparty/", {"account": account.pk, "confirmed": "1"})
    assert not SocialAccount.objects.exists()


def test_turning_back_and_errors_have_pages_with_a_way_on(client, db):
    for path, status in (("cancelled", 200), ("error", 401)):
        answer = client.get(f"/accounts/3rdparty/login/{path}/")
        assert answer.status_code == status
        assert 'href="/accounts/login/"' in answer.content.decode()


def test_forms_may_lead_to_configured_providers_only(client, settings, db):
    assert client.get("/accounts/login/")["Content-Security-Policy"].endswith("form-action 'self'")
    settings.GUESTLIST_FORM_ACTIONS = ["https://github.com"]
    policy = client.get("/accounts/login/")["Content-Security-Policy"]
    assert policy.endswith("form-action 'self' https://github.com")


@pytest.fixture
def configured(tmp_path):
    """The identity providers that variables configure."""
    return lambda **variables: read({"GUESTLIST_DATA_DIR": str(tmp_path)} | variables).providers


def test_variables_configure_providers(configured):
    assert configured() == []
    (google,) = configured(GUESTLIST_GOOGLE="id.apps:s%3Acret")
    assert google.app == "allauth.socialaccount.providers.google"
    assert google.settings["APPS"] == [{"client_id": "id.apps", "secret": "s:cret"}]
    assert [p.host for p in configured(GUESTLIST_GITHUB="a:b")] == ["https://github.com"]
    (shared,) = configured(GUESTLIST_MICROSOFT="a:b")
    (own,) = configured(GUESTLIST_MICROSOFT="a:b?tenant=acme.test")
    assert (shared.settings["VERIFIED_EMAIL"], own.settings["VERIFIED_EMAIL"]) == (False, True)
    for everybody in ("Common", "ORGANIZATIONS", "consumers", "9188040D-6C67-4C5B-B112-36A304B66DAD"):
        (shared,) = configured(GUESTLIST_MICROSOFT=f"a:b?tenant={everybody}")
        assert not shared.settings["VERIFIED_EMAIL"]
    (sso,) = configured(GUESTLIST_OIDC="https://a:b@id.acme.test:8443/realms/x/?name=Acme%20Login")
    assert sso.host == "https://id.acme.test:8443"
    (app,) = sso.settings["APPS"]
    assert (app["name"], app["client_id"], app["secret"]) == ("Acme Login", "a", "b")
    assert app["settings"]["server_url"] == "https://id.acme.test:8443/realms/x"
    (elsewhere,) = configured(GUESTLIST_OIDC="https://a:b@id.acme.test?sign_in=https://login.acme.test/x")
    assert elsewhere.host == "https://login.acme.test"
    (numbered,) = configured(GUESTLIST_OIDC="https://a:b@id.acme.test?sign_in=https://[2001:db8::1]:8443/x")
    assert numbered.host == "https://[2001:db8::1]:8443"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GUESTLIST_GOOGLE", "id"),
        ("GUESTLIST_GITHUB", ":secret"),
        ("GUESTLIST_MICROSOFT", "id:?tenant=x"),
        ("GUESTLIST_OIDC", "https://id.acme.test"),
        ("GUESTLIST_OIDC", "http://a:b@id.acme.test"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test?sign_in=evil"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test?sign_in=https://x.test; script-src *"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test?sign_in=https://x.test;script-src"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test?sign_in=https://'self'"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test?sign_in=https://*"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test?sign_in=https://x.test:evil"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test?sign_in=https://[fe80::1%25; script-src]"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test?sign_in=javascript://x.test"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test; script-src *"),
        ("GUESTLIST_OIDC", "https://a:b@id.acme.test,evil?sign_in=https://login.acme.test"),
        ("GUESTLIST_CREATE_ORGANIZATIONS", "everybody"),
        ("GUESTLIST_TRUSTED_PROXIES", "-1"),
    ],
)
def test_a_wrong_variable_is_named(configured, name, value):
    with pytest.raises(ImproperlyConfigured, match=name):
        configured(**{name: value})


@pytest.mark.parametrize(
    ("url", "work"),
    [
        ("http://127.0.0.1:8000", False),
        ("https://192.0.2.1", False),
        ("https://[2001:db8::1]", False),
        ("http://guestlist.example.com", False),
        ("http://localhost:8000", True),
        ("https://guestlist.example.com", True),
    ],
)
def test_passkeys_need_a_name_and_tls(tmp_path, url, work):
    assert read({"GUESTLIST_DATA_DIR": str(tmp_path), "GUESTLIST_URL": url}).passkeys is work


def test_a_provider_that_is_down_is_told(client, monkeypatch, db):
    def fail(*_, **__):
        raise requests.ConnectionError("nobody there")

    monkeypatch.setattr("allauth.socialaccount.providers.dummy.provider.DummyProvider.redirect", fail)
    answer = client.post("/accounts/dummy/login/")
    assert answer.status_code == 502
    assert "That didn’t work" in answer.content.decode()

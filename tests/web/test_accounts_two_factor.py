"""A second factor between the password and the page one wanted."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.test import Client

from guestlist.links import invitation_token
from guestlist.models import Membership
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, make_user
from tests.web.test_accounts_pages import prove


def code_of(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture
def vera(organization):
    return make_user("vera@acme.test", "Vera Vance")


@pytest.fixture
def secret(vera):
    """Vera's authenticator app."""
    secret = generate_totp_secret()
    TOTP.activate(vera, secret)
    return secret


@pytest.fixture
def link(organization, alice):
    row = send(organization, alice, "vera@acme.test").outcomes[0].invitation
    return f"/i/{invitation_token(row.nonce, row.pk)}"


def test_a_password_alone_opens_nothing(vera, secret, client):
    response = client.post("/accounts/login/", {"login": vera.email, "password": PASSWORD})
    assert response["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/accounts/profile/").status_code == 302
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert client.get("/accounts/profile/").status_code == 302


def test_the_invitation_survives_the_second_factor(vera, secret, link, client):
    assert f"/accounts/login/?next={link}" in client.get(link).content.decode().replace("%2F", "/")
    client.post("/accounts/login/", {"login": vera.email, "password": PASSWORD, "next": link})
    assert "One more step" in client.get("/accounts/2fa/authenticate/").content.decode()
    response = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert response["Location"] == link
    assert not Membership.objects.filter(user=vera).exists()
    client.post(link)
    assert Membership.objects.filter(user=vera).exists()


def test_a_recovery_code_works_once(vera, secret, client):
    code = RecoveryCodes.activate(vera).get_unused_codes()[0]
    for status in (302, 200):
        browser = Client()
        browser.post("/accounts/login/", {"login": vera.email, "password": PASSWORD})
        assert browser.post("/accounts/2fa/authenticate/", {"code": code}).status_code == status


@pytest.mark.django_db(transaction=True)
def test_setting_up_an_app_gives_recovery_codes_and_tells_the_owner(vera, as_user):
    client = as_user(vera)
    prove(client)
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    assert "<svg" in page
    assert "data:image" not in page
    secret = client.session["mfa.totp.secret"]
    assert secret in page
    response = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert response["Location"] == "/accounts/2fa/recovery-codes/"
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()
    shown = client.get(response["Location"]).content.decode()
    assert all(code in shown for code in codes)
    download = client.get("/accounts/2fa/recovery-codes/download/")
    assert download.content.decode().split() == codes
    assert "attachment" in download["Content-Disposition"]
    assert [message.subject for message in mail.outbox] == ["Authenticator app set up"]
    assert mail.outbox[0].to == ["vera@acme.test"]


def test_removing_the_app_asks_first_and_tells_the_owner(vera, secret, as_user):
    client = as_user(vera)
    prove(client)
    page = client.get("/accounts/2fa/totp/deactivate/").content.decode()
    assert "Remove the authenticator app?" in page
    assert Authenticator.objects.count() == 1
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()
    assert mail.outbox[0].subject == "Authenticator app removed"


def test_who_has_an_app_may_confirm_with_it(vera, secret, as_user):
    client = as_user(vera)
    page = client.get("/accounts/reauthenticate/").content.decode()
    assert "/accounts/2fa/reauthenticate/" in page
    client.post("/accounts/2fa/reauthenticate/", {"code": code_of(secret)})
    assert client.get("/accounts/2fa/totp/deactivate/").status_code == 200


def test_secrets_are_not_stored_in_clear(vera, secret):
    RecoveryCodes.activate(vera)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored


def test_secrets_outlive_a_change_of_the_secret_key(vera, secret, client, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 50
    assert TOTP(Authenticator.objects.get(type="totp")).validate_code(code_of(secret))
    settings.SECRET_KEY_FALLBACKS = []
    assert not TOTP(Authenticator.objects.get(type="totp")).validate_code(code_of(secret))


def test_an_account_without_a_second_factor_signs_in_at_once(alice, client):
    response = client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert response["Location"] == "/"
    assert User.objects.get(pk=alice.pk).last_login

"""Accounts that have nothing here to prove themselves by: only an identity provider, or a passkey."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator as Key
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from guestlist.links import invitation_token
from guestlist_server.accounts.models import AddressCode, User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD
from tests.web.authenticator import Authenticator
from tests.web.test_accounts_providers import VERA, come_back
from tests.web.test_accounts_sign_up import BEGIN, options_of

AGAIN = "/accounts/sign-in-again/"


def link_to(organization, alice, email):
    row = send(organization, alice, email).outcomes[0].invitation
    return f"/i/{invitation_token(row.nonce, row.pk)}"


@pytest.fixture
def client(organization, alice, client):
    """Vera, who joined with her provider and has nothing else."""
    come_back(client, VERA, next=link_to(organization, alice, "vera@acme.test"))
    return client


@pytest.fixture
def page(organization, alice):
    return link_to(organization, alice, "vera@work.test").replace("/i/", "/accounts/add-address/") + "/"


def grow_old(client, seconds=300):
    """Let that time pass since the sign-in."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= seconds
    session.save()


def test_who_has_only_a_provider_adds_an_address_right_after_signing_in(page, client):
    assert client.get(page).status_code == 200
    assert client.post(page, {"send": "1"})["Location"] == page


def test_an_old_sign_in_by_the_provider_is_no_proof(page, client, mailoutbox):
    client.post(page, {"send": "1"})
    code = re.search(r"^([A-Z2-9]{4}-[A-Z2-9]{4})$", mailoutbox[-1].body, re.MULTILINE)[1]
    grow_old(client)
    for answer in (client.get(page), client.post(page, {"send": "1"}), client.post(page, {"code": code})):
        assert answer["Location"] == f"{AGAIN}?next={page.replace('/', '%2F')}"
    assert len(mailoutbox) == 1
    assert AddressCode.objects.count() == 1
    assert not EmailAddress.objects.filter(email="vera@work.test").exists()


def test_signing_in_by_the_provider_again_leads_back_to_the_address(page, client):
    grow_old(client)
    asked = client.get(client.get(page)["Location"]).content.decode()
    assert "Sign in again, or set a password first" in asked
    assert 'action="/accounts/dummy/login/"' in asked
    assert f'name="next" value="{page}"' in asked
    assert 'href="/accounts/password/reset/"' in asked
    assert come_back(client, VERA, next=page)["Location"] == page
    assert client.get(page).status_code == 200


def test_a_password_set_by_mail_is_the_other_way(page, client, mailoutbox):
    grow_old(client)
    client.post("/accounts/password/reset/", {"email": "vera@acme.test"})
    reset = re.search(r"(/accounts/password/reset/key/\S+)", mailoutbox[-1].body)[1]
    form = client.get(reset)["Location"]
    client.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    fresh = Client()
    fresh.post("/accounts/login/", {"login": "vera@acme.test", "password": PASSWORD})
    assert fresh.get(page)["Location"].startswith("/accounts/reauthenticate/")
    answer = fresh.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": page})
    assert answer["Location"] == page
    assert fresh.get(page).status_code == 200


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD}),
        ("/accounts/email/", {"email": "mallory@evil.test", "action_add": ""}),
        ("/accounts/2fa/totp/activate/", {"code": "123456"}),
        ("/accounts/2fa/webauthn/add/", {"name": "Key", "credential": "{}"}),
    ],
)
def test_no_other_proof_is_added_on_an_old_sign_in(client, path, form):
    grow_old(client)
    answers = [client.post(path, form)]
    if "email" not in path:
        answers.append(client.get(path))
    for answer in answers:
        assert answer.status_code == 302
        assert answer["Location"].startswith(AGAIN)
    user = User.objects.get(email="vera@acme.test")
    assert not user.has_usable_password()
    assert EmailAddress.objects.filter(user=user).count() == 1
    assert not Key.objects.exists()


def test_no_other_provider_is_connected_on_an_old_sign_in(client):
    grow_old(client)
    answer = come_back(client, VERA | {"id": "666"}, process="connect")
    assert client.get(answer["Location"])["Location"] == AGAIN
    assert "Continue with Dummy" in client.get(AGAIN).content.decode()
    assert SocialAccount.objects.count() == 1


def test_right_after_signing_in_a_password_can_be_set(client):
    assert client.get("/accounts/password/set/").status_code == 200
    client.post("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.get(email="vera@acme.test").has_usable_password()


def test_who_has_a_passkey_sets_a_password_only_with_it(organization, alice):
    noor, key = Client(), Authenticator()
    link = link_to(organization, alice, "noor@acme.test")
    begin = BEGIN | {"email": "noor@acme.test"}
    noor.post(link, {"credential": key.create(options_of(noor.post(link, begin)))})
    form = {"password1": PASSWORD, "password2": PASSWORD}
    assert noor.post("/accounts/password/set/", form)["Location"].startswith("/accounts/2fa/webauthn/reauth")
    assert not User.objects.get(email="noor@acme.test").has_usable_password()


def test_only_the_providers_of_the_account_are_offered(alice, as_user):
    alice.set_unusable_password()
    alice.save()
    page = as_user(alice).get(AGAIN).content.decode()
    assert "Continue with Dummy" not in page
    assert 'href="/accounts/password/reset/"' in page


def test_whose_keys_cannot_be_used_here_sets_a_password_by_mail(alice, as_user, settings):
    settings.MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
    alice.set_unusable_password()
    alice.save()
    Key.objects.create(user=alice, type=Key.Type.WEBAUTHN, data={"name": "Key", "credential": {}})
    browser = as_user(alice)
    for path in ("/accounts/reauthenticate/", "/accounts/password/set/", "/accounts/2fa/totp/activate/"):
        assert browser.get(path)["Location"].startswith(AGAIN)
    assert 'href="/accounts/password/reset/"' in browser.get(AGAIN).content.decode()


def test_who_can_prove_themselves_is_led_on(alice, as_user):
    assert as_user(alice).get(AGAIN, {"next": "/accounts/email/"})["Location"] == "/accounts/email/"


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "javascript:alert(1)"])
def test_it_leads_nowhere_else(client, target):
    grow_old(client)
    assert "evil" not in client.get(AGAIN, {"next": target}).content.decode()
    assert "alert(" not in client.get(AGAIN, {"next": target}).content.decode()


def test_who_is_signed_out_is_led_to_sign_in(db):
    assert Client().get(AGAIN)["Location"].startswith("/accounts/login/")

"""Steps of account pages that are repeated, skipped, replayed or come too late: each leads on."""

import json
import re

import pytest
from allauth.mfa.models import Authenticator as Key
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.sessions.models import Session
from django.test import Client

from guestlist.links import invitation_token
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, make_user
from tests.web.authenticator import Authenticator
from tests.web.test_accounts_pages import prove
from tests.web.test_accounts_two_factor import code_of

TWO_FACTOR = "/accounts/2fa/"


@pytest.fixture
def vera(db):
    return make_user("vera@acme.test", "Vera Vance")


@pytest.fixture
def client(vera, as_user):
    """Vera's browser, in which she has just proved that it is her."""
    client = as_user(vera)
    prove(client)
    return client


def asked(response):
    """The JSON that a page hands to the browser's passkeys."""
    pattern = r'<script id="passkey-data" type="application/json">(.*?)</script>'
    return json.loads(re.search(pattern, response.content.decode())[1])


def add_key(client):
    """A key of the account; its row."""
    key, page = Authenticator(), f"{TWO_FACTOR}webauthn/add/"
    credential = key.create(asked(client.get(page))["creation_options"])
    client.post(page, {"name": "Key", "credential": credential, "passwordless": "on"})
    return key, Key.objects.get(type="webauthn")


def test_an_app_is_set_up_once(client):
    page = f"{TWO_FACTOR}totp/activate/"
    client.get(page)
    code = code_of(client.session["mfa.totp.secret"])
    assert client.post(page, {"code": code})["Location"] == f"{TWO_FACTOR}recovery-codes/"
    for answer in (client.post(page, {"code": code}), client.get(page)):
        assert answer["Location"] == f"{TWO_FACTOR}totp/deactivate/"
    assert Key.objects.filter(type="totp").count() == 1


def test_an_app_that_is_gone_is_removed_again_without_a_dead_end(vera, client):
    TOTP.activate(vera, generate_totp_secret())
    page = f"{TWO_FACTOR}totp/deactivate/"
    for answer in (client.post(page), client.post(page), client.get(page)):
        assert answer["Location"] == TWO_FACTOR


@pytest.mark.parametrize("page", ["recovery-codes/", "recovery-codes/download/"])
def test_codes_that_there_are_not_lead_to_the_overview(client, page):
    assert client.get(f"{TWO_FACTOR}{page}")["Location"] == TWO_FACTOR


def test_codes_without_a_second_factor_are_refused(client):
    answer = client.post(f"{TWO_FACTOR}recovery-codes/generate/")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not Key.objects.exists()


def test_the_last_key_is_removed_once_and_takes_the_codes_along(client):
    key = add_key(client)[1]
    assert Key.objects.filter(type="recovery_codes").exists()
    for step in ("remove", "remove", "edit"):
        answer = client.post(f"{TWO_FACTOR}webauthn/keys/{key.pk}/{step}/", {"name": "x"})
        assert answer["Location"] == f"{TWO_FACTOR}webauthn/"
    assert not Key.objects.exists()
    assert client.get(f"{TWO_FACTOR}webauthn/").status_code == 200


def test_a_key_of_somebody_else_is_not_there(client, alice, as_user):
    key = add_key(client)[1]
    thief = as_user(alice)
    prove(thief)
    for step in ("remove", "edit"):
        assert thief.post(f"{TWO_FACTOR}webauthn/keys/{key.pk}/{step}/")["Location"].endswith("/webauthn/")
    assert Key.objects.filter(pk=key.pk).exists()


@pytest.mark.parametrize("kind", ["webauthn/", ""])
def test_who_has_nothing_to_prove_themselves_by_is_told_how(vera, as_user, kind):
    vera.set_unusable_password()
    vera.save()
    browser = as_user(vera)
    answer = browser.get(f"{TWO_FACTOR}{kind}reauthenticate/" if kind else "/accounts/reauthenticate/")
    assert answer["Location"] == "/accounts/sign-in-again/"
    assert browser.get("/accounts/sign-in-again/").status_code == 200


@pytest.mark.parametrize("page", ["totp/activate/", "webauthn/add/", "recovery-codes/generate/"])
def test_who_is_signed_out_by_then_signs_in_and_goes_on(db, page):
    answer = Client().get(f"{TWO_FACTOR}{page}")
    assert answer["Location"] == f"/accounts/login/?next={(TWO_FACTOR + page).replace('/', '%2F')}"


def test_a_key_that_does_not_fit_is_asked_for_again(client):
    add_key(client)
    page = f"{TWO_FACTOR}webauthn/reauthenticate/"
    answer = client.post(page, {"credential": '{"id": "QQ"}', "next": "/accounts/profile/"})
    assert answer["Location"] == f"{page}?next=%2Faccounts%2Fprofile%2F"
    assert "Incorrect code" in client.get(answer["Location"]).content.decode()
    answer = Client().post(f"{TWO_FACTOR}webauthn/login/", {"credential": "{}", "next": "/accounts/email/"})
    assert answer["Location"] == "/accounts/login/?next=%2Faccounts%2Femail%2F"


def test_a_second_step_without_anything_is_asked_for_again(vera, settings):
    TOTP.activate(vera, generate_totp_secret())
    for types in (["totp", "recovery_codes", "webauthn"], ["totp", "recovery_codes"]):
        settings.MFA_SUPPORTED_TYPES = types
        browser = Client()
        browser.post("/accounts/login/", {"login": vera.email, "password": PASSWORD})
        page = browser.post(f"{TWO_FACTOR}authenticate/", follow=True).content.decode()
        assert "One more step" in page
        assert 'name="code"' in page


def test_a_session_that_is_dead_leads_to_sign_in(vera):
    here, there = Client(), Client()
    for browser in (here, there):
        browser.post("/accounts/login/", {"login": vera.email, "password": PASSWORD})
    Session.objects.filter(session_key=there.cookies["sessionid"].value).delete()
    assert here.get("/accounts/sessions/").status_code == 200
    for _ in range(2):
        assert here.post("/accounts/sessions/")["Location"] == "/accounts/sessions/"
    for browser in (there, Client()):
        assert browser.post("/accounts/sessions/")["Location"].startswith("/accounts/login/")
        assert browser.post("/accounts/logout/")["Location"] == "/"


def test_a_form_sent_twice_joins_once(organization, alice):
    row = send(organization, alice, "noor@acme.test").outcomes[0].invitation
    link, browser = f"/i/{invitation_token(row.nonce, row.pk)}", Client()
    for _ in range(2):
        assert browser.post(link, {"name": "Noor", "password": PASSWORD})["Location"] == "/o/northwind/"
    assert Client().post(link, {"name": "Noor", "password": PASSWORD}).status_code == 410
    assert User.objects.filter(email="noor@acme.test").count() == 1

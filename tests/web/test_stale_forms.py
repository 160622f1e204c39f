"""A form that was open in a second tab while the person signed in or up in the first."""

import re

import pytest
from django.test import Client

from guestlist.links import invitation_token
from guestlist.models import Invitation
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD

VERA = "vera@acme.test"
FORM = {"name": "Vera Vance", "password": PASSWORD, "email": VERA}


@pytest.fixture
def url(organization, alice):
    invitation = send(organization, alice, VERA).outcomes[0].invitation
    return f"/i/{invitation_token(invitation.nonce, invitation.pk)}"


@pytest.fixture
def browser():
    return Client(enforce_csrf_checks=True)


def token_on(browser, page):
    return re.search(r'csrfmiddlewaretoken" value="(\w+)"', browser.get(page).content.decode())[1]


@pytest.mark.parametrize("page", ["", "/decline", "/preferences"])
def test_a_form_of_another_tab_does_nothing_and_shows_the_page(url, browser, page):
    browser.get(url)
    answer = browser.post(url + page, FORM | {"again": "server", "csrfmiddlewaretoken": "A" * 64})
    assert (answer.status_code, answer["Location"]) == (302, url + page)
    assert Invitation.objects.get().status == "pending"


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.test"}], ids=["no token", "other origin"])
def test_a_forged_form_is_refused_aloud(url, browser, headers):
    token = token_on(browser, url)
    form = FORM | ({"csrfmiddlewaretoken": token} if headers else {})
    assert browser.post(url, form, headers=headers).status_code == 403
    assert Invitation.objects.get().status == "pending"


@pytest.mark.parametrize("page", ["", "/decline"])
def test_a_form_of_before_joining_leads_into_the_organization(url, browser, page):
    first, second = token_on(browser, url), token_on(browser, url + page)
    assert browser.post(url, FORM | {"csrfmiddlewaretoken": first})["Location"] == "/o/northwind/"
    answer = browser.post(url + page, FORM | {"csrfmiddlewaretoken": second}, follow=True)
    assert answer.redirect_chain[-1][0] == "/o/northwind/"
    assert Invitation.objects.get().status == "accepted"


def test_other_forms_say_that_nothing_was_changed(db, browser):
    browser.get("/accounts/login/")
    answer = browser.post("/accounts/login/", {"login": VERA})
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()

"""The pages on which the invited say no, never again, or after all; and the page of a link to hand over."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db.models import F
from django.test import Client

from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation, Membership, Suppression
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, make_user

VERA = "vera@acme.test"
INVITATIONS = "/o/northwind/admin/invitations"


@pytest.fixture
def invitation(organization, alice):
    return send(organization, alice, VERA).outcomes[0].invitation


@pytest.fixture
def url(invitation):
    return f"/i/{invitation_token(invitation.nonce, invitation.pk)}"


@pytest.fixture
def vera(db):
    return make_user(VERA, "Vera Vance")


def expire():
    week = timedelta(days=8)
    Invitation.objects.update(invited_at=F("invited_at") - week, expires_at=F("expires_at") - week)


def text(response):
    return response.content.decode().replace("<wbr>", "")


@pytest.mark.parametrize("page", ["decline", "ask", "preferences"])
def test_a_scanner_that_presses_every_button_changes_nothing(invitation, url, client, page):
    for _ in range(3):
        client.get(f"{url}/{page}")
        client.head(f"{url}/{page}")
        if page != "ask":
            assert client.post(f"{url}/{page}", {"again": "server", "note": "x"}).status_code == 422
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert not Suppression.objects.exists()
    assert not Session.objects.exists()


@pytest.mark.parametrize("page", ["decline", "ask", "preferences"])
def test_forged_forms_are_refused(invitation, url, page):
    assert Client(enforce_csrf_checks=True).post(f"{url}/{page}", {"email": VERA}).status_code == 403
    invitation.refresh_from_db()
    assert invitation.status == "pending"


def test_a_refused_decline_keeps_what_was_typed(invitation, url, client):
    answer = client.post(f"{url}/decline", {"email": "x@y.test", "note": "Sorry!", "again": "organization"})
    assert answer.status_code == 422
    assert "That is not the address" in text(answer)
    assert "Sorry!" in text(answer)
    assert 'value="organization" checked' in text(answer)
    assert 'value="x@y.test"' in text(answer)


def test_the_declined_page_says_what_happened_and_leads_on(invitation, url, client):
    answer = client.post(f"{url}/decline", {"email": VERA, "note": "Not now", "again": "organization"})
    assert answer.status_code == 200
    assert "You declined the invitation" in text(answer)
    assert f"{url}/preferences" in text(answer)
    assert Suppression.objects.get().organization == invitation.organization
    assert Invitation.objects.get().decline_note == "Not now"


def test_expired_is_asked_for_once_and_says_so(invitation, url, client):
    expire()
    page = text(client.get(url))
    assert "Ask for a New Invitation" in page
    assert "Alice Archer gets an email" in page
    answer = client.post(f"{url}/ask")
    assert answer.status_code == 200
    assert "Northwind knows that you want a new invitation" in text(answer)
    for response in (client.post(f"{url}/ask"), client.get(url)):
        assert "was asked for on" in text(response)
        assert "Ask for a New Invitation" not in text(response)
    assert Delivery.objects.filter(kind="asked").count() == 1
    assert Event.objects.filter(type="invitation.asked").count() == 1
    assert not Session.objects.exists()


def test_the_inviter_grants_it_with_one_click(invitation, url, client, alice, as_user):
    expire()
    client.post(f"{url}/ask")
    manager = as_user(alice)
    assert "1 person asks for a new invitation." in text(manager.get(INVITATIONS))
    page = text(manager.get(f"{INVITATIONS}?status=asked&q=vera%40acme.test"))
    assert "Asks for a new one" in page
    assert f"Resend invitation to {VERA}" in page
    manager.post(f"{INVITATIONS}/{invitation.pk}/resend")
    assert Invitation.objects.pending().count() == 1
    assert "asks for a new invitation" not in text(manager.get(INVITATIONS))
    assert "A newer invitation is waiting" in text(client.get(url))
    assert "Ask for a New Invitation" not in text(client.get(url))


@pytest.mark.parametrize("status", ["pending", "accepted", "revoked"])
def test_asking_where_there_is_nothing_to_ask_shows_what_is(invitation, url, client, status):
    if status != "pending":
        Invitation.objects.update(status=status, ended_at=F("invited_at"))
    answer = client.post(f"{url}/ask")
    assert (answer.status_code, answer["Location"]) == (302, url)
    assert not Delivery.objects.filter(kind="asked").exists()


def test_preferences_suppress_and_allow_again(invitation, url, client):
    answer = client.post(f"{url}/preferences", {"again": "server", "email": VERA})
    assert "Saved." in text(answer)
    assert Suppression.objects.get().organization is None
    client.post(f"{url}/preferences", {"again": "", "email": VERA})
    assert not Suppression.objects.exists()
    assert Invitation.objects.get().status == "pending"


def test_an_expired_link_of_somebody_who_wants_no_invitations_leads_to_allowing_them(url, client):
    client.post(f"{url}/preferences", {"again": "organization", "email": VERA})
    expire()
    answer = text(client.post(f"{url}/ask"))
    assert "Allow it first" in answer
    assert f"{url}/preferences" in answer


def test_a_suppressed_address_is_named_in_the_preview_and_the_message(
    invitation, url, client, alice, as_user
):
    client.post(f"{url}/decline", {"email": VERA, "again": "organization"})
    manager = as_user(alice)
    preview = text(manager.post(f"{INVITATIONS}/preview", {"emails": f"{VERA}, new@acme.test"}))
    assert "1 asked not to be invited, skipped" in preview
    answer = manager.post(f"{INVITATIONS}/new", {"emails": f"{VERA}, new@acme.test"}, follow=True)
    assert "1 invitation sent. 1 asked not to be invited, skipped." in text(answer)


def test_the_word_is_on_the_page_of_declined_ones_and_is_text(url, client, alice, as_user):
    client.post(f"{url}/decline", {"email": VERA, "note": "<b>No</b> {{ 7*7 }}"})
    page = text(as_user(alice).get(f"{INVITATIONS}?status=declined"))
    assert "&lt;b&gt;No&lt;/b&gt; {{ 7*7 }}" in page


def test_my_invitations_need_a_sign_in(client):
    assert client.get("/invitations")["Location"].startswith("/accounts/login/?next=/invitations")


def test_my_invitations_show_only_verified_addresses(invitation, vera, mallory, as_user):
    assert "Northwind" in text(as_user(vera).get("/invitations"))
    stranger = as_user(mallory)
    assert "No invitations" in text(stranger.get("/invitations"))
    for verb in ("accept", "decline"):
        assert stranger.post(f"/invitations/{invitation.pk}/{verb}").status_code == 404
    EmailAddress.objects.filter(user=vera).update(verified=False)
    assert "No invitations" in text(as_user(vera).get("/invitations"))
    invitation.refresh_from_db()
    assert invitation.status == "pending"


def test_joining_from_my_invitations(invitation, vera, as_user):
    client = as_user(vera)
    assert client.post(f"/invitations/{invitation.pk}/accept")["Location"] == "/o/northwind/"
    assert Membership.objects.active().filter(user=vera).exists()
    assert client.post(f"/invitations/{invitation.pk}/accept")["Location"] == "/o/northwind/"
    answer = client.get(f"/invitations/{invitation.pk}/decline", follow=True)
    assert "This invitation is no longer pending: it is accepted." in text(answer)


def test_declining_from_my_invitations_and_allowing_again(invitation, vera, as_user):
    client = as_user(vera)
    assert "Decline Invitation" in text(client.get(f"/invitations/{invitation.pk}/decline"))
    answer = client.post(f"/invitations/{invitation.pk}/decline", {"again": "server"}, follow=True)
    assert "You declined the invitation to Northwind." in text(answer)
    assert "Anybody on this server" in text(answer)
    client.post(f"/invitations/allow/{Suppression.objects.get().pk}")
    assert not Suppression.objects.exists()


@pytest.fixture
def no_mail(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"  # as settings.py has it where no mail can be sent


def test_links_to_hand_over_exist_only_without_mail(invitation, alice, as_user):
    manager = as_user(alice)
    assert "Create a link for" not in text(manager.get(INVITATIONS))
    assert manager.post(f"{INVITATIONS}/{invitation.pk}/link").status_code == 409


def test_only_a_manager_makes_a_link_to_hand_over(no_mail, invitation, charlie, mallory, client, as_user):
    path = f"{INVITATIONS}/{invitation.pk}/link"
    assert client.post(path).status_code == 401
    assert as_user(charlie).post(path).status_code == 403
    assert as_user(mallory).post(path).status_code == 404
    assert as_user(charlie).get(path).status_code == 405
    assert not Event.objects.filter(type="invitation.link_created").exists()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_link_that_was_handed_over_lets_in_with_an_unverified_address(
    no_mail, invitation, alice, as_user, client, headers
):
    manager = as_user(alice)
    page = text(manager.get(INVITATIONS))
    assert "E-mail is not configured" in page
    assert f"Create a link for {VERA}" in page
    answer = text(manager.post(f"{INVITATIONS}/{invitation.pk}/link", headers=headers))
    link = answer.partition('value="http://127.0.0.1:8000')[2].partition('"')[0]
    assert link.startswith("/i/glh_")
    assert link not in text(manager.get(INVITATIONS))
    form = {"name": "Vera Vance", "password": PASSWORD, "email": VERA}
    assert client.post(link, form)["Location"] == "/o/northwind/"
    user = User.objects.get(email=VERA)
    assert not EmailAddress.objects.get(user=user).verified
    assert "Unverified" in text(manager.get("/o/northwind/admin/members"))
    other = Client()
    assert "already used" in text(other.post(link, form))
    # They can come back without mail.
    assert other.post("/accounts/login/", {"login": VERA, "password": PASSWORD})["Location"] == "/"

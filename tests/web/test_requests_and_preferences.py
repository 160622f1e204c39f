"""Who may invite somebody, as they choose it; and requests for a new invitation, as both sides see them."""

import pytest
from django.db.models import F
from django.test import Client

from guestlist.actions.hand_over import create_hand_over_link
from guestlist.actions.members import remove_member
from guestlist.actions.suppressions import chosen_scope
from guestlist.links import invitation_token
from guestlist.models import Invitation, Membership, Suppression
from tests.actions.test_answers import expire
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, deliver_due, make_user

VERA = "vera@acme.test"
INVITATIONS = "/o/northwind/admin/invitations"


@pytest.fixture
def invitation(organization, bob):
    return send(organization, bob, VERA).outcomes[0].invitation


@pytest.fixture
def url(invitation):
    return f"/i/{invitation_token(invitation.nonce, invitation.pk)}"


@pytest.fixture
def vera(db):
    return make_user(VERA, "Vera Vance")


def text(response):
    return response.content.decode().replace("<wbr>", "")


def checked(page):
    return page.partition('name="again" value="')[2] and [
        line.partition('value="')[2].partition('"')[0]
        for line in page.split('name="again" ')[1:]
        if " checked" in line.partition(">")[0]
    ]


def test_the_owner_of_the_address_sees_what_holds(url, client, vera, as_user):
    assert checked(text(client.get(f"{url}/preferences"))) == ["organization"]
    signed_in = as_user(vera)
    assert checked(text(signed_in.get(f"{url}/preferences"))) == [""]
    signed_in.post(f"{url}/preferences", {"again": "server"})
    assert checked(text(signed_in.get(f"{url}/preferences"))) == ["server"]
    # Nobody else learns it.
    assert checked(text(Client().get(f"{url}/preferences"))) == ["organization"]


def test_a_form_without_a_choice_changes_nothing(invitation, url, as_user, vera):
    signed_in = as_user(vera)
    signed_in.post(f"{url}/preferences", {"again": "server"})
    signed_in.post(f"{url}/preferences", {})
    assert chosen_scope(invitation=invitation) == "server"


def test_a_link_that_was_handed_over_offers_no_choice(organization, alice, invitation, client, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    link = create_hand_over_link(
        actor=actor_of(alice), organization=organization, invitation_id=invitation.pk
    )
    path = "/i/" + link.rpartition("/")[2]
    assert 'name="again"' not in text(client.get(f"{path}/decline"))
    assert "Only the owner of the address can choose" in text(client.get(f"{path}/preferences"))
    assert client.post(f"{path}/preferences", {"again": "server", "email": VERA}).status_code == 422
    assert not Suppression.objects.exists()


def test_the_page_says_who_is_told(organization, alice, bob, invitation, url, client):
    expire(invitation)
    assert "Bob Baker gets an email" in text(client.get(url))
    member = Membership.objects.active().get(user=bob)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    assert "The owners of Northwind get an email" in text(client.get(url))
    Membership.objects.active().update(email_verified=False)
    assert "sees it on the Invitations page" in text(client.get(url))


def test_without_mail_no_mail_is_promised(invitation, url, client, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    expire(invitation)
    assert "sees it on the Invitations page" in text(client.get(url))
    assert "No email is sent from here" in text(client.post(f"{url}/ask"))


def test_coming_back_to_where_was_asked_shows_the_invitation(invitation, url, client):
    expire(invitation)
    client.post(f"{url}/ask")
    answer = client.get(f"{url}/ask")
    assert (answer.status_code, answer["Location"]) == (302, url)


def test_a_manager_dismisses_a_request(invitation, url, client, alice, charlie, as_user):
    expire(invitation)
    client.post(f"{url}/ask")
    path = f"{INVITATIONS}/{invitation.pk}/dismiss"
    assert Client().post(path).status_code == 401
    assert as_user(charlie).post(path).status_code == 403
    manager = as_user(alice)
    assert f"Dismiss the request of {VERA}" in text(manager.get(f"{INVITATIONS}?status=asked"))
    assert "Request dismissed." in text(manager.post(path, follow=True))
    assert "asks for a new invitation" not in text(manager.get(INVITATIONS))
    assert manager.post(path).status_code == 404


def test_a_row_whose_mail_is_held_back_says_so(
    organization, beta, dora, alice, invitation, as_user, settings
):
    from uuid import uuid4

    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "capture"}
    Suppression.objects.create(key=VERA)
    deliver_due(uuid4())
    page = text(as_user(alice).get(INVITATIONS))
    assert "Not mailed" in page
    assert "This address asked not to be invited." in page
    Invitation.objects.update(status="revoked", ended_at=F("invited_at"))
    assert "Not mailed" not in text(as_user(alice).get(f"{INVITATIONS}?status=revoked"))

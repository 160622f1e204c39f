"""/u/<token>: looking changes nothing, one click stops mail, and nothing else ends."""

import pytest
from django.test import Client

from guestlist.actions.acceptance import find_invitation
from guestlist.actions.invitations import revoke_invitation
from guestlist.actions.suppressions import chosen_scope, suppress_invitations
from guestlist.actors import Actor
from guestlist.links import HAND_OVER, MAILED, UNSUBSCRIBE, invitation_token, unsubscribe_url
from guestlist.models import Delivery, Event, Invitation, Suppression
from guestlist.web.unsubscribe import show
from tests.actions.test_answers import expire
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, make_user

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def invitation(organization, bob):
    return send(organization, bob, "vera@acme.test").outcomes[0].invitation


@pytest.fixture
def url(invitation):
    return unsubscribe_url(invitation.nonce, invitation.pk).partition("127.0.0.1:8000")[2]


@pytest.fixture
def strict():
    """A mail program: no cookie, no token, and a server that checks both."""
    return Client(enforce_csrf_checks=True)


def token(invitation, kind):
    return invitation_token(invitation.nonce, invitation.pk, kind)


def text(response):
    return response.content.decode()


def suppressed():
    return Event.objects.filter(type="invitation.suppressed")


def test_looking_changes_nothing_and_starts_no_session(url, client):
    for _ in range(3):
        for response in (client.get(url), client.head(url)):
            assert response.status_code == 200
            assert "sessionid" not in response.cookies
    page = text(client.get(url))
    assert "Stop email from Northwind" in page
    assert "v***@acme.test" in page
    assert "vera@acme.test" not in page
    assert "gli_" not in page
    assert not Suppression.objects.exists()
    assert not suppressed().exists()


@pytest.mark.parametrize(
    "headers",
    [{}, {"HTTP_ORIGIN": "https://mail.example", "HTTP_SEC_FETCH_SITE": "cross-site"}],
    ids=["plain", "cross-site"],
)
def test_one_click_of_a_mail_program_stops_later_mail(url, strict, invitation, organization, headers):
    response = strict.post(url, ONE_CLICK, content_type=FORM, **headers)
    assert response.status_code == 200
    assert not response.cookies
    assert chosen_scope(invitation=invitation) == "organization"
    event = suppressed().get()
    assert (event.actor_type, event.subject_name, event.door) == ("invitee", "vera@acme.test", "web")
    assert event.changes == {"scope": [None, "organization"]}


def test_one_click_as_a_form_with_parts_counts_too(url, strict, invitation):
    assert strict.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert chosen_scope(invitation=invitation) == "organization"


def test_the_invitation_stays_pending_and_its_link_works(url, client, invitation):
    page = text(client.post(url))
    assert "Email from Northwind is stopped" in page
    assert "its link still works" in page
    assert "My invitations" in page
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert client.get(f"/i/{token(invitation, MAILED)}").status_code == 200


def test_twice_is_as_good_as_once(url, client):
    assert client.post(url).status_code == client.post(url).status_code == 200
    assert Suppression.objects.count() == suppressed().count() == 1


def test_a_wish_for_the_whole_server_stays(url, client, invitation):
    found = find_invitation(token=token(invitation, MAILED))
    suppress_invitations(
        actor=Actor("invitee"), invitation=found, scope="server", typed_address="vera@acme.test"
    )
    client.post(url)
    assert chosen_scope(invitation=invitation) == "server"
    assert Suppression.objects.count() == 1


def test_nothing_goes_to_the_address_any_more(url, client, organization, bob):
    client.post(url)
    assert send(organization, bob, "vera@acme.test").outcomes[0].outcome == "already_invited"
    Invitation.objects.all().delete()
    assert send(organization, bob, "vera@acme.test").outcomes[0].outcome == "suppressed"
    assert not Delivery.objects.exists()


def test_other_organizations_are_not_concerned(url, client, beta, dora):
    client.post(url)
    assert send(beta, dora, "vera@acme.test").outcomes[0].outcome == "sent"


def test_it_works_when_the_invitation_has_ended(url, client, invitation, organization, bob):
    expire(invitation)
    assert "Stop email" in text(client.get(url))
    revoke = send(organization, bob, "vera@acme.test").outcomes[0].invitation
    revoke_invitation(actor=actor_of(bob), organization=organization, invitation_id=revoke.pk)
    assert "link still works" not in text(client.post(url))
    assert chosen_scope(invitation=invitation) == "organization"


def test_whoever_owns_the_address_is_named_as_themselves(url, invitation, as_user):
    vera = make_user("vera@acme.test", "Vera Vance")
    as_user(vera).post(url)
    assert suppressed().get().actor_type == "user"


def test_somebody_else_who_is_signed_in_is_not_named_as_the_invited(url, as_user, mallory):
    as_user(mallory).post(url)
    event = suppressed().get()
    assert (event.actor_type, event.actor_name) == ("invitee", "vera@acme.test")


def test_whatever_is_no_link_for_this_has_the_page_of_unknown_links(url, client, invitation, organization):
    Invitation.objects.update(hand_over_nonce=invitation.nonce)
    unknown = text(client.get("/i/gli_nothing"))
    flipped = url[:-1] + ("A" if url[-1] != "A" else "B")
    others = [f"/u/{token(invitation, kind)}" for kind in (MAILED, HAND_OVER)]
    swapped = f"/u/glu_{token(invitation, MAILED)[4:]}"
    for path in (*others, swapped, flipped, "/u/glu_nothing", "/u/x", url + "A", url[:-1]):
        for response in (client.get(path), client.post(path)):
            assert response.status_code == 404
            assert text(response).replace(path, "") == unknown.replace("/i/gli_nothing", "")
    assert not Suppression.objects.exists()


def test_the_link_opens_nothing_else(client, invitation):
    glu = token(invitation, UNSUBSCRIBE)
    for path in ("", "/decline", "/ask", "/preferences"):
        assert client.get(f"/i/{glu}{path}").status_code == 404
        assert client.post(f"/i/{glu}{path}", {"email": "vera@acme.test"}).status_code == 404
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert not Suppression.objects.exists()


def test_only_looking_and_posting_are_answered(url, client):
    assert client.put(url).status_code == 405
    assert client.delete(url).status_code == 405


def test_a_project_that_asks_everybody_to_sign_in_lets_the_link_through():
    assert show.login_required is False
    assert show.csrf_exempt

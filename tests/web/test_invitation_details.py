"""Details of an invitation, through the door."""

import re
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from guestlist.models import Delivery, Invitation
from guestlist.models.delivery import Kind
from tests.actions.test_send_invitations import send

ANY_ID = "01890000-0000-7000-8000-000000000000"
HTMX = {"HX-Request": "true"}


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def invitation(organization, alice):
    """To Jane; its mail failed and was tried again."""
    send(organization, alice, "jane@example.com")
    history = [
        {
            "at": "2026-03-01T09:12:00Z",
            "state": "deferred",
            "detail": "421 Busy <b>",
            "attempt": 1,
            "seconds": 0.12,
        },
        {"at": "2026-03-01T09:12:30Z", "state": "deferred", "detail": "", "attempt": 2, "unclear": True},
        {"at": "2026-03-01T09:13:00Z", "state": "queued", "detail": "", "by": "Bob Baker"},
        {"at": "2026-03-01T09:14:00Z", "state": "failed", "detail": "550 No", "attempt": 3, "seconds": 1.5},
    ]
    Delivery.objects.update(state="failed", next_at=None, at=Now(), detail="550 No", history=history)
    return Invitation.objects.get()


def url(invitation):
    return f"/o/northwind/admin/invitations/{invitation.pk}"


def test_who_may_not_see_it(organization, invitation, client, mallory, charlie, as_user):
    assert client.get(url(invitation)).status_code == 302
    assert as_user(mallory).get(url(invitation)).status_code == 404
    response = as_user(charlie).get(url(invitation))
    assert response.status_code == 403
    assert "jane@" not in text_of(response)


def test_the_invitation_of_another_organization_looks_like_none(
    organization, invitation, beta, dora, as_user
):
    client = as_user(dora)
    theirs = client.get(f"/o/beta/admin/invitations/{invitation.pk}")
    none = client.get(f"/o/beta/admin/invitations/{ANY_ID}")
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.content == none.content
    assert client.get(f"/o/beta/admin/invitations/{invitation.pk}", headers=HTMX).status_code == 404


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_it_says_who_invited_and_what_happened_to_the_mail(organization, invitation, alice, as_user, headers):
    client = as_user(alice)
    client.cookies["timezone"] = "Asia/Tokyo"
    response = client.get(url(invitation), headers=headers)
    page, html = text_of(response), response.content.decode()
    assert ("<!doctype" in html, '<dialog class="dialog' in html) == (
        (False, True) if headers else (True, "shortcuts" in html)
    )
    for words in (
        "Alice Archer",
        "Pending",
        "Expires",
        "Times sent",
        invitation.delivery.message_id.strip("<>"),
    ):
        assert words in page
    first, second, third, fourth = (
        page.index(words)
        for words in (
            "Failed Mar 1, 2026, 18:14 550 No Took 1.50 s.",
            "Tried again by Bob Baker Mar 1, 2026, 18:13",
            "Deferred Mar 1, 2026, 18:12 It may have been delivered.",
            "Deferred Mar 1, 2026, 18:12 421 Busy &lt;b&gt; Took 0.12 s.",
        )
    )
    assert first < second < third < fourth < page.index("Created")
    assert f"/delivery/{invitation.delivery_id}/retry" in html
    assert f"{url(invitation)}/resend" in html
    assert f"{url(invitation)}/revoke" in html


def test_it_never_holds_the_token(organization, invitation, alice, as_user):
    html = as_user(alice).get(url(invitation)).content.decode()
    assert "gli_" not in html
    assert invitation.nonce not in html


def test_every_message_is_there_newest_first(organization, invitation, alice, as_user):
    Delivery.objects.create(
        organization=organization,
        invitation=invitation,
        kind=Kind.ASKED,
        recipient="alice@northwind.test",
        state="deferred",
        next_at=Now() + timedelta(days=1),
        message_id="<asked@test>",
    )
    page = text_of(as_user(alice).get(url(invitation), headers=HTMX))
    assert page.index("Request Deferred Next try") < page.index("Invitation Failed")
    assert "To alice @northwind .test" in page or "To alice@northwind.test" in page


def test_what_has_ended_offers_nothing(organization, invitation, alice, as_user):
    Invitation.objects.update(status="accepted", ended_at=Now())
    html = as_user(alice).get(url(invitation), headers=HTMX).content.decode()
    assert "Accepted" in html
    assert "Ended" in html
    for action in ("/revoke", "/resend"):
        assert action not in html


def test_the_number_of_queries_does_not_grow(
    organization, invitation, alice, as_user, django_assert_num_queries
):
    for number in range(30):
        Delivery.objects.create(
            organization=organization,
            invitation=invitation,
            kind=Kind.REMINDER,
            message_id=f"<{number}@test>",
        )
    client = as_user(alice)
    with django_assert_num_queries(5):
        client.get(url(invitation), headers=HTMX)


def test_the_list_leads_there(organization, invitation, alice, as_user):
    html = as_user(alice).get("/o/northwind/admin/invitations").content.decode()
    assert f'href="{url(invitation)}"' in html
    assert 'aria-label="Details of jane@example.com"' in html

"""Time ends invitations, once, and says so."""

from datetime import timedelta

import pytest
from django.db.models import F

from guestlist import errors
from guestlist.actions import expiry
from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.expiry import expire_due
from guestlist.actions.invitations import resend_invitation, revoke_invitation
from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation, Organization
from tests.actions.test_answers import expire
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, make_user

pytestmark = pytest.mark.django_db


def lapse(*emails):
    rows = Invitation.objects.filter(email__in=emails) if emails else Invitation.objects.all()
    rows.update(
        invited_at=F("invited_at") - timedelta(days=9), expires_at=F("expires_at") - timedelta(days=8)
    )


def expired_events(organization):
    return list(Event.objects.filter(organization=organization, type="invitation.expired").order_by("number"))


def test_what_has_lapsed_is_expired_with_its_event(organization, alice):
    send(organization, alice, "jane@acme.test, omar@acme.test")
    lapse("jane@acme.test")
    assert expire_due() == 1
    jane, omar = Invitation.objects.order_by("email")
    assert (jane.status, jane.remind_at) == ("expired", None)
    assert jane.unreported_at is not None
    assert (omar.status, omar.unreported_at) == ("pending", None)
    (event,) = expired_events(organization)
    assert (event.actor_type, event.door, event.subject_name) == ("system", "worker", "jane@acme.test")
    assert event.changes == {"status": ["pending", "expired"]}
    assert expire_due() == 0
    assert len(expired_events(organization)) == 1


def test_the_page_and_the_api_say_the_same_before_and_after(organization, alice):
    send(organization, alice, "jane@acme.test")
    lapse()
    before = Invitation.objects.for_display().get().as_resource()
    expire_due()
    after = Invitation.objects.for_display().get().as_resource()
    assert before | {"delivery": None} == after | {"delivery": None}
    assert after["ended_at"] == after["expires_at"]


def test_mail_that_has_not_left_is_canceled(organization, alice):
    send(organization, alice, "jane@acme.test")
    lapse()
    expire_due()
    assert Delivery.objects.get().state == "canceled"


def test_an_organization_gives_others_their_turn(organization, beta, alice, dora, monkeypatch):
    monkeypatch.setattr(expiry, "BATCH", 2)
    send(organization, alice, ",".join(f"p{i}@acme.test" for i in range(5)))
    send(beta, dora, "jane@acme.test")
    lapse()
    assert expire_due(limit=2) == 3  # two of the one, one of the other
    assert len(expired_events(beta)) == 1
    assert expire_due() == 3
    assert [event.number for event in expired_events(organization)] == list(
        range(expired_events(organization)[0].number, expired_events(organization)[0].number + 5)
    )


def test_what_fails_for_one_organization_hinders_no_other(organization, beta, alice, dora, monkeypatch):
    send(organization, alice, "jane@acme.test")
    send(beta, dora, "jane@acme.test")
    lapse()
    ended = expiry.end_rows

    def fail_for_northwind(actor, locked, *rest):
        if locked.slug == "northwind":
            raise ValueError("no")
        ended(actor, locked, *rest)

    monkeypatch.setattr(expiry, "end_rows", fail_for_northwind)
    with pytest.raises(ValueError, match="no"):
        expire_due()
    assert not expired_events(organization)
    assert len(expired_events(beta)) == 1


def test_an_invitation_without_end_never_expires(organization, alice, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"INVITATION_LIFETIME": "never"}
    send(organization, alice, "jane@acme.test")
    assert expire_due() == 0
    assert Invitation.objects.get().status == "pending"


def test_the_expired_link_stays_dead_and_the_address_can_be_invited_again(organization, alice):
    user = make_user("jane@acme.test", "Jane")
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    lapse()
    expire_due()
    found = find_invitation(token=invitation_token(row.nonce, row.pk))
    with pytest.raises(errors.NotPending):
        accept_invitation(actor=actor_of(user), invitation=found)
    with pytest.raises(errors.NotPending):
        revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    again = resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    assert again.pk != row.pk
    assert Invitation.objects.pending().get().pk == again.pk


def test_writing_to_the_address_first_leaves_the_same_traces(organization, alice):
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    expire(row)
    send(organization, alice, "jane@acme.test")
    row.refresh_from_db()
    assert (row.status, row.ended_at, row.remind_at) == ("expired", row.expires_at, None)
    assert row.unreported_at is not None
    assert expire_due() == 0
    assert len(expired_events(organization)) == 1


def test_any_other_end_is_no_news(organization, alice):
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    Invitation.objects.update(unreported_at=F("invited_at"))
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    row.refresh_from_db()
    assert (row.unreported_at, row.remind_at) == (None, None)


def test_the_number_of_statements_is_the_same_for_one_and_for_many(
    organization, alice, django_assert_max_num_queries
):
    send(organization, alice, ",".join(f"p{i}@acme.test" for i in range(300)))
    lapse()
    with django_assert_max_num_queries(14):
        assert expire_due() == 300
    assert (
        Organization.objects.get(pk=organization.pk).event_number
        == Event.objects.filter(organization=organization).count()
    )

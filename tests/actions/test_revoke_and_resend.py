"""Revoking and resending, one and many."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from guestlist import errors
from guestlist.actions.acceptance import find_invitation
from guestlist.actions.batches import Selection
from guestlist.actions.invitations import (
    resend_invitation,
    resend_invitations,
    revoke_invitation,
    revoke_invitations,
)
from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of


def lapse():
    Invitation.objects.update(
        invited_at=F("invited_at") - timedelta(days=9), expires_at=F("expires_at") - timedelta(days=8)
    )


def one(organization, alice, email="jane@acme.test"):
    return send(organization, alice, email).outcomes[0].invitation


def test_who_may_not(organization, alice, charlie, dora, beta):
    row = one(organization, alice)
    with pytest.raises(errors.NotAllowed):
        revoke_invitation(actor=actor_of(charlie), organization=organization, invitation_id=row.pk)
    with pytest.raises(errors.NotFound):
        revoke_invitation(actor=actor_of(dora), organization=organization, invitation_id=row.pk)
    with pytest.raises(errors.NotFound):
        revoke_invitation(actor=actor_of(dora), organization=beta, invitation_id=row.pk)
    with pytest.raises(errors.NotFound):
        resend_invitation(actor=actor_of(dora), organization=beta, invitation_id=row.pk)
    row.refresh_from_db()
    assert row.status == "pending"


def test_revoking_twice_tells_the_truth(organization, alice):
    row = one(organization, alice)
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    with pytest.raises(errors.NotPending, match="revoked"):
        revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    assert send(organization, alice, "jane@acme.test").sent == 1


def test_resending_keeps_the_link_and_starts_the_lifetime_anew(organization, alice):
    row = one(organization, alice)
    Invitation.objects.update(
        invited_at=F("invited_at") - timedelta(days=3), expires_at=F("expires_at") - timedelta(days=3)
    )
    again = resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    assert (again.pk, again.sent_count) == (row.pk, 2)
    fresh = Invitation.objects.get()
    assert fresh.expires_at == again.expires_at
    assert fresh.delivery_id == again.delivery.pk
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["canceled", "queued"]
    assert find_invitation(token=invitation_token(row.nonce, row.pk)).pk == row.pk


def test_resending_an_expired_one_makes_a_new_invitation(organization, alice):
    row = one(organization, alice)
    lapse()
    again = resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    assert again.pk != row.pk
    assert dict(Invitation.objects.values_list("pk", "status")) == {row.pk: "expired", again.pk: "pending"}
    with pytest.raises(errors.NotPending):
        resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)


def test_what_has_ended_is_not_sent_again(organization, alice):
    row = one(organization, alice)
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    with pytest.raises(errors.NotPending, match="revoked"):
        resend_invitation(actor=actor_of(alice), organization=organization, invitation_id=row.pk)


def test_bulk_answers_in_the_order_of_the_ids(organization, alice, dora, beta):
    mine, theirs = one(organization, alice), one(beta, dora)
    gone = one(organization, alice, "gone@acme.test")
    revoke_invitation(actor=actor_of(alice), organization=organization, invitation_id=gone.pk)
    ids = [str(theirs.pk), str(gone.pk), "nonsense", str(mine.pk)]
    result = revoke_invitations(
        actor=actor_of(alice), organization=organization, selection=Selection(ids=ids)
    )
    assert [outcome for _, outcome in result.results] == ["not_found", "not_pending", "not_found", "revoked"]
    assert (result.done, result.skipped) == (1, 3)
    theirs.refresh_from_db()
    assert theirs.status == "pending"


def test_bulk_by_filter_takes_all_that_match(organization, alice):
    send(organization, alice, "a@x.test, b@x.test, c@y.test")
    chosen = Selection(status="pending", q="@x.test")
    result = revoke_invitations(actor=actor_of(alice), organization=organization, selection=chosen)
    assert (result.done, result.skipped) == (2, 0)
    assert Invitation.objects.get(status="pending").key == "c@y.test"


@pytest.mark.parametrize("action", [revoke_invitations, resend_invitations])
@pytest.mark.parametrize("chosen", [Selection(), Selection(q=" "), Selection(status="", q="\u200b")])
def test_an_empty_selection_is_refused(organization, alice, action, chosen):
    send(organization, alice, "a@x.test")
    with pytest.raises(errors.NothingChosen):
        action(actor=actor_of(alice), organization=organization, selection=chosen)
    assert Invitation.objects.get(status="pending").sent_count == 1


@pytest.mark.parametrize("action", [revoke_invitations, resend_invitations])
def test_bulk_takes_the_same_statements_for_one_and_for_many(organization, alice, action):
    counts = []
    for number in (1, 300):
        send(organization, alice, "\n".join(f"p{number}-{i}@acme.test" for i in range(number)))
        chosen = Selection(status="pending", q=f"p{number}-")
        with CaptureQueriesContext(connection) as queries:
            action(actor=actor_of(alice), organization=organization, selection=chosen)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_bulk_resend_points_each_row_at_its_own_new_mail(organization, alice):
    send(organization, alice, "\n".join(f"p{i}@acme.test" for i in range(20)))
    resend_invitations(
        actor=actor_of(alice), organization=organization, selection=Selection(status="pending")
    )
    for row in Invitation.objects.select_related("delivery"):
        assert row.delivery.invitation_id == row.pk
        assert row.delivery.state == "queued"
    assert Event.objects.filter(type="invitation.resent").count() == 20

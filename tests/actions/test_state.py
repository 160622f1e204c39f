"""What the database itself refuses."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from guestlist.models import Event, Invitation, Membership
from guestlist.models.fields import new_id
from guestlist.models.listing import Listing, capped_counts
from tests.actions.test_send_invitations import send


@pytest.mark.parametrize(
    "sql", ["UPDATE guestlist_event SET type = 'x'", "DELETE FROM guestlist_event"], ids=["update", "delete"]
)
def test_the_audit_log_only_grows(organization, sql):
    before = Event.objects.count()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert Event.objects.count() == before > 0


def test_a_second_pending_row_for_an_address_is_refused(organization, alice):
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    row.pk, row.nonce = new_id(), "another"
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_second_active_membership_is_refused(organization, alice):
    row = Membership.objects.get(user=alice)
    row.pk = new_id()
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_an_ended_invitation_has_a_time(organization, alice):
    send(organization, alice, "jane@acme.test")
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.update(status="revoked")


@pytest.mark.parametrize("sort", [s + c for c in Invitation.COLUMNS for s in ("", "-")])
def test_cursors_walk_every_row_once_forwards_and_back(organization, alice, sort):
    send(organization, alice, "\n".join(f"p{i % 7}{i}@acme.test" for i in range(23)))
    rows = Invitation.objects.filter(organization=organization).for_display()
    listing = Listing.of(rows, Invitation.COLUMNS, sort)
    everything = [row.pk for row in listing.numbered(1, 100).items]
    walked, pages, cursor = [], [], None
    while True:
        page = listing.after(cursor, 5)
        pages.append([row.pk for row in page.items])
        walked += pages[-1]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert walked == everything
    assert len(everything) == 23
    assert [row.pk for row in listing.before(page.previous_cursor, 5).items] == pages[-2]


def test_counting_stops_at_the_limit(organization, alice):
    send(organization, alice, "a@x.test, b@x.test")
    rows = Invitation.objects.filter(organization=organization)
    assert capped_counts([rows.pending(), rows.with_status("revoked"), rows]) == [2, 0, 2]

"""What the database counts by itself is what is there."""

from collections import Counter
from uuid import UUID

from guestlist.models import Headcount, Invitation, Membership


def assert_headcounts_hold() -> None:
    """Compares them with a count of all rows."""
    kept = {
        (
            row.organization_id,
            row.noun,
            UUID(row.value) if row.noun == "member" and row.value else row.value,
        ): (row.number)
        for row in Headcount.objects.exclude(number=0)
    }
    invitations = Invitation.objects.values_list("organization_id", "status")
    members = Membership.objects.active().values_list("organization_id", "role_id")
    assert kept == Counter(
        [
            *((organization, "invitation", status) for organization, status in invitations),
            *((organization, "member", role or "") for organization, role in members),
        ]
    )

"""Members as rows of a file, however many they are."""

from collections.abc import Iterator

from guestlist.actions import access
from guestlist.actors import Actor
from guestlist.models import Membership, Organization
from guestlist.models.fields import timestamp
from guestlist.models.listing import Listing
from guestlist.permissions import Permission

HEADER = ("name", "email", "email_verified", "role", "joined_at", "joined_via", "invited_by")
_AT_ONCE = 500


def export_members(
    *, actor: Actor, organization: Organization, role: str = "", q: str = "", sort: str = "name"
) -> Iterator[tuple[str, ...]]:
    """The members that match, in the columns of HEADER, read 500 at a time while they are taken.

    Raises NotAllowed, NotFound, InvalidFilter; at once, not when the first row is taken.
    """
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    members = Membership.objects.active().filter(organization=organization).with_role(role).matching(q)
    rows = members.select_related("role", "invitation")
    return _rows(Listing.of(rows, Membership.COLUMNS, sort))


def _rows(listing: Listing[Membership]) -> Iterator[tuple[str, ...]]:
    cursor = None
    while True:
        page = listing.after(cursor, _AT_ONCE)
        yield from map(_row, page.items)
        if not (cursor := page.next_cursor):
            return


def _row(member: Membership) -> tuple[str, ...]:
    return (
        member.name,
        member.email,
        "yes" if member.email_verified else "no",
        member.role.name if member.role else "",
        timestamp(member.joined_at) or "",
        member.via,
        member.invitation.invited_by_name if member.invitation else "",
    )

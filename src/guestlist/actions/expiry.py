"""Time ends invitations: `pending` becomes `expired`, with its event."""

from django.db.models.functions import Now

from guestlist.actions.due import BATCH, act_on_each, organizations_of
from guestlist.actions.revocation import end_rows
from guestlist.actors import Actor
from guestlist.models import Invitation, Organization
from guestlist.models.invitation import Status

# Within a minute of the clock, which calls every 15 seconds, four times as many.
LIMIT = 10_000


def expire_due(*, limit: int = LIMIT) -> int:
    """Write down that time has passed for up to about `limit` pending invitations; how many it was.

    At most 1,000 in one transaction, and the organizations take turns, so that none waits for a big one.
    """
    ended = 0
    while ended < limit:
        lapsed = Invitation.objects.filter(ended_at__isnull=True, expires_at__lte=Now())
        turn = act_on_each(organizations_of(lapsed.order_by("expires_at")), _expire)
        if not turn:
            break  # another clock was faster
        ended += turn
    return ended


def _expire(organization: Organization) -> int:
    pending = Invitation.objects.filter(organization=organization, status=Status.PENDING)
    lapsed = list(pending.filter(expires_at__lte=organization.now).order_by("expires_at", "pk")[:BATCH])
    end_rows(Actor.system(), organization, lapsed, Status.EXPIRED)
    return len(lapsed)

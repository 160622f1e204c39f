"""Once a day, inviters hear what became of invitations that time or a mail server ended."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from guestlist.actions.due import MOST_ORGANIZATIONS, act_on_each
from guestlist.actions.mail import concerned, new_notice, owe
from guestlist.actions.members import members_by_key
from guestlist.actions.revocation import NEWS
from guestlist.conf import conf
from guestlist.models import Invitation, Organization
from guestlist.models.delivery import Kind, State
from guestlist.models.invitation import Status

EVERY = timedelta(days=1)
# What happens together is told together.
SETTLED = timedelta(hours=1)
SHOWN = 20
CAME_BACK = (State.BOUNCED, State.COMPLAINED, State.FAILED)


def write_digests(*, limit: int = MOST_ORGANIZATIONS) -> int:
    """Owe one message to each person whom unreported invitations concern, for up to `limit` organizations
    that have not done so for a day; how many messages. Of several clocks one does it.
    """
    if conf().email_sending == "off":
        return 0
    return act_on_each(list(_waiting().values_list("pk", flat=True)[:limit]), _write)


def _waiting() -> "QuerySet[Organization]":
    news = Invitation.objects.filter(organization=OuterRef("pk"), unreported_at__lte=Now() - SETTLED)
    rested = Q(digest_at=None) | Q(digest_at__lte=Now() - EVERY)
    organizations = Organization.objects.present().filter(Exists(news), rested, digests=True)
    return organizations.order_by("digest_at", "pk")


def _write(organization: Organization) -> int:
    # Asked again under the lock: another clock may have been faster.
    if not _waiting().filter(pk=organization.pk).exists():
        return 0
    unreported = Invitation.objects.filter(organization=organization, unreported_at__lte=organization.now)
    news = _still_true(organization, unreported.filter(unreported_at__gt=organization.now - NEWS))
    digests = [
        new_notice(organization, Kind.DIGEST, email, _content(rows))
        for email, rows in _by_recipient(organization, news).items()
    ]
    owe(digests)
    unreported.update(unreported_at=None)
    organization.digest_at = organization.now
    organization.save(update_fields=["digest_at"])
    return len(digests)


def _still_true(organization: Organization, unreported: "QuerySet[Invitation]") -> list[Invitation]:
    """Those that expired or came back, and whose person has neither joined nor been invited again since."""
    pending = Invitation.objects.filter(organization=organization, key=OuterRef("key")).pending()
    expired = Q(status=Status.EXPIRED) & ~Exists(pending)
    came_back = Q(status=Status.PENDING, expires_at__gt=organization.now, delivery__state__in=CAME_BACK)
    rows = unreported.filter(expired | came_back).select_related("delivery").order_by("key", "pk")
    needed = (
        "email",
        "key",
        "status",
        "invited_by_type",
        "invited_by_id",
        "delivery__state",
        "delivery__detail",
    )
    found = list(rows.only(*needed))
    joined = members_by_key(organization, [row.key for row in found])
    return [row for row in found if row.key not in joined]


def _by_recipient(organization: Organization, news: Iterable[Invitation]) -> dict[str, list[Invitation]]:
    """Verified address of each person who is told → what they are told."""
    by_inviter: dict[str | None, list[Invitation]] = defaultdict(list)
    for row in news:
        by_inviter[row.invited_by_id if row.invited_by_type == "user" else None].append(row)
    told: dict[str, list[Invitation]] = defaultdict(list)
    for rows in by_inviter.values():
        for member in concerned(organization, rows[0]):
            told[member.email] += rows
    return told


def _content(rows: Sequence[Invitation]) -> dict[str, Any]:
    rows = sorted(rows, key=lambda row: row.key)
    return {
        "expired": _part([row for row in rows if row.status == Status.EXPIRED]),
        "bounced": _part([row for row in rows if row.status != Status.EXPIRED]),
    }


def _part(rows: Sequence[Invitation]) -> dict[str, Any]:
    return {"count": len(rows), "first": [_line(row) for row in rows[:SHOWN]]}


def _line(row: Invitation) -> dict[str, str]:
    """The address, and what the mail server said if its mail came back."""
    said = row.delivery.detail if row.delivery and row.delivery.state in CAME_BACK else ""
    return {"email": row.email, "detail": said}

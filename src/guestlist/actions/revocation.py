"""Ending pending invitations: part of the actions revoke and remove."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import Case, DateTimeField, F, QuerySet, Value, When

from guestlist.actions.mail import cancel_mail
from guestlist.actors import Actor
from guestlist.events import Happening, record_all
from guestlist.models import Invitation, Organization
from guestlist.models.fields import chunks
from guestlist.models.invitation import Status

# Older news, from while nothing could be told or nobody wrote it down, is none for a digest.
NEWS = timedelta(days=7)


def revoke_rows(
    actor: Actor, organization: Organization, rows: "QuerySet[Invitation]"
) -> Sequence[Invitation]:
    """Revoke those of `rows` that are pending, in the locked `organization`; the ones that were."""
    ending = list(
        rows.filter(organization=organization, status=Status.PENDING, expires_at__gt=organization.now)
    )
    end_rows(actor, organization, ending, Status.REVOKED)
    return ending


def expire_rows(organization: Organization, keys: Collection[str]) -> None:
    """Write down that time has passed for those pending invitations of these addresses for which it has."""
    pending = Invitation.objects.filter(organization=organization, status=Status.PENDING)
    lapsed = pending.filter(expires_at__lte=organization.now)
    for chunk in chunks(list(keys)):
        end_rows(Actor.system(), organization, list(lapsed.filter(key__in=chunk)), Status.EXPIRED)


def end_rows(actor: Actor, organization: Organization, ending: Sequence[Invitation], status: Status) -> None:
    """End these pending invitations as `status`: their queued mail is canceled with them, and no reminder
    follows. One that expired ended when its time was over, and is news for whoever sent it.

    The caller holds the organization's lock and has read the rows under it.
    """
    if not ending:
        return
    expired = status == Status.EXPIRED
    for invitation in ending:
        invitation.status, invitation.status_now = status, status
        invitation.ended_at = invitation.expires_at if expired else organization.now
        news = expired and invitation.expires_at > organization.now - NEWS
        invitation.remind_at, invitation.unreported_at = None, organization.now if news else None
    for ids in chunks([invitation.pk for invitation in ending]):
        rows = Invitation.objects.filter(pk__in=ids, status=Status.PENDING)
        rows.update(
            status=status,
            ended_at=F("expires_at") if expired else organization.now,
            remind_at=None,
            unreported_at=_news(organization.now) if expired else None,
        )
        cancel_mail(ids, now=organization.now)
    change = {"status": (Status.PENDING.value, status.value)}
    record_all(actor, organization, [Happening(f"invitation.{status}", row, change) for row in ending])


def _news(now: datetime) -> Case:
    """Now for what has lapsed lately; nothing for what nobody wrote down in time."""
    return Case(When(expires_at__gt=now - NEWS, then=Value(now)), output_field=DateTimeField())

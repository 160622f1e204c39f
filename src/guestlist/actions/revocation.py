"""Ending pending invitations: part of the actions revoke and remove."""

from collections.abc import Collection, Sequence

from django.db.models import QuerySet

from guestlist.actions.mail import cancel_mail
from guestlist.actors import Actor
from guestlist.events import Happening, record_all
from guestlist.models import Invitation, Organization
from guestlist.models.fields import chunks
from guestlist.models.invitation import Status


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
    """End these pending invitations as `status`: their queued mail is canceled with them.

    The caller holds the organization's lock and has read the rows under it.
    """
    if not ending:
        return
    for invitation in ending:
        invitation.status, invitation.status_now, invitation.ended_at = status, status, organization.now
    for ids in chunks([invitation.pk for invitation in ending]):
        rows = Invitation.objects.filter(pk__in=ids, status=Status.PENDING)
        rows.update(status=status, ended_at=organization.now)
        cancel_mail(ids)
    change = {"status": (Status.PENDING.value, status.value)}
    record_all(actor, organization, [Happening(f"invitation.{status}", row, change) for row in ending])

"""Messages owed to the outside: part of the actions that send, end, ask and decline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from guestlist.addresses import comparison_key
from guestlist.conf import conf
from guestlist.models import Delivery, Invitation, Membership, Organization
from guestlist.models.delivery import TO_INVITED, DeliveryQuerySet, Kind, State
from guestlist.models.fields import chunks, insert_all, timestamp
from guestlist.models.history import Appended
from guestlist.permissions import Permission
from guestlist.wakeup import wake_after_commit

MOST_TOLD = 5


def owe(deliveries: Sequence[Delivery]) -> None:
    """Store messages; the workers hear of them when the transaction is committed."""
    if deliveries:
        insert_all(deliveries)
        wake_after_commit()


def new_mail(invitation: Invitation, kind: Kind = Kind.INVITATION, recipient: str = "") -> Delivery:
    """A message of `invitation`, due now and not stored yet. `recipient` is empty for the invited."""
    key = invitation.key if kind in TO_INVITED else comparison_key(recipient)
    return _new(invitation.organization, kind, recipient, key or "", invitation=invitation)


def new_notice(organization: Organization, kind: Kind, recipient: str, content: dict[str, Any]) -> Delivery:
    """A digest or a test message, due now and not stored yet."""
    return _new(organization, kind, recipient, comparison_key(recipient) or "", content=content)


def _new(organization: Organization, kind: Kind, recipient: str, key: str, **values: Any) -> Delivery:
    delivery = Delivery(
        organization=organization,
        kind=kind,
        recipient=recipient,
        key=key,
        created_at=organization.now,
        next_at=organization.now,
        **values,
    )
    delivery.message_id = f"<{delivery.pk.hex}@{urlsplit(conf().url).hostname}>"
    return delivery


def tell_managers(organization: Organization, invitation: Invitation, kind: Kind) -> None:
    """Mail those whom news of `invitation` concerns: the inviter while they may manage members, else the
    owners, at most five. Only verified addresses are written to.
    """
    invitation.organization = organization
    owe([new_mail(invitation, kind, member.email) for member in concerned(organization, invitation)])


def cancel_mail(invitation_ids: Sequence[UUID], *, now: datetime) -> None:
    """Stop mail to the invited of these invitations that has not left yet."""
    _cancel(Delivery.objects.owed().filter(kind__in=TO_INVITED, invitation__in=invitation_ids), now)


def cancel_all_mail(organization: Organization) -> None:
    """Part of deleting it: nothing that it owes leaves any more."""
    _cancel(Delivery.objects.owed().filter(organization=organization), organization.now)


def _cancel(owed: DeliveryQuerySet, now: datetime) -> None:
    # In one order, as workers take them: two that lock the same rows otherwise wait for each other.
    ids = list(owed.select_for_update().order_by("pk").values_list("pk", flat=True))
    entry = {"at": timestamp(now), "state": State.CANCELED.value, "detail": ""}
    for some in chunks(ids):
        # Not `owed` once more: 10,000 ids in two lists are 100 million pairs for SQLite.
        rows = Delivery.objects.owed().filter(pk__in=some)
        rows.update(state=State.CANCELED, next_at=None, detail="", history=Appended(entry))


def cancel_news(organization: Organization, emails: Sequence[str]) -> None:
    """Stop word to those who do not manage the members any more."""
    owed = Delivery.objects.owed().exclude(kind__in=TO_INVITED).filter(organization=organization)
    for addresses in chunks(emails):
        owed.filter(recipient__in=addresses).update(state=State.CANCELED, next_at=None, detail="")


def concerned(organization: Organization, invitation: Invitation) -> Sequence[Membership]:
    """Whom `tell_managers` writes to."""
    members = Membership.objects.active().filter(organization=organization, email_verified=True)
    members = members.exclude(email="").select_related("role")
    if invitation.invited_by_type == "user":
        inviter_id: Any = invitation.invited_by_id
        inviter = members.filter(user=inviter_id).first()
        if inviter and Permission.MEMBER_MANAGE in inviter.permissions:
            return [inviter]
    return list(members.filter(role__fixed=True).order_by("pk")[:MOST_TOLD])

"""Messages owed to the outside: part of the actions that send, end, ask and decline."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from guestlist.conf import conf
from guestlist.models import Delivery, Invitation, Membership, Organization
from guestlist.models.delivery import Kind, State
from guestlist.models.fields import insert_all
from guestlist.permissions import Permission

MOST_TOLD = 5


def new_mail(invitation: Invitation, kind: Kind = Kind.INVITATION, recipient: str = "") -> Delivery:
    """A message of `invitation`, due now and not stored yet. `recipient` is empty for the invited."""
    now = invitation.organization.now if kind != Kind.INVITATION else invitation.last_sent_at
    delivery = Delivery(
        organization=invitation.organization,
        invitation=invitation,
        kind=kind,
        recipient=recipient,
        created_at=now,
        next_at=now,
    )
    delivery.message_id = f"<{delivery.pk.hex}@{urlsplit(conf().url).hostname}>"
    return delivery


def tell_managers(organization: Organization, invitation: Invitation, kind: Kind) -> None:
    """Mail those whom news of `invitation` concerns: the inviter while they may manage members, else the
    owners, at most five. Only verified addresses are written to.
    """
    invitation.organization = organization
    insert_all([new_mail(invitation, kind, member.email) for member in concerned(organization, invitation)])


def cancel_mail(invitation_ids: Sequence[UUID]) -> None:
    """Stop mail to the invited of these invitations that has not left yet."""
    owed = Delivery.objects.owed().filter(kind=Kind.INVITATION, invitation__in=invitation_ids)
    owed.update(state=State.CANCELED, next_at=None, detail="")


def cancel_news(organization: Organization, email: str) -> None:
    """Stop word to somebody who does not manage the members any more."""
    owed = Delivery.objects.owed().exclude(kind=Kind.INVITATION)
    owed.filter(organization=organization, recipient=email).update(
        state=State.CANCELED, next_at=None, detail=""
    )


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

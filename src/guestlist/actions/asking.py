"""Ask for a new invitation once the old one is dead."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.invitee import is_invited
from guestlist.actions.mail import tell_managers
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.models import Invitation, Organization
from guestlist.models.delivery import Kind
from guestlist.models.invitation import Status
from guestlist.permissions import Permission

ASKED_AGAIN_AFTER = timedelta(days=1)
ASKABLE = (Status.EXPIRED, Status.DECLINED)


class Answer(StrEnum):
    """What came, or would come, of asking."""

    TOLD = "told"
    TOLD_BEFORE = "told_before"
    NEWER_PENDING = "newer_pending"
    SUPPRESSED = "suppressed"


def ask_for_invitation(*, actor: Actor, invitation: Invitation) -> Answer:
    """Tell the inviter that the holder of an expired or declined invitation wants a new one; a manager grants
    it by resending, or dismisses it. Only once in 24 hours. Where a newer one is pending already, or the
    address asked not to be invited, nobody is told.

    Raises NotFound, NotPending where the invitation is neither expired nor declined.
    """
    with access.locked_by_holder(invitation.organization) as organization:
        row = Invitation.objects.for_display().get(pk=invitation.pk)
        answer = what_asking_brings(invitation=row)
        if answer == Answer.TOLD:
            _same_address(row).asked().update(asking=False)  # one request for an address at a time
            Invitation.objects.filter(pk=row.pk).update(asked_at=organization.now, asking=True)
            if not is_invited(actor, invitation):
                actor = Actor.invitee(invitation.email, origin=actor.origin)
            record(actor, organization, Happening("invitation.asked", row))
            tell_managers(organization, row, Kind.ASKED)
    return answer


def what_asking_brings(*, invitation: Invitation) -> Answer:
    """What asking would be answered now, by the database's clock. Changes nothing.

    Raises NotPending where the invitation is neither expired nor declined.
    """
    if invitation.status_now not in ASKABLE:
        raise errors.NotPending(invitation.status_now)
    if _same_address(invitation).pending().exists():
        return Answer.NEWER_PENDING
    if suppressed_keys(invitation.organization, [invitation.key]):
        return Answer.SUPPRESSED
    if _same_address(invitation).filter(asked_at__gt=Now() - ASKED_AGAIN_AFTER).exists():
        return Answer.TOLD_BEFORE
    return Answer.TOLD


def dismiss_request(*, actor: Actor, organization: Organization, invitation_id: Any) -> Invitation:
    """Take a request for a new invitation off the list without granting it; the person is not told.

    Raises NotAllowed, NotFound (also where nobody asks).
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        rows = Invitation.objects.for_display().filter(organization=organization, pk=invitation_id)
        row = rows.asked().first()
        if row is None:
            raise errors.NotFound
        Invitation.objects.filter(pk=row.pk).update(asking=False)
        row.asking = False
        record(actor, organization, Happening("invitation.request_dismissed", row))
    return row


def _same_address(invitation: Invitation) -> Any:
    return Invitation.objects.filter(organization=invitation.organization_id, key=invitation.key)

"""Ask for a new invitation once the old one is dead."""

from datetime import timedelta
from enum import StrEnum

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.invitee import is_invited
from guestlist.actions.mail import tell_managers
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.models import Invitation
from guestlist.models.delivery import Kind
from guestlist.models.invitation import Status

ASKED_AGAIN_AFTER = timedelta(days=1)
ASKABLE = (Status.EXPIRED, Status.DECLINED)


class Answer(StrEnum):
    """What came of asking."""

    TOLD = "told"
    TOLD_BEFORE = "told_before"
    NEWER_PENDING = "newer_pending"
    SUPPRESSED = "suppressed"


def ask_for_invitation(*, actor: Actor, invitation: Invitation) -> Answer:
    """Tell the inviter that the holder of an expired or declined invitation wants a new one; a manager grants
    it by resending. Only once in 24 hours. Where a newer one is pending already, nobody is told.

    Raises NotFound, NotPending where the invitation is neither expired nor declined.
    """
    with access.locked_by_holder(invitation.organization) as organization:
        row = Invitation.objects.for_display().get(pk=invitation.pk)
        if row.status_now not in ASKABLE:
            raise errors.NotPending(row.status_now)
        if has_newer(invitation=row):
            return Answer.NEWER_PENDING
        if suppressed_keys(organization, [row.key]):
            return Answer.SUPPRESSED
        if row.asked_at and organization.now - row.asked_at < ASKED_AGAIN_AFTER:
            return Answer.TOLD_BEFORE
        Invitation.objects.filter(pk=row.pk).update(asked_at=organization.now)
        if not is_invited(actor, invitation):
            actor = Actor.invitee(invitation.email, origin=actor.origin)
        record(actor, organization, Happening("invitation.asked", row))
        tell_managers(organization, row, Kind.ASKED)
    return Answer.TOLD


def has_newer(*, invitation: Invitation) -> bool:
    """Whether the same address has a pending invitation of the same organization."""
    same = Invitation.objects.pending().filter(organization=invitation.organization_id, key=invitation.key)
    return same.exists()

"""Links to hand over, where e-mail is not configured."""

from collections.abc import Sequence
from typing import Any

from guestlist import errors
from guestlist.actions import access
from guestlist.actors import Actor
from guestlist.conf import conf
from guestlist.events import Happening, record
from guestlist.links import HAND_OVER, invitation_url, new_nonce
from guestlist.models import Invitation, Organization
from guestlist.models.fields import chunks
from guestlist.permissions import Permission


def create_hand_over_link(*, actor: Actor, organization: Organization, invitation_id: Any) -> str:
    """A link to a pending invitation for the manager to pass on by other means; an earlier one stops working.
    Whoever joins by it has an unverified address. Its making is in the audit log.

    Raises EmailConfigured, NotAllowed, NotFound, NotPending.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        if conf().email_sending != "off":
            raise errors.EmailConfigured
        invitation = (
            Invitation.objects.for_display().filter(organization=organization, pk=invitation_id).first()
        )
        if invitation is None:
            raise errors.NotFound
        nonce = new_nonce()
        rows = Invitation.objects.pending().filter(pk=invitation.pk)
        if not rows.update(hand_over_nonce=nonce, hand_over_by_id=actor.id):
            raise errors.NotPending(invitation.status_now)
        record(actor, organization, Happening("invitation.link_created", invitation))
    return invitation_url(nonce, invitation.pk, HAND_OVER)


def end_hand_over_links(organization: Organization, user_ids: Sequence[Any]) -> None:
    """Part of removing members: the links that they made stop working."""
    for ids in chunks([str(user_id) for user_id in user_ids]):
        made = Invitation.objects.filter(organization=organization, hand_over_by_id__in=ids)
        made.update(hand_over_nonce=None, hand_over_by_id=None)

"""Asking not to be invited again, and changing one's mind."""

from collections.abc import Iterable
from typing import Any, Literal

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.invitee import invited_actor, verified_keys
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.models import Delivery, Invitation, Organization, Suppression
from guestlist.models.delivery import Kind, State
from guestlist.models.suppression import SuppressionQuerySet

Scope = Literal["organization", "server"]
SCOPES: tuple[Scope, ...] = ("organization", "server")


def suppress_invitations(
    *, actor: Actor, invitation: Invitation, scope: Scope | None, typed_address: str = ""
) -> None:
    """Never invite this address again: into this organization, or into any (`server`). None takes both back.
    Asked by the invited, signed in or having typed the address; an invitation that is pending stays so.

    Raises NotFound, AddressNotConfirmed, MailboxNotProved.
    """
    with access.locked_by_holder(invitation.organization) as organization:
        actor = invited_actor(actor, invitation, typed_address)
        if scope:
            suppress_key(actor, organization, invitation, scope)
        else:
            _check_proof(actor, invitation)
            _allow(actor, organization, invitation)


def own_suppressions(*, actor: Actor) -> SuppressionQuerySet:
    """What the signed-in user has asked for, for any verified address."""
    rows = Suppression.objects.filter(key__in=verified_keys(actor)).select_related("organization")
    return rows.order_by("key", "organization__name")


def allow_invitations(*, actor: Actor, suppression_id: Any) -> None:
    """Let an address be invited again. Asked by the signed-in user who has verified it. Raises NotFound."""
    if not own_suppressions(actor=actor).filter(pk=suppression_id).delete()[0]:
        raise errors.NotFound


def suppress_key(actor: Actor, organization: Organization, invitation: Invitation, scope: Scope) -> None:
    """Part of the actions that suppress: the row, its event, and the mail that has not left yet."""
    _check_proof(actor, invitation)
    of = organization if scope == "organization" else None
    _, created = Suppression.objects.get_or_create(key=invitation.key, organization=of)
    if created:
        record(actor, organization, Happening("invitation.suppressed", invitation, {"scope": (None, scope)}))
    owed = Delivery.objects.owed().filter(kind=Kind.INVITATION, invitation__key=invitation.key)
    owed = owed.filter(organization=of) if of else owed
    owed.update(state=State.CANCELED, next_at=None, detail="")


def suppressed_keys(organization: Organization, keys: Iterable[str]) -> set[str]:
    """Those of `keys` that asked not to be invited."""
    return set(Suppression.objects.against(organization, keys).values_list("key", flat=True))


def _allow(actor: Actor, organization: Organization, invitation: Invitation) -> None:
    rows = Suppression.objects.against(organization, [invitation.key])
    if rows.delete()[0]:
        record(actor, organization, Happening("invitation.allowed", invitation))


def _check_proof(actor: Actor, invitation: Invitation) -> None:
    # A link that was handed over shows nothing about the mailbox: its maker could silence anybody.
    if not invitation.proves_mailbox and invitation.key not in verified_keys(actor):
        raise errors.MailboxNotProved

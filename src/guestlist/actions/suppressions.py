"""Asking not to be invited again, and changing one's mind."""

from collections.abc import Collection
from typing import Any, Literal

from django.db import transaction

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.invitee import has_proved_mailbox, invited_actor, is_invited, verified_keys
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.models import Invitation, Organization, Suppression
from guestlist.models.fields import chunks
from guestlist.models.suppression import SuppressionQuerySet

Scope = Literal["organization", "server"]
SCOPES: tuple[Scope, ...] = ("organization", "server")


def suppress_invitations(
    *, actor: Actor, invitation: Invitation, scope: Scope | None, typed_address: str = ""
) -> None:
    """Never invite this address again: into this organization, or into any (`server`); None into neither.
    The choice replaces an earlier one. Asked by the invited, signed in or having typed the address; an
    invitation that is pending stays so.

    Raises NotFound, AddressNotConfirmed, MailboxNotProved.
    """
    with access.locked_by_holder(invitation.organization) as organization:
        actor = invited_actor(actor, invitation, typed_address)
        _check_proof(actor, invitation)
        before = Suppression.objects.against(organization, [invitation.key])
        keep = {"organization": organization, "server": None}
        others = before.exclude(organization=keep[scope]) if scope else before
        if others.delete()[0] and not scope:
            record(actor, organization, Happening("invitation.allowed", invitation))
        if scope:
            suppress_key(actor, organization, invitation, scope)


def unsubscribe(*, actor: Actor, invitation: Invitation) -> None:
    """Send this address no more mail of the organization: whoever holds the link for that in its mail wants
    none. It ends nothing, so an invitation that is pending still works. Once is as good as twice.

    Raises NotFound, MailboxNotProved.
    """
    with access.locked_by_holder(invitation.organization) as organization:
        if suppressed_keys(organization, [invitation.key]):
            return
        if not is_invited(actor, invitation):
            actor = Actor.invitee(invitation.email, origin=actor.origin)
        suppress_key(actor, organization, invitation, "organization")


def own_suppressions(*, actor: Actor) -> SuppressionQuerySet:
    """What the signed-in user has asked for, for any verified address."""
    rows = Suppression.objects.filter(key__in=verified_keys(actor)).select_related("organization")
    return rows.order_by("key", "organization__name")


def allow_invitations(*, actor: Actor, suppression_id: Any) -> None:
    """Let an address be invited again. Asked by the signed-in user who has verified it. Raises NotFound."""
    row = own_suppressions(actor=actor).filter(pk=suppression_id).first()
    if row is None:
        raise errors.NotFound
    if row.organization is None:
        row.delete()
        return
    with access.locked_by_holder(row.organization) as organization:
        last = Invitation.objects.filter(organization=organization, key=row.key).order_by("pk").last()
        if row.delete()[0] and last:
            record(actor, organization, Happening("invitation.allowed", last))


def chosen_scope(*, invitation: Invitation) -> Scope | None:
    """What holds for the invited address in this organization now."""
    rows = Suppression.objects.against(invitation.organization, [invitation.key])
    scopes = set(rows.values_list("organization", flat=True))
    if not scopes:
        return None
    return "server" if None in scopes else "organization"


def suppress_key(actor: Actor, organization: Organization, invitation: Invitation, scope: Scope) -> None:
    """Part of the actions that suppress: the row and its event; a request for a new invitation is taken back.
    Mail that has not left yet is held back when its turn comes.
    """
    _check_proof(actor, invitation)
    of = organization if scope == "organization" else None
    with transaction.atomic():
        _, created = Suppression.objects.get_or_create(key=invitation.key, organization=of)
    if created:
        record(actor, organization, Happening("invitation.suppressed", invitation, {"scope": (None, scope)}))
    asking = Invitation.objects.asked().filter(key=invitation.key)
    (asking.filter(organization=of) if of else asking).update(asking=False)


def suppressed_keys(organization: Organization, keys: Collection[str]) -> set[str]:
    """Those of `keys` that asked not to be invited, in one query for every 10,000."""
    found: set[str] = set()
    for chunk in chunks(list(keys)):
        found |= set(Suppression.objects.against(organization, chunk).values_list("key", flat=True))
    return found


def _check_proof(actor: Actor, invitation: Invitation) -> None:
    if not has_proved_mailbox(actor, invitation):
        raise errors.MailboxNotProved

"""The invited person's side: open the link, accept, decline."""

from dataclasses import dataclass

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.members import add_member
from guestlist.actions.revocation import end_rows
from guestlist.actors import Actor
from guestlist.addresses import comparison_key
from guestlist.conf import conf
from guestlist.links import is_token_of, token_nonce
from guestlist.models import Invitation, Membership, Organization
from guestlist.models.invitation import Status


@dataclass(frozen=True, slots=True)
class Acceptance:
    """`joined` is false where the person was a member already."""

    invitation: Invitation
    membership: Membership
    joined: bool


def find_invitation(*, token: str) -> Invitation:
    """The invitation that `token` opens, in whatever state. Raises NotFound, in the same way and with the
    same single query for malformed, forged and unknown tokens.
    """
    rows = Invitation.objects.for_display().select_related("organization")
    invitation = rows.filter(nonce=token_nonce(token)).first()
    if invitation is None or not is_token_of(token, invitation.nonce, invitation.pk):
        raise errors.NotFound
    return invitation


def owns_address(actor: Actor, invitation: Invitation) -> bool:
    """Whether the signed-in user has verified the invited address."""
    if actor.type != "user":
        return False
    verified = conf().addresses.verified_addresses(actor.subject)
    return invitation.key in {comparison_key(email) for email in verified}


def accept_invitation(*, actor: Actor, token: str) -> Acceptance:
    """Make the signed-in owner of the invited address a member, without a role.

    Raises NotFound, EmailMismatch, and NotPending with what became of the invitation instead.
    """
    invitation = find_invitation(token=token)
    with access.locked_by_holder(invitation.organization) as organization:
        if not owns_address(actor, invitation):
            raise errors.EmailMismatch
        _end(actor, organization, invitation, Status.ACCEPTED)
        member = Membership.objects.active().filter(organization=organization, user=actor.subject).first()
        if member:
            return Acceptance(invitation, member, joined=False)
        return Acceptance(invitation, add_member(actor, organization, user=actor.subject), joined=True)


def decline_invitation(*, actor: Actor, token: str, typed_address: str = "") -> Invitation:
    """End the invitation because the person does not want it: signed in as the owner of the address, or
    having typed the address, which a mail scanner does not.

    Raises NotFound, AddressNotConfirmed, NotPending.
    """
    invitation = find_invitation(token=token)
    with access.locked_by_holder(invitation.organization) as organization:
        if not owns_address(actor, invitation):
            if comparison_key(typed_address.strip()) != invitation.key:
                raise errors.AddressNotConfirmed
            actor = Actor.invitee(invitation.email, origin=actor.origin)
        _end(actor, organization, invitation, Status.DECLINED)
    return invitation


def _end(actor: Actor, organization: Organization, invitation: Invitation, status: Status) -> None:
    # One conditional write decides every race, by the database's clock.
    won = (
        Invitation.objects.pending().filter(pk=invitation.pk).update(status=status, ended_at=organization.now)
    )
    if not won:
        raise errors.NotPending(Invitation.objects.for_display().get(pk=invitation.pk).status_now)
    end_rows(actor, organization, [invitation], status)

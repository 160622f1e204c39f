"""The invited person's side: open the link, accept, decline."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.invitee import invited_actor, is_invited, verified_keys
from guestlist.actions.joining import admit
from guestlist.actions.mail import tell_managers
from guestlist.actions.members import add_member
from guestlist.actions.revocation import end_rows
from guestlist.actions.suppressions import Scope, suppress_key
from guestlist.actors import Actor
from guestlist.links import HAND_OVER, MAILED, UNSUBSCRIBE, is_token_of, token_kind, token_nonce
from guestlist.links import Kind as LinkKind
from guestlist.models import Invitation, Membership, Organization
from guestlist.models.delivery import Kind
from guestlist.models.invitation import InvitationQuerySet, Status
from guestlist.names import clean_line

LONGEST_NOTE = 300
# The links that lead to the invitation itself.
OPENING = (MAILED, HAND_OVER)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """`joined` is false where the person was a member already."""

    invitation: Invitation
    membership: Membership
    joined: bool


def find_invitation(*, token: str, kinds: Collection[LinkKind] = OPENING) -> Invitation:
    """The invitation that `token` opens, in whatever state; its `proves_mailbox` is true for a mailed link.
    Raises NotFound, in the same way and with the same single query for malformed, forged and unknown tokens
    and for those of other `kinds`; and OrganizationGone, which is a NotFound, where that is deleted.
    """
    kind = token_kind(token)
    handed_over = kind is HAND_OVER
    column = "hand_over_nonce" if handed_over else "nonce"
    invitation = _rows().filter(**{column: token_nonce(token)}).first()
    ours = invitation is not None and is_token_of(token, getattr(invitation, column), invitation.pk)
    if invitation is None or not ours or kind not in kinds:
        raise errors.NotFound
    if invitation.organization.deleted_at:
        raise errors.OrganizationGone(organization=invitation.organization.name)
    invitation.proves_mailbox = not handed_over
    return invitation


def find_unsubscribing(*, token: str) -> Invitation:
    """The invitation whose mail offered `token` to whoever wants no more of it, in whatever state.
    Raises NotFound, as `find_invitation` does.
    """
    return find_invitation(token=token, kinds=(UNSUBSCRIBE,))


def own_invitations(*, actor: Actor) -> InvitationQuerySet:
    """The pending invitations to any address that the signed-in user has verified, newest first."""
    return _own(actor).pending().order_by("-last_sent_at", "-pk")


def find_own_invitation(*, actor: Actor, invitation_id: Any) -> Invitation:
    """One invitation to an address that the signed-in user has verified, in whatever state.
    Raises NotFound.
    """
    invitation = _own(actor).filter(pk=invitation_id).first()
    if invitation is None:
        raise errors.NotFound
    return invitation


def accept_invitation(*, actor: Actor, invitation: Invitation) -> Acceptance:
    """Make the invited user, who is signed in, a member, with the role for new members if there is one.

    Raises NotFound, EmailMismatch, and NotPending with what became of the invitation instead; and where
    somebody had it mailed to themselves by a join link or domain, RemovedBefore, LinkForDomains,
    JoinLinkClosed.
    """
    with access.locked_by_holder(invitation.organization) as organization:
        if not is_invited(actor, invitation):
            raise errors.EmailMismatch
        accepted = _end(actor, organization, invitation, Status.ACCEPTED)
        member = Membership.objects.active().filter(organization=organization, user=actor.subject).first()
        if member:
            return Acceptance(accepted, member, joined=False)
        accepted.proves_mailbox = invitation.proves_mailbox
        via = admit(actor, organization, accepted)
        way = {"invitation": accepted, "join_link": accepted.join_link}
        member = add_member(actor, organization, user=actor.subject, via=via, **way)
        return Acceptance(accepted, member, joined=True)


def decline_invitation(
    *,
    actor: Actor,
    invitation: Invitation,
    typed_address: str = "",
    note: str = "",
    suppress: Scope | None = None,
) -> Invitation:
    """End the invitation because the person does not want it: signed in as the invited, or having typed the
    address, which a mail scanner does not. `note` is a word to the inviter of at most 300 characters, who is
    told by mail if there is one; `suppress` asks not to be invited again.

    Raises NotFound, AddressNotConfirmed, MailboxNotProved, NotPending.
    """
    with access.locked_by_holder(invitation.organization) as organization:
        actor = invited_actor(actor, invitation, typed_address)
        declined = _end(actor, organization, invitation, Status.DECLINED)
        if line := clean_line(note, LONGEST_NOTE):
            Invitation.objects.filter(pk=declined.pk).update(decline_note=line)
            declined.decline_note = line
            tell_managers(organization, declined, Kind.DECLINED)
        if suppress:
            suppress_key(actor, organization, invitation, suppress)
    return declined


def _own(actor: Actor) -> InvitationQuerySet:
    return _rows().filter(key__in=verified_keys(actor), organization__deleted_at=None)


def _rows() -> InvitationQuerySet:
    return Invitation.objects.for_display().select_related("organization")


def _end(actor: Actor, organization: Organization, invitation: Invitation, status: Status) -> Invitation:
    """What ends it holds the organization's lock, so of accept, decline and revoke only the first finds it
    pending, by the database's clock.
    """
    rows = Invitation.objects.filter(pk=invitation.pk, status=Status.PENDING, expires_at__gt=organization.now)
    if not invitation.proves_mailbox:
        # A newer hand-over link has ended this one meanwhile.
        rows = rows.filter(hand_over_nonce=invitation.hand_over_nonce)
    ending = list(rows)
    if not ending:
        raise errors.NotPending(_rows().get(pk=invitation.pk).status_now)
    end_rows(actor, organization, ending, status)
    return ending[0]

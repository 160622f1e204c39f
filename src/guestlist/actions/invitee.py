"""Who is invited: part of the actions of the invited person."""

from guestlist import errors
from guestlist.actors import Actor
from guestlist.addresses import comparison_key
from guestlist.conf import conf
from guestlist.models import Invitation


def verified_keys(actor: Actor) -> set[str]:
    """The comparison keys of the addresses that the signed-in user has verified."""
    if actor.type != "user":
        return set()
    verified = conf().addresses.verified_addresses(actor.subject)
    return {key for email in verified if (key := comparison_key(email))}


def is_invited(actor: Actor, invitation: Invitation) -> bool:
    """Whether the signed-in user is the one who is invited: has verified the address, or holds it unverified
    and was handed the link.
    """
    if not invitation.proves_mailbox and claims_address(actor, invitation):
        return True
    return invitation.key in verified_keys(actor)


def claims_address(actor: Actor, invitation: Invitation) -> bool:
    """Whether the invited address is the signed-in user's own, proved or not."""
    return actor.type == "user" and comparison_key(actor.email) == invitation.key


def has_proved_mailbox(actor: Actor, invitation: Invitation) -> bool:
    """Whether the link or the sign-in shows that the invited mailbox is theirs. A link that was handed over
    shows nothing: its maker could silence anybody.
    """
    return invitation.proves_mailbox or invitation.key in verified_keys(actor)


def invited_actor(actor: Actor, invitation: Invitation, typed_address: str) -> Actor:
    """Whoever acts for the invited address: its owner who is signed in, or who typed it, which a mail scanner
    does not. Raises AddressNotConfirmed.
    """
    if is_invited(actor, invitation):
        return actor
    if comparison_key(typed_address.strip()) != invitation.key:
        raise errors.AddressNotConfirmed
    return Actor.invitee(invitation.email, origin=actor.origin)

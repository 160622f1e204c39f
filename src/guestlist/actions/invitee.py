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
    handed_over = actor.type == "user" and not invitation.proves_mailbox
    if handed_over and comparison_key(actor.email) == invitation.key:
        return True
    return invitation.key in verified_keys(actor)


def invited_actor(actor: Actor, invitation: Invitation, typed_address: str) -> Actor:
    """Whoever acts for the invited address: its owner who is signed in, or who typed it, which a mail scanner
    does not. Raises AddressNotConfirmed.
    """
    if is_invited(actor, invitation):
        return actor
    if comparison_key(typed_address.strip()) != invitation.key:
        raise errors.AddressNotConfirmed
    return Actor.invitee(invitation.email, origin=actor.origin)

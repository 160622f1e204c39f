"""Joining without having been invited: part of what join links and domains do."""

from collections.abc import Collection
from typing import Any

from django.db.models import F as Column
from django.db.models import Q

from guestlist import errors
from guestlist.actions import limits
from guestlist.actions.invitation_settings import is_allowed
from guestlist.actions.invitee import verified_keys
from guestlist.actions.marks import bad_addresses
from guestlist.actions.members import add_member, members_by_key
from guestlist.actions.revocation import end_rows, expire_rows
from guestlist.actions.sending import Manner, insert_invitations, send_again
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor, Origin
from guestlist.addresses import Address
from guestlist.conf import conf
from guestlist.mail_domains import matches
from guestlist.models import Domain, Invitation, JoinLink, Membership, Organization
from guestlist.models.fields import chunks
from guestlist.models.invitation import Status


def was_removed(organization: Organization, keys: Collection[str], user_id: Any = None) -> bool:
    """Whether this person was removed from the organization, as `removed_from` knows them."""
    return bool(removed_from({organization.pk}, keys, user_id))


def removed_from(organization_ids: Collection[Any], keys: Collection[str], user_id: Any = None) -> set[Any]:
    """Those of the organizations in which the newest membership of this person was ended by somebody else,
    with any of their accounts: this one, whichever has verified one of the addresses with these comparison
    keys, or had one of them.
    """
    users = {*conf().addresses.owners(list(keys)).values(), *([user_id] if user_id is not None else [])}
    theirs = Q(user__in=users) | Q(email_key__in=list(keys))
    rows = Membership.objects.filter(theirs, organization__in=organization_ids).order_by("joined_at", "pk")
    newest = {
        (place, user): state for place, user, state in rows.values_list("organization", "user", "state")
    }
    return {place for (place, _), state in newest.items() if state == Membership.State.REMOVED}


def check_admissible(
    organization: Organization,
    keys: Collection[str],
    user_id: Any = None,
    *,
    patterns: Collection[str] = (),
) -> None:
    """Whether a person with these verified addresses may come in without a manager's invitation, by one at
    the domains of `patterns` if there are any.

    Raises RemovedBefore, NoFittingAddress where there is none, DomainNotAllowed.
    """
    if was_removed(organization, keys, user_id):
        raise errors.RemovedBefore(organization=organization.name)
    at = fitting(patterns, keys)
    if not at:
        raise errors.NoFittingAddress(organization=organization.name)
    if not any(is_allowed(organization, key) for key in at):
        domains = sorted({key.rpartition("@")[2] for key in at})
        raise errors.DomainNotAllowed(organization=organization.name, domain=", ".join(domains))


def join(
    actor: Actor, organization: Organization, *, via: Membership.Via, join_link: JoinLink | None = None
) -> Membership:
    """Part of joining by a link or a domain: make the signed-in user a member of the locked `organization`;
    one who is a member already stays what they are, and uses nothing. Pending invitations to any of their
    verified addresses are accepted with it.

    Raises RemovedBefore, NoFittingAddress, DomainNotAllowed, JoinLinkClosed.
    """
    member = Membership.objects.active().filter(organization=organization, user=actor.subject).first()
    if member:
        return member
    keys = verified_keys(actor)
    patterns = join_link.domains if join_link else []
    check_admissible(organization, keys, actor.subject.pk, patterns=patterns)
    if join_link:
        use_link(organization, join_link)
    member = add_member(actor, organization, user=actor.subject, via=via, join_link=join_link)
    waiting = Invitation.objects.filter(
        organization=organization, status=Status.PENDING, expires_at__gt=organization.now
    )
    for some in chunks(sorted(keys)):
        end_rows(actor, organization, list(waiting.filter(key__in=some)), Status.ACCEPTED)
    return member


def fitting(patterns: Collection[str], keys: Collection[str]) -> set[str]:
    """Those of `keys` that are at one of the domains; without domains, all of them."""
    return {key for key in keys if not patterns or matches(patterns, key)}


def use_link(organization: Organization, join_link: JoinLink) -> None:
    """Count a use of a join link of the locked `organization`. Of more people than uses are left, the last
    ones find none. Raises JoinLinkClosed.
    """
    rows = JoinLink.objects.open().filter(organization=organization, pk=join_link.pk)
    if not rows.update(uses=Column("uses") + 1):
        raise errors.JoinLinkClosed(organization=organization.name)


def invite_self(
    organization: Organization,
    address: Address,
    *,
    join_link: JoinLink | None = None,
    domain: Domain | None = None,
    origin: Origin,
) -> Invitation | None:
    """Mail an invitation into the locked `organization` to an address that somebody typed at a join link or
    domain, or mail a pending one again. None, and nothing is sent, for an address that can't join so, or was
    mailed to a short while ago. Each try counts, so that nobody learns from a limit whose address it is.

    Raises JoiningNeedsEmail, SelfInvitationLimit.
    """
    if conf().email_sending == "off":
        raise errors.JoiningNeedsEmail
    way = join_link or domain
    if way:
        limits.take_self_invitation(organization=organization, way_id=way.pk)
    actor = Actor.invitee(address.email, origin=origin)
    expire_rows(organization, [address.key])
    if _is_kept_out(organization, address.key):
        return None
    pending = Invitation.objects.for_display().filter(organization=organization, key=address.key)
    row = pending.filter(status=Status.PENDING).first()
    if row is None:
        manners = {address.key: Manner(join_link=join_link, domain=domain)}
        return insert_invitations(actor, organization, [address], manners)[address.key]
    if _mailed_lately(organization, row):
        return None
    if row.join_link_id or row.domain_id:
        # Whoever was mailed to by a way that is closed meanwhile comes in by this one.
        row.join_link, row.domain = join_link, domain
        row.save(update_fields=["join_link", "domain"])
    send_again(actor, organization, [row])
    return row


def admit(actor: Actor, organization: Organization, invitation: Invitation) -> Membership.Via:
    """Part of accepting: what the way asks by which somebody had an invitation mailed to themselves, and how
    they come in. A manager's invitation asks for nothing.

    Raises RemovedBefore, LinkForDomains, JoinLinkClosed.
    """
    if not (invitation.join_link_id or invitation.domain_id):
        by_mail = invitation.proves_mailbox
        return Membership.Via.INVITATION if by_mail else Membership.Via.HAND_OVER
    if was_removed(organization, {invitation.key, *verified_keys(actor)}, actor.subject.pk):
        raise errors.RemovedBefore(organization=organization.name)
    if invitation.join_link is None:
        return Membership.Via.DOMAIN
    if not fitting(invitation.join_link.domains, [invitation.key]):
        raise errors.LinkForDomains(domains=", ".join(invitation.join_link.domains))
    use_link(organization, invitation.join_link)
    return Membership.Via.JOIN_LINK


def _is_kept_out(organization: Organization, key: str) -> bool:
    """Whether nothing is mailed to the address: it is a member's or of somebody who was removed, wants no
    mail or gets none, or is not allowed.
    """
    return (
        not is_allowed(organization, key)
        or bool(members_by_key(organization, [key]))
        or bool(suppressed_keys(organization, [key]))
        or bool(bad_addresses(organization, [key]))
        or was_removed(organization, [key])
    )


def _mailed_lately(organization: Organization, invitation: Invitation) -> bool:
    limit = conf().limits.resend
    return limit is not None and invitation.last_sent_at > organization.now - limit.period

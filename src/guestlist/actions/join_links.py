"""Create, change, turn off and turn on join links, and join by them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.invitee import verified_keys
from guestlist.actions.joining import fitting, invite_self, join, was_removed
from guestlist.actions.revocation import revoke_rows
from guestlist.actions.validity import parse_expiry
from guestlist.actors import Actor, Origin
from guestlist.addresses import parse_items
from guestlist.events import Happening, record
from guestlist.links import JOIN, is_token_of, join_url, new_nonce, token_kind, token_nonce
from guestlist.mail_domains import parse_patterns
from guestlist.models import Invitation, JoinLink, Membership, Organization
from guestlist.models.fields import timestamp
from guestlist.models.invitation import NEVER
from guestlist.models.join_link import State
from guestlist.names import clean_name
from guestlist.permissions import Permission

MOST_ON = 100
MOST_USES = 1_000_000
# What is offered as days; any day can be written as 2026-12-31.
DAYS = (1, 7, 30)


@dataclass(frozen=True, slots=True)
class Joined:
    """`fresh` is false where the person was a member already."""

    membership: Membership
    fresh: bool


def create_join_link(
    *,
    actor: Actor,
    organization: Organization,
    name: str,
    expires: str = "",
    max_uses: str = "",
    domains: str = "",
) -> JoinLink:
    """Make a link by which people can join. `expires` is `7d`, the last day as `2026-12-31`, or empty for
    never; `max_uses` empty is any number; with `domains` only verified addresses there can use it.

    Raises NotAllowed, NameEmpty, NameHasLink, ExpiryInvalid, MaxUsesInvalid, DomainInvalid, TooManyDomains,
    TooManyJoinLinks.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        typed = {"name": name, "expires_at": expires, "max_uses": max_uses, "domains": domains}
        wanted = _wanted(organization, typed)
        _check_room(organization)
        row = JoinLink(
            organization=organization,
            nonce=new_nonce(),
            created_at=organization.now,
            created_by_type=actor.type,
            created_by_id=actor.id,
            created_by_name=actor.name[:150],
            **wanted,
        )
        row.save(force_insert=True)
        changes = {field: (None, _told(value)) for field, value in wanted.items() if field != "name"}
        record(actor, organization, Happening("join_link.created", row, changes))
    return find_own_join_link(organization=organization, join_link_id=row.pk)


def update_join_link(
    *,
    actor: Actor,
    organization: Organization,
    join_link_id: Any,
    name: str | None = None,
    expires: str | None = None,
    max_uses: str | None = None,
    domains: str | None = None,
) -> JoinLink:
    """Change what `create_join_link` sets; what is None stays, and so does the link itself. A last day that
    is over can stay, and what was used counts on.

    Raises NotAllowed, NotFound, NameEmpty, NameHasLink, ExpiryInvalid, MaxUsesInvalid, DomainInvalid,
    TooManyDomains.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        row = find_own_join_link(organization=organization, join_link_id=join_link_id)
        typed = {"name": name, "expires_at": expires, "max_uses": max_uses, "domains": domains}
        _write(actor, organization, row, _wanted(organization, typed, row))
    return find_own_join_link(organization=organization, join_link_id=join_link_id)


def turn_off_join_link(*, actor: Actor, organization: Organization, join_link_id: Any) -> JoinLink:
    """Let nobody join by it any more; invitations that people had mailed to themselves by it are revoked.
    Whoever has joined stays. Raises NotAllowed, NotFound.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        row = find_own_join_link(organization=organization, join_link_id=join_link_id)
        _write(actor, organization, row, {"enabled": False})
        revoke_rows(actor, organization, Invitation.objects.filter(join_link=row))
    return find_own_join_link(organization=organization, join_link_id=join_link_id)


def turn_on_join_link(*, actor: Actor, organization: Organization, join_link_id: Any) -> JoinLink:
    """Let people join by it again. Raises NotAllowed, NotFound, TooManyJoinLinks."""
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        row = find_own_join_link(organization=organization, join_link_id=join_link_id)
        if not row.enabled:
            _check_room(organization)
        _write(actor, organization, row, {"enabled": True})
    return find_own_join_link(organization=organization, join_link_id=join_link_id)


def find_own_join_link(*, organization: Organization, join_link_id: Any) -> JoinLink:
    """One join link of the organization, with its state. Raises NotFound."""
    rows = JoinLink.objects.for_display().filter(organization=organization, pk=join_link_id)
    row = rows.select_related("organization").first()
    if row is None:
        raise errors.NotFound
    return row


def url_of(join_link: JoinLink) -> str:
    """What opens it. It is stored nowhere, and whoever manages members can be shown it at any time."""
    return join_url(join_link.nonce, join_link.pk)


def find_join_link(*, token: str) -> JoinLink:
    """The join link that `token` opens, in whatever state. Raises NotFound, in the same way and with the same
    single query for malformed, forged and unknown tokens and for those of other kinds; and OrganizationGone,
    which is a NotFound, where that is deleted.
    """
    rows = JoinLink.objects.for_display().select_related("organization")
    row = rows.filter(nonce=token_nonce(token)).first()
    ours = row is not None and is_token_of(token, row.nonce, row.pk)
    if row is None or not ours or token_kind(token) is not JOIN:
        raise errors.NotFound
    if row.organization.deleted_at:
        raise errors.OrganizationGone(organization=row.organization.name)
    return row


def standing(*, actor: Actor, join_link: JoinLink) -> list[str]:
    """The addresses with which the signed-in user can join by the link now; none of somebody who is not
    signed in. Raises RemovedBefore.
    """
    if actor.type != "user":
        return []
    keys = verified_keys(actor)
    if was_removed(join_link.organization, keys, actor.subject.pk):
        raise errors.RemovedBefore(organization=join_link.organization.name)
    return sorted(fitting(join_link.domains, keys))


def join_by_link(*, actor: Actor, join_link: JoinLink) -> Joined:
    """Make the signed-in user a member, with the role for new members if there is one.

    Raises NotFound, RemovedBefore, NoFittingAddress, DomainNotAllowed, JoinLinkClosed.
    """
    with access.locked_by_holder(join_link.organization) as organization:
        row = find_own_join_link(organization=organization, join_link_id=join_link.pk)
        before = organization.event_number
        member = join(actor, organization, via=Membership.Via.JOIN_LINK, join_link=row)
        return Joined(member, fresh=organization.event_number > before)


def invite_by_link(*, origin: Origin, join_link: JoinLink, email: str) -> None:
    """Mail an invitation to an address that somebody typed, where it can join; nobody is told whether it can.

    Raises NotFound, AddressInvalid, LinkForDomains, JoinLinkClosed, JoiningNeedsEmail, SelfInvitationLimit.
    """
    found = parse_items([email]).addresses
    if len(found) != 1:
        raise errors.AddressInvalid(email=email.strip()[:254])
    with access.locked_by_holder(join_link.organization) as organization:
        row = find_own_join_link(organization=organization, join_link_id=join_link.pk)
        if row.state_now != State.ON:
            raise errors.JoinLinkClosed(organization=organization.name)
        if not fitting(row.domains, [found[0].key]):
            raise errors.LinkForDomains(domains=", ".join(row.domains))
        invite_self(organization, found[0], join_link=row, origin=origin)


def _check_room(organization: Organization) -> None:
    if JoinLink.objects.filter(organization=organization, enabled=True).count() >= MOST_ON:
        raise errors.TooManyJoinLinks(limit=MOST_ON)


def _wanted(
    organization: Organization, typed: Mapping[str, str | None], row: JoinLink | None = None
) -> dict[str, Any]:
    """What was typed, understood; without what was not."""
    readers: dict[str, Callable[[str], Any]] = {
        "name": clean_name,
        "expires_at": lambda text: _expiry(organization, text, row),
        "max_uses": lambda text: _max_uses(text, row.uses if row else 0),
        "domains": parse_patterns,
    }
    return {field: readers[field](text) for field, text in typed.items() if text is not None}


def _expiry(organization: Organization, text: str, row: JoinLink | None) -> datetime:
    """The end of the last day, in the zone of whoever says it."""
    if row and row.expires_at != NEVER and text.strip() == last_day(row):
        return row.expires_at
    return parse_expiry(text, organization.now)


def last_day(join_link: JoinLink) -> str:
    """The last day as `2026-12-31` in the zone of whoever asks; empty where there is none."""
    if join_link.expires_at == NEVER:
        return ""
    return timezone.localtime(join_link.expires_at).date().isoformat()


def _max_uses(text: str, uses: int) -> int | None:
    word, least = text.strip(), max(1, uses)
    if not word:
        return None
    number = int(word) if word.isascii() and word.isdecimal() and len(word) < 9 else 0
    if not least <= number <= MOST_USES:
        raise errors.MaxUsesInvalid(least=least, most=f"{MOST_USES:,}")
    return number


def _write(actor: Actor, organization: Organization, row: JoinLink, wanted: Mapping[str, Any]) -> None:
    before = {field: getattr(row, field) for field in wanted}
    changed = {field: value for field, value in wanted.items() if value != before[field]}
    if not changed:
        return
    for field, value in changed.items():
        setattr(row, field, value)
    row.save(update_fields=list(changed))
    changes = {field: (_told(before[field]), _told(value)) for field, value in changed.items()}
    record(actor, organization, Happening("join_link.updated", row, changes))


def _told(value: Any) -> Any:
    """As the audit log tells it: a time as text, and never as nothing."""
    if isinstance(value, datetime):
        return None if value == NEVER else timestamp(value)
    return value

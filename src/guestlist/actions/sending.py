"""What sending is made of: how addresses stand, new invitations, mail of pending ones once more."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from django.db.models import F as Column
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions.batches import Standing
from guestlist.actions.invitation_settings import not_allowed
from guestlist.actions.invitee import verified_keys
from guestlist.actions.known import Known
from guestlist.actions.lifetimes import by_lifetime, clean_lifetime, expiry
from guestlist.actions.mail import cancel_mail, new_mail, owe
from guestlist.actions.mail_settings import parse_language
from guestlist.actions.marks import bad_addresses
from guestlist.actions.members import members_by_key
from guestlist.actions.reminders import first_reminder
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor
from guestlist.addresses import Address, ParsedAddresses, comparison_key
from guestlist.events import Happening, record_all
from guestlist.links import new_nonce
from guestlist.models import Delivery, Domain, Invitation, JoinLink, Organization
from guestlist.models.fields import chunks, insert_all
from guestlist.models.invitation import Status

MAX_ADDRESSES = 10_000
MAX_ITEMS = 2 * MAX_ADDRESSES


class Manner(NamedTuple):
    """How an invitation goes out: the language of its mail, and how long it lasts (`36h`, `never`). Empty is
    the organization's. `join_link` or `domain` is where somebody asked for it without having been invited.
    """

    language: str = ""
    lifetime: str = ""
    join_link: JoinLink | None = None
    domain: Domain | None = None

    @classmethod
    def of(cls, language: str, lifetime: str) -> "Manner":
        """As somebody asked for it who sends. Raises LanguageUnknown, LifetimeInvalid."""
        return cls(parse_language(language), clean_lifetime(lifetime))


def check_number(parsed: ParsedAddresses) -> None:
    """At most 10,000 addresses are one call. Raises TooManyAddresses."""
    # Repeats and bad text count as well: each is a line of the answer.
    if len(parsed.items) > MAX_ITEMS or len(parsed.addresses) > MAX_ADDRESSES:
        count = max(len(parsed.addresses), MAX_ADDRESSES + 1)
        raise errors.TooManyAddresses(count=f"{count:,}", limit=f"{MAX_ADDRESSES:,}")


def standing_of(
    organization: Organization,
    keys: Collection[str],
    now: datetime | Now,
    known: Known,
    seen: Collection[str] | None = None,
) -> Standing:
    """How these addresses stand with the organization at this time. With `seen`, marked ones that are not in
    it are held back.
    """
    marks = bad_addresses(organization, keys) if known.marked else {}
    are_members = known.named or known.joined
    return Standing(
        members=members_by_key(organization, keys, known.owners) if are_members else {},
        pending=pending_by_key(organization, keys, now) if known.invited else {},
        suppressed=suppressed_keys(organization, keys) if known.suppressed else (),
        marks=marks,
        held=() if seen is None else marks.keys() - set(seen),
        not_allowed=not_allowed(organization, keys),
    )


def pending_by_key(
    organization: Organization, keys: Iterable[str], now: datetime | Now
) -> dict[str, Invitation]:
    """Comparison key → the invitation that is pending at this time, for those of `keys` that have one."""
    # An action uses one time throughout, or a row could lapse between two of its statements.
    pending = Invitation.objects.filter(status=Status.PENDING, expires_at__gt=now)
    rows = pending.for_display().filter(organization=organization)
    return {row.key: row for chunk in chunks(list(keys)) for row in rows.filter(key__in=chunk)}


def insert_invitations(
    actor: Actor,
    organization: Organization,
    fresh: Iterable[Address],
    manners: Mapping[str, Manner],
    *,
    have_asked: bool = True,
) -> dict[str, Invitation]:
    """Part of the actions that send: new invitations, their mail and their events. `manners` is by comparison
    key. Whoever has asked for one has it now; `have_asked` is false where it is known that nobody did.
    """
    actor = with_verified_email(actor)
    invitations = [new_invitation(actor, organization, a, manners[a.key]) for a in fresh]
    insert_all(invitations)
    if have_asked:
        _grant(organization, [row.key for row in invitations])
    owe([row.delivery for row in invitations if row.delivery])
    record_all(actor, organization, [Happening("invitation.sent", row) for row in invitations])
    return {row.key: row for row in invitations}


def _grant(organization: Organization, keys: Sequence[str]) -> None:
    asking = Invitation.objects.asked().filter(organization=organization)
    for chunk in chunks(keys):
        asking.filter(key__in=chunk).update(asking=False)


def with_verified_email(actor: Actor) -> Actor:
    """Part of the actions that send: mail names the inviter's address and answers go to it, so it has to be
    theirs.
    """
    return actor if comparison_key(actor.email) in verified_keys(actor) else replace(actor, email="")


def new_invitation(actor: Actor, organization: Organization, address: Address, manner: Manner) -> Invitation:
    """Part of the actions that send: an invitation and its mail, not stored yet."""
    expires_at = expiry(organization, manner.lifetime)
    row = Invitation(
        organization=organization,
        email=address.email,
        key=address.key,
        language=manner.language,
        lifetime=manner.lifetime,
        join_link=manner.join_link,
        domain=manner.domain,
        nonce=new_nonce(),
        invited_at=organization.now,
        last_sent_at=organization.now,
        expires_at=expires_at,
        remind_at=first_reminder(organization, organization.now, expires_at),
        invited_by_type=actor.type,
        invited_by_id=actor.id,
        invited_by_name=actor.name[:150],
        invited_by_email=actor.email,
    )
    row.status_now = Status.PENDING
    row.delivery = new_mail(row)
    return row


def send_again(actor: Actor, organization: Organization, rows: Sequence[Invitation]) -> None:
    """Part of the actions that send: mail pending ones again, and start their lifetimes anew."""
    for row in rows:
        row.organization, row.last_sent_at = organization, organization.now
        row.sent_count, row.expires_at = row.sent_count + 1, expiry(organization, row.lifetime)
        row.delivery = new_mail(row)
    new = [row.delivery for row in rows if row.delivery]
    for ids in chunks([row.pk for row in rows]):
        cancel_mail(ids, now=organization.now)
    owe(new)
    ends = {row.lifetime: row.expires_at for row in rows}
    reminders = {own: first_reminder(organization, organization.now, at) for own, at in ends.items()}
    for deliveries in chunks(new):
        of_row = Delivery.objects.filter(pk__in=[d.pk for d in deliveries], invitation=OuterRef("pk"))
        Invitation.objects.filter(pk__in=[d.invitation_id for d in deliveries]).update(
            delivery=Subquery(of_row.values("pk")[:1]),
            last_sent_at=organization.now,
            expires_at=by_lifetime(ends),
            remind_at=by_lifetime(reminders),
            sent_count=Column("sent_count") + 1,
        )
    record_all(actor, organization, [Happening("invitation.resent", row) for row in rows])

"""Send, preview, resend, revoke."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F as Column
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions import access, limits
from guestlist.actions.batches import BulkResult, InvitationBatch, Selection, Standing
from guestlist.actions.invitation_settings import is_allowed, not_allowed
from guestlist.actions.invitee import verified_keys
from guestlist.actions.lifetimes import by_lifetime, clean_lifetime, expiry
from guestlist.actions.mail import cancel_mail, new_mail, owe
from guestlist.actions.mail_settings import parse_accent, parse_language
from guestlist.actions.marks import bad_addresses
from guestlist.actions.members import members_by_key
from guestlist.actions.reminders import first_reminder
from guestlist.actions.revocation import end_rows, expire_rows, revoke_rows
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor
from guestlist.addresses import Address, ParsedAddresses, comparison_key
from guestlist.events import Happening, record_all
from guestlist.links import new_nonce
from guestlist.models import Delivery, Domain, Invitation, JoinLink, Organization
from guestlist.models.fields import chunks, insert_all
from guestlist.models.invitation import Status
from guestlist.names import clean_name
from guestlist.permissions import Permission

MAX_ADDRESSES = 10_000
MAX_ITEMS = 2 * MAX_ADDRESSES
MAX_IDS = 10_000
SAMPLE = "jane@example.com"


class Manner(NamedTuple):
    """How an invitation goes out: the language of its mail, and how long it lasts (`36h`, `never`). Empty is
    the organization's. `join_link` or `domain` is where somebody asked for it without having been invited.
    """

    language: str = ""
    lifetime: str = ""
    join_link: JoinLink | None = None
    domain: Domain | None = None


def send_invitations(
    *,
    actor: Actor,
    organization: Organization,
    parsed: ParsedAddresses,
    language: str = "",
    lifetime: str = "",
    seen: Collection[str] | None = None,
) -> InvitationBatch:
    """Invite every address that is neither a member's nor pending nor at a domain that is not allowed, with
    the same number of statements for 1 and for 10,000. Bad text hinders no good address. `language` is that
    of the mail, `lifetime` how long it can be accepted (`36h`, `never`); empty is the organization's. With
    `seen`, the comparison keys of which somebody has read that mail to them came back or was unwanted, others
    of which that is so are held back.

    Raises NotAllowed, NoAddresses, TooManyAddresses, LanguageUnknown, LifetimeInvalid, InviterLimit,
    OrganizationLimit; then nothing was sent.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        _check_size(parsed)
        keys = {address.key for address in parsed.addresses}
        expire_rows(organization, keys)
        standing = _standing(organization, keys, organization.now, seen)
        fresh = [address for address in parsed.addresses if address.key not in standing]
        manners = dict.fromkeys(keys, _manner(language, lifetime))
        limits.take(actor=actor, organization=organization, number=len(fresh))
        sent = insert_invitations(actor, organization, fresh, manners)
    return InvitationBatch.of(parsed, standing, sent)


def preview_invitations(
    *,
    actor: Actor,
    organization: Organization,
    parsed: ParsedAddresses,
    language: str = "",
    lifetime: str = "",
) -> InvitationBatch:
    """What sending would answer now, with `would_send` in place of `sent`; nothing happens.

    Raises NotAllowed, NoAddresses, TooManyAddresses, LanguageUnknown, LifetimeInvalid.
    """
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    _check_size(parsed)
    _manner(language, lifetime)
    keys = {address.key for address in parsed.addresses}
    return InvitationBatch.of(parsed, _standing(organization, keys, Now()), None)


def sample_invitation(
    *, actor: Actor, organization: Organization, name: str, accent: str = "", language: str = ""
) -> Invitation:
    """What inviting somebody would make, for showing its mail under another name and in another colour and
    language; it is kept nowhere, and its link opens nothing. Raises NotAllowed, NameHasLink, ColourInvalid,
    LanguageUnknown.
    """
    access.require(actor, organization, Permission.ORGANIZATION_UPDATE)
    shown = Organization.objects.annotate(now=Now()).get(pk=organization.pk)  # type: ignore[no-redef]
    shown.name, shown.accent, shown.language = (
        clean_name(name),
        parse_accent(accent),
        parse_language(language),
    )
    return _new_invitation(_with_verified_email(actor), shown, Address(key=SAMPLE, email=SAMPLE), Manner())


def resend_invitation(*, actor: Actor, organization: Organization, invitation_id: Any) -> Invitation:
    """Send a pending invitation again and start its lifetime anew; copies mailed earlier keep working.
    Resending an expired one, or a declined one whose person asked for it, makes a new invitation with a new
    link, where its domain is still allowed.

    Raises NotAllowed, NotFound, Suppressed, DomainNotAllowed, NotPending (also where the address has a newer
    invitation or has joined), ResendLimit, InviterLimit, OrganizationLimit.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        invitation = _get(organization, invitation_id)
        limits.check_resend(actor=actor, organization=organization, invitation=invitation)
        again = _resend(actor, organization, [invitation])
        if invitation.pk not in again:
            if is_resendable(invitation) and suppressed_keys(organization, [invitation.key]):
                raise errors.Suppressed(email=invitation.email)
            if _is_kept_out(organization, invitation):
                domain = invitation.key.rpartition("@")[2]
                raise errors.DomainNotAllowed(organization=organization.name, domain=domain)
            raise errors.NotPending(invitation.status_now)
    return again[invitation.pk]


def revoke_invitation(*, actor: Actor, organization: Organization, invitation_id: Any) -> Invitation:
    """End a pending invitation: from now on nobody can join with it, and queued mail is not sent.

    Raises NotAllowed, NotFound, NotPending with what it is instead.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        rows = Invitation.objects.for_display().filter(pk=invitation_id)
        revoked = revoke_rows(actor, organization, rows)
        invitation = _get(organization, invitation_id)  # read again: its mail may have been canceled
        if not revoked:
            raise errors.NotPending(invitation.status_now)
    return invitation


def revoke_invitations(*, actor: Actor, organization: Organization, selection: Selection) -> BulkResult:
    """Revoke the pending ones of a selection. Raises NotAllowed, NothingChosen, TooManyIds."""
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        _check_selection(selection)
        chosen = list(selection.rows(organization))
        pending = [row for row in chosen if row.status_now == Status.PENDING]
        end_rows(actor, organization, pending, Status.REVOKED)
    return BulkResult.of("revoked", selection, chosen, {row.pk for row in pending})


def resend_invitations(*, actor: Actor, organization: Organization, selection: Selection) -> BulkResult:
    """Resend the pending and expired ones of a selection, but none that was sent again a short while ago, and
    no expired one at a domain that is not allowed.

    Raises NotAllowed, NothingChosen, TooManyIds, InviterLimit, OrganizationLimit.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        _check_selection(selection)
        chosen = list(selection.rows(organization))
        soon = limits.too_soon(actor=actor, organization=organization, rows=chosen)
        again = _resend(actor, organization, [row for row in chosen if row.pk not in soon])
        suppressed = suppressed_keys(organization, [row.key for row in chosen if row.pk not in again])
        kept_out = [row.pk for row in chosen if _is_kept_out(organization, row)]
    return BulkResult.of("resent", selection, chosen, again.keys(), suppressed, soon, kept_out)


def ids_of_addresses(*, organization: Organization, emails: Iterable[str]) -> list[str]:
    """For each address the id of its newest invitation, or the address itself where it never had one:
    what a selection takes, so that an unknown address is answered `not_found`.
    """
    keys = [comparison_key(email) or email for email in emails]
    rows = Invitation.objects.filter(organization=organization, key__in=keys).order_by("pk")
    newest = dict(rows.values_list("key", "pk"))
    return [str(newest.get(key, key)) for key in keys]


def _check_size(parsed: ParsedAddresses) -> None:
    if not parsed.items:
        raise errors.NoAddresses
    # Repeats and bad text count as well: each is a line of the answer.
    if len(parsed.items) > MAX_ITEMS or len(parsed.addresses) > MAX_ADDRESSES:
        count = max(len(parsed.addresses), MAX_ADDRESSES + 1)
        raise errors.TooManyAddresses(count=f"{count:,}", limit=f"{MAX_ADDRESSES:,}")


def _manner(language: str, lifetime: str) -> Manner:
    return Manner(parse_language(language), clean_lifetime(lifetime))


def _check_selection(selection: Selection) -> None:
    if not selection:
        raise errors.NothingChosen
    if selection.ids is not None and len(selection.ids) > MAX_IDS:
        raise errors.TooManyIds(count=f"{len(selection.ids):,}", limit=f"{MAX_IDS:,}")


def _get(organization: Organization, invitation_id: Any) -> Invitation:
    row = Invitation.objects.for_display().filter(organization=organization, pk=invitation_id).first()
    if row is None:
        raise errors.NotFound
    return row


def _standing(
    organization: Organization,
    keys: Collection[str],
    now: datetime | Now,
    seen: Collection[str] | None = None,
) -> Standing:
    marks = bad_addresses(organization, keys)
    return Standing(
        members=members_by_key(organization, keys),
        pending=_pending(organization, keys, now),
        suppressed=suppressed_keys(organization, keys),
        marks=marks,
        held=() if seen is None else marks.keys() - set(seen),
        not_allowed=not_allowed(organization, keys),
    )


def _pending(organization: Organization, keys: Iterable[str], now: datetime | Now) -> dict[str, Invitation]:
    # An action uses one time throughout, or a row could lapse between two of its statements.
    pending = Invitation.objects.filter(status=Status.PENDING, expires_at__gt=now)
    rows = pending.for_display().filter(organization=organization)
    return {row.key: row for chunk in chunks(list(keys)) for row in rows.filter(key__in=chunk)}


def insert_invitations(
    actor: Actor, organization: Organization, fresh: Iterable[Address], manners: Mapping[str, Manner]
) -> dict[str, Invitation]:
    """Part of the actions that send: new invitations, their mail and their events. `manners` is by comparison
    key.
    """
    actor = _with_verified_email(actor)
    invitations = [_new_invitation(actor, organization, a, manners[a.key]) for a in fresh]
    insert_all(invitations)
    granted = Invitation.objects.asked().filter(organization=organization)
    for chunk in chunks([row.key for row in invitations]):
        granted.filter(key__in=chunk).update(asking=False)
    owe([row.delivery for row in invitations if row.delivery])
    record_all(actor, organization, [Happening("invitation.sent", row) for row in invitations])
    return {row.key: row for row in invitations}


def _with_verified_email(actor: Actor) -> Actor:
    """Mail names the inviter's address and answers go to it, so it has to be theirs."""
    return actor if comparison_key(actor.email) in verified_keys(actor) else replace(actor, email="")


def _new_invitation(actor: Actor, organization: Organization, address: Address, manner: Manner) -> Invitation:
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


def _resend(actor: Actor, organization: Organization, rows: Sequence[Invitation]) -> dict[Any, Invitation]:
    """Id of each row that could be sent again → the invitation as it is now."""
    rows = [row for row in rows if is_resendable(row)]
    suppressed = suppressed_keys(organization, [row.key for row in rows])
    pending = [row for row in rows if row.status_now == Status.PENDING and row.key not in suppressed]
    ended = _latest_by_key([row for row in rows if row.status_now != Status.PENDING])
    expire_rows(organization, ended)
    pending_now = _pending(organization, ended, organization.now)
    taken = members_by_key(organization, ended).keys() | pending_now.keys() | suppressed
    renewed = {
        key: row for key, row in ended.items() if key not in taken and not _is_kept_out(organization, row)
    }
    limits.take(actor=actor, organization=organization, number=len(pending) + len(renewed))
    send_again(actor, organization, pending)
    addresses = [Address(key=key, email=row.email) for key, row in renewed.items()]
    manners = {key: Manner(row.language, row.lifetime) for key, row in renewed.items()}
    new = insert_invitations(actor, organization, addresses, manners)
    return {row.pk: row for row in pending} | {row.pk: new[key] for key, row in renewed.items()}


def is_resendable(invitation: Invitation) -> bool:
    """Pending and expired ones are; a declined one if its person asked for a new invitation."""
    asked = invitation.status_now == Status.DECLINED and invitation.asking
    return asked or invitation.status_now in (Status.PENDING, Status.EXPIRED)


def _is_kept_out(organization: Organization, row: Invitation) -> bool:
    """What is pending can always be sent again; a new invitation only goes where invitations may."""
    renewed = is_resendable(row) and row.status_now != Status.PENDING
    return renewed and not is_allowed(organization, row.key)


def _latest_by_key(rows: Iterable[Invitation]) -> dict[str, Invitation]:
    return {row.key: row for row in sorted(rows, key=lambda row: row.pk)}


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

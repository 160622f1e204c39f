"""Send, preview, resend, revoke."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions import access, limits
from guestlist.actions.batches import BulkResult, InvitationBatch, Selection
from guestlist.actions.invitation_settings import is_allowed
from guestlist.actions.known import Known
from guestlist.actions.mail_settings import parse_accent, parse_language
from guestlist.actions.members import members_by_key
from guestlist.actions.revocation import end_rows, expire_rows, revoke_rows
from guestlist.actions.sending import (
    Manner,
    check_number,
    insert_invitations,
    new_invitation,
    pending_by_key,
    send_again,
    standing_of,
    with_verified_email,
)
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor
from guestlist.addresses import Address, ParsedAddresses, comparison_key
from guestlist.models import Invitation, Organization
from guestlist.models.invitation import Status
from guestlist.names import clean_name
from guestlist.permissions import Permission

MAX_IDS = 10_000
SAMPLE = "jane@example.com"


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
        known = Known.of(organization, keys)
        if known.invited:
            expire_rows(organization, keys)
        standing = standing_of(organization, keys, organization.now, known, seen)
        fresh = [address for address in parsed.addresses if address.key not in standing]
        manners = dict.fromkeys(keys, Manner.of(language, lifetime))
        limits.take(actor=actor, organization=organization, number=len(fresh))
        sent = insert_invitations(actor, organization, fresh, manners, have_asked=known.asking)
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
    Manner.of(language, lifetime)
    keys = {address.key for address in parsed.addresses}
    standing = standing_of(organization, keys, Now(), Known.of(organization, keys))
    return InvitationBatch.of(parsed, standing, None)


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
    return new_invitation(with_verified_email(actor), shown, Address(key=SAMPLE, email=SAMPLE), Manner())


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
    check_number(parsed)


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


def _resend(actor: Actor, organization: Organization, rows: Sequence[Invitation]) -> dict[Any, Invitation]:
    """Id of each row that could be sent again → the invitation as it is now."""
    rows = [row for row in rows if is_resendable(row)]
    suppressed = suppressed_keys(organization, [row.key for row in rows])
    pending = [row for row in rows if row.status_now == Status.PENDING and row.key not in suppressed]
    ended = _latest_by_key([row for row in rows if row.status_now != Status.PENDING])
    expire_rows(organization, ended)
    pending_now = pending_by_key(organization, ended, organization.now)
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

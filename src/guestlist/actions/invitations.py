"""Send, preview, resend, revoke."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import F as Column
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Now

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.batches import BulkResult, InvitationBatch, Selection, Standing
from guestlist.actions.invitee import verified_keys
from guestlist.actions.mail import cancel_mail, new_mail, owe
from guestlist.actions.members import members_by_key
from guestlist.actions.revocation import end_rows, expire_rows, revoke_rows
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor
from guestlist.addresses import Address, ParsedAddresses, comparison_key
from guestlist.conf import conf
from guestlist.events import Happening, record_all
from guestlist.links import new_nonce
from guestlist.models import Delivery, Invitation, Organization
from guestlist.models.fields import chunks, insert_all
from guestlist.models.invitation import NEVER, Status
from guestlist.permissions import Permission

MAX_ADDRESSES = 10_000
MAX_ITEMS = 2 * MAX_ADDRESSES
MAX_IDS = 10_000


def send_invitations(*, actor: Actor, organization: Organization, parsed: ParsedAddresses) -> InvitationBatch:
    """Invite every address that is neither a member's nor pending, with the same number of statements for
    1 and for 10,000. Bad text hinders no good address.

    Raises NotAllowed, NoAddresses, TooManyAddresses; then nothing was sent.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        _check_size(parsed)
        keys = {address.key for address in parsed.addresses}
        expire_rows(organization, keys)
        standing = _standing(organization, keys, organization.now)
        fresh = [address for address in parsed.addresses if address.key not in standing]
        sent = _insert(actor, organization, fresh)
    return InvitationBatch.of(parsed, standing, sent)


def preview_invitations(
    *, actor: Actor, organization: Organization, parsed: ParsedAddresses
) -> InvitationBatch:
    """What sending would answer now, with `would_send` in place of `sent`; nothing happens.

    Raises NotAllowed, NoAddresses, TooManyAddresses.
    """
    access.require(actor, organization, Permission.MEMBER_MANAGE)
    _check_size(parsed)
    keys = {address.key for address in parsed.addresses}
    return InvitationBatch.of(parsed, _standing(organization, keys, Now()), None)


def resend_invitation(*, actor: Actor, organization: Organization, invitation_id: Any) -> Invitation:
    """Send a pending invitation again and start its lifetime anew; copies mailed earlier keep working.
    Resending an expired one, or a declined one whose person asked for it, makes a new invitation with a new
    link.

    Raises NotAllowed, NotFound, Suppressed, NotPending (also where the address has a newer invitation or has
    joined).
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        invitation = _get(organization, invitation_id)
        again = _resend(actor, organization, [invitation])
        if invitation.pk not in again:
            if is_resendable(invitation) and suppressed_keys(organization, [invitation.key]):
                raise errors.Suppressed(email=invitation.email)
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
    """Resend the pending and expired ones of a selection. Raises NotAllowed, NothingChosen, TooManyIds."""
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        _check_selection(selection)
        chosen = list(selection.rows(organization))
        again = _resend(actor, organization, chosen)
        suppressed = suppressed_keys(organization, [row.key for row in chosen if row.pk not in again])
    return BulkResult.of("resent", selection, chosen, again.keys(), suppressed)


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


def _standing(organization: Organization, keys: Collection[str], now: datetime | Now) -> Standing:
    return Standing(
        members=members_by_key(organization, keys),
        pending=_pending(organization, keys, now),
        suppressed=suppressed_keys(organization, keys),
    )


def _pending(organization: Organization, keys: Iterable[str], now: datetime | Now) -> dict[str, Invitation]:
    # An action uses one time throughout, or a row could lapse between two of its statements.
    pending = Invitation.objects.filter(status=Status.PENDING, expires_at__gt=now)
    rows = pending.for_display().filter(organization=organization)
    return {row.key: row for chunk in chunks(list(keys)) for row in rows.filter(key__in=chunk)}


def _expiry(now: datetime) -> datetime:
    lifetime = conf().invitation_lifetime
    return NEVER if lifetime is None else now + lifetime


def _insert(actor: Actor, organization: Organization, fresh: Iterable[Address]) -> dict[str, Invitation]:
    actor = _with_verified_email(actor)
    invitations = [_new_invitation(actor, organization, address.email, address.key) for address in fresh]
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


def _new_invitation(actor: Actor, organization: Organization, email: str, key: str) -> Invitation:
    row = Invitation(
        organization=organization,
        email=email,
        key=key,
        nonce=new_nonce(),
        invited_at=organization.now,
        last_sent_at=organization.now,
        expires_at=_expiry(organization.now),
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
    _send_again(actor, organization, pending)
    ended = _latest_by_key([row for row in rows if row.status_now != Status.PENDING])
    expire_rows(organization, ended)
    pending_now = _pending(organization, ended, organization.now)
    taken = members_by_key(organization, ended).keys() | pending_now.keys() | suppressed
    renewed = {key: row for key, row in ended.items() if key not in taken}
    addresses = [Address(key=key, email=row.email) for key, row in renewed.items()]
    new = _insert(actor, organization, addresses)
    return {row.pk: row for row in pending} | {row.pk: new[key] for key, row in renewed.items()}


def is_resendable(invitation: Invitation) -> bool:
    """Pending and expired ones are; a declined one if its person asked for a new invitation."""
    asked = invitation.status_now == Status.DECLINED and invitation.asking
    return asked or invitation.status_now in (Status.PENDING, Status.EXPIRED)


def _latest_by_key(rows: Iterable[Invitation]) -> dict[str, Invitation]:
    return {row.key: row for row in sorted(rows, key=lambda row: row.pk)}


def _send_again(actor: Actor, organization: Organization, rows: Sequence[Invitation]) -> None:
    for row in rows:
        row.organization, row.last_sent_at = organization, organization.now
        row.sent_count, row.expires_at = row.sent_count + 1, _expiry(organization.now)
        row.delivery = new_mail(row)
    new = [row.delivery for row in rows if row.delivery]
    for ids in chunks([row.pk for row in rows]):
        cancel_mail(ids)
    owe(new)
    for deliveries in chunks(new):
        of_row = Delivery.objects.filter(pk__in=[d.pk for d in deliveries], invitation=OuterRef("pk"))
        Invitation.objects.filter(pk__in=[d.invitation_id for d in deliveries]).update(
            delivery=Subquery(of_row.values("pk")[:1]),
            last_sent_at=organization.now,
            expires_at=_expiry(organization.now),
            sent_count=Column("sent_count") + 1,
        )
    record_all(actor, organization, [Happening("invitation.resent", row) for row in rows])

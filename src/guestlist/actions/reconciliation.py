"""Bringing the invitations of an organization in line with a set of addresses."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, OuterRef

from guestlist import errors
from guestlist.actions import access, limits
from guestlist.actions.batches import InvitationBatch
from guestlist.actions.known import Known
from guestlist.actions.revocation import end_rows, expire_rows
from guestlist.actions.sending import Manner, check_number, insert_invitations, standing_of
from guestlist.actors import Actor
from guestlist.addresses import ParsedAddresses
from guestlist.models import Invitation, Organization
from guestlist.models.fields import chunks
from guestlist.models.invitation import Status
from guestlist.permissions import Permission

NOT_PRUNED = "not_pruned"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was done, or in a dry run would be: for each address of the set, and to each invitation that the
    set does not name.
    """

    batch: InvitationBatch
    revoked: Sequence[Invitation]
    dry_run: bool

    def as_resource(self) -> dict[str, Any]:
        """As REST shows it: what sending answers, and what was revoked."""
        outcome = "would_revoke" if self.dry_run else "revoked"
        revocations = [
            {"email": row.email, "outcome": outcome, "invitation": row.as_resource()} for row in self.revoked
        ]
        counts = {"dry_run": self.dry_run, **self.batch.as_resource(), "revoked": len(revocations)}
        return {**counts, "revocations": revocations}


def reconcile_invitations(
    *,
    actor: Actor,
    organization: Organization,
    parsed: ParsedAddresses,
    may_be_empty: bool = False,
    prune: bool = False,
    dry_run: bool = False,
    language: str = "",
    lifetime: str = "",
) -> Reconciliation:
    """Invite every address of the set that `send_invitations` would, unless its person declined the newest
    invitation and has not asked for another; with `prune`, revoke what is pending and not in the set. Doing
    it again changes nothing. The number of statements is the same for 1 and for 10,000. A dry run tells what
    would happen; it writes nothing and counts against no limit. Where nothing was found the set is refused,
    unless it `may_be_empty`: an empty list is meant so, a text without addresses may be the wrong text.

    Raises NotAllowed, NoAddresses, TooManyAddresses, LanguageUnknown, LifetimeInvalid, InviterLimit,
    OrganizationLimit; then nothing was sent and nothing revoked.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        if not parsed.items and not may_be_empty:
            raise errors.NoAddresses
        check_number(parsed)
        keys = {address.key for address in parsed.addresses}
        manners = dict.fromkeys(keys, Manner.of(language, lifetime))
        known = Known.of(organization, keys)
        standing = standing_of(organization, keys, organization.now, known)
        standing = replace(standing, declined=_declined(organization, keys))
        fresh = [address for address in parsed.addresses if address.key not in standing]
        # Of an address that was mistyped nobody knows whose it is.
        prunes = prune and not parsed.rejects
        revoked: Sequence[Invitation] = _unnamed(organization, keys) if prunes else []
        sent = None
        if not dry_run:
            limits.take(actor=actor, organization=organization, number=len(fresh))
            if known.invited:
                expire_rows(organization, keys)
            sent = insert_invitations(actor, organization, fresh, manners, have_asked=known.asking)
            end_rows(actor, organization, revoked, Status.REVOKED)
            revoked = _read_again(revoked)
    batch = InvitationBatch.of(parsed, standing, sent)
    if prune and not prunes:
        batch = replace(batch, warnings=[*batch.warnings, NOT_PRUNED])
    return Reconciliation(batch, revoked, dry_run)


def _declined(organization: Organization, keys: Collection[str]) -> set[str]:
    """Those of `keys` whose newest invitation was declined, unless its person has asked for another."""
    theirs = Invitation.objects.filter(organization=organization)
    newer = theirs.filter(key=OuterRef("key"), pk__gt=OuterRef("pk"))
    rows = theirs.filter(~Exists(newer), status=Status.DECLINED, asking=False)
    found = (rows.filter(key__in=chunk).values_list("key", flat=True) for chunk in chunks(list(keys)))
    return {key for some in found for key in some}


def _unnamed(organization: Organization, keys: Collection[str]) -> Sequence[Invitation]:
    """The pending invitations that are for none of `keys`, the oldest first; not those that people asked for
    themselves, by a join link or a domain.
    """
    pending = Invitation.objects.filter(status=Status.PENDING, expires_at__gt=organization.now)
    sent = pending.filter(organization=organization, join_link=None, domain=None)
    return [row for row in sent.for_display().order_by("pk") if row.key not in keys]


def _read_again(rows: Sequence[Invitation]) -> Sequence[Invitation]:
    """The same ones as they are now: their mail may have been canceled."""
    ids = [row.pk for row in rows]
    shown = Invitation.objects.for_display().order_by("pk")
    return [row for some in chunks(ids) for row in shown.filter(pk__in=some)]

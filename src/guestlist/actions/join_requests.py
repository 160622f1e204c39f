"""Ask to be let in, grant, dismiss."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.translation import ngettext

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.batches import InvitationBatch
from guestlist.actions.invitations import send_invitations
from guestlist.actions.invitee import verified_keys
from guestlist.actions.joining import check_admissible
from guestlist.actions.mail import MOST_TOLD, new_notice, owe
from guestlist.actions.members import members_by_key
from guestlist.actions.request_ends import end_requests
from guestlist.actions.suppressions import suppressed_keys
from guestlist.actors import Actor
from guestlist.addresses import Address, parse_items
from guestlist.conf import conf
from guestlist.events import Happening, record
from guestlist.models import Delivery, Domain, JoinRequest, Membership, Organization
from guestlist.models.delivery import Kind
from guestlist.models.fields import as_uuid
from guestlist.models.join_request import JoinRequestQuerySet
from guestlist.permissions import Permission

MOST_PENDING = 1_000
MOST_IDS = 1_000
ASKED_AGAIN_AFTER = timedelta(days=1)
TOLD_AGAIN_AFTER = timedelta(hours=1)
# After these the person has, or had, an invitation.
GRANTED = ("sent", "already_invited", "already_member")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the address at which they want to be invited, everything that is known to be theirs, and the
    name of their account if they are signed in.
    """

    address: Address
    keys: frozenset[str]
    user_id: Any
    name: str


@dataclass(frozen=True, slots=True)
class Granted:
    """What became of requests that were granted: `str()` is the sentence people read."""

    granted: int
    left: int

    def __str__(self) -> str:
        parts = [ngettext("%d request granted.", "%d requests granted.", self.granted) % self.granted]
        if self.left:
            text = ngettext(
                "%d can’t be invited, so it still waits.",
                "%d can’t be invited, so they still wait.",
                self.left,
            )
            parts.append(text % self.left)
        return " ".join(parts)


def asker_of(actor: Actor, address: Address) -> Asker:
    """Whoever is signed in, or whoever has an account with an address that somebody typed."""
    if actor.type == "user":
        return Asker(address, frozenset(verified_keys(actor)), actor.subject.pk, actor.name[:150])
    owner = conf().addresses.owners([address.key]).get(address.key)
    return Asker(address, frozenset({address.key}), owner, "")


def ask(actor: Actor, organization: Organization, *, domain: Domain, asker: Asker) -> JoinRequest:
    """Part of the actions that ask, in the locked `organization`: a request of that address, and word to the
    owners. One that waits already stays as it is.

    Raises RemovedBefore, DomainNotAllowed, BelongsAlready, Suppressed, AskedBefore, TooManyRequests.
    """
    address = asker.address
    _check_may_ask(organization, asker)
    rows = JoinRequest.objects.filter(organization=organization, key=address.key)
    if waiting := rows.pending().first():
        return waiting
    if rows.filter(ended_at__gt=organization.now - ASKED_AGAIN_AFTER, state="dismissed").exists():
        raise errors.AskedBefore(organization=organization.name)
    pending = JoinRequest.objects.pending().filter(organization=organization)
    if pending.count() >= MOST_PENDING:
        raise errors.TooManyRequests(organization=organization.name)
    request = JoinRequest(
        organization=organization,
        domain=domain,
        email=address.email,
        key=address.key,
        name=asker.name,
        created_at=organization.now,
    )
    request.save(force_insert=True)
    record(actor, organization, Happening("join_request.created", request, {"domain": (None, domain.domain)}))
    _tell_owners(organization)
    return request


def grant_requests(*, actor: Actor, organization: Organization, request_ids: Sequence[str]) -> Granted:
    """Send an invitation to each of these that wait, as `send_invitations` does. One whose address can’t be
    invited waits on. Of one alone the reason is raised.

    Raises NotAllowed, NotFound, NoRequestsChosen, TooManyIds, Suppressed, DomainNotAllowed, InviterLimit,
    OrganizationLimit.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as locked:
        chosen = list(_chosen(locked, request_ids))
        if not chosen:
            raise errors.NotFound
        parsed = parse_items([request.email for request in chosen])
        batch = send_invitations(actor=actor, organization=locked, parsed=parsed)
        done = _granted(batch)
        if len(request_ids) == 1 and not done:
            raise _reason(locked, chosen[0], batch)
        # Sending has counted events on; the row is read again.
        fresh = Organization.objects.lock(locked.pk)
        rows = JoinRequest.objects.filter(pk__in=[row.pk for row in chosen if row.key in done])
        granted = end_requests(actor, fresh, rows, JoinRequest.State.GRANTED)
    return Granted(len(granted), len(chosen) - len(granted))


def dismiss_requests(
    *, actor: Actor, organization: Organization, request_ids: Sequence[str]
) -> Sequence[JoinRequest]:
    """Take requests off the list without inviting anybody; nobody is told. Those that were dismissed.

    Raises NotAllowed, NotFound (also where none of them waits), NoRequestsChosen.
    """
    with access.locked(actor, organization, Permission.MEMBER_MANAGE) as organization:
        rows = _chosen(organization, request_ids)
        dismissed = end_requests(actor, organization, rows, JoinRequest.State.DISMISSED)
        if not dismissed:
            raise errors.NotFound
    return dismissed


def _check_may_ask(organization: Organization, asker: Asker) -> None:
    check_admissible(organization, asker.keys, asker.user_id)
    if members_by_key(organization, asker.keys | {asker.address.key}):
        raise errors.BelongsAlready(organization=organization.name)
    if suppressed_keys(organization, [asker.address.key]):
        raise errors.Suppressed(email=asker.address.email)


def _chosen(organization: Organization, request_ids: Sequence[str]) -> JoinRequestQuerySet:
    if not request_ids:
        raise errors.NoRequestsChosen
    if len(request_ids) > MOST_IDS:
        raise errors.TooManyIds(count=f"{len(request_ids):,}", limit=f"{MOST_IDS:,}")
    ids = [pk for pk in map(as_uuid, request_ids) if pk]
    return JoinRequest.objects.pending().filter(organization=organization, pk__in=ids).order_by("pk")


def _granted(batch: InvitationBatch) -> Collection[str]:
    outcomes = (each for each in batch.outcomes if each.outcome in GRANTED)
    return {each.item.address.key for each in outcomes if each.item.address}


def _reason(
    organization: Organization, request: JoinRequest, batch: InvitationBatch
) -> errors.GuestlistError:
    if batch.count("suppressed"):
        return errors.Suppressed(email=request.email)
    return errors.DomainNotAllowed(organization=organization.name, domain=request.key.rpartition("@")[2])


def _tell_owners(organization: Organization) -> None:
    """Mail at most five owners, once an hour: the list says the rest."""
    told = Delivery.objects.filter(organization=organization, kind=Kind.JOIN_REQUEST)
    if told.filter(created_at__gt=organization.now - TOLD_AGAIN_AFTER).exists():
        return
    members = Membership.objects.active().filter(organization=organization, role__fixed=True)
    owners = members.filter(email_verified=True).exclude(email="").order_by("pk")
    emails = owners.values_list("email", flat=True)[:MOST_TOLD]
    owe([new_notice(organization, Kind.JOIN_REQUEST, email, {}) for email in emails])

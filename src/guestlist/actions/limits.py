"""How much is allowed of what, and what is left of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from django.db.models import CharField, DurationField, Exists, OuterRef
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import ngettext

from guestlist import errors
from guestlist.actors import Actor
from guestlist.conf import Limit, conf
from guestlist.models import Delivery, Invitation, Organization, Quota
from guestlist.models.delivery import TO_INVITED, Kind, State
from guestlist.models.fields import chunks
from guestlist.models.invitation import Status
from guestlist.models.prepared import Among, Bind, Prepared
from guestlist.models.quota import count_up
from guestlist.templating import format_duration

EXEMPT = ("operator", "system")
HANDED_OVER = (State.SENT, State.DELIVERED, State.BOUNCED, State.COMPLAINED)
NOT_ARRIVED = (State.FAILED, State.BOUNCED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = timedelta(days=2)


class Number(int):
    """A number that sentences group as the reader's language does; for programs it is the number."""

    def __format__(self, spec: str) -> str:
        return str(number_format(int(self), use_l10n=True, force_grouping=True))


@dataclass(frozen=True, slots=True)
class Share:
    """What is left of one limit until `ends_at`, which is `seconds` away."""

    name: str
    limit: Limit
    left: int
    ends_at: datetime
    seconds: int


@dataclass(frozen=True, slots=True)
class _Claim:
    """A limit as it applies to somebody."""

    name: str
    subject: str
    limit: Limit
    refusal: type[errors.LimitReached]

    def starts_at(self, now: datetime) -> datetime:
        """Periods follow one another since 1970, the same for everybody."""
        return _EPOCH + (now - _EPOCH) // self.limit.period * self.limit.period

    def share(self, used: int, now: datetime) -> Share:
        """What is left once `used` are gone."""
        ends_at = self.starts_at(now) + self.limit.period
        return Share(self.name, self.limit, max(0, self.limit.count - used), ends_at, _seconds(ends_at - now))


def take(*, actor: Actor, organization: Organization, number: int) -> None:
    """Part of the actions that send: count `number` invitations against the actor and the locked
    organization, all of them or none; the operator and the system are not counted.

    Raises InviterLimit, OrganizationLimit, with what is left now.
    """
    claims = _of_sending(actor, organization)
    _take(claims, number, organization.now, organization=organization.name)


def take_self_invitation(*, organization: Organization, way_id: UUID) -> None:
    """Part of mailing to an address that somebody typed: count it against the join link or domain where they
    did, which may send as much as one inviter, and against the locked organization.

    Raises SelfInvitationLimit.
    """
    claims = [
        replace(claim, refusal=errors.SelfInvitationLimit)
        for claim in _of_sending(Actor("invitee", str(way_id)), organization)
    ]
    _take(claims, 1, organization.now, organization=organization.name)


def take_code(*, organization: Organization, limit: Limit) -> None:
    """Part of mailing the code of a domain: count it against the locked organization. Raises TooManyCodes."""
    claim = _Claim("codes", f"codes:{organization.pk}", limit, errors.TooManyCodes)
    _take([claim], 1, organization.now)


def take_creation(*, actor: Actor, now: datetime) -> None:
    """Part of creating an organization: count it against the user. Raises CreationLimit."""
    limit = conf().limits.creation
    if limit and actor.type not in EXEMPT:
        claim = _Claim("creation", f"creator:{actor.type}:{actor.id}", limit, errors.CreationLimit)
        _take([claim], 1, now)


def shares(*, actor: Actor, organization: Organization) -> Sequence[Share]:
    """What `actor` can still send for `organization`, one for each limit that applies, in one query."""
    claims = _of_sending(actor, organization)
    if not claims:
        return []
    longest = max(claim.limit.period for claim in claims)
    rows = _USED.rows(subjects=[claim.subject for claim in claims], longest=longest)
    used = {(subject, starts_at): number for subject, starts_at, number, _now in rows}
    # Where nothing was sent there is no row to tell the database's time; then it is only for show.
    now = rows[0][-1] if rows else timezone.now()
    return [claim.share(used.get((claim.subject, claim.starts_at(now)), 0), now) for claim in claims]


_USED = Prepared(
    lambda: Quota.objects.filter(
        Among("subject", "subjects", CharField()), starts_at__gt=Now() - Bind("longest", DurationField())
    ).values_list("subject", "starts_at", "used", Now())
)


def too_soon(*, actor: Actor, organization: Organization, rows: Iterable[Invitation]) -> dict[UUID, datetime]:
    """Those pending ones of `rows` that were sent again as often as is allowed → when they may be once more.
    The first mail does not count; one that failed or came back may be sent again at once.
    """
    limit = conf().limits.resend
    if limit is None or actor.type in EXEMPT:
        return {}
    times: dict[Any, list[datetime]] = {row.pk: [] for row in rows if _waits(row)}
    since = organization.now - limit.period
    mails = Delivery.objects.filter(kind=Kind.INVITATION)
    earlier = mails.filter(invitation=OuterRef("invitation"), pk__lt=OuterRef("pk"))
    again = mails.filter(Exists(earlier), created_at__gt=since).order_by("created_at")
    for ids in chunks(list(times)):
        for pk, at in again.filter(invitation__in=ids).values_list("invitation", "created_at"):
            times[pk].append(at)
    return {pk: _free_at(limit, at, organization.now) for pk, at in times.items() if len(at) >= limit.count}


def check_resend(*, actor: Actor, organization: Organization, invitation: Invitation) -> None:
    """Part of resending one. Raises ResendLimit with when it may be sent again."""
    limit = conf().limits.resend
    until = too_soon(actor=actor, organization=organization, rows=[invitation]).get(invitation.pk)
    if limit and until:
        raise refusal(errors.ResendLimit, "resend", limit, until - organization.now)


def held_back(keys: Collection[str]) -> dict[str, datetime]:
    """Those of at most 10,000 comparison keys that have had as many messages as an address may get from all
    organizations together → when the next may leave. It tells of mail that left, not of who invited.
    """
    limit = conf().limits.address
    if limit is None or not keys:
        return {}
    times: dict[str, list[datetime]] = defaultdict(list)
    left = Delivery.objects.filter(key__in=keys, kind__in=TO_INVITED, at__gt=Now() - limit.period)
    for key, at in left.filter(state__in=HANDED_OVER).order_by("at").values_list("key", "at"):
        if at is not None:
            times[key].append(at)
    return {key: _free_at(limit, at, at[-1]) for key, at in times.items() if len(at) >= limit.count}


def forget_quotas() -> int:
    """Delete what was counted in periods that are over; how many."""
    limits = conf().limits
    periods = [limit.period for limit in (limits.inviter, limits.organization, limits.creation) if limit]
    return Quota.objects.filter(starts_at__lt=Now() - max([_KEPT, *periods])).delete()[0]


def refusal(
    kind: type[errors.LimitReached], name: str, limit: Limit, wait: timedelta, left: int = 0, **values: Any
) -> errors.LimitReached:
    """The error that names the limit and says when to try again."""
    seconds = _seconds(wait)
    return kind(
        limit=name,
        allowed=Number(limit.count),
        left=Number(left),
        period=format_duration(limit.period),
        retry_after=seconds,
        when=_when(seconds),
        **values,
    )


def _of_sending(actor: Actor, organization: Organization) -> list[_Claim]:
    if actor.type in EXEMPT:
        return []
    limits, inviter = conf().limits, f"{actor.type}:{actor.id}"
    whole = f"organization:{organization.pk}"
    claims = []
    if limits.inviter:
        claims.append(_Claim("inviter", inviter, limits.inviter, errors.InviterLimit))
    if limits.organization:
        claims.append(_Claim("organization", whole, limits.organization, errors.OrganizationLimit))
    return claims


def _take(claims: Sequence[_Claim], number: int, now: datetime, **values: Any) -> None:
    """Counted for all limits in one statement, and undone with the transaction where one is exceeded. Of two
    organizations that send for one person at once, the second waits for the first and counts on what it left.
    """
    if not number or not claims:
        return
    used = count_up([(claim.subject, claim.starts_at(now)) for claim in claims], number)
    for claim in claims:
        if used[claim.subject] > claim.limit.count:
            share = claim.share(used[claim.subject] - number, now)
            wait = share.ends_at - now
            raise refusal(claim.refusal, claim.name, claim.limit, wait, share.left, **values)


def _waits(row: Invitation) -> bool:
    arrived = row.delivery is None or row.delivery.state not in NOT_ARRIVED
    return row.status_now == Status.PENDING and arrived


def _free_at(limit: Limit, times: Sequence[datetime], now: datetime) -> datetime:
    """When the oldest of the last `limit.count` is long enough ago."""
    return (times[-limit.count] if limit.count else now) + limit.period


def _seconds(wait: timedelta) -> int:
    return max(1, ceil(wait.total_seconds()))


def _when(seconds: int) -> str:
    """`in 14 hours`: true in every time zone."""
    minutes, hours = ceil(seconds / 60), ceil(seconds / 3600)
    if seconds < 90:
        return ngettext("in %d second", "in %d seconds", seconds) % seconds
    if minutes < 90:
        return ngettext("in %d minute", "in %d minutes", minutes) % minutes
    return ngettext("in %d hour", "in %d hours", hours) % hours

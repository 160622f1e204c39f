"""The queue: claim what is due, and write down what became of each message by itself."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from guestlist.actions import access, delivery_statements
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.models import Delivery, Invitation, Organization
from guestlist.models.delivery import HISTORY, TO_INVITED, DeliveryQuerySet, State
from guestlist.models.fields import timestamp
from guestlist.models.invitation import Status

LEASE = timedelta(seconds=60)
SHORTEST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=10)

_OF_DELIVERY = ("organization_id", "kind", "recipient", "key", "content", "state", "history", "created_at")
_OF_INVITATION = ("email", "key", "nonce", "expires_at", "language", "decline_note", "invited_by_type")
_READ = (
    *_OF_DELIVERY,
    *("message_id", "next_at", "at", "detail"),
    *(f"invitation__{name}" for name in (*_OF_INVITATION, "invited_by_name", "invited_by_email")),
)
_RELEASED: dict[str, None] = {"leased_by": None, "leased_until": None, "next_at": None}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to hand a message over, begun at the database's time `at`."""

    delivery: Delivery
    worker: UUID
    number: int
    at: datetime

    def entry(self, state: State, detail: str = "", **values: Any) -> list[dict[str, Any]]:
        """The message's history with this attempt at its end."""
        new = {"at": timestamp(self.at), "state": state.value, "detail": detail, "attempt": self.number}
        return [*self.delivery.history, new | values][-HISTORY:]


def claim_deliveries(*, worker: UUID, limit: int) -> Sequence[Delivery]:
    """Take up to `limit` due deliveries for this worker, for 60 seconds by the database's clock.

    No two workers hold one at a time; what a dead worker held is due again when its lease ends.
    """
    with transaction.atomic():
        ids = Delivery.objects.due().free_ids("next_at", "pk", limit=limit)
        Delivery.objects.filter(pk__in=ids).update(leased_by=worker, leased_until=Now() + LEASE)
    # Only what a message is made of, and each organization once: most of a batch are alike.
    held = Delivery.objects.filter(pk__in=ids).select_related("invitation").only(*_READ)
    claimed = list(held.order_by("next_at", "pk"))
    organizations = Organization.objects.in_bulk({delivery.organization_id for delivery in claimed})
    claimed = [delivery for delivery in claimed if delivery.organization_id in organizations]
    for delivery in claimed:
        delivery.organization = organizations[delivery.organization_id]
    return claimed


def renew_leases(*, worker: UUID, ids: Collection[UUID]) -> None:
    """This worker lives: what it holds stays its own for another 60 seconds."""
    with transaction.atomic():
        held = Delivery.objects.owed().filter(pk__in=ids, leased_by=worker)
        held.filter(pk__in=held.free_ids()).update(leased_until=Now() + LEASE)


def begin_deliveries(*, deliveries: Sequence[Delivery], worker: UUID) -> list[Attempt]:
    """Start an attempt for each of these that is still this worker’s and still wanted, in their order.

    Not where the invitation has ended meanwhile, or its address asked not to be invited: that mail is
    canceled. Word to a manager goes out all the same.
    """
    rows = delivery_statements.begin([delivery.pk for delivery in deliveries], worker)
    found = {row.delivery_id: row for row in rows}
    begun = []
    for delivery in deliveries:
        if row := found.get(delivery.pk):
            attempt = Attempt(_with_interruption(delivery, row.attempt), worker, row.attempt, row.at)
            if row.wanted:
                begun.append(attempt)
            else:
                _cancel(attempt)
    return begun


def take_back(*, attempts: Sequence[Attempt]) -> None:
    """These were begun, and not even tried."""
    for attempt in attempts:
        _held(attempt.delivery, attempt.worker).update(attempts=attempt.number - 1)


def finish_delivery(*, attempt: Attempt, seconds: float, provider_id: str = "") -> None:
    """The mail server took the message after so many seconds, even if the invitation ended meanwhile."""
    history = attempt.entry(State.SENT, seconds=round(seconds, 3))
    delivery_statements.finish(attempt.delivery.pk, attempt.worker, history, provider_id[:200] or None)


def defer_delivery(
    *, attempt: Attempt, detail: str, seconds: float, unclear: bool = False, wait: timedelta | None = None
) -> None:
    """Not now: try again after 15, 30, 60 … seconds, at most 10 minutes, or after `wait`, with jitter."""
    jitter = random.uniform(0.9, 1.1)  # noqa: S311  (not a secret)
    pause = (wait or back_off(attempt.number)) * jitter
    values: dict[str, Any] = {"unclear": True} if unclear else {}
    history = attempt.entry(State.DEFERRED, detail, seconds=seconds, **values)
    _held(attempt.delivery, attempt.worker).update(
        state=State.DEFERRED, detail=detail, history=history, **_RELEASED | {"next_at": Now() + pause}
    )


def fail_delivery(*, attempt: Attempt, detail: str, seconds: float, hard: bool = False) -> None:
    """Never: the server refused this message for good. The invitation itself stays pending and is not
    reminded of; `hard` says that its address does not work.
    """
    delivery = attempt.delivery
    with access.locked_by_holder(delivery.organization) as organization:
        history = attempt.entry(State.FAILED, detail, seconds=seconds)
        held = _held(delivery, attempt.worker)
        changed = held.update(
            state=State.FAILED, detail=detail, hard=hard, history=history, at=Now(), **_RELEASED
        )
        if changed and delivery.kind in TO_INVITED:
            pending = Invitation.objects.filter(deliveries=delivery, status=Status.PENDING)
            pending.update(remind_at=None, unreported_at=organization.now)
            change = {"delivery": (delivery.state, State.FAILED.value), "detail": (None, detail)}
            record(Actor.system(), organization, Happening("invitation.failed", delivery.invitation, change))


def hold_back(*, delivery: Delivery, worker: UUID, until: datetime, detail: str) -> None:
    """Leave a message until a time, without an attempt."""
    _held(delivery, worker).update(
        state=State.DEFERRED, detail=detail, **_RELEASED | {"next_at": until.astimezone(UTC)}
    )


def release_deliveries(*, worker: UUID, ids: Collection[UUID]) -> None:
    """Give back what this worker claimed and did not come to, so that a restart delays nothing."""
    with transaction.atomic():
        held = Delivery.objects.owed().filter(pk__in=ids, leased_by=worker)
        held.filter(pk__in=held.free_ids()).update(leased_by=None, leased_until=None)


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 15, 30, 60 … seconds, at most 10 minutes."""
    doubled: int = 2 ** min(max(attempts - 1, 0), 10)
    return min(SHORTEST_WAIT * doubled, LONGEST_WAIT)


def _held(delivery: Delivery, worker: UUID) -> DeliveryQuerySet:
    return Delivery.objects.owed().filter(pk=delivery.pk, leased_by=worker)


def _with_interruption(delivery: Delivery, attempts: int) -> Delivery:
    """An attempt of which nothing was written down is one whose worker died."""
    recorded = max((entry.get("attempt", 0) for entry in delivery.history), default=0)
    for number in range(max(recorded, attempts - HISTORY) + 1, attempts):
        entry = {"at": timestamp(delivery.at), "state": State.DEFERRED.value, "detail": "", "attempt": number}
        delivery.history.append(entry | {"unclear": True, "interrupted": True})
    return delivery


def _cancel(attempt: Attempt) -> None:
    history = attempt.entry(State.CANCELED)
    attempt.delivery.state = State.CANCELED
    held = _held(attempt.delivery, attempt.worker)
    held.update(state=State.CANCELED, attempts=attempt.number - 1, history=history, **_RELEASED)

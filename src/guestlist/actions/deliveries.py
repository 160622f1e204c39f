"""The queue: claim what is due, and write down what became of each message by itself."""

import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F
from django.db.models.functions import Now

from guestlist.actions import access
from guestlist.actors import Actor
from guestlist.events import Happening, record
from guestlist.models import Delivery, Invitation, Suppression
from guestlist.models.delivery import DeliveryQuerySet, Kind, State

LEASE = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=5)


def claim_deliveries(*, worker: UUID, limit: int) -> Sequence[Delivery]:
    """Take up to `limit` due deliveries for this worker, for 30 seconds by the database's clock.

    No two workers hold one at a time; what a dead worker held is due again when its lease ends.
    """
    with transaction.atomic():
        due = Delivery.objects.due().order_by("next_at", "pk")
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        ids = list(due.values_list("pk", flat=True)[:limit])
        Delivery.objects.filter(pk__in=ids).update(leased_by=worker, leased_until=Now() + LEASE)
    held = Delivery.objects.filter(pk__in=ids).select_related("invitation", "organization")
    return list(held.order_by("next_at", "pk"))


def begin_delivery(*, delivery: Delivery, worker: UUID) -> bool:
    """Start an attempt: whether this message is still to be sent and still ours. Renews the lease.

    False where the invitation has ended meanwhile: its mail was canceled with it. False where the address
    asked not to be invited. Word to a manager goes out all the same.
    """
    ours = Delivery.objects.owed().filter(
        pk=delivery.pk,
        leased_by=worker,
        leased_until__gt=Now(),
    )
    # Only columns of the delivery: PostgreSQL looks at those again after waiting for a revoke to commit.
    if not ours.update(attempts=F("attempts") + 1, at=Now(), leased_until=Now() + LEASE):
        return False
    return _is_wanted(delivery)


def finish_delivery(*, delivery: Delivery, worker: UUID, detail: str = "") -> None:
    """The mail server took the message, even if the invitation ended while it did."""
    ours = Delivery.objects.filter(pk=delivery.pk, leased_by=worker)
    ours.update(state=State.SENT, detail=detail[:500], at=Now(), **_RELEASED)


def defer_delivery(*, delivery: Delivery, worker: UUID, detail: str) -> None:
    """Not now: try again in 2, 4, 8 … seconds, at most 5 minutes apart, with jitter."""
    attempts = Delivery.objects.values_list("attempts", flat=True).get(pk=delivery.pk)
    wait = back_off(attempts) * random.uniform(0.9, 1.1)  # noqa: S311  (jitter, not a secret)
    _held(delivery, worker).update(
        state=State.DEFERRED, detail=detail[:500], **_RELEASED | {"next_at": Now() + wait}
    )


def fail_delivery(*, delivery: Delivery, worker: UUID, detail: str) -> None:
    """Never: the server refused this message for good. The invitation itself stays pending."""
    with access.locked_by_holder(delivery.organization) as organization:
        held = _held(delivery, worker)
        failed = held.update(state=State.FAILED, detail=detail[:500], at=Now(), **_RELEASED)
        if failed and delivery.kind == Kind.INVITATION:
            change = {"delivery": (delivery.state, State.FAILED.value), "detail": (None, detail[:500])}
            record(Actor.system(), organization, Happening("invitation.failed", delivery.invitation, change))


def drop_delivery(*, delivery: Delivery, worker: UUID) -> None:
    """The invitation ended, or its address asked not to be invited, before its mail left: nothing is sent.
    Mail that is still wanted (only the lease had ended) stays owed.
    """
    if not _is_wanted(delivery):
        _held(delivery, worker).update(state=State.CANCELED, **_RELEASED)


def release_deliveries(*, worker: UUID) -> None:
    """Give back what this worker claimed and did not come to, so that a restart delays nothing."""
    Delivery.objects.owed().filter(leased_by=worker).update(leased_by=None, leased_until=None)


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 2, 4, 8 … seconds, at most 5 minutes."""
    return min(timedelta(seconds=2 ** min(max(attempts, 1), 10)), LONGEST_WAIT)


_RELEASED: dict[str, None] = {"leased_by": None, "leased_until": None, "next_at": None}


def _is_wanted(delivery: Delivery) -> bool:
    if delivery.kind != Kind.INVITATION:
        return True
    invitation = delivery.invitation
    unwanted = Suppression.objects.against(delivery.organization, [invitation.key])
    return Invitation.objects.pending().filter(~Exists(unwanted), pk=invitation.pk).exists()


def _held(delivery: Delivery, worker: UUID) -> DeliveryQuerySet:
    return Delivery.objects.owed().filter(pk=delivery.pk, leased_by=worker)

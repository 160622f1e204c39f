"""Delete messages that nobody needs to know of any more. Nothing else of an invitation goes."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.db.models.functions import Now

from guestlist import errors
from guestlist.models import Delivery, Invitation
from guestlist.models.delivery import TO_INVITED, DeliveryQuerySet
from guestlist.models.invitation import Status

# Mail of the last weeks is counted by limits, and reports of mail servers are still to come.
SHORTEST = timedelta(days=30)
# Messages that one transaction looks at.
BATCH = 1_000


class PruneTooSoon(errors.InvalidInput):
    """Messages are kept for at least {days} days."""

    field, code = "older_than", "too_soon"


def prune_deliveries(*, older_than: timedelta) -> Iterator[int]:
    """Delete the messages that were made so long ago and are of no use: a batch each time, with as many
    statements for any number; how many went. What else changes meanwhile never waits for longer than a batch.

    Raises PruneTooSoon.
    """
    _check(older_than)
    last: UUID | None = None
    while window := _window(last, older_than):
        yield _delete(window)
        last = window[-1]


def prunable(*, older_than: timedelta) -> int:
    """How many messages `prune_deliveries` would delete. Raises PruneTooSoon."""
    _check(older_than)
    return _useless().filter(created_at__lt=Now() - older_than).count()


def batches(*, older_than: timedelta) -> int:
    """About how many batches `prune_deliveries` takes."""
    return -(-Delivery.objects.filter(created_at__lt=Now() - older_than).count() // BATCH)


def _check(older_than: timedelta) -> None:
    if older_than < SHORTEST:
        raise PruneTooSoon(days=SHORTEST.days)


def _window(last: UUID | None, older_than: timedelta) -> list[UUID]:
    """The next messages after `last` that are old enough, needed or not: ids sort by the time they were made,
    so that no index by age is needed.
    """
    is_old = ExpressionWrapper(Q(created_at__lt=Now() - older_than), output_field=BooleanField())
    rows = Delivery.objects.filter(pk__gt=last) if last else Delivery.objects.all()
    found = rows.order_by("pk").values_list("pk", is_old)[:BATCH]
    return [pk for pk, old in found if old]


def _delete(window: list[UUID]) -> int:
    with transaction.atomic():
        ids = _useless().filter(pk__in=window).free_ids()
        # Without reading what they are, as `delete` would do where rows refer to them.
        Invitation.objects.filter(delivery__in=ids).update(delivery=None)
        rows = Delivery.objects.filter(pk__in=ids)
        rows._raw_delete(rows.db)
    return len(ids)


def _useless() -> DeliveryQuerySet:
    """Those that will not be tried again, whose invitation has ended, and whose address is not marked: mail
    that came back marks it, and what arrived later takes the mark away.
    """
    pending = Invitation.objects.filter(pk=OuterRef("invitation"), status=Status.PENDING)
    same = Delivery.objects.filter(organization=OuterRef("organization"), key=OuterRef("key"))
    marked = same.filter(hard=True, kind__in=TO_INVITED)
    return Delivery.objects.filter(~Exists(pending), ~Exists(marked), next_at=None)

"""Calling webhooks: which call is next, and what became of it. One worker at a time calls a webhook."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from guestlist.actions import access
from guestlist.actions.deliveries import back_off
from guestlist.actions.webhook_ends import end_calls, turn_off_failing
from guestlist.actors import Actor, Origin
from guestlist.models import Organization, Webhook, WebhookDelivery
from guestlist.models.fields import timestamp
from guestlist.models.history import Appended
from guestlist.models.webhook import WebhookQuerySet, WhyOff
from guestlist.models.webhook_delivery import TEST, CallState, WebhookDeliveryQuerySet
from guestlist.webhook_messages import readable

LEASE = timedelta(seconds=60)
# What is never delivered is given up after that, and a webhook that answers nothing else turned off.
PATIENCE = timedelta(days=1)
LONGEST_ASKED = timedelta(hours=1)
# So many failures in a row are the receiver's as a whole.
ROW = 3
# Nobody else waits for a call that failed so often, whatever the reason.
STUBBORN = 20
# After so long without any success, one is a sign that all may be tried.
LONG = timedelta(minutes=5)
# Statuses that are not about the call itself.
BUSY = (429, 502, 503, 504)
GONE = 410
MOST_FOUND = 8
# Webhooks of one organization that are called at once, by all workers together; a worker has four callers.
MOST_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt, begun at the database's time `at`: the call's `number`th, and the `tried`th since it is
    owed.
    """

    webhook: Webhook
    delivery: WebhookDelivery
    worker: UUID
    number: int
    tried: int
    at: datetime

    def entry(self, state: CallState, answer: "Answer | None" = None, detail: str = "") -> dict[str, Any]:
        """What is added to the history."""
        entry = {"at": timestamp(self.at), "state": state.value, "detail": detail, "attempt": self.number}
        if answer is None:
            return entry
        return entry | {
            "seconds": round(answer.seconds, 3),
            "status": answer.status,
            "url": self.webhook.url,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back after so many `seconds`. `detail` is a sentence that says why it is a failure, empty
    where it is none; `status` is None where nothing that could be understood came back. `wait` is how long
    the receiver asked to be left alone.
    """

    seconds: float
    status: int | None = None
    text: str = ""
    detail: str = ""
    wait: timedelta | None = None

    @property
    def concerns_all(self) -> bool:
        """Whether the receiver as a whole fails, as far as one answer can tell."""
        return self.status is None or self.status in BUSY


def readable_types(webhook: Webhook) -> frozenset[str]:
    """The types that its creator may read now: the key by which it was made, the user, or the operator.
    Nothing where that key has ended, or the user does not belong to the organization any more.
    """
    held = access.permissions_of(_creator(webhook), webhook.organization)
    return frozenset() if held is None else readable(held)


def _creator(webhook: Webhook) -> Actor:
    origin = Origin("worker")
    if webhook.api_key is not None:
        key = webhook.api_key
        return Actor("api_key", str(key.pk), key.name, origin=origin, subject=key)
    if webhook.created_by is not None:
        return Actor.user(webhook.created_by, origin=origin)
    return Actor.operator(door=origin.door)


def calls_are_due() -> bool:
    """Whether there is anything to look for; one cheap query."""
    return WebhookDelivery.objects.filter(next_at__isnull=False, next_at__lte=Now()).exists()


def claim_webhook(*, worker: UUID) -> UUID | None:
    """Take a webhook for which a call is due, for 60 seconds by the database's clock, the one that had its
    turn longest ago; none of an organization that has two being called, so that its slow receivers leave
    room for those of others. None where there is none.
    """
    calls = _in_turn(OuterRef("pk"))
    # The first call of each, not whether there is any: for that, PostgreSQL reads all there are.
    rows = _free().alias(due=_first(calls.filter(next_at__lte=Now())), owed=_first(calls))
    failed = Q(paused_until__isnull=False, owed__isnull=False)
    waiting = rows.filter(Q(due__isnull=False) | failed).exclude(organization__in=_served())
    waiting = waiting.order_by(F("leased_until").asc(nulls_first=True), "pk")
    found = list(waiting.values_list("pk", flat=True)[:MOST_FOUND])
    return next((pk for pk in found if _take(pk, worker)), None)


def release_webhook(*, webhook_id: UUID, worker: UUID) -> None:
    """Give it back; it had its turn now."""
    Webhook.objects.filter(pk=webhook_id, leased_by=worker).update(leased_by=None, leased_until=Now())


def begin_call(*, webhook_id: UUID, worker: UUID) -> Call | None:
    """Begin the next call of a webhook that this worker holds: the oldest that is due, or where the receiver
    as a whole failed the oldest there is. None where there is nothing to call any more.

    What its creator may not read any more is canceled.
    """
    while (
        webhook := _held(webhook_id, worker).select_related("organization", "created_by", "api_key").first()
    ):
        calls = _in_turn(webhook_id).annotate(now=Now()).order_by("number", "pk")
        delivery = (calls if webhook.paused_until else calls.filter(next_at__lte=Now())).first()
        if delivery is None:
            return None
        allowed = readable_types(webhook) | {TEST}
        if delivery.type in allowed:
            return _begin(webhook, delivery, worker)
        _cancel_unreadable(webhook, allowed)
    return None


def finish_call(*, call: Call, answer: Answer) -> None:
    """The receiver took it. If it had failed as a whole, all that waits is due now, in order."""
    entry = call.entry(CallState.DELIVERED, answer)
    since = call.webhook.failing_since or call.at
    over = call.webhook.paused_until is not None or call.at - since >= LONG
    ended = {"failures": 0, "failing_since": None, "paused_until": None}
    with transaction.atomic():
        # Its row comes before those of its calls, for whoever changes several.
        mine = _mine(call).update(delivered_at=Now(), leased_until=Now() + LEASE, **ended)
        _write(call, answer, CallState.DELIVERED, Appended(entry), at=Now(), next_at=None)
        if mine and over:
            waiting = WebhookDelivery.objects.owed().filter(webhook=call.webhook.pk)
            waiting.filter(next_at__gt=Now()).update(next_at=Now())


def fail_call(*, call: Call, answer: Answer) -> None:
    """The receiver did not take it: later again, for a day. Where it fails as a whole, everything waits
    together. A receiver that says that it is gone, or that takes nothing for a day, is turned off.
    """
    together = _is_failing_as_a_whole(call, answer)
    wait = _wait(call.webhook.failures + 1 if together else call.tried, answer)
    tired = call.at - call.delivery.owed_since >= PATIENCE
    with transaction.atomic():
        # Its row comes before that of the call. One that leads elsewhere by now has not failed.
        mine = _mine(call).filter(url=call.webhook.url)
        counted = mine.update(
            failures=F("failures") + 1,
            failing_since=Coalesce("failing_since", call.at),
            paused_until=Now() + wait if together else None,
            leased_until=Now() + LEASE,
        )
        if counted and (tired or answer.status == GONE):
            _write_failure(call, answer, CallState.FAILED, at=Now(), next_at=None)
        else:
            _write_failure(call, answer, CallState.DEFERRED, next_at=Now() + wait if counted else Now())
    if counted and answer.status == GONE:
        turn_off_failing(webhook=call.webhook, why=WhyOff.GONE)
    elif counted and tired and mine.filter(failing_since__lte=call.at - PATIENCE).exists():
        turn_off_failing(webhook=call.webhook, why=WhyOff.FAILING)


def _take(pk: UUID, worker: UUID) -> bool:
    """Other workers found it too; one of them gets it. Nobody waits for one whose row is being changed."""
    with transaction.atomic():
        rows = _free().filter(pk=pk)
        if connections[rows.db].features.has_select_for_update_skip_locked:
            free = rows.select_for_update(skip_locked=True).values_list("pk", flat=True)
            rows = rows.filter(pk__in=list(free))
        return bool(rows.update(leased_by=worker, leased_until=Now() + LEASE))


def _served() -> "QuerySet[Webhook, Any]":
    """The organizations for which as many webhooks are being called as may be at once."""
    held = Webhook.objects.filter(leased_by__isnull=False, leased_until__gt=Now())
    most = held.values("organization").annotate(number=Count("pk")).filter(number__gte=MOST_AT_ONCE)
    return most.values("organization")


def _free() -> WebhookQuerySet:
    """Those that nobody holds."""
    return _callable().filter(Q(leased_until=None) | Q(leased_until__lte=Now()) | Q(leased_by=None))


def _callable() -> WebhookQuerySet:
    """Those that are not to be left alone now.

    Without a join: of a row that another worker took, PostgreSQL looks again at its own columns only.
    """
    deleted = Organization.objects.filter(deleted_at__isnull=False)
    rows = Webhook.objects.enabled().exclude(organization__in=deleted.values("pk"))
    return rows.filter(Q(paused_until=None) | Q(paused_until__lte=Now()))


def _held(webhook_id: UUID, worker: UUID) -> WebhookQuerySet:
    """The webhook, while this worker holds it and may call it."""
    return _callable().filter(pk=webhook_id, leased_by=worker, leased_until__gt=Now())


def _in_turn(webhook_id: Any) -> WebhookDeliveryQuerySet:
    """What a webhook is owed, but for what waits for an earlier call about the same subject."""
    owed = WebhookDelivery.objects.filter(next_at__isnull=False)
    before = Q(number__lt=OuterRef("number")) | Q(number=OuterRef("number"), pk__lt=OuterRef("pk"))
    same = owed.filter(before, webhook=OuterRef("webhook"), subject_id=OuterRef("subject_id"))
    return owed.filter(~Exists(same), webhook=webhook_id)


def _first(calls: WebhookDeliveryQuerySet) -> Subquery:
    return Subquery(calls.order_by("number", "pk").values("pk")[:1])


def _begin(webhook: Webhook, delivery: WebhookDelivery, worker: UUID) -> Call | None:
    """Count the attempt, and keep the webhook for as long as one may take. Patience begins with the first."""
    now, tried = delivery.now, _tried(delivery) + 1  # type: ignore[attr-defined]
    if tried == 1:
        delivery.owed_since = now
    call = Call(webhook, delivery, worker, delivery.attempts + 1, tried, now)
    if not _held(webhook.pk, worker).update(leased_until=Now() + LEASE):
        return None
    rows = WebhookDelivery.objects.owed().filter(pk=delivery.pk)
    changes: dict[str, Any] = {"attempts": F("attempts") + 1, "owed_since": delivery.owed_since}
    if entry := _interrupted(delivery):
        changes["history"] = Appended(entry)
    return call if rows.update(**changes) else None


def _tried(delivery: WebhookDelivery) -> int:
    """How often it was tried since it is owed, or since somebody asked for it again; of more than twenty
    times, twenty are known.
    """
    asked = [place for place, entry in enumerate(delivery.history) if "by" in entry]
    since = delivery.history[asked[-1] + 1 :] if asked else delivery.history
    lost = 1 if _interrupted(delivery) and (since or not asked) else 0
    return sum("attempt" in entry for entry in since) + lost


def _interrupted(delivery: WebhookDelivery) -> dict[str, Any] | None:
    """An attempt of which nothing was written down is one whose worker died."""
    recorded = max((entry.get("attempt", 0) for entry in delivery.history), default=0)
    if recorded >= delivery.attempts:
        return None
    entry = {"at": timestamp(delivery.at), "state": CallState.DEFERRED.value, "attempt": delivery.attempts}
    return entry | {"detail": "", "unclear": True, "interrupted": True}


def _cancel_unreadable(webhook: Webhook, allowed: frozenset[str]) -> None:
    """All of them in one statement."""
    detail = _("Not sent: whoever created the webhook may not read this any more.")
    owed = WebhookDelivery.objects.owed().filter(webhook=webhook.pk).exclude(type__in=allowed)
    with transaction.atomic():
        locked = Webhook.objects.select_for_update().annotate(now=Now()).filter(pk=webhook.pk)
        for row in locked:
            end_calls(owed, CallState.CANCELED, detail, at=row.now)  # type: ignore[attr-defined]


def _is_failing_as_a_whole(call: Call, answer: Answer) -> bool:
    """Not where it is one call that fails again and again."""
    known = call.delivery
    refused = known.status is not None and known.status not in BUSY
    if known.state == CallState.DEFERRED and (refused or call.tried > STUBBORN):
        return False
    return answer.concerns_all or call.webhook.failures + 1 >= ROW


def _wait(failures: int, answer: Answer) -> timedelta:
    """15 seconds, doubled up to 10 minutes, with jitter; not before the receiver asked for, up to an hour."""
    jitter = random.uniform(0.9, 1.1)  # noqa: S311  (not a secret)
    return max(back_off(failures) * jitter, min(answer.wait or timedelta(), LONGEST_ASKED))


def _write(call: Call, answer: Answer, state: CallState, history: Appended, **times: Any) -> None:
    """Nothing where another worker holds the webhook by now, or where somebody ended the call meanwhile."""
    rows = WebhookDelivery.objects.owed().filter(pk=call.delivery.pk, webhook__in=_mine(call))
    rows.update(
        state=state,
        detail=answer.detail[:500],
        status=answer.status,
        answer=answer.text,
        history=history,
        **times,
    )


def _write_failure(call: Call, answer: Answer, state: CallState, **times: Any) -> None:
    _write(call, answer, state, Appended(call.entry(state, answer, answer.detail)), **times)


def _mine(call: Call) -> WebhookQuerySet:
    return Webhook.objects.filter(pk=call.webhook.pk, leased_by=call.worker)

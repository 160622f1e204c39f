"""The calls of webhooks: read what became of them, send a test, make some again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_noop, ngettext

from guestlist import errors
from guestlist.actions import access
from guestlist.actions.webhook_ends import end_calls
from guestlist.actions.webhooks import find_webhook, locked_webhook
from guestlist.actors import Actor
from guestlist.models import Organization, Webhook, WebhookDelivery
from guestlist.models.fields import as_uuid, new_id, searchable, timestamp
from guestlist.models.history import Appended
from guestlist.models.webhook_delivery import OWED_CALLS, TEST, CallState, WebhookDeliveryQuerySet
from guestlist.permissions import Permission
from guestlist.wakeup import wake_after_commit
from guestlist.webhook_messages import message_body, readable

REPLACED = gettext_noop("A newer test was sent.")


@dataclass(frozen=True, slots=True)
class Redelivered:
    """How many calls are made again."""

    redelivered: int

    def __str__(self) -> str:
        text = ngettext("%d call is made again.", "%d calls are made again.", self.redelivered)
        return text % self.redelivered

    def as_resource(self) -> dict[str, int]:
        """The answer as REST shows it."""
        return {"redelivered": self.redelivered}


def calls_of(
    *, actor: Actor, organization: Organization, webhook_id: Any, state: str = "", q: str = ""
) -> WebhookDeliveryQuerySet:
    """The calls of a webhook about which the actor may read, those with `q` in the name of what they are
    about or the one with `q` as its message id; without what a list does not show. Raises NotAllowed,
    NotFound, InvalidFilter.
    """
    held = access.require(actor, organization, Permission.WEBHOOK_MANAGE)
    webhook = find_webhook(organization=organization, webhook_id=webhook_id)
    rows = _matching(_visible(webhook, held).in_state(state), searchable(q))
    return rows.defer("body", "answer", "history")


def find_call(
    *, actor: Actor, organization: Organization, webhook_id: Any, delivery_id: Any
) -> WebhookDelivery:
    """One of these, with its webhook. Raises NotAllowed, NotFound."""
    held = access.require(actor, organization, Permission.WEBHOOK_MANAGE)
    webhook = find_webhook(organization=organization, webhook_id=webhook_id)
    row = _visible(webhook, held).select_related("webhook").filter(pk=delivery_id).first()
    if row is None:
        raise errors.NotFound
    return row


def send_test(*, actor: Actor, organization: Organization, webhook_id: Any) -> WebhookDelivery:
    """Call a webhook with an event that says that this is a test, before whatever else it is owed; an earlier
    test that is still owed is canceled. Raises NotAllowed, NotFound, WebhookOff.
    """
    with access.locked(actor, organization, Permission.WEBHOOK_MANAGE) as organization:
        webhook = _callable(organization, webhook_id)
        _cancel_tests(organization, webhook)
        row = WebhookDelivery(
            organization=organization,
            webhook=webhook,
            event_id=new_id(),
            number=0,
            type=TEST,
            subject_id=str(webhook.pk),
            subject_name=str(webhook)[:254],
            body=message_body(TEST, timestamp(organization.now), webhook.as_resource()),
            created_at=organization.now,
            owed_since=organization.now,
            next_at=organization.now,
        )
        row.save(force_insert=True)
        _end_pause(webhook)
    return row


def redeliver(
    *, actor: Actor, organization: Organization, webhook_id: Any, delivery_id: Any
) -> WebhookDelivery:
    """Make a call again at once, whatever became of it, with the same body and the same message id.

    Raises NotAllowed, NotFound, WebhookOff, CallUnderWay.
    """
    with access.locked(actor, organization, Permission.WEBHOOK_MANAGE) as organization:
        held = access.permissions_of(actor, organization) or frozenset()
        webhook = _callable(organization, webhook_id)
        rows = _visible(webhook, held).filter(pk=delivery_id)
        row = rows.select_for_update().first()
        if row is None:
            raise errors.NotFound
        if is_under_way(row, webhook, organization.now):
            raise errors.CallUnderWay
        _owe_again(actor, organization, webhook, rows)
    return rows.select_related("webhook").get()


def redeliver_since(
    *, actor: Actor, organization: Organization, webhook_id: Any, since: datetime, state: str = ""
) -> Redelivered:
    """Make every call of an event again that was first owed at `since` or later and is in `state`, or in any;
    with the same number of statements for any number of them.

    Raises NotAllowed, NotFound, WebhookOff, InvalidFilter.
    """
    with access.locked(actor, organization, Permission.WEBHOOK_MANAGE) as organization:
        held = access.permissions_of(actor, organization) or frozenset()
        webhook = _callable(organization, webhook_id)
        rows = _visible(webhook, held).in_state(state).of_events_since(since)
        return Redelivered(_owe_again(actor, organization, webhook, rows))


def whole_call(call: WebhookDelivery) -> dict[str, Any]:
    """The call as REST shows it by itself: with what is sent, what was answered last, and every attempt. Load
    `webhook` with it.
    """
    answered = {"status": call.status, "body": call.answer}
    return call.as_resource() | {
        "request": {"url": _url(call), "headers": _headers(call), "body": call.body},
        "answer": None if call.status is None else answered,
        "history": [_entry(each) for each in call.history],
    }


def is_under_way(call: WebhookDelivery, webhook: Webhook, now: datetime) -> bool:
    """Whether a worker is making it: one holds the webhook, and has begun an attempt of which nothing is
    written down yet.
    """
    held = webhook.leased_until is not None and webhook.leased_until > now
    recorded = max((entry.get("attempt") or 0 for entry in call.history), default=0)
    return held and call.state in OWED_CALLS and call.attempts > recorded


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    shown = {
        name: entry.get(name) for name in ("at", "state", "detail", "attempt", "seconds", "status", "by")
    }
    flags = {name: bool(entry.get(name)) for name in ("unclear", "interrupted")}
    return shown | {"detail": shown["detail"] or None} | flags


def _headers(call: WebhookDelivery) -> dict[str, str]:
    """Those of the last attempt, without its signature."""
    headers = {"content-type": "application/json", "webhook-id": call.message_id}
    begun = [entry["at"] for entry in call.history if entry.get("attempt")]
    at = parse_datetime(begun[-1] or "") if begun else None
    return headers | ({"webhook-timestamp": str(int(at.timestamp()))} if at else {})


def _url(call: WebhookDelivery) -> str:
    """Where the last attempt went, or where one would go."""
    called = [entry["url"] for entry in call.history if entry.get("url")]
    return called[-1] if called else call.webhook.url


def _visible(webhook: Webhook, held: frozenset[str]) -> WebhookDeliveryQuerySet:
    return WebhookDelivery.objects.filter(webhook=webhook, type__in=[TEST, *sorted(readable(held))])


def _matching(rows: WebhookDeliveryQuerySet, text: str) -> WebhookDeliveryQuerySet:
    if event_id := _event_id(text):
        return rows.filter(event_id=event_id)
    return rows.filter(subject_name__icontains=text) if text else rows


def _event_id(text: str) -> UUID | None:
    return as_uuid(text.removeprefix("msg_")) if text.startswith("msg_") else None


def _callable(organization: Organization, webhook_id: Any) -> Webhook:
    webhook = locked_webhook(organization, webhook_id)
    if webhook.why_off:
        raise errors.WebhookOff
    return webhook


def _cancel_tests(organization: Organization, webhook: Webhook) -> None:
    """Receivers get tests in their order, so a failed one would hold up the next."""
    owed = WebhookDelivery.objects.owed().filter(webhook=webhook, type=TEST)
    tests = [row for row in owed.select_for_update() if not is_under_way(row, webhook, organization.now)]
    pointless = owed.filter(pk__in=[row.pk for row in tests])
    end_calls(pointless, CallState.CANCELED, REPLACED, at=organization.now)


def _owe_again(
    actor: Actor, organization: Organization, webhook: Webhook, rows: WebhookDeliveryQuerySet
) -> int:
    queued, now = CallState.QUEUED, organization.now
    entry = {"at": timestamp(now), "state": queued.value, "detail": "", "by": actor.name}
    number = rows.update(state=queued, detail="", owed_since=now, next_at=now, history=Appended(entry))
    if number:
        _end_pause(webhook)
    return number


def _end_pause(webhook: Webhook) -> None:
    """Whoever asks for one call wants to know whether any gets through."""
    Webhook.objects.filter(pk=webhook.pk).update(paused_until=None)
    wake_after_commit()

"""One call that is owed to a webhook: at once the queue's row and what people see of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.functions import Now

from guestlist import errors
from guestlist.models.fields import Row, timestamp
from guestlist.models.listing import Columns
from guestlist.models.organization import Organization
from guestlist.models.webhook import Webhook


class CallState(models.TextChoices):
    """What has become of a call."""

    QUEUED = "queued"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELED = "canceled"


OWED_CALLS = (CallState.QUEUED, CallState.DEFERRED)
TEST = "webhook.test"


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    """Calls of webhooks."""

    def owed(self) -> "WebhookDeliveryQuerySet":
        """Those that still have to be made."""
        return self.filter(state__in=OWED_CALLS)

    def of_events_since(self, since: datetime) -> "WebhookDeliveryQuerySet":
        """Those of what happened at `since` or later; tests tell of nothing."""
        return self.filter(created_at__gte=since).exclude(type=TEST)

    def in_state(self, state: str) -> "WebhookDeliveryQuerySet":
        """Those in `state`; all where it is empty. Raises InvalidFilter."""
        if state and state not in CallState.values:
            raise errors.InvalidFilter(field="state", value=state[:100], choices=", ".join(CallState.values))
        return self.filter(state=state) if state else self


class WebhookDelivery(Row):
    """`body` is what is sent, byte for byte, however often; by `event_id` the receiver knows it again. Calls
    leave by `number`, the event's; a test has 0. What happened to one `subject_id` is told in that order,
    each once the one before it has arrived or was given up.

    `status` and `answer` are those of the last attempt; `history` holds the newest 20: `{"at", "state",
    "detail", "attempt", "seconds", "status", "url"}`, and `by` where somebody asked for another. `owed_since`
    is when it was first tried since it is owed; before that, since when.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="webhook_deliveries")
    # Its own index is one of those below.
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    event_id = models.UUIDField()
    number = models.PositiveBigIntegerField()
    type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    subject_name = models.CharField(max_length=254)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=CallState.choices, default=CallState.QUEUED)
    detail = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    status = models.PositiveIntegerField(null=True)
    answer = models.TextField(blank=True)
    history = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())
    owed_since = models.DateTimeField(db_default=Now())
    at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True, db_default=Now())

    objects = WebhookDeliveryQuerySet.as_manager()

    COLUMNS: Columns = {"created": models.F("id")}

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("webhook", "event_id"), name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=CallState.values), name="webhook_delivery_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=OWED_CALLS, next_at__isnull=False)
                | (~models.Q(state__in=OWED_CALLS) & models.Q(next_at=None)),
                name="webhook_delivery_owed_has_next_try",
            ),
        )
        indexes = (
            models.Index(
                fields=("next_at", "webhook"),
                condition=models.Q(next_at__isnull=False),
                name="webhook_delivery_due",
            ),
            models.Index(
                fields=("webhook", "number", "id"),
                condition=models.Q(next_at__isnull=False),
                name="webhook_delivery_in_order",
            ),
            models.Index(
                fields=("webhook", "subject_id", "number"),
                condition=models.Q(next_at__isnull=False),
                name="webhook_delivery_of_subject",
            ),
            models.Index(fields=("webhook", "id"), name="webhook_delivery_by_webhook"),
            models.Index(fields=("webhook", "state", "id"), name="webhook_delivery_by_state"),
            models.Index(fields=("created_at",), name="webhook_delivery_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.state}"

    @property
    def message_id(self) -> str:
        """What the receiver knows this message by, the same however often it is sent."""
        return message_id(self.event_id)

    def as_resource(self) -> dict[str, Any]:
        """The call as REST lists it."""
        return {
            "id": str(self.pk),
            "webhook_id": str(self.webhook_id),
            "message_id": self.message_id,
            "type": self.type,
            "subject": {"id": self.subject_id, "name": self.subject_name},
            "state": self.state,
            "detail": self.detail or None,
            "attempts": self.attempts,
            "status": self.status,
            "created_at": timestamp(self.created_at),
            "at": timestamp(self.at),
            "next_at": timestamp(self.next_at),
        }


def message_id(event_id: UUID) -> str:
    """What receivers know an event by."""
    return f"msg_{event_id.hex}"

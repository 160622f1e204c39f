"""One message owed to the outside: at once the queue's row and what people see of it."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from guestlist.models.fields import Row, timestamp
from guestlist.models.invitation import Invitation
from guestlist.models.organization import Organization


class State(models.TextChoices):
    """What has become of a message."""

    QUEUED = "queued"
    DEFERRED = "deferred"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    FAILED = "failed"
    CANCELED = "canceled"


class Kind(models.TextChoices):
    """Which message: the invitation itself, or word to those who manage it."""

    INVITATION = "invitation"
    ASKED = "asked"
    DECLINED = "declined"


OWED = (State.QUEUED, State.DEFERRED)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries."""

    def owed(self) -> "DeliveryQuerySet":
        """Those that still have to leave."""
        return self.filter(state__in=OWED)

    def due(self) -> "DeliveryQuerySet":
        """Those to be sent now: owed, their time has come, and no worker holds them."""
        free = models.Q(leased_until=None) | models.Q(leased_until__lte=Now())
        return self.owed().filter(free, next_at__lte=Now())


class Delivery(Row):
    """`message_id` is fixed, so that a repeat after a crash is recognisable. A worker holds the row until
    `leased_until`; if it dies, the row is free again at that time. `recipient` is empty for the invitation
    itself, which goes to the invited.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="deliveries")
    invitation = models.ForeignKey(Invitation, models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.INVITATION)
    recipient = models.CharField(max_length=254, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    detail = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True, db_default=Now())
    message_id = models.CharField(max_length=200, unique=True)
    leased_by = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="delivery_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="invitation", recipient="")
                | (models.Q(kind__in=("asked", "declined")) & ~models.Q(recipient="")),
                name="delivery_knows_recipient",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=OWED, next_at__isnull=False)
                | (~models.Q(state__in=OWED) & models.Q(next_at=None)),
                name="delivery_owed_has_next_try",
            ),
        )
        indexes = (
            models.Index(
                fields=("next_at", "id"), condition=models.Q(state__in=OWED), name="delivery_owed_by_next_at"
            ),
            models.Index(fields=("invitation", "id"), name="delivery_by_invitation"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    def as_resource(self) -> dict[str, Any]:
        """The delivery as REST shows it inside an invitation."""
        return {
            "state": self.state,
            "detail": self.detail or None,
            "attempts": self.attempts,
            "at": timestamp(self.at),
            "next_at": timestamp(self.next_at),
        }

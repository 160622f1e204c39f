"""One message owed to the outside: at once the queue's row and what people see of it."""

from typing import Any
from uuid import UUID

from django.db import connections, models
from django.db.models.functions import Now

from guestlist import errors
from guestlist.models.fields import Row, searchable, timestamp
from guestlist.models.invitation import Invitation
from guestlist.models.invitation_resource import mail_resource
from guestlist.models.listing import Columns, capped_counts
from guestlist.models.organization import Organization
from guestlist.models.text_search import containing, count_containing


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
    """Which message: the invitation itself and its reminders, or word to those who manage it."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    ASKED = "asked"
    DECLINED = "declined"
    DIGEST = "digest"
    TEST = "test"
    DOMAIN_CODE = "domain_code"
    JOIN_REQUEST = "join_request"
    WEBHOOK_OFF = "webhook_off"


OWED = (State.QUEUED, State.DEFERRED)
# Those that go to the invited person.
TO_INVITED = (Kind.INVITATION, Kind.REMINDER)
# Those that belong to no invitation.
OWN = (Kind.DIGEST, Kind.TEST, Kind.DOMAIN_CODE, Kind.JOIN_REQUEST, Kind.WEBHOOK_OFF)
# What is kept of a message that is tried again and again.
HISTORY = 20


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries."""

    def owed(self) -> "DeliveryQuerySet":
        """Those that still have to leave."""
        return self.filter(state__in=OWED)

    def free_ids(self, *order: str, limit: int | None = None) -> list[UUID]:
        """The ids of those that no other transaction is changing, locked in one order, so that nobody waits
        for anybody. On SQLite the transaction itself is the lock.
        """
        rows = self.order_by(*(order or ("pk",)))
        if connections[self.db].features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        return list(rows.values_list("pk", flat=True)[:limit])

    def due(self) -> "DeliveryQuerySet":
        """Those to be sent now: owed, their time has come, and no worker holds them."""
        free = models.Q(leased_until=None) | models.Q(leased_until__lte=Now())
        return self.owed().filter(free, next_at__lte=Now())

    def in_state(self, state: str) -> "DeliveryQuerySet":
        """Those in `state`; all where it is empty. Raises InvalidFilter."""
        if state and state not in State.values:
            raise errors.InvalidFilter(field="state", value=state[:100], choices=", ".join(State.values))
        return self.filter(state=state) if state else self

    def matching(self, text: str) -> "DeliveryQuerySet":
        """Those with `text` anywhere in the address they go to."""
        text = searchable(text).lower()
        return containing(self, text) if text else self

    def count_matching(self, text: str) -> int:
        """How many those are, up to 10,001."""
        text = searchable(text).lower()
        return count_containing(self, text) if text else capped_counts([self])[0]


class Delivery(Row):
    """`message_id` is fixed, so that a repeat after a crash is recognisable. A worker holds the row until
    `leased_until`; if it dies, the row is free again at that time. `recipient` is empty for what goes to the
    invited, `key` is the comparison key of whoever gets it. A digest and a test belong to no invitation;
    `content` is what a digest says.

    `attempts` counts how often the message was begun to be handed over; `history` holds the newest 20 things
    that happened to it: `{"at", "state", "detail", "attempt", "seconds"}`, and `by` where somebody did it,
    `unclear` where nobody knows whether it arrived. `provider_id` is what a mail provider calls the message.
    `hard` says that its address does not work or does not want mail.
    """

    # Its own index is one of those below.
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="deliveries", db_index=False)
    invitation: "models.ForeignKey[Invitation | None, Any]" = models.ForeignKey(
        Invitation, models.CASCADE, null=True, related_name="deliveries"
    )
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.INVITATION)
    recipient = models.CharField(max_length=254, blank=True)
    key = models.CharField(max_length=254, blank=True)
    content = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    detail = models.CharField(max_length=500, blank=True)
    hard = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    history = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())
    at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True, db_default=Now())
    message_id = models.CharField(max_length=200, unique=True)
    provider_id = models.CharField(max_length=200, null=True)  # noqa: DJ001  (most have none)
    leased_by = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    COLUMNS: Columns = {
        "to": models.F("key"),
        "state": models.F("state"),
        # Ids sort by the time they were made, and an index has them.
        "created": models.F("id"),
    }

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="delivery_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=TO_INVITED, recipient="")
                | (~models.Q(kind__in=TO_INVITED) & ~models.Q(recipient="")),
                name="delivery_knows_recipient",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=OWN, invitation=None)
                | (~models.Q(kind__in=OWN) & models.Q(invitation__isnull=False)),
                name="delivery_knows_invitation",
            ),
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="delivery_kind_is_known"),
            models.CheckConstraint(
                condition=models.Q(state__in=OWED, next_at__isnull=False)
                | (~models.Q(state__in=OWED) & models.Q(next_at=None)),
                name="delivery_owed_has_next_try",
            ),
        )
        # Conditions are such that SQLite, which knows no value of a prepared statement, sees that they hold.
        indexes = (
            models.Index(
                fields=("next_at", "id"),
                condition=models.Q(next_at__isnull=False),
                name="delivery_owed_by_next_at",
            ),
            models.Index(fields=("invitation", "id"), name="delivery_by_invitation"),
            models.Index(fields=("organization", "id"), name="delivery_by_organization"),
            models.Index(fields=("organization", "state", "id"), name="delivery_by_state"),
            models.Index(fields=("organization", "key", "id"), name="delivery_all_by_address"),
            models.Index(fields=("organization", "state", "key", "id"), name="delivery_state_by_address"),
            models.Index(fields=("key",), name="delivery_by_address"),
            models.Index(
                fields=("organization", "key"),
                condition=models.Q(hard=True),
                name="delivery_bad_address",
            ),
            models.Index(
                fields=("provider_id",),
                condition=models.Q(provider_id__isnull=False),
                name="delivery_by_provider_id",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    @property
    def to(self) -> str:
        """The address it goes to. Load `invitation` with it."""
        return self.recipient or (self.invitation.email if self.invitation else "")

    def as_own_resource(self) -> dict[str, Any]:
        """The delivery as REST shows it by itself. Load `invitation` with it."""
        return {
            "id": str(self.pk),
            "kind": self.kind,
            "to": self.to,
            "invitation_id": self.invitation_id and str(self.invitation_id),
            "message_id": self.message_id,
            "created_at": timestamp(self.created_at),
            **self.as_resource(),
            "history": [_entry(each) for each in self.history],
        }

    def as_resource(self) -> dict[str, Any]:
        """The delivery as REST shows it inside an invitation."""
        return mail_resource(*self.shown)

    @property
    def shown(self) -> tuple[str, str, int, str | None, str | None]:
        """What has become of it, as `mail_resource` takes it."""
        return self.state, self.detail, self.attempts, timestamp(self.at), timestamp(self.next_at)


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    shown = {name: entry.get(name) for name in ("at", "state", "detail", "attempt", "seconds", "by")}
    flags = {name: bool(entry.get(name)) for name in ("unclear", "interrupted")}
    return shown | {"detail": shown["detail"] or None} | flags

"""An offer to one address of one organization."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.functions import Now

from guestlist.models.fields import Row, searchable, shown_time, timestamp
from guestlist.models.invitation_resource import NO_MAIL, invitation_resource
from guestlist.models.listing import Columns, capped_counts
from guestlist.models.organization import Organization
from guestlist.models.text_search import containing, count_containing

if TYPE_CHECKING:
    from guestlist.models.delivery import Delivery
    from guestlist.models.domain import Domain
    from guestlist.models.join_link import JoinLink

# "Never expires" as a time, so that comparing and sorting need no special case. REST shows it as null.
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class Status(models.TextChoices):
    """A pending row past `expires_at` counts as expired everywhere."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"


# Not a status: a filter of the page, for those whose person asked for a new one.
ASKED = "asked"
FILTERS = (*Status.values, ASKED)
_LAPSED = models.Q(status=Status.PENDING, expires_at__lte=Now())


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations."""

    def pending(self) -> "InvitationQuerySet":
        """Those that can be accepted now, by the database's clock."""
        # SQLite would take `expires_at > now` for a reason to read all of them, and sort them then.
        return self.filter(~models.Q(expires_at__lte=Now()), status=Status.PENDING)

    def with_status(self, status: str, *, swept: bool = False) -> "InvitationQuerySet":
        """Those that people see as `status`, or those of the filter `asked`. With `swept` none has lapsed
        without being expired in its row too, and one index has them all in order.
        """
        if status == Status.PENDING:
            return self.pending()
        if status == ASKED:
            return self.asked()
        if status == Status.EXPIRED and not swept:
            return self.filter(models.Q(status=Status.EXPIRED) | _LAPSED)
        return self.filter(status=status)

    def asked(self) -> "InvitationQuerySet":
        """Those whose person asked for a new one and waits for an answer."""
        # Twice: once in the words of the index's condition, once for its column, without which SQLite takes
        # another index of the organization for as good and reads all of it.
        return self.filter(asking=True, asking__in=(True,))

    def matching(self, text: str) -> "InvitationQuerySet":
        """Those with `text` anywhere in the address."""
        text = searchable(text).lower()
        return containing(self, text) if text else self

    def count_matching(self, text: str) -> int:
        """How many those are, up to 10,001."""
        text = searchable(text).lower()
        return count_containing(self, text) if text else capped_counts([self])[0]

    def for_display(self) -> "InvitationQuerySet":
        """With what a row shows: the state of its mail, and the status as of now."""
        return self.select_related("delivery").annotate(status_now=STATUS_NOW)  # type: ignore[no-redef]


STATUS_NOW = models.Case(
    models.When(_LAPSED, then=models.Value(Status.EXPIRED)),
    default=models.F("status"),
    output_field=models.CharField(),
)


class Invitation(Row):
    """`email` is what was typed (its domain as an A-label), `key` what is compared, `nonce` the random
    half of the link, which opens nothing without the server's secret key. `asked_at` is when the person
    last asked for a new one, `asking` whether nobody has answered that yet. `remind_at` is when the next
    reminder is due, `unreported_at` when it expired or its mail came back, until a digest has said so.
    `language` is that of its mail and `lifetime` its own (`36h`, `never`); empty is the organization's.
    With `join_link` or `domain` nobody sent it: whoever typed the address at that door asked for it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    email = models.CharField(max_length=254)
    key = models.CharField(max_length=254)
    nonce = models.CharField(max_length=22, unique=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    invited_at = models.DateTimeField()
    last_sent_at = models.DateTimeField()
    sent_count = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    invited_by_type = models.CharField(max_length=10)
    invited_by_id = models.CharField(max_length=64, null=True)  # noqa: DJ001  (the operator has none)
    invited_by_name = models.CharField(max_length=150)
    invited_by_email = models.CharField(max_length=254, blank=True)
    asked_at = models.DateTimeField(null=True)
    asking = models.BooleanField(default=False)
    decline_note = models.CharField(max_length=300, blank=True)
    hand_over_nonce = models.CharField(max_length=22, unique=True, null=True)  # noqa: DJ001  (most have none)
    hand_over_by_id = models.CharField(max_length=64, null=True)  # noqa: DJ001  (the operator has none)
    language = models.CharField(max_length=10, blank=True)
    lifetime = models.CharField(max_length=10, blank=True)
    join_link: "models.ForeignKey[JoinLink | None, Any]" = models.ForeignKey(
        "guestlist.JoinLink", models.SET_NULL, null=True, related_name="invitations"
    )
    domain: "models.ForeignKey[Domain | None, Any]" = models.ForeignKey(
        "guestlist.Domain", models.SET_NULL, null=True, related_name="invitations"
    )
    remind_at = models.DateTimeField(null=True)
    unreported_at = models.DateTimeField(null=True)
    delivery: "models.ForeignKey[Delivery | None, Delivery | None]" = models.ForeignKey(
        "guestlist.Delivery", models.SET_NULL, null=True, related_name="+"
    )

    objects = InvitationQuerySet.as_manager()

    COLUMNS: Columns = {
        "email": models.F("key"),
        "status": STATUS_NOW,
        "invited": models.F("invited_at"),
        "expires": models.F("expires_at"),
    }

    # Whether the link by which this row was found was mailed to `email`; set by whoever finds it.
    proves_mailbox = True

    if TYPE_CHECKING:
        status_now: str

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "key"),
                condition=models.Q(status="pending"),
                name="invitation_one_pending",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=Status.values), name="invitation_status_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending", ended_at=None)
                | (~models.Q(status="pending") & models.Q(ended_at__isnull=False)),
                name="invitation_ended_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("invited_at")), name="invitation_expires_later"
            ),
            models.CheckConstraint(condition=models.Q(sent_count__gte=1), name="invitation_was_sent"),
        )
        indexes = (
            models.Index(fields=("organization", "status", "invited_at", "id"), name="invitation_by_invited"),
            models.Index(fields=("organization", "status", "key", "id"), name="invitation_by_email"),
            models.Index(fields=("organization", "status", "expires_at", "id"), name="invitation_by_expires"),
            models.Index(fields=("organization", "invited_at", "id"), name="invitation_all_by_invited"),
            models.Index(fields=("organization", "key", "id"), name="invitation_all_by_email"),
            models.Index(fields=("organization", "expires_at", "id"), name="invitation_all_by_expires"),
            models.Index(fields=("organization", "status", "id"), name="invitation_by_status"),
            # Of few rows, so that it takes nothing to keep them.
            *(
                models.Index(
                    fields=("organization", "asking", column, "id"),
                    condition=models.Q(asking=True),
                    name=f"invitation_asked_by_{name}",
                )
                for column, name in (("key", "email"), ("invited_at", "invited"), ("expires_at", "expires"))
            ),
            models.Index(
                fields=("expires_at", "organization"),
                condition=models.Q(ended_at__isnull=True),
                name="invitation_lapsing",
            ),
            models.Index(
                fields=("remind_at", "organization"),
                condition=models.Q(remind_at__isnull=False),
                name="invitation_to_remind",
            ),
            models.Index(
                fields=("organization", "unreported_at"),
                condition=models.Q(unreported_at__isnull=False),
                name="invitation_unreported",
            ),
        )

    def __str__(self) -> str:
        return self.email

    @classmethod
    def columns(cls, status: str, *, swept: bool = False) -> Columns:
        """What a list sorts by; within one status, the oldest first. For `swept` see `with_status`."""
        if status == ASKED or not (status or swept):
            return cls.COLUMNS
        return {**cls.COLUMNS, "status": models.F("invited_at" if status else "status")}

    def as_resource(self) -> dict[str, Any]:
        """The invitation as REST shows it. Load it with `for_display`."""
        return invitation_resource(
            str(self.pk),
            self.email,
            self.status_now,
            shown_time(self.invited_at),
            shown_time(self.last_sent_at),
            self.sent_count,
            shown_time(self.expires_at),
            self.invited_by_type,
            self.invited_by_id,
            self.invited_by_name,
            timestamp(self.ended_at),
            *(self.delivery.shown if self.delivery else NO_MAIL),
        )

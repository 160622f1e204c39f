"""A link by which any number of people can join."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.functions import Now

from guestlist.models.fields import Row, searchable, timestamp
from guestlist.models.invitation import NEVER
from guestlist.models.listing import Columns
from guestlist.models.organization import Organization


class State(models.TextChoices):
    """What people see of a link: nobody joins unless it is on."""

    ON = "on"
    OFF = "off"
    USED_UP = "used_up"
    EXPIRED = "expired"


_USED_UP = models.Q(max_uses__isnull=False, uses__gte=models.F("max_uses"))


class JoinLinkQuerySet(models.QuerySet["JoinLink"]):
    """Join links."""

    def open(self) -> "JoinLinkQuerySet":
        """Those by which somebody can join now, by the database's clock."""
        return self.filter(~_USED_UP, enabled=True, expires_at__gt=Now())

    def matching(self, text: str) -> "JoinLinkQuerySet":
        """Those with `text` anywhere in the name."""
        return self.filter(name__icontains=text) if (text := searchable(text)) else self

    def for_display(self) -> "JoinLinkQuerySet":
        """With what people see of it: its state as of now."""
        return self.annotate(state_now=STATE_NOW)  # type: ignore[no-redef]


STATE_NOW = models.Case(
    models.When(enabled=False, then=models.Value(State.OFF)),
    models.When(_USED_UP, then=models.Value(State.USED_UP)),
    models.When(expires_at__lte=Now(), then=models.Value(State.EXPIRED)),
    default=models.Value(State.ON),
    output_field=models.CharField(),
)


class JoinLink(Row):
    """Its token is computed from `nonce`, not stored. `name` is for those who manage it. It is off while not
    `enabled`; `max_uses` None is any number of `uses`. `domains` are those of the addresses that may
    use it (`acme.com`, `*.acme.com`); none is any. The memberships that came of it point to it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="join_links")
    name = models.CharField(max_length=80)
    nonce = models.CharField(max_length=22, unique=True)
    enabled = models.BooleanField(default=True)
    expires_at = models.DateTimeField(default=NEVER)
    max_uses = models.PositiveIntegerField(null=True)
    uses = models.PositiveIntegerField(default=0)
    domains = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())
    created_by_type = models.CharField(max_length=10)
    created_by_id = models.CharField(max_length=64, null=True)  # noqa: DJ001  (the operator has none)
    created_by_name = models.CharField(max_length=150)

    objects = JoinLinkQuerySet.as_manager()

    COLUMNS: Columns = {
        "name": models.F("name"),
        "uses": models.F("uses"),
        "expires": models.F("expires_at"),
        "status": STATE_NOW,
        "created": models.F("created_at"),
    }

    if TYPE_CHECKING:
        state_now: str

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~models.Q(name=""), name="join_link_has_name"),
            models.CheckConstraint(
                condition=models.Q(max_uses=None) | models.Q(uses__lte=models.F("max_uses")),
                name="join_link_is_not_overused",
            ),
        )
        indexes = (
            models.Index(fields=("organization", "created_at", "id"), name="join_link_by_created"),
            models.Index(fields=("organization", "name", "id"), name="join_link_by_name"),
        )

    def __str__(self) -> str:
        return self.name

    def as_resource(self) -> dict[str, Any]:
        """The link as programs are shown it: without what opens it. Load it with `for_display`."""
        return {
            "id": str(self.pk),
            "name": self.name,
            "status": self.state_now,
            "expires_at": None if self.expires_at == NEVER else timestamp(self.expires_at),
            "max_uses": self.max_uses,
            "uses": self.uses,
            "domains": self.domains,
            "created_at": timestamp(self.created_at),
        }

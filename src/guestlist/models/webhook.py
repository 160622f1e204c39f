"""An address of another program that is told what happens."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from guestlist.models.api_key import ApiKey, creator_gone
from guestlist.models.api_key import State as KeyState
from guestlist.models.fields import Row, searchable, timestamp
from guestlist.models.listing import Columns
from guestlist.models.organization import Organization

MAX_URL = 2000


class WhyOff(models.TextChoices):
    """Why a webhook is off; empty while it is on."""

    TURNED_OFF = "turned_off"
    GONE = "gone"
    FAILING = "failing"


class Silence(models.TextChoices):
    """Why a webhook may be told nothing any more, whatever happens; empty while it may."""

    KEY_ENDED = "key_ended"
    CREATOR_GONE = "creator_gone"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Webhooks."""

    def enabled(self) -> "WebhookQuerySet":
        """Those that are told what happens."""
        return self.filter(why_off="")

    def for_display(self) -> "WebhookQuerySet":
        """With whether it may be told anything at all now."""
        return self.annotate(silence_now=_silence_now())  # type: ignore[no-redef]

    def matching(self, q: str) -> "WebhookQuerySet":
        """Those with `q` in the address or the description."""
        text = searchable(q)
        found = models.Q(url__icontains=text) | models.Q(description__icontains=text)
        return self.filter(found) if text else self


def _silence_now() -> models.Case:
    """As `actions.webhook_calls.readable_types` decides it, for many at once."""
    working = ApiKey.objects.for_display().in_state(KeyState.ACTIVE).filter(pk=models.OuterRef("api_key"))
    ended = models.Q(api_key__isnull=False) & ~models.Q(models.Exists(working))
    return models.Case(
        models.When(ended, then=models.Value(Silence.KEY_ENDED)),
        models.When(models.Q(api_key=None) & creator_gone(), then=models.Value(Silence.CREATOR_GONE)),
        default=models.Value(""),
        output_field=models.CharField(),
    )


class Webhook(Row):
    """`types` are the events that it is told of. Its secret is computed from `nonce`, not stored; until
    `former_until` the one of `former_nonce` signs as well.

    It is told no more than its creator may read now: `api_key` where a key made it, or the one that replaced
    that; else `created_by`, or nobody in particular for the operator.

    `failures` is how many calls in a row failed, since `failing_since`; nothing is tried before
    `paused_until`. One worker at a time calls it, and holds it until `leased_until`.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=MAX_URL)
    description = models.CharField(max_length=80, blank=True)
    types = models.JSONField(default=list)
    nonce = models.CharField(max_length=22)
    former_nonce = models.CharField(max_length=22, blank=True)
    former_until = models.DateTimeField(null=True)
    api_key: "models.ForeignKey[ApiKey | None, Any]" = models.ForeignKey(
        ApiKey, models.CASCADE, null=True, related_name="webhooks"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now())
    why_off = models.CharField(max_length=10, blank=True, choices=WhyOff.choices)
    off_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    leased_by = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    objects = WebhookQuerySet.as_manager()

    COLUMNS: Columns = {"created": models.F("id")}

    if TYPE_CHECKING:
        silence_now: str

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~models.Q(url=""), name="webhook_has_url"),
            models.CheckConstraint(
                condition=models.Q(why_off="", off_since=None)
                | (~models.Q(why_off="") & models.Q(off_since__isnull=False)),
                name="webhook_off_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(why_off="") | models.Q(why_off__in=WhyOff.values),
                name="webhook_why_off_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(former_nonce="", former_until=None)
                | (~models.Q(former_nonce="") & models.Q(former_until__isnull=False)),
                name="webhook_former_secret_has_end",
            ),
        )

    def __str__(self) -> str:
        return self.description or self.url

    def as_resource(self) -> dict[str, Any]:
        """The webhook as REST shows it: without its secret."""
        return {
            "id": str(self.pk),
            "url": self.url,
            "description": self.description,
            "types": self.types,
            "enabled": not self.why_off,
            "disabled_reason": self.why_off or None,
            "disabled_at": timestamp(self.off_since),
            "failing_since": timestamp(self.failing_since),
            "delivered_at": timestamp(self.delivered_at),
            "created_at": timestamp(self.created_at),
        }

"""The group that people belong to."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connections, models
from django.db.models.functions import Now

from guestlist.models.fields import Row, timestamp
from guestlist.models.prepared import Bind, Prepared

if TYPE_CHECKING:
    from guestlist.models.role import Role

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_SLUG = 63
# Days after a mail at which a pending invitation is brought to mind.
REMINDER_DAYS = (3, 6)


def _reminder_days() -> list[int]:
    return list(REMINDER_DAYS)


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Organizations."""

    def present(self) -> "OrganizationQuerySet":
        """Those that are not deleted."""
        return self.filter(deleted_at=None)

    def lock(self, pk: Any) -> "Organization":
        """The organization, locked until the transaction ends; `now` is the database's time, and
        `has_webhooks` whether anybody is to be told of what happens.

        On SQLite the IMMEDIATE transaction is the lock. Raises Organization.DoesNotExist.
        """
        if connections[self.db].features.has_select_for_update:
            # A statement of its own: its time is from before it waited for the lock.
            _LOCKING.rows(id=pk)
        for organization in _LOCKED.instances(id=pk):
            return organization  # type: ignore[no-any-return]
        raise Organization.DoesNotExist


class Organization(Row):
    """`event_number` is the number of the last event, so that the log has no gaps.

    `accent` is the colour of its messages as `#rrggbb`, `language` theirs; empty is the server's. Pending
    invitations are brought to mind `reminder_days` days after they were mailed. With `digests`, inviters are
    told once a day what expired and bounced; `digest_at` is when that was last looked at.

    `invitation_lifetime` is `7d`, `36h` or `never`; empty is the server's. With `allowed_domains` only
    addresses there are invited, never those at `denied_domains`; each is `acme.com` or `*.acme.com`.
    Whoever joins gets `new_member_role`. One that is deleted is kept for 30 days after `deleted_at`.
    """

    slug = models.CharField(max_length=MAX_SLUG, unique=True)
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(db_default=Now())
    event_number = models.PositiveBigIntegerField(default=0)
    accent = models.CharField(max_length=7, blank=True)
    language = models.CharField(max_length=10, blank=True)
    reminder_days = models.JSONField(default=_reminder_days)
    digests = models.BooleanField(default=True)
    digest_at = models.DateTimeField(null=True)
    invitation_lifetime = models.CharField(max_length=10, blank=True)
    allowed_domains = models.JSONField(default=list)
    denied_domains = models.JSONField(default=list)
    new_member_role: "models.ForeignKey[Role | None, Any]" = models.ForeignKey(
        "guestlist.Role", models.SET_NULL, null=True, related_name="+"
    )
    require_two_factor = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True)

    objects = OrganizationQuerySet.as_manager()

    if TYPE_CHECKING:
        now: datetime
        has_webhooks: bool

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~models.Q(name=""), name="organization_has_name"),
            models.CheckConstraint(
                condition=models.Q(slug__regex=f"^{SLUG.pattern}$"), name="organization_slug_is_plain"
            ),
            models.CheckConstraint(
                condition=models.Q(accent="") | models.Q(accent__regex="^#[0-9a-f]{6}$"),
                name="organization_accent_is_colour",
            ),
        )
        indexes = (
            models.Index(
                fields=("deleted_at",),
                condition=models.Q(deleted_at__isnull=False),
                name="organization_deleted",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def as_resource(self) -> dict[str, Any]:
        """The organization as REST shows it."""
        return {
            "id": str(self.pk),
            "slug": self.slug,
            "name": self.name,
            "created_at": timestamp(self.created_at),
        }

    def as_settings(self) -> dict[str, Any]:
        """What else can be set of it, as REST shows it. Load `new_member_role` with it."""
        role = self.new_member_role
        return {
            "accent": self.accent,
            "language": self.language,
            "reminder_days": self.reminder_days,
            "digests": self.digests,
            "invitation_lifetime": self.invitation_lifetime,
            "allowed_domains": self.allowed_domains,
            "denied_domains": self.denied_domains,
            "new_member_role": role and role.as_reference(),
            "require_two_factor": self.require_two_factor,
        }


def _one() -> "models.QuerySet[Organization]":
    return Organization.objects.filter(pk=Bind("id", models.UUIDField()))


def _with_time_and_webhooks() -> "models.QuerySet[Organization]":
    # That model is made after this one.
    from guestlist.models.webhook import Webhook

    listening = Webhook.objects.enabled().filter(organization=models.OuterRef("pk"))
    return _one().annotate(now=Now(), has_webhooks=models.Exists(listening))  # type: ignore[no-redef]


_LOCKING = Prepared(lambda: _one().select_for_update().values_list("pk"))
_LOCKED = Prepared(_with_time_and_webhooks)

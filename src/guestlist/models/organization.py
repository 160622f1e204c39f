"""The group that people belong to."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.functions import Now

from guestlist.models.fields import Row, timestamp

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_SLUG = 63
# Days after a mail at which a pending invitation is brought to mind.
REMINDER_DAYS = (3, 6)


def _reminder_days() -> list[int]:
    return list(REMINDER_DAYS)


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Organizations."""

    def lock(self, pk: Any) -> "Organization":
        """The organization, locked until the transaction ends; `now` is the database's time.

        On SQLite the IMMEDIATE transaction is the lock. Raises Organization.DoesNotExist.
        """
        self.select_for_update().values_list("pk").get(pk=pk)
        # A statement of its own: the first one's time is from before it waited for the lock.
        return self.annotate(now=Now()).get(pk=pk)  # type: ignore[no-redef]


class Organization(Row):
    """`event_number` is the number of the last event, so that the log has no gaps.

    `accent` is the colour of its messages as `#rrggbb`, `language` theirs; empty is the server's. Pending
    invitations are brought to mind `reminder_days` days after they were mailed. With `digests`, inviters are
    told once a day what expired and bounced; `digest_at` is when that was last looked at.
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

    objects = OrganizationQuerySet.as_manager()

    if TYPE_CHECKING:
        now: datetime

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

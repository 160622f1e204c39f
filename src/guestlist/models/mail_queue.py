"""Whether mail can be sent at all, and how much of it was."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models


class MailQueue(models.Model):
    """The one row that says how sending as a whole goes. `failing_since` is null while mail goes out.

    No worker claims anything before `paused_until`. `failures` counts the tries in a row that failed, the
    last of them at `tried_at`.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    failing_since = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    paused_until = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)

    if TYPE_CHECKING:
        now: datetime

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="mail_queue_is_one"),)

    def __str__(self) -> str:
        return f"failing since {self.failing_since}" if self.failing_since else "sending"


class Tally(models.Model):
    """A number that only grows, for `/metrics`: how many messages had an outcome, how long they took."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.value}"

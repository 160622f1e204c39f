"""How much of a limit has been used."""

from django.db import models

from guestlist.models.fields import Row


class Quota(Row):
    """What `subject` (`organization:<id>`, `user:<id>`, …) used in the period that began at `starts_at`."""

    subject = models.CharField(max_length=120)
    starts_at = models.DateTimeField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("subject", "starts_at"), name="quota_once"),)
        indexes = (models.Index(fields=("starts_at",), name="quota_by_start"),)

    def __str__(self) -> str:
        return f"{self.subject} {self.used}"

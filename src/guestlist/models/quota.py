"""How much of a limit has been used."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connections, models, router

from guestlist.models.fields import Row, new_id
from guestlist.models.prepared import kept_cursor


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


def count_up(periods: Sequence[tuple[str, datetime]], number: int) -> dict[str, int]:
    """Add `number` to what each subject used in the period that began then; subject → what it used with it.
    One statement: whoever comes second waits for the first to commit.
    """
    connection = connections[router.db_for_write(Quota)]
    values: list[Any] = []
    for subject, starts_at in periods:
        since = connection.ops.adapt_datetimefield_value(starts_at)
        values += [_ID.get_db_prep_value(new_id(), connection), subject, since, number]
    marks = ", ".join(["(%s, %s, %s, %s)"] * len(periods))
    with kept_cursor(connection) as cursor:
        cursor.execute(_COUNT_UP.format(marks), values)
        return dict(cursor.fetchall())


_ID = models.UUIDField()
_COUNT_UP = """
    INSERT INTO guestlist_quota (id, subject, starts_at, used) VALUES {}
    ON CONFLICT (subject, starts_at) DO UPDATE SET used = guestlist_quota.used + excluded.used
    RETURNING subject, used
"""

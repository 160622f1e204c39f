"""Proof that the audit log is whole: no number is missing, and the database refuses to change or delete."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections, router, transaction

from guestlist.models import Event, Organization

# Of a log that was tampered with no more ranges are named.
RANGES = 100
# What refuses to empty the table, or to change and delete, on each database.
TRIGGERS = {
    "postgresql": {"guestlist_event_is_append_only", "guestlist_event_is_not_truncated"},
    "sqlite": {"guestlist_event_is_not_updated", "guestlist_event_is_not_deleted"},
}
_INSTALLED = {
    # One that is switched off is as good as none.
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'guestlist_event'::regclass"
    " AND tgenabled IN ('O', 'A')",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'guestlist_event'",
}
_STATE = """
SELECT o.event_number, (SELECT COUNT(*) FROM guestlist_event WHERE organization_id = o.id),
    (SELECT COUNT(DISTINCT number) FROM guestlist_event
     WHERE organization_id = o.id AND number BETWEEN 1 AND o.event_number)
FROM guestlist_organization o WHERE o.id = %s
"""
_GAPS = """
SELECT before + 1, number - 1 FROM (
    SELECT number, LAG(number, 1, 0) OVER (ORDER BY number) AS before FROM (
        SELECT number FROM guestlist_event WHERE organization_id = %s AND number BETWEEN 1 AND %s
        UNION ALL SELECT CAST(%s AS BIGINT)
    ) AS numbers
) AS pairs WHERE number > before + 1 ORDER BY number LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one organization's log: `last` is the number of its last event.

    `missing` are ranges of numbers, both ends included, at most 100 of them (`more` says whether there are
    others). `unknown` is how many events are there that the organization never counted,
    or has twice.
    """

    organization: Organization
    last: int
    missing: tuple[tuple[int, int], ...]
    more: bool
    unknown: int

    @property
    def whole(self) -> bool:
        """Whether every event that was ever written is there, once."""
        return not (self.missing or self.unknown)

    def as_resource(self) -> dict[str, Any]:
        """The verdict as the command prints it."""
        return {
            "organization": self.organization.slug,
            "events": self.last,
            "ok": self.whole,
            "missing": [list(pair) for pair in self.missing],
            "more_missing": self.more,
            "unknown": self.unknown,
        }


def verify(organization: Organization) -> Verdict | None:
    """Look for numbers that are missing; None for an organization that is gone meanwhile.

    Whatever else is written at the same time, each statement sees a log without gaps if there is one: an
    event and its organization's number are written together.
    """
    with connections[router.db_for_read(Event)].cursor() as cursor:
        key = Organization._meta.pk.get_db_prep_value(organization.pk, cursor.db)
        cursor.execute(_STATE, [key])
        state = cursor.fetchone()
        if state is None:
            return None
        last, written, counted = state
        missing: list[tuple[int, int]] = []
        if counted < last:
            cursor.execute(_GAPS, [key, last, last + 1, RANGES + 1])
            missing = [(first, end) for first, end in cursor.fetchall()]
    more = len(missing) > RANGES
    return Verdict(organization, last, tuple(missing[:RANGES]), more, written - counted)


def verify_all() -> Iterator[Verdict]:
    """Every organization, deleted ones that are kept too."""
    for organization in Organization.objects.order_by("pk").iterator(chunk_size=500):
        if verdict := verify(organization):
            yield verdict


def broken_guards() -> list[str]:
    """What the database does not refuse although it must; empty where the log can only grow.

    An event is changed and deleted for a try, in a transaction that is undone in any case.
    """
    connection = connections[router.db_for_write(Event)]
    with connection.cursor() as cursor:
        cursor.execute(_INSTALLED[connection.vendor])
        installed = {name for (name,) in cursor.fetchall()}
    problems = [f"The trigger {name} is missing." for name in sorted(TRIGGERS[connection.vendor] - installed)]
    event = Event.objects.values_list("pk", flat=True).first()
    if event is None:
        return problems
    if _succeeds(lambda rows: rows.update(door="tried"), event):
        problems.append("An event can be changed.")
    if _succeeds(lambda rows: rows._raw_delete(rows.db), event):
        problems.append("An event can be deleted.")
    return problems


def _succeeds(attempt: Any, event: Any) -> bool:
    with transaction.atomic():
        try:
            with transaction.atomic():
                attempt(Event.objects.filter(pk=event))
                transaction.set_rollback(True)
        except DatabaseError:
            return False
    return True

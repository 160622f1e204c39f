"""Something that happened. This table is the audit log, and what webhooks will carry."""

import json
from functools import reduce
from operator import or_
from typing import Any

from django.db import models

from guestlist.models.fields import Row, searchable, timestamp
from guestlist.models.organization import Organization


class EventQuerySet(models.QuerySet["Event"]):
    """Events."""

    def matching(self, text: str) -> "EventQuerySet":
        """Those with `text` anywhere in who, what, to whom or from which address. No index answers that."""
        if not (text := searchable(text)):
            return self
        names = ("actor_name", "subject_name", "type", "ip")
        return self.filter(reduce(or_, (models.Q(**{f"{name}__icontains": text}) for name in names)))


class Event(Row):
    """Append-only: a database trigger refuses UPDATE, and DELETE while the organization exists.

    `number` has no gaps within an organization.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="events")
    number = models.PositiveBigIntegerField()
    type = models.CharField(max_length=40)
    at = models.DateTimeField()
    actor_type = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64, null=True)  # noqa: DJ001  (the operator has none)
    actor_name = models.CharField(max_length=254)
    door = models.CharField(max_length=10)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    subject_type = models.CharField(max_length=20)
    subject_id = models.CharField(max_length=64)
    subject_name = models.CharField(max_length=254)
    changes = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    HEADER = (
        "number",
        "at",
        "type",
        "actor_type",
        "actor_id",
        "actor_name",
        "door",
        "ip",
        "user_agent",
        "subject_type",
        "subject_id",
        "subject_name",
        "changes",
        "id",
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "number"), name="event_number_is_unique"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="event_number_from_one"),
        )
        indexes = (
            models.Index(fields=("organization", "type", "number"), name="event_by_type"),
            models.Index(fields=("organization", "at", "number"), name="event_by_time"),
            models.Index(fields=("organization", "actor_type", "actor_id", "number"), name="event_by_actor"),
            models.Index(
                fields=("organization", "subject_type", "subject_id", "number"), name="event_by_subject"
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.type}"

    def as_resource(self) -> dict[str, Any]:
        """The event as REST shows it."""
        return {
            "id": str(self.pk),
            "number": self.number,
            "type": self.type,
            "at": timestamp(self.at),
            "actor": {"type": self.actor_type, "id": self.actor_id, "name": self.actor_name},
            "origin": {"door": self.door, "ip": self.ip, "user_agent": self.user_agent},
            "subject": {"type": self.subject_type, "id": self.subject_id, "name": self.subject_name},
            "changes": self.changes,
        }

    def as_row(self) -> list[Any]:
        """The event as a line of a table; HEADER names its cells."""
        changed = {"at": timestamp(self.at), "changes": json.dumps(self.changes), "id": str(self.pk)}
        return [changed[name] if name in changed else getattr(self, name) for name in self.HEADER]

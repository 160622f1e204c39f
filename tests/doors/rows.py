"""What a database holds, told so that it can be compared with another one in which the same has happened.

Ids become `invitation 3`, times whole minutes from now, random text `random`. What is new since another look,
and says that the actor of the door did it, says `doer` instead: who that is differs from door to door.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from guestlist.actors import Actor
from guestlist.models import Headcount
from guestlist.models.invitation import NEVER

Tables = dict[str, list[dict[str, Any]]]
_UUID = re.compile("[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_RANDOM = ("nonce", "hand_over_nonce")
# When a key was last used is nobody's invitation.
_LEFT_OUT = {"apikey": ("last_used_at",)}
_DOER = {
    "event": ("actor_type", "actor_id", "actor_name", "door", "ip", "user_agent"),
    "invitation": ("invited_by_type", "invited_by_id", "invited_by_name", "invited_by_email"),
}


class Look:
    """All rows of all tables of Guestlist as they are now, in the order in which they were made."""

    def __init__(self) -> None:
        models = apps.get_app_config("guestlist").get_models()
        self.now = timezone.now()
        # Headcounts have no id, and say nothing that the rows do not.
        self.raw = {
            str(model._meta.model_name): list(model._default_manager.order_by("pk").values())
            for model in models
            if model is not Headcount
        }
        for row in self.raw["webhookdelivery"]:
            row["body"] = json.loads(row["body"])
        users = get_user_model()._default_manager.order_by("pk").values("id")
        every = {"user": list(users)} | self.raw
        self.names = {
            row["id"].hex: f"{table} {n}" for table, rows in every.items() for n, row in enumerate(rows, 1)
        }

    def told(self) -> Tables:
        """The rows."""
        return {table: [self._row(table, row) for row in rows] for table, rows in self.raw.items()}

    def told_by(self, doer: Actor, since: "Look") -> Tables:
        """The rows, with the word `doer` in what is new since then."""
        return {
            table: [
                self._row(table, row if row["id"].hex in since.names else _by_doer(table, row, doer))
                for row in rows
            ]
            for table, rows in self.raw.items()
        }

    def new_types(self, table: str, since: "Look") -> list[str]:
        """The types of what is new in a table of events, `invitation.` left out."""
        new = (row["type"] for row in self.raw[table] if row["id"].hex not in since.names)
        return [kind.removeprefix("invitation.") for kind in new]

    def answer(self, data: Any, doer: Actor) -> Any:
        """An answer of REST or of `--json`. The id of nothing is `?`: each door repeats what it was given,
        REST an id and the command line an address.
        """
        told = self._told(_without_doer(data, doer))
        for result in told.get("results", ()):
            if result["outcome"] == "not_found":
                result["id"] = "?"
        return told

    def _row(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        left_out = _LEFT_OUT.get(table, ())
        told = {name: self._told(value) for name, value in row.items() if name not in left_out}
        return told | {name: "random" for name in _RANDOM if told.get(name)}

    def _told(self, value: Any) -> Any:
        match value:
            case UUID():
                return self.names.get(value.hex, value.hex)
            case datetime():
                minutes = "never" if value == NEVER else round((value - self.now).total_seconds() / 60)
                return f"{minutes} min"
            case dict():
                return {name: self._told(each) for name, each in value.items()}
            case list():
                return [self._told(each) for each in value]
            case str():
                if _TIME.fullmatch(value) and (at := parse_datetime(value)):
                    return self._told(at)
                return _UUID.sub(lambda found: self.names.get(UUID(found[0]).hex, found[0]), value)
        return value


def _by_doer(table: str, row: Mapping[str, Any], doer: Actor) -> Mapping[str, Any]:
    """The row with `doer` for all that says who it was, if it says that it was the doer of this door."""
    if table == "webhookdelivery":
        return {**row, "body": _without_doer(row["body"], doer)}
    says = tuple(row[name] for name in _DOER.get(table, ())[:4])
    last = doer.origin.door if table == "event" else doer.email
    if says != (doer.type, doer.id, doer.name, last):
        return row
    return {**row, **dict.fromkeys(_DOER[table], "doer")}


def _without_doer(value: Any, doer: Actor) -> Any:
    if value == doer.as_resource():
        return "doer"
    if isinstance(value, dict):
        return {name: _without_doer(each, doer) for name, each in value.items()}
    return [_without_doer(each, doer) for each in value] if isinstance(value, list) else value

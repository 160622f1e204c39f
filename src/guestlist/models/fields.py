"""What every table shares: the key, times as REST writes them, and inserts of any size."""

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import uuid_utils.compat
from django.db import connections, models, router

T = TypeVar("T")
# The id of no row.
NOTHING = uuid.UUID(int=0)
# SQLite binds at most 32,766 values to a statement, PostgreSQL parses long ones slowly.
CHUNK = 10_000
# More than any column that lists are searched in can hold; of a pattern of 50,000 SQLite makes an error.
LONGEST_SEARCHED = 300


def new_id() -> uuid.UUID:
    """A UUIDv7: sorts by the time it was made."""
    return uuid_utils.compat.uuid7()


class Row(models.Model):
    """A table whose primary key is a UUIDv7."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


def timestamp(value: datetime | None) -> str | None:
    """A time as REST writes it: ISO 8601 in UTC, ending in Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None


def searchable(text: str) -> str:
    """`text` as a list may be searched for it: what cannot be printed is in no row, nor is what is longer
    than any column, and some databases refuse to be asked for either.
    """
    return "".join(character for character in text if character.isprintable()).strip()[:LONGEST_SEARCHED]


def as_uuid(text: str) -> uuid.UUID | None:
    """`text` as an id, or None."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def id_of(text: str) -> uuid.UUID:
    """`text` as an id; what is none is the id of nothing."""
    return as_uuid(text) or NOTHING


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """`items` in runs of at most 10,000: what one statement takes."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def insert_all(rows: Sequence[models.Model]) -> None:
    """Insert rows of one table with one statement for each 10,000.

    Django's `bulk_create` splits on SQLite after 999 values; handing the rows over as one JSON value
    keeps the number of statements the same for 1 and for 10,000.
    """
    for chunk in chunks(rows):
        model = type(chunk[0])
        if connections[router.db_for_write(model)].vendor == "sqlite":
            _insert_as_json(model, chunk)
        else:
            model._default_manager.bulk_create(chunk)


def _insert_as_json(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    connection = connections[router.db_for_write(model)]
    fields: list[models.Field[Any, Any]] = list(model._meta.local_concrete_fields)
    values = [[f.get_db_prep_save(f.pre_save(row, add=True), connection) for f in fields] for row in rows]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(f.column)) for f in fields)
    items = ", ".join(f"json_extract(value, '$[{i}]')" for i in range(len(fields)))
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) SELECT {items} FROM json_each(%s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps(values)])

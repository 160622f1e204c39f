"""What every table shares: the key, times as REST writes them, and inserts of any size."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import uuid_utils.compat
from django.db import connections, models, router

from guestlist.models.prepared import kept_cursor

T = TypeVar("T")
# The id of no row.
NOTHING = uuid.UUID(int=0)
# SQLite binds at most 32,766 values to a statement, PostgreSQL parses long ones slowly.
CHUNK = 10_000
# More than any column that lists are searched in can hold; of a pattern of 50,000 SQLite makes an error.
LONGEST_SEARCHED = 300
_NONE_YET = object()


def new_id() -> uuid.UUID:
    """A UUIDv7: sorts by the time it was made."""
    return uuid_utils.compat.uuid7()


class Row(models.Model):
    """A table whose primary key is a UUIDv7."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


def timestamp(value: datetime | None) -> str | None:
    """A time as REST writes it, if there is one."""
    return shown_time(value) if value else None


def shown_time(value: datetime) -> str:
    """A time as REST writes it: ISO 8601 in UTC, ending in Z."""
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


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

    Django's `bulk_create` splits on SQLite after 999 values, and writes out every value on PostgreSQL.
    """
    for chunk in chunks(rows):
        model = type(chunk[0])
        connection = connections[router.db_for_write(model)]
        columns = [_column(field, chunk, connection) for field in model._meta.local_concrete_fields]
        with kept_cursor(connection) as cursor:
            if connection.vendor == "sqlite":
                cursor.executemany(_insert(model), list(zip(*columns, strict=True)))
            elif len(chunk) == 1:
                cursor.execute(_insert(model), [value for (value,) in columns])
            else:
                cursor.execute(_insert_lists(model), columns)


def _column(field: Any, rows: Sequence[models.Model], connection: Any) -> list[Any]:
    """The values of one field as the database takes them. Most are the same in every row of a batch, and are
    converted once.
    """
    values, last, converted = [], _NONE_YET, None
    for row in rows:
        value = field.pre_save(row, add=True)
        if value is not last:
            last, converted = value, field.get_db_prep_save(value, connection)
        values.append(converted)
    return values


@cache
def _insert(model: type[models.Model]) -> str:
    """The statement for one row."""
    table, fields, _ = _parts(model)
    return f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608


@cache
def _insert_lists(model: type[models.Model]) -> str:
    """The statement for any number of rows on PostgreSQL: it takes a list of each column's values."""
    table, fields, connection = _parts(model)
    # Without its length: a cast would cut what is too long.
    kinds = [str(field.db_type(connection)).partition("(")[0] for field in fields]
    lists = ", ".join(f"%s::{kind}[]" for kind in kinds)
    return f"INSERT INTO {table} SELECT * FROM unnest({lists})"  # noqa: S608


def _parts(model: type[models.Model]) -> tuple[str, list[Any], Any]:
    """Its table with the columns named, its fields, and where it is."""
    connection = connections[router.db_for_write(model)]
    quote, fields = connection.ops.quote_name, list(model._meta.local_concrete_fields)
    columns = ", ".join(quote(str(field.column)) for field in fields)
    return f"{quote(model._meta.db_table)} ({columns})", fields, connection

"""Lists of any length: sorted by a known column, a page at a time, counted up to a limit.

A page is found by the last row of the one before it (keyset), so the thousandth costs what the first
does, and rows that come and go do not shift the others.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import BooleanField, F, Func, UUIDField, Value
from django.db.models.expressions import BaseExpression, Col

from guestlist import errors
from guestlist.models.prepared import Bind

Columns: TypeAlias = Mapping[str, F | BaseExpression]
M = TypeVar("M", bound=models.Model)
COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows of a list. A cursor is None where nothing follows in its direction."""

    items: Sequence[M]
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True, slots=True)
class Listing(Generic[M]):
    """A queryset sorted by one of its columns; `-` in front of the column's name reverses."""

    rows: "models.QuerySet[M]"
    sort: str

    @classmethod
    def of(cls, rows: "models.QuerySet[M]", columns: Columns, sort: str) -> "Listing[M]":
        """Raises InvalidFilter for a column that is not one."""
        if sort.removeprefix("-") not in columns:
            raise errors.InvalidFilter(value=sort, choices=", ".join(columns))
        sorted_rows: Any = rows.annotate(sort_value=columns[sort.removeprefix("-")])
        return cls(sorted_rows, sort)

    def numbered(self, number: int, size: int) -> Page[M]:
        """Page `number` counted from 1: for lists short enough to count through."""
        start = (number - 1) * size
        return self._page(list(self._ordered()[start : start + size + 1]), size, has_before=number > 1)

    def after(self, cursor: str | None, size: int) -> Page[M]:
        """The rows behind `cursor`, from the start without one. Raises InvalidCursor."""
        rows = self._ordered()
        if cursor:
            rows = self._beyond(rows, *self._edge(cursor), backwards=False)
        return self._page(list(rows[: size + 1]), size, has_before=bool(cursor))

    def before(self, cursor: str, size: int) -> Page[M]:
        """The rows in front of `cursor`. Raises InvalidCursor."""
        beyond = self._beyond(self._ordered(backwards=True), *self._edge(cursor), backwards=True)
        rows = list(beyond[: size + 1])
        items = rows[:size][::-1]
        return Page(items, self._cursor(items[-1:]), self._cursor(items[:1]) if len(rows) > size else None)

    @property
    def _descending(self) -> bool:
        return self.sort.startswith("-")

    def _ordered(self, *, backwards: bool = False) -> "models.QuerySet[M]":
        sign = "-" if self._descending != backwards else ""
        return self.rows.order_by(f"{sign}sort_value", f"{sign}pk")

    def to_prepare(self, size: int, *, beyond: bool) -> "models.QuerySet[M]":
        """The first page, or the one `beyond` the values `value` and `pk` that `read` finds in a cursor, and
        one row more.
        """
        rows = self._ordered()
        if beyond:
            value = Bind("value", rows.query.annotations["sort_value"].output_field)
            rows = self._beyond(rows, value, Bind("pk", UUIDField()), backwards=False)
        return rows[: size + 1]

    def _edge(self, cursor: str) -> tuple[Value, Value]:
        value, pk = self.read(cursor)
        return Value(value, self.rows.query.annotations["sort_value"].output_field), Value(pk, UUIDField())

    def _beyond(
        self, rows: "models.QuerySet[M]", value: Any, pk: Any, *, backwards: bool
    ) -> "models.QuerySet[M]":
        column: Any = rows.query.annotations["sort_value"]
        way, sign = ("lt", "<") if self._descending != backwards else ("gt", ">")
        if not isinstance(column, Col):
            # SQLite's indexes of expressions serve one compared alone.
            rows = rows.filter(**{f"sort_value__{way}e": value})
        edge, own = _pair(value, pk), _pair(column, F("pk"))
        return rows.filter(
            Func(own, edge, template="%(expressions)s", arg_joiner=f" {sign} ", output_field=BooleanField())
        )

    def _page(self, rows: list[M], size: int, *, has_before: bool) -> Page[M]:
        items = rows[:size]
        following = self._cursor(items[-1:]) if len(rows) > size else None
        return Page(items, following, self._cursor(items[:1]) if has_before else None)

    def _cursor(self, edge: Sequence[M]) -> str | None:
        if not edge:
            return None
        value = edge[0].sort_value  # type: ignore[attr-defined]  # annotated in `of`
        return self.cursor(value.isoformat() if isinstance(value, datetime) else str(value), str(edge[0].pk))

    def cursor(self, value: str, pk: str) -> str:
        """What stands for the place behind a row."""
        return base64.urlsafe_b64encode(json.dumps([self.sort, value, pk]).encode()).decode()

    def read(self, cursor: str) -> tuple[Any, UUID]:
        """What the row is sorted by, and its id. Raises InvalidCursor."""
        try:
            sort, text, pk = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
            field = self.rows.query.annotations["sort_value"].output_field
            value = field.to_python(text)
            if isinstance(value, datetime):
                value = value.astimezone(UTC)
            # A forged cursor may hold what a database refuses to be asked for.
            if sort != self.sort or not text.isprintable() or not pk.isprintable():
                raise errors.InvalidCursor
            return value, UUID(pk)
        except (
            AttributeError,
            ValueError,
            TypeError,
            OverflowError,
            RecursionError,
            ValidationError,
        ) as error:
            raise errors.InvalidCursor from error


def _pair(*expressions: Any) -> Func:
    """Two values that are compared as one: an index goes straight there, past any number of ties."""
    return Func(*expressions, template="(%(expressions)s)", output_field=BooleanField())


def capped_counts(querysets: "Sequence[models.QuerySet[Any]]") -> list[int]:
    """How many rows each queryset has, in one statement, counting no further than 10,001."""
    parts: list[str] = []
    params: list[Any] = []
    for rows in querysets:
        sql, values = capped_count_sql(rows)
        parts.append(sql)
        params.extend(values)
    with connections[querysets[0].db].cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return list(cursor.fetchone())


def capped_count_sql(rows: "models.QuerySet[Any]") -> tuple[str, Sequence[Any]]:
    """How many rows there are, up to 10,001, as a value within another statement."""
    inner = rows.order_by().values("pk")[: COUNT_LIMIT + 1].query
    sql, values = inner.get_compiler(rows.db).as_sql()
    return f"(SELECT COUNT(*) FROM ({sql}) AS counted)", values  # noqa: S608  (Django's own SQL)

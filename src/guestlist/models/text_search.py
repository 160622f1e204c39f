"""Finding a piece of text in a column without reading every row.

PostgreSQL has an index of all runs of three characters (pg_trgm) and decides by itself whether to use it.
SQLite has a full-text table of the same, kept true by triggers, which has to be asked by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeVar, cast

from django.db import connections, models
from django.db.models.expressions import RawSQL

from guestlist.models.listing import COUNT_LIMIT, capped_counts

R = TypeVar("R", bound="models.QuerySet[Any]")
# Which columns have an index of their text; the migrations make it.
INDEXED: Mapping[str, Sequence[str]] = {
    "guestlist_membership": ("name", "email"),
    "guestlist_invitation": ("key",),
    "guestlist_delivery": ("key",),
}
# What the indexes know is three characters long.
RUN = 3
# Of so many that the index of SQLite names, at most, it is asked which are in a list.
LOOKED_AT = 2 * (COUNT_LIMIT + 1)


def containing(rows: R, text: str) -> R:
    """Those with `text` in an indexed column, in upper or lower case. A list of more than 10,000 is searched
    for one or two characters only where a word begins: no index knows them elsewhere.

    Filter by organization first; what is added to `rows` for showing them comes after.
    """
    search = _Search.of(rows, text)
    if search.phrase is None or _candidates(rows, search) > COUNT_LIMIT:
        # So many lie so close in a sorted list that walking along it finds a page soon.
        return rows.filter(search.condition)
    return _by_index(rows, search)


def count_containing(rows: "models.QuerySet[Any]", text: str) -> int:
    """How many `containing` finds, up to 10,001, without walking along a long list if most of what contains
    `text` is in it.
    """
    search = _Search.of(rows, text)
    if search.phrase is not None:
        candidates = _candidates(rows, search)
        # Where others have many that match, a short list is sooner walked along than asked for each of them.
        if candidates <= COUNT_LIMIT or _count(rows) > COUNT_LIMIT:
            sql, values = _ids(rows, search)
            number = _counted(rows, f"{sql} LIMIT {COUNT_LIMIT + 1}", values)
            if number > COUNT_LIMIT or candidates < LOOKED_AT:
                return number
    return capped_counts([rows.filter(search.condition)])[0]


@dataclass(frozen=True, slots=True)
class _Search:
    """What a row has to hold; `phrase` is the same for the full-text table `index`, where it has to be asked
    by name.
    """

    condition: models.Q
    index: str
    phrase: str | None

    @classmethod
    def of(cls, rows: "models.QuerySet[Any]", text: str) -> "_Search":
        index = f"{rows.model._meta.db_table}_text"
        anywhere = _any(rows, icontains=text)
        if len(text) < RUN and _count(rows) <= COUNT_LIMIT:
            return cls(anywhere, index, None)
        condition, run = anywhere, text.replace(" ", "  ")
        if len(text) < RUN:
            condition = _any(rows, istartswith=text) | _any(rows, icontains=f" {text}")
            # The table has two spaces in front of each word.
            run = text.rjust(RUN)
        phrase = '"{}"'.format(run.replace('"', '""'))
        return cls(condition, index, phrase if connections[rows.db].vendor == "sqlite" else None)


def _any(rows: "models.QuerySet[Any]", **lookup: str) -> models.Q:
    ((name, text),) = lookup.items()
    columns = INDEXED[rows.model._meta.db_table]
    return reduce(or_, (models.Q(**{f"{column}__{name}": text}) for column in columns))


def _count(rows: "models.QuerySet[Any]") -> int:
    return rows.order_by()[: COUNT_LIMIT + 1].count()


def _by_index(rows: R, search: _Search) -> R:
    sql, values = _ids(rows, search)
    found: Any = rows.model._default_manager.filter(pk__in=RawSQL(sql, values))  # noqa: S611
    return cast("R", found)


def _ids(rows: "models.QuerySet[Any]", search: _Search) -> tuple[str, list[Any]]:
    """Those of `rows` among the first 20,002 that the full-text table names.

    SQLite takes any index on the organization for better than a few ids. So the ids are found apart, in this
    order, and each row is looked up by its id to see whether it is one of `rows`.
    """
    table, index = rows.model._meta.db_table, search.index
    inner, values = rows.order_by().values("id").query.sql_with_params()
    inner = inner.replace(f'FROM "{table}"', f'FROM "{table}" INDEXED BY "sqlite_autoindex_{table}_1"', 1)
    sql = (
        f"SELECT r.row_id FROM (SELECT rowid FROM {index} WHERE {index} MATCH %s LIMIT {LOOKED_AT}) t "  # noqa: S608
        f"CROSS JOIN {index}_row r ON r.number = t.rowid CROSS JOIN ({inner}) i ON i.id = r.row_id"
    )
    return sql, [search.phrase, *values]


def _candidates(rows: "models.QuerySet[Any]", search: _Search) -> int:
    """How many rows the full-text table names, of all organizations, up to 20,002."""
    sql = f"SELECT 1 FROM {search.index} WHERE {search.index} MATCH %s LIMIT {LOOKED_AT}"  # noqa: S608
    return _counted(rows, sql, [search.phrase])


def _counted(rows: "models.QuerySet[Any]", sql: str, values: Sequence[Any]) -> int:
    with connections[rows.db].cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({sql})", values)  # noqa: S608
        return int(cursor.fetchone()[0])

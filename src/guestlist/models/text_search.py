"""Finding a piece of text in a column without reading every row.

PostgreSQL has an index of all runs of three characters (pg_trgm) and decides by itself whether to use it.
SQLite has a full-text table of the same, kept true by triggers, which has to be asked by name.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeVar, cast

from django.db import connections, models
from django.db.models.expressions import RawSQL

from guestlist.models.listing import COUNT_LIMIT

R = TypeVar("R", bound="models.QuerySet[Any]")
# Which columns have an index of their text; the migrations make it.
INDEXED: Mapping[str, Sequence[str]] = {
    "guestlist_membership": ("name", "email"),
    "guestlist_invitation": ("key",),
    "guestlist_delivery": ("key",),
}
# What the indexes know is three characters long.
RUN = 3


def containing(rows: R, text: str) -> R:
    """Those with `text` in an indexed column, in upper or lower case. A list of more than 10,000 is searched
    for one or two characters only where a word begins: no index knows them elsewhere.

    Filter by organization first; what is added to `rows` for showing them comes after.
    """
    if len(text) >= RUN:
        return _by_index(rows, text.replace(" ", "  "), _any(rows, icontains=text))
    if _count(rows) <= COUNT_LIMIT:
        return rows.filter(_any(rows, icontains=text))
    # The table has two spaces in front of each word.
    return _by_index(rows, text.rjust(RUN), _any(rows, istartswith=text) | _any(rows, icontains=f" {text}"))


def _any(rows: "models.QuerySet[Any]", **lookup: str) -> models.Q:
    ((name, text),) = lookup.items()
    columns = INDEXED[rows.model._meta.db_table]
    return reduce(or_, (models.Q(**{f"{column}__{name}": text}) for column in columns))


def _count(rows: "models.QuerySet[Any]") -> int:
    return rows.order_by()[: COUNT_LIMIT + 1].count()


def _by_index(rows: R, text: str, condition: models.Q) -> R:
    """On SQLite by way of the full-text table, where it has no more than 10,000 such rows. With more of them
    they lie so close in a sorted list that walking along it finds a page soon.
    """
    if connections[rows.db].vendor != "sqlite":
        return rows.filter(condition)
    index = f"{rows.model._meta.db_table}_text"
    phrase = '"{}"'.format(text.replace('"', '""'))
    if _candidates(rows.db, index, phrase) > COUNT_LIMIT:
        return rows.filter(condition)
    # SQLite takes any index on the organization for better than a few ids. So the ids are found apart, in
    # this order, and all that `rows` asks for is asked there.
    inner, values = rows.order_by().values("id").query.sql_with_params()
    sql = (
        f"SELECT r.row_id FROM {index} t CROSS JOIN {index}_row r ON r.number = t.rowid "  # noqa: S608
        f"CROSS JOIN ({inner}) i ON i.id = r.row_id WHERE {index} MATCH %s"
    )
    found: Any = rows.model._default_manager.filter(pk__in=RawSQL(sql, [*values, phrase]))  # noqa: S611
    return cast("R", found)


def _candidates(database: str, index: str, phrase: str) -> int:
    sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {index} WHERE {index} MATCH %s LIMIT {COUNT_LIMIT + 1})"  # noqa: S608
    with connections[database].cursor() as cursor:
        cursor.execute(sql, [phrase])
        return int(cursor.fetchone()[0])
